#pragma once

#include "launcher/figures.h"
#include "launcher/host_facts.h"
#include "launcher/log_stream.h"
#include "launcher/sync.h"
#include "launcher/tasks.h"

#include "io/cluster_key.h"
#include "io/rpc_server.h"
#include "registry/registry.h"

#include "base/options.h"

struct service_options {
    const char *scheduler, *listen, *state_dir, *isolation, *executor, *docker_socket, *cluster;
    const char *docker_config, *netrc, *certs_dir, *cluster_key_file, *appc_prefix;
    struct option_list insecure_registries, clusters;
    struct host_wishes wishes;
    bool appc_meta_discovery;
    int64_t kill_grace_ms, dead_tasks_max;
    int64_t image_gc_bytes; /* negative: a part of the disk */
    int64_t image_gc_age_ms;
};

/* The shell: sockets, timers, and everything that a task needs of its host. */
struct service {
    uv_loop_t *loop;
    const struct service_options *options;
    struct arena *arena; /* for what lives as long as the service */
    struct launch_settings settings;
    struct host_facts facts;
    const char *host_id;
    char session[33];
    struct cluster_key *key;
    struct mirrors *mirrors;
    const char *docker_config, *netrc; /* NULL: none */
    struct registry_client *registry;
    struct image_store *images;
    int64_t image_gc_bytes; /* what it was told, or found */
    struct docker_engine *docker;
    struct updates *updates;
    struct tasks *tasks;
    struct sync *sync;
    struct rpc_server *server;
    struct figures *figures;
    uv_timer_t tick;
    bool has_tick;
    struct log_streams log_streams;
    unsigned draining;
};

bool service_open(uv_loop_t *loop, void *options, void **ret_service, struct error *err);
void service_drain(void *service);
void service_close(void *service);

/* handlers.c */
extern const struct rpc_method launcher_methods[];
