#include "scheduler/records.h"

#include "scheduler/lifecycle.h"
#include "scheduler/request_memory.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

typedef Eos__Scheduler__V1__StoredConfig stored_config;
typedef Eos__Scheduler__V1__StoredJob stored_job;
typedef Eos__Scheduler__V1__StoredHost stored_host;
typedef Eos__Scheduler__V1__StoredTask stored_task;
typedef Eos__Scheduler__V1__StoredRequest stored_request;

/* -- writing -------------------------------------------------------------------------------------- */

static struct slice config_key(uint64_t id, struct arena *arena)
{
    return slice_of(arena_printf(arena, "%016" PRIx64, id));
}

static struct slice pack_config(const struct task_config *config, struct arena *arena)
{
    stored_config record = EOS__SCHEDULER__V1__STORED_CONFIG__INIT;
    record.config_id = config->id;
    record.config = config->message;
    return message_pack(&record.base, arena);
}

static Eos__Job__V1__TaskEvent **pack_events(const struct task *task, struct arena *arena)
{
    Eos__Job__V1__TaskEvent **events = arena_array(arena, task->event_count, sizeof *events);
    for (size_t i = 0; i < task->event_count; i++) {
        events[i] = arena_alloc(arena, sizeof **events);
        eos__job__v1__task_event__init(events[i]);
        events[i]->timestamp_ms = task->events[i].at_ms;
        events[i]->status =
            (Eos__Job__V1__ScheduleStatus)task_status_number(task->events[i].status);
        if (task->events[i].message)
            events[i]->message = task->events[i].message;
    }
    return events;
}

static struct slice pack_task(const struct task *task, struct arena *arena)
{
    stored_task record = EOS__SCHEDULER__V1__STORED_TASK__INIT;
    record.task_id = task->id;
    record.serial = task->serial;
    record.config_id = task->config->id;
    record.instance_id = task->instance;
    record.status = (Eos__Job__V1__ScheduleStatus)task_status_number(task->status);
    record.failure_count = task->failure_count;
    record.times_partitioned = task->times_partitioned;
    if (task->ancestor_id)
        record.ancestor_id = task->ancestor_id;
    if (task->host)
        record.host_id = task->host->message->host_id;
    record.n_ports = task->ports ? (size_t)task->config->demand.ports : 0;
    record.ports = task->ports;
    record.n_events = task->event_count;
    record.events = pack_events(task, arena);
    return message_pack(&record.base, arena);
}

static struct slice job_record_key(const struct job *job, struct arena *arena)
{
    return slice_of(arena_printf(arena, JOB_KEY_FORMAT, JOB_KEY_ARG(job_key(job))));
}

static struct slice record_key(const struct entity *entity, struct arena *arena)
{
    const void *p = entity;
    switch (entity->kind) {
    case ENTITY_CONFIG:
        return config_key(((const struct task_config *)p)->id, arena);
    case ENTITY_JOB:
        return job_record_key(p, arena);
    case ENTITY_HOST:
        return slice_of(host_id(p));
    case ENTITY_TASK:
        return slice_of(((const struct task *)p)->id);
    case ENTITY_REQUEST:
        return slice_of(((const struct remembered_request *)p)->message->request_id);
    case ENTITY_KIND_COUNT:
        break;
    }
    assert(false && "a kind of entity");
    return (struct slice){ 0 };
}

static struct slice record_value(const struct entity *entity, struct arena *arena)
{
    const void *p = entity;
    switch (entity->kind) {
    case ENTITY_CONFIG:
        return pack_config(p, arena);
    case ENTITY_JOB:
        return message_pack(&((const struct job *)p)->message->base, arena);
    case ENTITY_HOST:
        return message_pack(&((const struct host *)p)->message->base, arena);
    case ENTITY_TASK:
        return pack_task(p, arena);
    case ENTITY_REQUEST:
        return message_pack(&((const struct remembered_request *)p)->message->base, arena);
    case ENTITY_KIND_COUNT:
        break;
    }
    assert(false && "a kind of entity");
    return (struct slice){ 0 };
}

/* What a deleted entity refers to may be gone already, so nothing but its key is read. */
struct record record_of(const struct entity *entity, struct arena *arena)
{
    struct slice key = record_key(entity, arena);
    struct record record = { .kind = entity->kind };
    /* The entity may be freed before the record is written. */
    record.key = (struct slice){ arena_memdup0(arena, key.ptr, key.len), key.len };
    if (!entity->is_deleted)
        record.value = record_value(entity, arena);
    return record;
}

/* -- reading -------------------------------------------------------------------------------------- */

static struct task_config *find_config(const struct state *state, uint64_t id)
{
    return map_get(state->configs_by_id, map_key_u64(&id));
}

static bool load_config(struct state *state, void *message, struct error *err)
{
    stored_config *record = message;
    if (!record->config || !record->config->job || find_config(state, record->config_id)) {
        message_free(record);
        return error_set(err, ERROR_DATA_LOSS, "a task configuration is not complete");
    }
    state_add_config(state, task_config_new(record->config_id, TAKE(record->config)));
    message_free(record);
    return true;
}

