#include "scheduler/scheduling.h"

#include "scheduler/lifecycle.h"
#include "scheduler/placement.h"

/* The tasks of one configuration want the same, so the search for the next goes on where the last was
 * placed: within a round, what did not fit before does not fit now. */
static bool place_group(struct state *state, struct task_config *config, size_t *budget,
                        int64_t now_ms)
{
    struct spread *spread = spread_new(config, config->pending_first->job);
    size_t cursor = 0;
    struct slice key;
    void *value;
    bool is_done = true;

    while (config->pending_count > 0 && map_next(state->hosts, &cursor, &key, &value)) {
        struct host *host = value;
        struct veto veto;
        while (host_is_open(host) && config->pending_count > 0 && *budget > 0) {
            --*budget;
            state->counters.placement_checks++;
            if (!placement_check(config, host, spread, &veto))
                break;
            spread_add(spread, config, host);
            lifecycle_assign(state, config->pending_first, host, now_ms);
        }
        if (*budget == 0) {
            is_done = false;
            break;
        }
    }
    if (is_done && config->pending_count > 0)
        config->tried_at = state->capacity_epoch;
    spread_free(spread);
    return is_done;
}

bool scheduling_round(struct state *state, size_t budget, int64_t now_ms)
{
    if (!state->is_placement_due)
        return false;
    for (struct task_config *config = state->first_group, *next; config; config = next) {
        next = config->next_group;
        if (config->tried_at == state->capacity_epoch)
            continue;
        if (!place_group(state, config, &budget, now_ms))
            return true;
    }
    state->is_placement_due = false;
    return false;
}
