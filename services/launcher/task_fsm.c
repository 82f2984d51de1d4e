#include "launcher/task_fsm.h"

#include <assert.h>

struct cell {
    bool is_legal;
    struct task_step step;
};

#define GO(stage, what)                                                                            \
    {                                                                                              \
        true,                                                                                      \
        {                                                                                          \
            STAGE_##stage, what                                                                    \
        }                                                                                          \
    }

/* clang-format off */
static const struct cell steps[STAGE_COUNT][EVENT_COUNT] = {
    [STAGE_ACCEPTED] = {
        [EVENT_RECORDED]     = GO(FETCHING,   DO_REPORT_STARTING | DO_FETCH),
        [EVENT_ABANDON]      = GO(ALONE,      DO_END_KILLED),
        [EVENT_KILL]         = GO(ACCEPTED,   0), /* as soon as it is recorded */
    },
    [STAGE_FETCHING] = {
        [EVENT_FETCHED]      = GO(PREPARING,  DO_RECORD | DO_PREPARE), /* which image it uses */
        [EVENT_STEP_FAILED]  = GO(ALONE,      DO_END_FAILED),
        [EVENT_KILL]         = GO(ALONE,      DO_CANCEL_FETCH | DO_END_KILLED),
    },
    [STAGE_PREPARING] = {
        [EVENT_PREPARED]     = GO(STARTING,   DO_START),
        [EVENT_STEP_FAILED]  = GO(ALONE,      DO_END_FAILED),
        [EVENT_ABANDON]      = GO(ALONE,      DO_END_KILLED),
        [EVENT_KILL]         = GO(PREPARING,  0), /* as soon as it is prepared */
    },
    [STAGE_STARTING] = {
        [EVENT_STARTED]      = GO(CONNECTING, DO_RECORD | DO_WATCH | DO_CONNECT),
        [EVENT_STEP_FAILED]  = GO(ALONE,      DO_END_FAILED),
        [EVENT_KILL]         = GO(STARTING,   0), /* as soon as it is connected */
    },
    [STAGE_CONNECTING] = {
        [EVENT_CONNECTED]    = GO(RUNNING,    DO_HELLO),
        [EVENT_STEP_FAILED]  = GO(ENDING,     DO_END_FAILED | DO_FORCE),
        [EVENT_GONE]         = GO(ALONE,      DO_READ_EXIT),
        [EVENT_KILL]         = GO(CONNECTING, 0), /* as soon as it is connected */
    },
    [STAGE_RUNNING] = {
        [EVENT_FINAL]        = GO(ENDING,     DO_END_FINAL),
        [EVENT_GONE]         = GO(ALONE,      DO_READ_EXIT),
        [EVENT_DISCONNECTED] = GO(CONNECTING, DO_CONNECT),
        [EVENT_KILL]         = GO(RUNNING,    DO_TELL_KILL),
    },
    [STAGE_ENDING] = {
        [EVENT_RECORDED]     = GO(LEAVING,    DO_ACKNOWLEDGE),
        [EVENT_GONE]         = GO(ALONE,      0),
        [EVENT_FINAL]        = GO(ENDING,     0),
        [EVENT_DISCONNECTED] = GO(ENDING,     0),
        [EVENT_KILL]         = GO(ENDING,     0),
    },
    [STAGE_LEAVING] = {
        [EVENT_CONNECTED]    = GO(LEAVING,    DO_ACKNOWLEDGE), /* after a restart of the launcher */
        [EVENT_GONE]         = GO(CLEANING,   DO_CLEAN),
        [EVENT_STEP_FAILED]  = GO(LEAVING,    DO_FORCE),
        [EVENT_FINAL]        = GO(LEAVING,    0),
        [EVENT_DISCONNECTED] = GO(LEAVING,    0),
        [EVENT_KILL]         = GO(LEAVING,    0),
    },
    [STAGE_ALONE] = {
        [EVENT_RECORDED]     = GO(CLEANING,   DO_CLEAN),
        [EVENT_KILL]         = GO(ALONE,      0),
    },
    [STAGE_CLEANING] = {
        [EVENT_CLEANED]      = GO(DEAD,       DO_RECORD),
        [EVENT_KILL]         = GO(CLEANING,   0),
    },
    [STAGE_DEAD] = {
        [EVENT_KILL]         = GO(DEAD,       0),
    },
};

static const char *const stage_names[STAGE_COUNT] = {
    [STAGE_ACCEPTED] = "accepted",     [STAGE_FETCHING] = "fetching", [STAGE_PREPARING] = "preparing",
    [STAGE_STARTING] = "starting",     [STAGE_CONNECTING] = "connecting",
    [STAGE_RUNNING] = "running",       [STAGE_ENDING] = "ending",     [STAGE_LEAVING] = "leaving",
    [STAGE_ALONE] = "alone",           [STAGE_CLEANING] = "cleaning", [STAGE_DEAD] = "dead",
};

static const char *const event_names[EVENT_COUNT] = {
    [EVENT_RECORDED] = "recorded",     [EVENT_FETCHED] = "fetched",   [EVENT_PREPARED] = "prepared",
    [EVENT_STARTED] = "started",       [EVENT_CONNECTED] = "connected",
    [EVENT_DISCONNECTED] = "disconnected", [EVENT_FINAL] = "final",   [EVENT_GONE] = "gone",
    [EVENT_STEP_FAILED] = "step failed", [EVENT_KILL] = "kill",       [EVENT_ABANDON] = "abandon",
    [EVENT_CLEANED] = "cleaned",
};
/* clang-format on */

const char *task_stage_name(enum task_stage stage)
{
    assert(stage < STAGE_COUNT);
    return stage_names[stage];
}

const char *task_event_name(enum task_event event)
{
    assert(event < EVENT_COUNT);
    return event_names[event];
}

bool task_step(enum task_stage stage, enum task_event event, struct task_step *ret_step,
               struct error *err)
{
    assert(stage < STAGE_COUNT && event < EVENT_COUNT);

    const struct cell *cell = &steps[stage][event];
    if (!cell->is_legal)
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "event \"%s\" cannot happen to a task that is %s", task_event_name(event),
                         task_stage_name(stage));
    *ret_step = cell->step;
    return true;
}
