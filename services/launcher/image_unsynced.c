#include "launcher/image_unsynced.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define BOOT_FILE      "/proc/sys/kernel/random/boot_id"
#define BOOT_NAME      "boot_id"
#define MAX_MARK_BYTES 256

static const struct {
    const char *prefix;
    enum image_folder folder;
} marked_folders[] = {
    { "layers.", IMAGE_FOLDER_LAYERS },
    { "appc.", IMAGE_FOLDER_APPC },
};

struct marks {
    char **names;
    size_t count;
};

static void marks_done(struct marks *marks)
{
    for (size_t i = 0; i < marks->count; i++)
        free(marks->names[i]);
    free(marks->names);
}

static bool read_marks(const struct image_directory *directory, struct marks *ret_marks,
                       struct error *err)
{
    int fd = openat(directory->folder_fds[IMAGE_FOLDER_UNSYNCED], ".",
                    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd >= 0 ? fdopendir(fd) : NULL;
    if (!listing) {
        error_set_errno(err, errno, "could not list the image store's marks");
        close_fd(&fd);
        return false;
    }
    for (struct dirent *entry; (entry = readdir(listing));) {
        if (*entry->d_name == '.' || strcmp(entry->d_name, BOOT_NAME) == 0)
            continue;
        ret_marks->names =
            xreallocarray(ret_marks->names, ret_marks->count + 1, sizeof *ret_marks->names);
        ret_marks->names[ret_marks->count++] = xstrdup(entry->d_name);
    }
    closedir(listing);
    return true;
}

bool image_unsynced_mark(const struct image_directory *directory, enum image_folder folder,
                         const char *name, struct error *err)
{
    char mark[MAX_MARK_BYTES];
    for (size_t i = 0; i < sizeof marked_folders / sizeof marked_folders[0]; i++)
        if (marked_folders[i].folder == folder)
            snprintf(mark, sizeof mark, "%s%s", marked_folders[i].prefix, name);
    cleanup_close int fd = openat(directory->folder_fds[IMAGE_FOLDER_UNSYNCED], mark,
                                  O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0)
        return true;
    return image_directory_fail(directory, errno, "mark an image", err);
}

/* What is written after the list was read stays marked. */
void image_directory_sync(const struct image_directory *directory)
{
    struct error ignored;
    CLEANUP(marks_done) struct marks marks = { 0 };
    int folder = directory->folder_fds[IMAGE_FOLDER_UNSYNCED];
    if (!read_marks(directory, &marks, &ignored) || marks.count == 0 || syncfs(folder) < 0)
        return;
    for (size_t i = 0; i < marks.count; i++)
        unlinkat(folder, marks.names[i], 0);
}

static bool read_boot(struct text *ret_boot)
{
    char bytes[64];
    cleanup_close int fd = open(BOOT_FILE, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, bytes, sizeof bytes) : -1;
    if (len > 0)
        text_add_bytes(ret_boot, bytes, (size_t)len);
    return len > 0;
}

static bool remove_marked(const struct image_directory *directory, const char *mark,
                          struct error *err)
{
    struct slice s = slice_of(mark);
    for (size_t i = 0; i < sizeof marked_folders / sizeof marked_folders[0]; i++)
        if (slice_starts_with(s, slice_of(marked_folders[i].prefix)) &&
            renameat(directory->folder_fds[marked_folders[i].folder],
                     mark + strlen(marked_folders[i].prefix),
                     directory->folder_fds[IMAGE_FOLDER_STAGING], mark) < 0 &&
            errno != ENOENT)
            return error_set_errno(err, errno, "could not remove what may not be whole");
    unlinkat(directory->folder_fds[IMAGE_FOLDER_UNSYNCED], mark, 0);
    return true;
}

static bool remove_all_marked(const struct image_directory *directory, struct error *err)
{
    CLEANUP(marks_done) struct marks marks = { 0 };
    if (!read_marks(directory, &marks, err))
        return false;
    for (size_t i = 0; i < marks.count; i++)
        if (!remove_marked(directory, marks.names[i], err))
            return false;
    return true;
}

bool image_unsynced_recover(const struct image_directory *directory, struct error *err)
{
    struct error ignored;
    cleanup_text struct text now = TEXT_INIT, before = TEXT_INIT;
    bool is_known =
        read_boot(&now) && image_directory_read(directory, IMAGE_FOLDER_UNSYNCED, BOOT_NAME,
                                                MAX_MARK_BYTES, &before, &ignored);
    if (is_known && slice_equal(text_slice(&now), text_slice(&before)))
        return true;
    return remove_all_marked(directory, err) &&
           image_directory_write(directory, IMAGE_FOLDER_UNSYNCED, BOOT_NAME, text_slice(&now),
                                 err);
}
