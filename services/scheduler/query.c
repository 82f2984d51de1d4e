#include "scheduler/query.h"

#include "scheduler/pending.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>

typedef Eos__Scheduler__V1__ListJobsRequest jobs_request;
typedef Eos__Scheduler__V1__ListTasksRequest tasks_request;
typedef Eos__Scheduler__V1__JobStats job_stats;

/* -- filters -------------------------------------------------------------------------------------- */

static bool part_matches(const char *wanted, const char *actual)
{
    return !is_set(wanted) || strcmp(wanted, actual) == 0;
}

static bool key_matches(const char *role, const char *environment, const char *name,
                        const Eos__Job__V1__JobKey *key)
{
    return part_matches(role, key->role) && part_matches(environment, key->environment) &&
           part_matches(name, key->name);
}

static bool has_instance(const tasks_request *request, int32_t instance)
{
    for (size_t i = 0; i < request->n_instances; i++)
        if (request->instances[i] == instance)
            return true;
    return request->n_instances == 0;
}

static bool has_status(const tasks_request *request, enum task_status status)
{
    for (size_t i = 0; i < request->n_statuses; i++)
        if ((int)request->statuses[i] == task_status_number(status))
            return true;
    return request->n_statuses == 0;
}

static bool has_task_id(const tasks_request *request, const char *id)
{
    for (size_t i = 0; i < request->n_task_ids; i++)
        if (strcmp(request->task_ids[i], id) == 0)
            return true;
    return request->n_task_ids == 0;
}

static bool task_matches(const tasks_request *request, const struct task *task)
{
    if (is_set(request->host_id) &&
        (!task->host || strcmp(host_id(task->host), request->host_id) != 0))
        return false;
    return has_instance(request, task->instance) && has_status(request, task->status) &&
           has_task_id(request, task->id);
}

/* -- page tokens ---------------------------------------------------------------------------------- */

/* Where a page ended: "role/environment/name/instance/serial", for jobs without the last two. */
struct place {
    Eos__Job__V1__JobKey key;
    int64_t instance;
    uint64_t serial;
};

static bool take_part(struct slice *rest, struct arena *arena, char **ret_part)
{
    if (!rest->ptr)
        return false;
    struct slice part = slice_split(rest, '/');
    *ret_part = arena_memdup0(arena, part.ptr, part.len);
    return true;
}

static bool place_parse(const char *token, bool with_task, struct arena *arena,
                        struct place *ret_place, struct error *err)
{
    struct slice rest = slice_of(token);
    char *instance = NULL, *serial = NULL;
    struct place place = { .key = EOS__JOB__V1__JOB_KEY__INIT };

    bool ok = rest.len <= QUERY_MAX_TOKEN_BYTES && take_part(&rest, arena, &place.key.role) &&
              take_part(&rest, arena, &place.key.environment) &&
              take_part(&rest, arena, &place.key.name);
    if (ok && with_task)
        ok = take_part(&rest, arena, &instance) && take_part(&rest, arena, &serial) &&
             slice_to_i64(slice_of(instance), &place.instance) &&
             slice_to_u64(slice_of(serial), UINT64_MAX, &place.serial) &&
             place.instance >= INT32_MIN && place.instance <= INT32_MAX;
    if (!ok || rest.ptr)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "page token is not one that an earlier page gave");
    *ret_place = place;
    return true;
}

/* -- jobs ----------------------------------------------------------------------------------------- */

static job_stats *stats_of(const struct job *job, struct arena *arena)
{
    job_stats *stats = arena_alloc(arena, sizeof *stats);
    eos__scheduler__v1__job_stats__init(stats);
    for (size_t i = 0; i < job->task_count; i++) {
        switch (job->tasks[i]->status) {
        case TASK_INIT:
        case TASK_PENDING:
        case TASK_THROTTLED:
            stats->pending_task_count++;
            break;
        case TASK_KILLED:
        case TASK_FINISHED:
            stats->finished_task_count++;
            break;
        case TASK_LOST:
        case TASK_FAILED:
            stats->failed_task_count++;
            break;
        default:
            stats->active_task_count++;
        }
    }
    return stats;
}

static Eos__Scheduler__V1__JobSummary *summarize(const struct job *job, struct arena *arena)
{
    Eos__Scheduler__V1__JobSummary *summary = arena_alloc(arena, sizeof *summary);
    eos__scheduler__v1__job_summary__init(summary);
    summary->key = job->message->key;
    summary->stats = stats_of(job, arena);
    summary->is_service = job->config->message->is_service;
    summary->instance_count = job->message->instance_count;
    summary->created_at_ms = job->message->created_at_ms;
    return summary;
}

