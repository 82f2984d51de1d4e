#include "scheduler/flapping.h"

#include <assert.h>

bool flapping_test(const struct task *task, int64_t threshold_ms)
{
    const struct task_event *last = task_last_event(task);

    if (!last || !task_status_is(last->status, TASK_IS_TERMINAL))
        return false;
    if (task_has_event(task, TASK_RESTARTING) || task_has_event(task, TASK_KILLING) ||
        task_has_event(task, TASK_DRAINING))
        return false;
    for (size_t i = task->event_count; i-- > 0;)
        if (task_status_is(task->events[i].status, TASK_IS_ACTIVE))
            return last->at_ms - task->events[i].at_ms < threshold_ms;
    return false;
}

int64_t flapping_backoff(int64_t last_ms, int64_t min_ms, int64_t max_ms, struct random *random)
{
    int64_t base = last_ms > 0 ? last_ms : min_ms;
    int64_t next = base + (base > 0 ? (int64_t)random_below(random, (uint64_t)base) : 0);
    return next < max_ms ? next : max_ms;
}

int64_t flapping_penalty_ms(struct state *state, const struct task *task)
{
    const struct state_settings *s = &state->settings;
    int64_t penalty = 0;

    while (task->ancestor_id) {
        const struct task *ancestor = state_find_task(state, task->ancestor_id);
        if (!ancestor || !flapping_test(ancestor, s->flapping_threshold_ms))
            break;
        int64_t next = flapping_backoff(penalty, s->flapping_delay_min_ms, s->flapping_delay_max_ms,
                                        &state->random);
        if (next == penalty)
            break;
        penalty = next;
        task = ancestor;
    }
    return penalty;
}
