#include "executor/service.h"

#include "executor/descendants.h"
#include "executor/files.h"
#include "executor/graph.h"
#include "executor/inner.h"
#include "executor/link.h"
#include "executor/peers.h"
#include "executor/plan.h"
#include "executor/plan_file.h"
#include "executor/report.h"
#include "executor/run_directory.h"
#include "executor/task.h"
#include "executor/verdict.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log_format.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define STATE(name) EOS__EXECUTOR__V1__TASK_STATE__##name

#define KILL_PATIENCE_MS  5000 /* behind the grace that the container gives its processes */
#define MEMORY_RECHECK_MS 20
#define MEMORY_DOUBT_MS   1000
#define MEMORY_LOOK_MS    1000
#define EMPTY_RETRY_MS    5
#define EMPTY_LIMIT_MS    10000

enum phase {
    PHASE_RUNNING,  /* the container's first process lives */
    PHASE_EMPTYING, /* it has gone; what it left is being removed */
    PHASE_ENDED,    /* the final State stands in "exit" */
};

struct service {
    const struct service_options *options;
    Eos__Executor__V1__TaskPlan *plan;
    struct run_directory directory;
    struct loop loop;
    struct source signals, memory;
    struct peers peers;

    struct cgroup cgroup;
    struct cgroup around;         /* in a container of an engine: its own */
    const struct cgroup *counted; /* the one of the two whose counters tell of the task */
    struct inner inner;
    struct link channel;

    Eos__Executor__V1__State *state; /* what launchers are told */
    struct evidence evidence;        /* its texts belong to the two below */
    char *reported_message, *kill_message;
    bool is_dirty, is_acknowledged;

    enum phase phase;
    int64_t kill_deadline_ms, memory_check_ms, memory_doubt_ms, empty_retry_ms, empty_deadline_ms,
        leave_ms;
};

#define NEVER INT64_MAX

static void complain(const struct service *service, const char *message)
{
    cleanup_text struct text line = TEXT_INIT;
    const char *fields[] = { "task", service->plan ? service->plan->task_id : NULL, NULL };
    log_format_line(&line, LOG_PLAIN, clock_wall_ms(), LOG_ERROR, "executor", message,
                    service->plan ? fields : NULL);
    (void)write_all(STDERR_FILENO, line.ptr, line.len);
}

/* ---- the state ------------------------------------------------------------------------------ */

static void set_string(char **field, const char *value)
{
    if (*field && *field != protobuf_c_empty_string)
        free(*field);
    *field = xstrdup(value);
}

static void set_state(struct service *service, Eos__Executor__V1__TaskState state,
                      const char *message)
{
    service->state->state = state;
    set_string(&service->state->message, message);
    service->is_dirty = true;
}

/* On disk first, so that no launcher knows more than the record. */
static void publish(struct service *service)
{
    struct error err;
    if (!service->is_dirty)
        return;
    service->is_dirty = false;
    service->state->revision++;
    service->state->timestamp_ms = clock_wall_ms();
    if (!run_directory_write(&service->directory, "record", service->state, &err) ||
        (service->phase == PHASE_ENDED &&
         !run_directory_write(&service->directory, "exit", service->state, &err)))
        complain(service, err.message);
    peers_tell(&service->peers);
}

/* ---- killing -------------------------------------------------------------------------------- */

static void kill_inner(struct service *service)
{
    if (service->inner.pid)
        kill(service->inner.pid, SIGKILL);
    cgroup_kill(&service->cgroup);
}

static void request_kill(struct service *service, const char *message)
{
    if (service->evidence.was_killed || service->phase != PHASE_RUNNING)
        return;
    service->evidence.was_killed = true;
    service->evidence.kill_message = service->kill_message = xstrdup(message);
    report_trim(service->kill_message);
    service->kill_deadline_ms =
        clock_monotonic_ms() + service->plan->kill_grace_ms + KILL_PATIENCE_MS;

    cleanup_text struct text frame = TEXT_INIT;
    Eos__Executor__V1__Kill body = EOS__EXECUTOR__V1__KILL__INIT;
    Eos__Executor__V1__ToExecutor to = EOS__EXECUTOR__V1__TO_EXECUTOR__INIT;
    to.message_case = EOS__EXECUTOR__V1__TO_EXECUTOR__MESSAGE_KILL;
    to.kill = &body;
    body.message = service->kill_message;
    frame_add(&frame, &to.base);
    if (link_is_open(&service->channel))
        link_send(&service->channel, text_slice(&frame));
}

