#include "base/cleanup.h"
#include "client/fetch.h"
#include "client/job.h"
#include "client/output.h"
#include "client/task_state.h"
#include "client/user.h"

typedef Eos__Job__V1__ScheduledTask scheduled_task;
typedef Eos__Scheduler__V1__KillTasksRequest kill_request;
typedef Eos__Scheduler__V1__KillTasksResponse kill_response;

#define DEFAULT_TIMEOUT_MS 254000 /* as long as Aurora's client waits */

struct kill {
    const struct invocation *invocation;
    struct gateway *gateway;
    struct job_key key;
    struct instance_list active; /* those that are meant and active */
    struct text killed;          /* of the result */
    int64_t failures;
};

/* -- one request ---------------------------------------------------------------------------------- */

static bool send(struct kill *kill, const struct instance_list *instances,
                 kill_response **ret_response, struct error *err)
{
    kill_request request = EOS__SCHEDULER__V1__KILL_TASKS_REQUEST__INIT;
    Eos__Job__V1__JobKey key = EOS__JOB__V1__JOB_KEY__INIT;
    cleanup_text struct text path = TEXT_INIT;
    ProtobufCMessage *message;

    key.role = (char *)kill->key.role;
    key.environment = (char *)kill->key.environment;
    key.name = (char *)kill->key.name;
    request.job = &key;
    request.instances = instances->ids;
    request.n_instances = instances->count;
    request.message =
        (char *)(kill->invocation->flags->message ? kill->invocation->flags->message : "");
    request.user = (char *)user_name();
    request.request_id = gateway_request_id(kill->invocation->arena);
    fetch_add_job_path(&path, &kill->key);
    text_add(&path, ":kill");
    if (!gateway_call(kill->gateway, "POST", text_string(&path), &request.base,
                      &eos__scheduler__v1__kill_tasks_response__descriptor, kill->invocation->arena,
                      &message, err))
        return false;
    *ret_response = (kill_response *)message;
    return true;
}

/* -- waiting for the end -------------------------------------------------------------------------- */

static bool is_named(const kill_response *response, const scheduled_task *task)
{
    for (size_t i = 0; i < response->n_task_ids; i++)
        if (task->assigned_task && strcmp(response->task_ids[i], task->assigned_task->task_id) == 0)
            return true;
    return false;
}

static bool count_left(const struct kill *kill, const struct instance_list *instances,
                       const kill_response *response, size_t *ret_left, struct error *err)
{
    struct arena *arena = arena_new();
    struct task_query query = { .key = &kill->key, .instances = *instances, .only_active = true };
    scheduled_task **tasks;
    size_t count;
    bool is_answered = fetch_tasks(kill->gateway, &query, arena, &tasks, &count, err);
    *ret_left = response->n_task_ids;
    if (is_answered)
        for (size_t i = *ret_left = 0; i < count; i++)
            *ret_left += is_named(response, tasks[i]);
    arena_free(arena);
    return is_answered;
}

static bool wait_for_end(const struct kill *kill, const struct instance_list *instances,
                         const kill_response *response, struct error *err)
{
    int64_t limit_ms = kill->invocation->flags->timeout_ms;
    int64_t end_ms = job_now_ms() + (limit_ms > 0 ? limit_ms : DEFAULT_TIMEOUT_MS);
    int pause_ms = 0;
    for (;;) {
        size_t left;
        if (count_left(kill, instances, response, &left, err) && left == 0)
            return true;
        if (job_now_ms() >= end_ms)
            return error_set(err, ERROR_DEADLINE_EXCEEDED, "Instances %s were not killed in time",
                             instances_text(instances, kill->invocation->arena));
        cleanup_text struct text line = TEXT_INIT;
        text_printf(&line, "waiting for %zu tasks to end", left);
        output_progress(text_string(&line));
        job_pause(&pause_ms);
    }
}

/* -- batches -------------------------------------------------------------------------------------- */

static bool kill_batch(struct kill *kill, const struct instance_list *batch, struct error *err)
{
    kill_response *response;
    if (!send(kill, batch, &response, err) || !wait_for_end(kill, batch, response, err))
        return false;
    text_printf(&kill->killed, "Successfully killed instances %s\n",
                instances_text(batch, kill->invocation->arena));
    return true;
}

static enum exit_status fail_batch(const struct instance_list *batch, struct arena *arena,
                                   struct error *err)
{
    enum exit_status status = exit_status_of(err->code);
    if (err->code != ERROR_DEADLINE_EXCEEDED)
        error_prefix(err, "Kill of instances %s failed with error", instances_text(batch, arena));
    return output_complain(status, err);
}

