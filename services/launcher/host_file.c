#include "launcher/host_file.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#define DEPTH_MAX 32 /* of directories that are open in one another during a removal */

bool host_file_read(const char *path, size_t max, struct text *out, struct error *err)
{
    struct stat status;
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

    if (fd < 0 || fstat(fd, &status) < 0)
        return error_set_errno(err, errno, "could not open \"%s\"", path);
    if (!S_ISREG(status.st_mode))
        return error_set(err, ERROR_FAILED_PRECONDITION, "\"%s\" is not a regular file", path);
    if (!text_read(out, fd, max))
        return error_set_errno(err, errno, "could not read \"%s\"", path);
    return out->len <= max ||
           error_set(err, ERROR_RESOURCE_EXHAUSTED, "\"%s\" is longer than %zu bytes", path, max);
}

static bool write_all(int fd, struct slice content)
{
    while (content.len > 0) {
        ssize_t len = write(fd, content.ptr, content.len);
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0)
            return false;
        content = (struct slice){ content.ptr + len, content.len - (size_t)len };
    }
    return true;
}

enum durability { MAY_BE_LOST, DURABLE };

static bool write_new(const char *path, struct slice content, enum durability durability,
                      struct error *err)
{
    cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || !write_all(fd, content) || (durability == DURABLE && fdatasync(fd) < 0))
        return error_set_errno(err, errno, "could not write \"%s\"", path);
    return true;
}

static bool replace(const char *path, struct slice content, enum durability durability,
                    struct error *err)
{
    cleanup_free char *draft = xasprintf("%s.new", path);
    if (!write_new(draft, content, durability, err))
        return false;
    if (rename(draft, path) < 0)
        return error_set_errno(err, errno, "could not replace \"%s\"", path);
    return true;
}

bool host_file_write(const char *path, struct slice content, struct error *err)
{
    return replace(path, content, MAY_BE_LOST, err);
}

static bool sync_parent(const char *path, struct error *err)
{
    cleanup_free char *parent = xstrdup(path);
    char *slash = strrchr(parent, '/');
    if (slash)
        *slash = 0;
    cleanup_close int dir = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || fsync(dir) < 0)
        return error_set_errno(err, errno, "could not write \"%s\"", path);
    return true;
}

bool host_file_replace(const char *path, struct slice content, struct error *err)
{
    return replace(path, content, DURABLE, err) && sync_parent(path, err);
}

bool host_file_exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

static bool make_parents(const char *path, struct error *err)
{
    cleanup_free char *parent = xstrdup(path);
    for (char *slash = strchr(parent + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(parent, 0711) == 0)
            (void)chmod(parent, 0711); /* umask */
        else if (errno != EEXIST)
            return error_set_errno(err, errno, "could not make the directory \"%s\"", parent);
        *slash = '/';
    }
    return true;
}

bool host_directory_make(const char *path, mode_t mode, struct error *err)
{
    struct stat status;
    if (!make_parents(path, err))
        return false;
    if (mkdir(path, mode) < 0 && errno != EEXIST)
        return error_set_errno(err, errno, "could not make the directory \"%s\"", path);
    if (lstat(path, &status) < 0 || !S_ISDIR(status.st_mode))
        return error_set(err, ERROR_FAILED_PRECONDITION, "\"%s\" is not a directory", path);
    if ((status.st_mode & 07777) != mode && chmod(path, mode) < 0)
        return error_set_errno(err, errno, "could not set the mode of \"%s\"", path);
    return true;
}

/* -- removing ------------------------------------------------------------------------------------- */

/* A task may nest directories without an end.  Each level that is open takes two descriptors, so what
 * lies deeper is moved up first. */
struct removal {
    int top; /* the directory that is removed */
    dev_t device;
    unsigned moved;
};

static bool move_up(struct removal *removal, int parent, const char *name)
{
    char up[32];
    int status;
    do {
        snprintf(up, sizeof up, ".moved-up-%u", removal->moved++);
        status = renameat2(parent, name, removal->top, up, RENAME_NOREPLACE);
    } while (status < 0 && errno == EEXIST);
    return status == 0 || errno == ENOENT;
}

static bool remove_at(struct removal *removal, int parent, const char *name, int depth);

static bool remove_entries(struct removal *removal, int dir, int depth)
{
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *entry;
    bool ok = true;

    if (!stream) {
        if (copy >= 0)
            close(copy);
        return false;
    }
    while ((entry = readdir(stream)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            ok = remove_at(removal, dir, entry->d_name, depth) && ok;
    closedir(stream);
    return ok;
}

static bool remove_at(struct removal *removal, int parent, const char *name, int depth)
{
    struct stat status;
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return true;
    if (errno != EISDIR && errno != EPERM)
        return false;
    cleanup_close int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0 || fstat(dir, &status) < 0)
        return errno == ENOENT;
    if (status.st_dev != removal->device) {
        errno = EXDEV;
        return false;
    }
    if (depth == 0)
        return move_up(removal, parent, name);
    return remove_entries(removal, dir, depth - 1) &&
           (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT);
}

static bool remove_directory(const char *path)
{
    struct stat status;
    unsigned moved;
    cleanup_close int top = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (top < 0 || fstat(top, &status) < 0)
        return errno == ENOENT;
    struct removal removal = { .top = top, .device = status.st_dev };
    do {
        moved = removal.moved;
        if (!remove_entries(&removal, top, DEPTH_MAX))
            return false;
    } while (removal.moved != moved);
    return rmdir(path) == 0 || errno == ENOENT;
}

bool host_tree_remove(const char *path, struct error *err)
{
    struct stat status;
    if (lstat(path, &status) < 0)
        return errno == ENOENT || error_set_errno(err, errno, "could not remove \"%s\"", path);
    bool ok =
        S_ISDIR(status.st_mode) ? remove_directory(path) : unlink(path) == 0 || errno == ENOENT;
    return ok || error_set_errno(err, errno, "could not remove \"%s\"", path);
}
