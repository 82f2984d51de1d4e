#include "scheduler/task_fsm.h"

#include <assert.h>
#include <stddef.h>

static const struct {
    const char *name;
    int number;
    unsigned sets;
} statuses[TASK_STATUS_COUNT] = {
#define TASK_STATUS(name, number, sets) [TASK_##name] = { #name, number, sets },
#include "scheduler/task_status.def"
#undef TASK_STATUS
};

const char *task_status_name(enum task_status status)
{
    assert(status < TASK_STATUS_COUNT);
    return statuses[status].name;
}

int task_status_number(enum task_status status)
{
    assert(status < TASK_DELETED);
    return statuses[status].number;
}

bool task_status_from_number(int number, enum task_status *ret_status)
{
    for (enum task_status s = 0; s < TASK_DELETED; s++) {
        if (statuses[s].number != number)
            continue;
        *ret_status = s;
        return true;
    }
    return false;
}

bool task_status_is(enum task_status status, unsigned sets)
{
    assert(status < TASK_STATUS_COUNT);
    return (statuses[status].sets & sets) != 0;
}

/* When an action of a cell is done only under a condition, it is this one that adds a reschedule. */
enum condition { NEVER, IF_SERVICE, IF_RETRY, UNLESS_KILLING };

struct cell {
    bool legal;
    unsigned actions;
    enum condition reschedule;
};

/* clang-format off */
#define S    { true,  DO_SAVE, NEVER }
#define SK   { true,  DO_SAVE | DO_KILL, NEVER }
#define SR   { true,  DO_SAVE | DO_RESCHEDULE, NEVER }
#define SRK  { true,  DO_SAVE | DO_RESCHEDULE | DO_KILL, NEVER }
#define SL   { true,  DO_SAVE | DO_TRANSITION_TO_LOST, NEVER }
#define END  { true,  DO_SAVE, IF_SERVICE }
#define FAIL { true,  DO_INCREMENT_FAILURES | DO_SAVE, IF_RETRY }
#define D    { true,  DO_DELETE, NEVER }
#define K    { false, DO_KILL, NEVER }

/* An empty cell is a change that is not allowed and has no effect. */
static const struct cell transitions[TASK_STATUS_COUNT][TASK_STATUS_COUNT] = {
    [TASK_INIT]      = { [TASK_PENDING] = S, [TASK_THROTTLED] = S },
    [TASK_PENDING]   = { [TASK_ASSIGNED] = S, [TASK_KILLING] = D },
    [TASK_THROTTLED] = { [TASK_PENDING] = S, [TASK_KILLING] = D },
    [TASK_ASSIGNED] = {
        [TASK_STARTING] = S, [TASK_RUNNING] = S,
        [TASK_FINISHED] = END, [TASK_FAILED] = FAIL, [TASK_KILLED] = SR, [TASK_LOST] = SRK,
        [TASK_PREEMPTING] = SK, [TASK_RESTARTING] = SK, [TASK_DRAINING] = SK, [TASK_KILLING] = SK,
    },
    [TASK_STARTING] = {
        [TASK_RUNNING] = S,
        [TASK_FINISHED] = END, [TASK_FAILED] = FAIL, [TASK_KILLED] = SR, [TASK_LOST] = SR,
        [TASK_PREEMPTING] = SK, [TASK_RESTARTING] = SK, [TASK_DRAINING] = SK, [TASK_KILLING] = SK,
        [TASK_PARTITIONED] = S,
    },
    [TASK_RUNNING] = {
        [TASK_FINISHED] = END, [TASK_FAILED] = FAIL, [TASK_KILLED] = SR, [TASK_LOST] = SR,
        [TASK_PREEMPTING] = SK, [TASK_RESTARTING] = SK, [TASK_DRAINING] = SK, [TASK_KILLING] = SK,
        [TASK_PARTITIONED] = S,
    },
    [TASK_PARTITIONED] = {
        [TASK_ASSIGNED] = S, [TASK_STARTING] = S, [TASK_RUNNING] = S,
        [TASK_FINISHED] = S, /* not rescheduled, not even a service */
        [TASK_FAILED] = FAIL, [TASK_LOST] = { true, DO_SAVE | DO_KILL, UNLESS_KILLING },
        [TASK_PREEMPTING] = SL, [TASK_RESTARTING] = SL, [TASK_DRAINING] = SL, [TASK_KILLING] = SL,
    },
#define STOPPING_TO_START_AGAIN {                                                                  \
        [TASK_ASSIGNED] = K, [TASK_STARTING] = K, [TASK_RUNNING] = K,                              \
        [TASK_FINISHED] = SR, [TASK_FAILED] = SR, [TASK_KILLED] = SR, [TASK_LOST] = SRK,           \
        [TASK_PARTITIONED] = SL, [TASK_KILLING] = S, /* the kill has been sent already */          \
    }
    [TASK_PREEMPTING] = STOPPING_TO_START_AGAIN,
    [TASK_RESTARTING] = STOPPING_TO_START_AGAIN,
    [TASK_DRAINING]   = STOPPING_TO_START_AGAIN,
    [TASK_KILLING] = {
        [TASK_ASSIGNED] = K, [TASK_STARTING] = K, [TASK_RUNNING] = K,
        [TASK_FINISHED] = S, [TASK_FAILED] = S, [TASK_KILLED] = S, [TASK_LOST] = S,
        [TASK_PARTITIONED] = SL, [TASK_DELETED] = D,
    },
#define DEAD { [TASK_ASSIGNED] = K, [TASK_STARTING] = K, [TASK_RUNNING] = K, [TASK_DELETED] = D }
    [TASK_FINISHED] = DEAD,
    [TASK_FAILED]   = DEAD,
    [TASK_KILLED]   = DEAD,
    [TASK_LOST]     = DEAD,
    [TASK_DELETED]  = { [TASK_ASSIGNED] = K, [TASK_STARTING] = K, [TASK_RUNNING] = K },
};
/* clang-format on */

static bool is_rescheduled(enum condition condition, const struct task_facts *facts)
{
    switch (condition) {
    case NEVER:
        return false;
    case IF_SERVICE:
        return facts->is_service;
    case IF_RETRY:
        return facts->is_service || facts->max_task_failures == -1 ||
               facts->failure_count < (int64_t)facts->max_task_failures - 1;
    case UNLESS_KILLING:
        return !facts->was_killing;
    }
    return false;
}

struct task_step task_step(enum task_status from, enum task_status to,
                           const struct task_facts *facts)
{
    assert(from < TASK_STATUS_COUNT && to < TASK_STATUS_COUNT);

    if (from == to)
        return (struct task_step){ STEP_NOOP, 0 };
    const struct cell *cell = &transitions[from][to];
    struct task_step step = { cell->legal ? STEP_SUCCESS : STEP_ILLEGAL, cell->actions };
    if (is_rescheduled(cell->reschedule, facts))
        step.actions |= DO_RESCHEDULE;
    return step;
}
