#include "gateway/sse.h"

#include "base/cleanup.h"

#include <assert.h>
#include <inttypes.h>

/* Bytes at the end that cannot be judged before more has come: the beginning of a character, or CR. */
static size_t open_end(struct slice data)
{
    if (data.len > 0 && data.ptr[data.len - 1] == '\r')
        return 1;
    for (size_t back = 1; back <= 3 && back <= data.len; back++) {
        unsigned char c = (unsigned char)data.ptr[data.len - back];
        if ((c & 0xc0) == 0x80)
            continue;
        size_t wanted = c >= 0xf0 && c < 0xf5 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 1;
        return c >= 0xf5 || wanted <= back ? 0 : back;
    }
    return 0;
}

/* The length of the character at the start, or 0 when the bytes are none. */
static size_t character_len(struct slice data)
{
    for (size_t len = 1; len <= 4 && len <= data.len; len++)
        if (slice_is_utf8((struct slice){ data.ptr, len }))
            return len;
    return 0;
}

static void add_characters(struct text *out, struct slice line)
{
    if (slice_is_utf8(line)) {
        text_add_slice(out, line);
        return;
    }
    while (line.len > 0) {
        size_t len = character_len(line);
        if (len > 0)
            text_add_bytes(out, line.ptr, len);
        else
            text_add(out, "\xef\xbf\xbd");
        len = len > 0 ? len : 1;
        line.ptr += len;
        line.len -= len;
    }
}

static size_t line_len(struct slice data)
{
    size_t len = 0;
    while (len < data.len && data.ptr[len] != '\n' && data.ptr[len] != '\r')
        len++;
    return len;
}

static void add_lines(struct text *out, struct slice data)
{
    for (;;) {
        size_t len = line_len(data);
        text_add(out, "data: ");
        add_characters(out, (struct slice){ data.ptr, len });
        text_add_char(out, '\n');
        if (len == data.len)
            return;
        size_t end =
            data.ptr[len] == '\r' && len + 1 < data.len && data.ptr[len + 1] == '\n' ? 2 : 1;
        data.ptr += len + end;
        data.len -= len + end;
    }
}

static void add_event(struct sse_log *log, struct slice data, struct text *out)
{
    log->offset += data.len;
    text_printf(out, "id: %" PRId32 ":%" PRIu64 "\n", log->run, log->offset);
    add_lines(out, data);
    text_add_char(out, '\n');
}

void sse_add_data(struct sse_log *log, struct slice data, int32_t run, uint64_t offset,
                  struct text *out)
{
    cleanup_text struct text whole = TEXT_INIT;
    if (run != log->run)
        sse_add_rest(log, out);
    log->run = run;
    if (log->held_len == 0 || log->offset + log->held_len != offset) {
        log->held_len = 0; /* the stream begins, or goes on somewhere else */
        log->offset = offset;
    } else {
        text_add_bytes(&whole, log->held, log->held_len);
        text_add_slice(&whole, data);
        data = text_slice(&whole);
    }
    size_t open = open_end(data);
    if (data.len > open)
        add_event(log, (struct slice){ data.ptr, data.len - open }, out);
    assert(open <= sizeof log->held);
    if (open > 0)
        memcpy(log->held, data.ptr + data.len - open, open);
    log->held_len = open;
}

void sse_add_rest(struct sse_log *log, struct text *out)
{
    if (log->held_len > 0)
        add_event(log, (struct slice){ log->held, log->held_len }, out);
    log->held_len = 0;
}

bool sse_parse_id(struct slice id, int32_t *ret_run, uint64_t *ret_offset)
{
    struct slice rest = id, first = slice_split(&rest, ':');
    uint64_t run = 0, offset;
    bool has_run = rest.ptr != NULL;
    if ((has_run && !slice_to_u64(first, INT32_MAX, &run)) ||
        !slice_to_u64(has_run ? rest : first, INT64_MAX, &offset))
        return false;
    *ret_run = has_run ? (int32_t)run : -1;
    *ret_offset = offset;
    return true;
}

void sse_add_event(struct text *out, const char *name, const char *data)
{
    text_printf(out, "event: %s\ndata: %s\n\n", name, data);
}

void sse_add_heartbeat(struct text *out)
{
    text_add(out, ": heartbeat\n\n");
}
