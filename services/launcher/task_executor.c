#include "launcher/executor_state.h"
#include "launcher/host_file.h"
#include "launcher/host_process.h"
#include "launcher/task.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/log.h"

#define CONNECT_RETRY_MIN_MS 2
#define CONNECT_RETRY_MAX_MS 200
#define CONNECT_DEADLINE_MS  30000
#define LEAVE_DEADLINE_MS    10000
#define KILL_MARGIN_MS       15000 /* over the grace that the executor gives the processes */
#define CLEAN_RETRY_MS       1000  /* twice as long after each failure */
#define CLEAN_RETRY_LAST_MS  64000
#define EXIT_MAX_BYTES       (4u << 20)
#define LOG_MAX_BYTES        (1u << 20)

typedef Eos__Executor__V1__State state_message;
typedef Eos__Executor__V1__ToExecutor to_executor;

/* -- starting ------------------------------------------------------------------------------------- */

void task_isolate(struct task *task, const char *what,
                  bool (*hook)(const struct isolators *, const char *, pid_t, struct error *))
{
    struct error err;
    if (task->kind == KIND_DOCKER_ENGINE ||
        hook(&task->host->settings->isolators, task->id, task->pid, &err))
        return;
    log_warning("an isolator could not do its part", "task", task->id, "part", what, "reason",
                err.message);
}

static void started(struct task *task, pid_t pid, uint64_t start_ticks)
{
    task->pid = pid;
    task->start_ticks = start_ticks;
    task->is_gone = false;
    task_isolate(task, "isolate", isolators_isolate);
    log_info("executor started", "task", task->id, "container", container_kind_name(task->kind));
    task_event(task, EVENT_STARTED);
}

static void on_docker_started(void *user, const char *container_id, pid_t pid,
                              const struct error *err)
{
    struct task *task = user;
    task->docker_call = NULL;
    if (err) {
        if (!task_waits_for_engine(task))
            task_fail(task, err);
        return;
    }
    free(task->docker_id);
    task->docker_id = xstrdup(container_id);
    started(task, pid, host_process_start(pid));
}

static void start_docker(struct task *task)
{
    const struct launch_settings *settings = task->host->settings;
    const struct docker_run run = {
        .task_id = task->id,
        .host_id = task->assigned->host_id,
        .task = task->assigned->task,
        .executor = settings->executor,
        .run_directory = task->paths.run,
        .plan = task->paths.plan,
        .sandbox = task->paths.sandbox,
        .sandbox_target = LAUNCH_SANDBOX_TARGET,
        .state_directory = settings->state_directory,
    };
    task->docker_call = docker_run(task->host->docker, &run, on_docker_started, task);
}

static void start_native(struct task *task)
{
    struct error err;
    pid_t pid;
    if (!launch_spawn(task->host->settings, &task->paths, &pid, &err))
        task_fail(task, &err);
    else
        started(task, pid, host_process_start(pid));
}

void task_start_executor(struct task *task)
{
    if (task->kind == KIND_DOCKER_ENGINE)
        start_docker(task);
    else
        start_native(task);
}

static void on_gone(void *user)
{
    struct task *task = user;
    process_watch_close(TAKE(task->watch));
    task->is_gone = true;
    task_event(task, EVENT_GONE);
}

void task_watch_executor(struct task *task)
{
    struct error err;
    task->watch =
        process_watch_open(task->host->loop, task->pid, task->start_ticks, on_gone, task, &err);
    if (task->watch)
        return;
    if (err.code != ERROR_NOT_FOUND)
        log_error("could not watch an executor", "task", task->id, "reason", err.message);
    task->is_gone = true;
    task_event(task, EVENT_GONE);
}

/* -- listening ------------------------------------------------------------------------------------ */

static bool is_final(const state_message *state)
{
    return state->state != EOS__EXECUTOR__V1__TASK_STATE__STARTING &&
           state->state != EOS__EXECUTOR__V1__TASK_STATE__RUNNING;
}

static void keep_state(struct task *task, const state_message *state)
{
    size_t len = eos__executor__v1__state__get_packed_size(state);
    uint8_t *bytes = xcalloc(1, len + 1);
    eos__executor__v1__state__pack(state, bytes);
    if (task->state)
        eos__executor__v1__state__free_unpacked(task->state, NULL);
    task->state = eos__executor__v1__state__unpack(NULL, len, bytes);
    free(bytes);
}

