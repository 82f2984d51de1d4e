#include "launcher/isolators.h"
#include "launcher/task_plan.h"

/* What a Docker image says of its environment.  Its entrypoint, command and working directory mean
 * nothing to Aurora's tasks. */
static bool prepare(const struct container *container, Eos__Executor__V1__TaskPlan *plan,
                    struct error *err)
{
    (void)err;
    if (container->image && !container->is_appc)
        task_plan_add_environment(plan, container->image->environment,
                                  container->image->environment_count, container->arena);
    return true;
}

const struct isolator isolator_docker_runtime = { .name = "docker/runtime", .prepare = prepare };
