#include "launcher/image_pipe.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stddef.h>
#include <uv.h>

#define ENOUGH_BYTES (512u << 10)

/* Two buffers that change their roles when the worker has read one. */
struct image_pipe {
    struct image_source source;
    uv_mutex_t mutex;
    uv_cond_t changed;
    struct text written, read;
    bool has_enough, has_ended, has_failed;
    struct error error;
    void (*on_drained)(void *user);
    void *user;
};

static struct image_pipe *pipe_of(struct image_source *source)
{
    return (struct image_pipe *)((char *)source - offsetof(struct image_pipe, source));
}

static bool read_pipe(struct image_source *source, const char **ret_bytes, size_t *ret_len,
                      struct error *err)
{
    struct image_pipe *pipe = pipe_of(source);
    uv_mutex_lock(&pipe->mutex);
    while (pipe->written.len == 0 && !pipe->has_ended)
        uv_cond_wait(&pipe->changed, &pipe->mutex);

    struct text full = pipe->written;
    pipe->written = pipe->read;
    pipe->read = full;
    text_clear(&pipe->written);
    bool was_enough = pipe->has_enough, ok = !pipe->has_failed;
    pipe->has_enough = false;
    if (!ok)
        *err = pipe->error;
    uv_mutex_unlock(&pipe->mutex);

    if (was_enough)
        pipe->on_drained(pipe->user);
    *ret_bytes = text_string(&pipe->read);
    *ret_len = pipe->read.len;
    return ok;
}

/* Whoever reads, or would, is told that it failed. */
static void stop_pipe(struct image_source *source)
{
    struct error err = { 0 };
    error_set(&err, ERROR_CANCELLED, "nobody reads it any more");
    image_pipe_end(pipe_of(source), &err);
}

struct image_pipe *image_pipe_new(void (*on_drained)(void *user), void *user)
{
    struct image_pipe *pipe = xcalloc(1, sizeof *pipe);
    pipe->source = (struct image_source){ read_pipe, stop_pipe };
    pipe->on_drained = on_drained;
    pipe->user = user;
    if (uv_mutex_init(&pipe->mutex) < 0 || uv_cond_init(&pipe->changed) < 0)
        abort();
    return pipe;
}

void image_pipe_free(struct image_pipe *pipe)
{
    if (!pipe)
        return;
    text_done(&pipe->written);
    text_done(&pipe->read);
    uv_cond_destroy(&pipe->changed);
    uv_mutex_destroy(&pipe->mutex);
    free(pipe);
}

bool image_pipe_write(struct image_pipe *pipe, const char *bytes, size_t len)
{
    uv_mutex_lock(&pipe->mutex);
    text_add_bytes(&pipe->written, bytes, len);
    pipe->has_enough = pipe->written.len >= ENOUGH_BYTES;
    bool has_room = !pipe->has_enough;
    uv_cond_signal(&pipe->changed);
    uv_mutex_unlock(&pipe->mutex);
    return has_room;
}

void image_pipe_end(struct image_pipe *pipe, const struct error *err)
{
    uv_mutex_lock(&pipe->mutex);
    if (!pipe->has_ended && err) {
        pipe->error = *err;
        pipe->has_failed = true;
    }
    pipe->has_ended = true;
    uv_cond_signal(&pipe->changed);
    uv_mutex_unlock(&pipe->mutex);
}

struct image_source *image_pipe_source(struct image_pipe *pipe)
{
    return &pipe->source;
}
