#include "peer.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/rpc_server.h"

#include "eos/binder/v1/binder.pb-c.h"
#include "eos/config/v1/config.pb-c.h"
#include "eos/launcher/v1/launcher.pb-c.h"
#include "eos/scheduler/v1/scheduler.pb-c.h"

#include <assert.h>
#include <uv.h>

#define CHUNK_BYTES 32768u

struct peer {
    uv_loop_t loop;
    uv_thread_t thread;
    uv_async_t stop;
    struct rpc_server *server;
    struct peer_counts counts;
    char *url;
};

static struct peer *the_peer; /* the handlers' context is a constant table */

/* -- config: by the path of the first file -------------------------------------------------------- */

static Eos__Config__V1__Diagnostic *mistake(struct arena *arena)
{
    Eos__Config__V1__Diagnostic *diagnostic = arena_alloc(arena, sizeof *diagnostic);
    Eos__Config__V1__Position *at = arena_alloc(arena, sizeof *at);
    eos__config__v1__diagnostic__init(diagnostic);
    eos__config__v1__position__init(at);
    at->file = "wrong.aurora";
    at->line = 2;
    at->column = 5;
    diagnostic->severity = "error";
    diagnostic->message = "name 'Jobb' is not defined";
    diagnostic->at = at;
    return diagnostic;
}

static Eos__Job__V1__JobConfiguration *job_of(struct arena *arena, const char *name)
{
    Eos__Job__V1__JobConfiguration *job = arena_alloc(arena, sizeof *job);
    Eos__Job__V1__JobKey *key = arena_alloc(arena, sizeof *key);
    eos__job__v1__job_configuration__init(job);
    eos__job__v1__job_key__init(key);
    key->role = "role";
    key->environment = "prod";
    key->name = arena_strdup(arena, name);
    job->key = key;
    job->instance_count = 2;
    return job;
}

static bool compile(void *ctx, const void *request, void *response, struct arena *arena,
                    struct error *err)
{
    (void)ctx;
    (void)err;
    const Eos__Config__V1__CompileRequest *req = request;
    Eos__Config__V1__CompileResponse *resp = response;
    const char *path = req->n_files > 0 ? req->files[0]->path : "";
    if (strcmp(path, "wrong.aurora") == 0) {
        resp->error = mistake(arena);
        return true;
    }
    if (strcmp(path, "including.aurora") == 0) {
        static char *needed[] = { "base.aurora" };
        resp->needed_files = needed;
        resp->n_needed_files = 1;
        return true;
    }
    Eos__Config__V1__JobResult *result = arena_alloc(arena, sizeof *result);
    eos__config__v1__job_result__init(result);
    result->cluster = strcmp(path, "elsewhere.aurora") == 0 ? "elsewhere" : "testcluster";
    result->job = job_of(arena, "compiled");
    resp->jobs = arena_array(arena, 1, sizeof result);
    resp->jobs[0] = result;
    resp->n_jobs = 1;
    resp->printed = "hello from the file\n";
    return true;
}

/* -- binder --------------------------------------------------------------------------------------- */

static Eos__Job__V1__ImageBinding *binding_of(struct arena *arena)
{
    Eos__Job__V1__ImageBinding *binding = arena_alloc(arena, sizeof *binding);
    eos__job__v1__image_binding__init(binding);
    binding->digest = "sha256:abc";
    return binding;
}

static bool resolve(void *ctx, const void *request, void *response, struct arena *arena,
                    struct error *err)
{
    (void)ctx;
    const Eos__Binder__V1__ResolveRequest *req = request;
    Eos__Binder__V1__ResolveResponse *resp = response;
    if (strcmp(req->cluster, "testcluster") != 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "expected the name of the cluster");
    if (strcmp(req->reference, "none") == 0)
        return error_set(err, ERROR_NOT_FOUND, "no such image");
    resp->binding = binding_of(arena);
    return true;
}

static bool bind_job(void *ctx, const void *request, void *response, struct arena *arena,
                     struct error *err)
{
    (void)ctx;
    (void)err;
    const Eos__Binder__V1__BindRequest *req = request;
    Eos__Binder__V1__BindResponse *resp = response;
    resp->job = req->job;
    resp->bindings = arena_array(arena, 1, sizeof resp->bindings[0]);
    resp->bindings[0] = binding_of(arena);
    resp->n_bindings = 1;
    return true;
}

