#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "client/flags.h"

/* The clusters of clusters.json, and how their gateways are reached.  All strings live in the arena.
 *
 * Without any entry of that name, "devcluster" is the cluster that `eos dev` makes on this machine. */
#define CLUSTER_DEV         "devcluster"
#define CLUSTER_DEV_GATEWAY "http://127.0.0.1:8081"

struct cluster {
    const char *name;
    const char *gateway;    /* base URL */
    const char *token_file; /* NULL: none */
};

/* NOT_FOUND "Unknown cluster: X". */
bool cluster_find(const struct flags *flags, const char *name, struct arena *arena,
                  struct cluster *ret_cluster, struct error *err) MUST_CHECK;

/* The one that is meant when none is named: --cluster, or the only one there is. */
bool cluster_find_default(const struct flags *flags, struct arena *arena,
                          struct cluster *ret_cluster, struct error *err) MUST_CHECK;

/* All of them, for patterns. */
bool cluster_names(const struct flags *flags, struct arena *arena, const char ***ret_names,
                   size_t *ret_count, struct error *err) MUST_CHECK;
