#include "fixture.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>

typedef Eos__Scheduler__V1__CreateJobRequest create_request;

static const struct random seed = { { 1, 2, 3, 4 } };

struct fixture fixture_make(void)
{
    struct state_settings settings = state_default_settings;
    settings.scheduler_name = "scheduler.example";
    settings.cluster = "testing";
    return (struct fixture){
        .state = state_new(&settings, seed),
        .arena = arena_new(),
        .now_ms = 1000000,
    };
}

void fixture_done(struct fixture *f)
{
    state_free(f->state);
    arena_free(f->arena);
}

/* -- jobs ----------------------------------------------------------------------------------------- */

static void *grow(struct fixture *f, void *items, size_t *count, void *item)
{
    size_t size = *count * sizeof(void *);
    void **grown = items ? arena_grow(f->arena, items, size, size + sizeof(void *))
                         : arena_alloc(f->arena, sizeof(void *));
    grown[(*count)++] = item;
    return grown;
}

static Eos__Job__V1__JobKey *make_key(struct fixture *f, const char *text)
{
    Eos__Job__V1__JobKey *key = arena_alloc(f->arena, sizeof *key);
    struct slice rest = slice_of(text), part;
    eos__job__v1__job_key__init(key);
    part = slice_split(&rest, '/');
    key->role = arena_memdup0(f->arena, part.ptr, part.len);
    part = slice_split(&rest, '/');
    key->environment = arena_memdup0(f->arena, part.ptr, part.len);
    key->name = arena_memdup0(f->arena, rest.ptr, rest.len);
    return key;
}

static Eos__Job__V1__Resource *add_resource(struct fixture *f, create_request *request)
{
    Eos__Job__V1__TaskConfig *task = request->job->task_config;
    Eos__Job__V1__Resource *resource = arena_alloc(f->arena, sizeof *resource);
    eos__job__v1__resource__init(resource);
    task->resources = grow(f, task->resources, &task->n_resources, resource);
    return resource;
}

create_request *fixture_job(struct fixture *f, const char *key, int32_t instances)
{
    create_request *request = arena_alloc(f->arena, sizeof *request);
    Eos__Job__V1__JobConfiguration *job = arena_alloc(f->arena, sizeof *job);
    Eos__Job__V1__TaskConfig *task = arena_alloc(f->arena, sizeof *task);
    Eos__Job__V1__Resource *resource;

    eos__scheduler__v1__create_job_request__init(request);
    eos__job__v1__job_configuration__init(job);
    eos__job__v1__task_config__init(task);
    request->job = job;
    job->key = task->job = make_key(f, key);
    job->task_config = task;
    job->instance_count = instances;
    task->executor_name = arena_strdup(f->arena, "AuroraExecutor");
    task->executor_data = arena_strdup(f->arena, "{}");
    task->max_task_failures = 1;
    resource = add_resource(f, request);
    resource->resource_case = EOS__JOB__V1__RESOURCE__RESOURCE_NUM_CPUS;
    resource->num_cpus = 1;
    resource = add_resource(f, request);
    resource->resource_case = EOS__JOB__V1__RESOURCE__RESOURCE_RAM_MB;
    resource->ram_mb = 128;
    resource = add_resource(f, request);
    resource->resource_case = EOS__JOB__V1__RESOURCE__RESOURCE_DISK_MB;
    resource->disk_mb = 64;
    return request;
}

void fixture_add_port(struct fixture *f, create_request *request, const char *name)
{
    Eos__Job__V1__Resource *resource = add_resource(f, request);
    resource->resource_case = EOS__JOB__V1__RESOURCE__RESOURCE_NAMED_PORT;
    resource->named_port = arena_strdup(f->arena, name);
}

static Eos__Job__V1__Constraint *add_constraint(struct fixture *f, create_request *request,
                                                const char *name)
{
    Eos__Job__V1__TaskConfig *task = request->job->task_config;
    Eos__Job__V1__Constraint *constraint = arena_alloc(f->arena, sizeof *constraint);
    eos__job__v1__constraint__init(constraint);
    constraint->name = arena_strdup(f->arena, name);
    task->constraints = grow(f, task->constraints, &task->n_constraints, constraint);
    return constraint;
}

