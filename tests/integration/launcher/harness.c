#include "harness.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/rpc_client.h"
#include "io/rpc_server.h"

#include "eos/launcher/v1/checkpoint.pb-c.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

extern char **environ;

const char *harness_id(const struct harness *harness, const char *task_id)
{
    const char *unique = strrchr(harness->folder, '.') + 1;
    return task_id[0] == '.' ? task_id : arena_printf(harness->arena, "%s-%s", unique, task_id);
}

/* Back to the short form. */
static char *short_id(struct harness *harness, const char *task_id)
{
    const char *unique = strrchr(harness->folder, '.') + 1;
    size_t len = strlen(unique);
    bool is_ours = strncmp(task_id, unique, len) == 0 && task_id[len] == '-';
    return arena_strdup(harness->arena, is_ours ? task_id + len + 1 : task_id);
}

/* -- the scheduler -------------------------------------------------------------------------------- */

typedef Eos__Scheduler__V1__SyncRequest sync_request;
typedef Eos__Scheduler__V1__SyncResponse sync_response;

static bool is_named(const struct harness *harness, const char *task_id)
{
    for (const struct update_seen *update = harness->updates; update; update = update->next)
        if (strcmp(update->task_id, task_id) == 0)
            return true;
    return harness->picture && map_get(harness->picture, slice_of(task_id));
}

static bool has_ended(const struct harness *harness, const char *task_id)
{
    for (const struct update_seen *update = harness->updates; update; update = update->next)
        if (strcmp(update->task_id, task_id) == 0 &&
            update->status != EOS__JOB__V1__SCHEDULE_STATUS__STARTING &&
            update->status != EOS__JOB__V1__SCHEDULE_STATUS__RUNNING)
            return true;
    return false;
}

static bool is_known(const struct harness *harness, const char *update_id)
{
    for (const struct update_seen *update = harness->updates; update; update = update->next)
        if (strcmp(update->update_id, update_id) == 0)
            return true;
    return false;
}

static void take_in(struct harness *harness, const sync_request *request)
{
    harness->polls++;
    harness->was_draining = request->is_draining;
    if (strcmp(harness->session, request->session) != 0)
        harness->last_sequence = 0;
    snprintf(harness->session, sizeof harness->session, "%s", request->session);
    snprintf(harness->host_id, sizeof harness->host_id, "%s", request->host_id);
    harness->last_sequence = request->sequence;
    harness->attribute_count = request->n_attributes;
    if (request->total) {
        harness->total = arena_alloc(harness->arena, sizeof *harness->total);
        *harness->total = *request->total;
    }
    for (size_t i = 0; i < request->n_updates; i++) {
        if (is_known(harness, request->updates[i]->update_id))
            continue;
        struct update_seen *seen = arena_alloc(harness->arena, sizeof *seen);
        seen->update_id = arena_strdup(harness->arena, request->updates[i]->update_id);
        seen->task_id = short_id(harness, request->updates[i]->task_id);
        seen->message = arena_strdup(harness->arena, request->updates[i]->message);
        seen->status = request->updates[i]->status;
        *harness->updates_end = seen;
        harness->updates_end = &seen->next;
    }
    if (!request->has_all_tasks)
        return;
    harness->pictures++;
    map_free(harness->picture);
    harness->picture = map_new();
    for (size_t i = 0; i < request->n_tasks; i++)
        map_put(harness->picture, slice_of(short_id(harness, request->tasks[i]->task_id)),
                (void *)(uintptr_t)(request->tasks[i]->status + 1));
}

static Eos__Scheduler__V1__KillTask *kill_message(struct harness *harness, char *task_id)
{
    Eos__Scheduler__V1__KillTask *kill = arena_alloc(harness->arena, sizeof *kill);
    eos__scheduler__v1__kill_task__init(kill);
    kill->task_id = (char *)harness_id(harness, task_id);
    kill->message = "Killed by the test.";
    return kill;
}

