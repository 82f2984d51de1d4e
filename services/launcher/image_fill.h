#pragma once

#include "launcher/image_aci_name.h"
#include "launcher/image_digest.h"
#include "launcher/image_directory.h"
#include "launcher/image_limits.h"
#include "launcher/image_source.h"
#include "launcher/image_store.h"
#include "launcher/image_web.h"
#include "registry/registry.h"

#include <stdatomic.h>

/* One archive that the store does not have yet, and where to get it. */
struct image_need {
    enum image_kind kind;
    const char *key;    /* one flight for all that have the same */
    const char *digest; /* of the uncompressed archive; "" when not known before (AppC) */

    /* Docker: a layer's blob */
    struct registry_target target;
    const char *blob_digest;
    int64_t blob_size;

    /* AppC */
    struct image_aci_name name;
    int64_t max_bytes; /* of the archive; 0: not said */
    bool is_dependency;

    const char *path; /* a layer that was imported: its file; else NULL */
};

/* A copy in `arena`. */
struct image_need image_need_copy(const struct image_need *need, struct arena *arena);

/* Whether the store has it by now.  Runs in a worker thread. */
bool image_is_filled(const struct image_directory *directory, const struct image_need *need);

/* Where AppC images are looked for. */
struct image_places {
    const struct image_web *web;
    const char *prefix; /* of simple discovery; NULL: none */
    bool asks_host;     /* also when the prefix does not have the image */
};

/* Unpacks it in staging, checks the digest and publishes it: a layer under its diff_id, an AppC image
 * under its id.  Runs in a worker thread.  `source` is a layer's; files, and what
 * an AppC image consists of, are opened here.  What
 * was begun is swept when it fails. */
struct image_fill {
    const struct image_directory *directory;
    const struct image_limits *limits;
    const struct image_places *places;
    const struct image_need *need;
    struct image_source *source;
    const atomic_bool *cancelled;
};
bool image_fill(const struct image_fill *fill, char ret_digest[IMAGE_DIGEST_BYTES],
                struct error *err) MUST_CHECK;
