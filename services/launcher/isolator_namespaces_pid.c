#include "launcher/container_plan.h"
#include "launcher/isolators.h"

/* Processes of their own, and a /proc that shows only those.  When the first of them dies, the kernel
 * kills the others: no process outlives its task. */
static bool prepare(const struct container *container, Eos__Executor__V1__TaskPlan *plan,
                    struct error *err)
{
    (void)err;
    plan->container->unshare_pid = true;
    if (!container->image) /* filesystem/linux gives one to images in any case */
        container_plan_add_proc(plan, container->arena);
    return true;
}

const struct isolator isolator_namespaces_pid = { .name = "namespaces/pid", .prepare = prepare };
