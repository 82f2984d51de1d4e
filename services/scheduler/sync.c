#include "scheduler/sync.h"

#include "scheduler/lifecycle.h"
#include "scheduler/query.h"
#include "scheduler/validation.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

typedef Eos__Scheduler__V1__TaskUpdate task_update;
typedef Eos__Scheduler__V1__HostResources resources_message;

#define TASK_ID_MAX_BYTES   1024u
#define UPDATE_ID_MAX_BYTES 256u

/* -- checking ------------------------------------------------------------------------------------- */

static bool check_text(const char *what, const char *text, size_t most, struct error *err)
{
    if (*text && strlen(text) <= most)
        return true;
    return error_set(err, ERROR_INVALID_ARGUMENT, "%s must be 1 to %zu bytes", what, most);
}

static bool check_ports(const resources_message *total, struct error *err)
{
    for (size_t i = 0; i < total->n_ports; i++) {
        const Eos__Job__V1__Range *range = total->ports[i];
        int32_t least = i == 0 ? 1 : total->ports[i - 1]->last + 1;
        if (range->first < least || range->last < range->first || range->last > UINT16_MAX)
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "ports of the host must be rising ranges within 1 and %d", UINT16_MAX);
    }
    return true;
}

static bool check_resources(const resources_message *total, struct error *err)
{
    if (!total)
        return error_set(err, ERROR_INVALID_ARGUMENT, "total resources of the host are not set");
    if (!(total->num_cpus >= 0 && total->num_cpus <= 1e6) || total->ram_mb < 0 ||
        total->ram_mb > RESOURCE_MAX || total->disk_mb < 0 || total->disk_mb > RESOURCE_MAX ||
        total->num_gpus < 0 || total->num_gpus > RESOURCE_MAX)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "total resources of the host are out of range");
    return check_ports(total, err);
}

static bool status_of_report(int number, enum task_status *ret_status)
{
    static const enum task_status accepted[] = { TASK_ASSIGNED, TASK_STARTING, TASK_RUNNING,
                                                 TASK_FINISHED, TASK_FAILED,   TASK_KILLING,
                                                 TASK_KILLED,   TASK_LOST };
    enum task_status status;
    if (!task_status_from_number(number, &status))
        return false;
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        if (status != accepted[i])
            continue;
        *ret_status = status == TASK_ASSIGNED ? TASK_STARTING : status;
        return true;
    }
    return false;
}

static bool check_update(const task_update *update, struct error *err)
{
    enum task_status status;
    if (!check_text("id of an update", update->update_id, UPDATE_ID_MAX_BYTES, err) ||
        !check_text("task id of an update", update->task_id, TASK_ID_MAX_BYTES, err))
        return false;
    if (!status_of_report(update->status, &status))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "status of an update must be STARTING, RUNNING, FINISHED, FAILED, KILLED "
                         "or LOST");
    return true;
}

static bool check_lists(const sync_request *request, struct error *err)
{
    enum task_status status;

    if (request->n_updates > SYNC_MAX_UPDATES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "a poll may hold at most %u updates, not %zu",
                         SYNC_MAX_UPDATES, request->n_updates);
    if (request->n_tasks > SYNC_MAX_TASKS)
        return error_set(err, ERROR_INVALID_ARGUMENT, "a host may hold at most %u tasks, not %zu",
                         SYNC_MAX_TASKS, request->n_tasks);
    for (size_t i = 0; i < request->n_updates; i++)
        if (!check_update(request->updates[i], err))
            return false;
    for (size_t i = 0; i < request->n_tasks; i++) {
        if (!check_text("id of a task", request->tasks[i]->task_id, TASK_ID_MAX_BYTES, err))
            return false;
        if (!status_of_report(request->tasks[i]->status, &status))
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "status of a task is not one of a host's");
    }
    return true;
}

static bool check_attributes(const sync_request *request, struct error *err)
{
    for (size_t i = 0; i < request->n_attributes; i++)
        if (!check_text("name of an attribute", request->attributes[i]->name, IDENTIFIER_MAX_BYTES,
                        err))
            return false;
    return true;
}

static bool check_request(const sync_request *request, struct error *err)
{
    if (!check_text("host id", request->host_id, IDENTIFIER_MAX_BYTES, err) ||
        !check_text("hostname", request->hostname, IDENTIFIER_MAX_BYTES, err) ||
        !check_text("session", request->session, IDENTIFIER_MAX_BYTES, err) ||
        !check_resources(request->total, err))
        return false;
    return check_attributes(request, err) && check_lists(request, err);
}

