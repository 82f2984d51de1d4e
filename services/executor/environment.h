#pragma once

#include "base/arena.h"

#include <eos/executor/v1/executor.pb-c.h>
#include <stdbool.h>

/* The environment of a task's process: HOME, LOGNAME, USER, PATH and, when the sandbox has a
 * .thermos_profile, BASH_ENV, each unless the plan sets it; and what the plan sets.  `path` is used
 * for PATH.  NULL-terminated; belongs to `arena`. */
char **environment_make(const Eos__Executor__V1__TaskPlan *plan, const char *path, bool has_profile,
                        struct arena *arena);

#define ENVIRONMENT_PROFILE ".thermos_profile" /* in the sandbox */
