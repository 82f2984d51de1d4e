#include "registry/registry.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/cleanup.h"
#include "registry/client.h"
#include "registry/digest.h"
#include "registry/fetch.h"
#include "registry/files.h"
#include "registry/manifest.h"

#include <assert.h>

#define MAX_CALLS        4096u
#define MAX_INDEX_DEPTH  3u /* an index in an index in an index */
#define INDEX_DIGEST_LEN DIGEST_MAX_LEN

struct registry_call {
    struct registry_client *client;
    struct registry_call *previous, *next;
    struct arena *arena;
    struct registry_target target;
    struct fetch *fetch;
    uint64_t deadline_at_ms;
    void *user;

    /* of a manifest */
    registry_manifest_fn *on_manifest;
    bool choose_platform;
    unsigned depth;
    const char *reference; /* what is being fetched */
    int64_t expected_size; /* by the index, or by the caller; -1: not known */
    const char *platform;
    const char *index_digest;

    /* of a document */
    registry_document_fn *on_document;

    /* of a blob */
    registry_data_fn *on_data;
    registry_done_fn *on_done;
    struct digest_stream *digest;
    int64_t received;
};

/* -- calls ---------------------------------------------------------------------------------------- */

static void call_free(struct registry_call *call)
{
    struct registry_client *client = call->client;
    if (call->previous)
        call->previous->next = call->next;
    else
        client->calls = call->next;
    if (call->next)
        call->next->previous = call->previous;
    client->call_count--;
    digest_stream_free(call->digest);
    arena_free(call->arena);
    free(call);
}

static struct registry_call *call_new(struct registry_client *client,
                                      const struct registry_target *target, uint32_t deadline_ms,
                                      void *user)
{
    struct registry_call *call = xcalloc(1, sizeof *call);
    call->client = client;
    call->arena = arena_new();
    call->target.base_url = arena_strdup(call->arena, target->base_url);
    call->target.repository = arena_strdup(call->arena, target->repository);
    call->target.reference = arena_strdup(call->arena, target->reference ? target->reference : "");
    call->deadline_at_ms = uv_now(client->loop) + deadline_ms;
    call->user = user;
    call->expected_size = -1;
    call->next = client->calls;
    if (call->next)
        call->next->previous = call;
    client->calls = call;
    client->call_count++;
    return call;
}

static void fail(struct registry_call *call, const struct error *err)
{
    if (call->on_manifest)
        call->on_manifest(call->user, NULL, err);
    else if (call->on_document)
        call->on_document(call->user, NULL, err);
    else
        call->on_done(call->user, err);
    call_free(call);
}

static uint32_t time_left_ms(const struct registry_call *call)
{
    uint64_t now_ms = uv_now(call->client->loop);
    return call->deadline_at_ms > now_ms ? (uint32_t)(call->deadline_at_ms - now_ms) : 1;
}

static bool check_call(struct registry_client *client, const struct registry_target *target,
                       uint32_t deadline_ms, struct error *err)
{
    if (deadline_ms == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "a registry call needs a deadline");
    if (client->is_closing)
        return error_set(err, ERROR_UNAVAILABLE, "the registry client is closing");
    if (client->call_count >= MAX_CALLS)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED, "%u registry calls are already in flight",
                         MAX_CALLS);
    if (!endpoint_check(slice_of(target->base_url), err))
        return error_prefix(err, "registry");
    if (!repository_check(slice_of(target->repository), err))
        return error_prefix(err, "repository");
    return true;
}

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

/* -- manifests ------------------------------------------------------------------------------------ */

static bool is_digest(const char *reference)
{
    return strchr(reference, ':') != NULL;
}

static bool start_manifest(struct registry_call *call, struct error *err);

static bool mismatch(struct registry_call *call, const char *expected, struct error *err)
{
    return error_set(err, ERROR_DATA_LOSS, "registry %s sent wrong bytes for %s: %s was expected",
                     call->target.base_url, call->target.repository, expected);
}

