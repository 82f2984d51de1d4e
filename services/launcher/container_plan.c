#include "launcher/container_plan.h"

typedef Eos__Executor__V1__TaskPlan task_plan;

/* Grows a list of pointers by one. */
static void *grow(struct arena *arena, void *list, size_t count)
{
    return arena_grow(arena, list, count * sizeof(void *), (count + 1) * sizeof(void *));
}

void container_plan_add_mount(task_plan *plan, struct arena *arena,
                              const struct container_mount *mount)
{
    Eos__Executor__V1__ContainerPlan *container = plan->container;
    Eos__Executor__V1__MountPlan *added = arena_alloc(arena, sizeof *added);

    eos__executor__v1__mount_plan__init(added);
    added->type = (char *)mount->type;
    added->source = (char *)mount->source;
    added->target = (char *)mount->target;
    if (mount->data)
        added->data = (char *)mount->data;
    added->readonly = (mount->flags & MOUNT_READONLY) != 0;
    added->nosuid = (mount->flags & MOUNT_NOSUID) != 0;
    added->nodev = (mount->flags & MOUNT_NODEV) != 0;
    added->noexec = (mount->flags & MOUNT_NOEXEC) != 0;
    added->is_file = (mount->flags & MOUNT_IS_FILE) != 0;
    container->unshare_mount = true;
    container->mounts = grow(arena, container->mounts, container->n_mounts);
    container->mounts[container->n_mounts++] = added;
}

void container_plan_mask(task_plan *plan, struct arena *arena, const char *const *paths,
                         size_t count)
{
    Eos__Executor__V1__ContainerPlan *container = plan->container;
    for (size_t i = 0; i < count; i++) {
        container->masked_paths = grow(arena, container->masked_paths, container->n_masked_paths);
        container->masked_paths[container->n_masked_paths++] = (char *)paths[i];
    }
}

void container_plan_make_readonly(task_plan *plan, struct arena *arena, const char *const *paths,
                                  size_t count)
{
    Eos__Executor__V1__ContainerPlan *container = plan->container;
    for (size_t i = 0; i < count; i++) {
        container->readonly_paths =
            grow(arena, container->readonly_paths, container->n_readonly_paths);
        container->readonly_paths[container->n_readonly_paths++] = (char *)paths[i];
    }
}

Eos__Executor__V1__CgroupPlan *container_plan_cgroup(task_plan *plan, struct arena *arena)
{
    if (!plan->container->cgroup) {
        plan->container->cgroup = arena_alloc(arena, sizeof *plan->container->cgroup);
        eos__executor__v1__cgroup_plan__init(plan->container->cgroup);
    }
    return plan->container->cgroup;
}

void container_plan_add_proc(task_plan *plan, struct arena *arena)
{
    static const char *const masked[] = {
        "/proc/acpi", "/proc/asound",     "/proc/interrupts",    "/proc/kcore",
        "/proc/keys", "/proc/key-users",  "/proc/latency_stats", "/proc/sched_debug",
        "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
    };
    static const char *const readonly[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                            "/proc/sysrq-trigger" };

    container_plan_add_mount(plan, arena,
                             &(struct container_mount){ .type = "proc",
                                                        .source = "proc",
                                                        .target = "/proc",
                                                        .flags = MOUNT_NOSUID | MOUNT_NODEV |
                                                                 MOUNT_NOEXEC });
    container_plan_mask(plan, arena, masked, sizeof masked / sizeof masked[0]);
    container_plan_make_readonly(plan, arena, readonly, sizeof readonly / sizeof readonly[0]);
}

static const Eos__Job__V1__Resource *find_resource(const Eos__Job__V1__TaskConfig *task,
                                                   Eos__Job__V1__Resource__ResourceCase which)
{
    for (size_t i = 0; i < task->n_resources; i++)
        if (task->resources[i]->resource_case == which)
            return task->resources[i];
    return NULL;
}

double task_cpus(const Eos__Job__V1__TaskConfig *task)
{
    const Eos__Job__V1__Resource *cpus =
        find_resource(task, EOS__JOB__V1__RESOURCE__RESOURCE_NUM_CPUS);
    return cpus ? cpus->num_cpus : 0;
}

int64_t task_ram_bytes(const Eos__Job__V1__TaskConfig *task)
{
    const Eos__Job__V1__Resource *ram =
        find_resource(task, EOS__JOB__V1__RESOURCE__RESOURCE_RAM_MB);
    return ram && ram->ram_mb > 0 && ram->ram_mb < INT64_MAX >> 20 ? ram->ram_mb << 20 : 0;
}
