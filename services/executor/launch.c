#include "executor/launch.h"

#include "executor/environment.h"
#include "executor/files.h"
#include "executor/logs.h"
#include "executor/privileges.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define USUAL_FILE_LIMIT 1024
#define USUAL_PATH       "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct launch {
    const Eos__Executor__V1__TaskPlan *plan;
    const Eos__Executor__V1__ProcessPlan *process;
    int run;
    int status_fd; /* the writing end */
    int out[2];    /* reading end and writing end of the pump's pipes; -1 without one */
    int err[2];
};

static void reset_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL);
}

static bool use_null_input(struct error *err)
{
    cleanup_close int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || dup2(fd, 0) < 0)
        return error_set_errno(err, errno, "could not open \"/dev/null\"");
    return true;
}

static bool redirect(const struct launch *launch, struct error *err)
{
    if (launch->out[1] < 0)
        return logs_redirect(launch->plan, launch->process, launch->run, err);
    if (dup2(launch->out[1], 1) < 0 || dup2(launch->err[1], 2) < 0)
        return error_set_errno(err, errno, "could not redirect output");
    return true;
}

/* The launcher has raised its limit of open files, which came down to here.  Programs that use select(),
 * or close all there could be, are to find the usual one; the hard limit stays for those that raise it. */
static void restore_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur <= USUAL_FILE_LIMIT)
        return;
    limit.rlim_cur = USUAL_FILE_LIMIT;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static bool prepare(const struct launch *launch, struct error *err)
{
    const Eos__Executor__V1__TaskPlan *plan = launch->plan;
    setsid();
    reset_signals();
    if (!privileges_drop(plan->container, plan->user, err) || !use_null_input(err) ||
        !redirect(launch, err))
        return false;
    if (chdir(plan->sandbox) < 0)
        return error_set_errno(err, errno, "could not change to the sandbox \"%s\"", plan->sandbox);
    close_range(3, ~0u, CLOSE_RANGE_CLOEXEC); /* ours are so already */
    if (plan->container)                      /* an engine around it has its own settings */
        restore_file_limit();
    return true;
}

/* Outside an image of ours, the surroundings say where programs are. */
static const char *search_path(const Eos__Executor__V1__TaskPlan *plan)
{
    const char *own = plan->container ? NULL : getenv("PATH");
    return own && own[0] ? own : USUAL_PATH;
}

static void execute(const struct launch *launch, struct error *err)
{
    struct arena *arena = arena_new();
    bool has_profile = access(ENVIRONMENT_PROFILE, F_OK) == 0;
    char **environment =
        environment_make(launch->plan, search_path(launch->plan), has_profile, arena);
    static const char *const shells[] = { "/bin/bash", "/bin/sh" };
    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
        char *argv[] = { (char *)shells[i], "-c", launch->process->cmdline, NULL };
        execve(shells[i], argv, environment);
        if (errno != ENOENT)
            break;
    }
    error_set_errno(err, errno, "could not execute \"/bin/bash\" or \"/bin/sh\"");
}

_Noreturn static void child_main(const struct launch *launch)
{
    struct error err;
    if (prepare(launch, &err))
        execute(launch, &err);
    (void)write_all(launch->status_fd, err.message, strlen(err.message));
    _exit(127);
}

static int largest(const int kept[3])
{
    int largest = kept[0] > kept[1] ? kept[0] : kept[1];
    return largest > kept[2] ? largest : kept[2];
}

static void keep_only(const int kept[3])
{
    for (int fd = 3; fd < largest(kept); fd++)
        if (fd != kept[0] && fd != kept[1] && fd != kept[2])
            close(fd);
    close_descriptors(largest(kept) + 1, INT_MAX);
}

/* Only what it carries stays open, so that it ends with the process. */
_Noreturn static void pump_main(struct launch *launch)
{
    struct error err;
    int inputs[2] = { launch->out[0], launch->err[0] };
    setsid();
    reset_signals();
    signal(SIGTERM, SIG_IGN); /* it ends after those that it listens to */
    keep_only((const int[]){ inputs[0], inputs[1], launch->status_fd });
    if (privileges_drop(launch->plan->container, launch->plan->user, &err) &&
        logs_pump(launch->plan, launch->process, launch->run, inputs, &launch->status_fd, &err))
        _exit(0);
    if (launch->status_fd >= 0)
        (void)write_all(launch->status_fd, err.message, strlen(err.message));
    _exit(1);
}

static void close_pair(int pair[2])
{
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            close(pair[i]);
}

static bool start_pump(struct launch *launch, pid_t *ret_pump, struct error *err)
{
    *ret_pump = 0;
    if (!logs_need_pump(launch->process))
        return true;
    if (pipe2(launch->out, O_CLOEXEC) < 0 || pipe2(launch->err, O_CLOEXEC) < 0)
        return error_set_errno(err, errno, "could not make a pipe");
    pid_t pid = fork();
    if (pid == 0)
        pump_main(launch);
    if (pid < 0)
        return error_set_errno(err, errno, "could not fork");
    *ret_pump = pid;
    return true;
}

static bool start_both(struct launch *launch, pid_t *ret_pid, pid_t *ret_pump, struct error *err)
{
    if (!start_pump(launch, ret_pump, err))
        return false;
    pid_t pid = fork();
    if (pid == 0)
        child_main(launch);
    if (pid < 0)
        return error_set_errno(err, errno, "could not fork");
    *ret_pid = pid;
    return true;
}

bool launch_start(const Eos__Executor__V1__TaskPlan *plan,
                  const Eos__Executor__V1__ProcessPlan *process, int run, pid_t *ret_pid,
                  pid_t *ret_pump, int *ret_status_fd, struct error *err)
{
    int status[2];
    if (pipe2(status, O_CLOEXEC | O_NONBLOCK) < 0)
        return error_set_errno(err, errno, "could not make a pipe");
    struct launch launch = {
        plan, process, run, .status_fd = status[1], .out = { -1, -1 }, .err = { -1, -1 },
    };
    bool started = start_both(&launch, ret_pid, ret_pump, err);
    close_pair(launch.out);
    close_pair(launch.err);
    close(status[1]);
    if (!started) {
        close(status[0]);
        return false;
    }
    *ret_status_fd = status[0];
    return true;
}
