#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

#include <stdint.h>

struct image_blob {
    const char *digest; /* "sha256:…" */
    int64_t size;
};

/* The manifest of one platform: Docker version 2 schema 2, or OCI. */
struct image_manifest {
    struct image_blob config;
    const struct image_blob *layers; /* lowest first; at least one */
    size_t layer_count;
};

/* `media_type` is what the registry called it, or "".  The result lives in `arena`.
 * INVALID_ARGUMENT when it is no such manifest, UNIMPLEMENTED for kinds that cannot run,
 * OUT_OF_RANGE beyond a limit. */
bool image_manifest_parse(struct slice json, const char *media_type, struct arena *arena,
                          struct image_manifest *ret_manifest, struct error *err) MUST_CHECK;
