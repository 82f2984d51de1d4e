#pragma once

#include "executor/graph.h"

/* The life of a task: which processes to start, to end and when the task is over, as Thermos does
 * it.  The runner decides and the caller acts:
 *
 *     while (runner_decide(runner, now_ms, &decision))
 *         … carry it out, and tell the runner what came of it …
 *     … wait for an event or runner_wait_ms() …
 *
 * ACTIVE runs the regular processes until they are complete or the task has failed.  CLEANING ends
 * what still runs with SIGTERM.  FINALIZING runs the final processes.  CLEANING and FINALIZING share
 * one deadline, of finalization_wait_secs or, after a kill, of kill_grace_ms. */

enum stage { STAGE_ACTIVE, STAGE_CLEANING, STAGE_FINALIZING, STAGE_ENDED, STAGE_COUNT };

enum decision_kind {
    DECIDE_START,             /* then runner_forked() or runner_not_forked() */
    DECIDE_TERMINATE,         /* SIGTERM to the process group */
    DECIDE_TERMINATE_ORPHANS, /* SIGTERM to what processes have left behind */
    DECIDE_END,               /* SIGKILL to everything: the task is over, and no run is live */
};

struct decision {
    enum decision_kind kind;
    size_t process; /* an index, for START and TERMINATE */
};

struct runner {
    struct graph graph;
    int max_failures;
    int64_t finalization_wait_ms, kill_grace_ms;

    enum stage stage;
    int64_t deadline_ms; /* of CLEANING and FINALIZING */
    Eos__Executor__V1__TaskState state;
    Eos__Executor__V1__TaskState result; /* decided when ACTIVE ends */
    char message[248];                   /* why it ended that way */
    bool *is_told;                       /* per process: SIGTERM was decided for its run */
    bool are_orphans_told, is_end_told;
};

/* INVALID_ARGUMENT when the constraints are wrong.  `plan` must outlive the runner. */
bool runner_init(struct runner *runner, const Eos__Executor__V1__TaskPlan *plan,
                 struct error *err) MUST_CHECK;
void runner_done(struct runner *runner);

/* False when there is nothing to do until an event comes or runner_wait_ms() has passed. */
bool runner_decide(struct runner *runner, int64_t now_ms, struct decision *ret_decision);
int64_t runner_wait_ms(const struct runner *runner, int64_t now_ms); /* -1: until an event comes */

void runner_forked(struct runner *runner, size_t process, int pid, int64_t now_ms);
void runner_running(struct runner *runner, size_t process);

/* `exit_code` is negative for a signal, else the exit status. */
void runner_exited(struct runner *runner, size_t process, int exit_code, int64_t now_ms);

/* The command could not be executed: a failed run.  `reason` ends in the task's message when the
 * task fails of it. */
void runner_not_executed(struct runner *runner, size_t process, const char *reason, int64_t now_ms);

/* No process could be made for the run; it counts as a failed one, too. */
void runner_not_forked(struct runner *runner, size_t process, const char *reason, int64_t now_ms);

/* Ends the task in KILLED.  May come at any time and again; the first message stands. */
void runner_kill(struct runner *runner, const char *message, int64_t now_ms);
