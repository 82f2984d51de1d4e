#pragma once

#include "launcher/image_directory.h"
#include "launcher/image_gc.h"

/* Looks at everything that the store has, and takes away what is not to stay.
 *
 * The order lets a crash at any point leave a store that is right: first the record of an image, without
 * which there is no image, then what only it had.  Trees are renamed into staging, which the next start
 * sweeps, and removed there. */

#define IMAGE_COLLECT_MAX_RULES 2

struct image_collect {
    const struct image_directory *directory;
    const char *const *used; /* digests of images that tasks use */
    size_t used_count;
    const char *const *wanted; /* only these, names or digests; none: all */
    size_t wanted_count;
    struct gc_rule rules[IMAGE_COLLECT_MAX_RULES];
    size_t rule_count; /* 0: nothing goes that is whole */
    bool with_imported;
    bool is_dry;
    /* What no image has goes at this age.  Trees of it, which are what takes room, may have one of their
     * own, and uploads go when nobody has added to any of them for `upload_quiet_ms`. */
    int64_t now_ms, orphan_age_ms, tree_age_ms, upload_quiet_ms;
};

struct image_entry {
    const char *digest;
    bool is_appc, is_used, is_imported, is_wanted, is_removed;
    const struct image_entry_name {
        const char *name;
        bool is_imported;
    } * names;
    size_t name_count;
    size_t layer_count;
    int64_t bytes, shared_bytes, created_ms, used_ms;
    const char *origin;
};

struct image_collection {
    struct image_entry *images; /* the last used one first */
    size_t image_count;
    int64_t bytes, freed_bytes; /* of what is left, and of what has gone */
    const char **unknown;       /* of `wanted`: there is no such image */
    size_t unknown_count;
};

/* Runs in a worker thread, one at a time.  The result is in `arena`. */
bool image_collect(const struct image_collect *wish, struct arena *arena,
                   struct image_collection *ret_result, struct error *err) MUST_CHECK;
