#pragma once

#include "client/import/layout.h"
#include "client/import/source.h"

/* One image of a source, ready to be sent: everything but the blobs' content. */
struct import_blob {
    const char *digest, *diff_id; /* diff_id "" of a config */
    int64_t size;
    const char *path; /* in the source */
};

struct import_image {
    const char *name; /* "eos/hello:1.0" */
    struct slice manifest;
    struct import_blob *blobs; /* the config first */
    size_t blob_count;
    int64_t bytes; /* of all blobs */
};

/* The images that `wanted` means, see layout_choose().  Blobs of what `docker save` writes are read for
 * their digests.  Results live in `arena`. */
bool import_images_find(struct import_source *source, const char *wanted, struct arena *arena,
                        struct import_image **ret_images, size_t *ret_count,
                        struct error *err) MUST_CHECK;
