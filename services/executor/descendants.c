#include "executor/descendants.h"

#include "executor/files.h"
#include "executor/loop.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define KILL_LIMIT_MS 5000

/* The numbers in a /proc of another namespace would be those of other processes. */
static bool is_proc_ours(void)
{
    char text[32];
    ssize_t len = readlink("/proc/self", text, sizeof text);
    uint64_t pid;
    return len > 0 && slice_to_u64((struct slice){ text, (size_t)len }, INT32_MAX, &pid) &&
           (pid_t)pid == getpid();
}

void descendants_visit_children(void (*visit)(void *user, pid_t pid), void *user)
{
    cleanup_text struct text list = TEXT_INIT;
    cleanup_free char *path = xasprintf("/proc/self/task/%d/children", getpid());
    struct error ignored;
    if (!is_proc_ours() || !file_read(AT_FDCWD, path, 1u << 20, &list, &ignored))
        return;
    struct slice rest = text_slice(&list);
    while (rest.ptr) {
        uint64_t pid;
        if (slice_to_u64(slice_split(&rest, ' '), INT32_MAX, &pid) && pid > 1)
            visit(user, (pid_t)pid);
    }
}

static void kill_one(void *user, pid_t pid)
{
    (void)user;
    kill(pid, SIGKILL);
}

/* As the first of a pid namespace everything can be reached at once.  Otherwise it goes by
 * generations: who loses its parent becomes a child and is found in the next round. */
static void kill_round(bool is_first)
{
    if (is_first)
        kill(-1, SIGKILL);
    else
        descendants_visit_children(kill_one, NULL);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

/* An orphan of an orphan may only just have become a child, hence the short limit. */
static void wait_for_child(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    (void)sigtimedwait(&set, NULL, &(struct timespec){ .tv_nsec = 5000000 });
}

void descendants_kill(void)
{
    int64_t deadline_ms = clock_monotonic_ms() + KILL_LIMIT_MS;
    bool is_first = getpid() == 1;
    for (;;) {
        kill_round(is_first);
        if (waitpid(-1, NULL, WNOHANG) < 0 || clock_monotonic_ms() >= deadline_ms)
            return;
        wait_for_child();
    }
}
