#pragma once

#include "base/error.h"
#include "io/rpc_url.h"

#include <stdint.h>
#include <uv.h>

/* A raw nanomsg socket on a libuv loop: the only file that knows nanomsg. */
struct rpc_socket;

enum rpc_socket_type { RPC_SOCKET_SERVER, RPC_SOCKET_CLIENT };

/* Where a message came from, and where its answer goes: nanomsg's header, whose first four bytes name
 * the connection. */
struct rpc_route {
    unsigned char bytes[16];
    uint8_t len;
};

uint32_t rpc_route_connection(const struct rpc_route *route);

struct rpc_socket_events {
    /* `bytes` may be changed, and is gone when this returns. */
    void (*on_message)(void *user, const struct rpc_route *route, char *bytes, size_t len);
    /* Once, after a send that was refused because nothing more could be taken. */
    void (*on_writable)(void *user);
    void *user;
};

/* RESOURCE_EXHAUSTED at 512 sockets, nanomsg's limit per process. */
struct rpc_socket *rpc_socket_open(uv_loop_t *loop, enum rpc_socket_type type,
                                   size_t largest_message, const struct rpc_socket_events *events,
                                   struct error *err) MUST_CHECK;

/* Port 0 is replaced by a free one in `url`. */
bool rpc_socket_bind(struct rpc_socket *socket, struct rpc_url *url, struct error *err) MUST_CHECK;

bool rpc_socket_connect(struct rpc_socket *socket, const struct rpc_url *url,
                        struct error *err) MUST_CHECK;

/* Whether the last attempt of a client to connect has failed: nobody listens there.  False while there
 * is a connection, and while one is being made to a peer that is busy or stopped, or to a host that
 * says nothing. */
bool rpc_socket_is_refused(struct rpc_socket *socket);

/* Gives up the endpoint and makes a new one: the cure for one that is wedged. */
void rpc_socket_reconnect(struct rpc_socket *socket);

/* Memory for one message, handed over by sending it or released. */
char *rpc_message_new(size_t len);
void rpc_message_free(char *message);

/* `route` is that of the request for a server, and NULL for a client.  False: not taken, the
 * caller still owns the message, and on_writable will tell.  A server's socket takes everything; what
 * the kernel cannot hold is lost without notice. */
bool rpc_socket_send(struct rpc_socket *socket, const struct rpc_route *route, char *message);

/* No event any more; `on_closed` may be NULL. */
void rpc_socket_close(struct rpc_socket *socket);
