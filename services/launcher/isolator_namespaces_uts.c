#include "launcher/isolators.h"

/* A host name of its own, which is the host's at first: Aurora's tasks share the host's network, and
 * find themselves by its name. */
static bool prepare(const struct container *container, Eos__Executor__V1__TaskPlan *plan,
                    struct error *err)
{
    (void)container;
    (void)err;
    plan->container->unshare_uts = true;
    return true;
}

const struct isolator isolator_namespaces_uts = { .name = "namespaces/uts", .prepare = prepare };