/* An engine mounts the groups of version 1 read-only, and then the kernel cannot be asked to tell. */
static bool must_look_for_itself(const struct service *service)
{
    return service->memory.fd < 0 && service->counted == &service->around &&
           service->evidence.memory_bytes > 0;
}

/* The kernel tells that memory has run out before it has killed anything, and sometimes it need not
 * kill: so the counter is read again for a while. */
static void check_memory(struct service *service)
{
    int64_t now_ms = clock_monotonic_ms();
    service->memory_check_ms = NEVER;
    service->evidence.oom_kills = cgroup_oom_kills(service->counted);
    if (service->evidence.oom_kills > 0)
        kill_inner(service);
    else if (now_ms < service->memory_doubt_ms)
        service->memory_check_ms = now_ms + MEMORY_RECHECK_MS;
    else if (must_look_for_itself(service))
        service->memory_check_ms = now_ms + MEMORY_LOOK_MS;
}

static void on_memory(void *user, uint32_t events)
{
    struct service *service = user;
    char bytes[4096];
    (void)events;
    while (read(service->memory.fd, bytes, sizeof bytes) > 0)
        ;
    service->memory_doubt_ms = clock_monotonic_ms() + MEMORY_DOUBT_MS;
    if (service->phase == PHASE_RUNNING)
        check_memory(service);
}

/* ---- the container -------------------------------------------------------------------------- */

static bool is_final(Eos__Executor__V1__TaskState state)
{
    return state != STATE(STARTING) && state != STATE(RUNNING);
}

/* Takes the runs out of a report, and its state unless that is final: a task is over only when
 * nothing of it is left. */
static void take_report(struct service *service, Eos__Executor__V1__State *report)
{
    Eos__Executor__V1__State *state = service->state;
    free(service->reported_message);
    service->reported_message = xstrdup(report->message);
    service->evidence.has_report = true;
    service->evidence.reported = report->state;
    service->evidence.reported_message = service->reported_message;

    size_t run_count = state->n_runs;
    Eos__Executor__V1__ProcessRun **runs = state->runs;
    state->n_runs = report->n_runs;
    state->runs = report->runs;
    report->n_runs = run_count; /* freed with the report */
    report->runs = runs;
    if (!is_final(report->state))
        set_state(service, report->state, report->message);
    service->is_dirty = !is_final(report->state);
}

static bool on_report(void *user, struct link *link, struct slice message)
{
    struct service *service = user;
    (void)link;
    Eos__Executor__V1__FromExecutor *from =
        eos__executor__v1__from_executor__unpack(NULL, message.len, (const uint8_t *)message.ptr);
    if (!from)
        return false;
    bool is_state = from->message_case == EOS__EXECUTOR__V1__FROM_EXECUTOR__MESSAGE_STATE;
    if (is_state)
        take_report(service, from->state);
    eos__executor__v1__from_executor__free_unpacked(from, NULL);
    return is_state;
}

static void on_channel_closed(void *user, struct link *link)
{
    struct service *service = user;
    link_close(link);
    if (service->phase == PHASE_RUNNING && service->inner.pid)
        service->kill_deadline_ms = clock_monotonic_ms() + KILL_PATIENCE_MS;
}

/* What was running when the container went down went with it. */
static void close_runs(struct service *service)
{
    for (size_t i = 0; i < service->state->n_runs; i++) {
        Eos__Executor__V1__ProcessRun *run = service->state->runs[i];
        if (strcmp(run->state, "FORKED") != 0 && strcmp(run->state, "RUNNING") != 0)
            continue;
        set_string(&run->state, service->state->state == STATE(LOST) ? "LOST" : "KILLED");
        run->exit_code = -SIGKILL;
        run->stop_ms = clock_wall_ms();
    }
}

static void conclude(struct service *service)
{
    struct verdict verdict;
    verdict_find(&service->evidence, &verdict);
    service->phase = PHASE_ENDED;
    service->leave_ms = clock_monotonic_ms() + service->options->linger_ms;
    set_state(service, verdict.state, verdict.message);
    close_runs(service);
    publish(service);
    if (verdict.state != STATE(FINISHED))
        complain(service, verdict.message);
}

