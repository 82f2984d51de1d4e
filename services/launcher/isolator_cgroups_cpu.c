#include "launcher/cgroup.h"
#include "launcher/container_plan.h"
#include "launcher/isolators.h"

#define NANOSECOND  1e-9
#define MICROSECOND 1e-6

static bool prepare(const struct container *container, Eos__Executor__V1__TaskPlan *plan,
                    struct error *err)
{
    (void)err;
    Eos__Executor__V1__CgroupPlan *cgroup = container_plan_cgroup(plan, container->arena);
    cgroup->version = cgroup_version();
    cgroup->path = arena_printf(container->arena, "eos/%s", container->task_id);
    cgroup->cpus = task_cpus(container->task->task);
    return true;
}

static void usage(const char *task_id, struct isolator_usage *usage)
{
    int64_t value;
    if (cgroup_read("cpuacct", task_id, "cpuacct.usage", NULL, &value))
        usage->cpu_seconds += (double)value * NANOSECOND;
    else if (cgroup_read("cpu", task_id, "cpu.stat", "usage_usec", &value))
        usage->cpu_seconds += (double)value * MICROSECOND;
}

static bool cleanup(const char *task_id, const char *directory, struct error *err)
{
    (void)directory;
    return cgroup_remove(task_id, err);
}

const struct isolator isolator_cgroups_cpu = {
    .name = "cgroups/cpu",
    .prepare = prepare,
    .usage = usage,
    .cleanup = cleanup,
};