/* Sets the digest of the bytes, after having compared it with everything that names it. */
static bool check_manifest(struct registry_call *call, struct slice bytes,
                           char ret_digest[DIGEST_MAX_LEN], struct error *err)
{
    struct slice header = slice_of(fetch_digest_header(call->fetch));
    struct error ignored;

    digest_of(bytes.ptr, bytes.len, ret_digest);
    if (is_digest(call->reference) &&
        !digest_matches(slice_of(call->reference), bytes.ptr, bytes.len))
        return mismatch(call, call->reference, err);
    if (header.len > 0 && digest_check(header, &ignored) &&
        !digest_matches(header, bytes.ptr, bytes.len))
        return error_set(err, ERROR_DATA_LOSS,
                         "registry %s says %s for %s:%s, but its bytes have the digest %s",
                         call->target.base_url, header.ptr, call->target.repository,
                         call->target.reference, ret_digest);
    if (call->expected_size >= 0 && (uint64_t)call->expected_size != bytes.len)
        return error_set(err, ERROR_DATA_LOSS, "registry %s sent %zu bytes instead of %lld for %s",
                         call->target.base_url, bytes.len, (long long)call->expected_size,
                         call->reference);
    if (is_digest(call->reference))
        memcpy(ret_digest, call->reference, strlen(call->reference) + 1);
    return true;
}

/* Goes on from an index to the manifest for this machine. */
static bool descend(struct registry_call *call, const struct manifest *index, const char *digest,
                    struct error *err)
{
    const struct descriptor *entry;
    if (++call->depth > MAX_INDEX_DEPTH)
        return error_set(err, ERROR_FAILED_PRECONDITION, "the index is nested over %u deep",
                         MAX_INDEX_DEPTH);
    if (!manifest_choose(index, &platform_host, &entry, err))
        return false;
    if (!call->index_digest[0])
        call->index_digest = arena_strdup(call->arena, digest);
    if (entry->has_platform)
        call->platform = platform_format(&entry->platform, call->arena);
    call->reference = entry->digest;
    call->expected_size = entry->size;
    return start_manifest(call, err);
}

static void deliver(struct registry_call *call, struct slice bytes, const char *digest,
                    const struct manifest *parsed)
{
    struct registry_manifest manifest = {
        .digest = digest,
        .media_type = parsed->media_type,
        .bytes = bytes.ptr,
        .len = bytes.len,
        .platform = call->platform,
        .index_digest = call->index_digest,
        .authentication = auth_scheme_name(fetch_authentication(call->fetch)),
    };
    call->on_manifest(call->user, &manifest, NULL);
    call_free(call);
}

static void on_manifest_bytes(void *user, const struct error *fetch_err)
{
    struct registry_call *call = user;
    struct slice bytes = fetch_body(call->fetch);
    char digest[DIGEST_MAX_LEN];
    struct manifest manifest;
    struct error err;

    if (fetch_err) {
        fail(call, fetch_err);
        return;
    }
    if (!check_manifest(call, bytes, digest, &err)) {
        fail(call, &err);
        return;
    }
    bool ok = manifest_parse(bytes, slice_of(fetch_content_type(call->fetch)), call->arena,
                             &manifest, &err);
    if (ok && (manifest.kind == MANIFEST_IMAGE || !call->choose_platform)) {
        deliver(call, bytes, digest, &manifest);
        return;
    }
    if (!ok || !descend(call, &manifest, digest, &err)) {
        error_prefix(&err, "registry %s: image %s%s%s", call->target.base_url,
                     call->target.repository, is_digest(call->target.reference) ? "@" : ":",
                     call->target.reference);
        fail(call, &err);
    }
}

