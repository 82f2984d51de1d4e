#pragma once

#include "unit/test.h"
#include "json/message_json.h"

/* A message of the gateway, written as it comes; in `arena`. */
static ProtobufCMessage *decode(const char *json, const ProtobufCMessageDescriptor *type,
                                struct arena *arena)
{
    ProtobufCMessage *message = NULL;
    struct error err = { 0 };
    bool is_good =
        message_from_json(slice_of(json), type, MESSAGE_JSON_REJECT_UNKNOWN, arena, &message, &err);
    assert_string_equal(err.message, "");
    assert_true(is_good);
    return message;
}
