#include "launcher/image_decoder.h"

#include "base/alloc.h"

#include <isa-l/igzip_lib.h>
#include <stddef.h>

/* ISA-L inflates twice as fast as zlib, and checks the sum and the length at the end of each member. */
struct gzip {
    struct image_decoder decoder;
    struct image_source *source;
    struct inflate_state state;
    bool is_in_member, has_ended;
};

/* False with `err`, or with `*ret_more` false at the end of the source. */
static bool read_more(struct gzip *gzip, bool *ret_more, struct error *err)
{
    const char *bytes = NULL;
    size_t len = 0;
    if (!gzip->source->read(gzip->source, &bytes, &len, err))
        return false;
    if (len > UINT32_MAX)
        return error_set(err, ERROR_INTERNAL, "the source gave over 4 GiB at once");
    gzip->state.next_in = (uint8_t *)bytes; /* which is only read */
    gzip->state.avail_in = (uint32_t)len;
    *ret_more = len > 0;
    return true;
}

/* -- the header of a member ----------------------------------------------------------------------- */

/* Read here, and its checksum with it skipped, since ISA-L 2.30 takes a header that comes in pieces for
 * damaged.  What was inflated has a checksum of its own. */
enum header_flag { HAS_HEADER_CRC = 2, HAS_EXTRA = 4, HAS_NAME = 8, HAS_COMMENT = 16 };

#define FIXED_HEADER   10
#define RESERVED_FLAGS 0xe0u
#define DEFLATE        8u

static bool fail_truncated(struct error *err)
{
    return error_set(err, ERROR_DATA_LOSS, "the archive is damaged: its gzip stream is truncated");
}

static bool next_byte(struct gzip *gzip, uint8_t *ret_byte, struct error *err)
{
    bool has_more = gzip->state.avail_in > 0;
    if (!has_more && !read_more(gzip, &has_more, err))
        return false;
    if (!has_more)
        return fail_truncated(err);
    *ret_byte = *gzip->state.next_in++;
    gzip->state.avail_in--;
    return true;
}

static bool skip_bytes(struct gzip *gzip, unsigned count, struct error *err)
{
    uint8_t byte;
    while (count-- > 0)
        if (!next_byte(gzip, &byte, err))
            return false;
    return true;
}

static bool skip_extra(struct gzip *gzip, struct error *err)
{
    uint8_t low = 0, high = 0;
    return next_byte(gzip, &low, err) && next_byte(gzip, &high, err) &&
           skip_bytes(gzip, low | (unsigned)high << 8, err);
}

static bool skip_string(struct gzip *gzip, struct error *err)
{
    uint8_t byte = 1;
    while (byte)
        if (!next_byte(gzip, &byte, err))
            return false;
    return true;
}

/* RFC 1952, 2.3. */
static bool read_header(struct gzip *gzip, struct error *err)
{
    uint8_t fixed[FIXED_HEADER];
    for (unsigned i = 0; i < FIXED_HEADER; i++)
        if (!next_byte(gzip, &fixed[i], err))
            return false;
    uint8_t flags = fixed[3];
    if (fixed[0] != 0x1f || fixed[1] != 0x8b || fixed[2] != DEFLATE || flags & RESERVED_FLAGS)
        return error_set(err, ERROR_DATA_LOSS, "the archive is damaged: its gzip header is none");
    return (!(flags & HAS_EXTRA) || skip_extra(gzip, err)) &&
           (!(flags & HAS_NAME) || skip_string(gzip, err)) &&
           (!(flags & HAS_COMMENT) || skip_string(gzip, err)) &&
           (!(flags & HAS_HEADER_CRC) || skip_bytes(gzip, 2, err));
}

/* The first one has to be there; after it, what is no other one is not looked at, as gzip does. */
static bool begin_member(struct gzip *gzip, struct error *err)
{
    bool has_more = gzip->state.avail_in > 0;
    if (!has_more && !read_more(gzip, &has_more, err))
        return false;
    gzip->has_ended = !has_more || gzip->state.next_in[0] != 0x1f;
    if (gzip->has_ended)
        return true;
    isal_inflate_reset(&gzip->state);
    gzip->state.crc_flag = ISAL_GZIP_NO_HDR_VER;
    gzip->is_in_member = true;
    return read_header(gzip, err);
}

/* -- the rest of it ------------------------------------------------------------------------------- */

/* What is decoded but had no room comes out without more input, so only a step that gives nothing
 * asks for some. */
static bool step(struct gzip *gzip, struct error *err)
{
    struct inflate_state *state = &gzip->state;
    if (!gzip->is_in_member)
        return begin_member(gzip, err);
    uint32_t room = state->avail_out;
    int status = isal_inflate(state);
    if (status != ISAL_DECOMP_OK)
        return error_set(err, ERROR_DATA_LOSS, "the archive is damaged: %s",
                         status == ISAL_INCORRECT_CHECKSUM ? "its gzip checksum is wrong"
                                                           : "it cannot be inflated");
    gzip->is_in_member = state->block_state != ISAL_BLOCK_FINISH;
    if (!gzip->is_in_member || state->avail_in > 0 || state->avail_out < room)
        return true;
    bool has_more = false;
    if (!read_more(gzip, &has_more, err))
        return false;
    return has_more || fail_truncated(err);
}

static bool fill_gzip(struct image_decoder *decoder, char *bytes, size_t size, size_t *ret_len,
                      struct error *err)
{
    struct gzip *gzip = (struct gzip *)decoder;
    gzip->state.next_out = (uint8_t *)bytes;
    gzip->state.avail_out = (uint32_t)size;
    while (!gzip->has_ended && gzip->state.avail_out > 0)
        if (!step(gzip, err))
            return false;
    *ret_len = size - gzip->state.avail_out;
    return true;
}

static void close_gzip(struct image_decoder *decoder)
{
    free(decoder);
}

struct image_decoder *image_gzip_open(struct image_source *source)
{
    struct gzip *gzip = xcalloc(1, sizeof *gzip);
    gzip->decoder = (struct image_decoder){ fill_gzip, close_gzip };
    gzip->source = source;
    isal_inflate_init(&gzip->state);
    return &gzip->decoder;
}
