#include "executor/inner.h"

#include "executor/container.h"
#include "executor/files.h"
#include "executor/task.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Both processes' ends of what they share. */
struct pair {
    int channel[2]; /* [0] outside, [1] inside */
    int gate[2];    /* a byte goes in at [1] once the cgroup is joined, and out at [0] */
};

static void close_both(const int fds[2])
{
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* Where the kernel ends a pid namespace with its first process, that goes with the outer one.
 * Elsewhere it must live on for as long as it takes to end the others; it sees the channel close. */
static void die_with_parent(const Eos__Executor__V1__ContainerPlan *plan)
{
    if (plan && plan->unshare_pid)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    else
        prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static bool pass_gate(int gate, struct error *err)
{
    char byte;
    ssize_t count;
    while ((count = read(gate, &byte, 1)) < 0 && errno == EINTR)
        ;
    return count == 1 ||
           error_set(err, ERROR_CANCELLED, "the outer process left before the container was ready");
}

static void keep_only(int channel, int gate)
{
    unsigned low = (unsigned)(channel < gate ? channel : gate);
    unsigned high = (unsigned)(channel < gate ? gate : channel);
    if (low > 3)
        close_range(3, low - 1, 0);
    if (high > low + 1)
        close_range(low + 1, high - 1, 0);
    close_range(high + 1, ~0u, 0);
}

_Noreturn static void inner_main(const Eos__Executor__V1__TaskPlan *plan,
                                 const struct cgroup *cgroup, const struct pair *pair)
{
    struct error err;
    int channel = pair->channel[1], gate = pair->gate[0];
    prctl(PR_SET_NAME, "eos-first");
    die_with_parent(plan->container);
    keep_only(channel, gate);
    if (!container_enter(plan, cgroup, &err) || !pass_gate(gate, &err) ||
        !container_seal(plan->container, &err)) {
        task_report_failure(channel, &err);
        _exit(1);
    }
    close(gate);
    _exit(task_run(plan, channel));
}

static bool clone_inner(const Eos__Executor__V1__TaskPlan *plan, const struct cgroup *cgroup,
                        const struct pair *pair, pid_t *ret_pid, struct error *err)
{
    cleanup_close int cgroup_fd = -1;
    if (!cgroup_open_directory(cgroup, &cgroup_fd, err))
        return false;
    struct clone_args args = {
        .flags = container_clone_flags(plan->container) | (cgroup_fd >= 0 ? CLONE_INTO_CGROUP : 0),
        .exit_signal = SIGCHLD,
        .cgroup = cgroup_fd >= 0 ? (uint64_t)cgroup_fd : 0,
    };
    pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    if (pid == 0)
        inner_main(plan, cgroup, pair);
    if (pid < 0)
        return error_set_errno(err, errno, "could not make the namespaces of the container");
    *ret_pid = pid;
    return true;
}

/* The container sets itself up meanwhile, and waits at the gate. */
static bool open_gate(const struct cgroup *cgroup, const struct pair *pair, pid_t pid,
                      struct error *err)
{
    if (cgroup_attach(cgroup, pid, err) && write_all(pair->gate[1], "", 1))
        return true;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return false;
}

static bool start(const Eos__Executor__V1__TaskPlan *plan, const struct cgroup *cgroup,
                  struct pair *pair, struct inner *ret_inner, struct error *err)
{
    pid_t pid = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair->channel) < 0 ||
        pipe2(pair->gate, O_CLOEXEC) < 0)
        return error_set_errno(err, errno, "could not make a socket");
    if (!clone_inner(plan, cgroup, pair, &pid, err) || !open_gate(cgroup, pair, pid, err))
        return false;
    *ret_inner = (struct inner){ pid, TAKE_FD(pair->channel[0]) };
    return true;
}

bool inner_start(const Eos__Executor__V1__TaskPlan *plan, const struct cgroup *cgroup,
                 struct inner *ret_inner, struct error *err)
{
    struct pair pair = { { -1, -1 }, { -1, -1 } };
    bool started = start(plan, cgroup, &pair, ret_inner, err);
    close_both(pair.channel);
    close_both(pair.gate);
    return started;
}
