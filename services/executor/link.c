#include "executor/link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

bool link_is_open(const struct link *link)
{
    return link->loop != NULL;
}

static bool is_writing(const struct link *link)
{
    return link->out_start < link->out.len;
}

static void begin(struct link *link)
{
    struct text written = link->out;
    link->out = link->next;
    link->out_start = 0;
    link->next = written;
    text_clear(&link->next);
}

/* Writes what the socket takes.  A write error shows again as a hang-up, which ends the link. */
static void write_out(struct link *link)
{
    while (is_writing(link) || link->next.len) {
        if (!is_writing(link))
            begin(link);
        ssize_t count = send(link->source.fd, link->out.ptr + link->out_start,
                             link->out.len - link->out_start, MSG_NOSIGNAL);
        if (count < 0)
            return;
        link->out_start += (size_t)count;
    }
    text_clear(&link->out);
    link->out_start = 0;
}

static void watch(struct link *link)
{
    uint32_t events = EPOLLIN;
    if (is_writing(link))
        events |= EPOLLOUT;
    loop_change(link->loop, &link->source, events);
}

static bool take_messages(struct link *link)
{
    struct slice message;
    for (;;) {
        switch (frame_take(&link->reader, &message)) {
        case FRAME_NONE:
            return true;
        case FRAME_TOO_LONG:
            return false;
        case FRAME_READY:
            if (!link->received(link->user, link, message))
                return false;
        }
    }
}

/* False when the link is over. */
static bool read_in(struct link *link)
{
    char bytes[16384];
    ssize_t count = recv(link->source.fd, bytes, sizeof bytes, 0);
    if (count < 0)
        return errno == EAGAIN || errno == EINTR;
    if (count == 0)
        return false;
    frame_feed(&link->reader, bytes, (size_t)count);
    return take_messages(link);
}

static void link_ready(void *user, uint32_t events)
{
    struct link *link = user;
    if (events & EPOLLOUT)
        write_out(link);
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) && !read_in(link)) {
        link->closed(link->user, link);
        return;
    }
    watch(link);
}

bool link_open(struct link *link, struct loop *loop, int fd, size_t max_bytes, struct error *err)
{
    link->source = (struct source){ .fd = fd, .ready = link_ready, .user = link };
    link->reader = (struct frame_reader){ .max = max_bytes };
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
        close(fd);
        return error_set_errno(err, errno, "could not make a socket non-blocking");
    }
    if (!loop_add(loop, &link->source, EPOLLIN, err)) {
        close(fd);
        return false;
    }
    link->loop = loop;
    return true;
}

void link_close(struct link *link)
{
    if (!link->loop)
        return;
    loop_remove(link->loop, &link->source);
    close(link->source.fd);
    frame_reader_done(&link->reader);
    text_done(&link->out);
    text_done(&link->next);
    link->out_start = 0;
    link->loop = NULL;
}

void link_send(struct link *link, struct slice frame)
{
    text_clear(&link->next);
    text_add_slice(&link->next, frame);
    if (!is_writing(link))
        write_out(link);
    watch(link);
}

void link_flush(struct link *link, int timeout_ms)
{
    struct pollfd poller = { .fd = link->source.fd, .events = POLLOUT };
    while (is_writing(link) || link->next.len) {
        if (poll(&poller, 1, timeout_ms) <= 0 || poller.revents & (POLLERR | POLLHUP))
            return;
        write_out(link);
    }
}

/* Not until the end of the stream: a process that is about to be killed may still hold it open. */
void link_drain(struct link *link)
{
    struct pollfd poller = { .fd = link->source.fd, .events = POLLIN };
    while (link_is_open(link) && poll(&poller, 1, 0) == 1)
        link_ready(link, EPOLLIN);
}
