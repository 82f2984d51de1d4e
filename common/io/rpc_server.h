#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "io/rpc_limits.h"

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>
#include <uv.h>

struct cluster_key;

/* Serves the methods of one or more protobuf services on any number of endpoints.
 *
 * Belongs to one loop and one thread.  The interface does not show the transport. */
struct rpc_server;

/* One call that is being served.  It ends, exactly once, with rpc_reply(), rpc_fail() or
 * rpc_stream_end(), and is gone after that.  Whatever happens to the peer, the call stays valid until
 * then. */
struct rpc_request;

/* Answers at once: fills `response` (initialised; what it points to may live in `arena`, which dies
 * with the call) and returns true, or returns false with `err`.  `request` has been decoded, its
 * strings are valid UTF-8. */
typedef bool rpc_handle_fn(void *ctx, const void *request, void *response, struct arena *arena,
                           struct error *err);

/* Answers later, or in parts: takes over `request` and ends it some time. */
typedef void rpc_start_fn(void *ctx, struct rpc_request *request);

/* One row per method of the service; `name` as in the proto.  Exactly one of the two functions. */
struct rpc_method {
    const char *name;
    rpc_handle_fn *handle;
    rpc_start_fn *start;
};

struct rpc_service {
    const ProtobufCServiceDescriptor *descriptor;
    const struct rpc_method *methods; /* ends with a row without name */
    void *ctx;
};

struct rpc_server_limits {
    uint32_t in_flight;        /* calls being served at once; more get RESOURCE_EXHAUSTED */
    uint32_t in_flight_client; /* of one client */
    uint32_t clients;          /* remembered at once */
};

/* Called when a handler of an rpc_handle_fn has returned true and the reply is about to leave.  For
 * a service that records changes: it calls `send(request)` when the record is on disk.  Without a
 * hook replies leave at once. */
typedef void rpc_hold_fn(void *ctx, struct rpc_request *request);

struct rpc_server_options {
    const struct rpc_service *services; /* ends with a row without descriptor; borrowed for good */
    struct rpc_server_limits limits;    /* zeros: RPC_SERVER_LIMITS */
    rpc_hold_fn *hold;
    void *hold_ctx;
};

#define RPC_SERVER_LIMITS                                                                          \
    (struct rpc_server_limits)                                                                     \
    {                                                                                              \
        .in_flight = 16384, .in_flight_client = 4096, .clients = 65536                             \
    }

/* The health service and eos.rpc.v1.Introspection are added to every server.
 * FAILED_PRECONDITION names a method that is in the proto and not in the table, or the other way
 * round, or not listed in rpc_methods.def. */
struct rpc_server *rpc_server_open(uv_loop_t *loop, const struct rpc_server_options *options,
                                   struct error *err) MUST_CHECK;

/* Binds `url`: "ipc:///path" (the socket gets mode 0600; a stale one is replaced, one that is in use
 * is FAILED_PRECONDITION) or "tcp://address:port" with a numeric address.  Port 0 takes a free one.
 * A tcp address other than loopback without `key` is FAILED_PRECONDITION.  With `key` (borrowed for
 * as long as the server lives) every message on this endpoint is sealed. */
bool rpc_server_listen(struct rpc_server *server, const char *url, const struct cluster_key *key,
                       struct error *err) MUST_CHECK;

/* The url with the real port of the last rpc_server_listen(); borrowed until the next one. */
const char *rpc_server_url(const struct rpc_server *server);

/* What grpc.health.v1.Health answers; SERVING from the start. */
void rpc_server_set_serving(struct rpc_server *server, bool is_serving);

/* Refuses new calls with UNAVAILABLE and calls `done` when all that are in flight have ended and
 * their replies have left, or after `deadline_ms`, whichever is first. */
void rpc_server_drain(struct rpc_server *server, uint32_t deadline_ms, void (*done)(void *user),
                      void *user);

/* Ends without ceremony: calls in flight may still be ended by their owners, to no effect.  NULL is a
 * no-op. */
void rpc_server_close(struct rpc_server *server);

/* -- what a started handler may ask -------------------------------------------------------------- */

const void *rpc_request_message(const struct rpc_request *request);
struct arena *rpc_request_arena(struct rpc_request *request);
uint32_t rpc_request_time_left_ms(const struct rpc_request *request);

/* A W3C traceparent and the caller's name for itself; "" when there is none. */
const char *rpc_request_traceparent(const struct rpc_request *request);
const char *rpc_request_caller(const struct rpc_request *request);

/* `on_cancel` runs at most once, when the peer gave up, its time is over or it has vanished.  The
 * call must still be ended. */
void rpc_request_on_cancel(struct rpc_request *request, void (*on_cancel)(void *user), void *user);

void rpc_reply(struct rpc_request *request, const ProtobufCMessage *response);
void rpc_fail(struct rpc_request *request, const struct error *err);

/* Releases a reply that the hold hook kept back. */
void rpc_release(struct rpc_request *request);

/* -- server streams ------------------------------------------------------------------------------ */

/* Sends one message of a stream.  Up to RPC_STREAM_WINDOW messages may be on their way; when the
 * window is full, returns false with RESOURCE_EXHAUSTED, and `on_writable` (see below) tells when it
 * opens. */
bool rpc_stream_send(struct rpc_request *request, const ProtobufCMessage *message,
                     struct error *err) MUST_CHECK;
void rpc_stream_on_writable(struct rpc_request *request, void (*on_writable)(void *user),
                            void *user);

/* Ends the stream with OK. */
void rpc_stream_end(struct rpc_request *request);
