#include "launcher/image_inflate.h"

#include "base/alloc.h"
#include "base/text.h"
#include "unit/test.h"

#include <string.h>
#include <zlib.h>
#include <zstd.h>

/* What zlib and zstd compress must come out again, however the source cuts it, and what is damaged must
 * not. */

#define PLAIN_BYTES (300u << 10)

static const struct image_limits limits = IMAGE_LIMITS;

struct chunks {
    struct image_source source;
    const char *bytes;
    size_t len, step;
};

static bool read_chunk(struct image_source *source, const char **ret_bytes, size_t *ret_len,
                       struct error *err)
{
    struct chunks *chunks = (struct chunks *)source;
    (void)err;
    size_t len = chunks->len < chunks->step ? chunks->len : chunks->step;
    *ret_bytes = chunks->bytes;
    *ret_len = len;
    chunks->bytes += len;
    chunks->len -= len;
    return true;
}

/* The digest, or false. */
static bool inflate_all(const struct text *packed, size_t step, char digest[IMAGE_DIGEST_BYTES],
                        struct error *err)
{
    struct chunks chunks = { { read_chunk, NULL }, packed->ptr, packed->len, step };
    struct image_inflate *inflate = image_inflate_open(&chunks.source, IMAGE_SHA256, &limits, err);
    assert_non_null(inflate);
    bool ok = image_inflate_finish(inflate, digest, err);
    image_inflate_close(inflate);
    return ok;
}

/* -- what is compressed --------------------------------------------------------------------------- */

static uint32_t random_state = 1;

static uint32_t next_random(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    return random_state >> 8;
}

/* Noise, words that come back from near and far, and long runs. */
static void make_plain(struct text *plain, size_t len)
{
    while (plain->len < len) {
        uint32_t kind = next_random() % 4, count = next_random() % 3000;
        size_t back = plain->len > 0 ? next_random() % plain->len : 0;
        if (back > 40000 && kind == 1)
            back = 32768;
        for (uint32_t i = 0; i < count; i++) {
            char c = kind == 0   ? (char)next_random()
                     : kind == 1 ? (plain->len > back ? plain->ptr[plain->len - back - 1] : 'a')
                     : kind == 2 ? "the quick brown fox "[(i + count) % 20]
                                 : 0;
            text_add_bytes(plain, &c, 1);
        }
    }
}

static void pack_gzip(struct text *packed, struct slice plain, int level, int strategy)
{
    char out[65536];
    z_stream z = { 0 };
    assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, 15 + 16, 9, strategy), Z_OK);
    gz_header header = { .extra = (Bytef *)"extra",
                         .extra_len = 5,
                         .name = (Bytef *)"name",
                         .comment = (Bytef *)"comment",
                         .hcrc = 1 };
    if (level % 2)
        deflateSetHeader(&z, &header);
    z.next_in = (Bytef *)plain.ptr;
    z.avail_in = (uInt)plain.len;
    int status;
    do {
        z.next_out = (Bytef *)out;
        z.avail_out = sizeof out;
        status = deflate(&z, Z_FINISH);
        text_add_bytes(packed, out, sizeof out - z.avail_out);
    } while (status == Z_OK || status == Z_BUF_ERROR);
    assert_int_equal(status, Z_STREAM_END);
    deflateEnd(&z);
}

static void pack_zstd(struct text *packed, struct slice plain, int level, int has_size)
{
    size_t bound = ZSTD_compressBound(plain.len), len;
    char *out = xcalloc(1, bound);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, has_size);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    len = ZSTD_compress2(context, out, bound, plain.ptr, plain.len);
    assert_false(ZSTD_isError(len));
    text_add_bytes(packed, out, len);
    ZSTD_freeCCtx(context);
    free(out);
}

static void pack_nothing(struct text *packed, struct slice plain, int level, int strategy)
{
    (void)level, (void)strategy;
    text_add_slice(packed, plain);
}

