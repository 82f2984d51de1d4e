#pragma once

#include "base/error.h"
#include "io/rpc_limits.h"

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>
#include <uv.h>

struct cluster_key;

/* One connection to one peer, with any number of calls in flight.
 *
 * Belongs to one loop and one thread.  Nothing here blocks, and no callback runs before the function
 * that registered it has returned.  The interface does not show the transport. */
struct rpc_client;

struct rpc_client_options {
    const char *url;               /* "ipc:///run/x.sock" or "tcp://host:port"; copied */
    const char *caller;            /* sent as metadata "caller", such as "gateway"; copied */
    const struct cluster_key *key; /* seals everything; borrowed for the life of the client */
};

/* Succeeds even when the peer is not up yet, and reconnects for ever.  INVALID_ARGUMENT on a malformed
 * url, FAILED_PRECONDITION for a tcp address other than loopback without a key. */
struct rpc_client *rpc_client_open(uv_loop_t *loop, const struct rpc_client_options *options,
                                   struct error *err) MUST_CHECK;

/* Fails all calls in flight with CANCELLED (their callbacks run from the loop, after this
 * returned), then frees `client`.  NULL is a no-op. */
void rpc_client_close(struct rpc_client *client);

/* Whether the peer has answered anything within the last heartbeat interval (1 s). */
bool rpc_client_is_connected(const struct rpc_client *client);

/* Whether nobody listens at the peer's address.  Known within 0.2 s when a peer on the same host dies;
 * false when it is there and does not come to answer, or when its host says nothing. */
bool rpc_client_is_refused(const struct rpc_client *client);

/* `response` is borrowed for the duration of the callback.  It is NULL when the call failed, and
 * then `err` tells why (and otherwise `err` is NULL).  Besides the codes of the method itself:
 *   UNAVAILABLE        the peer could not be reached within the deadline, or is draining
 *   DEADLINE_EXCEEDED  no reply within the deadline; the peer may still perform the request
 *   DATA_LOSS          a reply arrived that does not decode as the method's response type
 *   CANCELLED          the client was closed, or the call cancelled */
typedef void rpc_reply_fn(void *user, const ProtobufCMessage *response, const struct error *err);

/* For server streams: `message` for each part, then exactly one last call with NULL; its `err` is
 * NULL when the stream ended well.  */
typedef void rpc_stream_fn(void *user, const ProtobufCMessage *message, const struct error *err);

struct rpc_call_options {
    uint32_t deadline_ms;    /* 0: the method's own, from rpc_methods.def */
    const char *traceparent; /* passed on as metadata; NULL: none */
};

/* A call in flight; valid until its last callback has returned. */
struct rpc_call;

/* Sends `request` (encoded before return, so the caller keeps it) to `method` of `service`, and calls
 * `reply` exactly once.  Idempotent methods (rpc_methods.def) are sent again, with jitter, within
 * the deadline; the others only while the request cannot have reached the peer.  `options` may be
 * NULL.  Returns NULL, and never calls `reply`, with
 *   INVALID_ARGUMENT    no such method, or the encoded request is over RPC_MAX_PAYLOAD_BYTES
 *   RESOURCE_EXHAUSTED  RPC_MAX_IN_FLIGHT calls are already waiting: shed load, do not queue */
struct rpc_call *rpc_call(struct rpc_client *client, const ProtobufCServiceDescriptor *service,
                          const char *method, const ProtobufCMessage *request,
                          const struct rpc_call_options *options, rpc_reply_fn *reply, void *user,
                          struct error *err) MUST_CHECK;

/* As rpc_call() for a method that answers with a stream.  `deadline_ms` bounds the silence between
 * two messages, not the whole. */
struct rpc_call *rpc_call_stream(struct rpc_client *client,
                                 const ProtobufCServiceDescriptor *service, const char *method,
                                 const ProtobufCMessage *request,
                                 const struct rpc_call_options *options, rpc_stream_fn *on_message,
                                 void *user, struct error *err) MUST_CHECK;

/* Stops and resumes taking messages of a stream: the peer's window fills, and it waits. */
void rpc_call_pause(struct rpc_call *call);
void rpc_call_resume(struct rpc_call *call);

/* Ends the call without any further callback, and tells the peer. */
void rpc_call_cancel(struct rpc_call *call);
