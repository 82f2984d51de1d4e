#pragma once

#include "base/error.h"

#include <eos/executor/v1/executor.pb-c.h>
#include <stdint.h>

/* The processes of a task and what may run when: Thermos' planner.
 *
 * A task has two plans, of its regular and of its final processes, in one graph.  Times are
 * milliseconds of one clock that never goes back; the caller reads it. */

#define GRAPH_MAX_RUNS 100 /* runs of one process, whatever their outcome */

enum graph_part { PART_REGULAR, PART_FINAL };

enum run_state {
    RUN_NONE, /* never selected */
    RUN_WAITING,
    RUN_FORKED,
    RUN_RUNNING,
    RUN_SUCCESS,
    RUN_KILLED,
    RUN_FAILED,
    RUN_LOST,
    RUN_STATE_COUNT
};

const char *run_state_name(enum run_state state); /* "WAITING"; "" for RUN_NONE */

struct process {
    const char *name; /* borrowed from the plan */
    enum graph_part part;
    int max_failures; /* 0: without limit */
    bool is_daemon, is_ephemeral;
    int64_t min_duration_ms;
    size_t *needs; /* indexes of the processes that must have finished */
    size_t need_count;

    /* the newest run */
    enum run_state state;
    int run;            /* from 0; -1 before the first */
    int pid, exit_code; /* exit_code is negative for a signal */
    int64_t start_ms, stop_ms;

    int failures, ends;
    bool is_finished, is_failed;
};

struct graph {
    struct process *processes; /* in the order of the plan */
    size_t count;
    int max_concurrency; /* 0: without limit */
};

/* Fails with INVALID_ARGUMENT when names are not unique, a constraint is empty, names an unknown
 * process or mixes regular and final ones, when a process would wait for a daemon, one that counts
 * for one that does not, or itself.  `plan` must live as long as the graph. */
bool graph_init(struct graph *graph, const Eos__Executor__V1__TaskPlan *plan,
                struct error *err) MUST_CHECK;
void graph_done(struct graph *graph);

/* A process to start now, or false. */
bool graph_next(const struct graph *graph, enum graph_part part, int64_t now_ms, size_t *ret_index);

/* Until a process may start that only waits for its min_duration; -1 when there is none. */
int64_t graph_wait_ms(const struct graph *graph, enum graph_part part, int64_t now_ms);

/* The life of a run, in this order; a run that could not be started ends FAILED from FORKED. */
void graph_forked(struct graph *graph, size_t index, int pid, int64_t now_ms);
void graph_running(struct graph *graph, size_t index);
void graph_ended(struct graph *graph, size_t index, enum run_state outcome, int exit_code,
                 int64_t now_ms);

bool process_is_live(const struct process *process); /* between forked and ended */

size_t graph_count_live(const struct graph *graph, enum graph_part part);
size_t graph_count_failed(const struct graph *graph, enum graph_part part);
bool graph_is_complete(const struct graph *graph, enum graph_part part);
bool graph_is_deadlocked(const struct graph *graph, enum graph_part part, int64_t now_ms);