/* Removes what is left, and tries again until nothing is. */
static void empty(struct service *service)
{
    int64_t now_ms = clock_monotonic_ms();
    descendants_kill();
    if (!cgroup_remove(&service->cgroup)) {
        cgroup_kill(&service->cgroup);
        if (now_ms < service->empty_deadline_ms) {
            service->empty_retry_ms = now_ms + EMPTY_RETRY_MS;
            return;
        }
        complain(service, "could not remove the cgroup: a process in it does not die");
    }
    service->empty_retry_ms = NEVER;
    conclude(service);
}

static void begin_emptying(struct service *service)
{
    service->phase = PHASE_EMPTYING;
    service->kill_deadline_ms = service->memory_check_ms = NEVER;
    service->empty_deadline_ms = clock_monotonic_ms() + EMPTY_LIMIT_MS;
    service->evidence.oom_kills = cgroup_oom_kills(service->counted);
    service->evidence.pids_refused = cgroup_pids_refused(service->counted);
    empty(service);
}

/* Its last words are still in the socket. */
static void on_inner_exit(struct service *service, int wait_status)
{
    service->inner.pid = 0;
    service->evidence.wait_status = wait_status;
    link_drain(&service->channel);
    link_close(&service->channel);
    begin_emptying(service);
}

static void reap(struct service *service)
{
    pid_t pid;
    int wait_status;
    while ((pid = waitpid(-1, &wait_status, WNOHANG)) > 0)
        if (pid == service->inner.pid)
            on_inner_exit(service, wait_status);
}

static void on_signal(void *user, uint32_t events)
{
    struct service *service = user;
    struct signalfd_siginfo info;
    (void)events;
    while (read(service->signals.fd, &info, sizeof info) == sizeof info)
        if (info.ssi_signo != SIGCHLD)
            request_kill(service, "the executor was told to stop");
    reap(service);
}

/* ---- opening -------------------------------------------------------------------------------- */

static bool watch_signals(struct service *service, struct error *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    service->signals =
        (struct source){ signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), on_signal, service };
    if (service->signals.fd < 0)
        return error_set_errno(err, errno, "could not watch signals");
    return loop_add(&service->loop, &service->signals, EPOLLIN, err);
}

static void on_kill(void *user, const char *message)
{
    request_kill(user, message);
}

/* Before the end it means nothing. */
static void on_acknowledge(void *user)
{
    struct service *service = user;
    service->is_acknowledged |= service->phase == PHASE_ENDED;
}

static bool listen_for_launchers(struct service *service, struct error *err)
{
    service->peers.state = service->state;
    service->peers.killed = on_kill;
    service->peers.acknowledged = on_acknowledge;
    service->peers.user = service;
    int fd = -1;
    return run_directory_listen(&service->directory, &fd, err) &&
           peers_open(&service->peers, &service->loop, fd, err);
}

static void make_state(struct service *service)
{
    service->state = xcalloc(1, sizeof *service->state);
    eos__executor__v1__state__init(service->state);
    set_string(&service->state->task_id, service->plan->task_id);
}

/* Everything up to the socket: nothing outside of the run directory has changed after it. */
static bool open_service(struct service *service, struct error *err)
{
    const char *path = service->plan->run_directory;
    if (path[0] != '/')
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "field run_directory must be an absolute path");
    if (!run_directory_open(&service->directory, path, err))
        return false;
    if (run_directory_has_exit(&service->directory))
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "the task of run directory \"%s\" has ended already", path);
    (void)setsid(); /* it may lead a session already */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    umask(022);
    make_state(service);
    return loop_open(&service->loop, err) && watch_signals(service, err) &&
           listen_for_launchers(service, err);
}

/* After the container was started, because asking takes the kernel a millisecond; what happened in
 * between is in the counter. */
static bool watch_memory(struct service *service, struct error *err)
{
    service->memory = (struct source){ cgroup_watch_memory(service->counted), on_memory, service };
    if (service->memory.fd < 0 || cgroup_oom_kills(service->counted) > 0)
        check_memory(service);
    if (service->memory.fd < 0)
        return true;
    return loop_add(&service->loop, &service->memory, EPOLLIN, err);
}

static bool check_graph(const Eos__Executor__V1__TaskPlan *plan, struct error *err)
{
    struct graph graph;
    if (!graph_init(&graph, plan, err))
        return false;
    graph_done(&graph);
    return true;
}

static void look_around(struct service *service)
{
    cgroup_find_around(&service->around);
    service->counted = &service->around;
    service->evidence.memory_bytes = cgroup_memory_limit(&service->around);
    service->evidence.pids = cgroup_pids_limit(&service->around);
}

