#pragma once

#include "launcher/image_source.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define IMAGE_FILE_VALIDATOR_BYTES 96

/* An archive in a local file, as a source that a worker opens itself.  Reading ends with CANCELLED soon
 * after `*cancelled` becomes true.  `ret_validator` tells this content of the file from a later one. */
struct image_source *image_file_open(const char *path, int64_t max_bytes,
                                     const atomic_bool *cancelled,
                                     char ret_validator[IMAGE_FILE_VALIDATOR_BYTES],
                                     struct error *err) MUST_CHECK;
void image_file_close(struct image_source *source); /* NULL is a no-op */
