#include "gateway/service.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "gateway/handlers.h"
#include "gateway/http_server.h"
#include "gateway/tokens.h"
#include "io/cluster_key.h"
#include "io/daemon.h"
#include "io/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define TOKEN_FILE_MAX_BYTES (1u << 20)
#define MAX_CLUSTER_BYTES    255u
#define CLUSTER_CHARACTERS   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."
#define HELD_BODIES          16 /* times the largest body: memory for all requests together */

struct service {
    struct cluster_key *key;
    struct tokens *tokens;
    struct handlers handlers;
    struct http_server *server;
};

/* -- the token file ------------------------------------------------------------------------------- */

static bool check_token_file(int fd, const char *path, struct error *err)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return error_set_errno(err, errno, "could not read the token file \"%s\"", path);
    if (!S_ISREG(status.st_mode) || status.st_size > TOKEN_FILE_MAX_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "token file \"%s\": expected a regular file of at most %u bytes", path,
                         TOKEN_FILE_MAX_BYTES);
    if (status.st_mode & 077)
        return error_set(err, ERROR_PERMISSION_DENIED,
                         "token file \"%s\" is open to others than its owner, expected mode 0600",
                         path);
    return true;
}

static bool read_tokens(const char *path, struct tokens **ret_tokens, struct error *err)
{
    cleanup_text struct text content = TEXT_INIT;
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_set_errno(err, errno, "could not open the token file \"%s\"", path);
    if (!check_token_file(fd, path, err))
        return false;
    if (!text_read(&content, fd, TOKEN_FILE_MAX_BYTES))
        return error_set_errno(err, errno, "could not read the token file \"%s\"", path);
    *ret_tokens = tokens_parse(text_slice(&content), err);
    return *ret_tokens || error_prefix(err, "token file \"%s\"", path);
}

/* -- opening -------------------------------------------------------------------------------------- */

static bool check_options(const struct gateway_options *options, struct error *err)
{
    if (!options->cluster || !options->cluster[0])
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "flag --cluster is missing: the name of the cluster that is served");
    if (strlen(options->cluster) > MAX_CLUSTER_BYTES ||
        options->cluster[strspn(options->cluster, CLUSTER_CHARACTERS)])
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "flag --cluster: expected 1 to %u letters, digits, \"_\", \"-\" or \".\"",
                         MAX_CLUSTER_BYTES);
    return true;
}

static bool open_secrets(struct service *service, const struct gateway_options *options,
                         struct error *err)
{
    if (options->cluster_key_file) {
        service->key = cluster_key_read(options->cluster_key_file, err);
        if (!service->key)
            return false;
    }
    return !options->token_file || read_tokens(options->token_file, &service->tokens, err);
}

static bool open_handlers(struct service *service, uv_loop_t *loop,
                          const struct gateway_options *options, struct error *err)
{
    const char *const urls[BACKEND_COUNT] = {
        [BACKEND_CONFIG] = options->config_url,
        [BACKEND_BINDER] = options->binder_url,
        [BACKEND_SCHEDULER] = options->scheduler_url,
    };
    struct handlers *handlers = &service->handlers;
    handlers->backends = backends_open(loop, urls, service->key, err);
    if (!handlers->backends)
        return false;
    handlers->launchers = launchers_open(loop, service->key);
    handlers->cluster = options->cluster;
    handlers->heartbeat_ms = (uint64_t)options->heartbeat_ms;
    return true;
}

static bool open_server(struct service *service, uv_loop_t *loop,
                        const struct gateway_options *options, struct error *err)
{
    struct http_server_options server_options = {
        .address = options->http,
        .limits = { .header_bytes = (size_t)options->max_header_bytes,
                    .header_count = (size_t)options->max_headers,
                    .body_bytes = (size_t)options->max_body_bytes },
        .connections = (size_t)options->max_connections,
        .requests = (size_t)options->max_requests,
        .held_body_bytes = (size_t)options->max_body_bytes * HELD_BODIES,
        .header_timeout_ms = (uint64_t)options->header_timeout_ms,
        .body_timeout_ms = (uint64_t)options->body_timeout_ms,
        .idle_timeout_ms = (uint64_t)options->idle_timeout_ms,
        .write_timeout_ms = (uint64_t)options->write_timeout_ms,
        .tokens = service->tokens,
        .handle = handlers_handle,
        .user = &service->handlers,
    };
    service->server = http_server_open(loop, &server_options, err);
    return service->server != NULL;
}

bool service_open(uv_loop_t *loop, void *user, void **ret_service, struct error *err)
{
    const struct gateway_options *options = user;
    if (!check_options(options, err))
        return false;
    struct service *service = xcalloc(1, sizeof *service);
    if (!open_secrets(service, options, err) || !open_handlers(service, loop, options, err) ||
        !open_server(service, loop, options, err)) {
        service_close(service);
        return false;
    }
    log_info("listening", "http", http_server_address(service->server), "cluster",
             options->cluster);
    *ret_service = service;
    return true;
}

/* -- closing -------------------------------------------------------------------------------------- */

static void on_drained(void *user)
{
    (void)user;
    daemon_drained();
}

void service_drain(void *user)
{
    struct service *service = user;
    service->handlers.is_draining = true;
    http_server_drain(service->server, on_drained, NULL);
}

void service_close(void *user)
{
    struct service *service = user;
    http_server_close(service->server);
    launchers_close(service->handlers.launchers);
    backends_close(service->handlers.backends);
    tokens_free(service->tokens);
    cluster_key_free(service->key);
    free(service);
}
