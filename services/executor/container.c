#include "executor/container.h"

#include "executor/masks.h"
#include "executor/privileges.h"
#include "executor/root.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>

static bool is_v2(const Eos__Executor__V1__ContainerPlan *plan)
{
    return plan->cgroup && plan->cgroup->version == EOS__EXECUTOR__V1__CGROUP_PLAN__VERSION__V2;
}

/* In version 1 the cgroup namespace comes later: its root is where the process is at that time. */
uint64_t container_clone_flags(const Eos__Executor__V1__ContainerPlan *plan)
{
    if (!plan)
        return 0;
    return (plan->unshare_mount ? CLONE_NEWNS : 0) | (plan->unshare_pid ? CLONE_NEWPID : 0) |
           (plan->unshare_ipc ? CLONE_NEWIPC : 0) | (plan->unshare_uts ? CLONE_NEWUTS : 0) |
           (plan->unshare_cgroup && is_v2(plan) ? CLONE_NEWCGROUP : 0);
}

static bool fill(const struct tree *tree, const Eos__Executor__V1__TaskPlan *plan,
                 const struct cgroup *cgroup, struct error *err)
{
    const Eos__Executor__V1__ContainerPlan *container = plan->container;
    bool has_user = container->root && plan->user && plan->user->uid != 0 && plan->user->name[0];
    if (has_user && container->root->upper[0] && !root_add_user(tree, plan->user, err))
        return false;
    for (size_t i = 0; i < container->n_mounts; i++)
        if (!mount_perform(tree, container->mounts[i], cgroup, err))
            return false;
    if (container->root && !devices_make(tree, container->devices, container->n_devices, err))
        return false;
    return masks_make_readonly(tree, container->readonly_paths, container->n_readonly_paths, err) &&
           masks_hide(tree, container->masked_paths, container->n_masked_paths, err);
}

static bool set_up_mounts(const Eos__Executor__V1__TaskPlan *plan, const struct cgroup *cgroup,
                          struct error *err)
{
    /* Nothing that is mounted here shows on the host. */
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
        return error_set_errno(err, errno, "could not take the mounts apart from the host's");
    cleanup_close int root = -1;
    if (plan->container->root) {
        if (!root_mount(plan->container->root, &root, err))
            return false;
    } else {
        root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    /* Of the host's file system only the sandbox is the task's to write. */
    struct tree tree = { root, plan->container->root ? "" : plan->sandbox };
    if (!fill(&tree, plan, cgroup, err))
        return false;
    return !plan->container->root || root_enter(root, err);
}

static bool seal(const Eos__Executor__V1__ContainerPlan *plan, struct error *err)
{
    if (!privileges_keep(plan, err))
        return error_prefix(err, "could not give up capabilities");
    /* No process of the task may look into this one. */
    prctl(PR_SET_DUMPABLE, 0);
    return true;
}

static bool set_up(const Eos__Executor__V1__TaskPlan *plan, const struct cgroup *cgroup,
                   struct error *err)
{
    const Eos__Executor__V1__ContainerPlan *container = plan->container;
    if (container->unshare_cgroup && !is_v2(container) && unshare(CLONE_NEWCGROUP) < 0)
        return error_set_errno(err, errno, "could not make a cgroup namespace");
    if (container->hostname[0] && sethostname(container->hostname, strlen(container->hostname)) < 0)
        return error_set_errno(err, errno, "could not set the host name to \"%s\"",
                               container->hostname);
    return !container->unshare_mount || set_up_mounts(plan, cgroup, err);
}

bool container_enter(const Eos__Executor__V1__TaskPlan *plan, const struct cgroup *cgroup,
                     struct error *err)
{
    if (!plan->container)
        return true;
    return cgroup_join(cgroup, err) && set_up(plan, cgroup, err) && seal(plan->container, err);
}
