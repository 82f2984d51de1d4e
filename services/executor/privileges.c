#include "executor/privileges.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- capabilities --------------------------------------------------------------------------- */

static uint64_t planned(const Eos__Executor__V1__ContainerPlan *container)
{
    uint64_t set = 0;
    for (size_t i = 0; i < container->n_capabilities; i++) {
        cap_value_t value;
        if (cap_from_name(container->capabilities[i], &value) == 0)
            set |= 1ull << value;
    }
    return set;
}

static uint64_t supervising(const Eos__Executor__V1__ContainerPlan *container)
{
    uint64_t set = 1ull << CAP_SETUID | 1ull << CAP_SETGID | 1ull << CAP_SETPCAP |
                   1ull << CAP_KILL | 1ull << CAP_CHOWN | 1ull << CAP_DAC_OVERRIDE |
                   1ull << CAP_FOWNER;
    /* A filter without no_new_privs needs it. */
    if (container->default_seccomp && !container->no_new_privileges)
        set |= 1ull << CAP_SYS_ADMIN;
    return set;
}

static bool is_in_bounding_set(int capability)
{
    return prctl(PR_CAPBSET_READ, capability) == 1;
}

static bool bound(uint64_t kept, struct error *err)
{
    for (int i = 0; i <= CAP_LAST_CAP; i++)
        if (!(kept >> i & 1) && is_in_bounding_set(i) && prctl(PR_CAPBSET_DROP, i) < 0)
            return error_set_errno(err, errno, "could not drop capability %d", i);
    return true;
}

/* None is inheritable: a program with capabilities of its own would pass them to any user. */
static bool set_capabilities(uint64_t permitted, struct error *err)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2];
    /* What this process does not have cannot be kept. */
    if (syscall(SYS_capget, &header, data) < 0)
        return error_set_errno(err, errno, "could not read the capabilities");
    for (int i = 0; i < 2; i++) {
        data[i].permitted &= (uint32_t)(permitted >> 32 * i);
        data[i].effective = data[i].permitted;
        data[i].inheritable = 0;
    }
    if (syscall(SYS_capset, &header, data) < 0)
        return error_set_errno(err, errno, "could not set the capabilities");
    return true;
}

bool privileges_keep(const Eos__Executor__V1__ContainerPlan *container, struct error *err)
{
    uint64_t kept = planned(container) | supervising(container);
    return bound(kept, err) && set_capabilities(kept, err);
}

/* ---- seccomp -------------------------------------------------------------------------------- */

static bool load_filter(struct error *err)
{
    static struct sock_filter rows[] = {
#include "seccomp_program.inc"
    };
    struct sock_fprog program = { .len = sizeof rows / sizeof rows[0], .filter = rows };
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
        return error_set_errno(err, errno, "could not load the seccomp filter");
    return true;
}

/* ---- all of it ------------------------------------------------------------------------------ */

static bool is_already(const Eos__Executor__V1__UserPlan *user)
{
    return geteuid() != 0 && user->uid == geteuid() && user->gid == getegid();
}

bool privileges_become(const Eos__Executor__V1__UserPlan *user, struct error *err)
{
    if (!user || is_already(user))
        return true;
    if (geteuid() != 0)
        return error_set(err, ERROR_PERMISSION_DENIED,
                         "only root can run processes as another user");
    cleanup_free gid_t *groups = xcalloc(user->n_groups + 1, sizeof *groups);
    for (size_t i = 0; i < user->n_groups; i++)
        groups[i] = user->groups[i];
    if (setgroups(user->n_groups, groups) < 0)
        return error_set_errno(err, errno, "could not set the groups of user %u", user->uid);
    if (setresgid(user->gid, user->gid, user->gid) < 0)
        return error_set_errno(err, errno, "could not become group %u", user->gid);
    if (setresuid(user->uid, user->uid, user->uid) < 0)
        return error_set_errno(err, errno, "could not become user %u", user->uid);
    return true;
}

bool privileges_drop(const Eos__Executor__V1__ContainerPlan *container,
                     const Eos__Executor__V1__UserPlan *user, struct error *err)
{
    if (!container)
        return privileges_become(user, err);
    uint64_t kept = planned(container);
    bool filters_early = container->default_seccomp && !container->no_new_privileges;
    if (filters_early && !load_filter(err))
        return false;
    if (!bound(kept, err) || !privileges_become(user, err))
        return false;
    if (geteuid() == 0 && !set_capabilities(kept, err))
        return false;
    if (container->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return error_set_errno(err, errno, "could not set no_new_privs");
    return !container->default_seccomp || filters_early || load_filter(err);
}
