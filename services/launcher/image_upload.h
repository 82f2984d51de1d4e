#pragma once

#include "launcher/image_directory.h"

/* Blobs of an import on their way into the store's "uploads".  Nothing of what is said of them is
 * believed before a blob is whole and has its digest.  All of this blocks. */

#define IMAGE_UPLOAD_MAX_CHUNK (1u << 20)

struct image_blob {
    const char *digest; /* "sha256:…" */
    int64_t bytes;
    const char *diff_id; /* of a layer, so that one that is unpacked here is not sent; or "" */
};

/* INVALID_ARGUMENT, OUT_OF_RANGE. */
bool image_blob_check(const struct image_blob *blob, struct error *err) MUST_CHECK;

/* How much of a checked blob is here, from its beginning; all of it: nothing is missing. */
int64_t image_upload_offset(const struct image_directory *directory, const struct image_blob *blob);

/* Adds bytes that stand at `offset`.  Those that are here already are skipped, and those behind a gap
 * are not taken; `*ret_offset` tells where to go on.  DATA_LOSS: it is whole and has another digest;
 * then all of it is dropped.  RESOURCE_EXHAUSTED: the disk is full; what came before stays. */
bool image_upload_add(const struct image_directory *directory, const struct image_blob *blob,
                      int64_t offset, struct slice bytes, int64_t *ret_offset,
                      struct error *err) MUST_CHECK;
