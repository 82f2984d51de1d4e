#pragma once

#include "launcher/host_facts.h"
#include "launcher/tasks.h"

#include "io/rpc_client.h"

/* The conversation with the scheduler: polls that it holds open until it has something to say. */
struct sync;

struct sync_options {
    uv_loop_t *loop;
    const char *scheduler; /* url */
    const struct cluster_key *key;
    const char *host_id, *session, *endpoint; /* borrowed */
    const struct host_facts *facts;           /* borrowed */
    struct updates *updates;
    struct tasks *tasks;
};

struct sync *sync_open(const struct sync_options *options, struct error *err) MUST_CHECK;

/* Some task has something to tell. */
void sync_poke(struct sync *sync);

/* A last poll that tells all there is and takes no more tasks; `done` runs once, later, when it has been
 * answered or cannot be. */
void sync_drain(struct sync *sync, void (*done)(void *user), void *user);

/* NULL is a no-op.  `on_closed` runs later. */
void sync_close(struct sync *sync, void (*on_closed)(void *user), void *user);

bool sync_is_connected(const struct sync *sync);
