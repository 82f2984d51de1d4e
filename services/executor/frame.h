#pragma once

#include "base/text.h"

#include <protobuf-c/protobuf-c.h>

/* The frames on the executor's sockets: a 4-byte big-endian length and a message. */

struct frame_reader {
    struct text buffer;
    size_t start; /* of the first frame that was not taken */
    size_t max;   /* of a message, in bytes */
};

enum frame_result { FRAME_NONE, FRAME_READY, FRAME_TOO_LONG };

void frame_feed(struct frame_reader *reader, const void *bytes, size_t len);

/* `*ret_message` is valid until the next call with this reader.  FRAME_TOO_LONG is final. */
enum frame_result frame_take(struct frame_reader *reader, struct slice *ret_message);

void frame_reader_done(struct frame_reader *reader);

void frame_add(struct text *out, const ProtobufCMessage *message);