bool query_list_jobs(const struct state *state, const jobs_request *request, struct arena *arena,
                     Eos__Scheduler__V1__ListJobsResponse *response, struct error *err)
{
    size_t limit = request->page_size && request->page_size < QUERY_MAX_JOBS ? request->page_size
                                                                             : QUERY_MAX_JOBS;
    struct place place;
    size_t at = 0;

    if (is_set(request->page_token)) {
        if (!place_parse(request->page_token, false, arena, &place, err))
            return false;
        at = state_job_from(state, &place.key, false);
    }
    response->jobs = arena_array(arena, limit, sizeof *response->jobs);
    for (; at < state->job_count; at++) {
        const struct job *job = state->jobs[at];
        if (!key_matches(request->role, request->environment, request->name, job_key(job)))
            continue;
        if (response->n_jobs == limit) {
            const Eos__Job__V1__JobKey *last = response->jobs[limit - 1]->key;
            response->next_page_token = arena_printf(arena, JOB_KEY_FORMAT, JOB_KEY_ARG(last));
            break;
        }
        response->jobs[response->n_jobs++] = summarize(job, arena);
    }
    return true;
}

void query_job(const struct job *job, struct arena *arena,
               Eos__Scheduler__V1__GetJobResponse *response)
{
    Eos__Job__V1__JobConfiguration *configuration = arena_alloc(arena, sizeof *configuration);
    eos__job__v1__job_configuration__init(configuration);
    configuration->key = job->message->key;
    configuration->owner = job->message->owner;
    configuration->task_config = job->config->message;
    configuration->instance_count = job->message->instance_count;
    response->job = configuration;
    response->n_bindings = job->message->n_bindings;
    response->bindings = job->message->bindings;
    response->stats = stats_of(job, arena);
    response->created_at_ms = job->message->created_at_ms;
}

/* -- tasks ---------------------------------------------------------------------------------------- */

static void fill_ports(const struct task *task, struct arena *arena,
                       Eos__Job__V1__AssignedTask *assigned)
{
    size_t count = task->ports ? (size_t)task->config->demand.ports : 0;
    assigned->assigned_ports = arena_array(arena, count, sizeof *assigned->assigned_ports);
    for (size_t i = 0; i < count; i++) {
        Eos__Job__V1__AssignedPort *port = arena_alloc(arena, sizeof *port);
        eos__job__v1__assigned_port__init(port);
        port->name = (char *)task->config->port_names[i];
        port->port = task->ports[i];
        assigned->assigned_ports[assigned->n_assigned_ports++] = port;
    }
}

Eos__Job__V1__AssignedTask *query_assigned_task(const struct task *task, enum query_detail detail,
                                                struct arena *arena)
{
    Eos__Job__V1__AssignedTask *assigned = arena_alloc(arena, sizeof *assigned);
    eos__job__v1__assigned_task__init(assigned);
    assigned->task_id = task->id;
    assigned->instance_id = task->instance;
    assigned->task = task->config->message;
    if (detail == QUERY_WITHOUT_DATA) {
        assigned->task = arena_alloc(arena, sizeof *assigned->task);
        *assigned->task = *task->config->message;
        assigned->task->executor_data = arena_strdup(arena, "");
    }
    if (task->host) {
        assigned->host_id = task->host->message->host_id;
        assigned->hostname = task->host->message->hostname;
    }
    fill_ports(task, arena, assigned);
    return assigned;
}

static void fill_events(const struct state *state, const struct task *task, struct arena *arena,
                        Eos__Job__V1__ScheduledTask *scheduled)
{
    scheduled->task_events = arena_array(arena, task->event_count, sizeof *scheduled->task_events);
    for (size_t i = 0; i < task->event_count; i++) {
        Eos__Job__V1__TaskEvent *event = arena_alloc(arena, sizeof *event);
        eos__job__v1__task_event__init(event);
        event->timestamp_ms = task->events[i].at_ms;
        event->status = (Eos__Job__V1__ScheduleStatus)task_status_number(task->events[i].status);
        event->scheduler = (char *)state->settings.scheduler_name;
        if (task->events[i].message)
            event->message = task->events[i].message;
        scheduled->task_events[scheduled->n_task_events++] = event;
    }
}

static Eos__Job__V1__ScheduledTask *scheduled_task(const struct state *state,
                                                   const struct task *task,
                                                   enum query_detail detail, struct arena *arena)
{
    Eos__Job__V1__ScheduledTask *scheduled = arena_alloc(arena, sizeof *scheduled);
    eos__job__v1__scheduled_task__init(scheduled);
    scheduled->assigned_task = query_assigned_task(task, detail, arena);
    scheduled->status = (Eos__Job__V1__ScheduleStatus)task_status_number(task->status);
    scheduled->failure_count = task->failure_count;
    scheduled->times_partitioned = task->times_partitioned;
    if (task->ancestor_id)
        scheduled->ancestor_id = task->ancestor_id;
    fill_events(state, task, arena, scheduled);
    return scheduled;
}

