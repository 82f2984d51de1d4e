#pragma once

#include "launcher/image_collect.h"

#include <uv.h>

/* Lists and prunes what a store has, on request and by itself: at start, every few minutes, and after
 * pulls.  One look at a time, in a worker. */
struct image_keeper;

#define IMAGE_KEEPER_MAX_WAITING 64

/* Tells `add` the digests of all images that tasks use; "" for one that is not known, which keeps
 * everything. */
typedef void image_users_fn(void *user, void (*add)(void *to, const char *digest), void *to);

struct image_keeper_options {
    int64_t size_bytes;    /* images beyond it go, the longest unused ones first */
    int64_t age_ms;        /* images unused for so long go */
    int64_t orphan_age_ms; /* what no image has, such as layers of a pull that was broken off */
};

#define IMAGE_ORPHAN_AGE_MS (3600ll * 1000)

/* `directory` is borrowed.  Nothing is removed before image_keeper_start(). */
struct image_keeper *image_keeper_open(uv_loop_t *loop, const struct image_directory *directory,
                                       const struct image_keeper_options *options)
    __attribute__((returns_nonnull));

/* Fails what waits with CANCELLED; `users` is not asked any more. */
void image_keeper_stop(struct image_keeper *keeper);

/* After it was stopped; `on_closed` runs when the worker has ended, perhaps at once. */
void image_keeper_close(struct image_keeper *keeper, void (*on_closed)(void *user), void *user);

/* From now on `users` is asked, and what is too much or too old goes by itself. */
void image_keeper_start(struct image_keeper *keeper, image_users_fn *users, void *user);

/* Images have come: looks whether they are too much, soon. */
void image_keeper_poke(struct image_keeper *keeper);

/* Drops the pins of a pull that has ended; during a look not before its end, since what took the images
 * over may have come too late for it to see. */
void image_keeper_release(struct image_keeper *keeper, uint64_t owner);

struct image_keeper_wish {
    const char *const *wanted; /* copied; see struct image_collect */
    size_t wanted_count;
    struct gc_rule rule;
    bool is_list; /* removes nothing, and has no rule */
    bool with_imported, is_dry;
};
typedef void image_keeper_fn(void *user, const struct image_collection *result,
                             const struct error *err);

/* Calls `done` once, later.  FAILED_PRECONDITION before the start, RESOURCE_EXHAUSTED when too many
 * wait. */
bool image_keeper_ask(struct image_keeper *keeper, const struct image_keeper_wish *wish,
                      image_keeper_fn *done, void *user, struct error *err) MUST_CHECK;
