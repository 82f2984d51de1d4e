#pragma once

#include "launcher/image_directory.h"

/* What the unpacked layers take on disk.  Measuring walks through a whole tree, so what is known is
 * kept in the file "sizes"; without it all is measured again.  For one worker at a time. */
struct image_sizes;

/* Reads what is known. */
struct image_sizes *image_sizes_open(const struct image_directory *directory)
    __attribute__((returns_nonnull));

/* Writes what is known of those that were asked for, when that has changed. */
void image_sizes_close(struct image_sizes *sizes);

/* Of a directory in a folder; 0 when it is not there. */
int64_t image_sizes_get(struct image_sizes *sizes, enum image_folder folder, const char *name);
