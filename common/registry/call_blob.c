#include "registry/call.h"

/* A blob has the same bytes everywhere, so that another source can go on where one broke off. */

/* The caller may give up the call from within its own function. */
static bool on_blob_data(void *user, const char *bytes, size_t len, struct error *err)
{
    struct registry_call *call = user;
    call->received += (int64_t)len;
    if (call->expected_size >= 0 && call->received > call->expected_size)
        return error_set(err, ERROR_DATA_LOSS, "registry %s sent more than %lld bytes for blob %s",
                         call_source(call)->base_url, (long long)call->expected_size,
                         call->reference);
    digest_stream_add(call->digest, bytes, len);
    return call->on_data(call->user, bytes, len, err);
}

static bool check_blob(struct registry_call *call, struct error *err)
{
    const struct source *source = call_source(call);
    char real[DIGEST_MAX_LEN];
    if (call->expected_size >= 0 && call->received != call->expected_size)
        return error_set(err, ERROR_DATA_LOSS,
                         "registry %s sent %lld bytes instead of %lld for blob %s",
                         source->base_url, (long long)call->received,
                         (long long)call->expected_size, call->reference);
    if (digest_stream_end(call->digest, real))
        return true;
    return error_set(err, ERROR_DATA_LOSS, "registry %s sent wrong bytes for %s: %s was expected",
                     source->base_url, source->repository, call->reference);
}

static void on_blob_done(void *user, const struct error *fetch_err)
{
    struct registry_call *call = user;
    struct error err;
    if (fetch_err) {
        call->is_spoilt = fetch_was_stopped(call->fetch);
        call_try_next(call, fetch_err);
    } else if (!check_blob(call, &err)) {
        call->is_spoilt = call->expected_size < 0 || call->received == call->expected_size;
        call_try_next(call, &err);
    } else {
        call->on_done(call->user, NULL);
        call_free(call);
    }
}

static bool start_blob(struct registry_call *call, struct error *err)
{
    struct fetch_request request = call_request(call);
    request.path = arena_printf(call->arena, "blobs/%s", call->reference);
    request.what =
        arena_printf(call->arena, "blob %s of %s", call->reference, call_source(call)->repository);
    request.received = (uint64_t)call->received;
    request.on_data = on_blob_data;
    request.on_done = on_blob_done;
    return call_fetch(call, &request, err);
}

struct registry_call *registry_get_blob(struct registry_client *client,
                                        const struct registry_target *target, const char *digest,
                                        int64_t size, uint32_t deadline_ms,
                                        registry_data_fn *on_data, registry_done_fn *done,
                                        void *user, struct error *err)
{
    if (!digest_check(slice_of(digest), err))
        return NULL;
    struct registry_call *call = call_new(client, target, deadline_ms, user, err);
    if (!call)
        return NULL;
    call->on_data = on_data;
    call->on_done = done;
    call->reference = arena_strdup(call->arena, digest);
    call->expected_size = size;
    call->digest = digest_stream_new(slice_of(call->reference));
    call->start = start_blob;
    if (call_begin(call, err))
        return call;
    call_free(call);
    return NULL;
}
