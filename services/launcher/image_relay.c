#include "launcher/image_relay.h"

#include "base/alloc.h"

#include <uv.h>

/* Few enough to stay in a core's cache, enough for both sides to work while the other is late. */
#define BUFFER_COUNT 4
#define BUFFER_BYTES (256u << 10)

struct buffer {
    char *bytes;
    size_t len;
    int64_t mark;
};

struct image_relay {
    image_relay_fill_fn *fill;
    void *user;
    uv_thread_t thread;
    uv_mutex_t mutex;
    uv_cond_t changed;
    struct buffer buffers[BUFFER_COUNT];
    unsigned first, count; /* that are full */
    bool is_reading;       /* the first */
    bool is_stopped, has_ended, has_failed;
    struct error error;
};

/* NULL when nobody reads any more. */
static struct buffer *next_empty(struct image_relay *relay)
{
    uv_mutex_lock(&relay->mutex);
    while (relay->count == BUFFER_COUNT && !relay->is_stopped)
        uv_cond_wait(&relay->changed, &relay->mutex);
    struct buffer *buffer =
        relay->is_stopped ? NULL : &relay->buffers[(relay->first + relay->count) % BUFFER_COUNT];
    uv_mutex_unlock(&relay->mutex);
    return buffer;
}

static bool hand_over(struct image_relay *relay, const struct buffer *buffer,
                      const struct error *err)
{
    uv_mutex_lock(&relay->mutex);
    relay->has_failed = err;
    if (err)
        relay->error = *err;
    else if (buffer->len > 0)
        relay->count++;
    relay->has_ended = err || buffer->len == 0;
    bool goes_on = !relay->has_ended;
    uv_cond_signal(&relay->changed);
    uv_mutex_unlock(&relay->mutex);
    return goes_on;
}

static void run(void *user)
{
    struct image_relay *relay = user;
    for (struct buffer *buffer; (buffer = next_empty(relay));) {
        struct error err = { 0 };
        bool ok = relay->fill(relay->user, buffer->bytes, BUFFER_BYTES, &buffer->len, &buffer->mark,
                              &err);
        if (!hand_over(relay, buffer, ok ? NULL : &err))
            return;
    }
}

static void relay_free(struct image_relay *relay)
{
    for (unsigned i = 0; i < BUFFER_COUNT; i++)
        free(relay->buffers[i].bytes);
    uv_cond_destroy(&relay->changed);
    uv_mutex_destroy(&relay->mutex);
    free(relay);
}

struct image_relay *image_relay_open(image_relay_fill_fn *fill, void *user, struct error *err)
{
    struct image_relay *relay = xcalloc(1, sizeof *relay);
    relay->fill = fill;
    relay->user = user;
    if (uv_mutex_init(&relay->mutex) < 0 || uv_cond_init(&relay->changed) < 0)
        abort();
    for (unsigned i = 0; i < BUFFER_COUNT; i++)
        relay->buffers[i].bytes = xcalloc(1, BUFFER_BYTES);
    int status = uv_thread_create(&relay->thread, run, relay);
    if (status == 0)
        return relay;
    error_set(err, ERROR_RESOURCE_EXHAUSTED, "could not start a thread: %s", uv_strerror(status));
    relay_free(relay);
    return NULL;
}

bool image_relay_read(struct image_relay *relay, const void **ret_bytes, size_t *ret_len,
                      int64_t *ret_mark, struct error *err)
{
    uv_mutex_lock(&relay->mutex);
    if (relay->is_reading) {
        relay->first = (relay->first + 1) % BUFFER_COUNT;
        relay->count--;
        uv_cond_signal(&relay->changed);
    }
    while (relay->count == 0 && !relay->has_ended)
        uv_cond_wait(&relay->changed, &relay->mutex);
    relay->is_reading = relay->count > 0;
    bool ok = relay->is_reading || !relay->has_failed;
    const struct buffer *buffer = &relay->buffers[relay->first];
    uv_mutex_unlock(&relay->mutex);

    if (!ok) {
        *err = relay->error;
        return false;
    }
    *ret_len = relay->is_reading ? buffer->len : 0;
    if (relay->is_reading) {
        *ret_bytes = buffer->bytes;
        *ret_mark = buffer->mark;
    }
    return true;
}

void image_relay_close(struct image_relay *relay)
{
    if (!relay)
        return;
    uv_mutex_lock(&relay->mutex);
    relay->is_stopped = true;
    uv_cond_signal(&relay->changed);
    uv_mutex_unlock(&relay->mutex);
    uv_thread_join(&relay->thread);
    relay_free(relay);
}
