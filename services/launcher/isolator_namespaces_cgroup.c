#include "launcher/isolators.h"

/* Control groups that begin at the task's own. */
static bool prepare(const struct container *container, Eos__Executor__V1__TaskPlan *plan,
                    struct error *err)
{
    (void)container;
    (void)err;
    plan->container->unshare_cgroup = true;
    return true;
}

const struct isolator isolator_namespaces_cgroup = { .name = "namespaces/cgroup",
                                                     .prepare = prepare };
