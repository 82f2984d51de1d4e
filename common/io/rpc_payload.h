#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

#include <protobuf-c/protobuf-c.h>

#define RPC_DECODED_BYTES (64u << 20) /* memory that one decoded message may take */

/* Decodes into `arena`.  INVALID_ARGUMENT when `bytes` are no such message or a string in it is not
 * UTF-8 (which protobuf-c does not check), RESOURCE_EXHAUSTED when it takes too much memory. */
bool rpc_payload_decode(const ProtobufCMessageDescriptor *type, struct slice bytes,
                        struct arena *arena, ProtobufCMessage **ret_message,
                        struct error *err) MUST_CHECK;