static void on_state(void *user, const state_message *state)
{
    struct task *task = user;
    keep_state(task, state);
    if (is_final(state)) {
        task_event(task, EVENT_FINAL);
    } else if (state->state == EOS__EXECUTOR__V1__TASK_STATE__RUNNING &&
               task->status != EOS__JOB__V1__SCHEDULE_STATUS__RUNNING && !task->has_ended) {
        log_info("task runs", "task", task->id);
        task_report(task, EOS__JOB__V1__SCHEDULE_STATUS__RUNNING, state->message);
        task_record(task, RECORD_ASYNC);
    }
    task_changed(task);
}

static void on_link_closed(void *user)
{
    struct task *task = user;
    executor_link_close(TAKE(task->link));
    task_event(task, EVENT_DISCONNECTED);
}

static void try_to_connect(struct task *task)
{
    const struct executor_link_events events = { .on_state = on_state,
                                                 .on_closed = on_link_closed,
                                                 .user = task };
    uint64_t waited_ms = uv_now(task->host->loop) - task->stage_since_ms;
    struct error err;

    if (task->is_gone)
        return;
    task->link = executor_link_open(task->host->loop, task->paths.run, &events, &err);
    if (task->link) {
        task->has_been_connected = true;
        task_event(task, EVENT_CONNECTED);
    } else if (waited_ms >= CONNECT_DEADLINE_MS) {
        error_set(&err, ERROR_DEADLINE_EXCEEDED, "Timed out waiting for task to start!");
        task_fail(task, &err);
    } else {
        uint64_t pause_ms = waited_ms / 4 + CONNECT_RETRY_MIN_MS;
        task_set_timer(task, pause_ms < CONNECT_RETRY_MAX_MS ? pause_ms : CONNECT_RETRY_MAX_MS);
    }
}

/* One that breaks off is not dialled again at once: it may do so every time. */
void task_connect(struct task *task)
{
    if (task->has_been_connected)
        task_set_timer(task, CONNECT_RETRY_MAX_MS);
    else
        try_to_connect(task);
}

static void send_hello(struct task *task)
{
    Eos__Executor__V1__Hello hello = EOS__EXECUTOR__V1__HELLO__INIT;
    to_executor message = EOS__EXECUTOR__V1__TO_EXECUTOR__INIT;
    message.message_case = EOS__EXECUTOR__V1__TO_EXECUTOR__MESSAGE_HELLO;
    message.hello = &hello;
    executor_link_send(task->link, &message);
}

void task_hello(struct task *task)
{
    send_hello(task);
    if (task->is_kill_wanted)
        task_tell_kill(task);
}

/* -- ending --------------------------------------------------------------------------------------- */

/* An executor that does not obey within its time is killed itself. */
static void force_in_time(struct task *task)
{
    uint64_t now_ms = uv_now(task->host->loop);
    uint64_t due_ms =
        task->kill_told_ms + (uint64_t)task->host->settings->kill_grace_ms + KILL_MARGIN_MS;
    if (now_ms >= due_ms)
        task_force(task);
    else
        task_set_timer(task, due_ms - now_ms);
}

void task_tell_kill(struct task *task)
{
    Eos__Executor__V1__Kill kill = EOS__EXECUTOR__V1__KILL__INIT;
    to_executor message = EOS__EXECUTOR__V1__TO_EXECUTOR__INIT;
    message.message_case = EOS__EXECUTOR__V1__TO_EXECUTOR__MESSAGE_KILL;
    message.kill = &kill;
    kill.message = task->kill_message;
    executor_link_send(task->link, &message);
    if (task->kill_told_ms == 0)
        task->kill_told_ms = uv_now(task->host->loop);
    force_in_time(task);
}

static void on_docker_killed(void *user, const struct error *err)
{
    struct task *task = user;
    task->docker_call = NULL;
    if (err)
        log_warning("could not kill a container", "task", task->id, "reason", err->message);
}

void task_force(struct task *task)
{
    log_warning("executor is killed", "task", task->id, "stage", task_stage_name(task->stage));
    if (task->watch)
        process_watch_kill(task->watch);
    if (task->kind == KIND_DOCKER_ENGINE && task->host->docker && !task->docker_call)
        task->docker_call = docker_remove(task->host->docker, task->id, on_docker_killed, task);
}

