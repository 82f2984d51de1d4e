#include "registry/call.h"

#include <assert.h>

/* What is wanted of a registry as it is: nothing is looked at but its digest. */

static void on_document_bytes(void *user, const struct error *fetch_err)
{
    struct registry_call *call = user;
    struct error err;
    if (fetch_err) {
        call_try_next(call, fetch_err);
        return;
    }
    struct slice bytes = fetch_body(call->fetch);
    if (call->reference[0] && !digest_matches(slice_of(call->reference), bytes.ptr, bytes.len)) {
        error_set(&err, ERROR_DATA_LOSS, "registry %s sent wrong bytes for %s: %s was expected",
                  call_source(call)->base_url, call_source(call)->repository, call->reference);
        call_try_next(call, &err);
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

static bool start_document(struct registry_call *call, struct error *err)
{
    struct fetch_request request = call_request(call);
    request.path = call->document.path;
    request.accept = call->document.accept;
    request.what =
        arena_printf(call->arena, "%s of %s", request.path, call_source(call)->repository);
    request.deadline_ms = call_part_of_time_ms(call);
    request.collect_max = call->document.max_bytes;
    request.on_done = on_document_bytes;
    return call_fetch(call, &request, err);
}

struct registry_call *registry_get_document(struct registry_client *client,
                                            const struct registry_target *target,
                                            const struct registry_document_request *document,
                                            uint32_t deadline_ms, registry_document_fn *done,
                                            void *user, struct error *err)
{
    assert(document->max_bytes > 0);
    if (document->digest && !digest_check(slice_of(document->digest), err))
        return NULL;
    struct registry_call *call = call_new(client, target, deadline_ms, user, err);
    if (!call)
        return NULL;
    call->on_document = done;
    call->document = *document;
    call->document.path = arena_strdup(call->arena, document->path);
    if (document->accept)
        call->document.accept = arena_strdup(call->arena, document->accept);
    call->reference = arena_strdup(call->arena, document->digest ? document->digest : "");
    call->start = start_document;
    if (call_begin(call, err))
        return call;
    call_free(call);
    return NULL;
}