static const struct form {
    const char *name;
    void (*pack)(struct text *packed, struct slice plain, int level, int other);
    int level, other;
    size_t len, members;
} forms[] = {
    { "gzip, nothing in it", pack_gzip, 6, Z_DEFAULT_STRATEGY, 0, 1 },
    { "gzip, one byte", pack_gzip, 6, Z_DEFAULT_STRATEGY, 1, 1 },
    { "gzip, stored", pack_gzip, 0, Z_DEFAULT_STRATEGY, PLAIN_BYTES, 1 },
    { "gzip, fast", pack_gzip, 1, Z_DEFAULT_STRATEGY, PLAIN_BYTES, 1 },
    { "gzip, usual", pack_gzip, 6, Z_DEFAULT_STRATEGY, PLAIN_BYTES, 1 },
    { "gzip, best", pack_gzip, 9, Z_DEFAULT_STRATEGY, PLAIN_BYTES, 1 },
    { "gzip, fixed codes", pack_gzip, 6, Z_FIXED, PLAIN_BYTES, 1 },
    { "gzip, codes alone", pack_gzip, 6, Z_HUFFMAN_ONLY, PLAIN_BYTES, 1 },
    { "gzip, runs", pack_gzip, 6, Z_RLE, PLAIN_BYTES, 1 },
    { "gzip, many members", pack_gzip, 5, Z_DEFAULT_STRATEGY, 3000, 300 },
    { "gzip, many empty members", pack_gzip, 5, Z_DEFAULT_STRATEGY, 0, 300 },
    { "zstd, nothing in it", pack_zstd, 3, 1, 0, 1 },
    { "zstd, one byte", pack_zstd, 3, 1, 1, 1 },
    { "zstd, 300 bytes", pack_zstd, 3, 1, 300, 1 },
    { "zstd, size told", pack_zstd, 3, 1, PLAIN_BYTES, 1 },
    { "zstd, size not told", pack_zstd, 3, 0, PLAIN_BYTES, 1 },
    { "zstd, best", pack_zstd, 19, 0, PLAIN_BYTES / 4, 1 },
    { "zstd, many frames", pack_zstd, 3, 0, 3000, 300 },
    { "zstd, ever larger windows", pack_zstd, 3, 1, 70000, 20 },
    { "plain", pack_nothing, 0, 0, PLAIN_BYTES, 1 },
    { "plain, one byte", pack_nothing, 0, 0, 1, 1 },
};

static void make(const struct form *form, struct text *packed, char digest[IMAGE_DIGEST_BYTES])
{
    struct text plain = TEXT_INIT;
    random_state = 1;
    for (size_t i = 0; i < form->members; i++) {
        size_t start = plain.len;
        if (form->len > 0)
            make_plain(&plain, start + form->len + i);
        form->pack(packed, (struct slice){ text_string(&plain) + start, plain.len - start },
                   form->level, form->other);
    }
    image_digest_of(IMAGE_SHA256, text_slice(&plain), digest);
    text_done(&plain);
}

static void comes_out_again(void **state)
{
    static const size_t steps[] = { 1, 17, 65537, SIZE_MAX };
    const struct form *form = *state;
    struct text packed = TEXT_INIT;
    char wanted[IMAGE_DIGEST_BYTES], digest[IMAGE_DIGEST_BYTES];
    make(form, &packed, wanted);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct error err = { 0 };
        if (!inflate_all(&packed, steps[i], digest, &err))
            fail_msg("in steps of %zu: %s", steps[i], err.message);
        assert_string_equal(digest, wanted);
    }
    text_done(&packed);
}

/* Wherever one bit is wrong or the rest is missing.  A bit of the header's name or time changes
 * nothing; one of the magic number makes it something else, and one between members may end it. */
static void damage_is_seen(void **state)
{
    const struct form *form = *state;
    struct text packed = TEXT_INIT;
    char wanted[IMAGE_DIGEST_BYTES], digest[IMAGE_DIGEST_BYTES];
    struct error err = { 0 };
    make(form, &packed, wanted);
    for (unsigned turn = 0; turn < 8 && form->pack != pack_nothing; turn++) {
        size_t at = next_random() % packed.len, len = packed.len;
        char bit = (char)(1 << next_random() % 8);
        packed.ptr[at] ^= bit;
        assert_true(!inflate_all(&packed, 4096, digest, &err) || strcmp(digest, wanted) == 0 ||
                    form->members > 1 || at < 4);
        packed.ptr[at] ^= bit;
        packed.len = at + 1;
        if (packed.len < len && packed.len >= 4 && form->members == 1)
            assert_false(inflate_all(&packed, 4096, digest, &err));
        packed.len = len;
    }
    text_done(&packed);
}

int main(void)
{
    int failed = RUN_CASES(forms, comes_out_again);
    return failed + RUN_CASES(forms, damage_is_seen);
}