void task_acknowledge(struct task *task)
{
    Eos__Executor__V1__Acknowledge acknowledge = EOS__EXECUTOR__V1__ACKNOWLEDGE__INIT;
    to_executor message = EOS__EXECUTOR__V1__TO_EXECUTOR__INIT;

    message.message_case = EOS__EXECUTOR__V1__TO_EXECUTOR__MESSAGE_ACKNOWLEDGE;
    message.acknowledge = &acknowledge;
    if (!task->link) {
        try_to_connect(task);
        return;
    }
    executor_link_send(task->link, &message);
    task_set_timer(task, LEAVE_DEADLINE_MS);
}

static Eos__Job__V1__ScheduleStatus to_status(Eos__Executor__V1__TaskState state)
{
    switch (state) {
    case EOS__EXECUTOR__V1__TASK_STATE__FINISHED:
        return EOS__JOB__V1__SCHEDULE_STATUS__FINISHED;
    case EOS__EXECUTOR__V1__TASK_STATE__FAILED:
        return EOS__JOB__V1__SCHEDULE_STATUS__FAILED;
    case EOS__EXECUTOR__V1__TASK_STATE__KILLED:
        return EOS__JOB__V1__SCHEDULE_STATUS__KILLED;
    default:
        return EOS__JOB__V1__SCHEDULE_STATUS__LOST;
    }
}

void task_end_final(struct task *task)
{
    task_end(task, to_status(task->state->state), task->state->message);
}

/* -- an executor that has gone -------------------------------------------------------------------- */

/* The last line that the executor has said, for one that could not even begin. */
static void last_words(struct task *task, struct text *out)
{
    cleanup_text struct text content = TEXT_INIT;
    struct error ignored;
    if (!host_file_read(task->paths.log, LOG_MAX_BYTES, &content, &ignored))
        return;
    struct slice rest = slice_trim(text_slice(&content)), line = { 0 };
    while (rest.ptr)
        line = slice_split(&rest, '\n');
    if (slice_is_utf8(line))
        text_add_slice(out, line);
}

static bool has_record(const struct task *task)
{
    cleanup_free char *path = xasprintf("%s/record", task->paths.run);
    return host_file_exists(path);
}

/* Why there is nothing to read: an isolator may know, or the engine, or the executor has said so. */
static bool explain(struct task *task, struct error *err)
{
    cleanup_text struct text why = TEXT_INIT;
    bool has_begun = has_record(task);

    if (!isolators_watch(&task->host->settings->isolators, task->id, err))
        return false;
    if (task->failure.message[0])
        text_add(&why, task->failure.message);
    else if (!has_begun)
        last_words(task, &why);
    return error_set(err, has_begun ? ERROR_UNKNOWN : ERROR_FAILED_PRECONDITION, "%s%s%s",
                     has_begun ? "The executor of the task died without telling how the task ended"
                               : "The executor of the task could not begin",
                     why.len > 0 ? ": " : "", text_string(&why));
}

/* NULL when the executor has written nothing (NOT_FOUND), or nothing that can be read. */
static state_message *load_exit(const struct task *task, struct error *err)
{
    cleanup_free char *path = xasprintf("%s/exit", task->paths.run);
    cleanup_text struct text content = TEXT_INIT;
    if (!host_file_read(path, EXIT_MAX_BYTES, &content, err))
        return NULL;
    state_message *state =
        eos__executor__v1__state__unpack(NULL, content.len, (const uint8_t *)content.ptr);
    if (state && executor_state_check(state, err))
        return state;
    if (state)
        eos__executor__v1__state__free_unpacked(state, NULL);
    error_set(err, ERROR_DATA_LOSS, "What the executor wrote down is not readable");
    return NULL;
}

static bool read_exit(struct task *task, struct error *err)
{
    task->exit_state = load_exit(task, err);
    if (task->exit_state || err->code == ERROR_DATA_LOSS)
        return task->exit_state != NULL;
    return explain(task, err);
}

void task_recall_end(struct task *task)
{
    struct error ignored;
    task->state = load_exit(task, &ignored);
}

/* A task that was to be killed is dead.  One that never began has failed, and so has one that went over
 * a limit; what else is unknown is lost. */
