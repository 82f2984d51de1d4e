#include "launcher/image_inflate.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/slice.h"
#include "launcher/image_decoder.h"
#include "launcher/image_relay.h"

#include <string.h>

#define MAGIC_BYTES 4

/* What tells the form of a stream is read ahead, and given again to whoever decodes it. */
struct opening {
    struct image_source source;
    struct image_source *below;
    int64_t taken; /* from below */
    char magic[MAGIC_BYTES];
    struct slice head,
        rest; /* what is still to be given: of `magic`, and of the read that ended it */
};

/* Inflating and hashing have a thread each; the limits are the reader's part. */
struct image_inflate {
    struct opening opening;        /* the first thread's */
    struct image_decoder *decoder; /* the same; NULL: not known yet which */
    struct image_hash *hash;       /* the second thread's, until the end */
    struct image_relay *relay;
    const struct image_limits *limits;
    int64_t given;        /* bytes out */
    int64_t header_start; /* of `given`; -1 outside of a header */
};

/* -- the threads' part ---------------------------------------------------------------------------- */

static bool read_below(struct opening *opening, const char **ret_bytes, size_t *ret_len,
                       struct error *err)
{
    if (!opening->below->read(opening->below, ret_bytes, ret_len, err))
        return false;
    opening->taken += (int64_t)*ret_len;
    return true;
}

static bool read_opening(struct image_source *source, const char **ret_bytes, size_t *ret_len,
                         struct error *err)
{
    struct opening *opening = (struct opening *)source;
    struct slice *next = opening->head.len > 0 ? &opening->head : &opening->rest;
    if (next->len == 0)
        return read_below(opening, ret_bytes, ret_len, err);
    *ret_bytes = next->ptr;
    *ret_len = next->len;
    next->len = 0;
    return true;
}

static bool read_magic(struct opening *opening, struct error *err)
{
    opening->head = (struct slice){ opening->magic, 0 };
    do {
        const char *bytes = "";
        size_t len = 0;
        if (!read_below(opening, &bytes, &len, err))
            return false;
        size_t missing = MAGIC_BYTES - opening->head.len, taken = len < missing ? len : missing;
        memcpy(opening->magic + opening->head.len, bytes, taken);
        opening->head.len += taken;
        opening->rest = (struct slice){ bytes + taken, len - taken };
        if (len == 0)
            break;
    } while (opening->head.len < MAGIC_BYTES);
    return true;
}

/* A stream of zstd may begin with a skippable frame, of which there are sixteen; pzstd's do. */
static const struct form {
    struct slice magic;
    unsigned char mask; /* of its first byte */
    struct image_decoder *(*open)(struct image_source *source);
} forms[] = {
    { { "\x1f\x8b", 2 }, 0xff, image_gzip_open },
    { { "\x28\xb5\x2f\xfd", 4 }, 0xff, image_zstd_open },
    { { "\x50\x2a\x4d\x18", 4 }, 0xf0, image_zstd_open },
    { { "\xfd\x37zX", 4 }, 0xff, image_xz_open },
};

static bool has_magic(struct slice head, const struct form *form)
{
    size_t len = form->magic.len;
    return head.len >= len &&
           ((unsigned char)head.ptr[0] & form->mask) == (unsigned char)form->magic.ptr[0] &&
           memcmp(head.ptr + 1, form->magic.ptr + 1, len - 1) == 0;
}

static bool open_decoder(struct image_inflate *inflate, struct error *err)
{
    struct opening *opening = &inflate->opening;
    if (!read_magic(opening, err))
        return false;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0] && !inflate->decoder; i++)
        if (has_magic(opening->head, &forms[i]))
            inflate->decoder = forms[i].open(&opening->source);
    if (!inflate->decoder)
        inflate->decoder = image_filter_open(&opening->source, err);
    return inflate->decoder;
}

/* Decoders stop at the end of what they understand; the source's own end has still to be seen, since
 * only there it is known to be whole and right. */
