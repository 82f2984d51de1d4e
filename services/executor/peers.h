#pragma once

#include "executor/link.h"

#include <eos/executor/v1/executor.pb-c.h>

/* The launchers that are connected: one after the other, several at a time while one replaces another.
 * Whatever they send costs them the connection at most. */

#define PEERS_MAX 16u

struct peer {
    struct link link;
    bool wants_state;
    uint64_t age; /* of its connection: the smallest is the oldest */
};

struct peers {
    /* Set by the owner before peers_open(). */
    const Eos__Executor__V1__State *state; /* what they are told; borrowed */
    void (*killed)(void *user, const char *message);
    void (*acknowledged)(void *user);
    void *user;

    struct loop *loop;
    struct source listener; /* fd -1: closed */
    struct peer items[PEERS_MAX];
    uint64_t connections;
};

/* Takes over the listening `fd`. */
bool peers_open(struct peers *peers, struct loop *loop, int fd, struct error *err) MUST_CHECK;
void peers_close(struct peers *peers);

/* Sends the state to all that have asked for it. */
void peers_tell(struct peers *peers);
