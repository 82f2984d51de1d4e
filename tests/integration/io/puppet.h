#pragma once

#include "fixture.h"

#include "io/rpc_wire.h"

/* One end of a connection, played by hand on a plain Unix socket in nanomsg's wire format: a peer that
 * does what our own client and server never would. */
struct puppet {
    int listener; /* -1: it dialled */
    int fd;
    unsigned char id[4]; /* nanomsg's, of what came in last */
    size_t used;
    char bytes[256 << 10];
};

int puppet_connect_raw(const char *url);
int puppet_connect(const char *url); /* and greets as a client */

/* Connects to the server at `f->url` as a client does. */
struct puppet *puppet_dial(struct fixture *f);

/* Listens at `f->url` in place of a server, and takes the one client that comes. */
struct puppet *puppet_listen(struct fixture *f);
void puppet_accept(struct fixture *f, struct puppet *puppet);
void puppet_free(struct puppet *puppet);

/* A frame that says it has `claimed` bytes besides the id. */
void puppet_send_frame(int fd, uint64_t claimed, const void *body, size_t len);

/* Both run the loop until the message has been taken. */
void puppet_send_call(struct fixture *f, struct puppet *puppet, const struct rpc_wire_call *call);
void puppet_send_reply(struct fixture *f, struct puppet *puppet,
                       const struct rpc_wire_reply *reply);
/* What a reply counts in the window. */
size_t puppet_cost(const struct rpc_wire_reply *reply);

/* Runs the loop until a message comes; false when none comes in time.  The result lives until the next
 * message is read. */
bool puppet_read_call(struct fixture *f, struct puppet *puppet, uint64_t limit_ms,
                      struct rpc_wire_call *ret_call);
bool puppet_read_reply(struct fixture *f, struct puppet *puppet, uint64_t limit_ms,
                       struct rpc_wire_reply *ret_reply, size_t *ret_len);

/* As a server: answers heartbeats with `heartbeat` until a call of `kind` comes. */
bool puppet_await(struct fixture *f, struct puppet *puppet, enum rpc_call_kind kind,
                  const struct rpc_wire_reply *heartbeat, uint64_t limit_ms,
                  struct rpc_wire_call *ret_call);