static bool start_manifest(struct registry_call *call, struct error *err)
{
    struct fetch_request request = {
        .base_url = call->target.base_url,
        .repository = call->target.repository,
        .path = arena_printf(call->arena, "manifests/%s", call->reference),
        .accept = MANIFEST_ACCEPT,
        .what = arena_printf(call->arena, "image %s%s%s", call->target.repository,
                             is_digest(call->reference) ? "@" : ":", call->reference),
        .deadline_ms = time_left_ms(call),
        .collect_max = MANIFEST_MAX_BYTES,
        .on_done = on_manifest_bytes,
        .user = call,
    };
    struct fetch *fetch = fetch_start(call->client, &request, err);
    if (!fetch)
        return false;
    call->fetch = fetch;
    return true;
}

struct registry_call *registry_get_manifest(struct registry_client *client,
                                            const struct registry_target *target,
                                            bool choose_platform, uint32_t deadline_ms,
                                            registry_manifest_fn *done, void *user,
                                            struct error *err)
{
    struct slice reference = slice_of(target->reference);
    if (!check_call(client, target, deadline_ms, err))
        return NULL;
    if (!(is_digest(target->reference) ? digest_check : tag_check)(reference, err)) {
        error_prefix(err, "image %s", target->repository);
        return NULL;
    }
    struct registry_call *call = call_new(client, target, deadline_ms, user);
    call->on_manifest = done;
    call->choose_platform = choose_platform;
    call->reference = call->target.reference;
    call->platform = call->index_digest = "";
    if (start_manifest(call, err))
        return call;
    call_free(call);
    return NULL;
}

/* -- documents ------------------------------------------------------------------------------------ */

static void on_document_bytes(void *user, const struct error *fetch_err)
{
    struct registry_call *call = user;
    struct slice bytes = fetch_body(call->fetch);
    struct error err;
    if (fetch_err) {
        fail(call, fetch_err);
        return;
    }
    if (call->reference[0] && !digest_matches(slice_of(call->reference), bytes.ptr, bytes.len)) {
        mismatch(call, call->reference, &err);
        fail(call, &err);
        return;
    }
    struct registry_document document = {
        .bytes = bytes.len > 0 ? bytes.ptr : "",
        .len = bytes.len,
        .content_type = fetch_content_type(call->fetch),
    };
    call->on_document(call->user, &document, NULL);
    call_free(call);
}

static bool start_document(struct registry_call *call,
                           const struct registry_document_request *document, struct error *err)
{
    struct fetch_request request = {
        .base_url = call->target.base_url,
        .repository = call->target.repository,
        .path = arena_strdup(call->arena, document->path),
        .accept = document->accept ? arena_strdup(call->arena, document->accept) : NULL,
        .what = arena_printf(call->arena, "%s of %s", document->path, call->target.repository),
        .deadline_ms = time_left_ms(call),
        .collect_max = document->max_bytes,
        .on_done = on_document_bytes,
        .user = call,
    };
    call->fetch = fetch_start(call->client, &request, err);
    return call->fetch != NULL;
}

struct registry_call *registry_get_document(struct registry_client *client,
                                            const struct registry_target *target,
                                            const struct registry_document_request *document,
                                            uint32_t deadline_ms, registry_document_fn *done,
                                            void *user, struct error *err)
{
    assert(document->max_bytes > 0);
    if (!check_call(client, target, deadline_ms, err) ||
        (document->digest && !digest_check(slice_of(document->digest), err)))
        return NULL;
    struct registry_call *call = call_new(client, target, deadline_ms, user);
    call->on_document = done;
    call->reference = arena_strdup(call->arena, document->digest ? document->digest : "");
    if (start_document(call, document, err))
        return call;
    call_free(call);
    return NULL;
}

/* -- blobs ---------------------------------------------------------------------------------------- */

static bool on_blob_data(void *user, const char *bytes, size_t len, struct error *err)
{
    struct registry_call *call = user;
    call->received += (int64_t)len;
    if (call->expected_size >= 0 && call->received > call->expected_size)
        return error_set(err, ERROR_DATA_LOSS, "registry %s sent more than %lld bytes for blob %s",
                         call->target.base_url, (long long)call->expected_size, call->reference);
    digest_stream_add(call->digest, bytes, len);
    return call->on_data(call->user, bytes, len, err);
}

