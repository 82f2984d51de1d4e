#include "launcher/image_requests.h"
#include "launcher/log_files.h"
#include "launcher/log_stream.h"
#include "launcher/service.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include "eos/launcher/v1/launcher.pb-c.h"

#include <assert.h>

#define MESSAGE_MAX_BYTES 1024u

static struct task *find_task(struct service *service, const char *task_id, struct error *err)
{
    struct task *task = tasks_find(service->tasks, task_id);
    if (!task)
        error_set(err, ERROR_NOT_FOUND, "the host has no task of that id, or no longer");
    return task;
}

/* -- logs ----------------------------------------------------------------------------------------- */

static bool check_read_log(const struct service *service,
                           const Eos__Launcher__V1__ReadLogRequest *request, struct error *err)
{
    if (request->stream != EOS__LAUNCHER__V1__LOG_STREAM__STDOUT &&
        request->stream != EOS__LAUNCHER__V1__LOG_STREAM__STDERR)
        return error_set(err, ERROR_INVALID_ARGUMENT, "field stream: expected STDOUT or STDERR");
    if (request->run < LOG_RUN_NEWEST)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "field run: expected -1 for the newest or a number from 0");
    if (request->limit_bytes < 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "field limit_bytes: expected 0 or more");
    if (service->log_streams.count >= LOG_STREAMS_MAX)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED, "%u logs are being read already",
                         LOG_STREAMS_MAX);
    return true;
}

static void read_log(void *ctx, struct rpc_request *request)
{
    struct service *service = ctx;
    const Eos__Launcher__V1__ReadLogRequest *message = rpc_request_message(request);
    struct error err;
    struct task *task = NULL;

    if (check_read_log(service, message, &err))
        task = find_task(service, message->task_id, &err);
    if (task)
        log_stream_start(&service->log_streams, task, request);
    else
        rpc_fail(request, &err);
}

struct listing {
    uv_work_t work;
    struct rpc_request *request;
    char *sandbox;
    Eos__Launcher__V1__ListLogsResponse response;
    bool ok;
    struct error error;
};

static void list_files(uv_work_t *work)
{
    struct listing *listing = work->data;
    listing->ok = log_files_list(listing->sandbox, rpc_request_arena(listing->request),
                                 &listing->response, &listing->error);
}

static void on_listed(uv_work_t *work, int status)
{
    struct listing *listing = work->data;
    (void)status;
    if (listing->ok)
        rpc_reply(listing->request, &listing->response.base);
    else
        rpc_fail(listing->request, &listing->error);
    free(listing->sandbox);
    free(listing);
}

static void list_logs(void *ctx, struct rpc_request *request)
{
    struct service *service = ctx;
    const Eos__Launcher__V1__ListLogsRequest *message = rpc_request_message(request);
    struct error err;
    struct task *task = find_task(service, message->task_id, &err);

    if (!task) {
        rpc_fail(request, &err);
        return;
    }
    struct listing *listing = xcalloc(1, sizeof *listing);
    listing->request = request;
    listing->sandbox = xstrdup(task->paths.sandbox);
    eos__launcher__v1__list_logs_response__init(&listing->response);
    listing->work.data = listing;
    int status = uv_queue_work(service->loop, &listing->work, list_files, on_listed);
    assert(status == 0);
}

/* -- tasks ---------------------------------------------------------------------------------------- */

static void describe_processes(const Eos__Executor__V1__State *state, struct arena *arena,
                               Eos__Launcher__V1__DescribeTaskResponse *response)
{
    response->processes = arena_array(arena, state->n_runs, sizeof *response->processes);
    for (size_t i = 0; i < state->n_runs; i++) {
        const Eos__Executor__V1__ProcessRun *run = state->runs[i];
        Eos__Launcher__V1__ProcessState *process = arena_alloc(arena, sizeof *process);
        eos__launcher__v1__process_state__init(process);
        process->name = arena_strdup(arena, run->name);
        process->run = run->run;
        process->state = arena_strdup(arena, run->state);
        process->pid = run->pid;
        process->exit_code = run->exit_code;
        response->processes[response->n_processes++] = process;
    }
}

static bool describe_task(void *ctx, const void *request, void *response, struct arena *arena,
                          struct error *err)
{
    struct service *service = ctx;
    const Eos__Launcher__V1__DescribeTaskRequest *req = request;
    Eos__Launcher__V1__DescribeTaskResponse *resp = response;
    struct task *task = find_task(service, req->task_id, err);

    if (!task)
        return false;
    resp->task_id = arena_strdup(arena, task->id);
    resp->container_kind = (char *)container_kind_name(task->kind);
    resp->image_digest = arena_strdup(arena, task->image_digest);
    resp->sandbox_path = arena_strdup(arena, task->paths.sandbox);
    resp->status = task->status;
    resp->executor_pid = task->is_gone || task_is_dead(task) ? 0 : task->pid;
    if (task->state)
        describe_processes(task->state, arena, resp);
    return true;
}

static void on_stopped(void *user, size_t stopped)
{
    struct rpc_request *request = user;
    Eos__Launcher__V1__StopTasksResponse response = EOS__LAUNCHER__V1__STOP_TASKS_RESPONSE__INIT;
    response.stopped = (int32_t)stopped;
    rpc_reply(request, &response.base);
}

static void stop_tasks(void *ctx, struct rpc_request *request)
{
    struct service *service = ctx;
    const Eos__Launcher__V1__StopTasksRequest *message = rpc_request_message(request);
    struct error err;

    if (strlen(message->message) <= MESSAGE_MAX_BYTES) {
        tasks_stop_all(service->tasks,
                       message->message[0] ? message->message : "The host is taken down.",
                       on_stopped, request);
        return;
    }
    error_set(&err, ERROR_INVALID_ARGUMENT, "field message: longer than %u bytes",
              MESSAGE_MAX_BYTES);
    rpc_fail(request, &err);
}

const struct rpc_method launcher_methods[] = {
    { .name = "ReadLog", .start = read_log },
    { .name = "ListLogs", .start = list_logs },
    { .name = "DescribeTask", .handle = describe_task },
    { .name = "StopTasks", .start = stop_tasks },
    { .name = "ListImages", .start = image_requests_list },
    { .name = "PullImage", .start = image_requests_pull },
    { .name = "PruneImages", .start = image_requests_prune },
    { .name = "CheckBlobs", .start = image_requests_check },
    { .name = "UploadBlob", .start = image_requests_upload },
    { .name = "CommitImage", .start = image_requests_commit },
    { 0 },
};
