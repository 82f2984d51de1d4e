#pragma once

#include "launcher/image_source.h"

#include <stdatomic.h>
#include <stdbool.h>

/* Sources that a worker opens itself: archives in a local file or behind an http: or https: URL.
 * Both end with CANCELLED soon after `*cancelled` becomes true. */
struct image_source *image_file_open(const char *path, const atomic_bool *cancelled,
                                     struct error *err) MUST_CHECK;

/* No credentials are sent; redirections are followed, but never from https to http. */
struct image_source *image_download_open(const char *url, const atomic_bool *cancelled,
                                         struct error *err) MUST_CHECK;

/* NULL is a no-op. */
void image_file_close(struct image_source *source);
void image_download_close(struct image_source *source);
