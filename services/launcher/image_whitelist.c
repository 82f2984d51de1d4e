#include "launcher/image_whitelist.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "launcher/image_digest.h"
#include "launcher/image_limits.h"
#include "launcher/image_writer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#define MAX_XATTR_BYTES (64u << 10) /* the kernel's limit, of a list and of a value */

struct copy {
    const struct image_whitelist *filter;
    int from_fd, to_fd; /* the roots */
};

static bool permits(const struct image_whitelist *filter, const char *path)
{
    for (; filter; filter = filter->above)
        if (!image_aci_permits(filter->aci, path))
            return false;
    return true;
}

/* -- copying -------------------------------------------------------------------------------------- */

/* What a link leads to has another name, which a list would have to say. */
static int open_exact(int root_fd, const char *path, int flags)
{
    struct open_how how = {
        .flags = (uint64_t)(flags | O_CLOEXEC | O_NOFOLLOW),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
    };
    return (int)syscall(SYS_openat2, root_fd, *path ? path : ".", &how, sizeof how);
}

static bool copy_xattr(int from, int to, const char *name, struct error *err)
{
    cleanup_free char *value = malloc(MAX_XATTR_BYTES);
    ssize_t len = value ? fgetxattr(from, name, value, MAX_XATTR_BYTES) : -1;
    if (len < 0 || fsetxattr(to, name, value, (size_t)len, 0) < 0)
        return error_set_errno(err, errno, "could not copy an extended attribute");
    return true;
}

/* The user's, and that a directory replaced something in its layer. */
static bool is_copied(const char *name)
{
    return slice_starts_with(slice_of(name), SLICE("user.")) ||
           strcmp(name, IMAGE_OPAQUE_XATTR) == 0;
}

static bool copy_xattrs(int from, int to, struct error *err)
{
    ssize_t len = flistxattr(from, NULL, 0);
    cleanup_free char *list = len > 0 ? malloc((size_t)len) : NULL;
    len = list ? flistxattr(from, list, (size_t)len) : 0;
    for (const char *name = list; len > 0 && name < list + len; name += strlen(name) + 1)
        if (is_copied(name) && !copy_xattr(from, to, name, err))
            return false;
    return true;
}

static bool copy_attributes(int from, int to, const struct stat *st, struct error *err)
{
    if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
        return error_set_errno(err, errno, "could not set a directory's owner and mode");
    return copy_xattrs(from, to, err);
}

static int open_parent(int root_fd, const char *path)
{
    char parent[IMAGE_MAX_PATH_BYTES + 1];
    const char *slash = strrchr(path, '/');
    snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - path) : 0, path);
    return open_exact(root_fd, parent, O_RDONLY | O_DIRECTORY);
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool make_directory(const struct copy *copy, const char *path, struct error *err)
{
    struct stat st;
    cleanup_close int from = open_exact(copy->from_fd, path, O_RDONLY | O_DIRECTORY);
    cleanup_close int parent = open_parent(copy->to_fd, path);
    if (*path && (parent < 0 || (mkdirat(parent, name_of(path), 0700) < 0 && errno != EEXIST)))
        return error_set_errno(err, errno, "could not make a directory");
    cleanup_close int to = open_exact(copy->to_fd, path, O_RDONLY | O_DIRECTORY);
    if (from < 0 || to < 0 || fstat(from, &st) < 0)
        return error_set_errno(err, errno, "could not open a directory");
    return copy_attributes(from, to, &st, err);
}

static bool make_link(const struct copy *copy, const char *path, struct error *err)
{
    cleanup_close int from = open_parent(copy->from_fd, path);
    cleanup_close int to = open_parent(copy->to_fd, path);
    if (from < 0 || to < 0 ||
        (linkat(from, name_of(path), to, name_of(path), 0) < 0 && errno != EEXIST))
        return error_set_errno(err, errno, "could not link a file");
    return true;
}

/* What the image does not have is no error: the list speaks of all images together. */
static bool copy_one(const struct copy *copy, const char *path, struct error *err)
{
    struct stat st;
    cleanup_close int fd = open_exact(copy->from_fd, path, O_PATH);
    if (fd < 0 || !permits(copy->filter, path))
        return true;
    if (fstat(fd, &st) < 0)
        return error_set_errno(err, errno, "could not look at a file");
    return S_ISDIR(st.st_mode) ? make_directory(copy, path, err) : make_link(copy, path, err);
}

