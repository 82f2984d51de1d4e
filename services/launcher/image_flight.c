#include "launcher/image_flight.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "launcher/image_pipe.h"

#include <assert.h>

/* Those who wait have their own, shorter deadlines; this one only ends what everybody forgot. */
#define BLOB_DEADLINE_MS (3600u * 1000u)

static const struct image_limits limits = IMAGE_LIMITS;

struct image_seat {
    struct flight *flight;
    struct image_seat *next;
    bool is_of_same_source;
    image_seat_fn *done;
    void *user;
};

struct flight {
    struct image_flights *flights;
    struct flight *next; /* in the queue */
    struct arena *arena;
    struct image_need need;
    struct image_seat *seats;

    struct image_pipe *pipe; /* a layer's bytes, from the loop to the worker */
    struct registry_call *call;
    bool is_paused;
    int64_t received;
    uv_async_t news; /* of the thread: the pipe is empty, or it has ended */
    uv_work_t look;
    uv_thread_t thread;
    atomic_bool has_ended;
    bool is_started, is_landed;
    bool is_there; /* before anything was fetched */
    atomic_bool is_cancelled;

    bool ok; /* what the worker found */
    char digest[IMAGE_DIGEST_BYTES];
    struct error error, registry_error;
    bool has_registry_failed;
};

struct image_flights {
    uv_loop_t *loop;
    const struct image_directory *directory;
    struct registry_client *registry;
    const struct image_places *places;
    struct map *by_key;          /* those that can be joined */
    struct flight *first, *last; /* the queue */
    unsigned started;
    uv_work_t sync;
    bool is_syncing, is_dirty; /* dirty: published since the last sync began */
    void (*on_closed)(void *user);
    void *user;
};

static void finish_close(struct image_flights *flights)
{
    if (!flights->on_closed || flights->started > 0 || flights->is_syncing)
        return;
    void (*on_closed)(void *) = flights->on_closed;
    void *user = flights->user;
    assert(!flights->first);
    map_free(flights->by_key);
    free(flights);
    on_closed(user);
}

void image_flights_close(struct image_flights *flights, void (*on_closed)(void *user), void *user)
{
    flights->on_closed = on_closed;
    flights->user = user;
    finish_close(flights);
}

static void forget(struct flight *flight)
{
    struct slice key = slice_of(flight->need.key);
    if (map_get(flight->flights->by_key, key) == flight)
        map_remove(flight->flights->by_key, key);
}

static void flight_free(struct flight *flight)
{
    image_pipe_free(flight->pipe);
    arena_free(flight->arena);
    free(flight);
}

static void sync_work(uv_work_t *request)
{
    struct image_flights *flights = request->data;
    image_directory_sync(flights->directory);
}

static void start_sync(struct image_flights *flights);

static void after_sync(uv_work_t *request, int status)
{
    struct image_flights *flights = request->data;
    assert(status == 0);
    flights->is_syncing = false;
    start_sync(flights);
    finish_close(flights);
}

/* When nothing is in flight, since it slows every writer down.  Not while closing: what is marked is
 * synced after the next start. */
static void start_sync(struct image_flights *flights)
{
    if (!flights->is_dirty || flights->is_syncing || flights->started > 0 || flights->on_closed)
        return;
    flights->is_dirty = false;
    flights->is_syncing = true;
    flights->sync.data = flights;
    int status = uv_queue_work(flights->loop, &flights->sync, sync_work, after_sync);
    assert(status == 0);
}

struct image_flights *image_flights_open(uv_loop_t *loop, const struct image_directory *directory,
                                         struct registry_client *registry,
                                         const struct image_places *places)
{
    struct image_flights *flights = xcalloc(1, sizeof *flights);
    flights->loop = loop;
    flights->directory = directory;
    flights->registry = registry;
    flights->places = places;
    flights->by_key = map_new();
    flights->is_dirty = true; /* marks of an earlier life */
    start_sync(flights);
    return flights;
}

static void take_off(struct image_flights *flights);