static bool inspect(void *ctx, const void *request, void *response, struct arena *arena,
                    struct error *err)
{
    (void)ctx;
    const Eos__Binder__V1__InspectRequest *req = request;
    Eos__Binder__V1__InspectResponse *resp = response;
    if (strcmp(req->cluster, "testcluster") != 0 || strcmp(req->platform, "linux/arm64") != 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "expected cluster and platform");
    resp->binding = binding_of(arena);
    return true;
}

static bool verify(void *ctx, const void *request, void *response, struct arena *arena,
                   struct error *err)
{
    (void)ctx;
    const Eos__Binder__V1__VerifyRequest *req = request;
    Eos__Binder__V1__VerifyResponse *resp = response;
    if (req->n_keys != 1)
        return error_set(err, ERROR_FAILED_PRECONDITION, "it must be signed by team.pub");
    resp->binding = binding_of(arena);
    resp->algorithm = arena_strdup(arena, req->keys[0]->name);
    return true;
}

/* -- scheduler: by the name of the job, the role or the task -------------------------------------- */

static bool create_job(void *ctx, const void *request, void *response, struct arena *arena,
                       struct error *err)
{
    (void)ctx;
    (void)arena;
    const Eos__Scheduler__V1__CreateJobRequest *req = request;
    Eos__Scheduler__V1__CreateJobResponse *resp = response;
    if (!req->job || !req->job->key || !req->request_id[0])
        return error_set(err, ERROR_INVALID_ARGUMENT, "expected a job and a request id");
    if (strcmp(req->job->key->name, "twice") == 0)
        return error_set(err, ERROR_ALREADY_EXISTS, "job already exists");
    if (strcmp(req->job->key->name, "down") == 0)
        return error_set(err, ERROR_UNAVAILABLE, "going down");
    resp->instance_count = req->job->instance_count;
    atomic_fetch_add(&the_peer->counts.created, 1);
    return true;
}

static bool kill_tasks(void *ctx, const void *request, void *response, struct arena *arena,
                       struct error *err)
{
    (void)ctx;
    (void)arena;
    const Eos__Scheduler__V1__KillTasksRequest *req = request;
    Eos__Scheduler__V1__KillTasksResponse *resp = response;
    static char *killed[] = { "task-0" };
    if (!req->request_id[0])
        return error_set(err, ERROR_INVALID_ARGUMENT, "expected a request id");
    if (strcmp(req->job->name, "n") != 0)
        return error_set(err, ERROR_NOT_FOUND, "there is no job \"%s\"", req->job->name);
    resp->task_ids = killed;
    resp->n_task_ids = 1;
    return true;
}

static bool get_job(void *ctx, const void *request, void *response, struct arena *arena,
                    struct error *err)
{
    (void)ctx;
    const Eos__Scheduler__V1__GetJobRequest *req = request;
    Eos__Scheduler__V1__GetJobResponse *resp = response;
    if (strcmp(req->key->name, "n") != 0)
        return error_set(err, ERROR_NOT_FOUND, "there is no job \"%s\"", req->key->name);
    resp->job = job_of(arena, "n");
    return true;
}

static bool pending_reasons(void *ctx, const void *request, void *response, struct arena *arena,
                            struct error *err)
{
    (void)ctx;
    (void)request;
    (void)response;
    (void)arena;
    (void)err;
    return true;
}

static void free_timer(uv_handle_t *handle)
{
    free(handle);
}

static void on_slow(uv_timer_t *timer)
{
    Eos__Scheduler__V1__ListJobsResponse response = EOS__SCHEDULER__V1__LIST_JOBS_RESPONSE__INIT;
    response.next_page_token = "late";
    rpc_reply(timer->data, &response.base);
    uv_close((uv_handle_t *)timer, free_timer);
}

/* A page token shows the traceparent that came along. */
static void list_jobs(void *ctx, struct rpc_request *request)
{
    (void)ctx;
    const Eos__Scheduler__V1__ListJobsRequest *req = rpc_request_message(request);
    if (strcmp(req->role, "slow") == 0) {
        uv_timer_t *timer = xcalloc(1, sizeof *timer);
        timer->data = request;
        uv_timer_init(&the_peer->loop, timer);
        uv_timer_start(timer, on_slow, PEER_SLOW_MS, 0);
        return;
    }
    Eos__Scheduler__V1__ListJobsResponse response = EOS__SCHEDULER__V1__LIST_JOBS_RESPONSE__INIT;
    response.next_page_token = (char *)rpc_request_traceparent(request);
    rpc_reply(request, &response.base);
}

