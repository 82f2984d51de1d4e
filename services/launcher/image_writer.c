#include "launcher/image_writer.h"

#include "base/cleanup.h"
#include "launcher/image_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

struct place {
    int fd; /* the directory */
    const char *name;
};

/* Devices that any container has anyway.  Others of an image are left out: no task may open them. */
static const struct {
    unsigned major_number, minor_number;
} permitted_devices[] = {
    { 1, 3 }, { 1, 5 }, { 1, 7 }, { 1, 8 }, { 1, 9 }, { 5, 0 }, { 5, 1 }, { 5, 2 },
};

static bool is_permitted_device(struct archive_entry *entry)
{
    if (archive_entry_filetype(entry) != AE_IFCHR)
        return false;
    for (size_t i = 0; i < sizeof permitted_devices / sizeof permitted_devices[0]; i++)
        if (archive_entry_rdevmajor(entry) == permitted_devices[i].major_number &&
            archive_entry_rdevminor(entry) == permitted_devices[i].minor_number)
            return true;
    return false;
}

/* Extended attributes: those that change what a program may do or that its user set.  What only the
 * host may say (trusted.*, security.ima, labels) is left out; what overlayfs would obey is refused. */
static bool check_xattr(const char *name, bool *ret_wanted, struct error *err)
{
    struct slice s = slice_of(name);
    if (slice_starts_with(s, SLICE("trusted.overlay.")) ||
        slice_starts_with(s, SLICE("user.overlay.")))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "it has an attribute of overlayfs, which only the host may set");
    *ret_wanted = slice_is(s, "security.capability") || slice_starts_with(s, SLICE("user."));
    return true;
}

static bool set_xattrs(int fd, struct archive_entry *entry, struct error *err)
{
    const char *name;
    const void *value;
    size_t size;
    bool is_file = archive_entry_filetype(entry) == AE_IFREG;

    archive_entry_xattr_reset(entry);
    while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
        bool is_wanted = false;
        if (!check_xattr(name, &is_wanted, err))
            return false;
        if (is_wanted && (is_file || slice_starts_with(slice_of(name), SLICE("user."))) &&
            fsetxattr(fd, name, value, size, 0) < 0 && errno != ENOTSUP)
            return error_set_errno(err, errno, "could not set an extended attribute");
    }
    return true;
}

static struct timespec entry_time(struct archive_entry *entry)
{
    if (!archive_entry_mtime_is_set(entry))
        return (struct timespec){ 0 };
    return (struct timespec){ archive_entry_mtime(entry), archive_entry_mtime_nsec(entry) };
}

static bool read_owner(struct archive_entry *entry, uid_t *ret_uid, gid_t *ret_gid,
                       struct error *err)
{
    int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
    if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
        return error_set(err, ERROR_OUT_OF_RANGE, "its owner is no possible user or group");
    *ret_uid = (uid_t)uid;
    *ret_gid = (gid_t)gid;
    return true;
}

/* Owner before mode, since a change of owner clears setuid; capabilities last, for the same reason. */
static bool set_attributes(int fd, struct archive_entry *entry, struct error *err)
{
    uid_t uid = 0;
    gid_t gid = 0;
    if (!read_owner(entry, &uid, &gid, err))
        return false;
    if (fchown(fd, uid, gid) < 0)
        return error_set_errno(err, errno, "could not set the owner");
    if (fchmod(fd, archive_entry_perm(entry) & 07777) < 0)
        return error_set_errno(err, errno, "could not set the mode");
    return set_xattrs(fd, entry, err);
}

