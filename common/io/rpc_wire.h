#pragma once

#include "base/error.h"
#include "base/slice.h"

#include <stdint.h>

/* The envelope of a message: eos.rpc.v1.Call and Reply, in the wire format of protobuf.  Written by
 * hand instead of with the generated code, so that a message is decoded without a single allocation
 * and a payload is packed straight into what is sent (decisions/0004).
 *
 * How a connection works:
 *
 * - A server drops a reply when the kernel's buffer towards the client is full, and nobody is told.  So
 *   it sends at most RPC_WINDOW_BYTES that the client has not yet reported as `received`, and queues
 *   the rest.  Each message counts with RPC_MESSAGE_COST more than its length.
 * - A connection breaks without notice.  Each Reply names the connection that it came over; counting
 *   starts at zero on a new one, and the client sends again what was in flight.
 * - A heartbeat's reply is not subject to the window and tells how much was sent before it: what the
 *   client lacks then is lost, counted as received, and asked for again.  When it has received more, the
 *   server had forgotten it and counts anew, and so does the client. */
#define RPC_CHUNK_BYTES    (64u << 10) /* of a payload in one message */
#define RPC_MESSAGE_BYTES  (RPC_CHUNK_BYTES + (8u << 10))
#define RPC_MESSAGE_COST   1024u
#define RPC_METADATA_MAX   16u
#define RPC_METHOD_MAX     200u
#define RPC_METADATA_BYTES 512u /* of one value */

struct rpc_metadata {
    struct slice key, value;
};

enum rpc_call_kind { RPC_REQUEST, RPC_CREDIT, RPC_CANCEL, RPC_HEARTBEAT, RPC_CALL_KIND_COUNT };

/* All slices are views of the message. */
struct rpc_wire_call {
    enum rpc_call_kind kind;
    uint64_t client_id, call_id;
    struct slice method;
    uint32_t time_left_ms;
    struct rpc_metadata metadata[RPC_METADATA_MAX];
    size_t metadata_count;
    struct slice payload;
    uint32_t chunk;
    bool has_more;
    uint32_t connection;
    uint64_t received;
    uint32_t credit;
    uint64_t server;
};

struct rpc_wire_reply {
    uint64_t call_id;
    bool has_status;
    uint32_t code;
    struct slice message; /* of the status */
    struct slice payload;
    uint32_t chunk;
    bool has_more, is_last, is_refused;
    uint32_t connection;
    uint64_t server, sent;
    uint32_t heartbeat_ms;
};

/* Everything zero, but for the room for metadata, which is large and only read up to its count. */
void rpc_wire_call_init(struct rpc_wire_call *call, enum rpc_call_kind kind, uint64_t call_id);

/* INVALID_ARGUMENT for bytes that are no such message, or over one of the limits above.  Unknown
 * fields are skipped. */
bool rpc_wire_decode_call(struct slice bytes, struct rpc_wire_call *ret_call,
                          struct error *err) MUST_CHECK;
bool rpc_wire_decode_reply(struct slice bytes, struct rpc_wire_reply *ret_reply,
                           struct error *err) MUST_CHECK;

/* The value of that key; empty when there is none, or it is no text. */
struct slice rpc_wire_metadata(const struct rpc_wire_call *call, const char *key);

/* Space for the envelope of a call or reply, payload aside. */
size_t rpc_wire_call_max(const struct rpc_wire_call *call);
size_t rpc_wire_reply_max(const struct rpc_wire_reply *reply);

/* Writes the envelope with everything but the bytes of `payload`, of which only the length is used,
 * and which has to follow.  Returns the length; `to` has room for the maximum above. */
size_t rpc_wire_encode_call(const struct rpc_wire_call *call, char *to);
size_t rpc_wire_encode_reply(const struct rpc_wire_reply *reply, char *to);
