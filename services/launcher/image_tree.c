#include "launcher/image_tree.h"

#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MAX_AGAIN 32

int image_tree_open(int root_fd, const char *path, int flags)
{
    struct open_how how = {
        .flags = (uint64_t)(flags | O_CLOEXEC),
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
    };
    /* EAGAIN: something was renamed meanwhile anywhere in the system, and the kernel could not be
     * sure that ".." stayed inside. */
    for (int i = 0;; i++) {
        int fd = (int)syscall(SYS_openat2, root_fd, *path ? path : ".", &how, sizeof how);
        if (fd >= 0 || errno != EAGAIN || i == MAX_AGAIN)
            return fd;
    }
}

static bool make_directory(int parent_fd, const char *name, struct error *err)
{
    if (mkdirat(parent_fd, name, 0755) < 0)
        return errno == EEXIST
                   ? error_set(err, ERROR_INVALID_ARGUMENT,
                               "its parent directory is a link that leads to nothing in the layer")
                   : error_set_errno(err, errno, "could not make a directory of the layer");
    /* Whatever the process's umask. */
    if (fchmodat(parent_fd, name, 0755, 0) < 0)
        return error_set_errno(err, errno, "could not set the mode of a directory of the layer");
    return true;
}

/* One missing directory of the way; its own parent is there. */
static bool make_parent(int root_fd, struct slice path, struct error *err)
{
    char text[IMAGE_MAX_PATH_BYTES + 1];
    memcpy(text, path.ptr, path.len);
    text[path.len] = 0;
    char *slash = strrchr(text, '/');
    const char *name = slash ? slash + 1 : text;
    if (slash)
        *slash = 0;
    cleanup_close int fd = image_tree_open(root_fd, slash ? text : "", O_PATH | O_DIRECTORY);
    if (fd < 0)
        return error_set_errno(err, errno, "could not open a parent directory in the layer");
    return make_directory(fd, name, err);
}

static int open_slice(int root_fd, struct slice path)
{
    char text[IMAGE_MAX_PATH_BYTES + 1];
    memcpy(text, path.ptr, path.len);
    text[path.len] = 0;
    return image_tree_open(root_fd, text, O_RDONLY | O_DIRECTORY);
}

/* From the top down, each prefix that is missing. */
static bool make_parents(int root_fd, struct slice parent, struct error *err)
{
    for (size_t end = 1; end <= parent.len; end++) {
        if (end < parent.len && parent.ptr[end] != '/')
            continue;
        struct slice prefix = { parent.ptr, end };
        cleanup_close int fd = open_slice(root_fd, prefix);
        if (fd < 0 && errno != ENOENT)
            return error_set_errno(err, errno, "could not open a parent directory in the layer");
        if (fd < 0 && !make_parent(root_fd, prefix, err))
            return false;
    }
    return true;
}

bool image_tree_open_parent(int root_fd, const struct image_path *path, int *ret_fd,
                            struct error *err)
{
    struct slice parent = image_path_parent(path);
    int fd = open_slice(root_fd, parent);
    if (fd < 0 && errno == ENOENT) {
        if (!make_parents(root_fd, parent, err))
            return false;
        fd = open_slice(root_fd, parent);
    }
    if (fd < 0)
        return error_set_errno(err, errno, "could not open a parent directory in the layer");
    *ret_fd = fd;
    return true;
}

static void close_directory(DIR **directory)
{
    if (*directory)
        closedir(*directory);
}

static DIR *read_directory(int fd)
{
    int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = own >= 0 ? fdopendir(own) : NULL;
    if (!directory && own >= 0)
        close(own);
    return directory;
}

static struct dirent *next_entry(DIR *directory)
{
    struct dirent *entry;
    do
        entry = readdir(directory);
    while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
    return entry;
}

/* Files and empty directories at once. */
static int remove_shallow(int fd, const char *name)
{
    if (unlinkat(fd, name, 0) == 0)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -1;
    return unlinkat(fd, name, AT_REMOVEDIR);
}

/* Directories that are not empty go to the trash for a later turn: a tree is taken apart in one level,
 * so its depth costs neither stack nor descriptors. */
static int discard(int fd, const char *name, int trash_fd)
{
    static _Atomic unsigned long serial;
    char trash_name[32];
    if (remove_shallow(fd, name) == 0)
        return 0;
    if (errno != ENOTEMPTY && errno != EEXIST)
        return -1;
    snprintf(trash_name, sizeof trash_name, "trash-%lu", ++serial);
    return renameat(fd, name, trash_fd, trash_name);
}

static int empty_into(int fd, const char *name, int trash_fd)
{
    cleanup_close int child = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    CLEANUP(close_directory) DIR *directory = child >= 0 ? read_directory(child) : NULL;
    if (!directory)
        return -1;
    for (struct dirent *entry; (entry = next_entry(directory));)
        if (discard(child, entry->d_name, trash_fd) < 0)
            return -1;
    return unlinkat(fd, name, AT_REMOVEDIR);
}

/* One pass over what is there now; `*ret_count` tells how much that was. */
static int sweep_once(int fd, unsigned *ret_count)
{
    CLEANUP(close_directory) DIR *directory = read_directory(fd);
    if (!directory)
        return -1;
    *ret_count = 0;
    for (struct dirent *entry; (entry = next_entry(directory)); ++*ret_count) {
        if (remove_shallow(fd, entry->d_name) == 0)
            continue;
        if ((errno != ENOTEMPTY && errno != EEXIST) || empty_into(fd, entry->d_name, fd) < 0)
            return -1;
    }
    return 0;
}

bool image_tree_sweep(int fd, struct error *err)
{
    for (unsigned count = 1; count > 0;)
        if (sweep_once(fd, &count) < 0)
            return error_set_errno(err, errno, "could not remove what is left of an image");
    return true;
}

bool image_tree_remove(int fd, const char *name, int trash_fd, struct error *err)
{
    if (discard(fd, name, trash_fd) < 0 && errno != ENOENT)
        return error_set_errno(err, errno, "could not replace an earlier entry");
    return true;
}

bool image_tree_is_whiteout(const struct stat *st)
{
    return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

bool image_tree_remove_whiteouts(int fd, struct error *err)
{
    struct stat st;
    CLEANUP(close_directory) DIR *directory = read_directory(fd);
    if (!directory)
        return error_set_errno(err, errno, "could not list a directory of the layer");
    for (struct dirent *entry; (entry = next_entry(directory));)
        if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            image_tree_is_whiteout(&st) && unlinkat(fd, entry->d_name, 0) < 0)
            return error_set_errno(err, errno, "could not remove a whiteout");
    return true;
}
