#include "launcher/isolators.h"

/* The executor's default filter of system calls. */
static bool prepare(const struct container *container, Eos__Executor__V1__TaskPlan *plan,
                    struct error *err)
{
    (void)container;
    (void)err;
    plan->container->default_seccomp = true;
    return true;
}

const struct isolator isolator_linux_seccomp = { .name = "linux/seccomp", .prepare = prepare };
