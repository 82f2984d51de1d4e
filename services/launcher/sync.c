#include "launcher/sync.h"

#include "launcher/poll_pace.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/random.h"
#include "io/log.h"

#include <assert.h>

#define WAIT_MS         15000 /* how long the scheduler may hold a poll */
#define DEADLINE_MS     25000
#define DRAIN_MS        2000
#define LOOK_MS         500 /* how often the connection is looked at */
#define POLLS_IN_FLIGHT 4   /* the scheduler lets older ones go; if not, the oldest is taken back */

typedef Eos__Scheduler__V1__SyncRequest sync_request;
typedef Eos__Scheduler__V1__SyncResponse sync_response;

struct poll {
    struct poll *next; /* sent later */
    struct sync *sync;
    struct rpc_call *call;
    uint64_t sequence;
    bool has_picture;
};

struct sync {
    struct sync_options options;
    struct rpc_client *client;
    struct poll_pace pace;
    struct random random;
    uint64_t sequence;
    struct poll *oldest, **newest; /* in flight */
    size_t in_flight;
    bool wants_picture, is_draining, is_closing, was_connected, has_failed;
    uv_timer_t due, look;
    unsigned open_parts; /* two timers, and the calls in flight */
    void (*on_drained)(void *user);
    void *drain_user;
    void (*on_closed)(void *user);
    void *closed_user;
};

static void consider(struct sync *sync);

static int64_t now_ms(const struct sync *sync)
{
    return (int64_t)uv_now(sync->options.loop);
}

static void part_closed(struct sync *sync)
{
    if (--sync->open_parts > 0)
        return;
    void (*on_closed)(void *user) = sync->on_closed;
    void *user = sync->closed_user;
    free(sync);
    if (on_closed)
        on_closed(user);
}

/* -- the answer ----------------------------------------------------------------------------------- */

static void take_answer(struct sync *sync, const sync_response *response)
{
    struct tasks *tasks = sync->options.tasks;
    for (size_t i = 0; i < response->n_acknowledged; i++)
        tasks_acknowledge(tasks, response->acknowledged[i]);
    if (response->want_all_tasks)
        sync->wants_picture = true;
    for (size_t i = 0; i < response->n_kill; i++)
        tasks_kill(tasks, response->kill[i]);
    for (size_t i = 0; i < response->n_forget; i++)
        tasks_forget(tasks, response->forget[i]);
    for (size_t i = 0; i < response->n_launch && !sync->is_draining; i++)
        tasks_launch(tasks, response->launch[i]);
}

static void finish_drain(struct sync *sync)
{
    void (*done)(void *user) = TAKE(sync->on_drained);
    if (done)
        done(sync->drain_user);
}

static void take_failure(struct sync *sync, const struct poll *poll, const struct error *err)
{
    if (poll->has_picture)
        sync->wants_picture = true;
    if (poll->sequence != sync->sequence)
        return; /* given up for a later one */
    if (!sync->has_failed)
        log_warning("the scheduler does not answer", "scheduler", sync->options.scheduler, "reason",
                    err->message);
    sync->has_failed = true;
    poll_pace_failed(&sync->pace, (unsigned)random_below(&sync->random, 1000), now_ms(sync));
}

static void unlink_poll(struct poll *poll)
{
    struct sync *sync = poll->sync;
    struct poll **at = &sync->oldest;
    while (*at != poll)
        at = &(*at)->next;
    *at = poll->next;
    if (!poll->next)
        sync->newest = at;
    sync->in_flight--;
}

static void on_answer(void *user, const ProtobufCMessage *response, const struct error *err)
{
    struct poll *poll = user;
    struct sync *sync = poll->sync;

    unlink_poll(poll);
    if (!sync->is_closing && response) {
        if (sync->has_failed)
            log_info("the scheduler answers again", "scheduler", sync->options.scheduler);
        sync->has_failed = false;
        if (poll->sequence == sync->sequence)
            poll_pace_answered(&sync->pace);
        take_answer(sync, (const sync_response *)response);
    } else if (!sync->is_closing) {
        take_failure(sync, poll, err);
    }
    if (sync->is_draining && poll->sequence == sync->sequence)
        finish_drain(sync);
    free(poll);
    if (!sync->is_closing)
        consider(sync);
    part_closed(sync);
}

/* -- the question --------------------------------------------------------------------------------- */

static void describe(const struct sync *sync, sync_request *request)
{
    const struct host_facts *facts = sync->options.facts;
    request->host_id = (char *)sync->options.host_id;
    request->hostname = (char *)facts->hostname;
    request->session = (char *)sync->options.session;
    request->endpoint = (char *)sync->options.endpoint;
    request->attributes = facts->attributes;
    request->n_attributes = facts->attribute_count;
    request->total = facts->total;
    request->version = EOS_VERSION;
}

/* What its answer may have held is said again. */
static void take_back_oldest(struct sync *sync)
{
    struct poll *poll = sync->oldest;
    sync->wants_picture |= poll->has_picture;
    unlink_poll(poll);
    rpc_call_cancel(poll->call);
    free(poll);
    sync->open_parts--; /* the timers are still there */
}

