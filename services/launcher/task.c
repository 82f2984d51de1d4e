#include "launcher/task.h"

#include "launcher/host_process.h"
#include "launcher/recovery.h"

#include "launcher/host_file.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/log.h"
#include "io/metrics.h"
#include "io/wall_clock.h"

#include <assert.h>
#include <stdlib.h>

#define QUEUE_MAX (sizeof((struct task *)0)->queue / sizeof(enum task_event))

static void replace(char **text, const char *with)
{
    char *copy = xstrdup(with);
    free(*text);
    *text = copy;
}

/* -- events --------------------------------------------------------------------------------------- */

static void end_killed(struct task *task)
{
    task_end(task, EOS__JOB__V1__SCHEDULE_STATUS__KILLED,
             task->kill_message[0] ? task->kill_message : "Task killed during initialization.");
}

static void end_failed(struct task *task)
{
    task_end(task, EOS__JOB__V1__SCHEDULE_STATUS__FAILED, task->failure.message);
}

static void report_starting(struct task *task)
{
    static const char *const messages[KIND_COUNT] = {
        [KIND_HOST] = "Preparing the sandbox.",
        [KIND_DOCKER_IMAGE] = "Fetching the image.",
        [KIND_APPC_IMAGE] = "Fetching the image.",
        [KIND_DOCKER_ENGINE] = "The Docker engine fetches the image.",
    };
    task_report(task, EOS__JOB__V1__SCHEDULE_STATUS__STARTING, messages[task->kind]);
}

static bool prepare(struct task *task, struct error *err)
{
    const struct launch launch = {
        .settings = task->host->settings,
        .paths = &task->paths,
        .task = task->assigned,
        .cluster = task->cluster,
        .kind = task->kind,
        .image = task->image,
        .is_user_foreign = task->is_user_foreign,
    };
    return launch_prepare(&launch, err);
}

static void after_prepare(struct task *task, bool ok)
{
    if (ok)
        task_event(task, EVENT_PREPARED);
    else
        task_fail(task, &task->step_error);
}

static void do_prepare(struct task *task)
{
    task_step_in_worker(task, prepare, after_prepare);
}

static void do_record(struct task *task)
{
    if (task->stage == STAGE_DEAD)
        task->is_clean = true;
    task_record(task, RECORD_ASYNC);
}

/* In the order in which they are carried out. */
static const struct {
    enum task_action action;
    void (*carry_out)(struct task *task);
} actions[] = {
    { DO_CANCEL_FETCH, task_cancel_fetch },
    { DO_REPORT_STARTING, report_starting },
    { DO_END_FAILED, end_failed },
    { DO_END_KILLED, end_killed },
    { DO_END_FINAL, task_end_final },
    { DO_FORCE, task_force },
    { DO_RECORD, do_record },
    { DO_FETCH, task_fetch },
    { DO_PREPARE, do_prepare },
    { DO_START, task_start_executor },
    { DO_WATCH, task_watch_executor },
    { DO_CONNECT, task_connect },
    { DO_HELLO, task_hello },
    { DO_TELL_KILL, task_tell_kill },
    { DO_READ_EXIT, task_read_exit },
    { DO_ACKNOWLEDGE, task_acknowledge },
    { DO_CLEAN, task_clean },
};

static void enter(struct task *task, enum task_stage stage)
{
    if (task->stage == stage)
        return;
    log_debug("task goes on", "task", task->id, "from", task_stage_name(task->stage), "to",
              task_stage_name(stage));
    task->stage = stage;
    task->stage_since_ms = uv_now(task->host->loop);
    if (!task->is_closing)
        uv_timer_stop(&task->timer);
}

static void take_event(struct task *task, enum task_event event)
{
    struct task_step step;
    struct error err;
    enum task_stage before = task->stage;

    if (!task_step(task->stage, event, &step, &err)) {
        log_warning("task cannot go on like that", "task", task->id, "reason", err.message);
        return;
    }
    enter(task, step.next);
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (step.actions & actions[i].action)
            actions[i].carry_out(task);
    if (task->stage != before)
        task_changed(task);
    if (task->stage == STAGE_DEAD && before != STAGE_DEAD)
        task->host->on_dead(task->host->user);
}

