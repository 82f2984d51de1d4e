#pragma once

#include <protobuf-c/protobuf-c.h>

/* Calls `visit` for every string of a message and of the messages inside it that is set; `*string` may
 * be replaced. */
typedef void string_visit_fn(void *ctx, char **string);

void message_visit_strings(ProtobufCMessage *message, string_visit_fn *visit, void *ctx);
