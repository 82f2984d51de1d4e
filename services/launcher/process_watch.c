#include "launcher/process_watch.h"

#include "launcher/host_process.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/uv_error.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

struct process_watch {
    uv_poll_t poll;
    int fd;
    void (*on_gone)(void *user);
    void *user;
};

/* Takes the exit status of a child, so that no zombie stays; of others there is nothing to take. */
static void reap(const struct process_watch *watch)
{
    siginfo_t info;
    (void)waitid((idtype_t)P_PIDFD, (id_t)watch->fd, &info, WEXITED | WNOHANG);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct process_watch *watch = poll->data;
    (void)status;
    (void)events;
    uv_poll_stop(poll);
    reap(watch);
    watch->on_gone(watch->user);
}

struct process_watch *process_watch_open(uv_loop_t *loop, pid_t pid, uint64_t start_ticks,
                                         void (*on_gone)(void *user), void *user, struct error *err)
{
    cleanup_close int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0) {
        error_set_errno(err, pid == 0 || errno == ESRCH ? ENOENT : errno,
                        "could not watch process %d", (int)pid);
        return NULL;
    }
    if (start_ticks > 0 && host_process_start(pid) != start_ticks) {
        error_set(err, ERROR_NOT_FOUND, "process %d has ended", (int)pid);
        return NULL;
    }
    struct process_watch *watch = xcalloc(1, sizeof *watch);
    int status = uv_poll_init(loop, &watch->poll, fd);
    if (status < 0) {
        error_set_uv(err, status, "could not watch process %d", (int)pid);
        free(watch);
        return NULL;
    }
    watch->fd = TAKE_FD(fd);
    watch->on_gone = on_gone;
    watch->user = user;
    watch->poll.data = watch;
    uv_poll_start(&watch->poll, UV_READABLE, on_readable);
    return watch;
}

void process_watch_kill(struct process_watch *watch)
{
    syscall(SYS_pidfd_send_signal, watch->fd, SIGKILL, NULL, 0);
}

static void on_closed(uv_handle_t *handle)
{
    struct process_watch *watch = handle->data;
    close(watch->fd);
    free(watch);
}

void process_watch_close(struct process_watch *watch)
{
    if (watch)
        uv_close((uv_handle_t *)&watch->poll, on_closed);
}
