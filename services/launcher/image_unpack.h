#pragma once

#include "base/text.h"
#include "launcher/image_digest.h"
#include "launcher/image_limits.h"
#include "launcher/image_source.h"
#include "launcher/image_store.h"

/* Unpacks one archive; runs in a worker thread. */
struct image_unpack {
    enum image_kind kind;
    struct image_source *source;       /* borrowed */
    const struct image_limits *limits; /* borrowed */
    int root_fd;                       /* an empty directory: of the layer, or AppC's rootfs */
    int trash_fd;                      /* another, on the same file system */
};

/* `ret_digest` is of the uncompressed archive: a diff_id or an image id.  `ret_manifest` is AppC's
 * (empty for Docker).  What was unpacked stays when it fails, for the caller to sweep.
 * INVALID_ARGUMENT names the entry that is refused, OUT_OF_RANGE the limit, DATA_LOSS tells how the
 * archive is damaged, RESOURCE_EXHAUSTED that the disk is full; or the source's own error. */
bool image_unpack(const struct image_unpack *unpack, char ret_digest[IMAGE_DIGEST_BYTES],
                  struct text *ret_manifest, struct error *err) MUST_CHECK;
