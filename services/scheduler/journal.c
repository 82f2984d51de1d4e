#include "scheduler/journal.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/log.h"
#include "io/metrics.h"

#include <assert.h>
#include <stdlib.h>

#define RETRY_MS 1000

struct waiter {
    void (*release)(void *item);
    void *item;
};

struct waiters {
    struct waiter *items;
    size_t count, capacity;
};

struct journal {
    struct journal_options options;
    uv_prepare_t turn;
    uv_timer_t retry;
    uv_work_t work;
    bool is_writing, is_healthy, is_closing;
    unsigned open_handles;

    struct arena *arena; /* of the batch */
    struct record *records;
    size_t record_count;
    uint64_t started_ns;
    bool ok; /* what the worker found */
    struct error error;

    struct waiters waiting, writing; /* for the next batch, and for this one */
    void (*closed)(void *ctx);
    void *closed_ctx;
    struct metric *commits, *written, *failures;
    struct histogram *seconds;
};

static void release_all(struct waiters *waiters)
{
    struct waiters taken = *waiters;
    *waiters = (struct waiters){ 0 };
    for (size_t i = 0; i < taken.count; i++)
        taken.items[i].release(taken.items[i].item);
    free(taken.items);
}

void journal_after(struct journal *journal, void (*release)(void *item), void *item)
{
    struct waiters *waiters = &journal->waiting;
    if (waiters->count == waiters->capacity) {
        waiters->capacity = waiters->capacity ? 2 * waiters->capacity : 64;
        waiters->items = xreallocarray(waiters->items, waiters->capacity, sizeof *waiters->items);
    }
    waiters->items[waiters->count++] = (struct waiter){ release, item };
}

/* Turns what has changed into records, and lets go of what was deleted. */
static void collect(struct journal *journal)
{
    struct change_list *changes = &journal->options.state->changes;
    struct entity *entity;

    arena_reset(journal->arena);
    journal->record_count = 0;
    journal->records = arena_array(journal->arena, changes->count, sizeof *journal->records);
    while ((entity = change_list_take(changes))) {
        journal->records[journal->record_count++] = record_of(entity, journal->arena);
        if (entity->is_deleted)
            entity_free(entity);
    }
}

static void write_batch(uv_work_t *work)
{
    struct journal *journal = work->data;
    journal->ok = store_append(journal->options.store, journal->records, journal->record_count,
                               &journal->error);
}

static void on_written(uv_work_t *work, int status);

static void start_writing(struct journal *journal)
{
    journal->started_ns = uv_hrtime();
    int status = uv_queue_work(journal->turn.loop, &journal->work, write_batch, on_written);
    assert(status == 0); /* it fails only without a work function */
}

static void on_retry(uv_timer_t *timer)
{
    start_writing(timer->data);
}

static void finish_closing(struct journal *journal);

static void on_failed(struct journal *journal)
{
    if (journal->is_healthy)
        log_error("the state cannot be written, trying again", "error", journal->error.message);
    journal->is_healthy = false;
    metric_add(journal->failures, 1);
    if (journal->is_closing)
        finish_closing(journal);
    else
        uv_timer_start(&journal->retry, on_retry, RETRY_MS, 0);
}

static void on_written(uv_work_t *work, int status)
{
    struct journal *journal = work->data;
    assert(status == 0);
    if (!journal->ok) {
        on_failed(journal);
        return;
    }
    if (!journal->is_healthy)
        log_info("the state can be written again");
    journal->is_healthy = true;
    journal->is_writing = false;
    histogram_observe(journal->seconds, (double)(uv_hrtime() - journal->started_ns) / 1e9);
    metric_add(journal->commits, 1);
    metric_add(journal->written, (double)journal->record_count);
    release_all(&journal->writing);
    if (journal->is_closing)
        finish_closing(journal);
}

static void on_turn(uv_prepare_t *turn)
{
    struct journal *journal = turn->data;
    if (journal->is_writing)
        return;
    journal->options.before_batch(journal->options.ctx);
    if (journal->options.state->changes.count == 0) {
        release_all(&journal->waiting);
        return;
    }
    journal->is_writing = true;
    journal->writing = journal->waiting;
    journal->waiting = (struct waiters){ 0 };
    collect(journal);
    start_writing(journal);
}

struct journal *journal_open(uv_loop_t *loop, const struct journal_options *options)
{
    struct journal *journal = xcalloc(1, sizeof *journal);
    journal->options = *options;
    journal->arena = arena_new();
    journal->is_healthy = true;
    journal->commits = metric_open(METRIC_COUNTER, "eos_scheduler_commits_total",
                                   "Batches of changes that were written.", NULL);
    journal->written = metric_open(METRIC_COUNTER, "eos_scheduler_records_written_total",
                                   "Records that were written.", NULL);
    journal->failures = metric_open(METRIC_COUNTER, "eos_scheduler_commit_failures_total",
                                    "Attempts to write that failed.", NULL);
    journal->seconds =
        histogram_open("eos_scheduler_commit_seconds", "How long it took to write a batch.", NULL);
    journal->turn.data = journal->retry.data = journal->work.data = journal;
    journal->open_handles = 2;
    uv_prepare_init(loop, &journal->turn);
    uv_timer_init(loop, &journal->retry);
    uv_prepare_start(&journal->turn, on_turn);
    uv_unref((uv_handle_t *)&journal->turn);
    return journal;
}

bool journal_is_idle(const struct journal *journal)
{
    return !journal->is_writing && journal->waiting.count == 0 &&
           journal->options.state->changes.count == 0;
}

bool journal_is_healthy(const struct journal *journal)
{
    return journal->is_healthy;
}

static void on_closed(uv_handle_t *handle)
{
    struct journal *journal = handle->data;
    if (--journal->open_handles > 0)
        return;
    void (*closed)(void *ctx) = journal->closed;
    void *ctx = journal->closed_ctx;
    arena_free(journal->arena);
    free(journal->waiting.items);
    free(journal->writing.items);
    free(journal);
    closed(ctx);
}

/* The loop is about to end, so this one batch is written in its thread. */
static void finish_closing(struct journal *journal)
{
    struct error err;
    if (journal->is_healthy && journal->options.state->changes.count > 0) {
        collect(journal);
        if (store_append(journal->options.store, journal->records, journal->record_count, &err))
            release_all(&journal->waiting);
        else
            log_error("the state could not be written", "error", err.message);
    }
    uv_close((uv_handle_t *)&journal->turn, on_closed);
    uv_close((uv_handle_t *)&journal->retry, on_closed);
}

void journal_close(struct journal *journal, void (*closed)(void *ctx), void *ctx)
{
    journal->closed = closed;
    journal->closed_ctx = ctx;
    journal->is_closing = true;
    uv_prepare_stop(&journal->turn);
    if (!journal->is_writing || uv_is_active((uv_handle_t *)&journal->retry))
        finish_closing(journal);
}
