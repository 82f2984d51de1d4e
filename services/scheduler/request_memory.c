#include "scheduler/request_memory.h"

#include "base/alloc.h"

#include <stdlib.h>

struct remembered_request *remembered_request_new(Eos__Scheduler__V1__StoredRequest *message)
{
    struct remembered_request *request = xcalloc(1, sizeof *request);
    request->entity.kind = ENTITY_REQUEST;
    request->message = message;
    return request;
}

void remembered_request_free(struct remembered_request *request)
{
    if (!request)
        return;
    message_free(request->message);
    free(request);
}

static void *allocate(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void release(void *arena, void *p)
{
    (void)arena;
    (void)p;
}

static ProtobufCMessage *unpack_into(struct arena *arena, const ProtobufCMessageDescriptor *type,
                                     const ProtobufCBinaryData *bytes)
{
    ProtobufCAllocator allocator = { allocate, release, arena };
    return protobuf_c_message_unpack(type, &allocator, bytes->len, bytes->data);
}

bool request_memory_find(struct state *state, const char *request_id, const char *method,
                         const ProtobufCMessage *request, const ProtobufCMessageDescriptor *type,
                         struct arena *arena, ProtobufCMessage **ret_response, struct error *err)
{
    ProtobufCMessage *response = NULL;

    if (strlen(request_id) > REQUEST_ID_MAX_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "request id is longer than %u bytes",
                         REQUEST_ID_MAX_BYTES);
    struct remembered_request *known = map_get(state->requests, slice_of(request_id));
    if (*request_id && known) {
        uint64_t fingerprint = bytes_fingerprint(message_pack(request, arena));
        if (strcmp(known->message->method, method) != 0 ||
            known->message->fingerprint != fingerprint)
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "request id has been used for a different request");
        response = unpack_into(arena, type, &known->message->response);
        if (!response)
            return error_set(err, ERROR_DATA_LOSS, "the first answer to this request id is lost");
    }
    *ret_response = response;
    return true;
}

static void forget(struct state *state, struct remembered_request *request)
{
    map_remove(state->requests, slice_of(request->message->request_id));
    request->entity.is_deleted = true;
    state_changed(state, &request->entity);
}

static struct remembered_request *oldest(const struct state *state)
{
    size_t cursor = 0;
    struct slice key;
    void *value = NULL;
    return map_next(state->requests, &cursor, &key, &value) ? value : NULL;
}

void request_memory_add(struct state *state, const char *request_id, const char *method,
                        const ProtobufCMessage *request, const ProtobufCMessage *response,
                        int64_t now_ms)
{
    Eos__Scheduler__V1__StoredRequest record = EOS__SCHEDULER__V1__STORED_REQUEST__INIT;

    if (!*request_id)
        return;
    struct arena *arena = arena_new();
    struct slice bytes = message_pack(response, arena);
    record.request_id = (char *)request_id;
    record.method = (char *)method;
    record.fingerprint = bytes_fingerprint(message_pack(request, arena));
    record.response = (ProtobufCBinaryData){ bytes.len, (uint8_t *)bytes.ptr };
    record.answered_at_ms = now_ms;
    struct remembered_request *known = remembered_request_new(message_copy(&record.base));
    arena_free(arena);

    while (map_count(state->requests) >= REQUEST_MEMORY_MAX)
        forget(state, oldest(state));
    map_put(state->requests, slice_of(request_id), known);
    state_changed(state, &known->entity);
}

void request_memory_expire(struct state *state, int64_t now_ms)
{
    struct remembered_request *request;
    while ((request = oldest(state)) &&
           now_ms - request->message->answered_at_ms > REQUEST_MEMORY_KEEP_MS)
        forget(state, request);
}
