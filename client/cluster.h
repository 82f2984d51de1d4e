#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "client/flags.h"

/* How the gateway of a cluster is reached, by clusters.json.  All strings live in the arena.
 *
 * Without an entry of that name, "devcluster" is the cluster that `eos dev` makes on this machine. */
#define CLUSTER_DEV         "devcluster"
#define CLUSTER_DEV_GATEWAY "http://127.0.0.1:8081"

struct cluster_gateway {
    const char *cluster;
    const char *url;        /* base, without a path */
    const char *token_file; /* NULL: none */
};

/* NOT_FOUND "Unknown cluster: X. …". */
bool cluster_find_gateway(const struct flags *flags, const char *name, struct arena *arena,
                          struct cluster_gateway *ret_gateway, struct error *err) MUST_CHECK;

/* The one that is meant when none is named: --cluster, or the only one there is. */
bool cluster_find_default(const struct flags *flags, struct arena *arena,
                          struct cluster_gateway *ret_gateway, struct error *err) MUST_CHECK;

/* All of them, for patterns. */
bool cluster_names(const struct flags *flags, struct arena *arena, const char ***ret_names,
                   size_t *ret_count, struct error *err) MUST_CHECK;
