#pragma once

#include "scheduler/state.h"

#include "base/error.h"

/* Answers to requests that carried a request id, so that a repetition gets the first answer again
 * instead of being carried out twice.  They are kept on disk, for an hour, and at most
 * REQUEST_MEMORY_MAX of them. */
#define REQUEST_MEMORY_MAX     10000u
#define REQUEST_MEMORY_KEEP_MS (60 * 60 * 1000ll)
#define REQUEST_ID_MAX_BYTES   128u

struct remembered_request {
    struct entity entity;
    Eos__Scheduler__V1__StoredRequest *message;
};

/* Takes over `message`. */
struct remembered_request *remembered_request_new(Eos__Scheduler__V1__StoredRequest *message);
void remembered_request_free(struct remembered_request *request);

/* The answer to an earlier request with this id, decoded as `type` into `arena`; `*ret_response` is
 * NULL when there was none or `request_id` is empty.  INVALID_ARGUMENT when the id is too long, or
 * belongs to a request that was not the same. */
bool request_memory_find(struct state *state, const char *request_id, const char *method,
                         const ProtobufCMessage *request, const ProtobufCMessageDescriptor *type,
                         struct arena *arena, ProtobufCMessage **ret_response,
                         struct error *err) MUST_CHECK;

/* Keeps the answer; forgets the oldest ones.  Nothing happens when `request_id` is empty. */
void request_memory_add(struct state *state, const char *request_id, const char *method,
                        const ProtobufCMessage *request, const ProtobufCMessage *response,
                        int64_t now_ms);

/* Forgets what is too old. */
void request_memory_expire(struct state *state, int64_t now_ms);
