#pragma once

#include "base/error.h"

#include "eos/executor/v1/executor.pb-c.h"

/* Whether what an executor tells may be passed on.  In a container of the Docker engine the processes
 * of a task may be root and speak in the executor's place, so nothing is taken for granted: texts are
 * UTF-8 and bounded, and there are no more runs than a task can have processes.  DATA_LOSS otherwise. */
bool executor_state_check(const Eos__Executor__V1__State *state, struct error *err) MUST_CHECK;

#define EXECUTOR_MESSAGE_MAX_BYTES 4096u