static void on_async_closed(uv_handle_t *handle)
{
    struct flight *flight = handle->data;
    struct image_flights *flights = flight->flights;
    flight_free(flight);
    flights->started--;
    take_off(flights);
    start_sync(flights);
    finish_close(flights);
}

/* In the worker's thread. */
static void on_pipe_drained(void *user)
{
    struct flight *flight = user;
    uv_async_send(&flight->news);
}

static bool on_blob_data(void *user, const char *bytes, size_t len, struct error *err)
{
    struct flight *flight = user;
    (void)err;
    flight->received += (int64_t)len;
    if (!image_pipe_write(flight->pipe, bytes, len)) {
        flight->is_paused = true;
        registry_call_pause(flight->call);
    }
    return true;
}

static void fail_registry(struct flight *flight, const struct error *err)
{
    flight->has_registry_failed = true;
    flight->registry_error = *err;
    image_pipe_end(flight->pipe, err);
}

/* Only now are the blob's size and digest known to be right, and only now may the worker end. */
static void on_blob_done(void *user, const struct error *err)
{
    struct flight *flight = user;
    flight->call = NULL;
    if (err)
        fail_registry(flight, err);
    else
        image_pipe_end(flight->pipe, NULL);
}

static void start_download(struct flight *flight)
{
    const struct image_need *need = &flight->need;
    struct error err = { 0 };
    flight->pipe = image_pipe_new(on_pipe_drained, flight);
    flight->call = registry_get_blob(flight->flights->registry, &need->target, need->blob_digest,
                                     need->blob_size, BLOB_DEADLINE_MS, on_blob_data, on_blob_done,
                                     flight, &err);
    if (!flight->call)
        fail_registry(flight, &err);
}

static void work(void *user)
{
    struct flight *flight = user;
    struct image_fill fill = {
        .directory = flight->flights->directory,
        .limits = &limits,
        .places = flight->flights->places,
        .need = &flight->need,
        .source = flight->pipe ? image_pipe_source(flight->pipe) : NULL,
        .cancelled = &flight->is_cancelled,
    };
    flight->ok = image_fill(&fill, flight->digest, &flight->error);
    atomic_store(&flight->has_ended, true);
    uv_async_send(&flight->news);
}

static void deliver(struct flight *flight)
{
    struct image_flight_result result = {
        .digest = flight->ok ? flight->digest : NULL,
        .is_registrys = flight->has_registry_failed,
    };
    if (!flight->ok)
        result.err = flight->has_registry_failed ? &flight->registry_error : &flight->error;
    for (struct image_seat *seat; (seat = flight->seats);) {
        flight->seats = seat->next;
        result.is_of_other_source = !flight->ok && !seat->is_of_same_source;
        seat->done(seat->user, &result);
        free(seat);
    }
}

static void land(struct flight *flight)
{
    if (flight->call)
        registry_call_cancel(TAKE(flight->call));
    flight->is_landed = true;
    flight->flights->is_dirty |= flight->ok && !flight->is_there;
    forget(flight);
    uv_close((uv_handle_t *)&flight->news, on_async_closed);
    deliver(flight);
}

static void on_news(uv_async_t *async)
{
    struct flight *flight = async->data;
    bool was_paused = flight->is_paused;
    flight->is_paused = false;
    if (was_paused && flight->call)
        registry_call_resume(flight->call);
    if (!atomic_load(&flight->has_ended))
        return;
    uv_thread_join(&flight->thread);
    land(flight);
}

static void start_work(struct flight *flight)
{
    int status = uv_thread_create(&flight->thread, work, flight);
    if (status == 0)
        return;
    error_set(&flight->error, ERROR_RESOURCE_EXHAUSTED, "could not start a thread: %s",
              uv_strerror(status));
    land(flight);
}

static void look(uv_work_t *request)
{
    struct flight *flight = request->data;
    flight->is_there = image_is_filled(flight->flights->directory, &flight->need);
}

