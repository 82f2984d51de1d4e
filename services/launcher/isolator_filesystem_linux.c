#include "launcher/container_plan.h"
#include "launcher/host_file.h"
#include "launcher/isolators.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <limits.h>
#include <stdlib.h>

/* A root of its own out of the layers of an image, with a layer on top for what the task writes; or
 * the host's root, in a mount namespace of its own. */

static const char *const root_directories[] = { "root", "upper", "work" };

static bool make_root(const struct container *container, Eos__Executor__V1__RootPlan *root,
                      struct error *err)
{
    char *paths[3];
    for (size_t i = 0; i < 3; i++) {
        paths[i] =
            arena_printf(container->arena, "%s/%s", container->directory, root_directories[i]);
        if (!host_tree_remove(paths[i], err) || !host_directory_make(paths[i], 0755, err))
            return false;
    }
    root->mount_point = paths[0];
    root->upper = paths[1];
    root->work = paths[2];
    root->layers = (char **)container->image->layers;
    root->n_layers = container->image->layer_count;
    return true;
}

/* Image tasks share the host's network, so its names are theirs. */
static void add_network_files(const struct container *container, Eos__Executor__V1__TaskPlan *plan)
{
    static const char *const files[] = { "/etc/resolv.conf", "/etc/hosts", "/etc/hostname" };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        cleanup_free char *source = realpath(files[i], NULL);
        if (!source)
            continue;
        container_plan_add_mount(plan, container->arena,
                                 &(struct container_mount){
                                     .type = "bind",
                                     .source = arena_strdup(container->arena, source),
                                     .target = files[i],
                                     .flags = MOUNT_READONLY | MOUNT_NOSUID | MOUNT_NODEV |
                                              MOUNT_NOEXEC | MOUNT_IS_FILE });
    }
}

static void add_sys(const struct container *container, Eos__Executor__V1__TaskPlan *plan)
{
    static const char *const masked[] = { "/sys/firmware", "/sys/devices/virtual/powercap" };
    container_plan_add_mount(plan, container->arena,
                             &(struct container_mount){ .type = "sysfs",
                                                        .source = "sysfs",
                                                        .target = "/sys",
                                                        .flags = MOUNT_READONLY | MOUNT_NOSUID |
                                                                 MOUNT_NODEV | MOUNT_NOEXEC });
    container_plan_mask(plan, container->arena, masked, sizeof masked / sizeof masked[0]);
}

static bool prepare(const struct container *container, Eos__Executor__V1__TaskPlan *plan,
                    struct error *err)
{
    plan->container->unshare_mount = true;
    if (!container->image)
        return true;
    plan->container->root = arena_alloc(container->arena, sizeof *plan->container->root);
    eos__executor__v1__root_plan__init(plan->container->root);
    if (!make_root(container, plan->container->root, err))
        return error_prefix(err, "Failed to initialize sandbox");
    container_plan_add_proc(plan, container->arena);
    add_sys(container, plan);
    add_network_files(container, plan);
    return true;
}

static bool cleanup(const char *task_id, const char *directory, struct error *err)
{
    (void)task_id;
    for (size_t i = 0; i < 3; i++) {
        cleanup_free char *path = xasprintf("%s/%s", directory, root_directories[i]);
        if (!host_tree_remove(path, err))
            return false;
    }
    return true;
}

const struct isolator isolator_filesystem_linux = {
    .name = "filesystem/linux",
    .prepare = prepare,
    .cleanup = cleanup,
};
