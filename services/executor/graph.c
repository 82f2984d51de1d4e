#include "executor/graph.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/map.h"

#include <assert.h>

const char *run_state_name(enum run_state state)
{
    static const char *const names[RUN_STATE_COUNT] = {
        [RUN_NONE] = "",           [RUN_WAITING] = "WAITING", [RUN_FORKED] = "FORKED",
        [RUN_RUNNING] = "RUNNING", [RUN_SUCCESS] = "SUCCESS", [RUN_KILLED] = "KILLED",
        [RUN_FAILED] = "FAILED",   [RUN_LOST] = "LOST",
    };
    assert(state < RUN_STATE_COUNT);
    return names[state];
}

bool process_is_live(const struct process *process)
{
    return process->state == RUN_FORKED || process->state == RUN_RUNNING;
}

/* ---- building ------------------------------------------------------------------------------- */

DEFINE_CLEANUP(map_freep, struct map *, map_free)

static void process_init(struct process *process, const Eos__Executor__V1__ProcessPlan *plan)
{
    *process = (struct process){
        .name = plan->name,
        .part = plan->final ? PART_FINAL : PART_REGULAR,
        .max_failures = plan->max_failures,
        .is_daemon = plan->daemon,
        .is_ephemeral = plan->ephemeral,
        .min_duration_ms = plan->min_duration_secs * 1000ll,
        .run = -1,
    };
}

static bool may_need(const struct process *process, const struct process *needed, struct error *err)
{
    if (process->part != needed->part)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "process \"%s\" and process \"%s\" cannot be ordered, because only one of "
                         "them is final",
                         needed->name, process->name);
    if (needed->is_daemon)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "process \"%s\" cannot wait for process \"%s\", which is a daemon",
                         process->name, needed->name);
    if (needed->is_ephemeral && !process->is_ephemeral)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "process \"%s\" cannot wait for process \"%s\", which is ephemeral",
                         process->name, needed->name);
    return true;
}

static void add_need(struct process *process, size_t index)
{
    for (size_t i = 0; i < process->need_count; i++)
        if (process->needs[i] == index)
            return;
    process->needs = xreallocarray(process->needs, process->need_count + 1, sizeof *process->needs);
    process->needs[process->need_count++] = index;
}

static bool find(struct graph *graph, const struct map *by_name, const char *name,
                 struct process **ret_process, struct error *err)
{
    struct process *process = map_get(by_name, slice_of(name));
    if (!process)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "a constraint names a process that the task does not have");
    assert(process >= graph->processes && process < graph->processes + graph->count);
    *ret_process = process;
    return true;
}

static bool add_order(struct graph *graph, const struct map *by_name,
                      const Eos__Executor__V1__OrderPlan *order, struct error *err)
{
    if (order->n_names == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "a constraint has no names");
    struct process *before = NULL;
    for (size_t i = 0; i < order->n_names; i++) {
        struct process *process = NULL;
        if (!find(graph, by_name, order->names[i], &process, err))
            return false;
        if (before) {
            if (!may_need(process, before, err))
                return false;
            add_need(process, (size_t)(before - graph->processes));
        }
        before = process;
    }
    return true;
}

/* Takes away what needs nothing that is left, until nothing changes: a rest is a cycle. */
static bool check_cycles(const struct graph *graph, struct error *err)
{
    cleanup_free bool *is_gone = xcalloc(graph->count + 1, sizeof *is_gone);
    size_t left = graph->count;
    for (bool has_changed = true; has_changed && left;) {
        has_changed = false;
        for (size_t i = 0; i < graph->count; i++) {
            size_t open = 0;
            for (size_t n = 0; n < graph->processes[i].need_count; n++)
                open += !is_gone[graph->processes[i].needs[n]];
            if (is_gone[i] || open)
                continue;
            is_gone[i] = has_changed = true;
            left--;
        }
    }
    for (size_t i = 0; left && i < graph->count; i++)
        if (!is_gone[i])
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "the constraints make process \"%s\" wait for itself",
                             graph->processes[i].name);
    return true;
}

static bool build(struct graph *graph, const Eos__Executor__V1__TaskPlan *plan, struct error *err)
{
    CLEANUP(map_freep) struct map *by_name = map_new();
    for (size_t i = 0; i < plan->n_processes; i++) {
        process_init(&graph->processes[i], plan->processes[i]);
        if (map_put(by_name, slice_of(plan->processes[i]->name), &graph->processes[i]))
            return error_set(err, ERROR_INVALID_ARGUMENT, "there are two processes \"%s\"",
                             plan->processes[i]->name);
    }
    for (size_t i = 0; i < plan->n_constraints; i++)
        if (!add_order(graph, by_name, plan->constraints[i], err))
            return false;
    return check_cycles(graph, err);
}