static const char *host_of_task(const char *task_id)
{
    static const struct {
        const char *task_id, *host_id;
    } rows[] = { { "pending", "" }, { "away", "host-2" }, { "dead", "host-3" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(task_id, rows[i].task_id) == 0)
            return rows[i].host_id;
    return "host-1";
}

static bool list_tasks(void *ctx, const void *request, void *response, struct arena *arena,
                       struct error *err)
{
    (void)ctx;
    (void)err;
    const Eos__Scheduler__V1__ListTasksRequest *req = request;
    Eos__Scheduler__V1__ListTasksResponse *resp = response;
    if (req->n_task_ids == 0 || strcmp(req->task_ids[0], "nothing") == 0)
        return true;
    Eos__Job__V1__ScheduledTask *task = arena_alloc(arena, sizeof *task);
    Eos__Job__V1__AssignedTask *assigned = arena_alloc(arena, sizeof *assigned);
    eos__job__v1__scheduled_task__init(task);
    eos__job__v1__assigned_task__init(assigned);
    assigned->task_id = req->task_ids[0];
    assigned->host_id = (char *)host_of_task(req->task_ids[0]);
    task->assigned_task = assigned;
    resp->tasks = arena_array(arena, 1, sizeof task);
    resp->tasks[0] = task;
    resp->n_tasks = 1;
    return true;
}

static Eos__Scheduler__V1__Host *host_of(struct arena *arena, const char *id, bool is_connected)
{
    Eos__Scheduler__V1__Host *host = arena_alloc(arena, sizeof *host);
    eos__scheduler__v1__host__init(host);
    host->host_id = (char *)id;
    host->hostname = (char *)id;
    host->endpoint = the_peer->url;
    host->is_connected = is_connected;
    return host;
}

static bool list_hosts(void *ctx, const void *request, void *response, struct arena *arena,
                       struct error *err)
{
    (void)ctx;
    (void)request;
    (void)err;
    Eos__Scheduler__V1__ListHostsResponse *resp = response;
    resp->hosts = arena_array(arena, 3, sizeof resp->hosts[0]);
    resp->hosts[0] = host_of(arena, "host-1", true);
    resp->hosts[1] = host_of(arena, "host-2", false);
    resp->hosts[2] = host_of(arena, "host-3", true);
    resp->hosts[2]->endpoint = arena_printf(arena, "%s.nobody", the_peer->url);
    resp->n_hosts = 3;
    return true;
}

/* -- launcher: by the task ------------------------------------------------------------------------ */

static bool describe_task(void *ctx, const void *request, void *response, struct arena *arena,
                          struct error *err)
{
    (void)ctx;
    (void)arena;
    (void)err;
    const Eos__Launcher__V1__DescribeTaskRequest *req = request;
    ((Eos__Launcher__V1__DescribeTaskResponse *)response)->task_id = req->task_id;
    return true;
}

/* The process of the task "rerun" has had four runs, and the log of the third has been removed. */
static bool list_logs(void *ctx, const void *request, void *response, struct arena *arena,
                      struct error *err)
{
    (void)ctx;
    (void)err;
    const Eos__Launcher__V1__ListLogsRequest *req = request;
    Eos__Launcher__V1__ListLogsResponse *resp = response;
    resp->n_files = strcmp(req->task_id, "rerun") == 0 ? 4 : 1;
    resp->files = arena_array(arena, resp->n_files, sizeof resp->files[0]);
    for (size_t i = 0; i < resp->n_files; i++) {
        Eos__Launcher__V1__LogFile *file = arena_alloc(arena, sizeof *file);
        eos__launcher__v1__log_file__init(file);
        file->process = "main";
        file->run = (int32_t)i;
        file->size_bytes = sizeof PEER_LOG - 1;
        resp->files[i] = file;
    }
    return true;
}

static bool stop_tasks(void *ctx, const void *request, void *response, struct arena *arena,
                       struct error *err)
{
    (void)ctx;
    (void)request;
    (void)response;
    (void)arena;
    return error_set(err, ERROR_PERMISSION_DENIED, "not by way of the gateway");
}

/* -- launcher: by the image ----------------------------------------------------------------------- */

static bool list_images(void *ctx, const void *request, void *response, struct arena *arena,
                        struct error *err)
{
    (void)ctx;
    (void)request;
    (void)arena;
    (void)err;
    ((Eos__Launcher__V1__ListImagesResponse *)response)->total_bytes = 4711;
    return true;
}

static bool prune_images(void *ctx, const void *request, void *response, struct arena *arena,
                         struct error *err)
{
    (void)ctx;
    (void)arena;
    const Eos__Launcher__V1__PruneImagesRequest *req = request;
    if (req->keep_bytes == 1)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED, "too many wait");
    ((Eos__Launcher__V1__PruneImagesResponse *)response)->freed_bytes = req->keep_bytes;
    return true;
}

