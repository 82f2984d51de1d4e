#include "executor/task.h"

#include "executor/descendants.h"
#include "executor/files.h"
#include "executor/launch.h"
#include "executor/link.h"
#include "executor/logs.h"
#include "executor/report.h"
#include "executor/runner.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#define PUMP_GRACE_MS 1000 /* for what is in the pipes when the task is over */

/* The shell's side of a process: of its newest run. */
struct child {
    struct task *task;
    size_t index;
    pid_t pid; /* 0: no run is live */
    pid_t pump;
    struct source status; /* fd -1: it was executed, or is known not to be */
    struct text complaint;
};

struct task {
    const Eos__Executor__V1__TaskPlan *plan;
    struct loop loop;
    struct link link;
    struct source signals;
    struct runner runner;
    struct child *children; /* as many as the plan has processes */
    int64_t wall_offset_ms;
    bool is_dirty; /* something has changed since the last report */
    bool is_over;
};

/* ---- runs ----------------------------------------------------------------------------------- */

static void close_status(struct child *child)
{
    if (child->status.fd < 0)
        return;
    loop_remove(&child->task->loop, &child->status);
    close(child->status.fd);
    child->status.fd = -1;
}

/* Its group; or itself, as long as it has not made one. */
static void signal_run(const struct child *child, int signal)
{
    if (child->pid && kill(-child->pid, signal) < 0)
        kill(child->pid, signal);
}

/* Reads what the new process has to say up to its execve(). */
static void read_status(struct child *child)
{
    char bytes[256];
    ssize_t count;
    if (child->status.fd < 0)
        return;
    while ((count = read(child->status.fd, bytes, sizeof bytes)) > 0)
        if (child->complaint.len < sizeof bytes)
            text_add_bytes(&child->complaint, bytes, (size_t)count);
    if (count < 0 && errno == EAGAIN)
        return;
    close_status(child);
    child->task->is_dirty = true;
    if (child->complaint.len == 0)
        runner_running(&child->task->runner, child->index);
    else
        signal_run(child, SIGKILL); /* its output could not be opened, but it may run already */
}

static void on_status(void *user, uint32_t events)
{
    (void)events;
    read_status(user);
}

static void start(struct task *task, size_t index)
{
    struct child *child = &task->children[index];
    const struct process *process = &task->runner.graph.processes[index];
    struct error err;
    int status_fd;

    text_clear(&child->complaint);
    task->is_dirty = true;
    if (!launch_start(task->plan, task->plan->processes[index], process->run + 1, &child->pid,
                      &child->pump, &status_fd, &err)) {
        runner_not_forked(&task->runner, index, err.message, clock_monotonic_ms());
        return;
    }
    runner_forked(&task->runner, index, child->pid, clock_monotonic_ms());
    child->status = (struct source){ status_fd, on_status, child };
    if (!loop_add(&task->loop, &child->status, EPOLLIN, &err)) {
        close(status_fd); /* then only its end is seen */
        child->status.fd = -1;
    }
}

static int exit_code_of(const siginfo_t *info)
{
    return info->si_code == CLD_EXITED ? info->si_status : -info->si_status;
}

/* The group goes before its leader is reaped: until then no other process can have its number. */
static void end(struct child *child, int exit_code)
{
    struct runner *runner = &child->task->runner;
    kill(-child->pid, SIGKILL);
    waitpid(child->pid, NULL, 0);
    read_status(child);
    close_status(child);
    child->pid = 0;
    child->task->is_dirty = true;
    if (!process_is_live(&runner->graph.processes[child->index]))
        return;
    if (child->complaint.len)
        runner_not_executed(runner, child->index, text_string(&child->complaint),
                            clock_monotonic_ms());
    else
        runner_exited(runner, child->index, exit_code, clock_monotonic_ms());
}

static struct child *find_child(struct task *task, pid_t pid)
{
    for (size_t i = 0; i < task->plan->n_processes; i++)
        if (task->children[i].pid == pid)
            return &task->children[i];
    return NULL;
}

static void forget_pump(struct task *task, pid_t pid)
{
    for (size_t i = 0; i < task->plan->n_processes; i++)
        if (task->children[i].pump == pid)
            task->children[i].pump = 0;
}

static void reap(struct task *task)
{
    siginfo_t info = { 0 };
    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid) {
        struct child *child = find_child(task, info.si_pid);
        if (child) {
            end(child, exit_code_of(&info));
        } else {
            waitpid(info.si_pid, NULL, 0);
            forget_pump(task, info.si_pid);
        }
        info.si_pid = 0;
    }
}

static void on_signal(void *user, uint32_t events)
{
    struct task *task = user;
    struct signalfd_siginfo info;
    (void)events;
    while (read(task->signals.fd, &info, sizeof info) == sizeof info)
        ;
    reap(task);
}

/* ---- decisions ------------------------------------------------------------------------------ */

