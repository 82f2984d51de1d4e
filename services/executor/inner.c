#include "executor/inner.h"

#include "executor/container.h"
#include "executor/files.h"
#include "executor/task.h"

#include "base/cleanup.h"

#include <errno.h>
#include <limits.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Where the kernel ends a pid namespace with its first process, that goes with the outer one.
 * Elsewhere it must live on for as long as it takes to end the others; it sees the channel close. */
static void die_with_parent(const Eos__Executor__V1__ContainerPlan *plan)
{
    if (plan && plan->unshare_pid)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    else
        prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static void keep_only(int channel)
{
    if (channel > 3)
        close_descriptors(3, channel - 1);
    close_descriptors(channel + 1, INT_MAX);
}

_Noreturn static void inner_main(const Eos__Executor__V1__TaskPlan *plan,
                                 const struct cgroup *cgroup, int channel)
{
    struct error err;
    prctl(PR_SET_NAME, "eos-first");
    die_with_parent(plan->container);
    keep_only(channel);
    if (!container_enter(plan, cgroup, &err)) {
        task_report_failure(channel, &err);
        _exit(1);
    }
    _exit(task_run(plan, channel));
}

/* Without namespaces fork() does, which also works where an engine's filter hides clone3(). */
static pid_t make_process(struct clone_args *args)
{
    if (args->flags == 0)
        return fork();
    args->exit_signal = SIGCHLD;
    return (pid_t)syscall(SYS_clone3, args, sizeof *args);
}

static bool clone_inner(const Eos__Executor__V1__TaskPlan *plan, const struct cgroup *cgroup,
                        int channel, pid_t *ret_pid, struct error *err)
{
    cleanup_close int cgroup_fd = -1;
    if (!cgroup_open_directory(cgroup, &cgroup_fd, err))
        return false;
    struct clone_args args = {
        .flags = container_clone_flags(plan->container) | (cgroup_fd >= 0 ? CLONE_INTO_CGROUP : 0),
        .cgroup = cgroup_fd >= 0 ? (uint64_t)cgroup_fd : 0,
    };
    pid_t pid = make_process(&args);
    if (pid == 0)
        inner_main(plan, cgroup, channel);
    if (pid < 0)
        return error_set_errno(err, errno, "could not make the namespaces of the container");
    *ret_pid = pid;
    return true;
}

bool inner_start(const Eos__Executor__V1__TaskPlan *plan, const struct cgroup *cgroup,
                 struct inner *ret_inner, struct error *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return error_set_errno(err, errno, "could not make a socket");
    cleanup_close int outside = ends[0];
    cleanup_close int inside = ends[1];
    pid_t pid = -1;
    if (!clone_inner(plan, cgroup, inside, &pid, err))
        return false;
    *ret_inner = (struct inner){ pid, TAKE_FD(outside) };
    return true;
}