void fixture_add_value(struct fixture *f, create_request *request, const char *name,
                       const char *value)
{
    Eos__Job__V1__Constraint *constraint = add_constraint(f, request, name);
    constraint->constraint_case = EOS__JOB__V1__CONSTRAINT__CONSTRAINT_VALUE;
    constraint->value = arena_alloc(f->arena, sizeof *constraint->value);
    eos__job__v1__value_constraint__init(constraint->value);
    constraint->value->values =
        grow(f, NULL, &constraint->value->n_values, arena_strdup(f->arena, value));
}

void fixture_add_value_not(struct fixture *f, create_request *request, const char *name,
                           const char *value)
{
    fixture_add_value(f, request, name, value);
    Eos__Job__V1__TaskConfig *task = request->job->task_config;
    task->constraints[task->n_constraints - 1]->value->negated = true;
}

void fixture_add_limit(struct fixture *f, create_request *request, const char *name, int32_t limit)
{
    Eos__Job__V1__Constraint *constraint = add_constraint(f, request, name);
    constraint->constraint_case = EOS__JOB__V1__CONSTRAINT__CONSTRAINT_LIMIT;
    constraint->limit = arena_alloc(f->arena, sizeof *constraint->limit);
    eos__job__v1__limit_constraint__init(constraint->limit);
    constraint->limit->limit = limit;
}

struct job *fixture_create(struct fixture *f, create_request *request)
{
    Eos__Scheduler__V1__CreateJobResponse response = EOS__SCHEDULER__V1__CREATE_JOB_RESPONSE__INIT;
    struct error err;
    bool ok = command_create_job(f->state, request, f->now_ms, f->arena, &response, &err);
    assert(ok);
    assert(response.instance_count == request->job->instance_count);
    return state_find_job(f->state, request->job->key);
}

struct job *fixture_find(struct fixture *f, const char *key)
{
    return state_find_job(f->state, make_key(f, key));
}

bool fixture_kill(struct fixture *f, const char *key, struct error *err)
{
    Eos__Scheduler__V1__KillTasksRequest request = EOS__SCHEDULER__V1__KILL_TASKS_REQUEST__INIT;
    Eos__Scheduler__V1__KillTasksResponse response = EOS__SCHEDULER__V1__KILL_TASKS_RESPONSE__INIT;
    request.job = make_key(f, key);
    return command_kill_tasks(f->state, &request, f->now_ms, f->arena, &response, err);
}

/* -- hosts ---------------------------------------------------------------------------------------- */

sync_request *fixture_poll(struct fixture *f, const char *id)
{
    sync_request *poll = arena_alloc(f->arena, sizeof *poll);
    Eos__Scheduler__V1__HostResources *total = arena_alloc(f->arena, sizeof *total);
    Eos__Job__V1__Range *ports = arena_alloc(f->arena, sizeof *ports);

    eos__scheduler__v1__sync_request__init(poll);
    eos__scheduler__v1__host_resources__init(total);
    eos__job__v1__range__init(ports);
    ports->first = 31000;
    ports->last = 31009;
    total->num_cpus = 4;
    total->ram_mb = 4096;
    total->disk_mb = 8192;
    total->ports = grow(f, NULL, &total->n_ports, ports);
    poll->host_id = arena_strdup(f->arena, id);
    poll->hostname = arena_printf(f->arena, "%s.example", id);
    poll->session = arena_strdup(f->arena, "session 1");
    poll->sequence = ++f->sequence;
    poll->total = total;
    poll->has_all_tasks = true;
    poll->wait_ms = 10000;
    return poll;
}

void fixture_add_attribute(struct fixture *f, sync_request *poll, const char *name,
                           const char *value)
{
    Eos__Job__V1__Attribute *attribute = arena_alloc(f->arena, sizeof *attribute);
    eos__job__v1__attribute__init(attribute);
    attribute->name = arena_strdup(f->arena, name);
    attribute->values = grow(f, NULL, &attribute->n_values, arena_strdup(f->arena, value));
    poll->attributes = grow(f, poll->attributes, &poll->n_attributes, attribute);
}

void fixture_add_update(struct fixture *f, sync_request *poll, const char *task_id,
                        enum task_status status, const char *message)
{
    Eos__Scheduler__V1__TaskUpdate *update = arena_alloc(f->arena, sizeof *update);
    eos__scheduler__v1__task_update__init(update);
    update->update_id = arena_printf(f->arena, "%s-%s", task_id, task_status_name(status));
    update->task_id = arena_strdup(f->arena, task_id);
    update->status = (Eos__Job__V1__ScheduleStatus)task_status_number(status);
    update->message = arena_strdup(f->arena, message);
    poll->updates = grow(f, poll->updates, &poll->n_updates, update);
}

