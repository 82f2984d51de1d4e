#include "client/dev/lines.h"

static void take(struct lines *lines, line_fn *on_line, void *user)
{
    struct slice line = text_slice(&lines->partial);
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    on_line(user, line);
    text_clear(&lines->partial);
}

void lines_feed(struct lines *lines, struct slice bytes, line_fn *on_line, void *user)
{
    while (bytes.len > 0) {
        size_t room = LINES_MAX_BYTES - lines->partial.len;
        size_t len = bytes.len < room ? bytes.len : room;
        const char *end = memchr(bytes.ptr, '\n', len);
        if (end)
            len = (size_t)(end - bytes.ptr);
        text_add_bytes(&lines->partial, bytes.ptr, len);
        if (end || len == room)
            take(lines, on_line, user);
        len += end != NULL;
        bytes.ptr += len;
        bytes.len -= len;
    }
}

void lines_end(struct lines *lines, line_fn *on_line, void *user)
{
    if (lines->partial.len > 0)
        take(lines, on_line, user);
    text_done(&lines->partial);
}
