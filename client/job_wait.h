#pragma once

#include "base/arena.h"

#include "eos/job/v1/job.pb-c.h"

/* Whether the tasks of a job have come where a command waits for them to be.  Pure. */
enum job_goal { GOAL_RUNNING, GOAL_FINISHED };
enum job_outcome { OUTCOME_WAITING, OUTCOME_REACHED, OUTCOME_FAILED };

struct job_progress {
    enum job_outcome outcome;
    int reached, total;  /* instances */
    const char *message; /* why it failed, or what the first that is not there does */
};

/* Of each instance the newest task counts.  RUNNING is reached by what lives and by what has finished;
 * FINISHED by what has finished.  A task that failed, or was killed, ends the wait, as does one that
 * ended as lost when nothing takes its place.  Tasks from before `created_at_ms`, of a job of the same
 * name that is over, do not count. */
struct job_progress job_wait_judge(enum job_goal goal, Eos__Job__V1__ScheduledTask *const *tasks,
                                   size_t count, int instances, int64_t created_at_ms,
                                   struct arena *arena);
