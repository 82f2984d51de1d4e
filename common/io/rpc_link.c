#include "io/rpc_link.h"

#include "base/alloc.h"
#include "io/wall_clock.h"

#include <assert.h>
#include <stdlib.h>

/* -- what goes out -------------------------------------------------------------------------------- */

#define ENVELOPE_BYTES 2048u

static char *encode(struct rpc_client *client, struct rpc_wire_call *call)
{
    char head[ENVELOPE_BYTES];
    call->client_id = client->id;
    if (call->kind != RPC_REQUEST || client->received - client->reported >= RPC_MENTION_BYTES) {
        call->connection = client->connection;
        call->received = client->received;
        client->reported = client->received;
    }
    if (client->seal)
        call->server = client->server;
    assert(rpc_wire_call_max(call) <= sizeof head);
    size_t head_len = rpc_wire_encode_call(call, head), len = head_len + call->payload.len;
    char *message = rpc_message_new(len);
    memcpy(message, head, head_len);
    if (call->payload.len > 0)
        memcpy(message + head_len, call->payload.ptr, call->payload.len);
    if (!client->seal)
        return message;
    char *sealed = rpc_message_new(len + RPC_SEAL_BYTES);
    rpc_seal_close(client->seal, RPC_TO_SERVER, wall_clock_ms(), (struct slice){ message, len },
                   sealed);
    rpc_message_free(message);
    return sealed;
}

static bool try_send(struct rpc_client *client, char *message)
{
    if (client->is_full)
        return false;
    client->is_full = !rpc_socket_send(client->socket, NULL, message);
    return !client->is_full;
}

/* Small messages go before calls.  One that finds the queue full is left out: all of them are repeated
 * in some form, or only spare the peer some work. */
static void send_control(struct rpc_client *client, struct rpc_wire_call *call)
{
    char *message = encode(client, call);
    if (!client->first_control && try_send(client, message))
        return;
    if (client->control_count == RPC_CONTROL_MAX) {
        rpc_message_free(message);
        return;
    }
    struct rpc_control *control = xcalloc(1, sizeof *control);
    control->message = message;
    *client->last_control = control;
    client->last_control = &control->next;
    client->control_count++;
}

static void drop_control(struct rpc_client *client)
{
    struct rpc_control *control = client->first_control;
    client->first_control = control->next;
    if (!client->first_control)
        client->last_control = &client->first_control;
    client->control_count--;
    free(control);
}

static void add_metadata(struct rpc_wire_call *wire, const char *key, const char *value)
{
    if (value)
        wire->metadata[wire->metadata_count++] =
            (struct rpc_metadata){ slice_of(key), slice_of(value) };
}

static uint32_t time_left_ms(const struct rpc_call *call)
{
    int64_t left = call->due_ms - rpc_client_now_ms(call->client);
    return left > 1 ? (uint32_t)left : 1;
}

static bool send_chunk(struct rpc_client *client, struct rpc_call *call)
{
    size_t at = (size_t)call->chunk_out * RPC_CHUNK_BYTES, left = call->len - at;
    struct rpc_wire_call wire;
    rpc_wire_call_init(&wire, RPC_REQUEST, call->id);
    wire.method = slice_of(call->facts->path);
    wire.time_left_ms = time_left_ms(call);
    wire.payload =
        (struct slice){ call->payload + at, left < RPC_CHUNK_BYTES ? left : RPC_CHUNK_BYTES };
    wire.chunk = call->chunk_out;
    wire.has_more = left > RPC_CHUNK_BYTES;
    add_metadata(&wire, "traceparent", call->traceparent);
    uint64_t reported = client->reported;
    char *message = encode(client, &wire);
    if (!try_send(client, message)) {
        rpc_message_free(message);
        client->reported = reported;
        return false;
    }
    call->chunk_out++;
    return true;
}

/* True when all of it is on its way. */
static bool send_chunks(struct rpc_client *client, struct rpc_call *call)
{
    do {
        if (!send_chunk(client, call))
            return false;
    } while ((size_t)call->chunk_out * RPC_CHUNK_BYTES < call->len);
    return true;
}

static void pop_unsent(struct rpc_client *client)
{
    struct rpc_call *call = client->first_unsent;
    client->first_unsent = call->next_unsent;
    if (!client->first_unsent)
        client->last_unsent = &client->first_unsent;
    client->unsent_bytes -= call->len;
    call->is_unsent = false;
}