static void after_read_exit(struct task *task, bool ok)
{
    bool has_failed = task->step_error.code == ERROR_RESOURCE_EXHAUSTED ||
                      task->step_error.code == ERROR_FAILED_PRECONDITION;
    if (!ok && task->is_kill_wanted) {
        task_end(task, EOS__JOB__V1__SCHEDULE_STATUS__KILLED, task->kill_message);
        return;
    }
    if (!ok) {
        task_end(task,
                 has_failed ? EOS__JOB__V1__SCHEDULE_STATUS__FAILED
                            : EOS__JOB__V1__SCHEDULE_STATUS__LOST,
                 task->step_error.message);
        return;
    }
    if (task->state)
        eos__executor__v1__state__free_unpacked(task->state, NULL);
    task->state = TAKE(task->exit_state);
    if (is_final(task->state))
        task_end_final(task);
    else
        task_end(task, EOS__JOB__V1__SCHEDULE_STATUS__LOST,
                 "The executor of the task died while the task was active.");
}

static void on_explained(void *user, const struct error *err)
{
    struct task *task = user;
    task->docker_call = NULL;
    task->failure = *err;
    task_step_in_worker(task, read_exit, after_read_exit);
}

void task_read_exit(struct task *task)
{
    executor_link_close(TAKE(task->link));
    task->failure.message[0] = 0;
    if (task->kind == KIND_DOCKER_ENGINE && !task->docker_call)
        task->docker_call = docker_explain(task->host->docker, task->id, on_explained, task);
    else
        task_step_in_worker(task, read_exit, after_read_exit);
}

/* -- cleaning ------------------------------------------------------------------------------------- */

static bool clean(struct task *task, struct error *err)
{
    cleanup_free char *run = xasprintf("%s/run", task->paths.task);
    cleanup_free char *socket = xasprintf("%s/executor.sock", task->paths.task);
    return isolators_cleanup(&task->host->settings->isolators, task->id, task->paths.task, err) &&
           host_tree_remove(run, err) && host_tree_remove(socket, err);
}

static void after_clean(struct task *task, bool ok)
{
    if (ok) {
        task_event(task, EVENT_CLEANED);
        return;
    }
    uint64_t wait_ms = (uint64_t)CLEAN_RETRY_MS << task->clean_failures;
    log_warning("could not clean up after a task", "task", task->id, "reason",
                task->step_error.message);
    task_set_timer(task, wait_ms);
    if (wait_ms < CLEAN_RETRY_LAST_MS)
        task->clean_failures++;
    task->host->on_dead(task->host->user); /* as good as: nobody has to wait for what is left */
}

static void on_container_removed(void *user, const struct error *err)
{
    struct task *task = user;
    task->docker_call = NULL;
    if (!err) {
        task_step_in_worker(task, clean, after_clean);
        return;
    }
    task->step_error = *err;
    after_clean(task, false);
}

void task_clean(struct task *task)
{
    executor_link_close(TAKE(task->link));
    if (task->kind == KIND_DOCKER_ENGINE && task->host->docker) {
        if (task->docker_call)
            docker_cancel(TAKE(task->docker_call));
        task->docker_call = docker_remove(task->host->docker, task->id, on_container_removed, task);
    } else {
        task_step_in_worker(task, clean, after_clean);
    }
}

/* -- the timer ------------------------------------------------------------------------------------ */

static void leave_or_force(struct task *task)
{
    struct error err;
    if (uv_now(task->host->loop) - task->stage_since_ms < LEAVE_DEADLINE_MS) {
        if (!task->link)
            try_to_connect(task);
        return;
    }
    error_set(&err, ERROR_DEADLINE_EXCEEDED, "the executor does not leave");
    task_fail(task, &err);
}

void task_executor_timer(struct task *task)
{
    task_record_again(task);
    switch (task->stage) {
    case STAGE_FETCHING:
        if (task->fetch)
            task_report_progress(task);
        else if (!task->docker_call)
            task_fetch(task);
        break;
    case STAGE_STARTING:
        if (!task->docker_call)
            task_start_executor(task);
        break;
    case STAGE_CONNECTING:
        try_to_connect(task);
        break;
    case STAGE_RUNNING:
        if (task->kill_told_ms > 0)
            force_in_time(task);
        break;
    case STAGE_LEAVING:
        leave_or_force(task);
        break;
    case STAGE_CLEANING:
        if (!task->is_stepping)
            task_clean(task);
        break;
    default:
        break;
    }
}