static enum exit_status kill_in_batches(struct kill *kill)
{
    const struct flags *flags = kill->invocation->flags;
    size_t size = flags->no_batching ? kill->active.count : (size_t)flags->batch_size;
    struct error err;
    for (size_t at = 0; at < kill->active.count; at += size) {
        size_t left = kill->active.count - at;
        struct instance_list batch = { kill->active.ids + at, left < size ? left : size };
        if (kill_batch(kill, &batch, &err))
            continue;
        enum exit_status status = fail_batch(&batch, kill->invocation->arena, &err);
        if (status != STATUS_TIMEOUT || flags->no_batching)
            return status;
        if (++kill->failures <= flags->max_total_failures)
            continue;
        error_set(&err, ERROR_ABORTED, "Exceeded maximum number of errors while killing instances");
        return output_complain(STATUS_COMMAND_FAILURE, &err);
    }
    if (kill->failures == 0)
        return STATUS_OK;
    error_set(&err, ERROR_ABORTED, "Errors occurred while killing instances");
    return output_complain(STATUS_COMMAND_FAILURE, &err);
}

/* -- which ---------------------------------------------------------------------------------------- */

static void add_instance(struct instance_list *list, int32_t id)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->ids[i] == id)
            return;
    list->ids[list->count++] = id;
}

static bool find_active(struct kill *kill, const struct instance_list *wanted, struct error *err)
{
    struct task_query query = { .key = &kill->key, .instances = *wanted, .only_active = true };
    scheduled_task **tasks;
    size_t count;
    if (!fetch_tasks(kill->gateway, &query, kill->invocation->arena, &tasks, &count, err))
        return false;
    kill->active.ids = arena_array(kill->invocation->arena, count, sizeof(int32_t));
    for (size_t i = 0; i < count; i++)
        if (tasks[i]->assigned_task)
            add_instance(&kill->active, tasks[i]->assigned_task->instance_id);
    return true;
}

static enum exit_status check_active(const struct kill *kill, const struct instance_list *wanted)
{
    struct error err;
    if (kill->active.count == 0) {
        error_set(&err, ERROR_NOT_FOUND, "No tasks to kill found for job %s",
                  job_key_text(&kill->key, kill->invocation->arena));
        return output_complain(STATUS_INVALID_PARAMETER, &err);
    }
    if (kill->invocation->flags->strict && kill->active.count < wanted->count) {
        error_set(&err, ERROR_INVALID_ARGUMENT,
                  "Invalid instance parameter: of %s only %s are active",
                  instances_text(wanted, kill->invocation->arena),
                  instances_text(&kill->active, kill->invocation->arena));
        return output_complain(STATUS_INVALID_PARAMETER, &err);
    }
    return STATUS_OK;
}

static enum exit_status kill_instances(struct kill *kill, const struct instance_list *wanted,
                                       const char *success)
{
    struct error err;
    if (!find_active(kill, wanted, &err))
        return output_complain(exit_status_of(err.code), &err);
    enum exit_status status = check_active(kill, wanted);
    if (status == STATUS_OK)
        status = kill_in_batches(kill);
    output_progress(NULL);
    if (status == STATUS_OK)
        text_printf(&kill->killed, "%s\n", success);
    enum exit_status printed = output_print(&kill->killed);
    return status == STATUS_OK ? printed : status;
}

static enum exit_status run(const struct invocation *invocation, const struct job_key *key,
                            const struct instance_list *wanted, const char *success)
{
    struct kill kill = { .invocation = invocation, .key = *key };
    struct error err;
    cleanup_gateway struct gateway *gateway = gateway_open(invocation, key->cluster, &err);
    if (!gateway)
        return output_complain(STATUS_INVALID_CONFIGURATION, &err);
    kill.gateway = gateway;
    enum exit_status status = kill_instances(&kill, wanted, success);
    text_done(&kill.killed);
    return status;
}

enum exit_status job_kill(const struct invocation *invocation)
{
    struct job_key key;
    struct instance_list wanted;
    struct error err;
    if (!instance_spec_parse(invocation->arguments[0], invocation->arena, &key, &wanted, &err))
        return output_complain(STATUS_SYNTAX, &err);
    if (wanted.count == 0) {
        error_set(&err, ERROR_INVALID_ARGUMENT,
                  "The instances list cannot be omitted in a kill command!; use killall to kill "
                  "all instances");
        return output_complain(STATUS_INVALID_PARAMETER, &err);
    }
    return run(invocation, &key, &wanted, "Job kill succeeded");
}

enum exit_status job_killall(const struct invocation *invocation)
{
    struct job_key key;
    struct error err;
    if (!job_key_parse(invocation->arguments[0], invocation->arena, &key, &err))
        return output_complain(STATUS_SYNTAX, &err);
    return run(invocation, &key, &(struct instance_list){ 0 }, "Job killall succeeded");
}