static void flush(struct rpc_client *client)
{
    if (client->is_full)
        return;
    while (client->first_control) {
        if (!try_send(client, client->first_control->message))
            return;
        drop_control(client);
    }
    /* Calls wait until the connection has a name, so that it is known what was sent on it. */
    while (client->connection != 0 && client->first_unsent) {
        if (!send_chunks(client, client->first_unsent))
            return;
        pop_unsent(client);
    }
}

void rpc_link_send_call(struct rpc_client *client, struct rpc_call *call)
{
    if (call->is_unsent)
        return;
    call->chunk_out = 0;
    call->is_unsent = true;
    call->next_unsent = NULL;
    *client->last_unsent = call;
    client->last_unsent = &call->next_unsent;
    client->unsent_bytes += call->len;
    flush(client);
}

void rpc_link_forget_call(struct rpc_client *client, struct rpc_call *call)
{
    if (!call->is_unsent)
        return;
    struct rpc_call **at = &client->first_unsent;
    while (*at != call)
        at = &(*at)->next_unsent;
    *at = call->next_unsent;
    if (client->last_unsent == &call->next_unsent)
        client->last_unsent = at;
    client->unsent_bytes -= call->len;
    call->is_unsent = false;
}

void rpc_link_cancel_call(struct rpc_client *client, struct rpc_call *call)
{
    struct rpc_wire_call wire;
    rpc_wire_call_init(&wire, RPC_CANCEL, call->id);
    bool was_sent = call->chunk_out > 0;
    rpc_link_forget_call(client, call);
    if (was_sent && client->connection != 0)
        send_control(client, &wire);
}

void rpc_link_credit(struct rpc_client *client, struct rpc_call *call)
{
    struct rpc_wire_call wire;
    rpc_wire_call_init(&wire, RPC_CREDIT, call->id);
    wire.credit = call->credit;
    send_control(client, &wire);
}

static void report(struct rpc_client *client)
{
    struct rpc_wire_call wire;
    if (client->received - client->reported < RPC_REPORT_BYTES)
        return;
    rpc_wire_call_init(&wire, RPC_CREDIT, 1);
    send_control(client, &wire);
}

/* -- what comes in -------------------------------------------------------------------------------- */

bool rpc_client_is_connected(const struct rpc_client *client)
{
    return client->heard_ms != 0 && rpc_client_now_ms(client) - client->heard_ms <=
                                        (int64_t)client->heartbeat_ms + RPC_ANSWER_MS;
}

bool rpc_client_is_refused(const struct rpc_client *client)
{
    return rpc_socket_is_refused(client->socket);
}

static void hear(struct rpc_client *client, int64_t now_ms)
{
    client->heard_ms = now_ms;
    client->silent_since_ms = 0;
    client->reopen_ms = RPC_ANSWER_MS;
}

/* The first name of a connection finds all calls waiting; any other one means that those under way may
 * be lost. */
static void notice_connection(struct rpc_client *client, uint32_t connection)
{
    bool is_first = client->connection == 0;
    if (connection == client->connection || connection == 0)
        return;
    client->connection = connection;
    client->received = client->reported = 0;
    if (is_first)
        return;
    metric_add(client->reconnects, 1);
    rpc_client_repeat_all(client, false);
}

static void take_heartbeat(struct rpc_client *client, const struct rpc_wire_reply *reply)
{
    client->heartbeat_ms =
        reply->heartbeat_ms < RPC_HEARTBEAT_FIRST_MS ? RPC_HEARTBEAT_FIRST_MS : reply->heartbeat_ms;
    client->next_heartbeat_ms = client->heartbeat_sent_ms + client->heartbeat_ms;
    if (reply->sent == client->received)
        return;
    /* A reply was dropped on the way; or, when it is less, the peer had forgotten us and counts anew. */
    client->received = reply->sent;
    if (client->reported > client->received)
        client->reported = client->received;
    rpc_client_repeat_all(client, true);
}

static bool open_message(struct rpc_client *client, char *bytes, size_t len,
                         struct slice *ret_opened)
{
    struct error err;
    *ret_opened = (struct slice){ bytes, len };
    return !client->seal || rpc_seal_open(client->seal, RPC_TO_CLIENT, wall_clock_ms(), true, bytes,
                                          len, ret_opened, &err);
}

static void on_message(void *user, const struct rpc_route *route, char *bytes, size_t len)
{
    struct rpc_client *client = user;
    struct rpc_wire_reply reply;
    struct slice opened;
    struct error err;
    (void)route;

    if (!open_message(client, bytes, len, &opened) ||
        !rpc_wire_decode_reply(opened, &reply, &err)) {
        metric_add(metric_open(METRIC_COUNTER, "eos_rpc_client_dropped_messages_total",
                               "Answers that could not be opened or read.", NULL),
                   1);
        return;
    }
    hear(client, rpc_client_now_ms(client));
    if (reply.server != 0)
        client->server = reply.server;
    notice_connection(client, reply.connection);
    if (client->is_closed)
        return;
    if (reply.server != 0) {
        take_heartbeat(client, &reply);
    } else {
        client->received += opened.len + RPC_MESSAGE_COST;
        rpc_client_take(client, &reply);
    }
    if (client->is_closed)
        return;
    report(client);
    flush(client);
}

