#include "executor/loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

bool loop_open(struct loop *loop, struct error *err)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, errno, "could not make an event loop");
    loop->epoll_fd = fd;
    return true;
}

void loop_close(struct loop *loop)
{
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    loop->epoll_fd = -1;
}

bool loop_add(struct loop *loop, struct source *source, uint32_t events, struct error *err)
{
    struct epoll_event event = { .events = events, .data.ptr = source };
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, source->fd, &event) < 0)
        return error_set_errno(err, errno, "could not watch a file descriptor");
    return true;
}

void loop_change(struct loop *loop, struct source *source, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = source };
    int status = epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event);
    assert(status == 0);
    (void)status;
}

void loop_remove(struct loop *loop, struct source *source)
{
    (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
}

void loop_turn(struct loop *loop, int64_t timeout_ms)
{
    struct epoll_event event;
    int timeout = timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms;
    int count = epoll_wait(loop->epoll_fd, &event, 1, timeout);
    assert(count >= 0 || errno == EINTR);
    if (count == 1) {
        struct source *source = event.data.ptr;
        source->ready(source->user, event.events);
    }
}

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

int64_t clock_monotonic_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}
