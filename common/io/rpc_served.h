#pragma once

/* What the files of the rpc server share.
 *
 *   rpc_server.c   endpoints, what comes in, expiry, drain
 *   rpc_peer.c     a client as the server sees it: its window and what waits to be sent to it
 *   rpc_request.c  the life of one call */

#include "base/deadlines.h"
#include "base/map.h"
#include "io/metrics.h"
#include "io/rpc_methods.h"
#include "io/rpc_seal.h"
#include "io/rpc_server.h"
#include "io/rpc_socket.h"
#include "io/rpc_wire.h"

#define RPC_PEER_QUEUE_BYTES   (72u << 20)  /* waiting for one client, RPC_MESSAGE_COST included */
#define RPC_SERVER_QUEUE_BYTES (512u << 20) /* waiting for all of them */
#define RPC_ASSEMBLY_BYTES     (256u << 20) /* of requests that are not complete yet */
#define RPC_PEER_SILENCE_MS    10000u       /* after which a client is taken for gone, at least */
#define RPC_HEARTBEAT_MS       1000u        /* more when there are many clients */
#define RPC_PEERS_PER_SECOND   2000u        /* heartbeats that a server wishes to answer */
#define RPC_LEFT_CONNECTIONS   8u           /* remembered of each client */

struct rpc_endpoint;

struct rpc_served_method {
    const struct rpc_method *method;
    const struct rpc_method_facts *facts;
    const ProtobufCMessageDescriptor *request, *response;
    void *ctx;
    struct metric *ok;
    struct histogram *seconds;
};

struct rpc_server {
    uv_loop_t *loop;
    struct rpc_server_limits limits;
    rpc_hold_fn *hold;
    void *hold_ctx;
    struct rpc_service *builtin;
    struct map *methods; /* path -> struct rpc_served_method */
    struct rpc_endpoint **endpoints;
    size_t endpoint_count;
    size_t peer_count;
    size_t in_flight;
    size_t assembly_bytes, queue_bytes;
    struct deadlines deadlines; /* of requests */
    uint64_t incarnation;
    size_t window_bytes;
    uv_timer_t tick;
    unsigned ticks;
    uint64_t swept_ms; /* when silent clients were last looked for */
    bool has_waiting;  /* a stream that found no room */
    bool is_serving, is_draining, is_closed;
    uint64_t drain_until_ms;
    void (*drained)(void *user);
    void *drained_user;
    struct arena *spare_arenas[64];
    size_t spare_count;
    struct rpc_request *requests; /* all that are in flight */
    struct metric *dropped[8];
};

enum rpc_drop {
    RPC_DROP_SEAL,
    RPC_DROP_REPLAY,
    RPC_DROP_MALFORMED,
    RPC_DROP_PEERS,
    RPC_DROP_STALE,
    RPC_DROP_COUNT
};

struct rpc_endpoint {
    struct rpc_server *server;
    struct rpc_socket *socket;
    struct rpc_seal *seal; /* NULL: plain */
    struct rpc_url url;
    struct map *peers; /* client id -> struct rpc_peer */
};

/* A message that came in, from whoever it may be: `user` is the endpoint. */
void rpc_endpoint_take(void *user, const struct rpc_route *route, char *bytes, size_t len);
void rpc_endpoint_forget_peers(struct rpc_endpoint *endpoint);

/* -- peers ---------------------------------------------------------------------------------------- */

struct rpc_outgoing {
    struct rpc_outgoing *next;
    char *message;
    size_t len;
};

struct rpc_peer {
    struct rpc_endpoint *endpoint;
    uint64_t client_id;
    char *caller; /* how it names itself in heartbeats; NULL: not at all */
    struct rpc_route route;
    uint32_t connection;
    uint32_t left[RPC_LEFT_CONNECTIONS]; /* that were its own before, the last ones */
    unsigned left_count;
    bool is_sure;         /* has shown that it knows this very process */
    uint64_t sent, acked; /* on this connection, in bytes as rpc_wire.h counts them */
    struct rpc_outgoing *first, **last;
    size_t queue_bytes;
    struct map *requests; /* call id -> struct rpc_request */
    uint64_t seen_ms;
};

struct rpc_peer *rpc_peer_new(struct rpc_endpoint *endpoint, uint64_t client_id);

/* Cancels its requests and forgets it. */
void rpc_peer_free(struct rpc_peer *peer);

/* Notes where the peer is now, and starts anew when the connection is another one.  False for a message
 * that is to be ignored: of a connection that the client has left, or, unless `is_sure`, perhaps of
 * somebody who has recorded it. */
bool rpc_peer_seen(struct rpc_peer *peer, const struct rpc_route *route, bool is_sure,
                   uint64_t now_ms) MUST_CHECK;

/* Takes note of what the client has received, and sends what that allows. */
void rpc_peer_acknowledge(struct rpc_peer *peer, uint32_t connection, uint64_t received);

bool rpc_peer_has_room(const struct rpc_peer *peer, size_t len);

/* Fills in the connection, and sends now or when the window allows. */
void rpc_peer_send(struct rpc_peer *peer, struct rpc_wire_reply *reply);
/* The same with `body` as payload, packed straight into what is sent; it fits into one chunk. */
void rpc_peer_send_message(struct rpc_peer *peer, struct rpc_wire_reply *reply,
                           const ProtobufCMessage *body);
/* At once and outside the window. */
void rpc_peer_take_heartbeat(struct rpc_peer *peer, const struct rpc_wire_call *call);

/* -- requests ------------------------------------------------------------------------------------- */

enum rpc_request_state { RPC_ASSEMBLING, RPC_SERVING, RPC_HELD };

struct rpc_request {
    struct rpc_server *server; /* NULL when it has been closed */
    struct rpc_peer *peer;     /* NULL when nobody waits for the answer any more */
    struct rpc_request *previous, *next;
    uint64_t call_id;
    struct rpc_served_method *method;
    enum rpc_request_state state;
    struct arena *arena;
    const ProtobufCMessage *message;
    struct text assembly;
    uint32_t next_chunk_in;
    struct deadline deadline;
    int64_t due_ms;
    uint64_t started_ns;
    const char *traceparent, *caller;
    void (*on_cancel)(void *user);
    void *cancel_user;
    uint32_t chunks_out;
    uint32_t stream_sent, stream_credit;
    void (*on_writable)(void *user);
    void *writable_user;
    bool wants_writable;
    bool lacks_room;       /* there was none for its next message */
    unsigned lacking_tick; /* when it tried */
    struct slice held;
};

/* A REQUEST message of `peer`, new or a part or a repetition. */
void rpc_request_arrive(struct rpc_peer *peer, const struct rpc_wire_call *call);
void rpc_request_credit(struct rpc_peer *peer, const struct rpc_wire_call *call);
void rpc_request_wake(struct rpc_request *request); /* a stream that lacked room may try again */

/* The peer is not interested any more, or has given up by now: nothing will be sent, and the owner is
 * told. */
void rpc_request_abandon(struct rpc_request *request);

/* Refuses a call that was not performed. */
void rpc_request_refuse(struct rpc_peer *peer, uint64_t call_id, enum error_code code,
                        const char *message);

int64_t rpc_server_now_ms(const struct rpc_server *server);
struct arena *rpc_server_arena(struct rpc_server *server);
void rpc_server_arena_back(struct rpc_server *server, struct arena *arena);
void rpc_server_count_drop(struct rpc_server *server, enum rpc_drop why);

/* eos.rpc.v1.Introspection and grpc.health.v1.Health, in rpc_builtin.c. */
struct rpc_service *rpc_builtin_services(struct rpc_server *server);