static void on_writable(void *user)
{
    struct rpc_client *client = user;
    client->is_full = false;
    flush(client);
}

/* -- heartbeats ----------------------------------------------------------------------------------- */

/* Not while another one waits to be sent: then nanomsg takes nothing, and one is enough. */
static void send_heartbeat(struct rpc_client *client, int64_t now_ms)
{
    struct rpc_wire_call wire;
    if (client->first_control && client->heartbeat_sent_ms > client->heard_ms)
        return;
    client->heartbeat_sent_ms = now_ms;
    rpc_wire_call_init(&wire, RPC_HEARTBEAT, random_next(&client->random) | 1);
    add_metadata(&wire, "caller", client->caller);
    send_control(client, &wire);
}

/* A connection that is there and says nothing may be wedged for ever, and a new one cures it. */
static void reopen(struct rpc_client *client, int64_t now_ms)
{
    rpc_socket_reconnect(client->socket);
    client->reopened_ms = now_ms;
    client->reopen_ms = 2 * client->reopen_ms;
    if (client->reopen_ms > RPC_REOPEN_LAST_MS)
        client->reopen_ms = RPC_REOPEN_LAST_MS;
}

static bool is_wedged(const struct rpc_client *client, int64_t now_ms)
{
    return client->silent_since_ms != 0 && now_ms - client->silent_since_ms >= client->reopen_ms &&
           now_ms - client->reopened_ms >= client->reopen_ms;
}

/* A program that was stopped for long has been forgotten by the peer, with all that it had asked for;
 * on a new connection it asks again. */
static bool has_slept(const struct rpc_client *client, int64_t now_ms)
{
    return client->heard_ms != 0 && client->silent_since_ms == 0 &&
           now_ms - client->heartbeat_sent_ms > (int64_t)RPC_FORGOTTEN_BEATS * client->heartbeat_ms;
}

/* When the moment comes and the last heartbeat has been answered, it is time for the next one; when it
 * has not, the peer is silent. */
void rpc_link_tick(struct rpc_client *client, int64_t now_ms)
{
    if (now_ms < client->next_heartbeat_ms)
        return;
    if (client->silent_since_ms == 0 && client->heartbeat_sent_ms > client->heard_ms)
        client->silent_since_ms = client->heartbeat_sent_ms;
    if (is_wedged(client, now_ms) || has_slept(client, now_ms))
        reopen(client, now_ms);
    send_heartbeat(client, now_ms);
    bool is_silent = client->silent_since_ms != 0 || client->heard_ms == 0;
    client->next_heartbeat_ms = now_ms + (is_silent ? RPC_HEARTBEAT_LOST_MS : RPC_ANSWER_MS);
}

int64_t rpc_link_due_ms(const struct rpc_client *client)
{
    return client->next_heartbeat_ms;
}

/* -- opening and closing -------------------------------------------------------------------------- */

bool rpc_link_open(struct rpc_client *client, const struct cluster_key *key, struct error *err)
{
    struct rpc_socket_events events = {
        .on_message = on_message,
        .on_writable = on_writable,
        .user = client,
    };
    if (client->url.is_tcp && !client->url.is_loopback && !key)
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "\"%s\" is not a loopback address: a cluster key is needed "
                         "(--cluster-key-file)",
                         client->url.text);
    client->last_control = &client->first_control;
    client->last_unsent = &client->first_unsent;
    client->heartbeat_ms = RPC_HEARTBEAT_FIRST_MS;
    client->reopen_ms = RPC_ANSWER_MS;
    if (key)
        client->seal = rpc_seal_new(key);
    client->socket = rpc_socket_open(client->loop, RPC_SOCKET_CLIENT,
                                     RPC_MESSAGE_BYTES + RPC_SEAL_BYTES, &events, err);
    return client->socket && rpc_socket_connect(client->socket, &client->url, err);
}

void rpc_link_close(struct rpc_client *client)
{
    while (client->first_control) {
        rpc_message_free(client->first_control->message);
        drop_control(client);
    }
    rpc_socket_close(client->socket);
    rpc_seal_free(client->seal);
    client->socket = NULL;
    client->seal = NULL;
}
