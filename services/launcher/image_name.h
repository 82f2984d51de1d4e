#pragma once

#include "launcher/image_store.h"
#include "registry/reference.h"

/* What a request names.  Results live in `arena`; INVALID_ARGUMENT tells what is wrong with it. */

/* "repository" and "tag" or "sha256:…" as one reference; no tag is "latest". */
bool image_reference_of(const struct image_request *request, struct arena *arena,
                        struct image_reference *ret_reference, struct error *err) MUST_CHECK;

/* Where simple discovery finds an AppC image: one of both is set. */
struct image_aci_place {
    const char *path, *url;
};

/* Aurora gives neither version nor labels: "<prefix><name>-latest-linux-<processor>.aci".
 * FAILED_PRECONDITION when there is no usable prefix. */
bool image_aci_find(const struct image_request *request, const char *prefix, struct arena *arena,
                    struct image_aci_place *ret_place, struct error *err) MUST_CHECK;
