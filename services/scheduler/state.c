#include "scheduler/state.h"

#include "scheduler/request_memory.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>

#define SECOND 1000ll
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)

const struct state_settings state_default_settings = {
    .scheduler_name = "",
    .cluster = "",
    .host_timeout_ms = 75 * SECOND,
    .transient_timeout_ms = 5 * MINUTE,
    .flapping_threshold_ms = 5 * MINUTE,
    .flapping_delay_min_ms = 30 * SECOND,
    .flapping_delay_max_ms = 5 * MINUTE,
    .history_min_ms = HOUR,
    .history_max_ms = 48 * HOUR,
    .history_per_job = 100,
    .launch_repeat_ms = 2 * SECOND,
    .kill_repeat_ms = 15 * SECOND,
    .reconcile_ms = HOUR,
    .rules = { .max_tasks_per_job = 4000 },
};

struct state *state_new(const struct state_settings *settings, struct random random)
{
    struct state *state = xcalloc(1, sizeof *state);
    state->settings = *settings;
    state->random = random;
    state->configs = map_new();
    state->configs_by_id = map_new();
    state->tasks = map_new();
    state->hosts = map_new();
    state->requests = map_new();
    state->next_config_id = state->next_serial = 1;
    change_list_init(&state->changes);
    return state;
}

void state_free(struct state *state)
{
    size_t cursor;
    struct slice key;
    void *value;

    if (!state)
        return;
    for (struct entity *entity; (entity = change_list_take(&state->changes));)
        if (entity->is_deleted)
            entity_free(entity);
    struct map *maps[] = { state->tasks, state->hosts, state->configs_by_id, state->requests };
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
        for (cursor = 0; map_next(maps[i], &cursor, &key, &value);)
            entity_free(value);
        map_free(maps[i]);
    }
    for (size_t i = 0; i < state->job_count; i++)
        entity_free(&state->jobs[i]->entity);
    free(state->jobs);
    map_free(state->configs);
    deadlines_done(&state->deadlines);
    free(state);
}

void entity_free(void *entity)
{
    switch (((struct entity *)entity)->kind) {
    case ENTITY_CONFIG:
        task_config_free(entity);
        return;
    case ENTITY_JOB:
        job_free(entity);
        return;
    case ENTITY_HOST:
        host_free(entity);
        return;
    case ENTITY_TASK:
        task_free(entity);
        return;
    case ENTITY_REQUEST:
        remembered_request_free(entity);
        return;
    case ENTITY_KIND_COUNT:
        break;
    }
    assert(false && "a kind of entity");
}

void state_changed(struct state *state, struct entity *entity)
{
    change_list_add(&state->changes, entity);
}

static void delete_entity(struct state *state, struct entity *entity)
{
    entity->is_deleted = true;
    state_changed(state, entity);
}

/* -- finding -------------------------------------------------------------------------------------- */

