#include "executor/mounts.h"

#include "executor/cgroup.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/slice.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* ---- targets -------------------------------------------------------------------------------- */

static int open_beneath(int fd, const char *path, uint64_t flags, uint64_t resolve)
{
    struct open_how how = {
        .flags = flags | O_PATH | O_CLOEXEC,
        .resolve = resolve | RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, fd, path, &how, sizeof how);
}

static bool may_make(const struct tree *tree, const char *path)
{
    size_t len = strlen(tree->writable);
    return strncmp(path, tree->writable, len) == 0 &&
           (len == 0 || path[len] == '/' || path[len] == '\0');
}

static int make_directory(int parent, const char *name)
{
    return mkdirat(parent, name, 0755) < 0 && errno != EEXIST ? -1 : 0;
}

/* An image may hold a link to a file of the host it was made on, such as /etc/resolv.conf has it.
 * The link is replaced, because following it would make the file anywhere. */
static int make_file(int parent, const char *name)
{
    struct stat status;
    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode) &&
        unlinkat(parent, name, 0) < 0)
        return -1;
    int fd = openat(parent, name, O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return -1;
    close(fd);
    return 0;
}

/* Makes the missing parts of `path` one after the other.  Each prefix is opened from the root anew,
 * so that links in the middle mean what they mean inside. */
static int make_target(int root_fd, const char *path, enum target_kind kind, uint64_t resolve)
{
    cleanup_free char *prefix = xstrdup(path);
    cleanup_close int parent = open_beneath(root_fd, "/", O_DIRECTORY, resolve);
    for (char *at = prefix; parent >= 0;) {
        char *name = at + strspn(at, "/");
        at = name + strcspn(name, "/");
        char *end = at;
        bool is_last = end[strspn(end, "/")] == '\0';
        char saved = *end;
        *end = '\0';
        int fd = open_beneath(root_fd, prefix, 0, resolve);
        if (fd < 0 && errno == ENOENT) {
            int made = is_last && kind == TARGET_FILE ? make_file(parent, name)
                                                      : make_directory(parent, name);
            fd = made < 0 ? -1 : open_beneath(root_fd, prefix, 0, resolve);
        }
        *end = saved;
        if (is_last || fd < 0)
            return fd;
        close(parent);
        parent = fd;
    }
    return -1;
}

/* What the task's user has put below the writable directory, or below a volume in it, may lead anywhere
 * on the host: nothing is made behind a link or in another file system. */
