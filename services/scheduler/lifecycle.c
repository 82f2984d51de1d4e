#include "scheduler/lifecycle.h"

#include "scheduler/flapping.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

/* A deadline that never comes, for PARTITIONED tasks that their policy leaves alone. */
#define NEVER_MS INT64_MAX

/* Of a job's dead tasks; beyond it they go however young they are. */
#define HISTORY_HARD_FACTOR 10

static int64_t partition_due_ms(const struct task *task, int64_t since_ms)
{
    const Eos__Job__V1__PartitionPolicy *policy = task->config->message->partition_policy;
    if (!policy)
        return since_ms;
    if (!policy->reschedule)
        return NEVER_MS;
    int64_t delay_secs = policy->delay_secs < 0 ? 0 : policy->delay_secs;
    return delay_secs > INT32_MAX ? NEVER_MS : since_ms + delay_secs * 1000;
}

static int64_t prune_due_ms(const struct state_settings *s, int64_t ended_ms, int64_t now_ms)
{
    int64_t due_ms = ended_ms + s->history_max_ms;
    return due_ms > now_ms + s->history_min_ms ? due_ms : now_ms + s->history_min_ms;
}

/* Sets what is due next for a task in its state; `now_ms` may be much later than its last event when
 * it has just been loaded. */
static void set_deadline(struct state *state, struct task *task, int64_t now_ms)
{
    const struct task_event *last = task_last_event(task);
    int64_t due_ms = NEVER_MS;

    if (task->status == TASK_THROTTLED)
        due_ms = last->at_ms + flapping_penalty_ms(state, task);
    else if (task->status == TASK_PARTITIONED)
        due_ms = partition_due_ms(task, last->at_ms);
    else if (task_status_is(task->status, TASK_IS_TRANSIENT))
        due_ms = now_ms + state->settings.transient_timeout_ms;
    else if (task_status_is(task->status, TASK_IS_TERMINAL))
        due_ms = prune_due_ms(&state->settings, last->at_ms, now_ms);

    if (due_ms == NEVER_MS)
        deadlines_clear(&state->deadlines, &task->deadline);
    else
        deadlines_set(&state->deadlines, &task->deadline, due_ms);
}

/* The launcher keeps what is left of a dead task until the scheduler forgets it. */
static void prune(struct state *state, struct task *task)
{
    if (task->host && task->host->is_connected) {
        map_put(task->host->forgets, slice_of(task->id), task->host);
        state_wake(state, task->host);
    }
    state->counters.tasks_pruned++;
    state_remove_task(state, task);
}

static struct task *oldest_dead(const struct job *job)
{
    struct task *oldest = NULL;
    for (size_t i = 0; i < job->task_count; i++) {
        struct task *task = job->tasks[i];
        if (task_status_is(task->status, TASK_IS_TERMINAL) &&
            (!oldest || task_last_event(task)->at_ms < task_last_event(oldest)->at_ms))
            oldest = task;
    }
    return oldest;
}

static void prune_job(struct state *state, struct job *job, int64_t now_ms)
{
    const struct state_settings *s = &state->settings;
    while (job->terminal_count > (size_t)s->history_per_job) {
        struct task *oldest = oldest_dead(job);
        bool is_old = now_ms - task_last_event(oldest)->at_ms >= s->history_min_ms;
        if (!is_old && job->terminal_count <= HISTORY_HARD_FACTOR * (size_t)s->history_per_job)
            return;
        bool was_last = job->task_count == 1;
        prune(state, oldest);
        if (was_last)
            return;
    }
}

/* The action SAVE, with what follows from being in the new state. */
static void save(struct state *state, struct task *task, enum task_status to, const char *message,
                 int64_t now_ms)
{
    if (task->status == TASK_PENDING)
        state_dequeue(state, task);
    if (to == TASK_PARTITIONED) {
        task->times_partitioned++;
        task_fold_partitions(task);
    }
    state_count_task(state, task, -1);
    task_add_event(task, to, message, now_ms);
    state_count_task(state, task, 1);
    task->told_ms = 0;
    if (to == TASK_PENDING)
        state_enqueue(state, task);
    if (task_status_is(to, TASK_IS_TERMINAL))
        state_vacate(state, task);
    set_deadline(state, task, now_ms);
    state_changed(state, &task->entity);
}

static struct task *create(struct state *state, struct job *job, struct task_config *config,
                           int32_t instance)
{
    char *id = task_id_make(job_key(job), instance, &state->random);
    struct task *task = task_new(id, state->next_serial, job, config, instance);
    state_add_task(state, task);
    state->counters.tasks_created++;
    return task;
}

struct task *lifecycle_create(struct state *state, struct job *job, struct task_config *config,
                              int32_t instance, int64_t now_ms)
{
    struct task *task = create(state, job, config, instance);
    lifecycle_change(state, task, TASK_PENDING, NULL, now_ms);
    return task;
}

