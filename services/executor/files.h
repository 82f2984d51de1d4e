#pragma once

#include "base/error.h"
#include "base/text.h"

#include <sys/types.h>

/* Reads a whole file beneath `dir_fd` (AT_FDCWD for paths); more than `max` bytes are an error. */
bool file_read(int dir_fd, const char *name, size_t max, struct text *ret_contents,
               struct error *err) MUST_CHECK;

/* Replaces a file's contents: readers see the old or the new, whole.  Mode 0600. */
bool file_replace(int dir_fd, const char *name, struct slice contents,
                  struct error *err) MUST_CHECK;

/* Writes `text` to an existing (control) file in one write. */
bool file_write(int dir_fd, const char *name, const char *text, struct error *err) MUST_CHECK;

/* Writes all of it to a descriptor that blocks. */
bool write_all(int fd, const void *bytes, size_t len);

/* mkdir -p; directories that exist are left alone. */
bool make_directories(const char *path, mode_t mode, struct error *err) MUST_CHECK;

/* Closes all descriptors from `first` to `last`; INT_MAX: to the end. */
void close_descriptors(int first, int last);
