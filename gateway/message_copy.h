#pragma once

#include "base/arena.h"

#include <protobuf-c/protobuf-c.h>

/* A deep copy that dies with the arena. */
ProtobufCMessage *message_copy(struct arena *arena, const ProtobufCMessage *message)
    __attribute__((returns_nonnull));
