#pragma once

#include "base/error.h"

#include <stdbool.h>

/* The life of a task on its host, as a table of stages and events.  What is to be done comes out as
 * a set of actions; task.c carries them out. */

enum task_stage {
    STAGE_ACCEPTED,   /* the first checkpoint is being written */
    STAGE_FETCHING,   /* its image is being fetched */
    STAGE_PREPARING,  /* user, sandbox and container are being made ready */
    STAGE_STARTING,   /* its executor is being started */
    STAGE_CONNECTING, /* the executor runs, and is being dialled */
    STAGE_RUNNING,    /* the executor tells of its processes */
    STAGE_ENDING,     /* the end is being recorded, the executor is still there */
    STAGE_LEAVING,    /* the executor has been told that it may leave */
    STAGE_ALONE,      /* the end is being recorded, without an executor */
    STAGE_CLEANING,   /* what it leaves behind is being removed */
    STAGE_DEAD,       /* only its sandbox and its checkpoint are left */
    STAGE_COUNT
};

enum task_event {
    EVENT_RECORDED, /* the checkpoint that was waited for is on disk */
    EVENT_FETCHED,
    EVENT_PREPARED,
    EVENT_STARTED,
    EVENT_CONNECTED,
    EVENT_DISCONNECTED,
    EVENT_FINAL,       /* the executor tells how the task has ended */
    EVENT_GONE,        /* the executor's process has ended */
    EVENT_STEP_FAILED, /* the step under way cannot be done */
    EVENT_KILL,
    EVENT_ABANDON, /* a step is done, but the task is not wanted any more */
    EVENT_CLEANED,
    EVENT_COUNT
};

enum task_action {
    DO_REPORT_STARTING = 1 << 0,
    DO_FETCH = 1 << 1,
    DO_CANCEL_FETCH = 1 << 2,
    DO_PREPARE = 1 << 3,
    DO_START = 1 << 4,
    DO_RECORD = 1 << 5,
    DO_WATCH = 1 << 6, /* the executor's process */
    DO_CONNECT = 1 << 7,
    DO_HELLO = 1 << 8,
    DO_TELL_KILL = 1 << 9,
    DO_END_FAILED = 1 << 10, /* with the sentence of the step that failed */
    DO_END_KILLED = 1 << 11,
    DO_END_FINAL = 1 << 12, /* as the executor tells */
    DO_READ_EXIT = 1 << 13, /* as the executor has written down, if it has */
    DO_FORCE = 1 << 14,     /* kills the executor */
    DO_ACKNOWLEDGE = 1 << 15,
    DO_CLEAN = 1 << 16,
};

struct task_step {
    enum task_stage next;
    unsigned actions;
};

/* FAILED_PRECONDITION when `event` cannot happen in that stage: a mistake of ours, or an executor that
 * breaks the rules. */
bool task_step(enum task_stage stage, enum task_event event, struct task_step *ret_step,
               struct error *err) MUST_CHECK;

const char *task_stage_name(enum task_stage stage);
const char *task_event_name(enum task_event event);