bool graph_init(struct graph *graph, const Eos__Executor__V1__TaskPlan *plan, struct error *err)
{
    struct graph built = {
        .processes = xcalloc(plan->n_processes + 1, sizeof *built.processes),
        .count = plan->n_processes,
        .max_concurrency = plan->max_concurrency,
    };
    if (!build(&built, plan, err)) {
        graph_done(&built);
        return false;
    }
    *graph = built;
    return true;
}

void graph_done(struct graph *graph)
{
    for (size_t i = 0; i < graph->count; i++)
        free(graph->processes[i].needs);
    free(graph->processes);
    *graph = (struct graph){ 0 };
}

/* ---- choosing ------------------------------------------------------------------------------- */

static bool is_runnable(const struct graph *graph, const struct process *process)
{
    if (process->is_finished || process->is_failed || process_is_live(process))
        return false;
    for (size_t i = 0; i < process->need_count; i++)
        if (!graph->processes[process->needs[i]].is_finished)
            return false;
    return true;
}

/* min_duration counts from the end of the run before. */
static int64_t delay_ms(const struct process *process, int64_t now_ms)
{
    if (process->ends == 0)
        return 0;
    int64_t left = process->stop_ms + process->min_duration_ms - now_ms;
    return left > 0 ? left : 0;
}

bool graph_next(const struct graph *graph, enum graph_part part, int64_t now_ms, size_t *ret_index)
{
    if (graph->max_concurrency && graph_count_live(graph, part) >= (size_t)graph->max_concurrency)
        return false;
    for (size_t i = 0; i < graph->count; i++) {
        const struct process *process = &graph->processes[i];
        if (process->part != part || !is_runnable(graph, process) || delay_ms(process, now_ms) > 0)
            continue;
        *ret_index = i;
        return true;
    }
    return false;
}

int64_t graph_wait_ms(const struct graph *graph, enum graph_part part, int64_t now_ms)
{
    int64_t least = -1;
    for (size_t i = 0; i < graph->count; i++) {
        const struct process *process = &graph->processes[i];
        if (process->part != part || !is_runnable(graph, process))
            continue;
        int64_t delay = delay_ms(process, now_ms);
        if (delay > 0 && (least < 0 || delay < least))
            least = delay;
    }
    return least;
}

/* ---- accounting ----------------------------------------------------------------------------- */

void graph_forked(struct graph *graph, size_t index, int pid, int64_t now_ms)
{
    assert(index < graph->count);
    struct process *process = &graph->processes[index];
    assert(!process_is_live(process));
    process->run++;
    process->state = RUN_FORKED;
    process->pid = pid;
    process->exit_code = 0;
    process->start_ms = now_ms;
    process->stop_ms = 0;
}

void graph_running(struct graph *graph, size_t index)
{
    assert(index < graph->count);
    if (graph->processes[index].state == RUN_FORKED)
        graph->processes[index].state = RUN_RUNNING;
}

/* A run that was killed or lost is repeated and counts for nothing but the limit of runs. */
static void account(struct process *process, enum run_state outcome)
{
    process->ends++;
    if (outcome == RUN_SUCCESS && !process->is_daemon)
        process->is_finished = true;
    if (outcome == RUN_FAILED) {
        process->failures++;
        if (process->max_failures && process->failures >= process->max_failures) {
            process->is_finished = process->is_ephemeral;
            process->is_failed = !process->is_ephemeral;
        }
    }
    if (!process->is_finished && process->ends >= GRAPH_MAX_RUNS)
        process->is_failed = true;
}

void graph_ended(struct graph *graph, size_t index, enum run_state outcome, int exit_code,
                 int64_t now_ms)
{
    assert(index < graph->count);
    assert(outcome >= RUN_SUCCESS && outcome < RUN_STATE_COUNT);
    struct process *process = &graph->processes[index];
    assert(process_is_live(process));
    process->state = outcome;
    process->exit_code = exit_code;
    process->stop_ms = now_ms;
    account(process, outcome);
}

size_t graph_count_live(const struct graph *graph, enum graph_part part)
{
    size_t count = 0;
    for (size_t i = 0; i < graph->count; i++)
        count += graph->processes[i].part == part && process_is_live(&graph->processes[i]);
    return count;
}

size_t graph_count_failed(const struct graph *graph, enum graph_part part)
{
    size_t count = 0;
    for (size_t i = 0; i < graph->count; i++)
        count += graph->processes[i].part == part && graph->processes[i].is_failed;
    return count;
}

bool graph_is_complete(const struct graph *graph, enum graph_part part)
{
    for (size_t i = 0; i < graph->count; i++) {
        const struct process *process = &graph->processes[i];
        if (process->part == part && !process->is_finished && !process->is_failed &&
            !process->is_ephemeral)
            return false;
    }
    return true;
}

bool graph_is_deadlocked(const struct graph *graph, enum graph_part part, int64_t now_ms)
{
    size_t next;
    return graph_count_live(graph, part) == 0 && !graph_next(graph, part, now_ms, &next) &&
           graph_wait_ms(graph, part, now_ms) < 0 && !graph_is_complete(graph, part);
}
