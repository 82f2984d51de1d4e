#include "client/gateway.h"

#include "base/alloc.h"
#include "client/cluster.h"
#include "client/output.h"
#include "client/problem.h"
#include "json/message_json.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <time.h>

#define TOKEN_MAX_BYTES 4096
#define RETRY_FIRST_MS  50
#define RETRY_MAX_MS    500

struct gateway {
    struct http *http;
    char *url, *cluster;
    bool is_verbose;
    uint32_t timeout_ms;
};

/* -- opening -------------------------------------------------------------------------------------- */

/* The first line that is no comment. */
static bool token_read(const char *path, struct text *ret_token, struct error *err)
{
    char bytes[TOKEN_MAX_BYTES];
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);
    if (len < 0)
        return error_set_errno(err, errno, "could not read the token file \"%.100s\"", path);
    struct slice rest = { bytes, (size_t)len };
    while (rest.ptr) {
        struct slice line = slice_trim(slice_split(&rest, '\n'));
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        text_add_slice(ret_token, line);
        explicit_bzero(bytes, sizeof bytes);
        return true;
    }
    return error_set(err, ERROR_INVALID_ARGUMENT, "the token file \"%.100s\" holds no token", path);
}

static bool find_token(const struct cluster_gateway *cluster, const struct flags *flags,
                       struct text *ret_token, struct error *err)
{
    const char *token = getenv("EOS_TOKEN");
    if (flags->token_file)
        return token_read(flags->token_file, ret_token, err);
    if (token && *token)
        text_add(ret_token, token);
    else if (cluster->token_file)
        return token_read(cluster->token_file, ret_token, err);
    return true;
}

static bool check_token(const struct text *token, struct error *err)
{
    for (size_t i = 0; i < token->len; i++)
        if (token->ptr[i] <= ' ' || token->ptr[i] >= 0x7f)
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "a token must be printable characters without spaces");
    return true;
}

static bool find_cluster(const struct invocation *invocation, const char *cluster,
                         struct cluster_gateway *ret_found, struct error *err)
{
    return cluster
               ? cluster_find_gateway(invocation->flags, cluster, invocation->arena, ret_found, err)
               : cluster_find_default(invocation->flags, invocation->arena, ret_found, err);
}

struct gateway *gateway_open(const struct invocation *invocation, const char *cluster,
                             struct error *err)
{
    const struct flags *flags = invocation->flags;
    cleanup_text struct text token = TEXT_INIT;
    struct cluster_gateway found;
    if (!find_cluster(invocation, cluster, &found, err) ||
        !find_token(&found, flags, &token, err) || !check_token(&token, err))
        return NULL;
    struct http_options options = { .base_url = found.url,
                                    .token = token.len > 0 ? text_string(&token) : NULL,
                                    .ca_file = flags->ca_file };
    struct http *http = http_open(&options, err);
    if (token.ptr)
        explicit_bzero(token.ptr, token.len);
    if (!http)
        return NULL;
    struct gateway *gateway = xcalloc(1, sizeof *gateway);
    gateway->http = http;
    gateway->is_verbose = flags->verbose;
    gateway->timeout_ms = GATEWAY_TIMEOUT_MS;
    gateway->url = xstrdup(http_base_url(http));
    gateway->cluster = xstrdup(found.cluster);
    return gateway;
}

void gateway_close(struct gateway *gateway)
{
    if (!gateway)
        return;
    http_close(gateway->http);
    free(gateway->url);
    free(gateway->cluster);
    free(gateway);
}

void gateway_set_timeout(struct gateway *gateway, uint32_t timeout_ms)
{
    gateway->timeout_ms = timeout_ms;
}

const char *gateway_url(const struct gateway *gateway)
{
    return gateway->url;
}

const char *gateway_cluster(const struct gateway *gateway)
{
    return gateway->cluster;
}

/* -- calling -------------------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void wait_ms(int64_t ms)
{
    struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
    while (nanosleep(&time, &time) != 0 && errno == EINTR)
        ;
}

static bool perform_once(struct gateway *gateway, const struct http_request *request,
                         struct http_response *ret_response, struct error *err)
{
    int64_t started_ms = now_ms();
    bool is_answered = http_perform(gateway->http, request, ret_response, err);
    if (gateway->is_verbose && is_answered)
        output_note("eos: %s %s%s: status %ld in %lld ms", request->method, gateway->url,
                    request->path, ret_response->status, (long long)(now_ms() - started_ms));
    else if (gateway->is_verbose)
        output_note("eos: %s %s%s: %s", request->method, gateway->url, request->path, err->message);
    return is_answered;
}

/* A gateway that restarts is gone for a moment. */
static bool perform(struct gateway *gateway, const struct http_request *request,
                    struct http_response *ret_response, struct error *err)
{
    int64_t end_ms = now_ms() + GATEWAY_RETRY_MS;
    for (int64_t pause_ms = RETRY_FIRST_MS;; pause_ms *= 2) {
        if (perform_once(gateway, request, ret_response, err))
            return true;
        if (!ret_response->may_retry || now_ms() + pause_ms > end_ms)
            return false;
        output_progress("waiting for the gateway");
        wait_ms(pause_ms < RETRY_MAX_MS ? pause_ms : RETRY_MAX_MS);
    }
}

static bool decode(const struct http_response *response, const ProtobufCMessageDescriptor *type,
                   struct arena *arena, ProtobufCMessage **ret_message, struct error *err)
{
    if (response->status >= 300) {
        problem_parse(response->status, text_slice(&response->content_type),
                      text_slice(&response->body), err);
        return false;
    }
    if (message_from_json(text_slice(&response->body), type, MESSAGE_JSON_IGNORE_UNKNOWN, arena,
                          ret_message, err))
        return true;
    err->code = ERROR_DATA_LOSS;
    return error_prefix(err, "could not understand the gateway's answer");
}

bool gateway_call(struct gateway *gateway, const char *method, const char *path,
                  const ProtobufCMessage *request, const ProtobufCMessageDescriptor *type,
                  struct arena *arena, ProtobufCMessage **ret_response, struct error *err)
{
    cleanup_text struct text body = TEXT_INIT;
    struct http_response response;
    if (request)
        message_to_json(request, &body);
    struct http_request http = { .method = method,
                                 .path = path,
                                 .body = { body.ptr, body.len },
                                 .timeout_ms = gateway->timeout_ms };
    if (!perform(gateway, &http, &response, err))
        return false;
    bool is_decoded = decode(&response, type, arena, ret_response, err);
    http_response_done(&response);
    return is_decoded;
}

bool gateway_stream(struct gateway *gateway, const struct http_request *request, struct error *err)
{
    struct http_response response;
    if (!perform_once(gateway, request, &response, err))
        return false;
    bool is_good = response.status < 300;
    if (!is_good)
        problem_parse(response.status, text_slice(&response.content_type),
                      text_slice(&response.body), err);
    http_response_done(&response);
    return is_good;
}

char *gateway_request_id(struct arena *arena)
{
    cleanup_text struct text id = TEXT_INIT;
    unsigned char random[16];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        abort();
    text_add_hex(&id, random, sizeof random);
    return arena_strdup(arena, text_string(&id));
}
