#pragma once

#include "base/error.h"
#include "base/text.h"

#include <protobuf-c/protobuf-c.h>

/* What executor and launcher say to each other: a length of 4 bytes, the highest first, and a
 * message. */

#define FRAME_MAX_BYTES (4u << 20)

void frame_add(struct text *out, const ProtobufCMessage *message);

/* Takes the first whole message off `*bytes`.  False when there is none yet, or, with RESOURCE_EXHAUSTED
 * in `err`, when it is over FRAME_MAX_BYTES. */
bool frame_take(struct slice *bytes, struct slice *ret_message, struct error *err);
