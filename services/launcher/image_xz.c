#include "launcher/image_decoder.h"

#include "base/alloc.h"
#include "launcher/image_limits.h"

#include <lzma.h>

/* With liblzma itself and not by way of libarchive, which lets a stream take a dictionary of 1 GiB: 100 KB
 * of archive would be enough to use all of it. */
struct xz {
    struct image_decoder decoder;
    struct image_source *source;
    lzma_stream stream;
    bool is_at_end_of_source, has_ended;
};

static bool read_more(struct xz *xz, struct error *err)
{
    const char *bytes = NULL;
    size_t len = 0;
    if (xz->stream.avail_in > 0 || xz->is_at_end_of_source)
        return true;
    if (!xz->source->read(xz->source, &bytes, &len, err))
        return false;
    xz->stream.next_in = (const uint8_t *)bytes;
    xz->stream.avail_in = len;
    xz->is_at_end_of_source = len == 0;
    return true;
}

static const struct {
    lzma_ret status;
    const char *why;
} reasons[] = {
    { LZMA_OPTIONS_ERROR, "its xz stream has options that are not known" },
    { LZMA_BUF_ERROR, "its xz stream is truncated" },
};

static bool fail(struct xz *xz, lzma_ret status, struct error *err)
{
    const char *why = "its xz stream cannot be inflated";
    if (status == LZMA_MEM_ERROR)
        abort();
    if (status == LZMA_MEMLIMIT_ERROR)
        return error_set(err, ERROR_OUT_OF_RANGE,
                         "an xz stream needs %llu bytes of memory, more than %u",
                         (unsigned long long)lzma_memusage(&xz->stream), IMAGE_MAX_XZ_BYTES);
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            why = reasons[i].why;
    return error_set(err, ERROR_DATA_LOSS, "the archive is damaged: %s", why);
}

static bool step(struct xz *xz, struct error *err)
{
    if (!read_more(xz, err))
        return false;
    lzma_ret status = lzma_code(&xz->stream, xz->is_at_end_of_source ? LZMA_FINISH : LZMA_RUN);
    xz->has_ended = status == LZMA_STREAM_END;
    return xz->has_ended || status == LZMA_OK || fail(xz, status, err);
}

static bool fill_xz(struct image_decoder *decoder, char *bytes, size_t size, size_t *ret_len,
                    struct error *err)
{
    struct xz *xz = (struct xz *)decoder;
    xz->stream.next_out = (uint8_t *)bytes;
    xz->stream.avail_out = size;
    while (!xz->has_ended && xz->stream.avail_out > 0)
        if (!step(xz, err))
            return false;
    *ret_len = size - xz->stream.avail_out;
    return true;
}

static void close_xz(struct image_decoder *decoder)
{
    struct xz *xz = (struct xz *)decoder;
    lzma_end(&xz->stream);
    free(xz);
}

struct image_decoder *image_xz_open(struct image_source *source)
{
    struct xz *xz = xcalloc(1, sizeof *xz);
    xz->decoder = (struct image_decoder){ fill_xz, close_xz };
    xz->source = source;
    if (lzma_stream_decoder(&xz->stream, IMAGE_MAX_XZ_BYTES, LZMA_CONCATENATED) != LZMA_OK)
        abort(); /* out of memory */
    return &xz->decoder;
}
