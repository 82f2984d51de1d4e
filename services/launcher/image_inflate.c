#include "launcher/image_inflate.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "launcher/image_path.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>

struct image_inflate {
    struct archive *archive; /* of format "raw": the filters alone */
    struct image_source *source;
    const struct image_limits *limits;
    struct image_hash *hash;
    int64_t taken, given; /* bytes in and out */
    int64_t header_start; /* of `given`; -1 outside of a header */
    bool is_at_end;
    bool has_failed;
    struct error failure; /* of the source, behind libarchive's back */
};

static la_ssize_t on_read(struct archive *archive, void *user, const void **ret_bytes)
{
    struct image_inflate *inflate = user;
    const char *bytes = NULL;
    size_t len = 0;
    if (!inflate->source->read(inflate->source, &bytes, &len, &inflate->failure)) {
        inflate->has_failed = true;
        archive_set_error(archive, EIO, "the source failed");
        return -1;
    }
    inflate->taken += (int64_t)len;
    *ret_bytes = bytes;
    return (la_ssize_t)len;
}

static bool fail(struct image_inflate *inflate, struct error *err)
{
    char shown[IMAGE_SHOWN_BYTES];
    if (inflate->has_failed) {
        *err = inflate->failure;
        return false;
    }
    const char *why = archive_error_string(inflate->archive);
    return error_set(err, ERROR_DATA_LOSS, "the archive is damaged: %s",
                     image_show(why ? why : "it cannot be inflated", shown));
}

/* Only filters that libarchive has built in: for others it would run programs. */
static bool support_filters(struct archive *archive)
{
    return archive_read_support_filter_gzip(archive) == ARCHIVE_OK &&
           archive_read_support_filter_zstd(archive) == ARCHIVE_OK &&
           archive_read_support_filter_bzip2(archive) == ARCHIVE_OK &&
           archive_read_support_filter_xz(archive) == ARCHIVE_OK;
}

static bool open_archive(struct image_inflate *inflate, struct error *err)
{
    struct archive_entry *entry;
    struct archive *archive = inflate->archive;
    if (!support_filters(archive))
        return error_set(err, ERROR_INTERNAL,
                         "libarchive was built without gzip, zstd, bzip2 or xz");
    if (archive_read_support_format_raw(archive) != ARCHIVE_OK ||
        archive_read_open(archive, inflate, NULL, on_read, NULL) != ARCHIVE_OK)
        return fail(inflate, err);
    int status = archive_read_next_header(archive, &entry);
    inflate->is_at_end = status == ARCHIVE_EOF;
    return inflate->is_at_end || status == ARCHIVE_OK || fail(inflate, err);
}

DEFINE_CLEANUP(inflate_closep, struct image_inflate *, image_inflate_close)

struct image_inflate *image_inflate_open(struct image_source *source,
                                         enum image_algorithm algorithm,
                                         const struct image_limits *limits, struct error *err)
{
    CLEANUP(inflate_closep) struct image_inflate *inflate = xcalloc(1, sizeof *inflate);
    inflate->source = source;
    inflate->limits = limits;
    inflate->header_start = -1;
    inflate->hash = image_hash_new(algorithm);
    inflate->archive = archive_read_new();
    if (!inflate->archive)
        abort();
    if (!open_archive(inflate, err))
        return NULL;
    return TAKE(inflate);
}

void image_inflate_close(struct image_inflate *inflate)
{
    if (!inflate)
        return;
    archive_read_free(inflate->archive);
    image_hash_free(inflate->hash);
    free(inflate);
}

static bool check_limits(struct image_inflate *inflate, struct error *err)
{
    const struct image_limits *limits = inflate->limits;
    if (inflate->given > limits->bytes)
        return error_set(err, ERROR_OUT_OF_RANGE, "the archive inflates to more than %lld bytes",
                         (long long)limits->bytes);
    if (inflate->given > limits->ratio_free_bytes &&
        inflate->given / limits->ratio > inflate->taken)
        return error_set(err, ERROR_OUT_OF_RANGE,
                         "the archive inflates to more than %lld times its size",
                         (long long)limits->ratio);
    if (inflate->header_start >= 0 && inflate->given - inflate->header_start > limits->header_bytes)
        return error_set(err, ERROR_OUT_OF_RANGE,
                         "the header of an entry of the archive is over %lld bytes",
                         (long long)limits->header_bytes);
    return true;
}

/* Without a hole: "raw" gives the stream as it is. */
bool image_inflate_read(struct image_inflate *inflate, const void **ret_bytes, size_t *ret_len,
                        struct error *err)
{
    la_int64_t offset;
    *ret_len = 0;
    while (!inflate->is_at_end && *ret_len == 0) {
        int status = archive_read_data_block(inflate->archive, ret_bytes, ret_len, &offset);
        inflate->is_at_end = status == ARCHIVE_EOF;
        if (status != ARCHIVE_OK && status != ARCHIVE_EOF)
            return fail(inflate, err);
    }
    image_hash_add(inflate->hash, *ret_bytes, *ret_len);
    inflate->given += (int64_t)*ret_len;
    return check_limits(inflate, err);
}

void image_inflate_begin_header(struct image_inflate *inflate)
{
    inflate->header_start = inflate->given;
}

void image_inflate_end_header(struct image_inflate *inflate)
{
    inflate->header_start = -1;
}

/* The filters stop at the end of what they understand; the source's own end has still to be seen,
 * since only there it is known to be whole and right. */
static bool read_source_to_end(struct image_inflate *inflate, struct error *err)
{
    const char *bytes;
    size_t len = 1;
    while (len > 0)
        if (!inflate->source->read(inflate->source, &bytes, &len, err))
            return false;
    return true;
}

bool image_inflate_finish(struct image_inflate *inflate, char ret_digest[IMAGE_DIGEST_BYTES],
                          struct error *err)
{
    const void *bytes = "";
    size_t len = 1;
    while (len > 0)
        if (!image_inflate_read(inflate, &bytes, &len, err))
            return false;
    if (!read_source_to_end(inflate, err))
        return false;
    image_hash_finish(inflate->hash, ret_digest);
    return true;
}