static void fill_answer(struct harness *harness, const sync_request *request,
                        sync_response *response)
{
    response->acknowledged =
        arena_array(harness->arena, request->n_updates, sizeof *response->acknowledged);
    for (size_t i = 0; i < request->n_updates && !harness->keeps_silent; i++)
        response->acknowledged[response->n_acknowledged++] =
            arena_strdup(harness->arena, request->updates[i]->update_id);
    response->launch = arena_array(harness->arena, 64, sizeof *response->launch);
    for (size_t i = 0; i < harness->launch_count; i++)
        if (!is_named(harness, short_id(harness, harness->launches[i]->task->task_id)))
            response->launch[response->n_launch++] = harness->launches[i];
    response->kill = arena_array(harness->arena, 64, sizeof *response->kill);
    for (size_t i = 0; i < harness->kill_count; i++)
        if (!has_ended(harness, harness->kills[i]))
            response->kill[response->n_kill++] = kill_message(harness, harness->kills[i]);
    response->forget = harness->forgets;
    response->n_forget = harness->forget_count;
    response->want_all_tasks = harness->wants_picture;
}

static bool answer(struct harness *harness, struct rpc_request *request, bool is_over)
{
    sync_response response = EOS__SCHEDULER__V1__SYNC_RESPONSE__INIT;
    fill_answer(harness, rpc_request_message(request), &response);
    if (!is_over && !response.n_acknowledged && !response.n_launch && !response.n_kill &&
        !response.n_forget && !response.want_all_tasks)
        return false;
    harness->forget_count = 0;
    harness->wants_picture = false;
    rpc_reply(request, &response.base);
    return true;
}

static void on_gone(void *user)
{
    struct harness *harness = user;
    struct error err;
    error_set(&err, ERROR_CANCELLED, "the poll was cancelled");
    rpc_fail(TAKE(harness->held), &err);
}

static void on_overtaken_gone(void *user)
{
    struct rpc_request **place = user;
    struct error err;
    error_set(&err, ERROR_CANCELLED, "the poll was cancelled");
    rpc_fail(TAKE(*place), &err);
}

static void keep_overtaken(struct harness *harness, struct rpc_request *request)
{
    size_t i = 0;
    while (harness->overtaken[i])
        i++;
    assert(i < sizeof harness->overtaken / sizeof harness->overtaken[0]);
    harness->overtaken[i] = request;
    rpc_request_on_cancel(request, on_overtaken_gone, &harness->overtaken[i]);
}

static void let_go(struct harness *harness)
{
    struct rpc_request *older = TAKE(harness->held);
    struct error err;
    if (harness->never_lets_go) {
        keep_overtaken(harness, older);
        return;
    }
    error_set(&err, ERROR_ABORTED, "a later poll has come");
    rpc_request_on_cancel(older, NULL, NULL);
    rpc_fail(older, &err);
}

static void sync_start(void *ctx, struct rpc_request *request)
{
    struct harness *harness = ctx;
    const sync_request *message = rpc_request_message(request);

    if (harness->held)
        let_go(harness);
    take_in(harness, message);
    if (answer(harness, request, message->wait_ms == 0))
        return;
    harness->held = request;
    rpc_request_on_cancel(request, on_gone, harness);
}

/* There is something new to say. */
static void push(struct harness *harness)
{
    struct rpc_request *held = harness->held;
    if (!held)
        return;
    harness->held = NULL;
    rpc_request_on_cancel(held, NULL, NULL);
    if (answer(harness, held, false))
        return;
    harness->held = held;
    rpc_request_on_cancel(held, on_gone, harness);
}

static const struct rpc_method methods[] = { { .name = "Sync", .start = sync_start }, { 0 } };

/* -- making --------------------------------------------------------------------------------------- */

static void on_clock(uv_timer_t *timer)
{
    (void)timer; /* wakes the loop, so that conditions on the outside world are looked at */
}

struct harness *harness_make(void)
{
    static struct rpc_service services[2];
    struct harness *harness = xcalloc(1, sizeof *harness);
    struct error err = { 0 };

    snprintf(harness->folder, sizeof harness->folder, "/tmp/eos-launcher-test.XXXXXX");
    char *made = mkdtemp(harness->folder);
    assert(made);
    chmod(harness->folder, 0755);
    snprintf(harness->state_dir, sizeof harness->state_dir, "%s/state", harness->folder);
    snprintf(harness->log_path, sizeof harness->log_path, "%s/log", harness->folder);
    snprintf(harness->cluster_url, sizeof harness->cluster_url, "ipc://%s/cluster.sock",
             harness->folder);
    snprintf(harness->launcher_url, sizeof harness->launcher_url, "ipc://%s/launcher.sock",
             harness->folder);
    harness->arena = arena_new();
    harness->updates_end = &harness->updates;
    uv_loop_init(&harness->loop);
    uv_timer_init(&harness->loop, &harness->clock);
    uv_timer_start(&harness->clock, on_clock, 5, 5);
    services[0] =
        (struct rpc_service){ &eos__scheduler__v1__cluster__descriptor, methods, harness };
    struct rpc_server_options server = { .services = services };
    struct rpc_client_options client = { .url = harness->launcher_url, .caller = "test" };
    harness->server = rpc_server_open(&harness->loop, &server, &err);
    bool ok =
        harness->server && rpc_server_listen(harness->server, harness->cluster_url, NULL, &err);
    assert(ok);
    harness->client = rpc_client_open(&harness->loop, &client, &err);
    assert(harness->client);
    return harness;
}

