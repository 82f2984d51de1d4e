#include "launcher/image_decoder.h"

#include "base/alloc.h"
#include "launcher/image_limits.h"

#include <assert.h>
#include <string.h>
#include <uv.h>
#include <zstd.h>

#define MAX_HEADER_BYTES 18
#define WINDOW_LOG_MAX   25
#define FIXED_HEADER     5 /* the magic number and the descriptor, which tells how much follows */
#define SKIPPABLE_MAGIC  0x184d2a50u
#define SKIPPABLE_MASK   0xfffffff0u
#define MIN_WINDOW_LOG   10
#define SINGLE_SEGMENT   0x20

_Static_assert(IMAGE_MAX_WINDOW_BYTES == 1u << WINDOW_LOG_MAX, "zstd counts in powers of two");

/* zstd keeps as many bytes of what it gave as a frame may refer back to, and the frame's header says how
 * many that are.  So the header is read here first. */
struct zstd {
    struct image_decoder decoder;
    struct image_source *source;
    ZSTD_DCtx *context;
    ZSTD_inBuffer head, in; /* `head` comes first */
    unsigned char header[MAX_HEADER_BYTES];
    size_t window; /* that is taken of all windows */
    bool is_in_frame, has_ended;
};

static struct {
    uv_once_t once;
    uv_mutex_t mutex;
    uv_cond_t given_back;
    size_t taken;
} windows = { .once = UV_ONCE_INIT };

static void prepare_windows(void)
{
    if (uv_mutex_init(&windows.mutex) < 0 || uv_cond_init(&windows.given_back) < 0)
        abort();
}

static void give_window_back(struct zstd *zstd)
{
    uv_mutex_lock(&windows.mutex);
    assert(windows.taken >= zstd->window);
    windows.taken -= zstd->window;
    uv_cond_broadcast(&windows.given_back);
    uv_mutex_unlock(&windows.mutex);
    zstd->window = 0;
}

/* Whoever waits has none, so somebody else goes on. */
static void take_window(struct zstd *zstd, size_t window)
{
    uv_mutex_lock(&windows.mutex);
    while (windows.taken + window > IMAGE_MAX_WINDOW_BYTES)
        uv_cond_wait(&windows.given_back, &windows.mutex);
    windows.taken += window;
    uv_mutex_unlock(&windows.mutex);
    zstd->window = window;
}

