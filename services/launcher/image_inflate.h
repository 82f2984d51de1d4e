#pragma once

#include "launcher/image_digest.h"
#include "launcher/image_limits.h"
#include "launcher/image_source.h"

/* Reads a source that may be compressed (gzip, zstd, bzip2, xz), hashes what comes out and holds it to
 * the limits. */
struct image_inflate;

/* `source` and `limits` are borrowed. */
struct image_inflate *image_inflate_open(struct image_source *source,
                                         enum image_algorithm algorithm,
                                         const struct image_limits *limits,
                                         struct error *err) MUST_CHECK;
void image_inflate_close(struct image_inflate *inflate); /* NULL is a no-op */

/* Valid until the next read; `*ret_len` 0 is the end. */
bool image_inflate_read(struct image_inflate *inflate, const void **ret_bytes, size_t *ret_len,
                        struct error *err) MUST_CHECK;

/* From now on reading more than header_bytes fails, until image_inflate_end_header(). */
void image_inflate_begin_header(struct image_inflate *inflate);
void image_inflate_end_header(struct image_inflate *inflate);

/* Reads the rest and gives the digest of all that came out. */
bool image_inflate_finish(struct image_inflate *inflate, char ret_digest[IMAGE_DIGEST_BYTES],
                          struct error *err) MUST_CHECK;
