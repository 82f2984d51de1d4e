#include "launcher/frame.h"

#define HEADER_BYTES 4u

void frame_add(struct text *out, const ProtobufCMessage *message)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    for (int shift = 24; shift >= 0; shift -= 8)
        text_add_char(out, (char)(len >> shift & 0xff));
    text_reserve(out, len);
    protobuf_c_message_pack(message, (uint8_t *)out->ptr + out->len);
    out->len += len;
    out->ptr[out->len] = 0;
}

bool frame_take(struct slice *bytes, struct slice *ret_message, struct error *err)
{
    size_t len = 0;
    if (bytes->len < HEADER_BYTES)
        return false;
    for (size_t i = 0; i < HEADER_BYTES; i++)
        len = len << 8 | (unsigned char)bytes->ptr[i];
    if (len > FRAME_MAX_BYTES)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED, "a message is longer than %u bytes",
                         FRAME_MAX_BYTES);
    if (bytes->len - HEADER_BYTES < len)
        return false;
    *ret_message = (struct slice){ bytes->ptr + HEADER_BYTES, len };
    *bytes = (struct slice){ bytes->ptr + HEADER_BYTES + len, bytes->len - HEADER_BYTES - len };
    return true;
}
