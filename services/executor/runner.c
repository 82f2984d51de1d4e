#include "executor/runner.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdarg.h>

#define STATE(name) EOS__EXECUTOR__V1__TASK_STATE__##name

bool runner_init(struct runner *runner, const Eos__Executor__V1__TaskPlan *plan, struct error *err)
{
    struct runner made = {
        .max_failures = plan->max_failures,
        .finalization_wait_ms = plan->finalization_wait_secs * 1000ll,
        .kill_grace_ms = plan->kill_grace_ms,
        .state = STATE(STARTING),
        .result = STATE(FINISHED),
    };
    if (!graph_init(&made.graph, plan, err))
        return false;
    made.is_told = xcalloc(made.graph.count + 1, sizeof *made.is_told);
    *runner = made;
    return true;
}

void runner_done(struct runner *runner)
{
    graph_done(&runner->graph);
    free(runner->is_told);
    *runner = (struct runner){ 0 };
}

/* The first reason stands: what follows from it explains less. */
__attribute__((format(printf, 2, 3))) static void explain(struct runner *runner, const char *fmt,
                                                          ...)
{
    if (runner->message[0])
        return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(runner->message, sizeof runner->message, fmt, ap);
    va_end(ap);
}

/* ---- events --------------------------------------------------------------------------------- */

void runner_forked(struct runner *runner, size_t process, int pid, int64_t now_ms)
{
    graph_forked(&runner->graph, process, pid, now_ms);
    runner->is_told[process] = false;
}

void runner_running(struct runner *runner, size_t process)
{
    graph_running(&runner->graph, process);
    if (runner->state == STATE(STARTING))
        runner->state = STATE(RUNNING);
}

static bool counts(const struct runner *runner, size_t index)
{
    const struct process *process = &runner->graph.processes[index];
    return process->is_failed && process->part == PART_REGULAR && runner->stage == STAGE_ACTIVE;
}

void runner_exited(struct runner *runner, size_t index, int exit_code, int64_t now_ms)
{
    const struct process *process = &runner->graph.processes[index];
    enum run_state outcome = exit_code < 0 ? RUN_KILLED : exit_code ? RUN_FAILED : RUN_SUCCESS;
    graph_running(&runner->graph, index);
    graph_ended(&runner->graph, index, outcome, exit_code, now_ms);
    if (!counts(runner, index))
        return;
    if (process->ends >= GRAPH_MAX_RUNS)
        explain(runner, "process \"%s\" ended %d times", process->name, process->ends);
    else if (process->ends > 1)
        explain(runner, "process \"%s\" exited with status %d in run %d", process->name, exit_code,
                process->run);
    else
        explain(runner, "process \"%s\" exited with status %d", process->name, exit_code);
}

void runner_not_executed(struct runner *runner, size_t index, const char *reason, int64_t now_ms)
{
    const struct process *process = &runner->graph.processes[index];
    graph_ended(&runner->graph, index, RUN_FAILED, 127, now_ms);
    if (counts(runner, index))
        explain(runner, "process \"%s\" could not be started: %s", process->name, reason);
}

void runner_not_forked(struct runner *runner, size_t index, const char *reason, int64_t now_ms)
{
    graph_forked(&runner->graph, index, 0, now_ms);
    runner_not_executed(runner, index, reason, now_ms);
}

static void enter_cleaning(struct runner *runner, Eos__Executor__V1__TaskState result,
                           int64_t deadline_ms)
{
    runner->stage = STAGE_CLEANING;
    runner->result = result;
    runner->deadline_ms = deadline_ms;
}

void runner_kill(struct runner *runner, const char *message, int64_t now_ms)
{
    if (runner->stage == STAGE_ENDED || runner->result == STATE(KILLED))
        return;
    int64_t deadline_ms = now_ms + runner->kill_grace_ms;
    runner->message[0] = '\0';
    explain(runner, "%s", message[0] ? message : "the task was killed");
    if (runner->stage == STAGE_ACTIVE)
        enter_cleaning(runner, STATE(KILLED), deadline_ms);
    runner->result = STATE(KILLED);
    runner->deadline_ms = deadline_ms;
}

/* ---- decisions ------------------------------------------------------------------------------ */

static bool is_healthy(const struct runner *runner, int64_t now_ms)
{
    size_t failed = graph_count_failed(&runner->graph, PART_REGULAR);
    return (runner->max_failures == 0 || failed < (size_t)runner->max_failures) &&
           !graph_is_deadlocked(&runner->graph, PART_REGULAR, now_ms);
}

