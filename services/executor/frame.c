#include "executor/frame.h"

#include <endian.h>

#define HEADER_BYTES 4

void frame_feed(struct frame_reader *reader, const void *bytes, size_t len)
{
    text_add_bytes(&reader->buffer, bytes, len);
}

/* Moves what is left to the front once nothing in front of it is in use. */
static void compact(struct frame_reader *reader)
{
    size_t left = reader->buffer.len - reader->start;
    if (reader->start == 0)
        return;
    memmove(reader->buffer.ptr, reader->buffer.ptr + reader->start, left);
    reader->buffer.len = left;
    reader->start = 0;
}

enum frame_result frame_take(struct frame_reader *reader, struct slice *ret_message)
{
    compact(reader);
    if (reader->buffer.len < HEADER_BYTES)
        return FRAME_NONE;
    uint32_t header;
    memcpy(&header, reader->buffer.ptr, HEADER_BYTES);
    size_t len = be32toh(header);
    if (len > reader->max)
        return FRAME_TOO_LONG;
    if (reader->buffer.len - HEADER_BYTES < len)
        return FRAME_NONE;
    *ret_message = (struct slice){ reader->buffer.ptr + HEADER_BYTES, len };
    reader->start = HEADER_BYTES + len;
    return FRAME_READY;
}

void frame_reader_done(struct frame_reader *reader)
{
    text_done(&reader->buffer);
    reader->start = 0;
}

void frame_add(struct text *out, const ProtobufCMessage *message)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    uint32_t header = htobe32((uint32_t)len);
    text_add_bytes(out, &header, HEADER_BYTES);
    text_reserve(out, len);
    protobuf_c_message_pack(message, (uint8_t *)out->ptr + out->len);
    out->len += len;
    out->ptr[out->len] = '\0';
}
