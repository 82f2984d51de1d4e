#pragma once

#include "launcher/image_source.h"

#include <stdbool.h>

/* A bounded buffer from the loop, which writes what a registry sends, to one worker, which reads it as
 * a source. */
struct image_pipe;

/* `on_drained` is called in the worker's thread when it has taken everything after image_pipe_write()
 * had said that there is enough. */
struct image_pipe *image_pipe_new(void (*on_drained)(void *user), void *user)
    __attribute__((returns_nonnull));

/* When neither side uses it any more. */
void image_pipe_free(struct image_pipe *pipe); /* NULL is a no-op */

/* Copies.  False: there is enough for now; write no more until `on_drained`. */
bool image_pipe_write(struct image_pipe *pipe, const char *bytes, size_t len);

/* Nothing follows: the worker reads what is there and then the end, or at once `err` when it is not
 * NULL.  The first call counts. */
void image_pipe_end(struct image_pipe *pipe, const struct error *err);

struct image_source *image_pipe_source(struct image_pipe *pipe);
