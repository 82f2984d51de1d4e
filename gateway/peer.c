#include "gateway/peer.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>

struct peer_call {
    struct peer *peer;
    struct peer_call *previous, *next;
    struct rpc_call *call;
    rpc_reply_fn *reply; /* or rpc_stream_fn *on_message, which has the same form */
    void *user;
};

struct peer {
    struct rpc_client *client;
    struct peer_call *first, *last;
    size_t call_count;
    uv_timer_t tick;                /* runs while there are calls */
    bool is_refused, is_silent;     /* when it was last looked at */
    uint64_t refused_ms, silent_ms; /* since when */
    uint64_t silence_ms;            /* for how long it may be silent */
};

/* -- the calls under way -------------------------------------------------------------------------- */

static void link_call(struct peer *peer, struct peer_call *call)
{
    call->previous = peer->last;
    if (peer->last)
        peer->last->next = call;
    else
        peer->first = call;
    peer->last = call;
    peer->call_count++;
}

static void unlink_call(struct peer_call *call)
{
    struct peer *peer = call->peer;
    if (call->previous)
        call->previous->next = call->next;
    else
        peer->first = call->next;
    if (call->next)
        call->next->previous = call->previous;
    else
        peer->last = call->previous;
    if (--peer->call_count == 0)
        uv_timer_stop(&peer->tick);
}

static void finish(struct peer_call *call, const ProtobufCMessage *message, const struct error *err)
{
    rpc_reply_fn *reply = call->reply;
    void *user = call->user;
    unlink_call(call);
    free(call);
    reply(user, message, err);
}

static void on_reply(void *user, const ProtobufCMessage *response, const struct error *err)
{
    finish(user, response, err);
}

static void on_message(void *user, const ProtobufCMessage *message, const struct error *err)
{
    struct peer_call *call = user;
    if (message)
        call->reply(call->user, message, NULL);
    else
        finish(call, NULL, err);
}

/* -- patience ------------------------------------------------------------------------------------- */

/* Notes when something was first seen to be so. */
static void note(bool *was, bool is, uint64_t *since_ms, uint64_t now_ms)
{
    if (is && !*was)
        *since_ms = now_ms;
    *was = is;
}

/* Whether it makes sense to wait for the peer. */
static bool is_there(struct peer *peer)
{
    uint64_t now_ms = uv_now(peer->tick.loop);
    note(&peer->is_refused, rpc_client_is_refused(peer->client), &peer->refused_ms, now_ms);
    if (rpc_client_is_connected(peer->client))
        peer->silence_ms = PEER_SILENCE_MS;
    note(&peer->is_silent, !rpc_client_is_connected(peer->client), &peer->silent_ms, now_ms);
    return (!peer->is_refused || now_ms < peer->refused_ms + PEER_PATIENCE_MS) &&
           (!peer->is_silent || now_ms < peer->silent_ms + peer->silence_ms);
}

static void give_up(struct peer_call *call)
{
    struct error err;
    error_set(&err, ERROR_UNAVAILABLE, "%s",
              call->peer->is_refused ? "there is no connection to it"
                                     : "there has been no sign of life for a while");
    err.is_unanswered = true;
    rpc_call_cancel(call->call);
    finish(call, NULL, &err);
}

/* Callbacks may make new calls: those are last in the list and have their turn with the next tick. */
static void on_tick(uv_timer_t *tick)
{
    struct peer *peer = tick->data;
    if (is_there(peer))
        return;
    for (size_t count = peer->call_count; count > 0 && peer->first; count--)
        give_up(peer->first);
}

/* -- calling -------------------------------------------------------------------------------------- */

static struct peer_call *call_new(struct peer *peer, rpc_reply_fn *reply, void *user)
{
    struct peer_call *call = xcalloc(1, sizeof *call);
    call->peer = peer;
    call->reply = reply;
    call->user = user;
    return call;
}

/* Takes the call in when it has begun. */
static struct peer_call *begin(struct peer_call *call, struct rpc_call *begun)
{
    struct peer *peer = call->peer;
    if (!begun) {
        free(call);
        return NULL;
    }
    call->call = begun;
    (void)is_there(peer); /* looks */
    if (peer->call_count == 0)
        uv_timer_start(&peer->tick, on_tick, PEER_TICK_MS, PEER_TICK_MS);
    link_call(peer, call);
    return call;
}

struct peer_call *peer_call(struct peer *peer, const ProtobufCServiceDescriptor *service,
                            const char *method, const ProtobufCMessage *request,
                            const struct rpc_call_options *options, rpc_reply_fn *reply, void *user,
                            struct error *err)
{
    struct peer_call *call = call_new(peer, reply, user);
    return begin(call,
                 rpc_call(peer->client, service, method, request, options, on_reply, call, err));
}

struct peer_call *peer_call_stream(struct peer *peer, const ProtobufCServiceDescriptor *service,
                                   const char *method, const ProtobufCMessage *request,
                                   const struct rpc_call_options *options, rpc_stream_fn *each,
                                   void *user, struct error *err)
{
    struct peer_call *call = call_new(peer, each, user);
    return begin(call, rpc_call_stream(peer->client, service, method, request, options, on_message,
                                       call, err));
}

void peer_call_pause(struct peer_call *call)
{
    rpc_call_pause(call->call);
}

void peer_call_resume(struct peer_call *call)
{
    rpc_call_resume(call->call);
}

void peer_call_cancel(struct peer_call *call)
{
    rpc_call_cancel(call->call);
    unlink_call(call);
    free(call);
}

/* -- opening and closing -------------------------------------------------------------------------- */

struct peer *peer_open(uv_loop_t *loop, const struct rpc_client_options *options, struct error *err)
{
    struct rpc_client *client = rpc_client_open(loop, options, err);
    if (!client)
        return NULL;
    struct peer *peer = xcalloc(1, sizeof *peer);
    peer->client = client;
    peer->is_silent = true;
    peer->silent_ms = uv_now(loop);
    peer->silence_ms = PEER_FIRST_MS;
    peer->tick.data = peer;
    uv_timer_init(loop, &peer->tick);
    return peer;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void peer_close(struct peer *peer)
{
    if (!peer)
        return;
    assert(!peer->first);
    rpc_client_close(peer->client);
    uv_close((uv_handle_t *)&peer->tick, on_closed);
}