/* Events that come while one is being carried out wait for their turn. */
void task_event(struct task *task, enum task_event event)
{
    bool is_step_done =
        event == EVENT_PREPARED || (event == EVENT_RECORDED && task->stage == STAGE_ACCEPTED);
    if (task->is_closing)
        return;
    if (is_step_done && task->is_kill_wanted)
        event = EVENT_ABANDON;
    assert(task->queued < QUEUE_MAX);
    task->queue[task->queued++] = event;
    if (task->is_dispatching)
        return;
    task->is_dispatching = true;
    while (task->queued > 0) {
        enum task_event next = task->queue[0];
        memmove(task->queue, task->queue + 1, --task->queued * sizeof task->queue[0]);
        take_event(task, next);
    }
    task->is_dispatching = false;
}

void task_fail(struct task *task, const struct error *err)
{
    task->failure = *err;
    task_event(task, EVENT_STEP_FAILED);
}

void task_changed(struct task *task)
{
    for (struct task_observer *observer = task->observers, *next; observer; observer = next) {
        next = observer->next;
        observer->on_change(observer->user);
    }
}

void task_observe(struct task *task, struct task_observer *observer)
{
    observer->next = task->observers;
    task->observers = observer;
}

void task_unobserve(struct task *task, struct task_observer *observer)
{
    struct task_observer **at = &task->observers;
    while (*at && *at != observer)
        at = &(*at)->next;
    if (*at)
        *at = observer->next;
}

/* -- what the scheduler hears --------------------------------------------------------------------- */

void task_report(struct task *task, Eos__Job__V1__ScheduleStatus status, const char *message)
{
    task->status = status;
    replace(&task->message, message);
    updates_add(task->host->updates, task->id, status, message, wall_clock_ms());
    task->host->on_news(task->host->user);
}

static const char *status_name(Eos__Job__V1__ScheduleStatus status)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(&eos__job__v1__schedule_status__descriptor,
                                             (int)status);
    return value ? value->name : "?";
}

static void count_end(Eos__Job__V1__ScheduleStatus status)
{
    char label[64];
    snprintf(label, sizeof label, "status=\"%s\"", status_name(status));
    metric_add(metric_open(METRIC_COUNTER, "eos_launcher_tasks_ended_total",
                           "Tasks that have ended on this host.", label),
               1);
}

void task_end(struct task *task, Eos__Job__V1__ScheduleStatus status, const char *message)
{
    if (task->is_lost_wanted && status != EOS__JOB__V1__SCHEDULE_STATUS__FINISHED)
        status = EOS__JOB__V1__SCHEDULE_STATUS__LOST;
    task->has_ended = true;
    task->ended_at_ms = wall_clock_ms();
    task_report(task, status, message);
    task_record(task, RECORD_AWAIT);
    count_end(status);
    log_info("task has ended", "task", task->id, "status", status_name(status), "message", message);
}

void task_kill(struct task *task, enum task_kill how, const char *message)
{
    if (how == TASK_KILL_AS_LOST && !task->has_ended)
        task->is_lost_wanted = true;
    if (task->is_kill_wanted || task->has_ended) {
        task_event(task, EVENT_KILL);
        return;
    }
    log_info("task is to be killed", "task", task->id, "stage", task_stage_name(task->stage));
    task->is_kill_wanted = true;
    replace(&task->kill_message, message);
    if (task->is_known)
        task_record(task, RECORD_ASYNC);
    task_event(task, EVENT_KILL);
}

void task_acknowledged(struct task *task)
{
    task_record(task, RECORD_ASYNC);
}

bool task_is_dead(const struct task *task)
{
    return task->stage == STAGE_DEAD;
}

