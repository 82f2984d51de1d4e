#pragma once

#include "base/error.h"

#include <eos/executor/v1/executor.pb-c.h>
#include <sys/types.h>

/* Starts one run of a process, in a session of its own.  The command line runs under /bin/bash, or
 * under /bin/sh where the image has no bash.
 *
 * `*ret_status_fd` (non-blocking, closed by the caller) ends without a byte once the command is
 * executed; a sentence comes first when it could not be.  `*ret_pump` is the process that carries its
 * output, or 0. */
bool launch_start(const Eos__Executor__V1__TaskPlan *plan,
                  const Eos__Executor__V1__ProcessPlan *process, int run, pid_t *ret_pid,
                  pid_t *ret_pump, int *ret_status_fd, struct error *err) MUST_CHECK;
