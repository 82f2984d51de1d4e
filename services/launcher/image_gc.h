#pragma once

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which images are to go.  Pure: what there is and what is wished in, marks out. */

struct gc_layer {
    int64_t bytes;
    int64_t changed_ms; /* when it was put there */
    bool goes;          /* result: no image that stays has it */
};

struct gc_image {
    const size_t *layers; /* indexes */
    size_t layer_count;
    int64_t used_ms; /* the last time */
    bool is_held;    /* may not go: used, or protected */
    bool is_broken;  /* a layer of it is missing: it goes unless it is held */
    bool goes;       /* result */
};

/* Images unused for at least `age_ms` go, the longest unused one first, as long as all layers together
 * take more than `keep_bytes`. */
struct gc_rule {
    int64_t age_ms, keep_bytes;
};

struct gc {
    struct gc_layer *layers;
    size_t layer_count;
    struct gc_image *images;
    size_t image_count;
    int64_t now_ms;
    /* A layer that no image has stays so long: somebody may have begun to pull its image. */
    int64_t orphan_age_ms;
    int64_t total_bytes; /* result: of what stays */
};

/* Begins: nothing goes but what is broken and orphans that are old enough. */
void gc_begin(struct gc *gc, struct arena *arena);
void gc_apply(struct gc *gc, const struct gc_rule *rule, struct arena *arena);

/* What goes now that an image that was to go stays; `gc_image.goes` was changed by the caller. */
void gc_settle(struct gc *gc, struct arena *arena);
