#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Buffers that one thread fills, a second one looks through and the caller's own reads, all at once. */
struct image_relay;

/* Fills `bytes`; `*ret_len` 0 is the end.  `*ret_mark` goes with the buffer, for the reader. */
typedef bool image_relay_fill_fn(void *user, char *bytes, size_t size, size_t *ret_len,
                                 int64_t *ret_mark, struct error *err);

/* Once for each buffer, in their order. */
typedef void image_relay_watch_fn(void *user, const char *bytes, size_t len);

/* `fill` is called until it gives the end or fails. */
struct image_relay *image_relay_open(image_relay_fill_fn *fill, image_relay_watch_fn *watch,
                                     void *user, struct error *err) MUST_CHECK;

/* Valid until the next read; `*ret_len` 0 is the end, and by then `watch` has seen all. */
bool image_relay_read(struct image_relay *relay, const void **ret_bytes, size_t *ret_len,
                      int64_t *ret_mark, struct error *err) MUST_CHECK;

/* Waits for the threads: they end after the `fill` and the `watch` that are under way. */
void image_relay_close(struct image_relay *relay); /* NULL is a no-op */
