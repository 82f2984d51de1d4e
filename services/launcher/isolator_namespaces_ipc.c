#include "launcher/isolators.h"

/* Shared memory, semaphores and queues of System V of its own. */
static bool prepare(const struct container *container, Eos__Executor__V1__TaskPlan *plan,
                    struct error *err)
{
    (void)container;
    (void)err;
    plan->container->unshare_ipc = true;
    return true;
}

const struct isolator isolator_namespaces_ipc = { .name = "namespaces/ipc", .prepare = prepare };