static bool load_job(struct state *state, void *message, struct error *err)
{
    stored_job *record = message;
    struct task_config *config = find_config(state, record->config_id);
    if (!record->key || !config || state_find_job(state, record->key)) {
        message_free(record);
        return error_set(err, ERROR_DATA_LOSS, "a job has no task configuration");
    }
    state_add_job(state, job_new(record, config));
    return true;
}

static bool load_host(struct state *state, void *message, struct error *err)
{
    stored_host *record = message;
    if (!*record->host_id || state_find_host(state, record->host_id)) {
        message_free(record);
        return error_set(err, ERROR_DATA_LOSS, "a host has no identity of its own");
    }
    state_add_host(state, host_new(record));
    return true;
}

static bool task_is_whole(const struct state *state, const stored_task *record,
                          const struct task_config *config, const struct job *job,
                          const struct host *host)
{
    enum task_status status;
    return config && job && *record->task_id && !state_find_task(state, record->task_id) &&
           task_status_from_number(record->status, &status) && record->n_events > 0 &&
           record->n_events <= TASK_EVENTS_MAX && (host || !*record->host_id) &&
           (host || !task_status_is(status, TASK_IS_ON_HOST)) &&
           (!host || record->n_ports == (size_t)config->demand.ports);
}

static bool load_events(struct task *task, const stored_task *record)
{
    for (size_t i = 0; i < record->n_events; i++) {
        enum task_status status;
        if (!task_status_from_number(record->events[i]->status, &status))
            return false;
        task_add_event(task, status, record->events[i]->message, record->events[i]->timestamp_ms);
    }
    return task_status_number(task->status) == (int)record->status;
}

static struct task *task_of_record(stored_task *record, struct job *job, struct task_config *config,
                                   struct host *host)
{
    struct task *task =
        task_new(xstrdup(record->task_id), record->serial, job, config, record->instance_id);
    task->failure_count = record->failure_count;
    task->times_partitioned = record->times_partitioned;
    task->ancestor_id = *record->ancestor_id ? xstrdup(record->ancestor_id) : NULL;
    task->host = host;
    if (record->n_ports > 0) {
        task->ports = xcalloc(record->n_ports, sizeof *task->ports);
        memcpy(task->ports, record->ports, record->n_ports * sizeof *task->ports);
    }
    return task;
}

static bool load_task(struct state *state, void *message, struct error *err)
{
    stored_task *record = message;
    struct task_config *config = find_config(state, record->config_id);
    struct job *job = config ? state_find_job(state, config->message->job) : NULL;
    struct host *host = *record->host_id ? state_find_host(state, record->host_id) : NULL;

    if (!task_is_whole(state, record, config, job, host)) {
        message_free(record);
        return error_set(err, ERROR_DATA_LOSS, "a task is not complete");
    }
    struct task *task = task_of_record(record, job, config, host);
    bool ok = load_events(task, record);
    message_free(record);
    if (!ok) {
        task_free(task);
        return error_set(err, ERROR_DATA_LOSS, "the history of a task is not complete");
    }
    state_add_task(state, task);
    return true;
}

static bool load_request(struct state *state, void *message, struct error *err)
{
    stored_request *record = message;
    (void)err;
    struct remembered_request *request = remembered_request_new(record);
    struct remembered_request *old =
        map_put(state->requests, slice_of(record->request_id), request);
    remembered_request_free(old);
    return true;
}

bool record_load(struct state *state, enum entity_kind kind, struct slice value, struct error *err)
{
    static const struct {
        const ProtobufCMessageDescriptor *type;
        bool (*load)(struct state *state, void *message, struct error *err);
    } kinds[ENTITY_KIND_COUNT] = {
        [ENTITY_CONFIG] = { &eos__scheduler__v1__stored_config__descriptor, load_config },
        [ENTITY_JOB] = { &eos__scheduler__v1__stored_job__descriptor, load_job },
        [ENTITY_HOST] = { &eos__scheduler__v1__stored_host__descriptor, load_host },
        [ENTITY_TASK] = { &eos__scheduler__v1__stored_task__descriptor, load_task },
        [ENTITY_REQUEST] = { &eos__scheduler__v1__stored_request__descriptor, load_request },
    };
    if (kind >= ENTITY_KIND_COUNT || !kinds[kind].load)
        return error_set(err, ERROR_DATA_LOSS, "a record is of an unknown kind");
    void *message = message_unpack(kinds[kind].type, value);
    if (!message)
        return error_set(err, ERROR_DATA_LOSS, "a record cannot be decoded");
    return kinds[kind].load(state, message, err);
}

void record_load_done(struct state *state, int64_t now_ms)
{
    size_t cursor = 0;
    struct slice key;
    void *value;

    while (map_next(state->hosts, &cursor, &key, &value)) {
        struct host *host = value;
        host->is_connected = true; /* until it has had the time to show itself */
        host->last_seen_ms = now_ms;
    }
    for (cursor = 0; map_next(state->tasks, &cursor, &key, &value);)
        lifecycle_restore(state, value, now_ms);
}