static bool read_source_to_end(struct opening *opening, struct error *err)
{
    const char *bytes;
    size_t len = 1;
    while (len > 0)
        if (!read_below(opening, &bytes, &len, err))
            return false;
    return true;
}

static bool fill(void *user, char *bytes, size_t size, size_t *ret_len, int64_t *ret_mark,
                 struct error *err)
{
    struct image_inflate *inflate = user;
    if ((!inflate->decoder && !open_decoder(inflate, err)) ||
        !inflate->decoder->fill(inflate->decoder, bytes, size, ret_len, err))
        return false;
    *ret_mark = inflate->opening.taken;
    return *ret_len > 0 || read_source_to_end(&inflate->opening, err);
}

static void watch(void *user, const char *bytes, size_t len)
{
    struct image_inflate *inflate = user;
    image_hash_add(inflate->hash, bytes, len);
}

/* -- the reader's --------------------------------------------------------------------------------- */

DEFINE_CLEANUP(inflate_closep, struct image_inflate *, image_inflate_close)

struct image_inflate *image_inflate_open(struct image_source *source,
                                         enum image_algorithm algorithm,
                                         const struct image_limits *limits, struct error *err)
{
    CLEANUP(inflate_closep) struct image_inflate *inflate = xcalloc(1, sizeof *inflate);
    inflate->opening.source.read = read_opening;
    inflate->opening.below = source;
    inflate->limits = limits;
    inflate->header_start = -1;
    inflate->hash = image_hash_new(algorithm);
    inflate->relay = image_relay_open(fill, watch, inflate, err);
    if (!inflate->relay)
        return NULL;
    return TAKE(inflate);
}

/* A thread may be waiting for the source. */
void image_inflate_close(struct image_inflate *inflate)
{
    if (!inflate)
        return;
    struct image_source *source = inflate->opening.below;
    if (source->stop)
        source->stop(source);
    image_relay_close(inflate->relay);
    if (inflate->decoder)
        inflate->decoder->close(inflate->decoder);
    image_hash_free(inflate->hash);
    free(inflate);
}

static bool check_limits(struct image_inflate *inflate, int64_t taken, struct error *err)
{
    const struct image_limits *limits = inflate->limits;
    if (inflate->given > limits->bytes)
        return error_set(err, ERROR_OUT_OF_RANGE, "the archive inflates to more than %lld bytes",
                         (long long)limits->bytes);
    if (inflate->given > limits->ratio_free_bytes && inflate->given / limits->ratio > taken)
        return error_set(err, ERROR_OUT_OF_RANGE,
                         "the archive inflates to more than %lld times its size",
                         (long long)limits->ratio);
    if (inflate->header_start >= 0 && inflate->given - inflate->header_start > limits->header_bytes)
        return error_set(err, ERROR_OUT_OF_RANGE,
                         "the header of an entry of the archive is over %lld bytes",
                         (long long)limits->header_bytes);
    return true;
}

bool image_inflate_read(struct image_inflate *inflate, const void **ret_bytes, size_t *ret_len,
                        struct error *err)
{
    int64_t taken = 0;
    if (!image_relay_read(inflate->relay, ret_bytes, ret_len, &taken, err))
        return false;
    if (*ret_len == 0)
        return true;
    inflate->given += (int64_t)*ret_len;
    return check_limits(inflate, taken, err);
}

void image_inflate_begin_header(struct image_inflate *inflate)
{
    inflate->header_start = inflate->given;
}

void image_inflate_end_header(struct image_inflate *inflate)
{
    inflate->header_start = -1;
}

bool image_inflate_finish(struct image_inflate *inflate, char ret_digest[IMAGE_DIGEST_BYTES],
                          struct error *err)
{
    const void *bytes = "";
    size_t len = 1;
    while (len > 0)
        if (!image_inflate_read(inflate, &bytes, &len, err))
            return false;
    image_hash_finish(inflate->hash, ret_digest);
    return true;
}