static void send_poll(struct sync *sync)
{
    struct arena *arena = arena_new();
    struct poll *poll = xcalloc(1, sizeof *poll);
    struct rpc_call_options options = { .deadline_ms = sync->is_draining ? DRAIN_MS : DEADLINE_MS };
    sync_request request = EOS__SCHEDULER__V1__SYNC_REQUEST__INIT;
    struct error err;

    if (sync->in_flight == POLLS_IN_FLIGHT)
        take_back_oldest(sync);
    describe(sync, &request);
    request.sequence = ++sync->sequence;
    request.is_draining = sync->is_draining || tasks_are_stopped(sync->options.tasks);
    request.wait_ms = sync->is_draining ? 0 : WAIT_MS;
    request.has_all_tasks = sync->wants_picture;
    request.n_updates = updates_to_send(sync->options.updates, arena, &request.updates);
    if (sync->wants_picture)
        request.n_tasks = tasks_picture(sync->options.tasks, arena, &request.tasks);
    *poll = (struct poll){ .sync = sync,
                           .sequence = sync->sequence,
                           .has_picture = sync->wants_picture };
    poll_pace_sent(&sync->pace, request.n_updates > 0 || sync->wants_picture, now_ms(sync));
    sync->wants_picture = false;
    poll->call = rpc_call(sync->client, &eos__scheduler__v1__cluster__descriptor, "Sync",
                          &request.base, &options, on_answer, poll, &err);
    arena_free(arena);
    if (poll->call) {
        *sync->newest = poll;
        sync->newest = &poll->next;
        sync->in_flight++;
        sync->open_parts++;
        return;
    }
    take_failure(sync, poll, &err);
    free(poll);
}

static void on_due(uv_timer_t *timer)
{
    consider(timer->data);
}

/* Sends the next poll, or sets the timer for it. */
static void consider(struct sync *sync)
{
    bool has_news = updates_has_news(sync->options.updates) || sync->wants_picture;
    int64_t due_ms = poll_pace_due_ms(&sync->pace, has_news);

    uv_timer_stop(&sync->due);
    if (due_ms == POLL_NEVER || sync->is_draining)
        return;
    if (due_ms <= now_ms(sync))
        send_poll(sync);
    else
        uv_timer_start(&sync->due, on_due, (uint64_t)(due_ms - now_ms(sync)), 0);
}

/* A poll that was under way when the connection broke may have been lost with it. */
static void on_look(uv_timer_t *timer)
{
    struct sync *sync = timer->data;
    bool is_connected = rpc_client_is_connected(sync->client);
    if (is_connected && !sync->was_connected)
        sync->pace.is_stale = sync->pace.is_open;
    sync->was_connected = is_connected;
    consider(sync);
}

/* Not at once: several tasks may have something to tell in this turn of the loop. */
void sync_poke(struct sync *sync)
{
    if (!sync->is_closing && !sync->is_draining && !uv_is_active((uv_handle_t *)&sync->due))
        uv_timer_start(&sync->due, on_due, 0, 0);
}

bool sync_is_connected(const struct sync *sync)
{
    return sync->was_connected;
}

/* -- opening and closing -------------------------------------------------------------------------- */

struct sync *sync_open(const struct sync_options *options, struct error *err)
{
    struct rpc_client_options client = { .url = options->scheduler,
                                         .caller = "launcher",
                                         .key = options->key };
    struct sync *sync = xcalloc(1, sizeof *sync);

    sync->options = *options;
    sync->wants_picture = true;
    sync->newest = &sync->oldest;
    sync->client = rpc_client_open(options->loop, &client, err);
    if (!sync->client || uv_random(NULL, NULL, &sync->random, sizeof sync->random, 0, NULL) < 0) {
        rpc_client_close(sync->client);
        free(sync);
        return NULL;
    }
    uv_timer_init(options->loop, &sync->due);
    uv_timer_init(options->loop, &sync->look);
    sync->due.data = sync->look.data = sync;
    sync->open_parts = 2;
    uv_timer_start(&sync->due, on_due, 0, 0);
    uv_timer_start(&sync->look, on_look, LOOK_MS, LOOK_MS);
    return sync;
}

void sync_drain(struct sync *sync, void (*done)(void *user), void *user)
{
    sync->is_draining = true;
    sync->on_drained = done;
    sync->drain_user = user;
    uv_timer_stop(&sync->due);
    uv_timer_stop(&sync->look);
    send_poll(sync);
    if (sync->in_flight == 0)
        finish_drain(sync);
}

static void on_timer_closed(uv_handle_t *handle)
{
    part_closed(handle->data);
}

void sync_close(struct sync *sync, void (*on_closed)(void *user), void *user)
{
    if (!sync)
        return;
    sync->is_closing = true;
    sync->on_drained = NULL;
    sync->on_closed = on_closed;
    sync->closed_user = user;
    rpc_client_close(TAKE(sync->client));
    uv_close((uv_handle_t *)&sync->due, on_timer_closed);
    uv_close((uv_handle_t *)&sync->look, on_timer_closed);
}
