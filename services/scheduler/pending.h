#pragma once

#include "scheduler/state.h"

#include "eos/scheduler/v1/scheduler.pb-c.h"

/* Why the pending tasks of `config` have no host: one sentence, and how many hosts objected to what,
 * most frequent first.  Fills `reason` and `vetoes` in `arena`. */
void pending_explain(const struct state *state, const struct task_config *config,
                     struct arena *arena, Eos__Scheduler__V1__PendingReason *ret_reason);

/* The sentence for a task that waits because those before it ended too soon. */
char *pending_explain_throttled(const struct task *task, int64_t now_ms, struct arena *arena);
