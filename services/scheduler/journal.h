#pragma once

#include "scheduler/store.h"

#include <uv.h>

/* Group commit: once per turn of the loop everything that has changed is written in one batch, by a
 * worker; what changes meanwhile goes into the next one.  Whatever must not leave the process before
 * its changes are on disk waits here. */
struct journal;

struct journal_options {
    struct state *state; /* borrowed */
    struct store *store; /* borrowed; used by the worker */

    /* Runs before a batch is closed, when no other is being written: the last chance to decide things
     * and to hand in what waits for them. */
    void (*before_batch)(void *ctx);
    void *ctx;
};

struct journal *journal_open(uv_loop_t *loop, const struct journal_options *options);

/* Calls `release(item)` when all changes up to now are on disk. */
void journal_after(struct journal *journal, void (*release)(void *item), void *item);

/* Whether nothing is waiting and nothing is being written. */
bool journal_is_idle(const struct journal *journal);

/* Whether the last attempt to write succeeded.  When it did not, the batch is tried again every
 * second, and nothing is released before it is on disk. */
bool journal_is_healthy(const struct journal *journal);

/* Finishes the batch that is being written and, if that succeeds, writes the rest; then calls
 * `closed(ctx)`.  What waits is released only if it got to disk, else dropped with the process. */
void journal_close(struct journal *journal, void (*closed)(void *ctx), void *ctx);
