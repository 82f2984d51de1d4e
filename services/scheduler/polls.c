#include "scheduler/polls.h"

#include "base/alloc.h"

#include <stdlib.h>

struct polls {
    struct state *state;
    struct journal *journal;
    struct map *held; /* by host id */
};

struct poll {
    struct polls *polls;
    struct rpc_request *request;
    struct host *host;
    int64_t until_ms;
    bool is_over;
    sync_response response;
};

static const sync_request *message_of(const struct poll *poll)
{
    return rpc_request_message(poll->request);
}

static void let_go(struct poll *poll)
{
    map_remove(poll->polls->held, slice_of(message_of(poll)->host_id));
}

static void give_up(struct poll *poll, const char *why)
{
    struct error err;
    (void)error_set(&err, ERROR_ABORTED, "%s", why);
    let_go(poll);
    rpc_fail(poll->request, &err);
    free(poll);
}

/* The launcher went away, or asks anew with more to tell. */
static void on_cancel(void *user)
{
    struct poll *poll = user;
    struct map *held = poll->polls->held;
    if (map_get(held, slice_of(message_of(poll)->host_id)) == poll)
        give_up(poll, "the poll was cancelled");
}

static void send_answer(void *item)
{
    struct poll *poll = item;
    rpc_request_on_cancel(poll->request, NULL, NULL);
    rpc_reply(poll->request, &poll->response.base);
    free(poll);
}

struct polls *polls_new(struct state *state, struct journal *journal)
{
    struct polls *polls = xcalloc(1, sizeof *polls);
    polls->state = state;
    polls->journal = journal;
    polls->held = map_new();
    return polls;
}

void polls_free(struct polls *polls)
{
    size_t cursor = 0;
    struct slice key;
    void *value;

    if (!polls)
        return;
    while (map_next(polls->held, &cursor, &key, &value))
        give_up(value, "the scheduler stops");
    map_free(polls->held);
    free(polls);
}

void polls_take(struct polls *polls, struct rpc_request *request, int64_t now_ms)
{
    const sync_request *message = rpc_request_message(request);
    struct host *host;
    struct error err;

    if (!sync_take_in(polls->state, message, now_ms, &host, &err)) {
        rpc_fail(request, &err);
        return;
    }
    struct poll *older = map_get(polls->held, slice_of(message->host_id));
    if (older)
        give_up(older, "a later poll has come");
    struct poll *poll = xcalloc(1, sizeof *poll);
    poll->polls = polls;
    poll->request = request;
    poll->host = host;
    poll->until_ms = now_ms + sync_hold_ms(polls->state, message);
    eos__scheduler__v1__sync_response__init(&poll->response);
    map_put(polls->held, slice_of(message->host_id), poll);
    rpc_request_on_cancel(request, on_cancel, poll);
}

void polls_answer(struct polls *polls, int64_t now_ms)
{
    struct host *host;
    while ((host = state_next_woken(polls->state))) {
        struct poll *poll = map_get(polls->held, slice_of(host_id(host)));
        if (!poll)
            continue;
        bool has_news = sync_answer(polls->state, host, message_of(poll), now_ms,
                                    rpc_request_arena(poll->request), &poll->response);
        if (!has_news && !poll->is_over) {
            eos__scheduler__v1__sync_response__init(&poll->response);
            continue;
        }
        let_go(poll);
        journal_after(polls->journal, send_answer, poll);
    }
}

void polls_tick(struct polls *polls, int64_t now_ms)
{
    size_t cursor = 0;
    struct slice key;
    void *value;

    while (map_next(polls->held, &cursor, &key, &value)) {
        struct poll *poll = value;
        if (now_ms >= poll->until_ms)
            poll->is_over = true;
        if (poll->is_over || sync_is_due(poll->host, now_ms))
            state_wake(polls->state, poll->host);
    }
}

void polls_dismiss(struct polls *polls)
{
    size_t cursor = 0;
    struct slice key;
    void *value;

    while (map_next(polls->held, &cursor, &key, &value)) {
        struct poll *poll = value;
        poll->is_over = true;
        state_wake(polls->state, poll->host);
    }
}

size_t polls_count(const struct polls *polls)
{
    return map_count(polls->held);
}