static void reschedule(struct state *state, struct task *old, int64_t now_ms)
{
    struct task *task = create(state, old->job, old->config, old->instance);
    task->ancestor_id = xstrdup(old->id);
    task->failure_count = old->failure_count;

    int64_t penalty_ms = flapping_penalty_ms(state, old);
    if (penalty_ms == 0) {
        lifecycle_change(state, task, TASK_PENDING, "Rescheduled", now_ms);
        return;
    }
    cleanup_free char *message =
        xasprintf("Rescheduled, penalized for %" PRId64 " ms for flapping", penalty_ms);
    lifecycle_change(state, task, TASK_THROTTLED, message, now_ms);
    state->counters.tasks_throttled++;
}

/* A task in one of the stopping states is itself the reminder to kill it; any other is remembered as
 * one that runs where it should not. */
static void order_kill(struct state *state, struct task *task)
{
    if (!task->host)
        return;
    task->told_ms = 0;
    if (!task_status_is(task->status, TASK_IS_STOPPING))
        host_add_stray(task->host, slice_of(task->id));
    state_wake(state, task->host);
}

enum task_step_result lifecycle_change(struct state *state, struct task *task, enum task_status to,
                                       const char *message, int64_t now_ms)
{
    struct task_facts facts = task_facts(task);
    struct task_step step = task_step(task->status, to, &facts);

    if (step.result == STEP_ILLEGAL)
        state->counters.illegal_changes++;
    if (step.actions & DO_INCREMENT_FAILURES)
        task->failure_count++;
    if (step.actions & DO_SAVE)
        save(state, task, to, message, now_ms);
    if (step.actions & DO_RESCHEDULE)
        reschedule(state, task, now_ms);
    if (step.actions & DO_TRANSITION_TO_LOST)
        lifecycle_change(state, task, TASK_LOST,
                         "Action performed on partitioned task, marking as LOST.", now_ms);
    if (step.actions & DO_KILL)
        order_kill(state, task);
    if (step.actions & DO_DELETE)
        state_remove_task(state, task);
    else if (step.result == STEP_SUCCESS && task_status_is(to, TASK_IS_TERMINAL))
        prune_job(state, task->job, now_ms);
    return step.result;
}

void lifecycle_progress(struct state *state, struct task *task, const char *message)
{
    if (task_set_message(task, message))
        state_changed(state, &task->entity);
}

void lifecycle_assign(struct state *state, struct task *task, struct host *host, int64_t now_ms)
{
    size_t ports = (size_t)task->config->demand.ports;

    assert(task->status == TASK_PENDING && !task->host);
    task->host = host;
    host->references++;
    if (ports > 0) {
        task->ports = xcalloc(ports, sizeof *task->ports);
        host_take_ports(host, ports, random_next(&state->random), task->ports);
    }
    state_occupy(state, task);
    enum task_step_result result = lifecycle_change(state, task, TASK_ASSIGNED, NULL, now_ms);
    assert(result == STEP_SUCCESS);
    state->counters.tasks_placed++;
    state_wake(state, host);
}

static void expire(struct state *state, struct task *task, int64_t now_ms)
{
    if (task->status == TASK_THROTTLED) {
        lifecycle_change(state, task, TASK_PENDING, NULL, now_ms);
    } else if (task->status == TASK_PARTITIONED) {
        lifecycle_change(state, task, TASK_LOST, "Task partitioned for too long.", now_ms);
    } else if (task_status_is(task->status, TASK_IS_TRANSIENT)) {
        state->counters.tasks_timed_out++;
        lifecycle_change(state, task, TASK_LOST, "Task timed out", now_ms);
    } else if (task_status_is(task->status, TASK_IS_TERMINAL)) {
        prune(state, task);
    }
}

bool lifecycle_expire(struct state *state, size_t limit, int64_t now_ms)
{
    for (size_t i = 0; i < limit; i++) {
        struct deadline *due = deadlines_take(&state->deadlines, now_ms);
        if (!due)
            return false;
        expire(state, (struct task *)((char *)due - offsetof(struct task, deadline)), now_ms);
    }
    return true;
}

static void lose_host(struct state *state, struct host *host, int64_t now_ms)
{
    host->is_connected = host->has_picture = false;
    state->counters.hosts_lost++;
    for (struct task *task = host->tasks, *next; task; task = next) {
        next = task->next_on_host;
        if (task->status == TASK_ASSIGNED)
            lifecycle_change(state, task, TASK_LOST, "The host did not answer any more.", now_ms);
        else
            lifecycle_change(state, task, TASK_PARTITIONED, "The host does not answer any more.",
                             now_ms);
    }
}

void lifecycle_check_hosts(struct state *state, int64_t now_ms)
{
    size_t cursor = 0;
    struct slice key;
    void *value;

    while (map_next(state->hosts, &cursor, &key, &value)) {
        struct host *host = value;
        int64_t silent_ms = now_ms - host->last_seen_ms;
        if (host->is_connected && silent_ms > state->settings.host_timeout_ms)
            lose_host(state, host, now_ms);
        if (!host->is_connected && host->references == 0 && !host->is_woken &&
            silent_ms > HOST_FORGET_MS)
            state_remove_host(state, host);
    }
}

void lifecycle_restore(struct state *state, struct task *task, int64_t now_ms)
{
    if (task->status == TASK_PENDING)
        state_enqueue(state, task);
    if (task->host && task_status_is(task->status, TASK_IS_ON_HOST))
        state_occupy(state, task);
    set_deadline(state, task, now_ms);
}
