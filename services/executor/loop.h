#pragma once

#include "base/error.h"

#include <stdint.h>
#include <sys/epoll.h>

/* The executor's event loop: epoll and nothing else, because a static program that lives once per
 * task should be small.  One event is taken per turn, so a handler may remove and free any source. */
struct loop {
    int epoll_fd;
};

struct source {
    int fd; /* borrowed */
    void (*ready)(void *user, uint32_t events);
    void *user;
};

bool loop_open(struct loop *loop, struct error *err) MUST_CHECK;
void loop_close(struct loop *loop);

bool loop_add(struct loop *loop, struct source *source, uint32_t events,
              struct error *err) MUST_CHECK;
void loop_change(struct loop *loop, struct source *source, uint32_t events);
void loop_remove(struct loop *loop, struct source *source);

/* Waits for one event, at most `timeout_ms` (-1: without limit), and calls its handler. */
void loop_turn(struct loop *loop, int64_t timeout_ms);

int64_t clock_monotonic_ms(void);
int64_t clock_wall_ms(void);
