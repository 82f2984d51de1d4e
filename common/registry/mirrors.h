#pragma once

#include "base/error.h"
#include "registry/endpoint.h"

#include <jansson.h>

/* Which other registries have the images of a registry: clusters.json's docker_mirrors,
 *
 *     { "registry.example.org:5000": ["https://mirror-a", "https://mirror-b:5000/proxy"] }
 *
 * with "docker.io" for Docker's own.  They are asked in this order, before the registry itself.  A path
 * stands in front of the repository there. */
struct mirrors;

#define MIRRORS_MAX_REGISTRIES 1000u
#define MIRRORS_MAX            16u /* of one registry */

/* What is asked for images of a registry. */
struct mirror {
    const char *base_url; /* without a path */
    const char *prefix;   /* "proxy/", or "" */
};

/* `value` is that of the key; NULL or JSON null: there are none.  INVALID_ARGUMENT tells what is wrong
 * with it.  NULL on failure; release with mirrors_free(). */
struct mirrors *mirrors_parse(const json_t *value, struct error *err) MUST_CHECK;
void mirrors_free(struct mirrors *mirrors); /* NULL is a no-op */

/* Those of the registry at `base_url`, in their order; *ret_count is 0 when there are none, also for
 * `mirrors` NULL.  Valid until they are freed. */
const struct mirror *mirrors_find(const struct mirrors *mirrors, const char *base_url,
                                  size_t *ret_count);