void harness_add_flag(struct harness *harness, const char *name, const char *value)
{
    size_t count = 0;
    while (harness->flags[count])
        count++;
    assert(count + 3 < sizeof harness->flags / sizeof harness->flags[0]);
    harness->flags[count] = arena_strdup(harness->arena, name);
    harness->flags[count + 1] = arena_strdup(harness->arena, value);
}

static void spawn(struct harness *harness)
{
    const char *bin = getenv("EOS_BIN");
    cleanup_free char *program = xasprintf("%s/eos-launcher", bin ? bin : "build/bin");
    const char *arguments[64] = {
        program,
        "--scheduler",
        harness->cluster_url,
        "--listen",
        harness->launcher_url,
        "--state-dir",
        harness->state_dir,
        "--hostname",
        "h1",
        "--cluster",
        "testcluster",
        "--log-level",
        "debug",
    };
    posix_spawn_file_actions_t actions;
    size_t count = 13;

    for (size_t i = 0; harness->flags[i]; i++)
        arguments[count++] = harness->flags[i];
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, harness->log_path, O_WRONLY | O_CREAT | O_APPEND,
                                     0600);
    int status = posix_spawn(&harness->pid, program, &actions, NULL, (char **)arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    assert(status == 0);
}

/* -- waiting -------------------------------------------------------------------------------------- */

bool harness_wait(struct harness *harness, harness_condition *condition, const void *what)
{
    uint64_t deadline_ms = uv_hrtime() / 1000000 + HARNESS_DEADLINE_MS;
    while (!condition(harness, what)) {
        if (uv_hrtime() / 1000000 >= deadline_ms)
            return false;
        uv_run(&harness->loop, UV_RUN_ONCE);
    }
    return true;
}

static bool has_polled(const struct harness *harness, const void *before)
{
    return harness->polls > *(const size_t *)before;
}

bool harness_start(struct harness *harness)
{
    size_t before = harness->polls;
    spawn(harness);
    return harness_wait(harness, has_polled, &before);
}

static bool has_exited(const struct harness *harness, const void *ret_status)
{
    return waitpid(harness->pid, (int *)ret_status, WNOHANG) == harness->pid;
}

