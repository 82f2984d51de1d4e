#pragma once

#include "gateway/handlers.h"

/* Finds the launcher of a task: asks the scheduler for the task, then for the host's endpoint. */
struct task_host;

/* `launcher` is handed over (launcher_release()), and NULL when `err` tells why there is none:
 * NOT_FOUND for an unknown task, FAILED_PRECONDITION for one that is on no host yet, UNAVAILABLE for
 * one whose host is not connected. */
typedef void task_host_fn(void *user, struct launcher *launcher, const struct error *err);

/* Calls `done` once and later, unless cancelled.  NULL on failure. */
struct task_host *task_host_find(struct handlers *handlers, const struct exchange *exchange,
                                 const char *task_id, task_host_fn *done, void *user,
                                 struct error *err) MUST_CHECK;
void task_host_cancel(struct task_host *find);
