#include "gateway/message_copy.h"

#include <assert.h>

static void *allocate(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void release(void *arena, void *p)
{
    (void)arena;
    (void)p;
}

ProtobufCMessage *message_copy(struct arena *arena, const ProtobufCMessage *message)
{
    ProtobufCAllocator allocator = { allocate, release, arena };
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = arena_alloc(arena, size);
    protobuf_c_message_pack(message, bytes);
    ProtobufCMessage *copy =
        protobuf_c_message_unpack(message->descriptor, &allocator, size, bytes);
    assert(copy);
    return copy;
}
