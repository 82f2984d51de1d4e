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
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.ptr[i] == '\n') {
            take(lines, on_line, user);
            continue;
        }
        text_add_char(&lines->partial, bytes.ptr[i]);
        if (lines->partial.len == LINES_MAX_BYTES)
            take(lines, on_line, user);
    }
}

void lines_end(struct lines *lines, line_fn *on_line, void *user)
{
    if (lines->partial.len > 0)
        take(lines, on_line, user);
    text_done(&lines->partial);
}