/* The page that is being filled. */
struct task_page {
    const struct state *state;
    const tasks_request *request;
    struct arena *arena;
    Eos__Scheduler__V1__ListTasksResponse *response;
    size_t limit, bytes;
    const struct task *last;
};

/* False when the page is full; then the token of the next one is set. */
static bool page_add(struct task_page *page, const struct task *task)
{
    if (page->response->n_tasks == page->limit || page->bytes > QUERY_MAX_BYTES) {
        page->response->next_page_token = arena_printf(page->arena, JOB_KEY_FORMAT "/%d/%" PRIu64,
                                                       JOB_KEY_ARG(job_key(page->last->job)),
                                                       page->last->instance, page->last->serial);
        return false;
    }
    Eos__Job__V1__ScheduledTask *scheduled =
        scheduled_task(page->state, task,
                       page->request->without_configs ? QUERY_WITHOUT_DATA : QUERY_WITH_DATA,
                       page->arena);
    page->bytes += protobuf_c_message_get_packed_size(&scheduled->base);
    page->response->tasks[page->response->n_tasks++] = scheduled;
    page->last = task;
    return true;
}

static bool page_add_job(struct task_page *page, const struct job *job, size_t from)
{
    if (!key_matches(page->request->role, page->request->environment, page->request->name,
                     job_key(job)))
        return true;
    for (size_t i = from; i < job->task_count; i++)
        if (task_matches(page->request, job->tasks[i]) && !page_add(page, job->tasks[i]))
            return false;
    return true;
}

static int by_order(const void *a, const void *b)
{
    const struct task *x = *(const struct task *const *)a, *y = *(const struct task *const *)b;
    int order = job_key_compare(job_key(x->job), job_key(y->job));
    if (order == 0 && x->instance != y->instance)
        order = x->instance < y->instance ? -1 : 1;
    if (order == 0 && x->serial != y->serial)
        order = x->serial > y->serial ? -1 : 1;
    return order;
}

static bool is_behind(const struct task *task, const struct place *place)
{
    int order = job_key_compare(job_key(task->job), &place->key);
    if (order == 0 && task->instance != place->instance)
        order = task->instance < place->instance ? -1 : 1;
    return order > 0 || (order == 0 && task->serial < place->serial);
}

/* Asking for single tasks does not look at all others. */
static void page_add_ids(struct task_page *page, const struct place *place)
{
    const tasks_request *request = page->request;
    struct task **tasks = arena_array(page->arena, request->n_task_ids, sizeof *tasks);
    size_t count = 0;

    for (size_t i = 0; i < request->n_task_ids; i++) {
        struct task *task = state_find_task(page->state, request->task_ids[i]);
        if (task && (!place || is_behind(task, place)) && task_matches(request, task) &&
            key_matches(request->role, request->environment, request->name, job_key(task->job)))
            tasks[count++] = task;
    }
    qsort(tasks, count, sizeof *tasks, by_order);
    for (size_t i = 0; i < count; i++)
        if ((i == 0 || tasks[i] != tasks[i - 1]) && !page_add(page, tasks[i]))
            return;
}

static void page_add_all(struct task_page *page, const struct place *place)
{
    const struct state *state = page->state;
    size_t at = place ? state_job_from(state, &place->key, true) : 0;

    for (; at < state->job_count; at++) {
        const struct job *job = state->jobs[at];
        bool is_first = place && job_key_compare(job_key(job), &place->key) == 0;
        size_t from = is_first ? job_task_after(job, (int32_t)place->instance, place->serial) : 0;
        if (!page_add_job(page, job, from))
            return;
    }
}

bool query_list_tasks(const struct state *state, const tasks_request *request, struct arena *arena,
                      Eos__Scheduler__V1__ListTasksResponse *response, struct error *err)
{
    size_t limit = request->page_size && request->page_size < QUERY_MAX_TASKS ? request->page_size
                                                                              : QUERY_MAX_TASKS;
    struct task_page page = { state, request, arena, response, limit, 0, NULL };
    struct place place;
    bool has_place = is_set(request->page_token);

    if (has_place && !place_parse(request->page_token, true, arena, &place, err))
        return false;
    response->tasks = arena_array(arena, limit, sizeof *response->tasks);
    if (request->n_task_ids > 0)
        page_add_ids(&page, has_place ? &place : NULL);
    else
        page_add_all(&page, has_place ? &place : NULL);
    return true;
}

/* -- pending -------------------------------------------------------------------------------------- */

typedef Eos__Scheduler__V1__PendingReason pending_reason;

