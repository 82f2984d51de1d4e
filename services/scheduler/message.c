#include "scheduler/message.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>

void *message_copy(const ProtobufCMessage *message)
{
    if (!message)
        return NULL;
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = xcalloc(1, size + 1);
    protobuf_c_message_pack(message, bytes);
    void *copy = protobuf_c_message_unpack(message->descriptor, NULL, size, bytes);
    free(bytes);
    assert(copy); /* what was packed here unpacks, or memory is out */
    return copy;
}

void message_free(void *message)
{
    if (message)
        protobuf_c_message_free_unpacked(message, NULL);
}

struct slice message_pack(const ProtobufCMessage *message, struct arena *arena)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = arena_alloc(arena, size);
    protobuf_c_message_pack(message, bytes);
    return (struct slice){ (const char *)bytes, size };
}

void *message_unpack(const ProtobufCMessageDescriptor *type, struct slice bytes)
{
    return protobuf_c_message_unpack(type, NULL, bytes.len, (const uint8_t *)bytes.ptr);
}

uint64_t bytes_fingerprint(struct slice bytes)
{
    uint64_t hash = 0xcbf29ce484222325ull;
    for (size_t i = 0; i < bytes.len; i++)
        hash = (hash ^ (uint8_t)bytes.ptr[i]) * 0x100000001b3ull;
    return hash;
}