/* For what cannot be opened without an effect. */
static bool set_attributes_at(const struct place *at, struct archive_entry *entry,
                              struct error *err)
{
    uid_t uid = 0;
    gid_t gid = 0;
    struct timespec times[2] = { entry_time(entry), entry_time(entry) };
    if (!read_owner(entry, &uid, &gid, err))
        return false;
    if (fchownat(at->fd, at->name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
        return error_set_errno(err, errno, "could not set the owner");
    if (archive_entry_filetype(entry) != AE_IFLNK &&
        fchmodat(at->fd, at->name, archive_entry_perm(entry) & 07777, 0) < 0)
        return error_set_errno(err, errno, "could not set the mode");
    if (utimensat(at->fd, at->name, times, AT_SYMLINK_NOFOLLOW) < 0)
        return error_set_errno(err, errno, "could not set the time");
    return true;
}

static bool write_block(int fd, const char *bytes, size_t len, off_t offset, struct error *err)
{
    while (len > 0) {
        ssize_t written = pwrite(fd, bytes, len, offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return errno == ENOSPC || errno == EDQUOT
                       ? error_set(err, ERROR_RESOURCE_EXHAUSTED, "the image store's disk is full")
                       : error_set_errno(err, errno, "could not write");
        bytes += written;
        offset += written;
        len -= (size_t)written;
    }
    return true;
}

/* Sparse files have holes between the blocks. */
static bool copy_data(int fd, struct archive *archive, struct archive_entry *entry,
                      struct error *err)
{
    const void *bytes;
    size_t len;
    la_int64_t offset, end = 0, size = archive_entry_size(entry);
    for (;;) {
        int status = archive_read_data_block(archive, &bytes, &len, &offset);
        if (status == ARCHIVE_EOF)
            break;
        if (status != ARCHIVE_OK)
            return error_set(err, ERROR_ABORTED, "the archive cannot be read");
        if (offset < 0 || offset > size || (la_int64_t)len > size - offset)
            return error_set(err, ERROR_INVALID_ARGUMENT, "it has data beyond its size");
        if (!write_block(fd, bytes, len, offset, err))
            return false;
        end = offset + (la_int64_t)len > end ? offset + (la_int64_t)len : end;
    }
    if (end < size && ftruncate(fd, size) < 0)
        return error_set_errno(err, errno, "could not set the size");
    return true;
}

static bool put_file(const struct place *at, struct archive *archive, struct archive_entry *entry,
                     struct error *err)
{
    struct timespec times[2] = { entry_time(entry), entry_time(entry) };
    cleanup_close int fd =
        openat(at->fd, at->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(err, errno, "could not make the file");
    if (!copy_data(fd, archive, entry, err) || !set_attributes(fd, entry, err))
        return false;
    if (futimens(fd, times) < 0)
        return error_set_errno(err, errno, "could not set the time");
    return true;
}

static bool put_symlink(const struct place *at, struct archive *archive,
                        struct archive_entry *entry, struct error *err)
{
    (void)archive;
    const char *target = archive_entry_symlink(entry);
    if (!target || !*target)
        return error_set(err, ERROR_INVALID_ARGUMENT, "it is a symbolic link to nothing");
    if (symlinkat(target, at->fd, at->name) < 0)
        return error_set_errno(err, errno, "could not make the symbolic link");
    return set_attributes_at(at, entry, err);
}

static bool put_fifo(const struct place *at, struct archive *archive, struct archive_entry *entry,
                     struct error *err)
{
    (void)archive;
    if (mkfifoat(at->fd, at->name, 0600) < 0)
        return error_set_errno(err, errno, "could not make the named pipe");
    return set_attributes_at(at, entry, err);
}

static bool put_device(const struct place *at, struct archive *archive, struct archive_entry *entry,
                       struct error *err)
{
    (void)archive;
    dev_t device =
        makedev((unsigned)archive_entry_rdevmajor(entry), (unsigned)archive_entry_rdevminor(entry));
    if (mknodat(at->fd, at->name, S_IFCHR | 0600, device) < 0)
        return error_set_errno(err, errno, "could not make the device");
    return set_attributes_at(at, entry, err);
}

static const struct kind {
    mode_t type;
    bool (*put)(const struct place *at, struct archive *archive, struct archive_entry *entry,
                struct error *err);
} kinds[] = {
    { AE_IFREG, put_file },
    { AE_IFLNK, put_symlink },
    { AE_IFIFO, put_fifo },
    { AE_IFCHR, put_device },
};

/* Nothing of the layers below shows through, so whiteouts in it hide nothing.  overlayfs would list
 * them, where no other layer has the directory. */
static bool set_opaque(int parent_fd, const char *name, struct error *err)
{
    cleanup_close int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fsetxattr(fd, IMAGE_OPAQUE_XATTR, "y", 1, 0) < 0)
        return error_set_errno(err, errno, "could not make the directory opaque");
    return image_tree_remove_whiteouts(fd, err);
}

static bool is_opaque(int fd)
{
    char value;
    return fgetxattr(fd, IMAGE_OPAQUE_XATTR, &value, 1) == 1;
}

static bool remember_directory(struct image_writer *writer, const struct image_path *path,
                               struct archive_entry *entry, struct error *err)
{
    struct timespec time = entry_time(entry);
    int64_t used = (int64_t)(writer->directories.len + sizeof time + path->len + 1);
    if (used > writer->limits->directory_bytes)
        return error_set(err, ERROR_OUT_OF_RANGE,
                         "the names of the archive's directories are over %lld bytes",
                         (long long)writer->limits->directory_bytes);
    text_add_bytes(&writer->directories, &time, sizeof time);
    text_add_bytes(&writer->directories, path->text, path->len + 1);
    return true;
}

/* Only this changes where a path that could be opened leads. */
static bool replace(struct image_writer *writer, const struct place *at, struct error *err)
{
    writer->is_parent_known = false;
    return image_tree_remove(at->fd, at->name, writer->trash_fd, err);
}

/* A directory stays what it is and takes the attributes.  A file or a whiteout that came earlier in this
 * layer hides what the layers below have of that name, and still does. */
static bool make_directory(struct image_writer *writer, const struct place *at, struct error *err)
{
    struct stat st;
    bool is_there = fstatat(at->fd, at->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (is_there && S_ISDIR(st.st_mode))
        return true;
    if (is_there && !replace(writer, at, err))
        return false;
    if (mkdirat(at->fd, at->name, 0700) < 0)
        return error_set_errno(err, errno, "could not make the directory");
    return !is_there || set_opaque(at->fd, at->name, err);
}

static bool put_directory(struct image_writer *writer, const struct image_path *path,
                          const struct place *at, struct archive_entry *entry, struct error *err)
{
    if (path->len > 0 && !make_directory(writer, at, err))
        return false;
    cleanup_close int fd = openat(at->fd, path->len > 0 ? at->name : ".",
                                  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, errno, "could not open the directory");
    return set_attributes(fd, entry, err) && remember_directory(writer, path, entry, err);
}

/* `target` is the path in the layer of what is linked. */
static bool put_hardlink(struct image_writer *writer, const struct place *at,
                         const struct image_path *target, struct error *err)
{
    char shown[IMAGE_SHOWN_BYTES];
    struct stat st, old;
    char parent[IMAGE_MAX_PATH_BYTES + 1];
    struct slice parent_path = image_path_parent(target);
    memcpy(parent, parent_path.ptr, parent_path.len);
    parent[parent_path.len] = 0;

    cleanup_close int fd = image_tree_open(writer->root_fd, parent, O_PATH | O_DIRECTORY);
    if (fd < 0 || fstatat(fd, target->text + target->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "it is a hard link to \"%s\", which the layer does not have",
                         image_show(target->text, shown));
    if (S_ISDIR(st.st_mode) || image_tree_is_whiteout(&st))
        return error_set(err, ERROR_INVALID_ARGUMENT, "it is a hard link to no file");
    bool is_there = fstatat(at->fd, at->name, &old, AT_SYMLINK_NOFOLLOW) == 0;
    if (is_there && old.st_dev == st.st_dev && old.st_ino == st.st_ino)
        return true;
    if (is_there && !replace(writer, at, err))
        return false;
    if (linkat(fd, target->text + target->name, at->fd, at->name, 0) < 0)
        return error_set_errno(err, errno, "could not make the hard link");
    return true;
}

static const struct kind *find_kind(struct archive_entry *entry)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].type == archive_entry_filetype(entry))
            return &kinds[i];
    return NULL;
}

static bool put_other(struct image_writer *writer, const struct place *at, struct archive *archive,
                      struct archive_entry *entry, struct error *err)
{
    const struct kind *kind = find_kind(entry);
    struct stat st;
    if (!kind || (kind->type == AE_IFCHR && !is_permitted_device(entry)))
        return true; /* sockets, disks and the like mean nothing in a container */
    bool is_there = fstatat(at->fd, at->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    return (!is_there || replace(writer, at, err)) && kind->put(at, archive, entry, err);
}

static bool count_entry(struct image_writer *writer, struct archive_entry *entry, struct error *err)
{
    int64_t size = archive_entry_size_is_set(entry) ? archive_entry_size(entry) : 0;
    if (++writer->entries > writer->limits->entries)
        return error_set(err, ERROR_OUT_OF_RANGE, "the archive has more than %lld entries",
                         (long long)writer->limits->entries);
    if (size < 0 || size > writer->limits->bytes - writer->bytes)
        return error_set(err, ERROR_OUT_OF_RANGE,
                         "the archive's files have more than %lld bytes together",
                         (long long)writer->limits->bytes);
    writer->bytes += size;
    return true;
}

/* ".wh.a" and then "a/b" without an entry for "a": a directory of this layer, and nothing of it below. */
static bool replace_whiteout(struct image_writer *writer, const struct image_path *path,
                             struct error *err)
{
    char parent[IMAGE_MAX_PATH_BYTES + 1];
    struct slice parent_path = image_path_parent(path);
    struct stat st;
    memcpy(parent, parent_path.ptr, parent_path.len);
    parent[parent_path.len] = 0;

    cleanup_close int fd = image_tree_open(writer->root_fd, parent, O_RDONLY | O_DIRECTORY);
    struct place at = { fd, path->text + path->name };
    if (fd < 0 || fstatat(fd, at.name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        !image_tree_is_whiteout(&st))
        return true;
    if (!make_directory(writer, &at, err))
        return false;
    if (fchmodat(fd, at.name, 0755, 0) < 0)
        return error_set_errno(err, errno, "could not set the mode of the directory");
    return true;
}

static bool replace_whiteouts(struct image_writer *writer, struct slice parent, struct error *err)
{
    struct image_path prefix;
    for (size_t end = 1; end <= parent.len; end++)
        if ((end == parent.len || parent.ptr[end] == '/') &&
            (!image_path_parse((struct slice){ parent.ptr, end }, &prefix, err) ||
             !replace_whiteout(writer, &prefix, err)))
            return false;
    return true;
}

static bool open_new_parent(struct image_writer *writer, const struct image_path *path, int *ret_fd,
                            struct error *err)
{
    struct error first;
    return image_tree_open_parent(writer->root_fd, path, ret_fd, &first) ||
           (replace_whiteouts(writer, image_path_parent(path), err) &&
            image_tree_open_parent(writer->root_fd, path, ret_fd, err));
}

/* Stays open: the entries of one directory usually follow one another. */
static bool open_parent(struct image_writer *writer, const struct image_path *path, int *ret_fd,
                        struct error *err)
{
    struct slice parent = image_path_parent(path);
    if (!writer->is_parent_known || !slice_equal(parent, text_slice(&writer->parent))) {
        int fd = -1;
        if (!open_new_parent(writer, path, &fd, err))
            return false;
        if (writer->has_parent)
            close(writer->parent_fd);
        writer->parent_fd = fd;
        writer->has_parent = writer->is_parent_known = true;
        text_clear(&writer->parent);
        text_add_slice(&writer->parent, parent);
    }
    *ret_fd = writer->parent_fd;
    return true;
}

static bool put_at(struct image_writer *writer, const struct image_path *path,
                   const struct place *at, struct archive *archive, struct archive_entry *entry,
                   struct error *err)
{
    if (archive_entry_filetype(entry) == AE_IFDIR)
        return put_directory(writer, path, at, entry, err);
    if (path->len == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "the root is not a directory");
    return put_other(writer, at, archive, entry, err);
}

bool image_writer_put(struct image_writer *writer, const struct image_path *path,
                      struct archive *archive, struct archive_entry *entry, struct error *err)
{
    int fd = -1;
    if (!count_entry(writer, entry, err) || !open_parent(writer, path, &fd, err))
        return false;
    struct place at = { fd, path->text + path->name };
    return put_at(writer, path, &at, archive, entry, err);
}

bool image_writer_link(struct image_writer *writer, const struct image_path *path,
                       const struct image_path *target, struct archive_entry *entry,
                       struct error *err)
{
    int fd = -1;
    if (path->len == 0 || target->len == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "it is a hard link of the root");
    if (!count_entry(writer, entry, err) || !open_parent(writer, path, &fd, err))
        return false;
    struct place at = { fd, path->text + path->name };
    return put_hardlink(writer, &at, target, err);
}

/* An entry of the same layer wins; of a directory only what is below it is hidden. */
bool image_writer_whiteout(struct image_writer *writer, const struct image_path *path,
                           struct archive_entry *entry, struct error *err)
{
    int fd = -1;
    struct stat st;
    if (!count_entry(writer, entry, err) || !open_parent(writer, path, &fd, err))
        return false;
    const char *name = path->text + path->name;
    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return !S_ISDIR(st.st_mode) || set_opaque(fd, name, err);
    if (is_opaque(fd))
        return true;
    if (mknodat(fd, name, S_IFCHR, makedev(0, 0)) < 0)
        return error_set_errno(err, errno, "could not make a whiteout");
    return true;
}

bool image_writer_opaque(struct image_writer *writer, const struct image_path *path,
                         struct archive_entry *entry, struct error *err)
{
    int fd = -1;
    if (!count_entry(writer, entry, err) || !open_parent(writer, path, &fd, err))
        return false;
    const char *name = path->len > 0 ? path->text + path->name : ".";
    struct stat st;
    bool is_there = fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (is_there && !S_ISDIR(st.st_mode) && !image_tree_is_whiteout(&st))
        return error_set(err, ERROR_INVALID_ARGUMENT, "it marks what is no directory");
    if (!is_there || !S_ISDIR(st.st_mode)) {
        struct place at = { fd, name };
        if (!make_directory(writer, &at, err))
            return false;
        if (fchmodat(fd, name, 0755, 0) < 0)
            return error_set_errno(err, errno, "could not set the mode of the directory");
    }
    return set_opaque(fd, name, err);
}

static bool set_directory_time(struct image_writer *writer, const char *path,
                               const struct timespec *time, struct error *err)
{
    struct timespec times[2] = { *time, *time };
    cleanup_close int fd = image_tree_open(writer->root_fd, path, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return true; /* another entry replaced it */
    if (futimens(fd, times) < 0)
        return error_set_errno(err, errno, "could not set the time of a directory");
    return true;
}

bool image_writer_finish(struct image_writer *writer, struct error *err)
{
    const struct text *all = &writer->directories;
    for (size_t at = 0; at < all->len;) {
        struct timespec time;
        memcpy(&time, all->ptr + at, sizeof time);
        const char *path = all->ptr + at + sizeof time;
        if (!set_directory_time(writer, path, &time, err))
            return false;
        at += sizeof time + strlen(path) + 1;
    }
    return true;
}

void image_writer_done(struct image_writer *writer)
{
    if (writer->has_parent)
        close(writer->parent_fd);
    text_done(&writer->parent);
    text_done(&writer->directories);
}
