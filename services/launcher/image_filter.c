#include "launcher/image_decoder.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "launcher/image_path.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>

struct filter {
    struct image_decoder decoder;
    struct image_source *source;
    struct archive *archive; /* of format "raw": the filters alone */
    bool is_at_end;
    bool has_failed;
    struct error failure; /* of the source, behind libarchive's back */
};

static la_ssize_t on_read(struct archive *archive, void *user, const void **ret_bytes)
{
    struct filter *filter = user;
    const char *bytes = NULL;
    size_t len = 0;
    if (!filter->source->read(filter->source, &bytes, &len, &filter->failure)) {
        filter->has_failed = true;
        archive_set_error(archive, EIO, "the source failed");
        return -1;
    }
    *ret_bytes = bytes;
    return (la_ssize_t)len;
}

static bool fail(struct filter *filter, struct error *err)
{
    char shown[IMAGE_SHOWN_BYTES];
    if (filter->has_failed) {
        *err = filter->failure;
        return false;
    }
    const char *why = archive_error_string(filter->archive);
    return error_set(err, ERROR_DATA_LOSS, "the archive is damaged: %s",
                     image_show(why ? why : "it cannot be inflated", shown));
}

/* Only filters that libarchive has built in: for others it would run programs. */
static bool open_archive(struct filter *filter, struct error *err)
{
    struct archive_entry *entry;
    struct archive *archive = filter->archive;
    if (archive_read_support_filter_bzip2(archive) != ARCHIVE_OK)
        return error_set(err, ERROR_INTERNAL, "libarchive was built without bzip2");
    if (archive_read_support_format_raw(archive) != ARCHIVE_OK ||
        archive_read_open(archive, filter, NULL, on_read, NULL) != ARCHIVE_OK)
        return fail(filter, err);
    int status = archive_read_next_header(archive, &entry);
    filter->is_at_end = status == ARCHIVE_EOF;
    return filter->is_at_end || status == ARCHIVE_OK || fail(filter, err);
}

/* Without a hole: "raw" gives the stream as it is. */
static bool fill_filter(struct image_decoder *decoder, char *bytes, size_t size, size_t *ret_len,
                        struct error *err)
{
    struct filter *filter = (struct filter *)decoder;
    *ret_len = 0;
    if (filter->is_at_end)
        return true;
    la_ssize_t len = archive_read_data(filter->archive, bytes, size);
    if (len < 0)
        return fail(filter, err);
    filter->is_at_end = len == 0;
    *ret_len = (size_t)len;
    return true;
}

static void close_filter(struct image_decoder *decoder)
{
    struct filter *filter = (struct filter *)decoder;
    archive_read_free(filter->archive);
    free(filter);
}

struct image_decoder *image_filter_open(struct image_source *source, struct error *err)
{
    struct filter *filter = xcalloc(1, sizeof *filter);
    filter->decoder = (struct image_decoder){ fill_filter, close_filter };
    filter->source = source;
    filter->archive = archive_read_new();
    if (!filter->archive)
        abort();
    if (open_archive(filter, err))
        return &filter->decoder;
    close_filter(&filter->decoder);
    return NULL;
}