static void leave_active(struct runner *runner, int64_t now_ms)
{
    bool healthy = is_healthy(runner, now_ms);
    if (healthy) /* what failed was within max_failures */
        snprintf(runner->message, sizeof runner->message, "all processes have finished");
    else
        explain(runner, "the processes that are left wait for one that failed");
    enter_cleaning(runner, healthy ? STATE(FINISHED) : STATE(FAILED),
                   now_ms + runner->finalization_wait_ms);
}

static bool decide_start(struct runner *runner, enum graph_part part, int64_t now_ms,
                         struct decision *ret_decision)
{
    size_t next;
    if (!graph_next(&runner->graph, part, now_ms, &next))
        return false;
    *ret_decision = (struct decision){ DECIDE_START, next };
    return true;
}

/* Tells each live regular run once. */
static bool decide_terminate(struct runner *runner, struct decision *ret_decision)
{
    for (size_t i = 0; i < runner->graph.count; i++) {
        const struct process *process = &runner->graph.processes[i];
        if (process->part != PART_REGULAR || !process_is_live(process) || runner->is_told[i])
            continue;
        runner->is_told[i] = true;
        *ret_decision = (struct decision){ DECIDE_TERMINATE, i };
        return true;
    }
    return false;
}

static bool decide_active(struct runner *runner, int64_t now_ms, struct decision *ret_decision)
{
    if (is_healthy(runner, now_ms) && !graph_is_complete(&runner->graph, PART_REGULAR))
        return decide_start(runner, PART_REGULAR, now_ms, ret_decision);
    leave_active(runner, now_ms);
    return runner_decide(runner, now_ms, ret_decision);
}

static bool decide_cleaning(struct runner *runner, int64_t now_ms, struct decision *ret_decision)
{
    if (decide_terminate(runner, ret_decision))
        return true;
    if (!runner->are_orphans_told) {
        runner->are_orphans_told = true;
        *ret_decision = (struct decision){ .kind = DECIDE_TERMINATE_ORPHANS };
        return true;
    }
    if (now_ms >= runner->deadline_ms)
        runner->stage = STAGE_ENDED; /* no time is left for final processes either */
    else if (graph_count_live(&runner->graph, PART_REGULAR) == 0)
        runner->stage = STAGE_FINALIZING;
    else
        return false;
    return runner_decide(runner, now_ms, ret_decision);
}

static bool decide_finalizing(struct runner *runner, int64_t now_ms, struct decision *ret_decision)
{
    const struct graph *graph = &runner->graph;
    if (now_ms >= runner->deadline_ms || graph_is_complete(graph, PART_FINAL) ||
        graph_is_deadlocked(graph, PART_FINAL, now_ms)) {
        runner->stage = STAGE_ENDED;
        return runner_decide(runner, now_ms, ret_decision);
    }
    return decide_start(runner, PART_FINAL, now_ms, ret_decision);
}

static bool decide_end(struct runner *runner, int64_t now_ms, struct decision *ret_decision)
{
    if (runner->is_end_told)
        return false;
    runner->is_end_told = true;
    for (size_t i = 0; i < runner->graph.count; i++)
        if (process_is_live(&runner->graph.processes[i]))
            graph_ended(&runner->graph, i, RUN_KILLED, -9, now_ms);
    runner->state = runner->result;
    *ret_decision = (struct decision){ .kind = DECIDE_END };
    return true;
}

bool runner_decide(struct runner *runner, int64_t now_ms, struct decision *ret_decision)
{
    assert(runner->stage < STAGE_COUNT);
    switch (runner->stage) {
    case STAGE_ACTIVE:
        return decide_active(runner, now_ms, ret_decision);
    case STAGE_CLEANING:
        return decide_cleaning(runner, now_ms, ret_decision);
    case STAGE_FINALIZING:
        return decide_finalizing(runner, now_ms, ret_decision);
    case STAGE_ENDED:
        return decide_end(runner, now_ms, ret_decision);
    case STAGE_COUNT:
        break;
    }
    return false;
}

static int64_t sooner(int64_t a, int64_t b)
{
    if (a < 0 || b < 0)
        return a < 0 ? b : a;
    return a < b ? a : b;
}

int64_t runner_wait_ms(const struct runner *runner, int64_t now_ms)
{
    int64_t deadline = runner->deadline_ms > now_ms ? runner->deadline_ms - now_ms : 0;
    switch (runner->stage) {
    case STAGE_ACTIVE:
        return graph_wait_ms(&runner->graph, PART_REGULAR, now_ms);
    case STAGE_CLEANING:
        return deadline;
    case STAGE_FINALIZING:
        return sooner(deadline, graph_wait_ms(&runner->graph, PART_FINAL, now_ms));
    case STAGE_ENDED:
    case STAGE_COUNT:
        break;
    }
    return -1;
}