void fixture_add_known(struct fixture *f, sync_request *poll, const char *task_id,
                       enum task_status status)
{
    Eos__Scheduler__V1__KnownTask *known = arena_alloc(f->arena, sizeof *known);
    eos__scheduler__v1__known_task__init(known);
    known->task_id = arena_strdup(f->arena, task_id);
    known->status = (Eos__Job__V1__ScheduleStatus)task_status_number(status);
    poll->tasks = grow(f, poll->tasks, &poll->n_tasks, known);
}

sync_response *fixture_sync(struct fixture *f, sync_request *poll)
{
    sync_response *response = arena_alloc(f->arena, sizeof *response);
    struct host *host;
    struct error err;

    eos__scheduler__v1__sync_response__init(response);
    bool ok = sync_take_in(f->state, poll, f->now_ms, &host, &err);
    assert(ok);
    scheduling_round(f->state, 1000000, f->now_ms);
    sync_answer(f->state, host, poll, f->now_ms, f->arena, response);
    return response;
}

struct host *fixture_host(struct fixture *f, const char *id)
{
    fixture_sync(f, fixture_poll(f, id));
    return state_find_host(f->state, id);
}

/* -- time and tasks ------------------------------------------------------------------------------- */

void fixture_pass(struct fixture *f, int64_t ms)
{
    f->now_ms += ms;
    lifecycle_check_hosts(f->state, f->now_ms);
    while (lifecycle_expire(f->state, 1000, f->now_ms))
        ;
}

void fixture_place(struct fixture *f)
{
    while (scheduling_round(f->state, 1000000, f->now_ms))
        ;
}

struct task *fixture_task(struct fixture *f, const char *key, int32_t instance)
{
    struct job *job = fixture_find(f, key);
    assert(job);
    size_t at = job_task_after(job, instance, UINT64_MAX);
    assert(at < job->task_count && job->tasks[at]->instance == instance);
    return job->tasks[at];
}

void fixture_report(struct fixture *f, struct task *task, enum task_status status)
{
    sync_request *poll = fixture_poll(f, host_id(task->host));
    poll->session = arena_strdup(f->arena, task->host->session);
    poll->has_all_tasks = false;
    fixture_add_update(f, poll, task->id, status, "");
    fixture_sync(f, poll);
}

size_t fixture_count(struct fixture *f, const char *key, enum task_status status)
{
    struct job *job = fixture_find(f, key);
    size_t count = 0;
    for (size_t i = 0; job && i < job->task_count; i++)
        count += job->tasks[i]->status == status;
    return count;
}

/* -- records -------------------------------------------------------------------------------------- */

struct kept {
    enum entity_kind kind;
    struct slice value;
};

/* All that is in the state, as a store would give it back. */
static size_t keep(struct fixture *f, void *entity, struct kept *kept, size_t count)
{
    struct record record = record_of(entity, f->arena);
    kept[count] = (struct kept){ record.kind, record.value };
    return count + 1;
}

static size_t keep_map(struct fixture *f, const struct map *map, struct kept *kept, size_t count)
{
    size_t cursor = 0;
    struct slice key;
    void *value;
    while (map_next(map, &cursor, &key, &value))
        count = keep(f, value, kept, count);
    return count;
}

void fixture_restart(struct fixture *f)
{
    struct state *old = f->state;
    size_t most = old->job_count + map_count(old->configs_by_id) + map_count(old->hosts) +
                  map_count(old->tasks) + map_count(old->requests);
    struct kept *kept = arena_array(f->arena, most + 1, sizeof *kept);
    size_t count = keep_map(f, old->configs_by_id, kept, 0);
    struct error err;

    for (size_t i = 0; i < old->job_count; i++)
        count = keep(f, old->jobs[i], kept, count);
    count = keep_map(f, old->hosts, kept, count);
    count = keep_map(f, old->tasks, kept, count);
    count = keep_map(f, old->requests, kept, count);
    f->state = state_new(&old->settings, seed);
    f->state->random.words[0] = old->random.words[0] + 1;
    state_free(old);
    for (size_t i = 0; i < count; i++) {
        bool ok = record_load(f->state, kept[i].kind, kept[i].value, &err);
        assert(ok);
    }
    record_load_done(f->state, f->now_ms);
}
