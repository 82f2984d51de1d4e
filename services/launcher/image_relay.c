#include "launcher/image_relay.h"

#include "base/alloc.h"

#include <uv.h>

/* Few enough to stay in a core's cache, enough for each side to work while another is late. */
#define BUFFER_COUNT 4u
#define BUFFER_BYTES (256u << 10)

struct buffer {
    char *bytes;
    size_t len;
    int64_t mark;
};

struct image_relay {
    image_relay_fill_fn *fill;
    image_relay_watch_fn *watch;
    void *user;
    uv_thread_t filler, watcher;
    bool has_filler, has_watcher;
    uv_mutex_t mutex;
    uv_cond_t given, taken; /* for those who look for a full buffer, and for an empty one */
    struct buffer buffers[BUFFER_COUNT];
    uint64_t filled, watched, read; /* so many buffers since the start */
    bool is_reading;                /* number `read` */
    bool is_stopped, has_ended, has_failed;
    struct error error;
};

static struct buffer *buffer_at(struct image_relay *relay, uint64_t number)
{
    return &relay->buffers[number % BUFFER_COUNT];
}

/* -- the threads ---------------------------------------------------------------------------------- */

static bool is_full(const struct image_relay *relay)
{
    uint64_t done = relay->watched < relay->read ? relay->watched : relay->read;
    return relay->filled - done == BUFFER_COUNT;
}

/* Wakes whom it concerns: the filler, and a reader that has read all and waits for the watcher. */
static void note_taken(struct image_relay *relay, bool was_full)
{
    if (was_full && !is_full(relay))
        uv_cond_signal(&relay->taken);
    if (relay->has_ended && relay->watched == relay->filled)
        uv_cond_broadcast(&relay->given);
}

/* NULL when nobody reads any more. */
static struct buffer *next_empty(struct image_relay *relay)
{
    uv_mutex_lock(&relay->mutex);
    while (is_full(relay) && !relay->is_stopped)
        uv_cond_wait(&relay->taken, &relay->mutex);
    struct buffer *buffer = relay->is_stopped ? NULL : buffer_at(relay, relay->filled);
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
        relay->filled++;
    relay->has_ended = err || buffer->len == 0;
    bool goes_on = !relay->has_ended;
    uv_cond_broadcast(&relay->given);
    uv_mutex_unlock(&relay->mutex);
    return goes_on;
}

static void fill_all(void *user)
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

/* NULL after the last one. */
static const struct buffer *next_unwatched(struct image_relay *relay)
{
    uv_mutex_lock(&relay->mutex);
    while (relay->watched == relay->filled && !relay->has_ended && !relay->is_stopped)
        uv_cond_wait(&relay->given, &relay->mutex);
    bool is_over = relay->is_stopped || relay->watched == relay->filled;
    const struct buffer *buffer = is_over ? NULL : buffer_at(relay, relay->watched);
    uv_mutex_unlock(&relay->mutex);
    return buffer;
}

static void watch_all(void *user)
{
    struct image_relay *relay = user;
    for (const struct buffer *buffer; (buffer = next_unwatched(relay));) {
        relay->watch(relay->user, buffer->bytes, buffer->len);
        uv_mutex_lock(&relay->mutex);
        bool was_full = is_full(relay);
        relay->watched++;
        note_taken(relay, was_full);
        uv_mutex_unlock(&relay->mutex);
    }
}

/* -- the reader ----------------------------------------------------------------------------------- */

static bool start_threads(struct image_relay *relay, struct error *err)
{
    int status = uv_thread_create(&relay->filler, fill_all, relay);
    relay->has_filler = status == 0;
    if (status == 0)
        status = uv_thread_create(&relay->watcher, watch_all, relay);
    relay->has_watcher = relay->has_filler && status == 0;
    return status == 0 || error_set(err, ERROR_RESOURCE_EXHAUSTED, "could not start a thread: %s",
                                    uv_strerror(status));
}

struct image_relay *image_relay_open(image_relay_fill_fn *fill, image_relay_watch_fn *watch,
                                     void *user, struct error *err)
{
    struct image_relay *relay = xcalloc(1, sizeof *relay);
    relay->fill = fill;
    relay->watch = watch;
    relay->user = user;
    if (uv_mutex_init(&relay->mutex) < 0 || uv_cond_init(&relay->given) < 0 ||
        uv_cond_init(&relay->taken) < 0)
        abort();
    for (unsigned i = 0; i < BUFFER_COUNT; i++)
        relay->buffers[i].bytes = xcalloc(1, BUFFER_BYTES);
    if (start_threads(relay, err))
        return relay;
    image_relay_close(relay);
    return NULL;
}

static void wait_for_buffer(struct image_relay *relay)
{
    bool was_full = is_full(relay);
    relay->read += relay->is_reading;
    note_taken(relay, was_full);
    while (relay->read == relay->filled && !relay->has_ended)
        uv_cond_wait(&relay->given, &relay->mutex);
    relay->is_reading = relay->read < relay->filled;
    while (!relay->is_reading && !relay->has_failed && relay->watched < relay->filled)
        uv_cond_wait(&relay->given, &relay->mutex);
}

bool image_relay_read(struct image_relay *relay, const void **ret_bytes, size_t *ret_len,
                      int64_t *ret_mark, struct error *err)
{
    uv_mutex_lock(&relay->mutex);
    wait_for_buffer(relay);
    bool ok = relay->is_reading || !relay->has_failed;
    const struct buffer *buffer = buffer_at(relay, relay->read);
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
    uv_cond_broadcast(&relay->given);
    uv_cond_broadcast(&relay->taken);
    uv_mutex_unlock(&relay->mutex);
    if (relay->has_filler)
        uv_thread_join(&relay->filler);
    if (relay->has_watcher)
        uv_thread_join(&relay->watcher);
    for (unsigned i = 0; i < BUFFER_COUNT; i++)
        free(relay->buffers[i].bytes);
    uv_cond_destroy(&relay->given);
    uv_cond_destroy(&relay->taken);
    uv_mutex_destroy(&relay->mutex);
    free(relay);
}