static void add_reason(const struct state *state, const struct task *task, int64_t now_ms,
                       pending_reason *previous, struct arena *arena, pending_reason *reason)
{
    eos__scheduler__v1__pending_reason__init(reason);
    if (task->status == TASK_THROTTLED) {
        reason->reason = pending_explain_throttled(task, now_ms, arena);
    } else if (previous) { /* of the same configuration */
        reason->reason = previous->reason;
        reason->n_vetoes = previous->n_vetoes;
        reason->vetoes = previous->vetoes;
    } else {
        pending_explain(state, task->config, arena, reason);
    }
    reason->task_id = task->id;
    reason->job = task->job->message->key;
    reason->instance_id = task->instance;
    reason->pending_since_ms = task_last_event(task)->at_ms;
}

static void add_job_reasons(const struct state *state, const struct job *job, int64_t now_ms,
                            struct arena *arena,
                            Eos__Scheduler__V1__PendingReasonsResponse *response)
{
    const struct task_config *config = NULL;
    pending_reason *previous = NULL;

    for (size_t i = 0; i < job->task_count && response->n_reasons < QUERY_MAX_PENDING; i++) {
        const struct task *task = job->tasks[i];
        if (task->status != TASK_PENDING && task->status != TASK_THROTTLED)
            continue;
        pending_reason *reason = arena_alloc(arena, sizeof *reason);
        add_reason(state, task, now_ms, config == task->config ? previous : NULL, arena, reason);
        if (task->status == TASK_PENDING) {
            config = task->config;
            previous = reason;
        }
        response->reasons[response->n_reasons++] = reason;
    }
}

void query_pending(const struct state *state,
                   const Eos__Scheduler__V1__PendingReasonsRequest *request, int64_t now_ms,
                   struct arena *arena, Eos__Scheduler__V1__PendingReasonsResponse *response)
{
    response->reasons = arena_array(arena, QUERY_MAX_PENDING, sizeof *response->reasons);
    for (size_t i = 0; i < state->job_count; i++)
        if (key_matches(request->role, request->environment, request->name,
                        job_key(state->jobs[i])))
            add_job_reasons(state, state->jobs[i], now_ms, arena, response);
}

/* -- hosts ---------------------------------------------------------------------------------------- */

static Eos__Scheduler__V1__HostResources *resources_message(const struct resources *resources,
                                                            struct arena *arena)
{
    Eos__Scheduler__V1__HostResources *message = arena_alloc(arena, sizeof *message);
    eos__scheduler__v1__host_resources__init(message);
    message->num_cpus = (double)resources->cpu_micros / 1e6;
    message->ram_mb = resources->ram_mb;
    message->disk_mb = resources->disk_mb;
    message->num_gpus = resources->gpus;
    return message;
}

/* Ports in use, neighbours joined. */
static void fill_used_ports(const struct host *host, struct arena *arena,
                            Eos__Scheduler__V1__HostResources *used)
{
    used->ports = arena_array(arena, (size_t)host->used.ports, sizeof *used->ports);
    for (int32_t port = 0; host->used.ports > 0 && port <= UINT16_MAX; port++) {
        if (!host_port_is_used(host, port))
            continue;
        if (used->n_ports > 0 && used->ports[used->n_ports - 1]->last == port - 1) {
            used->ports[used->n_ports - 1]->last = port;
            continue;
        }
        Eos__Job__V1__Range *range = arena_alloc(arena, sizeof *range);
        eos__job__v1__range__init(range);
        range->first = range->last = port;
        used->ports[used->n_ports++] = range;
    }
}

static Eos__Scheduler__V1__Host *host_message(const struct host *host, struct arena *arena)
{
    Eos__Scheduler__V1__Host *message = arena_alloc(arena, sizeof *message);
    eos__scheduler__v1__host__init(message);
    message->host_id = host->message->host_id;
    message->hostname = host->message->hostname;
    message->endpoint = host->message->endpoint;
    message->n_attributes = host->message->n_attributes;
    message->attributes = host->message->attributes;
    message->total = resources_message(&host->total, arena);
    message->total->n_ports = host->message->n_ports;
    message->total->ports = host->message->ports;
    message->used = resources_message(&host->used, arena);
    fill_used_ports(host, arena, message->used);
    message->is_connected = host->is_connected && *host->session;
    message->last_seen_ms = host->last_seen_ms;
    message->task_count = (int32_t)host->task_count;
    message->version = host->message->version;
    return message;
}

void query_list_hosts(const struct state *state, struct arena *arena,
                      Eos__Scheduler__V1__ListHostsResponse *response)
{
    size_t cursor = 0;
    struct slice key;
    void *value;

    response->hosts = arena_array(arena, map_count(state->hosts), sizeof *response->hosts);
    while (map_next(state->hosts, &cursor, &key, &value))
        response->hosts[response->n_hosts++] = host_message(value, arena);
}
