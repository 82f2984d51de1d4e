#pragma once

#include "base/arena.h"

#include <protobuf-c/protobuf-c.h>

/* Gives a request that has an empty field `request_id` one of its own, out of `arena`, so that a
 * repetition by the rpc layer has no second effect.  One that the client has chosen stays. */
void request_id_fill(ProtobufCMessage *request, struct arena *arena);
