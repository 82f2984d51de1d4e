#pragma once

#include "base/error.h"

#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

/* Tells when a process has ended, whoever its parent is, and signals exactly that process. */
struct process_watch;

/* NOT_FOUND when the process, which began at `start_ticks` (0: is a child of this one), has ended
 * already, and for `pid` 0.  `on_gone` is called at most once, later; then the watch is still to be closed. */
struct process_watch *process_watch_open(uv_loop_t *loop, pid_t pid, uint64_t start_ticks,
                                         void (*on_gone)(void *user), void *user,
                                         struct error *err) MUST_CHECK;
void process_watch_kill(struct process_watch *watch);  /* SIGKILL */
void process_watch_close(struct process_watch *watch); /* NULL is a no-op */
