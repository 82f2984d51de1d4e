#pragma once

#include "base/error.h"

#include <eos/executor/v1/executor.pb-c.h>

/* What a process of a task may do, and what the container's first process keeps to supervise. */

/* Leaves the calling process (the container's first) only the capabilities that it supervises with,
 * and those that it hands to its processes. */
bool privileges_keep(const Eos__Executor__V1__ContainerPlan *container,
                     struct error *err) MUST_CHECK;

/* Makes the calling process the task's user.  `user` may be NULL: nothing changes. */
bool privileges_become(const Eos__Executor__V1__UserPlan *user, struct error *err) MUST_CHECK;

/* As privileges_become(), with everything that the container plan takes away.  What follows up to
 * execve() is done as the task's user.  `container` may be NULL. */
bool privileges_drop(const Eos__Executor__V1__ContainerPlan *container,
                     const Eos__Executor__V1__UserPlan *user, struct error *err) MUST_CHECK;