static bool check_blobs(void *ctx, const void *request, void *response, struct arena *arena,
                        struct error *err)
{
    (void)ctx;
    (void)request;
    (void)response;
    (void)arena;
    (void)err;
    return true;
}

static bool upload_blob(void *ctx, const void *request, void *response, struct arena *arena,
                        struct error *err)
{
    (void)ctx;
    (void)arena;
    (void)err;
    const Eos__Launcher__V1__UploadBlobRequest *req = request;
    ((Eos__Launcher__V1__UploadBlobResponse *)response)->offset =
        req->offset + (int64_t)req->data.len;
    return true;
}

static bool commit_image(void *ctx, const void *request, void *response, struct arena *arena,
                         struct error *err)
{
    (void)ctx;
    (void)arena;
    (void)err;
    const Eos__Launcher__V1__CommitImageRequest *req = request;
    ((Eos__Launcher__V1__CommitImageResponse *)response)->name = req->name;
    return true;
}

static void on_pull_cancelled(void *user)
{
    struct error err;
    atomic_fetch_add(&the_peer->counts.cancelled, 1);
    error_set(&err, ERROR_CANCELLED, "cancelled");
    rpc_fail(user, &err);
}

/* "endless" tells how far it is and never ends. */
static void pull_image(void *ctx, struct rpc_request *request)
{
    (void)ctx;
    const Eos__Launcher__V1__PullImageRequest *req = rpc_request_message(request);
    Eos__Launcher__V1__PullImageProgress progress = EOS__LAUNCHER__V1__PULL_IMAGE_PROGRESS__INIT;
    struct error err;
    progress.layers = 3;
    bool ok = rpc_stream_send(request, &progress.base, &err);
    if (strcmp(req->reference, "endless") == 0) {
        rpc_request_on_cancel(request, on_pull_cancelled, request);
        return;
    }
    progress.digest = (char *)"sha256:abc";
    if (!ok || !rpc_stream_send(request, &progress.base, &err))
        rpc_fail(request, &err);
    else
        rpc_stream_end(request);
}

struct reader {
    struct rpc_request *request;
    uint64_t offset, size;
    int32_t run;
    bool is_endless, has_ended;
};

static char log_byte(const struct reader *reader, uint64_t offset)
{
    static const char log[] = PEER_LOG;
    return reader->size == sizeof log - 1 ? log[offset] : 'x';
}

static void read_on(void *user)
{
    struct reader *reader = user;
    static char bytes[CHUNK_BYTES];
    struct error err;
    while (!reader->has_ended && reader->offset < reader->size) {
        Eos__Launcher__V1__LogChunk chunk = EOS__LAUNCHER__V1__LOG_CHUNK__INIT;
        uint64_t left = reader->size - reader->offset;
        size_t len = left < sizeof bytes ? (size_t)left : sizeof bytes;
        for (size_t i = 0; i < len; i++)
            bytes[i] = log_byte(reader, reader->offset + i);
        chunk.data = (ProtobufCBinaryData){ len, (uint8_t *)bytes };
        chunk.offset = (int64_t)reader->offset;
        chunk.run = reader->run;
        if (!rpc_stream_send(reader->request, &chunk.base, &err)) {
            atomic_fetch_add(&the_peer->counts.blocked, 1);
            return;
        }
        reader->offset += len;
    }
    if (reader->has_ended || reader->is_endless)
        return;
    reader->has_ended = true;
    rpc_stream_end(reader->request);
    free(reader);
}

static void on_cancel(void *user)
{
    struct reader *reader = user;
    struct error err;
    atomic_fetch_add(&the_peer->counts.cancelled, 1);
    error_set(&err, ERROR_CANCELLED, "cancelled");
    reader->has_ended = true;
    rpc_fail(reader->request, &err);
    free(reader);
}

