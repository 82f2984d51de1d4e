#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

#include <stdint.h>

/* What an image is imported from: a directory, or a tar archive (also one in gzip), read by paths. */
struct import_source;

/* FAILED_PRECONDITION when it is neither; the errors of tar_index.h. */
struct import_source *import_source_open(const char *path, struct arena *arena,
                                         struct error *err) MUST_CHECK;
void import_source_close(struct import_source *source); /* NULL is a no-op */

/* One file of it. */
struct import_file {
    int fd;
    bool is_own_fd;
    int64_t offset, size;
};

bool import_source_has(struct import_source *source, const char *path);

/* NOT_FOUND names the path. */
bool import_file_open(struct import_source *source, const char *path, struct import_file *ret_file,
                      struct error *err) MUST_CHECK;
void import_file_close(struct import_file *file);

/* Exactly `len` bytes from `at`. */
bool import_file_read(const struct import_file *file, int64_t at, void *bytes, size_t len,
                      struct error *err) MUST_CHECK;

/* All of a small one; OUT_OF_RANGE when it is over `max`. */
bool import_source_read(struct import_source *source, const char *path, size_t max,
                        struct text *ret_bytes, struct error *err) MUST_CHECK;