static void open_context(struct zstd *zstd)
{
    zstd->context = ZSTD_createDCtx();
    if (!zstd->context)
        abort();
    size_t status = ZSTD_DCtx_setParameter(zstd->context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    assert(!ZSTD_isError(status));
    (void)status;
}

/* zstd frees what it has only with its context. */
static void change_window(struct zstd *zstd, size_t window)
{
    if (window <= zstd->window)
        return;
    ZSTD_freeDCtx(zstd->context);
    give_window_back(zstd);
    take_window(zstd, window);
    open_context(zstd);
}

/* -- the header of a frame ------------------------------------------------------------------------ */

static uint64_t read_number(const unsigned char *bytes, size_t len)
{
    uint64_t number = 0;
    for (size_t i = len; i-- > 0;)
        number = number << 8 | bytes[i];
    return number;
}

static bool is_skippable(const unsigned char *header)
{
    return (read_number(header, 4) & SKIPPABLE_MASK) == SKIPPABLE_MAGIC;
}

static size_t dictionary_bytes(const unsigned char *header)
{
    return (size_t[]){ 0, 1, 2, 4 }[header[4] & 3];
}

static size_t content_size_bytes(const unsigned char *header)
{
    bool is_single = header[4] & SINGLE_SEGMENT;
    return (size_t[]){ is_single ? 1 : 0, 2, 4, 8 }[header[4] >> 6];
}

static size_t header_bytes(const unsigned char *header)
{
    if (is_skippable(header))
        return FIXED_HEADER;
    bool is_single = header[4] & SINGLE_SEGMENT;
    return FIXED_HEADER + (is_single ? 0 : 1) + dictionary_bytes(header) +
           content_size_bytes(header);
}

/* RFC 8878, 3.1.1.1. */
static uint64_t window_of(const unsigned char *header)
{
    if (is_skippable(header))
        return 0;
    if (header[4] & SINGLE_SEGMENT) {
        size_t len = content_size_bytes(header);
        return read_number(header + FIXED_HEADER + dictionary_bytes(header), len) +
               (len == 2 ? 256 : 0);
    }
    uint64_t base = 1ull << (MIN_WINDOW_LOG + (header[FIXED_HEADER] >> 3));
    return base + base / 8 * (header[FIXED_HEADER] & 7);
}

static bool fail_truncated(struct error *err)
{
    return error_set(err, ERROR_DATA_LOSS, "the archive is damaged: its zstd stream is truncated");
}

static bool read_more(struct zstd *zstd, bool *ret_more, struct error *err)
{
    const char *bytes = NULL;
    size_t len = 0;
    if (!zstd->source->read(zstd->source, &bytes, &len, err))
        return false;
    zstd->in = (ZSTD_inBuffer){ bytes, len, 0 };
    *ret_more = len > 0;
    return true;
}

/* Until `header` has so many bytes; fewer only at the end of the source. */
static bool read_header(struct zstd *zstd, size_t len, struct error *err)
{
    bool has_more = true;
    while (zstd->head.size < len && has_more) {
        size_t there = zstd->in.size - zstd->in.pos, missing = len - zstd->head.size;
        size_t taken = there < missing ? there : missing;
        if (taken > 0)
            memcpy(zstd->header + zstd->head.size, (const char *)zstd->in.src + zstd->in.pos,
                   taken);
        zstd->head.size += taken;
        zstd->in.pos += taken;
        if (taken == 0 && !read_more(zstd, &has_more, err))
            return false;
    }
    return true;
}

static bool begin_frame(struct zstd *zstd, struct error *err)
{
    zstd->head = (ZSTD_inBuffer){ zstd->header, 0, 0 };
    if (!read_header(zstd, FIXED_HEADER, err))
        return false;
    if (zstd->head.size == 0) {
        zstd->has_ended = true;
        return true;
    }
    if (zstd->head.size < FIXED_HEADER)
        return fail_truncated(err);
    size_t len = header_bytes(zstd->header);
    if (!read_header(zstd, len, err))
        return false;
    if (zstd->head.size < len)
        return fail_truncated(err);
    uint64_t window = window_of(zstd->header);
    if (window > IMAGE_MAX_WINDOW_BYTES)
        return error_set(err, ERROR_OUT_OF_RANGE,
                         "the archive is compressed with a window of %llu bytes, more than %u",
                         (unsigned long long)window, IMAGE_MAX_WINDOW_BYTES);
    change_window(zstd, (size_t)window);
    zstd->is_in_frame = true;
    return true;
}

/* -- the rest of it ------------------------------------------------------------------------------- */

/* What is decoded but had no room comes out without more input. */
static bool step(struct zstd *zstd, ZSTD_outBuffer *out, struct error *err)
{
    if (!zstd->is_in_frame)
        return begin_frame(zstd, err);
    ZSTD_inBuffer *in = zstd->head.pos < zstd->head.size ? &zstd->head : &zstd->in;
    size_t before = out->pos;
    size_t status = ZSTD_decompressStream(zstd->context, out, in);
    if (ZSTD_isError(status))
        return error_set(err, ERROR_DATA_LOSS, "the archive is damaged: %s",
                         ZSTD_getErrorName(status));
    zstd->is_in_frame = status != 0;
    bool is_hungry = in == &zstd->in && in->pos == in->size && out->pos == before;
    if (!zstd->is_in_frame || !is_hungry)
        return true;
    bool has_more = false;
    return read_more(zstd, &has_more, err) && (has_more || fail_truncated(err));
}

static bool fill_zstd(struct image_decoder *decoder, char *bytes, size_t size, size_t *ret_len,
                      struct error *err)
{
    struct zstd *zstd = (struct zstd *)decoder;
    ZSTD_outBuffer out = { bytes, size, 0 };
    while (!zstd->has_ended && out.pos < size)
        if (!step(zstd, &out, err))
            return false;
    *ret_len = out.pos;
    return true;
}

static void close_zstd(struct image_decoder *decoder)
{
    struct zstd *zstd = (struct zstd *)decoder;
    ZSTD_freeDCtx(zstd->context);
    give_window_back(zstd);
    free(zstd);
}

struct image_decoder *image_zstd_open(struct image_source *source)
{
    struct zstd *zstd = xcalloc(1, sizeof *zstd);
    uv_once(&windows.once, prepare_windows);
    zstd->decoder = (struct image_decoder){ fill_zstd, close_zstd };
    zstd->source = source;
    open_context(zstd);
    return &zstd->decoder;
}