static bool start_container(struct service *service, struct error *err)
{
    const Eos__Executor__V1__TaskPlan *plan = service->plan;
    if (!plan_check(plan, err) || !check_graph(plan, err))
        return error_prefix(err, "the plan is not valid");
    const Eos__Executor__V1__CgroupPlan *cgroup = plan->container ? plan->container->cgroup : NULL;
    if (!plan->container)
        look_around(service);
    if (cgroup) {
        service->evidence.memory_bytes = cgroup->memory_bytes;
        service->evidence.pids = cgroup->pids;
    }
    if (!cgroup_find(&service->cgroup, cgroup, err) || !cgroup_make(&service->cgroup, err) ||
        !inner_start(plan, &service->cgroup, &service->inner, err))
        return false;
    service->channel.user = service;
    service->channel.received = on_report;
    service->channel.closed = on_channel_closed;
    return link_open(&service->channel, &service->loop, service->inner.channel, CHANNEL_MAX_BYTES,
                     err) &&
           watch_memory(service, err);
}

/* As the container's first process does it, but from here. */
static void fail(struct service *service, const struct error *reason)
{
    service->evidence.has_report = true;
    service->evidence.reported = STATE(FAILED);
    service->evidence.reported_message = service->reported_message = xstrdup(reason->message);
    kill_inner(service);
    service->inner.pid = 0;
    link_close(&service->channel);
    begin_emptying(service);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static int64_t earliest(const struct service *service)
{
    const int64_t times[] = { service->kill_deadline_ms, service->memory_check_ms,
                              service->empty_retry_ms, service->leave_ms };
    int64_t least = NEVER;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        if (times[i] < least)
            least = times[i];
    return least;
}

static void act_on_time(struct service *service)
{
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms >= service->kill_deadline_ms) {
        service->kill_deadline_ms = now_ms + KILL_PATIENCE_MS;
        kill_inner(service);
    }
    if (now_ms >= service->memory_check_ms)
        check_memory(service);
    if (now_ms >= service->empty_retry_ms)
        empty(service);
}

static bool may_leave(const struct service *service)
{
    return service->phase == PHASE_ENDED &&
           (service->is_acknowledged || clock_monotonic_ms() >= service->leave_ms);
}

static void run(struct service *service)
{
    while (!may_leave(service)) {
        int64_t next_ms = earliest(service);
        int64_t left_ms = next_ms - clock_monotonic_ms();
        loop_turn(&service->loop, next_ms == NEVER ? -1 : left_ms > 0 ? left_ms : 0);
        act_on_time(service);
        publish(service);
    }
}

static void close_service(struct service *service)
{
    link_close(&service->channel);
    if (service->peers.listener.fd >= 0)
        run_directory_remove_socket(&service->directory);
    peers_close(&service->peers);
    if (service->signals.fd >= 0)
        close(service->signals.fd);
    if (service->memory.fd >= 0)
        close(service->memory.fd);
    loop_close(&service->loop);
    run_directory_close(&service->directory);
    cgroup_done(&service->cgroup);
    cgroup_done(&service->around);
    free(service->reported_message);
    free(service->kill_message);
    if (service->state)
        eos__executor__v1__state__free_unpacked(service->state, NULL);
    plan_free(service->plan);
}

static void supervise(struct service *service)
{
    struct error err;
    service->is_dirty = true;
    if (!start_container(service, &err))
        fail(service, &err);
    publish(service);
    run(service);
}

enum service_status service_run(const struct service_options *options)
{
    struct error err;
    enum service_status status = SERVICE_REFUSED;
    struct service service = {
        .options = options,
        .directory.fd = -1,
        .loop.epoll_fd = -1,
        .peers.listener.fd = -1,
        .signals.fd = -1,
        .memory.fd = -1,
        .inner.channel = -1,
        .kill_deadline_ms = NEVER,
        .memory_check_ms = NEVER,
        .empty_retry_ms = NEVER,
        .leave_ms = NEVER,
    };
    service.counted = &service.cgroup;
    if (!plan_read(options->plan_file, &service.plan, &err) || !open_service(&service, &err)) {
        complain(&service, err.message);
    } else {
        supervise(&service);
        status = service.state->state == STATE(FINISHED) ? SERVICE_FINISHED : SERVICE_ENDED;
    }
    close_service(&service);
    return status;
}