static int make_missing(const struct tree *tree, const char *path, enum target_kind kind)
{
    if (!tree->writable[0])
        return make_target(tree->fd, path, kind, 0);
    cleanup_close int top = open_beneath(tree->fd, tree->writable, O_DIRECTORY, 0);
    return top < 0 ? -1
                   : make_target(top, path + strlen(tree->writable), kind,
                                 RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

bool tree_open(const struct tree *tree, const char *path, enum target_kind kind, int *ret_fd,
               struct error *err)
{
    int fd = open_beneath(tree->fd, path, 0, 0);
    if (fd < 0 && errno == ENOENT && may_make(tree, path))
        fd = make_missing(tree, path, kind);
    if (fd < 0)
        return error_set_errno(err, errno, "could not open \"%s\" in the container", path);
    *ret_fd = fd;
    return true;
}

bool tree_open_existing(const struct tree *tree, const char *path, int *ret_fd, struct error *err)
{
    int fd = open_beneath(tree->fd, path, 0, 0);
    if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
        return error_set_errno(err, errno, "could not open \"%s\" in the container", path);
    *ret_fd = fd;
    return true;
}

/* ---- mounts --------------------------------------------------------------------------------- */

static bool set_option(int context, const char *option)
{
    cleanup_free char *name = xstrdup(option);
    char *value = strchr(name, '=');
    if (!value)
        return fsconfig(context, FSCONFIG_SET_FLAG, name, NULL, 0) == 0;
    *value++ = '\0';
    return fsconfig(context, FSCONFIG_SET_STRING, name, value, 0) == 0;
}

bool filesystem_make(const char *type, const char *source, const char *data, uint64_t attributes,
                     int *ret_fd, struct error *err)
{
    cleanup_close int context = fsopen(type, FSOPEN_CLOEXEC);
    if (context < 0)
        return error_set_errno(err, errno, "could not open file system %s", type);
    if (source[0])
        (void)fsconfig(context, FSCONFIG_SET_STRING, "source", source, 0);
    for (struct slice rest = slice_of(data); rest.ptr && rest.len;) {
        struct slice part = slice_split(&rest, ',');
        cleanup_free char *option = xmemdup0(part.ptr, part.len);
        if (option[0] && !set_option(context, option))
            return error_set_errno(err, errno, "%s does not take the mount option \"%s\"", type,
                                   option);
    }
    if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return error_set_errno(err, errno, "could not make file system %s", type);
    int fd = fsmount(context, FSMOUNT_CLOEXEC, (unsigned)attributes);
    if (fd < 0)
        return error_set_errno(err, errno, "could not make a mount of file system %s", type);
    *ret_fd = fd;
    return true;
}

bool mount_copy(int dir_fd, const char *path, int *ret_fd, struct error *err)
{
    unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
    int fd = open_tree(dir_fd, path, path[0] ? flags : flags | AT_EMPTY_PATH);
    if (fd < 0)
        return error_set_errno(err, errno, "could not open \"%s\"", path);
    *ret_fd = fd;
    return true;
}

bool mount_restrict(int mount_fd, uint64_t attributes, struct error *err)
{
    struct mount_attr change = { .attr_set = attributes };
    if (attributes &&
        mount_setattr(mount_fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &change, sizeof change) < 0)
        return error_set_errno(err, errno, "could not restrict the mount");
    return true;
}

bool mount_attach(int mount_fd, int target_fd, struct error *err)
{
    if (move_mount(mount_fd, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) <
        0)
        return error_set_errno(err, errno, "could not attach the mount");
    return true;
}

static uint64_t attributes_of(const Eos__Executor__V1__MountPlan *plan)
{
    return (plan->readonly ? MOUNT_ATTR_RDONLY : 0) | (plan->nosuid ? MOUNT_ATTR_NOSUID : 0) |
           (plan->nodev ? MOUNT_ATTR_NODEV : 0) | (plan->noexec ? MOUNT_ATTR_NOEXEC : 0);
}

/* ---- the rows of a plan --------------------------------------------------------------------- */

static bool mount_bind(const struct tree *tree, const Eos__Executor__V1__MountPlan *plan,
                       struct error *err)
{
    cleanup_close int mount_fd = -1;
    cleanup_close int target = -1;
    return mount_copy(AT_FDCWD, plan->source, &mount_fd, err) &&
           mount_restrict(mount_fd, attributes_of(plan), err) &&
           tree_open(tree, plan->target, plan->is_file ? TARGET_FILE : TARGET_DIRECTORY, &target,
                     err) &&
           mount_attach(mount_fd, target, err);
}

static bool mount_filesystem(const struct tree *tree, const Eos__Executor__V1__MountPlan *plan,
                             const char *type, struct error *err)
{
    cleanup_close int mount_fd = -1;
    cleanup_close int target = -1;
    return filesystem_make(type, plan->source[0] ? plan->source : type, plan->data,
                           attributes_of(plan), &mount_fd, err) &&
           tree_open(tree, plan->target, TARGET_DIRECTORY, &target, err) &&
           mount_attach(mount_fd, target, err);
}

/* Version 1: the container's own group of each hierarchy, under the hierarchy's usual name. */
static bool mount_own_cgroups(const struct tree *tree, const Eos__Executor__V1__MountPlan *plan,
                              const struct cgroup *cgroup, struct error *err)
{
    Eos__Executor__V1__MountPlan row = *plan;
    row.source = "tmpfs";
    row.data = "mode=755,size=64k";
    row.readonly = false;
    if (!mount_filesystem(tree, &row, "tmpfs", err))
        return false;
    struct tree inside = { .fd = tree->fd, .writable = plan->target };
    for (size_t i = 0; i < cgroup->count; i++) {
        cleanup_free char *target =
            xasprintf("%s/%s", plan->target, cgroup->hierarchies[i].controllers);
        row = *plan;
        row.source = cgroup->hierarchies[i].path;
        row.target = target;
        if (!mount_bind(&inside, &row, err))
            return false;
    }
    return true;
}

static bool mount_cgroup(const struct tree *tree, const Eos__Executor__V1__MountPlan *plan,
                         const struct cgroup *cgroup, struct error *err)
{
    switch (cgroup->version) {
    case EOS__EXECUTOR__V1__CGROUP_PLAN__VERSION__V1:
        return mount_own_cgroups(tree, plan, cgroup, err);
    case EOS__EXECUTOR__V1__CGROUP_PLAN__VERSION__V2:
        return mount_filesystem(tree, plan, "cgroup2", err);
    default:
        return error_set(err, ERROR_FAILED_PRECONDITION, "the container has no cgroup");
    }
}

bool mount_perform(const struct tree *tree, const Eos__Executor__V1__MountPlan *plan,
                   const struct cgroup *cgroup, struct error *err)
{
    bool is_bind = strcmp(plan->type, "bind") == 0;
    bool done = is_bind                             ? mount_bind(tree, plan, err)
                : strcmp(plan->type, "cgroup") == 0 ? mount_cgroup(tree, plan, cgroup, err)
                                                    : mount_filesystem(tree, plan, plan->type, err);
    if (done)
        return true;
    return error_prefix(err, "could not mount %s on \"%s\"", is_bind ? plan->source : plan->type,
                        plan->target);
}
