#pragma once

#include "executor/frame.h"
#include "executor/loop.h"

/* One end of a stream socket that carries frames, on a loop.
 *
 * What is sent is the newest state of something, so nothing queues: a frame that waits behind one
 * that is being written gives way to a newer one. */
struct link {
    struct loop *loop;
    struct source source;
    struct frame_reader reader;
    struct text out; /* being written, from `out_start` */
    size_t out_start;
    struct text next; /* waits */

    /* False ends the link, as garbage does; then `closed` is called. */
    bool (*received)(void *user, struct link *link, struct slice message);
    /* The peer has gone, or cost itself the link.  The owner calls link_close(). */
    void (*closed)(void *user, struct link *link);
    void *user;
};

/* Takes over `fd` and makes it non-blocking; on failure it is closed.  Callbacks and `user` are set
 * by the caller before. */
bool link_open(struct link *link, struct loop *loop, int fd, size_t max_bytes,
               struct error *err) MUST_CHECK;

void link_close(struct link *link); /* no callback; a closed link is left alone */
bool link_is_open(const struct link *link);

/* Sends a whole frame (frame_add()), now or when the peer reads on. */
void link_send(struct link *link, struct slice frame);

/* Takes what has arrived and is not read yet. */
void link_drain(struct link *link);

/* Waits until all is written, at most `timeout_ms`. */
void link_flush(struct link *link, int timeout_ms);
