#pragma once

#include "scheduler/state.h"

/* What moves tasks from state to state, and does what the table of task_fsm.h says is to be done. */

/* Creates the task of one instance, PENDING. */
struct task *lifecycle_create(struct state *state, struct job *job, struct task_config *config,
                              int32_t instance, int64_t now_ms);

/* Tries to change the state of `task`; `message` (may be NULL) is kept with the event.  The task may be
 * gone afterwards when the result is STEP_SUCCESS and it was not on a host. */
enum task_step_result lifecycle_change(struct state *state, struct task *task, enum task_status to,
                                       const char *message, int64_t now_ms);

/* Says anew how far a task in its state is; no event of its own. */
void lifecycle_progress(struct state *state, struct task *task, const char *message);

/* Gives a PENDING task a host; its ports are chosen there. */
void lifecycle_assign(struct state *state, struct task *task, struct host *host, int64_t now_ms);

/* Does what has become due: throttled tasks are released, those that hang are given up, those on lost
 * hosts are lost, old dead ones are forgotten.  At most `limit` of them; true when more are due. */
bool lifecycle_expire(struct state *state, size_t limit, int64_t now_ms);

/* Notices hosts that have been silent for too long, forgets those that nobody needs. */
void lifecycle_check_hosts(struct state *state, int64_t now_ms);

/* For a task that was loaded: its place in the queues, on its host and among the deadlines. */
void lifecycle_restore(struct state *state, struct task *task, int64_t now_ms);

#define HOST_FORGET_MS (24 * 60 * 60 * 1000ll)