static int wait_for_end(struct harness *harness)
{
    int status = 0;
    bool ok = harness_wait(harness, has_exited, &status);
    if (!ok) {
        kill(harness->pid, SIGKILL);
        waitpid(harness->pid, &status, 0);
    }
    harness->pid = 0;
    return ok && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void harness_kill(struct harness *harness)
{
    kill(harness->pid, SIGKILL);
    (void)wait_for_end(harness);
}

int harness_terminate(struct harness *harness)
{
    kill(harness->pid, SIGTERM);
    return wait_for_end(harness);
}

int harness_run_to_end(struct harness *harness)
{
    spawn(harness);
    return wait_for_end(harness);
}

struct expected {
    const char *task_id;
    Eos__Job__V1__ScheduleStatus status;
};

static const struct update_seen *find_update(const struct harness *harness,
                                             const struct expected *expected)
{
    for (const struct update_seen *update = harness->updates; update; update = update->next)
        if (update->status == expected->status && strcmp(update->task_id, expected->task_id) == 0)
            return update;
    return NULL;
}

static bool has_update(const struct harness *harness, const void *expected)
{
    return find_update(harness, expected) != NULL;
}

const char *harness_wait_for(struct harness *harness, const char *task_id,
                             Eos__Job__V1__ScheduleStatus status)
{
    struct expected expected = { task_id, status };
    if (!harness_wait(harness, has_update, &expected)) {
        fprintf(stderr, "no update of %s to status %d; seen so far:\n", task_id, status);
        for (const struct update_seen *update = harness->updates; update; update = update->next)
            fprintf(stderr, "  %s %d %s\n", update->task_id, update->status, update->message);
        return NULL;
    }
    return find_update(harness, &expected)->message;
}

size_t harness_count(const struct harness *harness, const char *task_id,
                     Eos__Job__V1__ScheduleStatus status)
{
    size_t count = 0;
    for (const struct update_seen *update = harness->updates; update; update = update->next)
        count += update->status == status && strcmp(update->task_id, task_id) == 0;
    return count;
}

/* -- commands ------------------------------------------------------------------------------------- */

static char *executor_data(struct harness *harness, const struct task_spec *spec)
{
    cleanup_text struct text json = TEXT_INIT;
    text_add(&json, "{\"task\": {\"processes\": [{\"name\": \"main\", \"cmdline\": ");
    text_add_json_string(&json, slice_of(spec->cmdline));
    text_add(&json, "}]}}");
    return arena_strdup(harness->arena, text_string(&json));
}

static void add_resources(struct harness *harness, Eos__Job__V1__TaskConfig *config)
{
    Eos__Job__V1__Resource *cpus = arena_alloc(harness->arena, sizeof *cpus);
    Eos__Job__V1__Resource *ram = arena_alloc(harness->arena, sizeof *ram);
    eos__job__v1__resource__init(cpus);
    eos__job__v1__resource__init(ram);
    cpus->resource_case = EOS__JOB__V1__RESOURCE__RESOURCE_NUM_CPUS;
    cpus->num_cpus = 0.1;
    ram->resource_case = EOS__JOB__V1__RESOURCE__RESOURCE_RAM_MB;
    ram->ram_mb = 64;
    config->resources = arena_array(harness->arena, 2, sizeof *config->resources);
    config->resources[config->n_resources++] = cpus;
    config->resources[config->n_resources++] = ram;
}

void harness_launch(struct harness *harness, const struct task_spec *spec)
{
    struct arena *arena = harness->arena;
    Eos__Scheduler__V1__LaunchTask *launch = arena_alloc(arena, sizeof *launch);
    Eos__Job__V1__AssignedTask *task = arena_alloc(arena, sizeof *task);
    Eos__Job__V1__TaskConfig *config = arena_alloc(arena, sizeof *config);
    Eos__Job__V1__JobKey *key = arena_alloc(arena, sizeof *key);

    eos__scheduler__v1__launch_task__init(launch);
    eos__job__v1__assigned_task__init(task);
    eos__job__v1__task_config__init(config);
    eos__job__v1__job_key__init(key);
    key->role = arena_strdup(arena, spec->role ? spec->role : "nobody");
    key->environment = "test";
    key->name = "job";
    config->job = key;
    config->executor_name = "AuroraExecutor";
    config->executor_data =
        spec->executor_data ? (char *)spec->executor_data : executor_data(harness, spec);
    config->container = spec->container;
    add_resources(harness, config);
    task->task_id = (char *)harness_id(harness, spec->id);
    task->hostname = "h1";
    task->host_id = harness->host_id;
    task->task = config;
    launch->task = task;
    launch->cluster = "testcluster";
    assert(harness->launch_count < 64);
    harness->launches[harness->launch_count++] = launch;
    push(harness);
}

void harness_order_kill(struct harness *harness, const char *task_id)
{
    harness->kills[harness->kill_count++] = arena_strdup(harness->arena, task_id);
    push(harness);
}

void harness_order_forget(struct harness *harness, const char *task_id)
{
    harness->forgets[harness->forget_count++] = (char *)harness_id(harness, task_id);
    push(harness);
}

/* -- questions to the launcher -------------------------------------------------------------------- */

struct asking {
    bool is_done, has_failed;
    struct error error;
    ProtobufCMessage *response;
    struct text *out;
    const char *until;
    struct rpc_call *call;
};

static bool is_answered(const struct harness *harness, const void *what)
{
    (void)harness;
    return ((const struct asking *)what)->is_done;
}

static void on_answer(void *user, const ProtobufCMessage *response, const struct error *err)
{
    struct asking *asking = user;
    asking->is_done = true;
    asking->has_failed = err != NULL;
    if (err) {
        asking->error = *err;
        return;
    }
    size_t len = protobuf_c_message_get_packed_size(response);
    cleanup_free uint8_t *bytes = xcalloc(1, len + 1);
    protobuf_c_message_pack(response, bytes);
    asking->response = protobuf_c_message_unpack(response->descriptor, NULL, len, bytes);
}

ProtobufCMessage *harness_ask(struct harness *harness, const char *method,
                              const ProtobufCMessage *request, struct error *err)
{
    struct asking asking = { 0 };
    if (!rpc_call(harness->client, &eos__launcher__v1__launcher__descriptor, method, request, NULL,
                  on_answer, &asking, err))
        return NULL;
    bool ok = harness_wait(harness, is_answered, &asking);
    assert(ok);
    if (asking.has_failed)
        *err = asking.error;
    return asking.response;
}

static void on_chunk(void *user, const ProtobufCMessage *message, const struct error *err)
{
    struct asking *asking = user;
    if (!message) {
        asking->is_done = true;
        asking->call = NULL;
        asking->has_failed = err != NULL;
        if (err)
            asking->error = *err;
        return;
    }
    const Eos__Launcher__V1__LogChunk *chunk = (const Eos__Launcher__V1__LogChunk *)message;
    text_add_bytes(asking->out, chunk->data.data, chunk->data.len);
    if (asking->until && strstr(text_string(asking->out), asking->until))
        asking->is_done = true;
}

bool harness_read_log(struct harness *harness, const struct log_wish *wish, struct text *out,
                      struct error *err)
{
    struct asking asking = { .out = out, .until = wish->until };
    Eos__Launcher__V1__ReadLogRequest request = EOS__LAUNCHER__V1__READ_LOG_REQUEST__INIT;
    request.task_id = (char *)harness_id(harness, wish->task_id);
    request.process = (char *)(wish->process ? wish->process : "");
    request.stream = wish->stream;
    request.run = wish->run;
    request.offset = wish->offset;
    request.limit_bytes = wish->limit_bytes;
    request.follow = wish->follow;
    asking.call = rpc_call_stream(harness->client, &eos__launcher__v1__launcher__descriptor,
                                  "ReadLog", &request.base, NULL, on_chunk, &asking, err);
    if (!asking.call)
        return false;
    bool ok = harness_wait(harness, is_answered, &asking);
    if (asking.call)
        rpc_call_cancel(asking.call);
    if (asking.has_failed)
        *err = asking.error;
    return ok && !asking.has_failed;
}

/* -- the outside world ---------------------------------------------------------------------------- */

static bool reads_pattern(const char *path, const char *pattern)
{
    char buffer[8192];
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, buffer, sizeof buffer - 1);
    if (len <= 0)
        return false;
    return memmem(buffer, (size_t)len, pattern, strlen(pattern)) != NULL;
}

