#include "launcher/image_directory.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "launcher/image_tree.h"
#include "launcher/image_unsynced.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const folder_names[IMAGE_FOLDER_COUNT] = {
    [IMAGE_FOLDER_BLOBS] = "blobs",           [IMAGE_FOLDER_LAYERS] = "layers",
    [IMAGE_FOLDER_REFERENCES] = "references", [IMAGE_FOLDER_APPC] = "appc",
    [IMAGE_FOLDER_STAGING] = "staging",       [IMAGE_FOLDER_UNSYNCED] = "unsynced",
};

/* Staging is swept at start and locked, so a count makes names of its own. */
static void new_name(char name[32])
{
    static _Atomic unsigned long serial;
    snprintf(name, 32, "%lu", ++serial);
}

static int open_made(int fd, const char *name)
{
    if (mkdirat(fd, name, 0700) < 0 && errno != EEXIST)
        return -1;
    return openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool make_ancestors(const char *path, struct error *err)
{
    cleanup_free char *prefix = xstrdup(path);
    for (char *slash = strchr(prefix + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(prefix, 0755) < 0 && errno != EEXIST)
            return error_set_errno(err, errno, "could not make the directory \"%s\"", prefix);
        *slash = '/';
    }
    return true;
}

static bool lock_directory(struct image_directory *directory, int fd, struct error *err)
{
    directory->lock_fd = openat(fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (directory->lock_fd < 0)
        return error_set_errno(err, errno, "could not open the lock of the image store \"%s\"",
                               directory->path);
    if (flock(directory->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno == EWOULDBLOCK)
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "another process uses the image store \"%s\"", directory->path);
    return error_set_errno(err, errno, "could not lock the image store \"%s\"", directory->path);
}

static bool open_folders(struct image_directory *directory, int fd, struct error *err)
{
    for (int i = 0; i < IMAGE_FOLDER_COUNT; i++) {
        directory->folder_fds[i] = open_made(fd, folder_names[i]);
        if (directory->folder_fds[i] < 0)
            return error_set_errno(err, errno, "could not open \"%s\" in the image store \"%s\"",
                                   folder_names[i], directory->path);
    }
    return true;
}

/* Before, so that no name in staging is taken; and after, since what is torn was moved there. */
static bool recover(struct image_directory *directory, struct error *err)
{
    int staging = directory->folder_fds[IMAGE_FOLDER_STAGING];
    return (image_tree_sweep(staging, err) && image_unsynced_recover(directory, err) &&
            image_tree_sweep(staging, err)) ||
           error_prefix(err, "image store \"%s\"", directory->path);
}

static bool fill(struct image_directory *directory, const char *path, struct error *err)
{
    char real[PATH_MAX];
    if (!make_ancestors(path, err))
        return false;
    cleanup_close int fd = open_made(AT_FDCWD, path);
    if (fd < 0 || !realpath(path, real))
        return error_set_errno(err, errno, "could not open the image store \"%s\"", path);
    directory->path = xstrdup(real);
    if (fchmod(fd, 0700) < 0)
        return error_set_errno(err, errno, "could not set the mode of the image store \"%s\"",
                               path);
    return lock_directory(directory, fd, err) && open_folders(directory, fd, err) &&
           recover(directory, err);
}

bool image_directory_open(struct image_directory *directory, const char *path, struct error *err)
{
    *directory = (struct image_directory){ .lock_fd = -1 };
    for (int i = 0; i < IMAGE_FOLDER_COUNT; i++)
        directory->folder_fds[i] = -1;
    if (fill(directory, path, err))
        return true;
    image_directory_close(directory);
    return false;
}

void image_directory_close(struct image_directory *directory)
{
    for (int i = 0; i < IMAGE_FOLDER_COUNT; i++)
        close_fd(&directory->folder_fds[i]);
    close_fd(&directory->lock_fd);
    free(directory->path);
}

const char *image_file_name(const char *digest, struct arena *arena)
{
    char *name = arena_strdup(arena, digest);
    char *colon = strchr(name, ':');
    if (colon)
        *colon = '-';
    return name;
}

static bool read_all(int fd, size_t max_bytes, struct text *ret_bytes, struct error *err)
{
    if (!text_read(ret_bytes, fd, max_bytes))
        return error_set_errno(err, errno, "could not read a file of the image store");
    return ret_bytes->len <= max_bytes ||
           error_set(err, ERROR_DATA_LOSS, "a file of the image store is too large");
}

bool image_directory_read(const struct image_directory *directory, enum image_folder folder,
                          const char *name, size_t max_bytes, struct text *ret_bytes,
                          struct error *err)
{
    text_clear(ret_bytes);
    cleanup_close int fd =
        openat(directory->folder_fds[folder], name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, errno, "could not open a file of the image store");
    return read_all(fd, max_bytes, ret_bytes, err);
}

static bool write_all(int fd, struct slice bytes, struct error *err)
{
    while (bytes.len > 0) {
        ssize_t len = write(fd, bytes.ptr, bytes.len);
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0)
            return errno == ENOSPC || errno == EDQUOT
                       ? error_set(err, ERROR_RESOURCE_EXHAUSTED, "the image store's disk is full")
                       : error_set_errno(err, errno, "could not write a file of the image store");
        bytes.ptr += len;
        bytes.len -= (size_t)len;
    }
    if (fsync(fd) < 0)
        return error_set_errno(err, errno, "could not write a file of the image store");
    return true;
}

bool image_directory_write(const struct image_directory *directory, enum image_folder folder,
                           const char *name, struct slice bytes, struct error *err)
{
    char temporary[32];
    int staging = directory->folder_fds[IMAGE_FOLDER_STAGING];
    new_name(temporary);
    cleanup_close int fd =
        openat(staging, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(err, errno, "could not make a file in the image store");
    bool ok = write_all(fd, bytes, err);
    if (ok && renameat(staging, temporary, directory->folder_fds[folder], name) < 0)
        ok = error_set_errno(err, errno, "could not rename a file of the image store");
    if (!ok)
        unlinkat(staging, temporary, 0);
    return ok;
}

bool image_directory_has(const struct image_directory *directory, enum image_folder folder,
                         const char *name)
{
    return faccessat(directory->folder_fds[folder], name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool image_staging_open(struct image_staging *staging, const struct image_directory *directory,
                        struct error *err)
{
    new_name(staging->name);
    staging->fd = open_made(directory->folder_fds[IMAGE_FOLDER_STAGING], staging->name);
    if (staging->fd >= 0)
        staging->image_fd = open_made(staging->fd, "image");
    if (staging->image_fd >= 0)
        staging->trash_fd = open_made(staging->fd, "trash");
    if (staging->trash_fd >= 0)
        return true;
    if (errno == ENOSPC)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED, "the image store's disk is full");
    return error_set_errno(err, errno, "could not make a directory in the image store");
}

bool image_staging_publish(struct image_staging *staging, const struct image_directory *directory,
                           enum image_folder folder, const char *name, struct error *err)
{
    if (!image_unsynced_mark(directory, folder, name, err))
        return false;
    if (renameat2(staging->fd, "image", directory->folder_fds[folder], name, RENAME_NOREPLACE) == 0)
        return true;
    return errno == EEXIST ||
           error_set_errno(err, errno, "could not move the image to its place in the store");
}

void image_staging_close(struct image_staging *staging, const struct image_directory *directory)
{
    struct error ignored;
    if (staging->fd >= 0 && image_tree_sweep(staging->fd, &ignored))
        unlinkat(directory->folder_fds[IMAGE_FOLDER_STAGING], staging->name, AT_REMOVEDIR);
    close_fd(&staging->trash_fd);
    close_fd(&staging->image_fd);
    close_fd(&staging->fd);
}
