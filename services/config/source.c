#include "config/source.h"

#include "config/value.h"

static uint32_t line_start(struct slice text, uint32_t at)
{
    while (at > 0 && text.ptr[at - 1] != '\n')
        at--;
    return at;
}

static uint32_t line_end(struct slice text, uint32_t at)
{
    while (at < text.len && text.ptr[at] != '\n' && text.ptr[at] != '\r')
        at++;
    return at;
}

struct place source_place(const struct source *source, uint32_t start, uint32_t end)
{
    struct slice text = source->text;
    if (start > text.len)
        start = (uint32_t)text.len;
    uint32_t first = line_start(text, start), last = line_end(text, start);
    if (start > last)
        start = last;
    if (end > last)
        end = last;
    if (end < start)
        end = start;
    int line = 1;
    for (uint32_t i = 0; i < first; i++)
        line += text.ptr[i] == '\n';
    return (struct place){
        .line = line,
        .column = 1 + (int)utf8_count(text.ptr + first, start - first),
        .end_column = 1 + (int)utf8_count(text.ptr + first, end - first),
        .line_text = { text.ptr + first, last - first },
    };
}
