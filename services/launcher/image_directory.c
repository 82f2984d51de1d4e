#include "launcher/image_directory.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "launcher/image_tree.h"
#include "launcher/image_unsynced.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const char *const folder_names[IMAGE_FOLDER_COUNT] = {
    [IMAGE_FOLDER_TOP] = ".",
    [IMAGE_FOLDER_BLOBS] = "blobs",
    [IMAGE_FOLDER_LAYERS] = "layers",
    [IMAGE_FOLDER_REFERENCES] = "references",
    [IMAGE_FOLDER_APPC] = "appc",
    [IMAGE_FOLDER_IMAGES] = "images",
    [IMAGE_FOLDER_NAMES] = "names",
    [IMAGE_FOLDER_UPLOADS] = "uploads",
    [IMAGE_FOLDER_STAGING] = "staging",
    [IMAGE_FOLDER_TRASH] = "trash",
    [IMAGE_FOLDER_UNSYNCED] = "unsynced",
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
    return (image_directory_empty_trash(directory, err) && image_tree_sweep(staging, err) &&
            image_unsynced_recover(directory, err) && image_tree_sweep(staging, err)) ||
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
    directory->pins = image_pins_new();
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
    image_pins_free(directory->pins);
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

static bool is_full(int errnum)
{
    return errnum == ENOSPC || errnum == EDQUOT;
}

bool image_directory_full(const struct image_directory *directory, const char *need,
                          struct error *err)
{
    struct statvfs disk;
    const char *separator = *need ? ", and " : "";
    if (statvfs(directory->path, &disk) < 0)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED, "the disk of \"%.100s\" is full%s%s",
                         directory->path, separator, need);
    if (disk.f_files > 0 && disk.f_favail == 0)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED,
                         "the disk of \"%.100s\" has room for no more files%s%s", directory->path,
                         separator, need);
    return error_set(err, ERROR_RESOURCE_EXHAUSTED,
                     "the disk of \"%.100s\" is full: %.1f MB are free%s%s", directory->path,
                     (double)disk.f_bavail * (double)disk.f_frsize / 1e6, separator, need);
}

bool image_directory_fail(const struct image_directory *directory, int errnum, const char *what,
                          struct error *err)
{
    if (!is_full(errnum))
        return error_set_errno(err, errnum, "could not %s in the image store", what);
    image_directory_full(directory, "", err);
    return error_prefix(err, "could not %s", what);
}

static bool write_all(int fd, struct slice bytes)
{
    while (bytes.len > 0) {
        ssize_t len = write(fd, bytes.ptr, bytes.len);
        if (len < 0 && errno != EINTR)
            return false;
        bytes.ptr += len > 0 ? len : 0;
        bytes.len -= len > 0 ? (size_t)len : 0;
    }
    return fsync(fd) == 0;
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
        return image_directory_fail(directory, errno, "make a file", err);
    if (write_all(fd, bytes) &&
        renameat(staging, temporary, directory->folder_fds[folder], name) == 0)
        return true;
    image_directory_fail(directory, errno, "write a file", err);
    unlinkat(staging, temporary, 0);
    return false;
}

static void close_listing(DIR **listing)
{
    if (*listing)
        closedir(*listing);
}

bool image_directory_list(const struct image_directory *directory, enum image_folder folder,
                          struct arena *arena, const char ***ret_names, size_t *ret_count,
                          struct error *err)
{
    const char **names = NULL;
    size_t count = 0, room = 0;
    int fd = openat(directory->folder_fds[folder], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP(close_listing) DIR *listing = fd >= 0 ? fdopendir(fd) : NULL;
    if (!listing) {
        error_set_errno(err, errno, "could not list the image store's \"%s\"",
                        folder_names[folder]);
        close_fd(&fd);
        return false;
    }
    for (struct dirent *entry; (entry = readdir(listing));) {
        if (*entry->d_name == '.')
            continue;
        if (count == room) {
            names = arena_grow(arena, names ? names : arena_alloc(arena, 0), room * sizeof *names,
                               (room * 2 + 16) * sizeof *names);
            room = room * 2 + 16;
        }
        names[count++] = arena_strdup(arena, entry->d_name);
    }
    *ret_names = names;
    *ret_count = count;
    return true;
}

struct discard {
    const struct image_directory *directory;
    enum image_folder folder;
    const char *name;
    bool is_done;
};

static void discard(void *user)
{
    struct discard *d = user;
    const int *folders = d->directory->folder_fds;
    char target[32];
    new_name(target);
    d->is_done = renameat(folders[d->folder], d->name, folders[IMAGE_FOLDER_TRASH], target) == 0;
}

bool image_directory_discard(const struct image_directory *directory, enum image_folder folder,
                             const char *name)
{
    struct discard d = { directory, folder, name, false };
    return image_pins_remove(directory->pins, (int)folder, name, discard, &d) && d.is_done;
}

bool image_directory_empty_trash(const struct image_directory *directory, struct error *err)
{
    return image_tree_sweep(directory->folder_fds[IMAGE_FOLDER_TRASH], err);
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
    return image_directory_fail(directory, errno, "make a directory", err);
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
