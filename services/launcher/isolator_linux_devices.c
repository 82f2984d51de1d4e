#include "launcher/container_plan.h"
#include "launcher/isolators.h"

/* An image gets a /dev with the few devices that every program expects, and no others. */
static void add_dev(const struct container *container, Eos__Executor__V1__TaskPlan *plan)
{
    static const struct container_mount mounts[] = {
        { .type = "tmpfs",
          .source = "tmpfs",
          .target = "/dev",
          .data = "mode=755,size=64k",
          .flags = MOUNT_NOSUID | MOUNT_NOEXEC },
        { .type = "devpts",
          .source = "devpts",
          .target = "/dev/pts",
          .data = "newinstance,ptmxmode=0666,mode=0620,gid=5",
          .flags = MOUNT_NOSUID | MOUNT_NOEXEC },
        { .type = "tmpfs",
          .source = "shm",
          .target = "/dev/shm",
          .data = "mode=1777,size=64m",
          .flags = MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC },
        { .type = "mqueue",
          .source = "mqueue",
          .target = "/dev/mqueue",
          .flags = MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC },
    };
    for (size_t i = 0; i < sizeof mounts / sizeof mounts[0]; i++)
        container_plan_add_mount(plan, container->arena, &mounts[i]);
}

static bool prepare(const struct container *container, Eos__Executor__V1__TaskPlan *plan,
                    struct error *err)
{
    static const char *const devices[] = { "/dev/null",   "/dev/zero",    "/dev/full",
                                           "/dev/random", "/dev/urandom", "/dev/tty" };
    size_t count = sizeof devices / sizeof devices[0];
    struct arena *arena = container->arena;

    (void)err;
    if (!container->image)
        return true;
    add_dev(container, plan);
    plan->container->devices = arena_array(arena, count, sizeof *plan->container->devices);
    for (size_t i = 0; i < count; i++) {
        Eos__Executor__V1__DevicePlan *device = arena_alloc(arena, sizeof *device);
        eos__executor__v1__device_plan__init(device);
        device->path = (char *)devices[i];
        plan->container->devices[plan->container->n_devices++] = device;
    }
    return true;
}

const struct isolator isolator_linux_devices = { .name = "linux/devices", .prepare = prepare };
