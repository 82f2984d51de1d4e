#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* A thread that fills buffers, while another reads those that are full. */
struct image_relay;

/* Fills `bytes`; `*ret_len` 0 is the end.  `*ret_mark` goes with the buffer, for the reader. */
typedef bool image_relay_fill_fn(void *user, char *bytes, size_t size, size_t *ret_len,
                                 int64_t *ret_mark, struct error *err);

/* `fill` is called in the new thread until it gives the end or fails. */
struct image_relay *image_relay_open(image_relay_fill_fn *fill, void *user,
                                     struct error *err) MUST_CHECK;

/* Valid until the next read; `*ret_len` 0 is the end. */
bool image_relay_read(struct image_relay *relay, const void **ret_bytes, size_t *ret_len,
                      int64_t *ret_mark, struct error *err) MUST_CHECK;

/* Waits for the thread: it ends after the `fill` that is under way. */
void image_relay_close(struct image_relay *relay); /* NULL is a no-op */