size_t harness_processes(const char *pattern)
{
    DIR *stream = opendir("/proc");
    struct dirent *entry;
    size_t count = 0;
    while (stream && (entry = readdir(stream))) {
        char path[300];
        uint64_t pid;
        if (!slice_to_u64(slice_of(entry->d_name), INT32_MAX, &pid) || pid == (uint64_t)getpid())
            continue;
        snprintf(path, sizeof path, "/proc/%" PRIu64 "/cmdline", pid);
        count += reads_pattern(path, pattern);
    }
    if (stream)
        closedir(stream);
    return count;
}

static const char *const cgroup_roots[] = { "",      "/memory",  "/cpu",    "/cpuacct",
                                            "/pids", "/freezer", "/unified" };

static bool has_cgroup(const char *task_id)
{
    for (size_t i = 0; i < sizeof cgroup_roots / sizeof cgroup_roots[0]; i++) {
        cleanup_free char *path = xasprintf("/sys/fs/cgroup%s/eos/%s", cgroup_roots[i], task_id);
        if (access(path, F_OK) == 0)
            return true;
    }
    return false;
}

/* Of executors and control groups. */
bool harness_nothing_left(const struct harness *harness, const void *ignored)
{
    cleanup_free char *plans = xasprintf("%s/tasks", harness->state_dir);
    (void)ignored;
    for (size_t i = 0; i < harness->launch_count; i++)
        if (has_cgroup(harness->launches[i]->task->task_id))
            return false;
    return harness_processes(plans) == 0;
}

