#pragma once

#include "scheduler/records.h"

/* Where records are kept.  A store is dumb: it knows kinds, keys and bytes.  Nothing of a batch is
 * there before store_append() has returned true, and all of it is from then on, whatever happens. */
struct store;

/* Opens or creates the store in `folder` (made when absent, mode 0700), and keeps others out of it.
 *   FAILED_PRECONDITION  another process uses it, or a later version of this program wrote it
 *   DATA_LOSS            it is damaged */
struct store *store_open(const char *folder, struct error *err) MUST_CHECK;
void store_close(struct store *store); /* NULL is a no-op */

/* Calls `take` for every record, in the order of the kinds; stops when it returns false. */
typedef bool store_take_fn(void *ctx, enum entity_kind kind, struct slice value, struct error *err);
bool store_load(struct store *store, store_take_fn *take, void *ctx, struct error *err) MUST_CHECK;

/* Writes all of `records`, or nothing.  The last of several for the same key counts.  May be called on
 * another thread, but not by two at once.  It returns when the bytes are on the disk. */
bool store_append(struct store *store, const struct record *records, size_t count,
                  struct error *err) MUST_CHECK;

/* Writes a whole and consistent copy to `path`, which must not exist. */
bool store_snapshot(struct store *store, const char *path, struct error *err) MUST_CHECK;
