#include "base/cleanup.h"
#include "json/message_json.h"

#include "eos/gateway/v1/gateway.pb-c.h"

#include <assert.h>

/* JSON as a client may send it.  What is accepted comes out in a form that gives the same again. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static ProtobufCMessage *read_message(struct slice json, struct arena *arena)
{
    struct error err;
    ProtobufCMessage *message = NULL;
    bool ok = message_from_json(json, &eos__gateway__v1__create_job_request__descriptor,
                                MESSAGE_JSON_REJECT_UNKNOWN, arena, &message, &err);
    return ok ? message : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    cleanup_text struct text first = TEXT_INIT, second = TEXT_INIT;
    ProtobufCMessage *message = read_message((struct slice){ (const char *)data, size }, arena);
    if (message) {
        message_to_json(message, &first);
        ProtobufCMessage *again = read_message(text_slice(&first), arena);
        assert(again);
        message_to_json(again, &second);
        assert(slice_equal(text_slice(&first), text_slice(&second)));
    }
    arena_free(arena);
    return 0;
}
