#include "launcher/image_unpack.h"

#include "base/cleanup.h"
#include "launcher/image_aci.h"
#include "launcher/image_inflate.h"
#include "launcher/image_path.h"
#include "launcher/image_writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <assert.h>
#include <errno.h>
#include <locale.h>
#include <sys/stat.h>

#define BLOCK_BYTES 512

struct unpacking {
    const struct image_unpack *what;
    struct image_inflate *inflate;
    struct archive *archive;
    struct image_writer writer;
    struct text *manifest;
    size_t last_len;               /* of the stream so far, in the block that is not whole yet */
    bool has_manifest, has_rootfs; /* AppC */
    bool has_failed;
    struct error failure; /* below libarchive, behind its back */
};

/* Writers that do not close their archive, as umoci's, leave the last block short.  Docker takes such a
 * layer, and libarchive does not; whether the stream is whole is told by its digest. */
static la_ssize_t fill_last_block(struct unpacking *u, const void **ret_bytes)
{
    static const char zeros[BLOCK_BYTES];
    size_t len = (BLOCK_BYTES - u->last_len) % BLOCK_BYTES;
    u->last_len = 0;
    *ret_bytes = zeros;
    return (la_ssize_t)len;
}

static la_ssize_t on_read(struct archive *archive, void *user, const void **ret_bytes)
{
    struct unpacking *u = user;
    size_t len = 0;
    if (!image_inflate_read(u->inflate, ret_bytes, &len, &u->failure)) {
        u->has_failed = true;
        archive_set_error(archive, EIO, "the stream failed");
        return -1;
    }
    if (len == 0)
        return fill_last_block(u, ret_bytes);
    u->last_len = (u->last_len + len) % BLOCK_BYTES;
    return (la_ssize_t)len;
}

/* What libarchive could not do. */
static bool fail(struct unpacking *u, struct error *err)
{
    char shown[IMAGE_SHOWN_BYTES];
    if (u->has_failed) {
        *err = u->failure;
        return false;
    }
    const char *why = archive_error_string(u->archive);
    return error_set(err, ERROR_DATA_LOSS, "the archive is damaged: %s",
                     image_show(why ? why : "it is not a tar archive", shown));
}

static bool is_regular(struct archive_entry *entry)
{
    return archive_entry_filetype(entry) == AE_IFREG && !archive_entry_hardlink(entry);
}

/* The target is a name in the archive, as the entry's own is. */
static bool put_link(struct unpacking *u, const struct image_path *path,
                     struct archive_entry *entry, struct error *err)
{
    struct image_path target;
    if (!image_path_parse(slice_of(archive_entry_hardlink(entry)), &target, err))
        return error_prefix(err, "its hard link's target");
    if (u->what->kind == IMAGE_APPC && !image_path_strip(&target, "rootfs"))
        return error_set(err, ERROR_INVALID_ARGUMENT, "it is a hard link out of rootfs");
    return image_writer_link(&u->writer, path, &target, entry, err);
}

static bool put_plain(struct unpacking *u, const struct image_path *path,
                      struct archive_entry *entry, struct error *err)
{
    return archive_entry_hardlink(entry)
               ? put_link(u, path, entry, err)
               : image_writer_put(&u->writer, path, u->archive, entry, err);
}

static bool put_docker(struct unpacking *u, struct image_path *path, struct archive_entry *entry,
                       struct error *err)
{
    enum image_marker marker = IMAGE_MARKER_NONE;
    if (!image_path_take_marker(path, is_regular(entry), &marker, err))
        return false;
    switch (marker) {
    case IMAGE_MARKER_NONE:
        return put_plain(u, path, entry, err);
    case IMAGE_MARKER_WHITEOUT:
        return image_writer_whiteout(&u->writer, path, entry, err);
    case IMAGE_MARKER_OPAQUE:
        return image_writer_opaque(&u->writer, path, entry, err);
    case IMAGE_MARKER_IGNORED:
        return true;
    }
    assert(false);
    return false;
}

static bool read_manifest(struct unpacking *u, struct archive_entry *entry, struct error *err)
{
    const void *bytes;
    size_t len;
    la_int64_t offset;
    if (u->has_manifest || !is_regular(entry))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "it is not the one regular file that it "
                         "has to be");
    u->has_manifest = true;
    if (archive_entry_size(entry) > IMAGE_MAX_ACI_MANIFEST_BYTES)
        return error_set(err, ERROR_OUT_OF_RANGE, "it is over %u bytes",
                         IMAGE_MAX_ACI_MANIFEST_BYTES);
    for (;;) {
        int status = archive_read_data_block(u->archive, &bytes, &len, &offset);
        if (status == ARCHIVE_EOF)
            return true;
        if (status != ARCHIVE_OK)
            return error_set(err, ERROR_ABORTED, "the archive cannot be read");
        if (offset != (la_int64_t)u->manifest->len ||
            len > IMAGE_MAX_ACI_MANIFEST_BYTES - u->manifest->len)
            return error_set(err, ERROR_INVALID_ARGUMENT, "it is sparse");
        text_add_bytes(u->manifest, bytes, len);
    }
}

