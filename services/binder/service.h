#pragma once

#include "binder/resolver.h"
#include "binder/settings.h"
#include "clusters/clusters.h"

#include "base/options.h"
#include "io/cluster_key.h"
#include "io/rpc_server.h"

struct service_options {
    const char *listen, *docker_config, *netrc, *certs_dir, *cluster_key_file;
    struct option_list clusters, insecure_registries;
    int64_t cache_ttl_ms, negative_cache_ttl_ms, registry_timeout_ms;
    int64_t cache_entries, concurrency;
};

/* The shell around images: clusters, registries, the rpc server. */
struct service {
    uv_loop_t *loop;
    struct clusters *clusters;
    struct settings *settings;
    struct insecure_hosts insecure;
    struct registry_client *registry;
    struct resolver *resolver;
    struct cluster_key *key;
    struct rpc_server *server;
    uint32_t timeout_ms; /* of what a registry is asked for one image */
    uv_timer_t last;     /* closes behind the registry client, and then the rest is freed */
};

bool service_open(uv_loop_t *loop, void *options, void **ret_service, struct error *err);
void service_drain(void *service);
void service_close(void *service);

/* What references mean in a cluster.  An empty name means the only cluster that there is.  `unknown` is
 * where the context keeps the reason when it has no registry. */
struct image_context service_image_context(const struct service *service, const char *cluster,
                                           struct error *unknown);

/* What is set for a cluster; never NULL. */
const struct cluster_settings *service_settings(const struct service *service, const char *cluster);

/* inspect.c, verify.c */
rpc_start_fn start_inspect, start_verify;

/* handlers.c */
extern const struct rpc_method binder_methods[];