/* -- the host ------------------------------------------------------------------------------------- */

static Eos__Scheduler__V1__StoredHost *describe(const sync_request *request)
{
    Eos__Scheduler__V1__StoredHost record = EOS__SCHEDULER__V1__STORED_HOST__INIT;
    record.host_id = request->host_id;
    record.hostname = request->hostname;
    record.endpoint = request->endpoint;
    record.n_attributes = request->n_attributes;
    record.attributes = request->attributes;
    record.num_cpus = request->total->num_cpus;
    record.ram_mb = request->total->ram_mb;
    record.disk_mb = request->total->disk_mb;
    record.num_gpus = request->total->num_gpus;
    record.n_ports = request->total->n_ports;
    record.ports = request->total->ports;
    record.version = request->version;
    return message_copy(&record.base);
}

static bool is_same(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
    struct arena *arena = arena_new();
    bool same = slice_equal(message_pack(a, arena), message_pack(b, arena));
    arena_free(arena);
    return same;
}

static struct host *join(struct state *state, const sync_request *request)
{
    struct host *host = host_new(describe(request));
    state_add_host(state, host);
    state_changed(state, &host->entity);
    return host;
}

static void update_description(struct state *state, struct host *host, const sync_request *request)
{
    Eos__Scheduler__V1__StoredHost *message = describe(request);
    if (is_same(&message->base, &host->message->base)) {
        message_free(message);
        return;
    }
    host_describe(host, message);
    state_changed(state, &host->entity);
    state_capacity_grew(state);
}

/* A launcher that has just started knows nothing of earlier commands, and what it has is to be learnt
 * anew. */
static void begin_session(struct host *host, const char *session)
{
    free(host->old_session);
    host->old_session = host->session;
    host->session = xstrdup(session);
    host->has_picture = false;
    for (struct task *task = host->tasks; task; task = task->next_on_host) {
        task->told_ms = 0;
        task->is_named = false;
    }
}

static bool admit(struct host *host, const sync_request *request, struct error *err)
{
    if (strcmp(request->session, host->old_session) == 0)
        return error_set(err, ERROR_ABORTED, "a later session of this host's launcher has begun");
    if (strcmp(request->session, host->session) == 0) {
        if (request->sequence < host->sequence)
            return error_set(err, ERROR_ABORTED, "a later poll of this session has been seen");
    } else {
        begin_session(host, request->session);
    }
    host->sequence = request->sequence;
    return true;
}

static void note_presence(struct state *state, struct host *host, const sync_request *request,
                          int64_t now_ms)
{
    bool was_open = host_is_open(host);
    if (!host->is_connected)
        host->has_picture = false;
    host->is_connected = true;
    host->last_seen_ms = now_ms;
    host->is_draining = request->is_draining;
    if (request->has_all_tasks) {
        host->has_picture = true;
        host->picture_due_ms = now_ms + state->settings.reconcile_ms;
    }
    if (!was_open && host_is_open(host))
        state_capacity_grew(state);
}

/* -- what it tells of tasks ----------------------------------------------------------------------- */

/* A task that is not known, or not as one of this host: it is to be killed, or forgotten when it is
 * dead. */
static void take_in_stranger(struct state *state, struct host *host, const char *task_id,
                             enum task_status status)
{
    struct slice id = slice_of(task_id);
    state->counters.unknown_tasks++;
    if (task_status_is(status, TASK_IS_TERMINAL)) {
        host_remove_stray(host, id);
        map_put(host->forgets, id, host);
    } else {
        host_add_stray(host, id);
    }
}

static struct task *own_task(const struct state *state, const struct host *host, const char *id)
{
    struct task *task = state_find_task(state, id);
    return task && task->host == host ? task : NULL;
}

static void take_in_status(struct state *state, struct host *host, const char *task_id,
                           enum task_status status, const char *message, int64_t now_ms)
{
    struct task *task = own_task(state, host, task_id);
    if (!task) {
        take_in_stranger(state, host, task_id, status);
        return;
    }
    task->is_named = true;
    if (task_status_is(status, TASK_IS_TERMINAL))
        host_remove_stray(host, slice_of(task_id));
    if (status == TASK_KILLING) /* it obeys; the end is still to come */
        return;
    if (status == TASK_STARTING && task->status == status && message && *message) {
        lifecycle_progress(state, task, message);
        return;
    }
    lifecycle_change(state, task, status, message, now_ms);
}

