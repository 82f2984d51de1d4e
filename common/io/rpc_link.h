#pragma once

/* What the files of the rpc client share.
 *
 *   rpc_client.c  calls: their life, their deadlines, what comes in for them
 *   rpc_link.c    the connection: what goes out, heartbeats, a peer that went away and came back */

#include "base/arena.h"
#include "base/deadlines.h"
#include "base/random.h"
#include "base/text.h"
#include "io/metrics.h"
#include "io/rpc_client.h"
#include "io/rpc_methods.h"
#include "io/rpc_seal.h"
#include "io/rpc_socket.h"
#include "io/rpc_wire.h"

#define RPC_RETRY_FIRST_MS     1000u
#define RPC_RETRY_LAST_MS      8000u
#define RPC_HEARTBEAT_FIRST_MS 1000u
#define RPC_HEARTBEAT_LOST_MS  200u /* between heartbeats while nothing is heard */
#define RPC_ANSWER_MS          700u /* a heartbeat that is not answered within this is lost */
#define RPC_REOPEN_LAST_MS     5000u
#define RPC_REPORT_BYTES       (32u << 10) /* taken in without having said so */
#define RPC_MENTION_BYTES      (8u << 10)  /* from which on a call says so by the way */
#define RPC_FORGOTTEN_BEATS    8u /* not sent in time: the peer forgets a client after 10 */
#define RPC_CONTROL_MAX        (8 * RPC_MAX_IN_FLIGHT) /* a few for every call */
#define RPC_UNSENT_BYTES       (256u << 20)            /* of calls that wait for the connection */

struct rpc_part; /* a message of a paused stream */

struct rpc_call {
    struct rpc_client *client;
    const struct rpc_method_facts *facts;
    const ProtobufCMessageDescriptor *response;
    uint64_t id;
    struct deadline deadline, retry;
    uint32_t deadline_ms;
    int64_t due_ms;
    rpc_reply_fn *reply;
    rpc_stream_fn *on_message;
    void *user;
    char *traceparent; /* NULL: none */
    bool is_unsent;    /* in the list of what has to be sent */
    struct rpc_call *next_unsent;
    uint32_t chunk_out;
    uint32_t chunk_in;
    unsigned attempts;
    struct text assembly;
    uint32_t delivered, credit;
    uint32_t kept; /* messages that are not delivered yet */
    bool is_paused, is_resuming, is_delivering, is_cancelled;
    bool is_over;      /* its last callback has begun */
    bool has_ended;    /* with `end`, but kept messages are still to be delivered */
    struct error *end; /* NULL: it ended well */
    struct rpc_part *first, **last;
    size_t len;
    char payload[];
};

struct rpc_control {
    struct rpc_control *next;
    char *message;
};

struct rpc_client {
    uv_loop_t *loop;
    struct rpc_url url;
    struct rpc_socket *socket;
    struct rpc_seal *seal; /* NULL: plain */
    char *caller;
    uint64_t id;
    struct random random;
    struct arena *arena; /* of the answer that is being delivered */

    /* calls */
    struct rpc_call **slots;
    uint32_t *free_slots;
    uint32_t slot_count, free_count;
    uint64_t counter;
    uint32_t in_flight;
    struct deadlines deadlines, retries;
    size_t unsent_bytes;
    struct rpc_call *first_unsent, **last_unsent;

    /* link */
    uv_timer_t timer, resume;
    unsigned open_timers;
    void (*on_resume)(uv_timer_t *timer);
    int64_t armed_ms; /* when the timer will run */
    bool is_full;     /* nanomsg takes nothing just now */
    uint32_t connection;
    uint64_t server;
    uint64_t received, reported;
    int64_t heard_ms; /* 0: never */
    uint32_t heartbeat_ms;
    int64_t heartbeat_sent_ms;
    int64_t next_heartbeat_ms; /* or when the last one should have been answered */
    int64_t silent_since_ms;   /* a heartbeat that was not answered in time; 0: all is well */
    int64_t reopened_ms;
    uint32_t reopen_ms;
    struct rpc_control *first_control, **last_control;
    size_t control_count;
    bool is_closed;
    struct metric *reconnects, *repeats;
};

int64_t rpc_client_now_ms(const struct rpc_client *client);

/* Makes sure that the timer runs at `due_ms` at the latest. */
void rpc_client_wake_at(struct rpc_client *client, int64_t due_ms);

/* -- rpc_link.c ----------------------------------------------------------------------------------- */

bool rpc_link_open(struct rpc_client *client, const struct cluster_key *key, struct error *err);
void rpc_link_close(struct rpc_client *client);

void rpc_link_send_call(struct rpc_client *client, struct rpc_call *call);
void rpc_link_forget_call(struct rpc_client *client, struct rpc_call *call);
void rpc_link_cancel_call(struct rpc_client *client, struct rpc_call *call);
void rpc_link_credit(struct rpc_client *client, struct rpc_call *call);
void rpc_link_tick(struct rpc_client *client, int64_t now_ms);
int64_t rpc_link_due_ms(const struct rpc_client *client);

/* -- rpc_client.c, called by the link ------------------------------------------------------------- */

/* A message for one call. */
void rpc_client_take(struct rpc_client *client, const struct rpc_wire_reply *reply);

/* What was under way may be lost: asks again.  On the same connection the peer does not know that, and
 * may still be at it. */
void rpc_client_repeat_all(struct rpc_client *client, bool is_same_connection);