static bool check_blob(struct registry_call *call, struct error *err)
{
    char real[DIGEST_MAX_LEN];
    if (call->expected_size >= 0 && call->received != call->expected_size)
        return error_set(err, ERROR_DATA_LOSS,
                         "registry %s sent %lld bytes instead of %lld for blob %s",
                         call->target.base_url, (long long)call->received,
                         (long long)call->expected_size, call->reference);
    return digest_stream_end(call->digest, real) || mismatch(call, call->reference, err);
}

static void on_blob_done(void *user, const struct error *fetch_err)
{
    struct registry_call *call = user;
    struct error err;
    if (!fetch_err && !check_blob(call, &err))
        fetch_err = &err;
    call->on_done(call->user, fetch_err);
    call_free(call);
}

static bool start_blob(struct registry_call *call, struct error *err)
{
    struct fetch_request request = {
        .base_url = call->target.base_url,
        .repository = call->target.repository,
        .path = arena_printf(call->arena, "blobs/%s", call->reference),
        .what =
            arena_printf(call->arena, "blob %s of %s", call->reference, call->target.repository),
        .deadline_ms = time_left_ms(call),
        .on_data = on_blob_data,
        .on_done = on_blob_done,
        .user = call,
    };
    call->fetch = fetch_start(call->client, &request, err);
    return call->fetch != NULL;
}

struct registry_call *registry_get_blob(struct registry_client *client,
                                        const struct registry_target *target, const char *digest,
                                        int64_t size, uint32_t deadline_ms,
                                        registry_data_fn *on_data, registry_done_fn *done,
                                        void *user, struct error *err)
{
    if (!check_call(client, target, deadline_ms, err) || !digest_check(slice_of(digest), err))
        return NULL;
    struct registry_call *call = call_new(client, target, deadline_ms, user);
    call->on_data = on_data;
    call->on_done = done;
    call->reference = arena_strdup(call->arena, digest);
    call->expected_size = size;
    call->digest = digest_stream_new(slice_of(call->reference));
    if (start_blob(call, err))
        return call;
    call_free(call);
    return NULL;
}

void registry_call_pause(struct registry_call *call)
{
    fetch_pause(call->fetch);
}

void registry_call_resume(struct registry_call *call)
{
    fetch_resume(call->fetch);
}

void registry_call_cancel(struct registry_call *call)
{
    fetch_cancel(call->fetch);
    call_free(call);
}

/* -- the client ----------------------------------------------------------------------------------- */

void registry_client_part_closed(struct registry_client *client)
{
    if (--client->open_parts > 0)
        return;
    for (size_t i = 0; i < client->insecure.count; i++)
        free((char *)client->insecure.items[i]);
    free((void *)client->insecure.items);
    credentials_free(client->credentials);
    grants_free(client->grants);
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
        fail(client->calls, &err);
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
    client->received_bytes = metric_open(METRIC_COUNTER, "eos_registry_received_bytes_total",
                                         "Content that came from registries.", NULL);
}

struct registry_client *registry_client_open(uv_loop_t *loop,
                                             const struct registry_options *options,
                                             struct error *err)
{
    struct credentials *credentials = credentials_new();
    struct http_client *http = NULL;
    if (credentials_read(credentials, options->docker_config, options->netrc, err))
        http = http_client_open(loop, err);
    if (!http) {
        credentials_free(credentials);
        return NULL;
    }
    struct registry_client *client = xcalloc(1, sizeof *client);
    client->loop = loop;
    client->http = http;
    client->credentials = credentials;
    client->grants = grants_new();
    copy_insecure(client, options);
    open_metrics(client);
    client->farewell.data = client;
    client->open_parts = 2;
    uv_timer_init(loop, &client->farewell);
    return client;
}