/* Between somebody's look at the disk and joining, an earlier flight of the same may have landed. */
static void after_look(uv_work_t *request, int status)
{
    struct flight *flight = request->data;
    assert(status == 0);
    if (flight->is_there || atomic_load(&flight->is_cancelled)) {
        flight->ok = flight->is_there;
        snprintf(flight->digest, sizeof flight->digest, "%s", flight->need.digest);
        land(flight);
        return;
    }
    if (flight->need.kind == IMAGE_DOCKER && !flight->need.path)
        start_download(flight);
    start_work(flight);
}

static void start(struct flight *flight)
{
    struct image_flights *flights = flight->flights;
    flight->is_started = true;
    flights->started++;
    int status = uv_async_init(flights->loop, &flight->news, on_news);
    assert(status == 0);
    flight->news.data = flight->look.data = flight;
    status = uv_queue_work(flights->loop, &flight->look, look, after_look);
    assert(status == 0);
}

static void take_off(struct image_flights *flights)
{
    while (flights->first && flights->started < IMAGE_MAX_UNPACKING) {
        struct flight *flight = flights->first;
        flights->first = flight->next;
        if (!flights->first)
            flights->last = NULL;
        start(flight);
    }
}

static struct flight *queue_flight(struct image_flights *flights, const struct image_need *need)
{
    struct flight *flight = xcalloc(1, sizeof *flight);
    flight->flights = flights;
    flight->arena = arena_new();
    flight->need = image_need_copy(need, flight->arena);
    if (flights->last)
        flights->last->next = flight;
    else
        flights->first = flight;
    flights->last = flight;
    map_put(flights->by_key, slice_of(flight->need.key), flight);
    return flight;
}

static bool is_same(const char *a, const char *b)
{
    return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

/* One image may be known by several names. */
static bool is_same_name(const struct image_need *a, const struct image_need *b)
{
    struct arena *arena = arena_new();
    bool result =
        a->max_bytes == b->max_bytes &&
        strcmp(image_aci_name_format(&a->name, arena), image_aci_name_format(&b->name, arena)) == 0;
    arena_free(arena);
    return result;
}

static bool is_same_source(const struct image_need *a, const struct image_need *b)
{
    if (a->kind == IMAGE_APPC)
        return is_same_name(a, b);
    return is_same(a->target.base_url, b->target.base_url) &&
           is_same(a->target.repository, b->target.repository) &&
           is_same(a->blob_digest, b->blob_digest);
}

struct image_seat *image_flight_join(struct image_flights *flights, const struct image_need *need,
                                     image_seat_fn *done, void *user)
{
    struct flight *flight = map_get(flights->by_key, slice_of(need->key));
    if (!flight)
        flight = queue_flight(flights, need);
    struct image_seat *seat = xcalloc(1, sizeof *seat);
    *seat = (struct image_seat){
        .flight = flight,
        .next = flight->seats,
        .is_of_same_source = is_same_source(&flight->need, need),
        .done = done,
        .user = user,
    };
    flight->seats = seat;
    take_off(flights);
    return seat;
}

static void unqueue(struct flight *flight)
{
    struct image_flights *flights = flight->flights;
    struct flight **at = &flights->first, *before = NULL;
    for (; *at != flight; at = &(*at)->next)
        before = *at;
    *at = flight->next;
    if (flights->last == flight)
        flights->last = before;
}

int64_t image_seat_received(const struct image_seat *seat)
{
    return seat->flight->received;
}

/* The worker notices at its next read, and sweeps what it had begun. */
static void cancel(struct flight *flight)
{
    struct error err = { 0 };
    forget(flight);
    if (!flight->is_started) {
        unqueue(flight);
        flight_free(flight);
        return;
    }
    atomic_store(&flight->is_cancelled, true);
    if (flight->call)
        registry_call_cancel(TAKE(flight->call));
    error_set(&err, ERROR_CANCELLED, "nobody waits for it any more");
    if (flight->pipe)
        image_pipe_end(flight->pipe, &err);
}

void image_seat_leave(struct image_seat *seat)
{
    struct flight *flight = seat->flight;
    struct image_seat **at = &flight->seats;
    while (*at != seat)
        at = &(*at)->next;
    *at = seat->next;
    free(seat);
    if (!flight->seats && !flight->is_landed)
        cancel(flight);
}
