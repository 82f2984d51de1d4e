#include "client/sse_reader.h"

#include "base/alloc.h"

struct sse_reader {
    sse_event_fn *on_event;
    void *user;
    struct text line, name, data, id;
    bool has_data, last_was_cr;
};

struct sse_reader *sse_reader_new(sse_event_fn *on_event, void *user)
{
    struct sse_reader *reader = xcalloc(1, sizeof *reader);
    reader->on_event = on_event;
    reader->user = user;
    return reader;
}

void sse_reader_free(struct sse_reader *reader)
{
    if (!reader)
        return;
    text_done(&reader->line);
    text_done(&reader->name);
    text_done(&reader->data);
    text_done(&reader->id);
    free(reader);
}

static void set(struct text *field, struct slice value)
{
    text_clear(field);
    text_add_slice(field, value);
}

static bool dispatch(struct sse_reader *reader)
{
    struct sse_event event = {
        .name = reader->name.len > 0 ? text_slice(&reader->name) : SLICE("message"),
        .data = text_slice(&reader->data),
        .id = text_slice(&reader->id),
    };
    bool goes_on = !reader->has_data || reader->on_event(reader->user, &event);
    text_clear(&reader->name);
    text_clear(&reader->data);
    reader->has_data = false;
    return goes_on;
}

static void take_field(struct sse_reader *reader, struct slice name, struct slice value)
{
    if (slice_is(name, "event")) {
        set(&reader->name, value);
    } else if (slice_is(name, "id") && !memchr(value.ptr, '\0', value.len)) {
        set(&reader->id, value);
    } else if (slice_is(name, "data")) {
        if (reader->has_data)
            text_add_char(&reader->data, '\n');
        text_add_slice(&reader->data, value);
        reader->has_data = true;
    }
}

static bool take_line(struct sse_reader *reader)
{
    struct slice value = text_slice(&reader->line);
    if (value.len == 0)
        return dispatch(reader);
    struct slice name = slice_split(&value, ':');
    if (!value.ptr)
        value = SLICE("");
    if (value.len > 0 && value.ptr[0] == ' ') {
        value.ptr++;
        value.len--;
    }
    take_field(reader, name, value); /* a comment has an empty name */
    text_clear(&reader->line);
    return reader->data.len <= SSE_MAX_EVENT_BYTES;
}

/* Up to the next line end, or all. */
static size_t part_len(struct slice bytes)
{
    size_t len = 0;
    while (len < bytes.len && bytes.ptr[len] != '\n' && bytes.ptr[len] != '\r')
        len++;
    return len;
}

bool sse_reader_feed(struct sse_reader *reader, struct slice bytes)
{
    while (bytes.len > 0) {
        if (reader->last_was_cr && bytes.ptr[0] == '\n') {
            bytes.ptr++;
            bytes.len--;
            reader->last_was_cr = false;
            continue;
        }
        reader->last_was_cr = false;
        size_t len = part_len(bytes);
        text_add_bytes(&reader->line, bytes.ptr, len);
        if (reader->line.len > SSE_MAX_EVENT_BYTES)
            return false;
        if (len == bytes.len)
            return true;
        reader->last_was_cr = bytes.ptr[len] == '\r';
        bytes.ptr += len + 1;
        bytes.len -= len + 1;
        if (!take_line(reader))
            return false;
    }
    return true;
}
