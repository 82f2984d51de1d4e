#include "launcher/isolators.h"

/* No program that is executed gives more privileges. */
static bool prepare(const struct container *container, Eos__Executor__V1__TaskPlan *plan,
                    struct error *err)
{
    (void)container;
    (void)err;
    plan->container->no_new_privileges = true;
    return true;
}

const struct isolator isolator_linux_nnp = { .name = "linux/nnp", .prepare = prepare };