size_t state_job_from(const struct state *state, const Eos__Job__V1__JobKey *key, bool at_key)
{
    size_t low = 0, high = state->job_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = job_key_compare(job_key(state->jobs[middle]), key);
        if (order < 0 || (order == 0 && !at_key))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct job *state_find_job(const struct state *state, const Eos__Job__V1__JobKey *key)
{
    size_t at = state_job_from(state, key, true);
    if (at == state->job_count || job_key_compare(job_key(state->jobs[at]), key) != 0)
        return NULL;
    return state->jobs[at];
}

struct task *state_find_task(const struct state *state, const char *id)
{
    return map_get(state->tasks, slice_of(id));
}

struct host *state_find_host(const struct state *state, const char *id)
{
    return map_get(state->hosts, slice_of(id));
}

/* -- configurations ------------------------------------------------------------------------------- */

void state_add_config(struct state *state, struct task_config *config)
{
    struct arena *arena = arena_new();
    map_put(state->configs, message_pack(&config->message->base, arena), config);
    map_put(state->configs_by_id, map_key_u64(&config->id), config);
    if (config->id >= state->next_config_id)
        state->next_config_id = config->id + 1;
    arena_free(arena);
}

struct task_config *state_intern(struct state *state, Eos__Job__V1__TaskConfig *message)
{
    struct arena *arena = arena_new();
    struct task_config *config = map_get(state->configs, message_pack(&message->base, arena));
    arena_free(arena);
    if (config) {
        message_free(message);
        return config;
    }
    config = task_config_new(state->next_config_id, message);
    state_add_config(state, config);
    state_changed(state, &config->entity);
    return config;
}

void state_use_config(struct task_config *config)
{
    config->uses++;
}

void state_drop_config(struct state *state, struct task_config *config)
{
    assert(config->uses > 0);
    if (--config->uses > 0)
        return;
    struct arena *arena = arena_new();
    map_remove(state->configs, message_pack(&config->message->base, arena));
    map_remove(state->configs_by_id, map_key_u64(&config->id));
    arena_free(arena);
    delete_entity(state, &config->entity);
}

/* -- jobs, hosts, tasks --------------------------------------------------------------------------- */

void state_add_job(struct state *state, struct job *job)
{
    size_t at = state_job_from(state, job_key(job), true);
    if (state->job_count == state->job_capacity) {
        state->job_capacity = state->job_capacity ? 2 * state->job_capacity : 64;
        state->jobs = xreallocarray(state->jobs, state->job_capacity, sizeof(struct job *));
    }
    memmove(&state->jobs[at + 1], &state->jobs[at], (state->job_count - at) * sizeof(struct job *));
    state->jobs[at] = job;
    state->job_count++;
    state_use_config(job->config);
}

void state_remove_job(struct state *state, struct job *job)
{
    size_t at = state_job_from(state, job_key(job), true);
    assert(at < state->job_count && state->jobs[at] == job && job->task_count == 0);
    memmove(&state->jobs[at], &state->jobs[at + 1],
            (state->job_count - at - 1) * sizeof(struct job *));
    state->job_count--;
    state_drop_config(state, job->config);
    delete_entity(state, &job->entity);
}

void state_add_host(struct state *state, struct host *host)
{
    map_put(state->hosts, slice_of(host_id(host)), host);
}

void state_remove_host(struct state *state, struct host *host)
{
    assert(host->references == 0 && !host->is_woken);
    map_remove(state->hosts, slice_of(host_id(host)));
    delete_entity(state, &host->entity);
}

void state_count_task(struct state *state, const struct task *task, int by)
{
    state->status_counts[task->status] += (size_t)by;
    if (task_status_is(task->status, TASK_IS_ACTIVE))
        task->job->active_count += (size_t)by;
    if (task_status_is(task->status, TASK_IS_TERMINAL))
        task->job->terminal_count += (size_t)by;
}

void state_add_task(struct state *state, struct task *task)
{
    map_put(state->tasks, slice_of(task->id), task);
    job_add_task(task->job, task);
    state_use_config(task->config);
    state_count_task(state, task, 1);
    if (task->host)
        task->host->references++;
    if (task->serial >= state->next_serial)
        state->next_serial = task->serial + 1;
}

void state_remove_task(struct state *state, struct task *task)
{
    struct job *job = task->job;

    state_vacate(state, task);
    if (task->status == TASK_PENDING)
        state_dequeue(state, task);
    deadlines_clear(&state->deadlines, &task->deadline);
    state_count_task(state, task, -1);
    map_remove(state->tasks, slice_of(task->id));
    job_remove_task(job, task);
    if (task->host)
        task->host->references--;
    state_drop_config(state, task->config);
    delete_entity(state, &task->entity);
    if (job->task_count == 0)
        state_remove_job(state, job);
}

/* -- occupation ----------------------------------------------------------------------------------- */

void state_occupy(struct state *state, struct task *task)
{
    struct host *host = task->host;
    (void)state;
    assert(host && !task->is_placed);
    task->is_placed = true;
    resources_add(&host->used, &task->config->demand);
    host_mark_ports(host, task->ports, (size_t)task->config->demand.ports);
    task->previous_on_host = NULL;
    task->next_on_host = host->tasks;
    if (host->tasks)
        host->tasks->previous_on_host = task;
    host->tasks = task;
    host->task_count++;
}

void state_vacate(struct state *state, struct task *task)
{
    struct host *host = task->host;
    if (!task->is_placed)
        return;
    task->is_placed = false;
    resources_subtract(&host->used, &task->config->demand);
    host_return_ports(host, task->ports, (size_t)task->config->demand.ports);
    if (task->previous_on_host)
        task->previous_on_host->next_on_host = task->next_on_host;
    else
        host->tasks = task->next_on_host;
    if (task->next_on_host)
        task->next_on_host->previous_on_host = task->previous_on_host;
    host->task_count--;
    state_capacity_grew(state);
}

void state_capacity_grew(struct state *state)
{
    state->capacity_epoch++;
    state->is_placement_due = true;
}

/* -- queues --------------------------------------------------------------------------------------- */

static void add_group(struct state *state, struct task_config *config)
{
    config->tried_at = UINT64_MAX;
    config->next_group = NULL;
    config->previous_group = state->last_group;
    if (state->last_group)
        state->last_group->next_group = config;
    else
        state->first_group = config;
    state->last_group = config;
}

static void remove_group(struct state *state, struct task_config *config)
{
    if (config->previous_group)
        config->previous_group->next_group = config->next_group;
    else
        state->first_group = config->next_group;
    if (config->next_group)
        config->next_group->previous_group = config->previous_group;
    else
        state->last_group = config->previous_group;
}

void state_enqueue(struct state *state, struct task *task)
{
    struct task_config *config = task->config;
    if (config->pending_count++ == 0)
        add_group(state, config);
    task->next_pending = NULL;
    task->previous_pending = config->pending_last;
    if (config->pending_last)
        config->pending_last->next_pending = task;
    else
        config->pending_first = task;
    config->pending_last = task;
    state->is_placement_due = true;
}

void state_dequeue(struct state *state, struct task *task)
{
    struct task_config *config = task->config;
    if (task->previous_pending)
        task->previous_pending->next_pending = task->next_pending;
    else
        config->pending_first = task->next_pending;
    if (task->next_pending)
        task->next_pending->previous_pending = task->previous_pending;
    else
        config->pending_last = task->previous_pending;
    if (--config->pending_count == 0)
        remove_group(state, config);
}

void state_wake(struct state *state, struct host *host)
{
    if (host->is_woken)
        return;
    host->is_woken = true;
    host->next_woken = state->woken;
    state->woken = host;
}

struct host *state_next_woken(struct state *state)
{
    struct host *host = state->woken;
    if (!host)
        return NULL;
    state->woken = host->next_woken;
    host->is_woken = false;
    return host;
}
