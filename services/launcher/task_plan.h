#pragma once

#include "launcher/account.h"

#include "base/arena.h"
#include "base/error.h"

#include "eos/executor/v1/executor.pb-c.h"
#include "eos/job/v1/job.pb-c.h"

#include <stdint.h>

/* From the job's executor_data, a JSON text, to the plan that an executor carries out. */

#define TASK_MAX_CONSTRAINTS 10000u
#define TASK_NAME_MAX_BYTES  200u /* of a process: it becomes a directory */

struct task_plan_input {
    const Eos__Job__V1__AssignedTask *task;
    const char *cluster;
    const char *run_directory;
    const char *sandbox;           /* as the processes see it */
    const struct account *account; /* NULL: the processes run as the executor does */
    const char *path;              /* PATH, unless the image has one */
    int kill_grace_ms;
};

/* Everything but the container.  The plan lives in `arena`, and borrows from `input`.
 * INVALID_ARGUMENT with a sentence for the user: executor_data is no JSON, a field is not as it must
 * be, a template reference has no value.  Whether the order of the processes is possible is the
 * executor's to find out. */
bool task_plan_make(const struct task_plan_input *input, struct arena *arena,
                    Eos__Executor__V1__TaskPlan **ret_plan, struct error *err) MUST_CHECK;

/* Adds what the image sets, "NAME=value" each.  HOME, LOGNAME and USER stay as they are; text without a
 * "=" is passed over. */
void task_plan_add_environment(Eos__Executor__V1__TaskPlan *plan, const char *const *environment,
                               size_t count, struct arena *arena);
