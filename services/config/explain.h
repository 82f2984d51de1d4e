#pragma once

#include "config/job.h"

/* Fills `result->explanation` with where the value at `path` of the job comes from, when the request
 * asks for it: `request->explain` is the job's key or nothing, followed by the path.  Never fails: what
 * cannot be evaluated is said.  `job` has all that is bound to it. */
void explain_job(struct vm *vm, const struct object *job, Eos__Config__V1__JobResult *result);