bool task_has_ended(const struct task *task)
{
    return task_is_dead(task) || (task->stage == STAGE_CLEANING && task->clean_failures > 0);
}

/* -- workers and timers --------------------------------------------------------------------------- */

static void on_step(uv_work_t *work)
{
    struct task *task = work->data;
    task->is_step_ok = task->step_fn(task, &task->step_error);
}

static void on_step_done(uv_work_t *work, int status)
{
    struct task *task = work->data;
    (void)status;
    task->is_stepping = false;
    if (task->is_closing)
        task_close_continue(task);
    else
        task->step_after(task, task->is_step_ok);
}

void task_step_in_worker(struct task *task, bool (*fn)(struct task *, struct error *),
                         void (*after)(struct task *, bool ok))
{
    assert(!task->is_stepping);
    task->is_stepping = true;
    task->step_fn = fn;
    task->step_after = after;
    task->step_work.data = task;
    int status = uv_queue_work(task->host->loop, &task->step_work, on_step, on_step_done);
    assert(status == 0);
}

static void on_timer(uv_timer_t *timer)
{
    task_executor_timer(timer->data);
}

void task_set_timer(struct task *task, uint64_t after_ms)
{
    if (!task->is_closing)
        uv_timer_start(&task->timer, on_timer, after_ms, 0);
}

/* -- beginning ------------------------------------------------------------------------------------ */

static struct task *make(struct task_host *host, Eos__Job__V1__AssignedTask *assigned,
                         const char *cluster)
{
    struct task *task = xcalloc(1, sizeof *task);
    task->host = host;
    task->id = xstrdup(assigned->task_id);
    task->assigned = assigned;
    task->cluster = xstrdup(cluster);
    task->kind = container_kind_of(assigned->task);
    task->image_digest = xstrdup("");
    task->docker_id = xstrdup("");
    task->kill_message = xstrdup("");
    task->message = xstrdup("");
    task->status = EOS__JOB__V1__SCHEDULE_STATUS__ASSIGNED;
    task->stage = STAGE_ACCEPTED;
    task->stage_since_ms = uv_now(host->loop);
    launch_paths_init(&task->paths, host->settings->state_directory, task->id, task->kind);
    uv_timer_init(host->loop, &task->timer);
    task->timer.data = task;
    task->has_timer = true;
    return task;
}

struct task *task_new(struct task_host *host, Eos__Job__V1__AssignedTask *assigned,
                      const char *cluster)
{
    return make(host, assigned, cluster);
}

static void take_checkpoint(struct task *task, const Eos__Launcher__V1__Checkpoint *checkpoint)
{
    replace(&task->image_digest, checkpoint->image_digest);
    replace(&task->docker_id, checkpoint->docker_container_id);
    replace(&task->kill_message, checkpoint->kill_message);
    replace(&task->message, checkpoint->message);
    task->is_kill_wanted = checkpoint->is_kill_wanted;
    task->is_lost_wanted = checkpoint->is_lost_wanted;
    task->is_clean = checkpoint->is_clean;
    task->status = checkpoint->status;
    task->ended_at_ms = checkpoint->ended_at_ms;
    task->has_ended = checkpoint->ended_at_ms != 0;
    task->is_known = true;
    for (size_t i = 0; i < checkpoint->n_updates; i++)
        updates_restore(task->host->updates, checkpoint->updates[i]);
}

/* By the checkpoint, or by the command line when the checkpoint does not tell yet. */
static bool find_executor(struct task *task, const Eos__Launcher__V1__Checkpoint *checkpoint,
                          const struct map *processes)
{
    const Eos__Launcher__V1__ExecutorProcess *noted = checkpoint->executor;
    const struct host_process *found = map_get(processes, slice_of(task->paths.plan));

    if (noted && strcmp(noted->boot_id, task->host->boot_id) == 0 && noted->pid > 1 &&
        host_process_start(noted->pid) == noted->start_ticks && noted->start_ticks > 0) {
        task->pid = noted->pid;
        task->start_ticks = noted->start_ticks;
        return true;
    }
    if (!found || noted)
        return false;
    task->pid = found->pid;
    task->start_ticks = found->start_ticks;
    return true;
}

