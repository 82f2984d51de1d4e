#include "launcher/executor_state.h"

#include "launcher/task_plan.h"

#include "base/slice.h"
#include "plan/limits.h"

#define STATE_NAME_MAX_BYTES 32u

static bool is_text(const char *text, size_t most)
{
    struct slice slice = slice_of(text);
    return slice.len <= most && slice_is_utf8(slice);
}

bool executor_state_check(const Eos__Executor__V1__State *state, struct error *err)
{
    bool ok =
        is_text(state->message, EXECUTOR_MESSAGE_MAX_BYTES) && state->n_runs <= PLAN_MAX_PROCESSES;
    for (size_t i = 0; ok && i < state->n_runs; i++)
        ok = is_text(state->runs[i]->name, TASK_NAME_MAX_BYTES) &&
             is_text(state->runs[i]->state, STATE_NAME_MAX_BYTES);
    return ok || error_set(err, ERROR_DATA_LOSS, "what the executor tells is not understood");
}
