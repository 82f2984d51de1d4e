#include "launcher/image_upload.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "launcher/image_digest.h"
#include "launcher/image_limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES (256u << 10)

/* A part that grows, locked: another worker may add to the same. */
struct part {
    const struct image_directory *directory;
    const struct image_blob *blob;
    int folder;
    char name[IMAGE_DIGEST_BYTES + 8], whole_name[IMAGE_DIGEST_BYTES];
    int fd;
    int64_t bytes;
};

bool image_blob_check(const struct image_blob *blob, struct error *err)
{
    if (!image_digest_is(IMAGE_SHA256, slice_of(blob->digest)))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "field digest: expected \"sha256:\" and 64 hexadecimal digits");
    if (*blob->diff_id && !image_digest_is(IMAGE_SHA256, slice_of(blob->diff_id)))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "field diff_id: expected \"sha256:\" and 64 hexadecimal digits");
    if (blob->bytes < 0 || blob->bytes > IMAGE_MAX_BLOB_BYTES)
        return error_set(err, ERROR_OUT_OF_RANGE, "field size_bytes: expected 0 to %lld",
                         IMAGE_MAX_BLOB_BYTES);
    return true;
}

static void name_part(struct part *part, const struct image_directory *directory,
                      const struct image_blob *blob)
{
    *part = (struct part){ .directory = directory,
                           .blob = blob,
                           .folder = directory->folder_fds[IMAGE_FOLDER_UPLOADS],
                           .fd = -1 };
    const char *hex = blob->digest + sizeof "sha256:" - 1;
    snprintf(part->whole_name, sizeof part->whole_name, "sha256-%s", hex);
    snprintf(part->name, sizeof part->name, "sha256-%s.part", hex);
}

static bool is_unpacked(const struct image_directory *directory, const char *diff_id)
{
    char name[IMAGE_DIGEST_BYTES];
    snprintf(name, sizeof name, "sha256-%s", diff_id + sizeof "sha256:" - 1);
    return image_directory_has(directory, IMAGE_FOLDER_LAYERS, name);
}

int64_t image_upload_offset(const struct image_directory *directory, const struct image_blob *blob)
{
    struct part part;
    struct stat status;
    name_part(&part, directory, blob);
    if ((*blob->diff_id && is_unpacked(directory, blob->diff_id)) ||
        image_directory_has(directory, IMAGE_FOLDER_BLOBS, part.whole_name) ||
        image_directory_has(directory, IMAGE_FOLDER_UPLOADS, part.whole_name))
        return blob->bytes;
    if (fstatat(part.folder, part.name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    return status.st_size < blob->bytes ? status.st_size : 0;
}

static bool is_whole(const struct part *part)
{
    return image_directory_has(part->directory, IMAGE_FOLDER_UPLOADS, part->whole_name);
}

/* False when it has just been dropped by another. */
static bool is_still_there(const struct part *part, int64_t *ret_bytes)
{
    struct stat status;
    bool is_there = fstat(part->fd, &status) == 0 && status.st_nlink > 0;
    *ret_bytes = is_there ? status.st_size : 0;
    return is_there;
}

static bool open_part(struct part *part, struct error *err)
{
    for (;;) {
        part->fd =
            openat(part->folder, part->name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (part->fd < 0)
            return image_directory_fail(part->directory, errno, "make a file", err);
        if (flock(part->fd, LOCK_EX) < 0)
            return image_directory_fail(part->directory, errno, "lock a file", err);
        if (is_whole(part)) { /* by another's hand: that file, or a new one, is what is open here */
            unlinkat(part->folder, part->name, 0);
            close(TAKE_FD(part->fd));
            part->bytes = part->blob->bytes;
            return true;
        }
        if (is_still_there(part, &part->bytes))
            return true;
        close(TAKE_FD(part->fd));
    }
}

static bool explain_full(const struct part *part, int errnum, struct error *err)
{
    char need[64];
    if (errnum != ENOSPC && errnum != EDQUOT)
        return image_directory_fail(part->directory, errnum, "write a file", err);
    snprintf(need, sizeof need, "the blob needs %.1f MB more",
             (double)(part->blob->bytes - part->bytes) / 1e6);
    return image_directory_full(part->directory, need, err);
}

static bool append(struct part *part, struct slice bytes, struct error *err)
{
    while (bytes.len > 0) {
        ssize_t len = pwrite(part->fd, bytes.ptr, bytes.len, part->bytes);
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0)
            return explain_full(part, errno, err);
        bytes.ptr += len;
        bytes.len -= (size_t)len;
        part->bytes += len;
    }
    return true;
}

static bool hash(const struct part *part, char ret_digest[IMAGE_DIGEST_BYTES], struct error *err)
{
    cleanup_free char *bytes = xcalloc(1, READ_BYTES);
    struct image_hash *state = image_hash_new(IMAGE_SHA256);
    ssize_t len;
    int64_t at = 0;
    while ((len = pread(part->fd, bytes, READ_BYTES, at)) > 0 || (len < 0 && errno == EINTR)) {
        image_hash_add(state, bytes, len > 0 ? (size_t)len : 0);
        at += len > 0 ? len : 0;
    }
    int errnum = errno;
    image_hash_finish(state, ret_digest);
    image_hash_free(state);
    return len == 0 || image_directory_fail(part->directory, errnum, "read a file", err);
}

static bool finish(const struct part *part, struct error *err)
{
    char digest[IMAGE_DIGEST_BYTES];
    if (!hash(part, digest, err))
        return false;
    if (strcmp(digest, part->blob->digest) != 0) {
        unlinkat(part->folder, part->name, 0);
        return error_set(err, ERROR_DATA_LOSS, "what came for blob %.19s is %.19s",
                         part->blob->digest, digest);
    }
    if (fdatasync(part->fd) < 0)
        return explain_full(part, errno, err);
    if (renameat(part->folder, part->name, part->folder, part->whole_name) < 0)
        return image_directory_fail(part->directory, errno, "rename a file", err);
    return true;
}

static bool add(struct part *part, int64_t offset, struct slice bytes, struct error *err)
{
    if (part->fd < 0)
        return true;                       /* finished meanwhile */
    if (part->bytes > part->blob->bytes) { /* of one that lied about the size */
        part->bytes = 0;
        if (ftruncate(part->fd, 0) < 0)
            return image_directory_fail(part->directory, errno, "truncate a file", err);
    }
    int64_t skip = part->bytes - offset;
    if (skip >= 0 && (size_t)skip < bytes.len &&
        !append(part, (struct slice){ bytes.ptr + skip, bytes.len - (size_t)skip }, err))
        return false;
    return part->bytes < part->blob->bytes || finish(part, err);
}

bool image_upload_add(const struct image_directory *directory, const struct image_blob *blob,
                      int64_t offset, struct slice bytes, int64_t *ret_offset, struct error *err)
{
    struct part part;
    if (offset < 0 || offset > blob->bytes || bytes.len > (size_t)(blob->bytes - offset))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "field offset: the chunk does not lie within the blob");
    if (bytes.len > IMAGE_UPLOAD_MAX_CHUNK)
        return error_set(err, ERROR_INVALID_ARGUMENT, "field data: over %u bytes",
                         IMAGE_UPLOAD_MAX_CHUNK);
    if (image_upload_offset(directory, blob) == blob->bytes && blob->bytes > 0) {
        *ret_offset = blob->bytes;
        return true;
    }
    name_part(&part, directory, blob);
    bool ok = open_part(&part, err) && add(&part, offset, bytes, err);
    if (ok)
        *ret_offset = part.bytes;
    close_fd(&part.fd);
    return ok;
}
