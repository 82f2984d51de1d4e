#pragma once

#include "base/error.h"
#include "base/text.h"

#include <stdint.h>
#include <sys/types.h>

/* Files of the launcher on its host.  All of these may block. */

/* Adds the whole of a regular file; the last part of `path` is not followed when it is a link.
 * RESOURCE_EXHAUSTED when it is longer than `max` bytes, NOT_FOUND when it is not there. */
bool host_file_read(const char *path, size_t max, struct text *out, struct error *err) MUST_CHECK;

/* Replaces a file at once and for good: a reader sees the old or the new one, also after a power
 * failure.  Mode 0600. */
bool host_file_replace(const char *path, struct slice content, struct error *err) MUST_CHECK;

/* As host_file_replace(), but the new one may be lost in a power failure. */
bool host_file_write(const char *path, struct slice content, struct error *err) MUST_CHECK;

bool host_file_exists(const char *path); /* not following a link */

/* Makes a directory with exactly that mode, unless it is there; parents are made with mode 0711. */
bool host_directory_make(const char *path, mode_t mode, struct error *err) MUST_CHECK;

/* Removes a file or a directory with all in it, never following a link nor leaving its file system.
 * Nothing to remove is fine. */
bool host_tree_remove(const char *path, struct error *err) MUST_CHECK;
