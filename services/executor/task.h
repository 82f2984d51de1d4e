#pragma once

#include "base/error.h"

#include <eos/executor/v1/executor.pb-c.h>

/* Runs the processes of a task: the work of the container's first process, or of a plain child where
 * there is no container.  Reports over `channel`, takes Kill from it, and ends everything when it
 * closes.  Returns the exit status for the calling process, which must then leave at once. */
int task_run(const Eos__Executor__V1__TaskPlan *plan, int channel);

/* Tells over `channel` that the task could not be set up. */
void task_report_failure(int channel, const struct error *reason);

#define CHANNEL_MAX_BYTES (2u << 20) /* of a State with the runs of all processes */
