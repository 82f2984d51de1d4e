#include "executor/masks.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static bool is_directory(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
}

/* The host's own node, so read-only: who may change its mode in there would change it for the host.
 * What a volume has put in its place is none. */
static bool copy_null(int *ret_fd, struct error *err)
{
    struct stat status;
    cleanup_close int mount_fd = -1;
    cleanup_close int node = open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (node < 0 || fstat(node, &status) < 0)
        return error_set_errno(err, errno, "could not open \"/dev/null\"");
    if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3))
        return error_set(err, ERROR_FAILED_PRECONDITION, "\"/dev/null\" is not the null device");
    if (!mount_copy(node, "", &mount_fd, err) ||
        !mount_restrict(mount_fd, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, err))
        return false;
    *ret_fd = TAKE_FD(mount_fd);
    return true;
}

static bool cover(int target, struct error *err)
{
    cleanup_close int mount_fd = -1;
    bool made = is_directory(target)
                    ? filesystem_make("tmpfs", "tmpfs", "mode=0555,size=0,nr_inodes=1",
                                      MOUNT_ATTR_RDONLY, &mount_fd, err)
                    : copy_null(&mount_fd, err);
    return made && mount_attach(mount_fd, target, err);
}

bool masks_hide(const struct tree *tree, char **paths, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        cleanup_close int target = -1;
        if (!tree_open_existing(tree, paths[i], &target, err))
            return false;
        if (target >= 0 && !cover(target, err))
            return error_prefix(err, "could not mask \"%s\"", paths[i]);
    }
    return true;
}

static bool restrict_path(int target, struct error *err)
{
    cleanup_close int mount_fd = -1;
    return mount_copy(target, "", &mount_fd, err) &&
           mount_restrict(mount_fd, MOUNT_ATTR_RDONLY, err) && mount_attach(mount_fd, target, err);
}

bool masks_make_readonly(const struct tree *tree, char **paths, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        cleanup_close int target = -1;
        if (!tree_open_existing(tree, paths[i], &target, err))
            return false;
        if (target >= 0 && !restrict_path(target, err))
            return error_prefix(err, "could not make \"%s\" read-only", paths[i]);
    }
    return true;
}

/* ---- devices -------------------------------------------------------------------------------- */

/* A node of its own, not the host's bound: what a task does to its mode stays inside.  It is born with
 * that mode: a volume may lie on /dev, and chmod() would follow a link that has taken its place. */
static bool make_node(int parent, const char *name, const struct stat *host, struct error *err)
{
    mode_t mask = umask(0);
    int status = mknodat(parent, name, host->st_mode, host->st_rdev);
    int errnum = errno;
    umask(mask);
    if (status < 0)
        return errnum == EEXIST || error_set_errno(err, errnum, "could not make the node");
    if (fchownat(parent, name, host->st_uid, host->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
        return error_set_errno(err, errno, "could not set the owner of the node");
    return true;
}

static bool make_device(const struct tree *tree, const char *path, struct error *err)
{
    struct stat host;
    if (stat(path, &host) < 0)
        return error_set_errno(err, errno, "could not find it on the host");
    if (!S_ISCHR(host.st_mode) && !S_ISBLK(host.st_mode))
        return error_set(err, ERROR_FAILED_PRECONDITION, "it is no device on the host");
    cleanup_free char *parent_path = xstrdup(path);
    char *name = strrchr(parent_path, '/');
    *name++ = '\0';
    cleanup_close int parent = -1;
    return tree_open(tree, parent_path[0] ? parent_path : "/", TARGET_DIRECTORY, &parent, err) &&
           make_node(parent, name, &host, err);
}

static bool make_links(const struct tree *tree, struct error *err)
{
    static const struct {
        const char *name, *target;
    } links[] = {
        { "fd", "/proc/self/fd" },       { "stdin", "/proc/self/fd/0" },
        { "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" },
        { "ptmx", "pts/ptmx" },
    };
    cleanup_close int dev = -1;
    if (!tree_open(tree, "/dev", TARGET_DIRECTORY, &dev, err))
        return false;
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
        if (symlinkat(links[i].target, dev, links[i].name) < 0 && errno != EEXIST)
            return error_set_errno(err, errno, "could not make the link \"/dev/%s\"",
                                   links[i].name);
    return true;
}

bool devices_make(const struct tree *tree, Eos__Executor__V1__DevicePlan **devices, size_t count,
                  struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (!make_device(tree, devices[i]->path, err))
            return error_prefix(err, "could not make device \"%s\"", devices[i]->path);
    return count == 0 || make_links(tree, err);
}
