#include "binder/service.h"

#include "base/alloc.h"
#include "io/daemon.h"
#include "io/log.h"

#include "eos/binder/v1/binder.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

#define DRAIN_MS 5000

/* -- what references mean ------------------------------------------------------------------------- */

static const struct cluster *only_cluster(const struct clusters *clusters)
{
    size_t cursor = 0;
    return clusters_count(clusters) == 1 ? clusters_next(clusters, &cursor) : NULL;
}

/* Without any clusters.json there is nothing that a name could be wrong about: then it is Docker's own
 * registry, as for a cluster that names none. */
static bool find_registry(const struct service *service, const char *name, const char **ret_url,
                          struct error *err)
{
    const struct cluster *cluster = NULL;
    if (!name[0] && clusters_count(service->clusters) > 1)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "field cluster: a name is needed, there are %zu clusters",
                         clusters_count(service->clusters));
    if (!name[0])
        cluster = only_cluster(service->clusters);
    else if (clusters_count(service->clusters) > 0 &&
             !clusters_get(service->clusters, slice_of(name), &cluster, err))
        return false;
    if (!cluster || !cluster->docker_registry[0]) {
        *ret_url = REGISTRY_DEFAULT_URL;
        return true;
    }
    if (!endpoint_check(slice_of(cluster->docker_registry), err)) {
        err->code = ERROR_FAILED_PRECONDITION;
        return error_prefix(err, "docker_registry of cluster \"%s\"", cluster->name);
    }
    *ret_url = cluster->docker_registry;
    return true;
}

struct image_context service_image_context(const struct service *service, const char *cluster,
                                           struct error *unknown)
{
    struct image_context context = { .insecure = &service->insecure, .unknown = unknown };
    const char *url = NULL;
    if (find_registry(service, cluster, &url, unknown))
        context.registry_url = url;
    context.policy = &service_settings(service, cluster)->policy;
    context.mirrors = service_settings(service, cluster)->mirrors;
    return context;
}

const struct cluster_settings *service_settings(const struct service *service, const char *cluster)
{
    const struct cluster *only = cluster[0] ? NULL : only_cluster(service->clusters);
    return settings_find(service->settings, only ? only->name : cluster);
}

/* -- opening -------------------------------------------------------------------------------------- */

static bool read_clusters(struct service *service, const struct option_list *files,
                          struct error *err)
{
    service->clusters = clusters_new();
    if (files->count == 0)
        return clusters_add_search_path(service->clusters, err);
    for (size_t i = 0; i < files->count; i++)
        if (!clusters_add_file(service->clusters, files->items[i], err))
            return error_prefix(err, "flag --clusters");
    return true;
}

/* Files that are not named but there are used; what is named must be there. */
static bool open_registry(struct service *service, const struct service_options *options,
                          struct error *err)
{
    struct registry_options registry = {
        .docker_config = options->docker_config,
        .netrc = options->netrc,
        .certs_dir = options->certs_dir,
        .has_default_files = true,
        .insecure_registries = options->insecure_registries.items,
        .insecure_registry_count = options->insecure_registries.count,
    };
    service->registry = registry_client_open(service->loop, &registry, err);
    return service->registry != NULL;
}

static bool open_server(struct service *service, const struct service_options *options,
                        struct error *err)
{
    static struct rpc_service services[2];
    services[0] =
        (struct rpc_service){ &eos__binder__v1__binder__descriptor, binder_methods, service };
    struct rpc_server_options server = { .services = services };
    if (options->cluster_key_file) {
        service->key = cluster_key_read(options->cluster_key_file, err);
        if (!service->key)
            return false;
    }
    service->server = rpc_server_open(service->loop, &server, err);
    return service->server &&
           rpc_server_listen(service->server, options->listen, service->key, err);
}

static void log_clusters(const struct service *service, const char *url)
{
    char count[24];
    snprintf(count, sizeof count, "%zu", clusters_count(service->clusters));
    log_info("serving", "url", url, "clusters", count);
}

bool service_open(uv_loop_t *loop, void *user, void **ret_service, struct error *err)
{
    const struct service_options *options = user;
    struct service *service = xcalloc(1, sizeof *service);
    service->loop = loop;
    service->timeout_ms = (uint32_t)options->registry_timeout_ms;
    service->last.data = service;
    service->insecure = (struct insecure_hosts){ options->insecure_registries.items,
                                                 options->insecure_registries.count };
    uv_timer_init(loop, &service->last);
    if (!read_clusters(service, &options->clusters, err) ||
        !(service->settings = settings_read(service->clusters, err)) ||
        !open_registry(service, options, err)) {
        service_close(service);
        return false;
    }
    struct resolver_options resolver = {
        .registry = service->registry,
        .cache = { (size_t)options->cache_entries, options->cache_ttl_ms,
                   options->negative_cache_ttl_ms },
        .concurrency = (uint32_t)options->concurrency,
        .timeout_ms = (uint32_t)options->registry_timeout_ms,
    };
    service->resolver = resolver_new(&resolver);
    if (!open_server(service, options, err)) {
        service_close(service);
        return false;
    }
    log_clusters(service, rpc_server_url(service->server));
    *ret_service = service;
    return true;
}

/* -- closing -------------------------------------------------------------------------------------- */

static void on_drained(void *user)
{
    (void)user;
    daemon_drained();
}

void service_drain(void *user)
{
    struct service *service = user;
    rpc_server_drain(service->server, DRAIN_MS, on_drained, service);
}

static void on_last_closed(uv_handle_t *last)
{
    struct service *service = last->data;
    clusters_free(service->clusters);
    settings_free(service->settings);
    cluster_key_free(service->key);
    free(service);
}

static void on_last(uv_timer_t *last)
{
    uv_close((uv_handle_t *)last, on_last_closed);
}

/* The registry client fails what is in flight when the loop turns, and the calls that wait for it still
 * look at the service then; the timer was started behind the client's own. */
void service_close(void *user)
{
    struct service *service = user;
    rpc_server_close(service->server);
    registry_client_close(service->registry);
    resolver_close(service->resolver);
    uv_timer_start(&service->last, on_last, 0, 0);
}