static bool has_file(const struct task *task, const char *name)
{
    cleanup_free char *path = xasprintf("%s/%s", task->paths.run, name);
    return host_file_exists(path);
}

static const enum task_stage recovered_stages[RECOVERY_COUNT] = {
    [RECOVER_DEAD] = STAGE_DEAD,
    [RECOVER_CLEAN] = STAGE_CLEANING,
    [RECOVER_LEAVE] = STAGE_LEAVING,
    [RECOVER_CONNECT] = STAGE_CONNECTING,
    [RECOVER_READ_EXIT] = STAGE_CONNECTING,
    [RECOVER_LOST] = STAGE_CONNECTING,
    [RECOVER_LAUNCH] = STAGE_ACCEPTED,
};

/* In a container of the Docker engine the process is not found by its command line, and need not be: to
 * launch again takes over what is there. */
static bool has_begun(const struct task *task)
{
    return task->kind != KIND_DOCKER_ENGINE && has_file(task, "record");
}

struct task *task_restore(struct task_host *host, Eos__Launcher__V1__Checkpoint *checkpoint,
                          const struct map *processes)
{
    struct task *task = make(host, TAKE(checkpoint->task), checkpoint->cluster);
    take_checkpoint(task, checkpoint);
    struct recovery_facts facts = {
        .is_clean = task->is_clean,
        .has_ended = task->has_ended,
        .is_alive = find_executor(task, checkpoint, processes),
        .has_exit = has_file(task, "exit"),
        .has_begun = has_begun(task),
        .was_started = checkpoint->executor != NULL,
    };
    task->stage = recovered_stages[recovery_decide(&facts)];
    task->is_gone = !facts.is_alive;
    if (task->stage == STAGE_DEAD && facts.has_exit)
        task_recall_end(task);
    eos__launcher__v1__checkpoint__free_unpacked(checkpoint, NULL);
    return task;
}

void task_start(struct task *task)
{
    switch (task->stage) {
    case STAGE_ACCEPTED: /* anew or again: from the checkpoint on */
        task_record(task, RECORD_AWAIT);
        break;
    case STAGE_CONNECTING:
        if (task->is_gone) {
            task_event(task, EVENT_GONE);
            break;
        }
        task_isolate(task, "recover", isolators_recover);
        task_watch_executor(task);
        task_connect(task);
        break;
    case STAGE_LEAVING:
        task_watch_executor(task);
        task_acknowledge(task);
        break;
    case STAGE_CLEANING:
        task_clean(task);
        break;
    default:
        break;
    }
}

/* -- closing -------------------------------------------------------------------------------------- */

static void free_task(struct task *task)
{
    struct task_host *host = task->host;
    if (task->state)
        eos__executor__v1__state__free_unpacked(task->state, NULL);
    if (task->exit_state)
        eos__executor__v1__state__free_unpacked(task->exit_state, NULL);
    eos__job__v1__assigned_task__free_unpacked(task->assigned, NULL);
    launch_paths_done(&task->paths);
    arena_free(task->image_arena);
    free(task->record_bytes);
    free(task->cluster);
    free(task->image_digest);
    free(task->docker_id);
    free(task->kill_message);
    free(task->message);
    free(task->id);
    free(task);
    host->on_task_closed(host->user);
}

void task_close_continue(struct task *task)
{
    if (!task->has_timer && !task->is_stepping && !task->is_recording)
        free_task(task);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct task *task = handle->data;
    task->has_timer = false;
    task_close_continue(task);
}

void task_close(struct task *task)
{
    task_cancel_fetch(task);
    task->is_closing = true;
    task_changed(task);
    executor_link_close(TAKE(task->link));
    process_watch_close(TAKE(task->watch));
    uv_close((uv_handle_t *)&task->timer, on_timer_closed);
}