static bool is_ours(void *user, pid_t pid)
{
    struct task *task = user;
    for (size_t i = 0; i < task->plan->n_processes; i++)
        if (task->children[i].pid == pid || task->children[i].pump == pid)
            return true;
    return false;
}

static void signal_orphan(void *user, pid_t pid)
{
    if (!is_ours(user, pid))
        kill(pid, SIGTERM);
}

static void finish(struct task *task)
{
    for (size_t i = 0; i < task->plan->n_processes; i++)
        signal_run(&task->children[i], SIGKILL);
    task->is_over = true;
    task->is_dirty = true;
}

static void carry_out(struct task *task, const struct decision *decision)
{
    switch (decision->kind) {
    case DECIDE_START:
        start(task, decision->process);
        break;
    case DECIDE_TERMINATE:
        signal_run(&task->children[decision->process], SIGTERM);
        break;
    case DECIDE_TERMINATE_ORPHANS:
        descendants_visit_children(signal_orphan, task);
        break;
    case DECIDE_END:
        finish(task);
        break;
    }
}

static void report(struct task *task)
{
    cleanup_text struct text frame = TEXT_INIT;
    if (!task->is_dirty || !link_is_open(&task->link))
        return;
    task->is_dirty = false;
    report_add(&frame, &task->runner, task->wall_offset_ms);
    link_send(&task->link, text_slice(&frame));
}

/* ---- the channel ---------------------------------------------------------------------------- */

static bool on_message(void *user, struct link *link, struct slice message)
{
    struct task *task = user;
    (void)link;
    Eos__Executor__V1__ToExecutor *to =
        eos__executor__v1__to_executor__unpack(NULL, message.len, (const uint8_t *)message.ptr);
    if (!to)
        return false;
    if (to->message_case == EOS__EXECUTOR__V1__TO_EXECUTOR__MESSAGE_KILL) {
        runner_kill(&task->runner, to->kill->message, clock_monotonic_ms());
        task->is_dirty = true;
    }
    eos__executor__v1__to_executor__free_unpacked(to, NULL);
    return true;
}

/* Nobody supervises any more, and nothing runs unsupervised. */
static void on_closed(void *user, struct link *link)
{
    struct task *task = user;
    link_close(link);
    finish(task);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static bool open_task(struct task *task, int channel, struct error *err)
{
    task->loop.epoll_fd = -1;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    task->link.user = task;
    task->link.received = on_message;
    task->link.closed = on_closed;
    task->wall_offset_ms = clock_wall_ms() - clock_monotonic_ms();
    for (size_t i = 0; i < task->plan->n_processes; i++)
        task->children[i] = (struct child){ .task = task, .index = i, .status = { .fd = -1 } };
    task->signals =
        (struct source){ signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), on_signal, task };
    if (task->signals.fd < 0)
        return error_set_errno(err, errno, "could not watch signals");
    return loop_open(&task->loop, err) && loop_add(&task->loop, &task->signals, EPOLLIN, err) &&
           runner_init(&task->runner, task->plan, err) &&
           link_open(&task->link, &task->loop, channel, CHANNEL_MAX_BYTES, err);
}

static size_t count_pumps(const struct task *task)
{
    size_t count = 0;
    for (size_t i = 0; i < task->plan->n_processes; i++)
        count += task->children[i].pump != 0;
    return count;
}

static void wait_for_pumps(struct task *task)
{
    int64_t deadline_ms = clock_monotonic_ms() + PUMP_GRACE_MS;
    reap(task);
    while (count_pumps(task)) {
        int64_t left = deadline_ms - clock_monotonic_ms();
        if (left <= 0)
            return;
        loop_turn(&task->loop, left);
    }
}

static void turn(struct task *task)
{
    struct decision decision;
    while (!task->is_over && runner_decide(&task->runner, clock_monotonic_ms(), &decision))
        carry_out(task, &decision);
    report(task);
    if (!task->is_over)
        loop_turn(&task->loop, runner_wait_ms(&task->runner, clock_monotonic_ms()));
}

int task_run(const Eos__Executor__V1__TaskPlan *plan, int channel)
{
    struct error err;
    struct task *task = xcalloc(1, sizeof *task);
    task->plan = plan;
    task->children = xcalloc(plan->n_processes + 1, sizeof *task->children);
    if (!logs_prepare(plan, &err) || !open_task(task, channel, &err)) {
        task_report_failure(channel, &err);
        return 1;
    }
    while (!task->is_over)
        turn(task);
    wait_for_pumps(task);
    descendants_kill();
    if (link_is_open(&task->link))
        link_flush(&task->link, 1000);
    return 0;
}

void task_report_failure(int channel, const struct error *reason)
{
    cleanup_text struct text frame = TEXT_INIT;
    report_add_failure(&frame, reason->message);
    (void)write_all(channel, frame.ptr, frame.len);
}
