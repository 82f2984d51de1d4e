#pragma once

#include "base/error.h"
#include "base/slice.h"

/* The clusters that clusters.json files describe: Aurora's format.  A file is a list of objects, or an
 * object whose values are such objects; entries without a name are ignored; a later definition of a
 * name replaces the whole entry of an earlier one.  Keys that are not known here are kept. */
struct clusters;

#define CLUSTERS_MAX_FILE_BYTES  (4u << 20)
#define CLUSTERS_MAX             10000u
#define CLUSTERS_MAX_VALUE_BYTES 4096u

/* What is absent is "". */
struct cluster {
    const char *name;
    const char *scheduler_uri;   /* base URL of the gateway */
    const char *docker_registry; /* base URL; "" means Docker's own */
    const char *proxy_url;       /* only for URLs that are shown */
    const char *auth_mechanism;
    const char *zk;
    const char *scheduler_zk_path;
    void *entry; /* the whole of it, for cluster_value() */
};

struct clusters *clusters_new(void) __attribute__((returns_nonnull));
void clusters_free(struct clusters *clusters); /* NULL is a no-op */

/* Adds what the text of a file defines.  `file` is for messages.  INVALID_ARGUMENT names the file and
 * the entry; then nothing has been added. */
bool clusters_add_text(struct clusters *clusters, const char *file, struct slice text,
                       struct error *err) MUST_CHECK;

/* The same for a file that must be there. */
bool clusters_add_file(struct clusters *clusters, const char *path, struct error *err) MUST_CHECK;

/* Adds the files of the search path that are there, in this order:
 *   $AURORA_CONFIG_ROOT/clusters.json  (/etc/aurora when not set)
 *   $EOS_CONFIG_ROOT/clusters.json     (/etc/eos when not set)
 *   $HOME/.aurora/clusters.json */
bool clusters_add_search_path(struct clusters *clusters, struct error *err) MUST_CHECK;

/* NULL when there is none of that name.  Valid until clusters are added or freed. */
const struct cluster *clusters_find(const struct clusters *clusters, struct slice name);

/* As clusters_find(); without one NOT_FOUND, "Unknown cluster: x. Known clusters: a, b". */
bool clusters_get(const struct clusters *clusters, struct slice name,
                  const struct cluster **ret_cluster, struct error *err) MUST_CHECK;

size_t clusters_count(const struct clusters *clusters);

/* Visits all, in the order of their first definition; start with `*cursor` 0. */
const struct cluster *clusters_next(const struct clusters *clusters, size_t *cursor);

/* The value of a key of the entry, a json_t that is borrowed; NULL when it is absent. */
const void *cluster_json(const struct cluster *cluster, const char *key);

/* A key of the entry that is a string; NULL when it is absent or something else. */
const char *cluster_value(const struct cluster *cluster, const char *key);
