#pragma once

#include "eos/job/v1/job.pb-c.h"
#include "eos/scheduler/v1/scheduler.pb-c.h"

#include "base/arena.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* What the scheduler has to be told of the tasks, until it has acknowledged it: in the order in which
 * it happened, each under an id of its own. */
struct updates;

#define UPDATES_MAX_SENT 1000u /* in one poll */

/* Ids are "<session>-<number>"; `session` is borrowed. */
struct updates *updates_new(const char *session);
void updates_free(struct updates *updates);

size_t updates_count(const struct updates *updates);

/* Adds an update.  One of the same task and status that has not been sent yet is replaced, so that
 * progress messages do not pile up. */
void updates_add(struct updates *updates, const char *task_id, Eos__Job__V1__ScheduleStatus status,
                 const char *message, int64_t now_ms);

/* Takes in one that an earlier session has left, under its old id. */
void updates_restore(struct updates *updates, const Eos__Scheduler__V1__TaskUpdate *update);

/* Removes one.  Gives the task that it was of, in `arena`, or NULL when it was not there. */
const char *updates_acknowledge(struct updates *updates, const char *update_id,
                                struct arena *arena);

/* Those of one task, oldest first, and the oldest UPDATES_MAX_SENT of all, which are sent now.  They
 * live in `arena`. */
size_t updates_of_task(const struct updates *updates, const char *task_id, struct arena *arena,
                       Eos__Scheduler__V1__TaskUpdate ***ret_list);
size_t updates_to_send(struct updates *updates, struct arena *arena,
                       Eos__Scheduler__V1__TaskUpdate ***ret_list);

/* Whether there is one that has not been sent. */
bool updates_has_news(const struct updates *updates);
