#pragma once

#include "launcher/image_aci_name.h"

/* Where AppC images are: "simple discovery" makes a place out of a prefix, "meta discovery" asks the
 * host that the image's name begins with, whose HTML has
 *
 *   <meta name="ac-discovery" content="PREFIX TEMPLATE">
 *
 * Everything here only computes. */

/* Set is one of both. */
struct image_aci_place {
    const char *path, *url;
};

/* "<prefix><name>-<version>-<os>-<arch>.aci".  `prefix` is an absolute directory or a file:, http: or
 * https: URL: FAILED_PRECONDITION when it is none of these.  INVALID_ARGUMENT: a label that would make
 * another path. */
bool image_discovery_simple(const struct image_aci_name *name, const char *prefix,
                            struct arena *arena, struct image_aci_place *ret_place,
                            struct error *err) MUST_CHECK;

/* What to ask first, "example.org/a/b", and where to go on when that knows nothing: "example.org/a",
 * "example.org".  False when there is no parent. */
bool image_discovery_parent(struct slice *at);

struct image_discovery {
    bool has_tags;           /* there were any: the parent is not asked */
    const char *const *urls; /* http: and https: only; the best first */
    size_t url_count;
};

/* Reads the tags in front of the page's body.  Of those whose prefix and labels fit, the ones that use
 * most labels remain, and of these https goes first. */
void image_discovery_read(struct slice html, const struct image_aci_name *name, struct arena *arena,
                          struct image_discovery *ret_discovery);
