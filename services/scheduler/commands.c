#include "scheduler/commands.h"

#include "scheduler/lifecycle.h"
#include "scheduler/request_memory.h"
#include "scheduler/validation.h"

#include <stdlib.h>

typedef Eos__Scheduler__V1__CreateJobRequest create_request;
typedef Eos__Scheduler__V1__CreateJobResponse create_response;
typedef Eos__Scheduler__V1__KillTasksRequest kill_request;
typedef Eos__Scheduler__V1__KillTasksResponse kill_response;

bool command_find_job(const struct state *state, const Eos__Job__V1__JobKey *key,
                      struct job **ret_job, struct error *err)
{
    if (!validate_job_key(key, err))
        return false;
    struct job *job = state_find_job(state, key);
    if (!job)
        return error_set(err, ERROR_NOT_FOUND, "job " JOB_KEY_FORMAT " does not exist",
                         JOB_KEY_ARG(key));
    *ret_job = job;
    return true;
}

/* -- create --------------------------------------------------------------------------------------- */

static struct task_config *intern_filled(struct state *state, const Eos__Job__V1__TaskConfig *given,
                                         struct arena *arena)
{
    Eos__Job__V1__TaskConfig filled = *given;
    fill_defaults(&filled, arena);
    Eos__Job__V1__TaskConfig *message = message_copy(&filled.base);
    task_config_normalize(message, arena);
    return state_intern(state, message);
}

static Eos__Scheduler__V1__StoredJob *job_record(const create_request *request,
                                                 const struct task_config *config, int64_t now_ms)
{
    Eos__Scheduler__V1__StoredJob record = EOS__SCHEDULER__V1__STORED_JOB__INIT;
    record.key = request->job->key;
    record.owner = request->job->owner;
    record.config_id = config->id;
    record.instance_count = request->job->instance_count;
    record.n_bindings = request->n_bindings;
    record.bindings = request->bindings;
    record.created_at_ms = now_ms;
    return message_copy(&record.base);
}

/* A job whose tasks are all dead is there for its history; it takes on what is asked for now. */
static void renew_job(struct state *state, struct job *job, struct task_config *config,
                      Eos__Scheduler__V1__StoredJob *record)
{
    state_use_config(config);
    state_drop_config(state, job->config);
    job->config = config;
    message_free(job->message);
    job->message = record;
}

static bool create_job(struct state *state, const create_request *request, int64_t now_ms,
                       struct arena *arena, struct error *err)
{
    if (!validate_job(request->job, &state->settings.rules, err))
        return false;
    if (request->n_bindings > COMMAND_MAX_BINDINGS)
        return error_set(err, ERROR_INVALID_ARGUMENT, "a job may have at most %u image bindings",
                         COMMAND_MAX_BINDINGS);
    const Eos__Job__V1__JobKey *key = request->job->key;
    struct job *job = state_find_job(state, key);
    if (job && job->active_count > 0)
        return error_set(err, ERROR_ALREADY_EXISTS, "job " JOB_KEY_FORMAT " already exists",
                         JOB_KEY_ARG(key));

    struct task_config *config = intern_filled(state, request->job->task_config, arena);
    Eos__Scheduler__V1__StoredJob *record = job_record(request, config, now_ms);
    if (job) {
        renew_job(state, job, config, record);
    } else {
        job = job_new(record, config);
        state_add_job(state, job);
    }
    state_changed(state, &job->entity);
    for (int32_t i = 0; i < request->job->instance_count; i++)
        lifecycle_create(state, job, config, i, now_ms);
    return true;
}

bool command_create_job(struct state *state, const create_request *request, int64_t now_ms,
                        struct arena *arena, create_response *response, struct error *err)
{
    ProtobufCMessage *known;

    if (!request_memory_find(state, request->request_id, "CreateJob", &request->base,
                             response->base.descriptor, arena, &known, err))
        return false;
    if (known) {
        *response = *(create_response *)known;
        return true;
    }
    if (!create_job(state, request, now_ms, arena, err))
        return false;
    response->instance_count = request->job->instance_count;
    request_memory_add(state, request->request_id, "CreateJob", &request->base, &response->base,
                       now_ms);
    return true;
}

/* -- kill ----------------------------------------------------------------------------------------- */

static bool is_meant(const kill_request *request, const struct task *task)
{
    if (!task_status_is(task->status, TASK_IS_ACTIVE))
        return false;
    for (size_t i = 0; i < request->n_instances; i++)
        if (request->instances[i] == task->instance)
            return true;
    return request->n_instances == 0;
}

/* The tasks that are meant, in `arena`: killing changes the job's own list. */
static struct task **select_tasks(const struct job *job, const kill_request *request,
                                  struct arena *arena, size_t *ret_count)
{
    struct task **tasks = arena_array(arena, job->task_count, sizeof *tasks);
    size_t count = 0;
    for (size_t i = 0; i < job->task_count; i++)
        if (is_meant(request, job->tasks[i]))
            tasks[count++] = job->tasks[i];
    *ret_count = count;
    return tasks;
}

static const char *kill_message(const kill_request *request, struct arena *arena)
{
    const char *who = is_set(request->user) ? request->user : "UNSECURE";
    if (!is_set(request->message))
        return arena_printf(arena, "Killed by %s", who);
    return arena_printf(arena, "Killed by %s.\n%s", who, request->message);
}

static bool kill_tasks(struct state *state, const kill_request *request, int64_t now_ms,
                       struct arena *arena, kill_response *response, struct error *err)
{
    struct job *job = NULL;
    size_t count;

    if (strlen(request->message) > COMMAND_MAX_MESSAGE_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "message is longer than %u bytes",
                         COMMAND_MAX_MESSAGE_BYTES);
    if (strlen(request->user) > IDENTIFIER_MAX_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "user is longer than %u bytes",
                         IDENTIFIER_MAX_BYTES);
    if (request->n_instances > COMMAND_MAX_INSTANCES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "at most %u instances may be named at once",
                         COMMAND_MAX_INSTANCES);
    if (!command_find_job(state, request->job, &job, err))
        return false;
    struct task **tasks = select_tasks(job, request, arena, &count);
    if (count == 0)
        return error_set(err, ERROR_NOT_FOUND, "job " JOB_KEY_FORMAT " has no active task%s",
                         JOB_KEY_ARG(request->job),
                         request->n_instances ? " of these instances" : "");

    const char *message = kill_message(request, arena);
    response->task_ids = arena_array(arena, count, sizeof *response->task_ids);
    for (size_t i = 0; i < count; i++) {
        char *id = arena_strdup(arena, tasks[i]->id);
        if (lifecycle_change(state, tasks[i], TASK_KILLING, message, now_ms) == STEP_SUCCESS)
            response->task_ids[response->n_task_ids++] = id;
    }
    return true;
}

bool command_kill_tasks(struct state *state, const kill_request *request, int64_t now_ms,
                        struct arena *arena, kill_response *response, struct error *err)
{
    ProtobufCMessage *known;

    if (!request_memory_find(state, request->request_id, "KillTasks", &request->base,
                             response->base.descriptor, arena, &known, err))
        return false;
    if (known) {
        *response = *(kill_response *)known;
        return true;
    }
    if (!kill_tasks(state, request, now_ms, arena, response, err))
        return false;
    request_memory_add(state, request->request_id, "KillTasks", &request->base, &response->base,
                       now_ms);
    return true;
}
