#include "client/cluster.h"

#include "base/cleanup.h"
#include "clusters/clusters.h"

DEFINE_CLEANUP(clusters_freep, struct clusters *, clusters_free)
#define cleanup_clusters CLEANUP(clusters_freep)

/* With --gateway no file counts. */
static struct clusters *load(const struct flags *flags, struct error *err)
{
    cleanup_clusters struct clusters *clusters = clusters_new();
    if (!flags->gateway && !clusters_add_search_path(clusters, err))
        return NULL;
    return TAKE(clusters);
}

static bool take_gateway(const struct cluster *cluster, struct arena *arena,
                         struct cluster_gateway *ret_gateway, struct error *err)
{
    const char *token_file = cluster_value(cluster, "token_file");
    if (!cluster->scheduler_uri[0])
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "cluster \"%.80s\" has no scheduler_uri in clusters.json", cluster->name);
    *ret_gateway = (struct cluster_gateway){
        .cluster = arena_strdup(arena, cluster->name),
        .url = arena_strdup(arena, cluster->scheduler_uri),
        .token_file = token_file && *token_file ? arena_strdup(arena, token_file) : NULL,
    };
    return true;
}

static bool find(const struct clusters *clusters, const struct flags *flags, const char *name,
                 struct arena *arena, struct cluster_gateway *ret_gateway, struct error *err)
{
    const struct cluster *cluster = clusters_find(clusters, slice_of(name));
    if (flags->gateway)
        *ret_gateway = (struct cluster_gateway){ .cluster = name, .url = flags->gateway };
    else if (cluster)
        return take_gateway(cluster, arena, ret_gateway, err);
    else if (strcmp(name, CLUSTER_DEV) == 0)
        *ret_gateway = (struct cluster_gateway){ CLUSTER_DEV, CLUSTER_DEV_GATEWAY, NULL };
    else
        return clusters_get(clusters, slice_of(name), &cluster, err);
    return true;
}

bool cluster_find_gateway(const struct flags *flags, const char *name, struct arena *arena,
                          struct cluster_gateway *ret_gateway, struct error *err)
{
    cleanup_clusters struct clusters *clusters = load(flags, err);
    return clusters && find(clusters, flags, name, arena, ret_gateway, err);
}

static const char *first_name(const struct clusters *clusters)
{
    size_t cursor = 0;
    const struct cluster *cluster = clusters_next(clusters, &cursor);
    return cluster ? cluster->name : CLUSTER_DEV;
}

bool cluster_find_default(const struct flags *flags, struct arena *arena,
                          struct cluster_gateway *ret_gateway, struct error *err)
{
    cleanup_clusters struct clusters *clusters = load(flags, err);
    if (!clusters)
        return false;
    if (!flags->cluster && clusters_count(clusters) > 1)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "clusters.json names %zu clusters, choose one with --cluster",
                         clusters_count(clusters));
    return find(clusters, flags, flags->cluster ? flags->cluster : first_name(clusters), arena,
                ret_gateway, err);
}

bool cluster_names(const struct flags *flags, struct arena *arena, const char ***ret_names,
                   size_t *ret_count, struct error *err)
{
    cleanup_clusters struct clusters *clusters = load(flags, err);
    size_t cursor = 0, count = 0;
    const struct cluster *cluster;
    if (!clusters)
        return false;
    const char **names = arena_array(arena, clusters_count(clusters) + 1, sizeof *names);
    while ((cluster = clusters_next(clusters, &cursor)))
        names[count++] = arena_strdup(arena, cluster->name);
    if (count == 0)
        names[count++] = CLUSTER_DEV;
    *ret_names = names;
    *ret_count = count;
    return true;
}
