#include "launcher/isolators.h"
#include "launcher/task_plan.h"

/* What the manifest of an AppC image says of its environment. */
static bool prepare(const struct container *container, Eos__Executor__V1__TaskPlan *plan,
                    struct error *err)
{
    (void)err;
    if (container->image && container->is_appc)
        task_plan_add_environment(plan, container->image->environment,
                                  container->image->environment_count, container->arena);
    return true;
}

const struct isolator isolator_appc_runtime = { .name = "appc/runtime", .prepare = prepare };