static void take_in_updates(struct state *state, struct host *host, const sync_request *request,
                            int64_t now_ms)
{
    for (size_t i = 0; i < request->n_updates; i++) {
        const task_update *update = request->updates[i];
        enum task_status status = TASK_LOST;
        bool known = status_of_report(update->status, &status);
        assert(known);
        state->counters.updates++;
        take_in_status(state, host, update->task_id, status, update->message, now_ms);
    }
}

/* Of a dead task the update tells more than the picture, so it is waited for when it is on its way. */
static void take_in_known(struct state *state, struct host *host, const sync_request *request,
                          struct map *present, int64_t now_ms)
{
    for (size_t i = 0; i < request->n_tasks; i++) {
        const char *id = request->tasks[i]->task_id;
        enum task_status status = TASK_LOST;
        bool known = status_of_report(request->tasks[i]->status, &status);
        assert(known);
        map_put(present, slice_of(id), host);
        struct task *task = own_task(state, host, id);
        bool is_open_end = task && task_status_is(status, TASK_IS_TERMINAL) &&
                           request->n_updates == SYNC_MAX_UPDATES;
        if (!is_open_end)
            take_in_status(state, host, id, status, NULL, now_ms);
    }
}

/* What was started here and is not here any more is lost.  A task that is ASSIGNED and not here has not
 * been started: the command will be given again. */
static void miss_tasks(struct state *state, struct host *host, struct map *present, int64_t now_ms)
{
    for (struct task *task = host->tasks, *next; task; task = next) {
        next = task->next_on_host;
        if (map_get(present, slice_of(task->id)) || task->status == TASK_ASSIGNED)
            continue;
        enum task_status to = task->status == TASK_KILLING ? TASK_KILLED : TASK_LOST;
        lifecycle_change(state, task, to, "The task is not known to the launcher of its host.",
                         now_ms);
    }
    size_t cursor = 0;
    struct slice id;
    void *value;
    while (map_next(host->strays, &cursor, &id, &value))
        if (!map_get(present, id))
            host_remove_stray(host, id);
}

static void take_in_picture(struct state *state, struct host *host, const sync_request *request,
                            int64_t now_ms)
{
    struct map *present = map_new();
    for (size_t i = 0; i < request->n_updates; i++)
        map_put(present, slice_of(request->updates[i]->task_id), host);
    take_in_known(state, host, request, present, now_ms);
    if (request->has_all_tasks)
        miss_tasks(state, host, present, now_ms);
    map_free(present);
}

bool sync_take_in(struct state *state, const sync_request *request, int64_t now_ms,
                  struct host **ret_host, struct error *err)
{
    if (!check_request(request, err))
        return false;
    struct host *host = state_find_host(state, request->host_id);
    if (!host && map_count(state->hosts) >= STATE_MAX_HOSTS)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED, "the cluster has %u hosts already",
                         STATE_MAX_HOSTS);
    if (!host)
        host = join(state, request);
    if (!admit(host, request, err))
        return false;
    update_description(state, host, request);
    note_presence(state, host, request, now_ms);
    take_in_updates(state, host, request, now_ms);
    take_in_picture(state, host, request, now_ms);
    state_wake(state, host);
    *ret_host = host;
    return true;
}

/* -- the answer ----------------------------------------------------------------------------------- */

/* Whether a command is to be given now; notes it, and when it will be due again. */
static bool tell(struct host *host, int64_t *told_ms, int64_t repeat_ms, int64_t now_ms)
{
    bool is_due = *told_ms == 0 || now_ms - *told_ms >= repeat_ms;
    if (is_due)
        *told_ms = now_ms;
    if (*told_ms + repeat_ms < host->command_due_ms)
        host->command_due_ms = *told_ms + repeat_ms;
    return is_due;
}

/* A kill that the launcher can make nothing of is followed by a question what it has. */
static void doubt(const struct state *state, struct host *host, int64_t now_ms)
{
    if (host->picture_due_ms > now_ms + state->settings.kill_repeat_ms)
        host->picture_due_ms = now_ms + state->settings.kill_repeat_ms;
}

static void add_launch(const struct state *state, const struct task *task, struct arena *arena,
                       sync_response *response)
{
    Eos__Scheduler__V1__LaunchTask *launch = arena_alloc(arena, sizeof *launch);
    eos__scheduler__v1__launch_task__init(launch);
    launch->task = query_assigned_task(task, QUERY_WITH_DATA, arena);
    launch->cluster = (char *)state->settings.cluster;
    response->launch[response->n_launch++] = launch;
}

