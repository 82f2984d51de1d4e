#pragma once

#include "scheduler/journal.h"
#include "scheduler/polls.h"

#include "io/cluster_key.h"
#include "io/metrics.h"
#include "io/rpc_server.h"

#include <uv.h>

struct service_options {
    const char *listen, *listen_cluster, *state_dir, *cluster, *cluster_key_file;
    struct state_settings settings;
};

/* The shell around the state: sockets, clock, disk. */
struct service {
    uv_loop_t *loop;
    struct state *state;
    struct store *store;
    struct journal *journal;
    struct polls *polls;
    struct cluster_key *key;
    struct rpc_server *users, *launchers; /* serve eos.scheduler.v1.Scheduler and .Cluster */
    uv_timer_t tick;
    uint64_t tick_count;
    int64_t clock_offset_ms; /* of wall time to the loop's clock */
    char hostname[256];
    unsigned draining_servers, open_parts;
    bool is_draining;
};

bool service_open(uv_loop_t *loop, void *options, void **ret_service, struct error *err);
void service_drain(void *service);
void service_close(void *service);

/* Milliseconds since the Unix epoch.  It follows the system's clock, but slowly, so that a jump of that
 * clock does not make all hosts look silent. */
int64_t service_now_ms(const struct service *service);

/* handlers.c */
extern const struct rpc_method scheduler_methods[];
extern const struct rpc_method cluster_methods[];

/* figures.c: brings the metrics up to date with the state. */
void figures_update(const struct service *service);
