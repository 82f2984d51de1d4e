#include "launcher/cgroup.h"
#include "launcher/container_plan.h"
#include "launcher/isolators.h"

#include <inttypes.h>

#define MEMORY_MIN_BYTES (INT64_C(32) << 20) /* less does not carry a shell and its tools */

static bool prepare(const struct container *container, Eos__Executor__V1__TaskPlan *plan,
                    struct error *err)
{
    (void)err;
    Eos__Executor__V1__CgroupPlan *cgroup = container_plan_cgroup(plan, container->arena);
    int64_t ram_bytes = task_ram_bytes(container->task->task);
    cgroup->version = cgroup_version();
    cgroup->path = arena_printf(container->arena, "eos/%s", container->task_id);
    cgroup->memory_bytes =
        ram_bytes > 0 && ram_bytes < MEMORY_MIN_BYTES ? MEMORY_MIN_BYTES : ram_bytes;
    return true;
}

/* The kernel counts what it has killed for want of memory. */
static bool watch(const char *task_id, struct error *err)
{
    int64_t kills = 0, limit = 0;
    if (!cgroup_read("memory", task_id, "memory.oom_control", "oom_kill", &kills))
        (void)cgroup_read("memory", task_id, "memory.events", "oom_kill", &kills);
    if (kills <= 0)
        return true;
    if (!cgroup_read("memory", task_id, "memory.limit_in_bytes", NULL, &limit))
        (void)cgroup_read("memory", task_id, "memory.max", NULL, &limit);
    return error_set(err, ERROR_RESOURCE_EXHAUSTED, "Memory limit exceeded: %" PRId64 " MB",
                     limit >> 20);
}

static void usage(const char *task_id, struct isolator_usage *usage)
{
    int64_t value;
    if (cgroup_read("memory", task_id, "memory.usage_in_bytes", NULL, &value) ||
        cgroup_read("memory", task_id, "memory.current", NULL, &value))
        usage->memory_bytes += value;
}

static bool cleanup(const char *task_id, const char *directory, struct error *err)
{
    (void)directory;
    return cgroup_remove(task_id, err);
}

const struct isolator isolator_cgroups_mem = {
    .name = "cgroups/mem",
    .prepare = prepare,
    .watch = watch,
    .usage = usage,
    .cleanup = cleanup,
};
