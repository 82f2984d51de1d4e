#pragma once

#include "scheduler/state.h"

/* Whether a dead task ended too soon after it was last active, by itself. */
bool flapping_test(const struct task *task, int64_t threshold_ms);

/* The next pause after one of `last_ms` (0: none yet): longer by a random factor in [1, 2), within
 * [min, max]. */
int64_t flapping_backoff(int64_t last_ms, int64_t min_ms, int64_t max_ms, struct random *random);

/* How long an instance has to wait because the tasks before `task` flapped; 0: not at all. */
int64_t flapping_penalty_ms(struct state *state, const struct task *task);
