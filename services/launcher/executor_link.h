#pragma once

#include "base/error.h"

#include "eos/executor/v1/executor.pb-c.h"

#include <uv.h>

/* The connection to one executor. */
struct executor_link;

struct executor_link_events {
    void (*on_state)(void *user, const Eos__Executor__V1__State *state);
    void (*on_closed)(
        void *user); /* or what came was not understood; the link is still to be closed */
    void *user;
};

/* Dials "executor.sock" in the run directory.  NOT_FOUND or UNAVAILABLE while nobody listens. */
struct executor_link *executor_link_open(uv_loop_t *loop, const char *run_directory,
                                         const struct executor_link_events *events,
                                         struct error *err) MUST_CHECK;
void executor_link_close(struct executor_link *link); /* NULL is a no-op; no further callback */

/* What cannot be sent ends the link. */
void executor_link_send(struct executor_link *link, const Eos__Executor__V1__ToExecutor *message);
