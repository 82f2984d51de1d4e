#pragma once

#include "base/arena.h"
#include "base/slice.h"

#include <protobuf-c/protobuf-c.h>

/* Copies of protobuf messages on the heap, for the core, which owns what it keeps. */

/* A deep copy; release with message_free().  NULL gives NULL. */
void *message_copy(const ProtobufCMessage *message);
void message_free(void *message); /* NULL is a no-op */

/* The encoded form, in `arena`. */
struct slice message_pack(const ProtobufCMessage *message, struct arena *arena);

/* The other way, on the heap; NULL when `bytes` is no message of that type. */
void *message_unpack(const ProtobufCMessageDescriptor *type, struct slice bytes);

/* 64 bits of FNV-1a, to tell requests apart; no protection against somebody who wants a collision. */
uint64_t bytes_fingerprint(struct slice bytes);

/* Whether the optional string has contents. */
static inline bool is_set(const char *text)
{
    return text && *text;
}
