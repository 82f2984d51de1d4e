#pragma once

#include "executor/cgroup.h"

/* The container's first process. */
struct inner {
    pid_t pid;
    int channel; /* of frames to and from it */
};

/* Makes it, in the namespaces of the plan and in the cgroup, which exists already.  It reports its
 * own failures over the channel, also those of the set-up. */
bool inner_start(const Eos__Executor__V1__TaskPlan *plan, const struct cgroup *cgroup,
                 struct inner *ret_inner, struct error *err) MUST_CHECK;