void harness_read_file(const struct harness *harness, const char *path, struct text *out)
{
    cleanup_free char *full = xasprintf("%s/%s", harness->folder, path);
    cleanup_close int fd = open(full, O_RDONLY | O_CLOEXEC);
    ssize_t len = 1;
    while (fd >= 0 && len > 0) {
        text_reserve(out, 4096);
        len = read(fd, out->ptr + out->len, 4096);
        out->len += len > 0 ? (size_t)len : 0;
        out->ptr[out->len] = 0;
    }
}

/* -- the end -------------------------------------------------------------------------------------- */

static void kill_executors(const struct harness *harness)
{
    DIR *stream = opendir("/proc");
    struct dirent *entry;
    while (stream && (entry = readdir(stream))) {
        char path[300];
        uint64_t pid;
        if (!slice_to_u64(slice_of(entry->d_name), INT32_MAX, &pid) || pid == (uint64_t)getpid())
            continue;
        snprintf(path, sizeof path, "/proc/%" PRIu64 "/cmdline", pid);
        if (reads_pattern(path, harness->state_dir))
            kill((pid_t)pid, SIGKILL);
    }
    if (stream)
        closedir(stream);
}

/* An executor that was killed leaves its control groups; what ran in them ends with it. */
static void remove_cgroup(const char *task_id)
{
    uint64_t end = uv_hrtime() + UINT64_C(10000000000);
    for (size_t i = 0; i < sizeof cgroup_roots / sizeof cgroup_roots[0]; i++) {
        cleanup_free char *path = xasprintf("/sys/fs/cgroup%s/eos/%s", cgroup_roots[i], task_id);
        while (rmdir(path) < 0 && errno == EBUSY && uv_hrtime() < end)
            sched_yield();
    }
}

static void show_log(const struct harness *harness)
{
    char buffer[4096];
    cleanup_close int fd = open(harness->log_path, O_RDONLY | O_CLOEXEC);
    ssize_t len;
    while (fd >= 0 && getenv("SHOW_LOG") && (len = read(fd, buffer, sizeof buffer)) > 0)
        fwrite(buffer, 1, (size_t)len, stderr);
}

static void end_poll(struct rpc_request *poll)
{
    struct error err;
    if (!poll)
        return;
    error_set(&err, ERROR_CANCELLED, "the test is over");
    rpc_request_on_cancel(poll, NULL, NULL);
    rpc_fail(poll, &err);
}

void harness_done(struct harness *harness)
{
    if (harness->pid > 0)
        harness_kill(harness);
    kill_executors(harness);
    for (size_t i = 0; i < harness->launch_count; i++)
        remove_cgroup(harness->launches[i]->task->task_id);
    show_log(harness);
    for (size_t i = 0; i < sizeof harness->overtaken / sizeof harness->overtaken[0]; i++)
        end_poll(TAKE(harness->overtaken[i]));
    end_poll(TAKE(harness->held));
    rpc_client_close(harness->client);
    rpc_server_close(harness->server);
    uv_close((uv_handle_t *)&harness->clock, NULL);
    uv_run(&harness->loop, UV_RUN_DEFAULT);
    uv_loop_close(&harness->loop);
    map_free(harness->picture);
    cleanup_free char *command = xasprintf("rm -rf '%s'", harness->folder);
    int status = system(command);
    (void)status;
    arena_free(harness->arena);
    free(harness);
}

void harness_forget_executor(const struct harness *harness, const char *task_id)
{
    cleanup_free char *path = xasprintf("state/tasks/%s/checkpoint", harness_id(harness, task_id));
    cleanup_free char *full = xasprintf("%s/%s", harness->folder, path);
    cleanup_text struct text content = TEXT_INIT;
    harness_read_file(harness, path, &content);
    Eos__Launcher__V1__Checkpoint *checkpoint =
        eos__launcher__v1__checkpoint__unpack(NULL, content.len, (const uint8_t *)content.ptr);
    assert(checkpoint && checkpoint->executor);
    eos__launcher__v1__executor_process__free_unpacked(TAKE(checkpoint->executor), NULL);
    size_t len = eos__launcher__v1__checkpoint__pack(checkpoint, (uint8_t *)content.ptr);
    eos__launcher__v1__checkpoint__free_unpacked(checkpoint, NULL);
    cleanup_close int fd = open(full, O_WRONLY | O_TRUNC | O_CLOEXEC);
    ssize_t written = write(fd, content.ptr, len);
    assert(written == (ssize_t)len);
}
