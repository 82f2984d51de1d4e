#pragma once

#include "launcher/image_source.h"

#include <stdint.h>

/* Makes of a source's bytes what they were before they were compressed. */
struct image_decoder {
    /* `*ret_len` 0 is the end.  Waits until `bytes` is full or nothing follows. */
    bool (*fill)(struct image_decoder *decoder, char *bytes, size_t size, size_t *ret_len,
                 struct error *err);
    void (*close)(struct image_decoder *decoder);
};

/* Each borrows `source` until it is closed, and reads no further than the end of what it understands:
 * what follows in the source is left there. */
struct image_decoder *image_gzip_open(struct image_source *source) __attribute__((returns_nonnull));

/* OUT_OF_RANGE when a frame refers back over more than IMAGE_MAX_WINDOW_BYTES.  Frames that refer far
 * back wait for one another, so that they use no more than that together. */
struct image_decoder *image_zstd_open(struct image_source *source) __attribute__((returns_nonnull));

/* OUT_OF_RANGE when a stream needs more than IMAGE_MAX_XZ_BYTES of memory. */
struct image_decoder *image_xz_open(struct image_source *source) __attribute__((returns_nonnull));

/* bzip2 and what is not compressed at all. */
struct image_decoder *image_filter_open(struct image_source *source, struct error *err) MUST_CHECK;
