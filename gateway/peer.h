#pragma once

#include "io/rpc_client.h"

/* A program that the gateway calls, with the calls to it that are under way.
 *
 * Calls as of rpc_client.h, with one difference: the deadline of a call is for a peer that works on it,
 * and nobody who waits at the other side of the gateway should have to sit it out when the peer is not
 * there at all.  So a call fails with UNAVAILABLE when nobody has listened at its address for
 * PEER_PATIENCE_MS, or there was no sign of life within PEER_FIRST_MS of peer_open(), or later none for
 * PEER_SILENCE_MS: the peer may be at work on something long, or its host may have vanished.  When that
 * has been so for longer, the call fails within PEER_TICK_MS. */
struct peer;

#define PEER_FIRST_MS    1500u /* for a host far away that has to be dialled first */
#define PEER_PATIENCE_MS 1000u
#define PEER_SILENCE_MS  10000u
#define PEER_TICK_MS     100u

struct peer *peer_open(uv_loop_t *loop, const struct rpc_client_options *options,
                       struct error *err) MUST_CHECK;

/* No call may be under way.  NULL is a no-op. */
void peer_close(struct peer *peer);

/* A call under way; valid until its last callback begins. */
struct peer_call;

struct peer_call *peer_call(struct peer *peer, const ProtobufCServiceDescriptor *service,
                            const char *method, const ProtobufCMessage *request,
                            const struct rpc_call_options *options, rpc_reply_fn *reply, void *user,
                            struct error *err) MUST_CHECK;

struct peer_call *peer_call_stream(struct peer *peer, const ProtobufCServiceDescriptor *service,
                                   const char *method, const ProtobufCMessage *request,
                                   const struct rpc_call_options *options,
                                   rpc_stream_fn *on_message, void *user,
                                   struct error *err) MUST_CHECK;

void peer_call_pause(struct peer_call *call);
void peer_call_resume(struct peer_call *call);

/* Ends the call without any further callback. */
void peer_call_cancel(struct peer_call *call);
