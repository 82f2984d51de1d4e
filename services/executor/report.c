#include "executor/report.h"

#include "executor/frame.h"

#include "base/alloc.h"
#include "base/cleanup.h"

typedef Eos__Executor__V1__ProcessRun process_run;

void report_trim(char *message)
{
    size_t len = strlen(message);
    while (len > 0 && !slice_is_utf8((struct slice){ message, len }))
        len--;
    message[len] = '\0';
}

static void run_fill(process_run *run, const struct process *process, int64_t wall_offset_ms)
{
    eos__executor__v1__process_run__init(run);
    run->name = (char *)process->name;
    run->run = process->run;
    run->state = (char *)run_state_name(process->state);
    run->pid = process->pid;
    run->exit_code = process->exit_code;
    run->start_ms = process->start_ms + wall_offset_ms;
    run->stop_ms = process->stop_ms ? process->stop_ms + wall_offset_ms : 0;
}

static void add_state(struct text *out, Eos__Executor__V1__State *state)
{
    Eos__Executor__V1__FromExecutor from = EOS__EXECUTOR__V1__FROM_EXECUTOR__INIT;
    from.message_case = EOS__EXECUTOR__V1__FROM_EXECUTOR__MESSAGE_STATE;
    from.state = state;
    frame_add(out, &from.base);
}

void report_add(struct text *out, const struct runner *runner, int64_t wall_offset_ms)
{
    const struct graph *graph = &runner->graph;
    cleanup_free process_run *runs = xcalloc(graph->count + 1, sizeof *runs);
    cleanup_free process_run **list = xcalloc(graph->count + 1, sizeof *list);
    Eos__Executor__V1__State state = EOS__EXECUTOR__V1__STATE__INIT;
    char message[sizeof runner->message];

    memcpy(message, runner->message, sizeof message);
    report_trim(message);
    state.state = runner->state;
    /* A reason is told with the state that it explains. */
    state.message = runner->state == runner->result || runner->stage != STAGE_ACTIVE ? message : "";
    state.runs = list;
    for (size_t i = 0; i < graph->count; i++) {
        if (graph->processes[i].state == RUN_NONE)
            continue;
        run_fill(&runs[i], &graph->processes[i], wall_offset_ms);
        list[state.n_runs++] = &runs[i];
    }
    add_state(out, &state);
}

void report_add_failure(struct text *out, const char *message)
{
    Eos__Executor__V1__State state = EOS__EXECUTOR__V1__STATE__INIT;
    state.state = EOS__EXECUTOR__V1__TASK_STATE__FAILED;
    state.message = (char *)message;
    add_state(out, &state);
}