static void read_log(void *ctx, struct rpc_request *request)
{
    (void)ctx;
    const Eos__Launcher__V1__ReadLogRequest *req = rpc_request_message(request);
    struct error err;
    if (strcmp(req->process, "none") == 0 || req->run == 2) {
        error_set(&err, ERROR_NOT_FOUND, "the task has no process \"none\"");
        rpc_fail(request, &err);
        return;
    }
    struct reader *reader = xcalloc(1, sizeof *reader);
    reader->request = request;
    reader->is_endless = strcmp(req->task_id, "endless") == 0;
    reader->size = strcmp(req->task_id, "flood") == 0 ? PEER_FLOOD_SIZE : sizeof PEER_LOG - 1;
    reader->offset = (uint64_t)req->offset;
    reader->run = req->run >= 0 ? req->run : strcmp(req->task_id, "rerun") == 0 ? 3 : 0;
    rpc_request_on_cancel(request, on_cancel, reader);
    rpc_stream_on_writable(request, read_on, reader);
    read_on(reader);
}

/* -- the thread ----------------------------------------------------------------------------------- */

static const struct rpc_method config_methods[] = { { .name = "Compile", .handle = compile },
                                                    { 0 } };
static const struct rpc_method binder_methods[] = { { .name = "Resolve", .handle = resolve },
                                                    { .name = "Bind", .handle = bind_job },
                                                    { .name = "Inspect", .handle = inspect },
                                                    { .name = "Verify", .handle = verify },
                                                    { 0 } };
static const struct rpc_method scheduler_methods[] = {
    { .name = "CreateJob", .handle = create_job },
    { .name = "KillTasks", .handle = kill_tasks },
    { .name = "ListJobs", .start = list_jobs },
    { .name = "GetJob", .handle = get_job },
    { .name = "ListTasks", .handle = list_tasks },
    { .name = "PendingReasons", .handle = pending_reasons },
    { .name = "ListHosts", .handle = list_hosts },
    { 0 },
};
static const struct rpc_method launcher_methods[] = {
    { .name = "ReadLog", .start = read_log },
    { .name = "ListLogs", .handle = list_logs },
    { .name = "DescribeTask", .handle = describe_task },
    { .name = "StopTasks", .handle = stop_tasks },
    { .name = "ListImages", .handle = list_images },
    { .name = "PullImage", .start = pull_image },
    { .name = "PruneImages", .handle = prune_images },
    { .name = "CheckBlobs", .handle = check_blobs },
    { .name = "UploadBlob", .handle = upload_blob },
    { .name = "CommitImage", .handle = commit_image },
    { 0 },
};
static const struct rpc_service services[] = {
    { .descriptor = &eos__config__v1__config__descriptor, .methods = config_methods },
    { .descriptor = &eos__binder__v1__binder__descriptor, .methods = binder_methods },
    { .descriptor = &eos__scheduler__v1__scheduler__descriptor, .methods = scheduler_methods },
    { .descriptor = &eos__launcher__v1__launcher__descriptor, .methods = launcher_methods },
    { 0 },
};

static void on_stop(uv_async_t *async)
{
    struct peer *peer = async->data;
    rpc_server_close(peer->server);
    uv_close((uv_handle_t *)async, NULL);
}

static void run(void *user)
{
    struct peer *peer = user;
    uv_run(&peer->loop, UV_RUN_DEFAULT);
}

struct peer *peer_start(const char *url)
{
    struct peer *peer = the_peer = xcalloc(1, sizeof *peer);
    struct rpc_server_options options = { .services = services };
    struct error err = { 0 };
    uv_loop_init(&peer->loop);
    uv_async_init(&peer->loop, &peer->stop, on_stop);
    peer->stop.data = peer;
    peer->url = xstrdup(url);
    peer->server = rpc_server_open(&peer->loop, &options, &err);
    if (!peer->server || !rpc_server_listen(peer->server, url, NULL, &err)) {
        fprintf(stderr, "could not start the peer: %s\n", err.message);
        abort();
    }
    uv_thread_create(&peer->thread, run, peer);
    return peer;
}

void peer_stop(struct peer *peer)
{
    uv_async_send(&peer->stop);
    uv_thread_join(&peer->thread);
    uv_loop_close(&peer->loop);
    free(peer->url);
    free(peer);
}

struct peer_counts *peer_counts(struct peer *peer)
{
    return &peer->counts;
}