/* An ACI has a file "manifest" and a directory "rootfs", and nothing else on top. */
static bool put_appc(struct unpacking *u, struct image_path *path, struct archive_entry *entry,
                     struct error *err)
{
    if (path->len == 0 && archive_entry_filetype(entry) == AE_IFDIR)
        return true;
    if (strcmp(path->text, "manifest") == 0)
        return read_manifest(u, entry, err);
    if (!image_path_strip(path, "rootfs"))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "it is neither \"manifest\" nor in \"rootfs\"");
    u->has_rootfs = true;
    return put_plain(u, path, entry, err);
}

/* libarchive warns of a name that it could not convert and goes on with another one. */
static bool check_name(struct unpacking *u, int status, const char *name, struct error *err)
{
    struct slice why = slice_of(status == ARCHIVE_WARN ? archive_error_string(u->archive) : "");
    if (name && !slice_starts_with(why, SLICE("Pathname")) &&
        !slice_starts_with(why, SLICE("Linkname")))
        return true;
    return error_set(err, ERROR_INVALID_ARGUMENT, "entry %lld has a name that is not UTF-8",
                     (long long)u->writer.entries + 1);
}

static bool put_named(struct unpacking *u, const char *name, struct archive_entry *entry,
                      struct error *err)
{
    struct image_path path;
    if (!image_path_parse(slice_of(name), &path, err))
        return false;
    return u->what->kind == IMAGE_APPC ? put_appc(u, &path, entry, err)
                                       : put_docker(u, &path, entry, err);
}

static bool put_entry(struct unpacking *u, int status, struct archive_entry *entry,
                      struct error *err)
{
    char shown[IMAGE_SHOWN_BYTES];
    const char *name = archive_entry_pathname(entry);
    if (!check_name(u, status, name, err))
        return false;
    if (!put_named(u, name, entry, err))
        return err->code == ERROR_ABORTED
                   ? fail(u, err)
                   : error_prefix(err, "entry \"%s\"", image_show(name, shown));
    /* Here and not with the next header, whose size is limited. */
    if (archive_read_data_skip(u->archive) < ARCHIVE_WARN)
        return fail(u, err);
    return true;
}

/* Gives NULL at the end of the archive. */
static bool next_entry(struct unpacking *u, int *ret_status, struct archive_entry **ret_entry,
                       struct error *err)
{
    image_inflate_begin_header(u->inflate);
    *ret_status = archive_read_next_header(u->archive, ret_entry);
    image_inflate_end_header(u->inflate);
    if (*ret_status == ARCHIVE_EOF)
        *ret_entry = NULL;
    return *ret_status == ARCHIVE_OK || *ret_status == ARCHIVE_WARN || *ret_status == ARCHIVE_EOF ||
           fail(u, err);
}

static bool put_entries(struct unpacking *u, struct error *err)
{
    for (;;) {
        int status;
        struct archive_entry *entry = NULL;
        if (!next_entry(u, &status, &entry, err))
            return false;
        if (!entry)
            return true;
        if (!put_entry(u, status, entry, err))
            return false;
    }
}

/* An empty layer may be no bytes at all. */
static bool open_archive(struct unpacking *u, struct error *err)
{
    u->archive = archive_read_new();
    if (!u->archive)
        abort();
    if (archive_read_support_format_tar(u->archive) != ARCHIVE_OK ||
        archive_read_support_format_empty(u->archive) != ARCHIVE_OK)
        return error_set(err, ERROR_INTERNAL, "libarchive was built without tar");
    return archive_read_open(u->archive, u, NULL, on_read, NULL) == ARCHIVE_OK || fail(u, err);
}

static bool check_parts(const struct unpacking *u, struct error *err)
{
    if (u->what->kind == IMAGE_DOCKER || (u->has_manifest && u->has_rootfs))
        return true;
    return error_set(err, ERROR_INVALID_ARGUMENT, "the archive has no %s",
                     u->has_manifest ? "directory \"rootfs\"" : "file \"manifest\"");
}

/* The root when no entry says: what a directory usually has, whatever the process's umask. */
static bool prepare_root(struct unpacking *u, struct error *err)
{
    if (fchmod(u->what->root_fd, 0755) < 0)
        return error_set_errno(err, errno, "could not set the mode of the layer's root");
    return true;
}

static bool unpack(struct unpacking *u, char ret_digest[IMAGE_DIGEST_BYTES], struct error *err)
{
    u->inflate = image_inflate_open(u->what->source,
                                    u->what->kind == IMAGE_APPC ? IMAGE_SHA512 : IMAGE_SHA256,
                                    u->what->limits, err);
    return u->inflate && prepare_root(u, err) && open_archive(u, err) && put_entries(u, err) &&
           image_inflate_finish(u->inflate, ret_digest, err) &&
           image_writer_finish(&u->writer, err) && check_parts(u, err);
}

bool image_unpack(const struct image_unpack *what, char ret_digest[IMAGE_DIGEST_BYTES],
                  struct text *ret_manifest, struct error *err)
{
    struct unpacking u = {
        .what = what,
        .writer = { .root_fd = what->root_fd, .trash_fd = what->trash_fd, .limits = what->limits },
        .manifest = ret_manifest,
    };
    /* libarchive converts names between UTF-8 and the thread's locale, and refuses most of them in the
     * locale "C". */
    locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = locale ? uselocale(locale) : (locale_t)0;

    bool ok = unpack(&u, ret_digest, err);
    archive_read_free(u.archive);
    image_inflate_close(u.inflate);
    image_writer_done(&u.writer);
    if (locale) {
        uselocale(before);
        freelocale(locale);
    }
    return ok;
}
