#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The life of a task: which change of state is allowed, and what has to be done with it.  The table
 * is Aurora's, complete: 16 x 16 pairs. */

enum task_status_set {
    TASK_IS_ACTIVE = 1,    /* counts as an instance of its job */
    TASK_IS_ON_HOST = 2,   /* occupies a host */
    TASK_IS_TRANSIENT = 4, /* may not last: LOST after a timeout */
    TASK_IS_TERMINAL = 8,
    TASK_IS_STOPPING = 16, /* its host has been told to kill it */
};

enum task_status {
#define TASK_STATUS(name, number, sets) TASK_##name,
#include "scheduler/task_status.def"
#undef TASK_STATUS
    TASK_STATUS_COUNT
};

/* "RUNNING"; the number in eos.job.v1.ScheduleStatus. */
const char *task_status_name(enum task_status status);
int task_status_number(enum task_status status);

/* False for a number that is not a stored state. */
bool task_status_from_number(int number, enum task_status *ret_status);

/* Whether `status` is in any of `sets`. */
bool task_status_is(enum task_status status, unsigned sets);

/* Carried out in the order of the bits. */
enum task_action {
    DO_INCREMENT_FAILURES = 1,
    DO_SAVE = 2,               /* take on the new state and add an event to the history */
    DO_RESCHEDULE = 4,         /* a new task for the same instance */
    DO_TRANSITION_TO_LOST = 8, /* go on to LOST at once */
    DO_KILL = 16,              /* the host is to kill it */
    DO_DELETE = 32,            /* forget it, without a trace */
};

enum task_step_result {
    STEP_NOOP, /* it is in that state already: nothing happens */
    STEP_SUCCESS,
    STEP_ILLEGAL, /* the state stays; `actions` (none, or a kill) are to be done all the same */
};

struct task_step {
    enum task_step_result result;
    unsigned actions;
};

/* What conditions of the table look at. */
struct task_facts {
    bool is_service;
    bool was_killing;          /* the history holds a KILLING event */
    int32_t max_task_failures; /* -1: without limit */
    int32_t failure_count;     /* before this step */
};

struct task_step task_step(enum task_status from, enum task_status to,
                           const struct task_facts *facts);