static bool copy_time(const struct copy *copy, const char *path, struct error *err)
{
    struct stat st;
    cleanup_close int from = open_exact(copy->from_fd, path, O_RDONLY | O_DIRECTORY);
    cleanup_close int to = open_exact(copy->to_fd, path, O_RDONLY | O_DIRECTORY);
    if (from < 0 || to < 0)
        return true; /* no directory, or not there */
    if (fstat(from, &st) < 0 || futimens(to, (struct timespec[]){ st.st_mtim, st.st_mtim }) < 0)
        return error_set_errno(err, errno, "could not set a directory's time");
    return true;
}

/* The root, and each listed path with all directories on the way to it. */
static bool visit(const struct copy *copy,
                  bool (*f)(const struct copy *copy, const char *path, struct error *err),
                  struct error *err)
{
    const struct image_aci *aci = copy->filter->aci;
    if (!f(copy, "", err))
        return false;
    for (size_t i = 0; i < aci->whitelist_count; i++) {
        char path[IMAGE_MAX_PATH_BYTES + 1];
        size_t len = strlen(aci->whitelist[i]);
        for (size_t end = 1; end <= len; end++) {
            if (end < len && aci->whitelist[i][end] != '/')
                continue;
            snprintf(path, sizeof path, "%.*s", (int)end, aci->whitelist[i]);
            if (!f(copy, path, err))
                return false;
        }
    }
    return true;
}

/* -- the layer ------------------------------------------------------------------------------------ */

static const char *layer_name(const char *id, const struct image_whitelist *filter,
                              struct arena *arena)
{
    char digest[IMAGE_DIGEST_BYTES];
    cleanup_text struct text lists = TEXT_INIT;
    for (; filter; filter = filter->above) {
        for (size_t i = 0; i < filter->aci->whitelist_count; i++)
            text_add_bytes(&lists, filter->aci->whitelist[i],
                           strlen(filter->aci->whitelist[i]) + 1);
        text_add_char(&lists, '\n');
    }
    image_digest_of(IMAGE_SHA256, text_slice(&lists), digest);
    return arena_printf(arena, "%s.%s", id, digest + sizeof "sha256:" - 1);
}

static bool fill(const struct image_directory *directory, const char *id,
                 const struct image_whitelist *filter, int image_fd, struct arena *arena,
                 struct error *err)
{
    const char *from_name = arena_printf(arena, "%s/rootfs", id);
    if (mkdirat(image_fd, "rootfs", 0755) < 0)
        return error_set_errno(err, errno, "could not make a directory");
    cleanup_close int from = openat(directory->folder_fds[IMAGE_FOLDER_APPC], from_name,
                                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    cleanup_close int to =
        openat(image_fd, "rootfs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (from < 0 || to < 0)
        return error_set_errno(err, errno, "could not open the image's root");
    const struct copy copy = { filter, from, to };
    return visit(&copy, copy_one, err) && visit(&copy, copy_time, err);
}

static bool make_layer(const struct image_directory *directory, const char *id,
                       const struct image_whitelist *filter, const char *name, struct arena *arena,
                       struct error *err)
{
    struct image_staging staging = IMAGE_STAGING_INIT;
    bool ok = image_staging_open(&staging, directory, err) &&
              fill(directory, id, filter, staging.image_fd, arena, err) &&
              image_staging_publish(&staging, directory, IMAGE_FOLDER_APPC, name, err);
    image_staging_close(&staging, directory);
    return ok || error_prefix(err, "applying a pathWhitelist");
}

bool image_whitelist_layer(const struct image_directory *directory, const char *id,
                           const struct image_whitelist *filter, struct arena *arena,
                           const char **ret_path, struct error *err)
{
    const char *name = layer_name(id, filter, arena);
    if (!image_directory_has(directory, IMAGE_FOLDER_APPC, name) &&
        !make_layer(directory, id, filter, name, arena, err))
        return false;
    *ret_path = arena_printf(arena, "%s/appc/%s/rootfs", directory->path, name);
    return true;
}
