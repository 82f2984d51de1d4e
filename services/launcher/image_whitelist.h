#pragma once

#include "launcher/image_aci.h"
#include "launcher/image_directory.h"

/* AppC's path white lists.  A list names what remains of an image and of all beneath it, and an image
 * that another one depends on is under the lists of both. */
struct image_whitelist {
    const struct image_aci *aci;         /* whose list it is */
    const struct image_whitelist *above; /* NULL at the top */
};

/* The layer of an image of the store with only what all lists leave, made of hard links when it is not
 * there yet.  `ret_path` is absolute, in `arena`.  `filter` is not NULL. */
bool image_whitelist_layer(const struct image_directory *directory, const char *id,
                           const struct image_whitelist *filter, struct arena *arena,
                           const char **ret_path, struct error *err) MUST_CHECK;
