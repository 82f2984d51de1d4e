#pragma once

#include "base/arena.h"
#include "base/error.h"

#include <stdint.h>

/* Where the files of a tar archive are in it, so that they can be read in any order.  The archive is a
 * stranger's: everything is bounded and checked, and nothing is written anywhere.
 *
 * Reads ustar, GNU's long names and PAX's paths, links and sizes; other kinds of entries are passed over. */
#define TAR_MAX_ENTRIES      100000u
#define TAR_MAX_NAME_BYTES   4096u
#define TAR_MAX_HEADER_BYTES (1u << 20) /* of one PAX header */
#define TAR_MAX_LINKS        8          /* in a row */

/* Exactly `len` bytes at `offset`. */
typedef bool tar_read_fn(void *user, int64_t offset, void *bytes, size_t len, struct error *err);

struct tar_file {
    int64_t offset, size; /* of its content */
};

struct tar_index;

/* In `arena`, but for what tar_index_done() releases.  INVALID_ARGUMENT: it is no tar archive, or
 * damaged, and where; OUT_OF_RANGE: a limit.  NULL on failure. */
struct tar_index *tar_index_read(tar_read_fn *read, void *user, int64_t size, struct arena *arena,
                                 struct error *err) MUST_CHECK;
void tar_index_done(struct tar_index *index); /* NULL is a no-op */

/* The file of that path, through links; the last one when there are several.  False: there is none. */
bool tar_index_find(const struct tar_index *index, const char *path, struct tar_file *ret_file);
