#pragma once

#include "base/error.h"
#include "client/dev/backoff.h"
#include "client/dev/services.h"

#include <uv.h>

/* One service as a child process: started, watched, started again after a pause when it dies, and
 * stopped with SIGTERM and at last SIGKILL.  Its output is shown line by line on stderr, with its name
 * in front. */
struct supervised;

enum supervised_state {
    SUPERVISED_DOWN, /* not started yet, or could not be */
    SUPERVISED_UP,
    SUPERVISED_WAITING,  /* died, will be started again */
    SUPERVISED_STOPPING, /* was told to end */
    SUPERVISED_STOPPED
};

/* How a run ended; `exit_status` is negative for a signal. */
typedef void supervised_exit_fn(void *user, struct supervised *service, int exit_status);

struct supervised {
    enum service_id id;
    enum supervised_state state;
    char last_line[280];      /* of its output; a daemon's sentence fits */
    int64_t first_failure_ms; /* since when it has not stayed up; 0: it has */

    uv_loop_t *loop;
    char **command; /* borrowed */
    supervised_exit_fn *on_exit;
    void *user;
    uv_timer_t timer;
    struct run *run;
    struct output_stream *streams;
    struct backoff backoff;
    uint64_t started_ms;
};

#define SUPERVISED_KILL_MS (SERVICE_DRAIN_MS + 5000u)

void supervised_init(struct supervised *service, uv_loop_t *loop, enum service_id id,
                     char **command, supervised_exit_fn *on_exit, void *user);

bool supervised_start(struct supervised *service, struct error *err) MUST_CHECK;

/* Starts it again after a pause; gives the pause. */
uint32_t supervised_restart_later(struct supervised *service);

/* `on_exit` follows when it runs; otherwise it is stopped at once. */
void supervised_stop(struct supervised *service);

void supervised_kill(struct supervised *service);

/* When it no longer runs: closes what is left of handles. */
void supervised_close(struct supervised *service);