static void add_kill(const char *task_id, const char *message, struct arena *arena,
                     sync_response *response)
{
    Eos__Scheduler__V1__KillTask *kill = arena_alloc(arena, sizeof *kill);
    eos__scheduler__v1__kill_task__init(kill);
    kill->task_id = arena_strdup(arena, task_id);
    kill->message = message ? arena_strdup(arena, message) : kill->message;
    response->kill[response->n_kill++] = kill;
}

static void add_task_commands(struct state *state, struct host *host, int64_t now_ms,
                              struct arena *arena, sync_response *response)
{
    const struct state_settings *s = &state->settings;
    size_t bytes = 0;

    response->launch = arena_array(arena, SYNC_MAX_LAUNCHES, sizeof *response->launch);
    for (struct task *task = host->tasks; task; task = task->next_on_host) {
        if (task->status == TASK_ASSIGNED) {
            if (response->n_launch == SYNC_MAX_LAUNCHES || bytes >= SYNC_MAX_ANSWER_BYTES)
                host->command_due_ms = now_ms; /* the rest follows with the next poll */
            else if (tell(host, &task->told_ms, s->launch_repeat_ms, now_ms)) {
                add_launch(state, task, arena, response);
                bytes += protobuf_c_message_get_packed_size(&task->config->message->base);
            }
        } else if (task_status_is(task->status, TASK_IS_STOPPING) &&
                   response->n_kill < SYNC_MAX_NAMES &&
                   tell(host, &task->told_ms, s->kill_repeat_ms, now_ms)) {
            add_kill(task->id, task_last_event(task)->message, arena, response);
            if (!task->is_named)
                doubt(state, host, now_ms);
        }
    }
}

static void add_stray_kills(struct state *state, struct host *host, int64_t now_ms,
                            struct arena *arena, sync_response *response)
{
    size_t cursor = 0;
    struct slice id;
    void *value;

    while (response->n_kill < SYNC_MAX_NAMES && map_next(host->strays, &cursor, &id, &value)) {
        if (!tell(host, value, state->settings.kill_repeat_ms, now_ms))
            continue;
        add_kill(arena_memdup0(arena, id.ptr, id.len), "The scheduler does not want it any more.",
                 arena, response);
        doubt(state, host, now_ms);
    }
}

static void add_forgets(struct host *host, struct arena *arena, sync_response *response)
{
    size_t cursor = 0;
    struct slice id;
    void *value;

    response->forget =
        arena_array(arena,
                    map_count(host->forgets) < SYNC_MAX_NAMES ? map_count(host->forgets)
                                                              : SYNC_MAX_NAMES,
                    sizeof *response->forget);
    while (response->n_forget < SYNC_MAX_NAMES && map_next(host->forgets, &cursor, &id, &value)) {
        response->forget[response->n_forget++] = arena_memdup0(arena, id.ptr, id.len);
        map_remove(host->forgets, id);
    }
}

static void add_acknowledgements(const sync_request *request, struct arena *arena,
                                 sync_response *response)
{
    response->acknowledged = arena_array(arena, request->n_updates, sizeof *response->acknowledged);
    for (size_t i = 0; i < request->n_updates; i++)
        response->acknowledged[response->n_acknowledged++] = request->updates[i]->update_id;
}

static size_t kill_bound(const struct host *host)
{
    size_t most = host->task_count + map_count(host->strays);
    return most < SYNC_MAX_NAMES ? most : SYNC_MAX_NAMES;
}

bool sync_answer(struct state *state, struct host *host, const sync_request *request,
                 int64_t now_ms, struct arena *arena, sync_response *response)
{
    response->kill = arena_array(arena, kill_bound(host), sizeof *response->kill);
    host->command_due_ms = INT64_MAX;
    add_acknowledgements(request, arena, response);
    response->want_all_tasks = !host->has_picture || now_ms >= host->picture_due_ms;
    if (host->has_picture) {
        add_task_commands(state, host, now_ms, arena, response);
        add_stray_kills(state, host, now_ms, arena, response);
    }
    add_forgets(host, arena, response);
    return response->n_acknowledged || response->want_all_tasks || response->n_launch ||
           response->n_kill || response->n_forget;
}

bool sync_is_due(const struct host *host, int64_t now_ms)
{
    return now_ms >= host->command_due_ms || now_ms >= host->picture_due_ms;
}

int64_t sync_hold_ms(const struct state *state, const sync_request *request)
{
    int64_t hold_ms = request->wait_ms < SYNC_MAX_WAIT_MS ? request->wait_ms : SYNC_MAX_WAIT_MS;
    int64_t most_ms = state->settings.host_timeout_ms / 3;
    return hold_ms < most_ms ? hold_ms : most_ms;
}
