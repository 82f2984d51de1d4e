#include "gateway/launchers.h"

#include "base/alloc.h"
#include "base/map.h"

#include <assert.h>

#define SWEEP_MS 10000u

struct launcher {
    struct launchers *owner;
    struct peer *peer;
    char *endpoint;
    unsigned users;
    uint64_t idle_since_ms;
};

struct launchers {
    uv_loop_t *loop;
    const struct cluster_key *key;
    struct map *by_endpoint;
    uv_timer_t sweep;
};

static void drop(struct launcher *launcher)
{
    map_remove(launcher->owner->by_endpoint, slice_of(launcher->endpoint));
    peer_close(launcher->peer);
    free(launcher->endpoint);
    free(launcher);
}

static void on_sweep(uv_timer_t *timer)
{
    struct launchers *launchers = timer->data;
    size_t cursor = 0;
    struct slice endpoint;
    void *value;
    while (map_next(launchers->by_endpoint, &cursor, &endpoint, &value)) {
        struct launcher *launcher = value;
        if (launcher->users == 0 &&
            uv_now(launchers->loop) - launcher->idle_since_ms >= LAUNCHERS_IDLE_MS)
            drop(launcher);
    }
}

struct launchers *launchers_open(uv_loop_t *loop, const struct cluster_key *key)
{
    struct launchers *launchers = xcalloc(1, sizeof *launchers);
    launchers->loop = loop;
    launchers->key = key;
    launchers->by_endpoint = map_new();
    launchers->sweep.data = launchers;
    uv_timer_init(loop, &launchers->sweep);
    uv_timer_start(&launchers->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    return launchers;
}

static void on_closed(uv_handle_t *handle)
{
    struct launchers *launchers = handle->data;
    map_free(launchers->by_endpoint);
    free(launchers);
}

void launchers_close(struct launchers *launchers)
{
    if (!launchers)
        return;
    size_t cursor = 0;
    struct slice endpoint;
    void *value;
    while (map_next(launchers->by_endpoint, &cursor, &endpoint, &value)) {
        struct launcher *launcher = value;
        assert(launcher->users == 0);
        drop(launcher);
    }
    uv_close((uv_handle_t *)&launchers->sweep, on_closed);
}

/* The one that has been unused for the longest time. */
static struct launcher *least_used(const struct launchers *launchers)
{
    struct launcher *least = NULL;
    size_t cursor = 0;
    struct slice endpoint;
    void *value;
    while (map_next(launchers->by_endpoint, &cursor, &endpoint, &value)) {
        struct launcher *launcher = value;
        if (launcher->users == 0 && (!least || launcher->idle_since_ms < least->idle_since_ms))
            least = launcher;
    }
    return least;
}

static bool make_room(struct launchers *launchers, struct error *err)
{
    if (map_count(launchers->by_endpoint) < LAUNCHERS_MAX)
        return true;
    struct launcher *least = least_used(launchers);
    if (!least)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED,
                         "requests to %d hosts are under way already", LAUNCHERS_MAX);
    drop(least);
    return true;
}

static struct launcher *open_launcher(struct launchers *launchers, const char *endpoint,
                                      struct error *err)
{
    struct rpc_client_options options = { .url = endpoint,
                                          .caller = "gateway",
                                          .key = launchers->key };
    if (!make_room(launchers, err))
        return NULL;
    struct peer *peer = peer_open(launchers->loop, &options, err);
    if (!peer) {
        error_prefix(err, "could not dial the launcher");
        return NULL;
    }
    struct launcher *launcher = xcalloc(1, sizeof *launcher);
    launcher->owner = launchers;
    launcher->peer = peer;
    launcher->endpoint = xstrdup(endpoint);
    map_put(launchers->by_endpoint, slice_of(endpoint), launcher);
    return launcher;
}

struct launcher *launchers_take(struct launchers *launchers, const char *endpoint,
                                struct error *err)
{
    struct launcher *launcher = map_get(launchers->by_endpoint, slice_of(endpoint));
    if (!launcher)
        launcher = open_launcher(launchers, endpoint, err);
    if (launcher)
        launcher->users++;
    return launcher;
}

struct peer *launcher_peer(const struct launcher *launcher)
{
    return launcher->peer;
}

void launcher_release(struct launcher *launcher)
{
    if (!launcher)
        return;
    assert(launcher->users > 0);
    launcher->users--;
    launcher->idle_since_ms = uv_now(launcher->owner->loop);
}
