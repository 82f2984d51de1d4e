#pragma once

#include "base/error.h"

#include <stddef.h>

/* Where an archive's bytes come from, read by a worker thread; it may block there. */
struct image_source {
    /* Valid until the next read; `*ret_len` 0 is the end. */
    bool (*read)(struct image_source *source, const char **ret_bytes, size_t *ret_len,
                 struct error *err);

    /* From another thread: whoever reads, or would, is soon told that it failed.  May be NULL when a
     * read never waits for long. */
    void (*stop)(struct image_source *source);
};
