#include "registry/registry.h"

#include "base/alloc.h"
#include "registry/call.h"
#include "registry/files.h"

bool registry_locate(const struct registry_client *client, const struct image_reference *reference,
                     const char *default_url, struct arena *arena,
                     struct registry_target *ret_target, struct error *err)
{
    struct endpoint endpoint;
    const char *url = default_url ? default_url : REGISTRY_DEFAULT_URL;
    if (!endpoint_check(slice_of(url), err))
        return error_prefix(err, "registry");
    endpoint_find(reference, url, &client->insecure, arena, &endpoint);
    *ret_target = (struct registry_target){
        .base_url = endpoint.base_url,
        .repository = endpoint.repository,
        .reference = reference_version(reference),
    };
    return true;
}

/* -- the client ----------------------------------------------------------------------------------- */

void registry_client_part_closed(struct registry_client *client)
{
    if (--client->open_parts > 0)
        return;
    for (size_t i = 0; i < client->insecure.count; i++)
        free((char *)client->insecure.items[i]);
    free((void *)client->insecure.items);
    registry_files_done(&client->files);
    grants_free(client->grants);
    resting_free(client->resting);
    map_free(client->queues);
    free((char *)client->paths.docker_config);
    free((char *)client->paths.netrc);
    free((char *)client->paths.certs_dir);
    free(client);
}

static void on_http_closed(void *user)
{
    registry_client_part_closed(user);
}

static void on_farewell_closed(uv_handle_t *farewell)
{
    registry_client_part_closed(farewell->data);
}

static void on_farewell(uv_timer_t *farewell)
{
    struct registry_client *client = farewell->data;
    struct error err;
    error_set(&err, ERROR_CANCELLED, "the program is stopping");
    while (client->calls) {
        fetch_cancel(client->calls->fetch);
        call_fail(client->calls, &err);
    }
    http_client_close(client->http, on_http_closed, client);
    uv_close((uv_handle_t *)farewell, on_farewell_closed);
}

void registry_client_close(struct registry_client *client)
{
    if (!client || client->is_closing)
        return;
    client->is_closing = true;
    uv_timer_start(&client->farewell, on_farewell, 0, 0);
}

static void copy_insecure(struct registry_client *client, const struct registry_options *options)
{
    char **items = xcalloc(options->insecure_registry_count + 1, sizeof *items);
    for (size_t i = 0; i < options->insecure_registry_count; i++)
        items[i] = xstrdup(options->insecure_registries[i]);
    client->insecure =
        (struct insecure_hosts){ (const char *const *)items, options->insecure_registry_count };
}

static void open_metrics(struct registry_client *client)
{
    client->answers = metric_open(METRIC_COUNTER, "eos_registry_answers_total",
                                  "Answers of registries and of what they redirect to.", NULL);
    client->retries = metric_open(METRIC_COUNTER, "eos_registry_retries_total",
                                  "Requests to registries that were sent again.", NULL);
    client->failures = metric_open(METRIC_COUNTER, "eos_registry_failures_total",
                                   "Documents and blobs that registries did not give.", NULL);
    client->mirror_failures =
        metric_open(METRIC_COUNTER, "eos_registry_mirror_failures_total",
                    "Mirrors that did not give what was asked of them.", NULL);
    client->reads =
        metric_open(METRIC_COUNTER, "eos_registry_files_reads_total",
                    "Times that credentials and certificates were read again, as one was "
                    "refused.",
                    NULL);
    client->read_failures =
        metric_open(METRIC_COUNTER, "eos_registry_files_failures_total",
                    "Times that they could not be, and the former ones stayed.", NULL);
    client->received_bytes = metric_open(METRIC_COUNTER, "eos_registry_received_bytes_total",
                                         "Content that came from registries.", NULL);
}

static struct registry_paths paths_of(const struct registry_options *options)
{
    return (struct registry_paths){
        .docker_config = options->docker_config,
        .netrc = options->netrc,
        .certs_dir = options->certs_dir ? options->certs_dir : CERTIFICATES_DEFAULT,
        .has_defaults = options->has_default_files,
    };
}

static struct registry_paths copy_paths(const struct registry_paths *paths)
{
    struct registry_paths copy = *paths;
    copy.docker_config = paths->docker_config ? xstrdup(paths->docker_config) : NULL;
    copy.netrc = paths->netrc ? xstrdup(paths->netrc) : NULL;
    copy.certs_dir = xstrdup(paths->certs_dir);
    return copy;
}

struct registry_client *registry_client_open(uv_loop_t *loop,
                                             const struct registry_options *options,
                                             struct error *err)
{
    struct registry_paths paths = paths_of(options);
    struct registry_files files = { 0 };
    struct http_client *http = NULL;
    if (registry_files_read(&paths, &files, err))
        http = http_client_open(loop, err);
    if (!http) {
        registry_files_done(&files);
        return NULL;
    }
    struct registry_client *client = xcalloc(1, sizeof *client);
    client->loop = loop;
    client->http = http;
    client->files = files;
    client->paths = copy_paths(&paths);
    client->grants = grants_new();
    client->queues = map_new();
    client->resting = resting_new();
    copy_insecure(client, options);
    open_metrics(client);
    client->farewell.data = client;
    client->open_parts = 2;
    uv_timer_init(loop, &client->farewell);
    return client;
}
