#pragma once

#include "base/error.h"

#include <eos/executor/v1/executor.pb-c.h>
#include <sys/types.h>

/* Where the output of a process run goes: <log directory>/<process>/<run>/stdout and stderr, the
 * executor's own output ("console"), both, or nowhere.
 *
 * Everything here runs as the task's user: the directory is the task's, and a link that it makes
 * there must not lead where root may write and the user may not. */

/* Makes the log directory, owned by the user; called as root before any process of the task runs. */
bool logs_prepare(const Eos__Executor__V1__TaskPlan *plan, struct error *err) MUST_CHECK;

/* Whether a process of its own has to carry the output: to rotate, or to write twice. */
bool logs_need_pump(const Eos__Executor__V1__ProcessPlan *process);

/* Puts the files (or what the logger says) onto descriptors 1 and 2 of the calling process. */
bool logs_redirect(const Eos__Executor__V1__TaskPlan *plan,
                   const Eos__Executor__V1__ProcessPlan *process, int run,
                   struct error *err) MUST_CHECK;

/* Carries what comes from `inputs` (the run's stdout and stderr) until both end.  Opens its files,
 * closes `*ready_fd` and sets it to -1, and then returns only at the end. */
bool logs_pump(const Eos__Executor__V1__TaskPlan *plan,
               const Eos__Executor__V1__ProcessPlan *process, int run, const int inputs[2],
               int *ready_fd, struct error *err) MUST_CHECK;
