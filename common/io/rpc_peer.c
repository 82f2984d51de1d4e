#include "io/rpc_served.h"

#include "base/alloc.h"
#include "io/wall_clock.h"

#include <assert.h>
#include <stdlib.h>

struct rpc_peer *rpc_peer_new(struct rpc_endpoint *endpoint, uint64_t client_id)
{
    struct rpc_peer *peer = xcalloc(1, sizeof *peer);
    peer->endpoint = endpoint;
    peer->client_id = client_id;
    peer->last = &peer->first;
    peer->requests = map_new();
    map_put(endpoint->peers, map_key_u64(&client_id), peer);
    endpoint->server->peer_count++;
    return peer;
}

static void drop_queue(struct rpc_peer *peer)
{
    for (struct rpc_outgoing *item = peer->first, *next; item; item = next) {
        next = item->next;
        rpc_message_free(item->message);
        free(item);
    }
    peer->endpoint->server->queue_bytes -= peer->queue_bytes;
    peer->first = NULL;
    peer->last = &peer->first;
    peer->queue_bytes = 0;
}

/* Requests that have begun to answer cannot go on elsewhere; with `all`, none can. */
static void abandon_requests(struct rpc_peer *peer, bool all)
{
    size_t cursor = 0;
    struct slice key;
    void *value;
    while (map_next(peer->requests, &cursor, &key, &value)) {
        struct rpc_request *request = value;
        if (all || request->chunks_out > 0 || request->state == RPC_ASSEMBLING)
            rpc_request_abandon(request);
    }
}

void rpc_peer_free(struct rpc_peer *peer)
{
    abandon_requests(peer, true);
    drop_queue(peer);
    map_remove(peer->endpoint->peers, map_key_u64(&peer->client_id));
    peer->endpoint->server->peer_count--;
    map_free(peer->requests);
    free(peer->caller);
    free(peer);
}

static bool was_left(const struct rpc_peer *peer, uint32_t connection)
{
    for (size_t i = 0; i < RPC_LEFT_CONNECTIONS; i++)
        if (peer->left[i] == connection)
            return true;
    return false;
}

/* On a new connection nothing is on its way: the client asks again for what it has not got. */
static void move(struct rpc_peer *peer, const struct rpc_route *route)
{
    peer->left[peer->left_count++ % RPC_LEFT_CONNECTIONS] = peer->connection;
    peer->route = *route;
    peer->connection = rpc_route_connection(route);
    peer->sent = peer->acked = 0;
    drop_queue(peer);
    abandon_requests(peer, false);
}

/* When this process was busy, messages of a connection that the client has given up meanwhile wait
 * beside those of the next one: going back to it would lose count of what is on its way. */
bool rpc_peer_seen(struct rpc_peer *peer, const struct rpc_route *route, bool is_sure,
                   uint64_t now_ms)
{
    uint32_t connection = rpc_route_connection(route);
    bool is_new = connection != peer->connection;
    if (is_new && (was_left(peer, connection) || (peer->is_sure && !is_sure)))
        return false;
    peer->seen_ms = now_ms;
    peer->is_sure |= is_sure;
    if (is_new)
        move(peer, route);
    return true;
}

/* -- sending -------------------------------------------------------------------------------------- */

static void transmit(struct rpc_peer *peer, char *message, size_t len)
{
    struct rpc_endpoint *endpoint = peer->endpoint;
    if (endpoint->seal) {
        char *sealed = rpc_message_new(len + RPC_SEAL_BYTES);
        rpc_seal_close(endpoint->seal, RPC_TO_CLIENT, wall_clock_ms(),
                       (struct slice){ message, len }, sealed);
        rpc_message_free(message);
        message = sealed;
    }
    rpc_socket_send(endpoint->socket, &peer->route, message);
}

static bool fits_window(const struct rpc_peer *peer, size_t len)
{
    uint64_t on_the_way = peer->sent - peer->acked;
    return on_the_way == 0 ||
           on_the_way + len + RPC_MESSAGE_COST <= peer->endpoint->server->window_bytes;
}

/* An answer takes memory besides its bytes, and may be a very short one. */
static void count_queued(struct rpc_peer *peer, const struct rpc_outgoing *item)
{
    peer->queue_bytes += item->len + RPC_MESSAGE_COST;
    peer->endpoint->server->queue_bytes += item->len + RPC_MESSAGE_COST;
}

