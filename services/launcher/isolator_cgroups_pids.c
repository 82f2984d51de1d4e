#include "launcher/cgroup.h"
#include "launcher/container_plan.h"
#include "launcher/isolators.h"

#define PIDS_MAX 4096 /* processes and threads of one task */

static bool prepare(const struct container *container, Eos__Executor__V1__TaskPlan *plan,
                    struct error *err)
{
    (void)err;
    Eos__Executor__V1__CgroupPlan *cgroup = container_plan_cgroup(plan, container->arena);
    cgroup->version = cgroup_version();
    cgroup->path = arena_printf(container->arena, "eos/%s", container->task_id);
    cgroup->pids = PIDS_MAX;
    return true;
}

static bool watch(const char *task_id, struct error *err)
{
    int64_t refused = 0;
    if (!cgroup_read("pids", task_id, "pids.events", "max", &refused) || refused <= 0)
        return true;
    return error_set(err, ERROR_RESOURCE_EXHAUSTED, "Process limit exceeded: %d", PIDS_MAX);
}

static void usage(const char *task_id, struct isolator_usage *usage)
{
    int64_t value;
    if (cgroup_read("pids", task_id, "pids.current", NULL, &value))
        usage->processes += value;
}

static bool cleanup(const char *task_id, const char *directory, struct error *err)
{
    (void)directory;
    return cgroup_remove(task_id, err);
}

const struct isolator isolator_cgroups_pids = {
    .name = "cgroups/pids",
    .prepare = prepare,
    .watch = watch,
    .usage = usage,
    .cleanup = cleanup,
};
