#include "launcher/cgroup.h"
#include "launcher/container_plan.h"
#include "launcher/isolators.h"

/* Control groups that begin at the task's own, and an image sees no others. */
static bool prepare(const struct container *container, Eos__Executor__V1__TaskPlan *plan,
                    struct error *err)
{
    (void)err;
    plan->container->unshare_cgroup = true;
    if (container->image && cgroup_version() != EOS__EXECUTOR__V1__CGROUP_PLAN__VERSION__NO_CGROUP)
        container_plan_add_mount(plan, container->arena,
                                 &(struct container_mount){ .type = "cgroup",
                                                            .source = "cgroup",
                                                            .target = "/sys/fs/cgroup",
                                                            .flags = MOUNT_READONLY | MOUNT_NOSUID |
                                                                     MOUNT_NODEV | MOUNT_NOEXEC });
    return true;
}

const struct isolator isolator_namespaces_cgroup = { .name = "namespaces/cgroup",
                                                     .prepare = prepare };