static void count_taken(struct rpc_peer *peer, const struct rpc_outgoing *item)
{
    peer->queue_bytes -= item->len + RPC_MESSAGE_COST;
    peer->endpoint->server->queue_bytes -= item->len + RPC_MESSAGE_COST;
}

static void send_or_queue(struct rpc_peer *peer, char *message, size_t len)
{
    if (!peer->first && fits_window(peer, len)) {
        peer->sent += len + RPC_MESSAGE_COST;
        transmit(peer, message, len);
        return;
    }
    struct rpc_outgoing *item = xcalloc(1, sizeof *item);
    item->message = message;
    item->len = len;
    *peer->last = item;
    peer->last = &item->next;
    count_queued(peer, item);
}

void rpc_peer_acknowledge(struct rpc_peer *peer, uint32_t connection, uint64_t received)
{
    if (connection != peer->connection || received <= peer->acked || received > peer->sent)
        return;
    peer->acked = received;
    while (peer->first && fits_window(peer, peer->first->len)) {
        struct rpc_outgoing *item = peer->first;
        peer->first = item->next;
        if (!peer->first)
            peer->last = &peer->first;
        count_taken(peer, item);
        peer->sent += item->len + RPC_MESSAGE_COST;
        transmit(peer, item->message, item->len);
        free(item);
    }
}

bool rpc_peer_has_room(const struct rpc_peer *peer, size_t len)
{
    len += RPC_MESSAGE_COST;
    if (!peer->first && peer->sent - peer->acked + len <= peer->endpoint->server->window_bytes)
        return true; /* it need not wait, whatever other clients leave lying */
    return peer->queue_bytes + len <= RPC_PEER_QUEUE_BYTES &&
           peer->endpoint->server->queue_bytes + len <= RPC_SERVER_QUEUE_BYTES;
}

/* The envelope is small, so that it is made first and the message allocated at its true length. */
#define ENVELOPE_BYTES 1024u

static char *begin_message(struct rpc_peer *peer, struct rpc_wire_reply *reply, size_t *ret_head,
                           size_t *ret_len)
{
    char head[ENVELOPE_BYTES];
    reply->connection = peer->connection;
    assert(rpc_wire_reply_max(reply) <= sizeof head);
    *ret_head = rpc_wire_encode_reply(reply, head);
    *ret_len = *ret_head + reply->payload.len;
    char *message = rpc_message_new(*ret_len);
    memcpy(message, head, *ret_head);
    return message;
}

void rpc_peer_send(struct rpc_peer *peer, struct rpc_wire_reply *reply)
{
    size_t head, len;
    char *message = begin_message(peer, reply, &head, &len);
    if (reply->payload.len > 0)
        memcpy(message + head, reply->payload.ptr, reply->payload.len);
    send_or_queue(peer, message, len);
}

void rpc_peer_send_message(struct rpc_peer *peer, struct rpc_wire_reply *reply,
                           const ProtobufCMessage *body)
{
    size_t head, len;
    reply->payload = (struct slice){ NULL, protobuf_c_message_get_packed_size(body) };
    char *message = begin_message(peer, reply, &head, &len);
    protobuf_c_message_pack(body, (uint8_t *)message + head);
    send_or_queue(peer, message, len);
}

static uint32_t heartbeat_ms(const struct rpc_server *server)
{
    return (uint32_t)(RPC_HEARTBEAT_MS * (1 + server->peer_count / RPC_PEERS_PER_SECOND));
}

static void take_name(struct rpc_peer *peer, struct slice name)
{
    if (name.len == 0 || (peer->caller && slice_is(name, peer->caller)))
        return;
    free(peer->caller);
    peer->caller = xmemdup0(name.ptr, name.len);
}

void rpc_peer_take_heartbeat(struct rpc_peer *peer, const struct rpc_wire_call *call)
{
    size_t head, len;
    const struct rpc_server *server = peer->endpoint->server;
    struct rpc_wire_reply reply = {
        .call_id = call->call_id,
        .is_last = true,
        .server = server->incarnation,
        .sent = peer->sent,
        .heartbeat_ms = heartbeat_ms(server),
    };
    take_name(peer, rpc_wire_metadata(call, "caller"));
    char *message = begin_message(peer, &reply, &head, &len);
    transmit(peer, message, len);
}
