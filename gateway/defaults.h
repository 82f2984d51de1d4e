#pragma once

#include "base/arena.h"

#include <protobuf-c/protobuf-c.h>

/* What the gateway says for a client that left it out.  Requests without the field stay as they are. */

/* Gives an empty text field its value, which is borrowed. */
void default_text(ProtobufCMessage *request, const char *field, const char *value);

/* Gives an empty `request_id` one of its own, out of `arena`, so that a repetition by the rpc layer has
 * no second effect. */
void default_request_id(ProtobufCMessage *request, struct arena *arena);
