#pragma once

#include "binder/policy.h"
#include "clusters/clusters.h"
#include "registry/mirrors.h"

/* What clusters.json says of a cluster's images besides its registry: "docker_pin", "docker_mirrors"
 * and "docker_signatures".  Read at the start, keys too, so that a mistake keeps the program from starting
 * and not an image from being checked. */
struct settings;

struct cluster_settings {
    bool pin; /* the default for jobs that do not say */
    struct policy policy;
    struct mirrors *mirrors; /* NULL: none */
};

/* INVALID_ARGUMENT and what files give; the sentence names cluster and entry. */
struct settings *settings_read(const struct clusters *clusters, struct error *err) MUST_CHECK;
void settings_free(struct settings *settings); /* NULL is a no-op */

/* Never NULL: a cluster that is not known has no settings. */
const struct cluster_settings *settings_find(const struct settings *settings, const char *cluster);
