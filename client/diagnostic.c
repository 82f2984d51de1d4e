#include "client/diagnostic.h"

#include "base/cleanup.h"
#include "client/output.h"

#define EXCERPT_WIDTH 100
#define EXCERPT_LEAD  60 /* characters in front of the column, at most */
#define GUTTER_WIDTH  5

static void add_place(struct text *out, const Eos__Config__V1__Position *at)
{
    output_add_printable(out, at->file);
    if (at->line > 0)
        text_printf(out, ":%d", at->line);
    if (at->line > 0 && at->column > 0)
        text_printf(out, ":%d", at->column);
}

static bool has_place(const Eos__Config__V1__Position *at)
{
    return at && (at->file[0] || at->line > 0);
}

/* The bytes behind `count` characters. */
static const char *skip(const char *text, int count)
{
    while (*text && count-- > 0)
        do
            text++;
        while (((unsigned char)*text & 0xc0) == 0x80);
    return text;
}

static int count_characters(const char *from, const char *to)
{
    int count = 0;
    for (; from < to; from++)
        count += ((unsigned char)*from & 0xc0) != 0x80;
    return count;
}

/* What of a source line is shown, and where the marked range lies in it, in bytes. */
struct excerpt {
    const char *start, *end, *mark, *mark_end;
};

static struct excerpt cut(const Eos__Config__V1__Position *at)
{
    const char *line = at->source_line, *end = line + strlen(line);
    while (end > line && (end[-1] == '\r' || end[-1] == '\n'))
        end--;
    int column = at->column > 0 ? at->column - 1 : 0;
    int first = column > EXCERPT_LEAD ? column - EXCERPT_LEAD : 0;
    struct excerpt excerpt = { .start = skip(line, first), .mark = skip(line, column) };
    if (excerpt.start > end)
        excerpt.start = end;
    excerpt.end = skip(excerpt.start, EXCERPT_WIDTH);
    excerpt.mark_end = at->end_column > at->column ? skip(line, at->end_column - 1) : excerpt.mark;
    if (excerpt.end > end)
        excerpt.end = end;
    if (excerpt.mark > excerpt.end)
        excerpt.mark = excerpt.end;
    if (excerpt.mark_end > excerpt.end)
        excerpt.mark_end = excerpt.end;
    return excerpt;
}

static void add_gutter(struct text *out, int line, bool is_coloured)
{
    char number[24];
    if (line > 0)
        snprintf(number, sizeof number, "%*d | ", GUTTER_WIDTH, line);
    else
        snprintf(number, sizeof number, "%*s | ", GUTTER_WIDTH, "");
    output_add_coloured(out, is_coloured, COLOUR_DIM, number);
}

static void add_source(struct text *out, const Eos__Config__V1__Position *at, bool is_coloured)
{
    if (!at->source_line[0] || at->line <= 0)
        return;
    cleanup_text struct text raw = TEXT_INIT, mark = TEXT_INIT;
    struct excerpt excerpt = cut(at);
    add_gutter(out, at->line, is_coloured);
    text_add_bytes(&raw, excerpt.start, (size_t)(excerpt.end - excerpt.start));
    output_add_printable(out, text_string(&raw));
    text_add_char(out, '\n');
    if (at->column <= 0)
        return;

    add_gutter(out, 0, is_coloured);
    for (const char *c = excerpt.start; c < excerpt.mark; c++) /* tabs stay, so that it lines up */
        if (((unsigned char)*c & 0xc0) != 0x80)
            text_add_char(out, *c == '\t' ? '\t' : ' ');
    int width = count_characters(excerpt.mark, excerpt.mark_end);
    for (int i = 0; i < (width > 0 ? width : 1); i++)
        text_add_char(&mark, '^');
    output_add_coloured(out, is_coloured, COLOUR_GREEN, text_string(&mark));
    text_add_char(out, '\n');
}

static void add_frame(struct text *out, const Eos__Config__V1__Frame *frame)
{
    text_add(out, "  ");
    output_add_printable(out, frame->description);
    if (has_place(frame->at)) {
        text_add(out, " at ");
        add_place(out, frame->at);
    }
    text_add_char(out, '\n');
}

/* "KeyError: 'x'": the message alone may be nothing but a value. */
static void add_exception(struct text *out, const Eos__Config__V1__Diagnostic *diagnostic)
{
    if (!diagnostic->exception[0] || strcmp(diagnostic->exception, diagnostic->message) == 0)
        return;
    output_add_printable(out, diagnostic->exception);
    text_add(out, ": ");
}

void diagnostic_add(struct text *out, const Eos__Config__V1__Diagnostic *diagnostic,
                    bool is_coloured)
{
    const Eos__Config__V1__Position *at = diagnostic->at;
    bool is_warning = strcmp(diagnostic->severity, "warning") == 0;
    cleanup_text struct text place = TEXT_INIT, message = TEXT_INIT;

    if (has_place(at)) {
        add_place(&place, at);
        text_add(&place, ": ");
        output_add_coloured(out, is_coloured, COLOUR_BOLD, text_string(&place));
    }
    if (is_warning)
        output_add_coloured(out, is_coloured, COLOUR_YELLOW, "warning: ");
    add_exception(&message, diagnostic);
    output_add_printable(&message, diagnostic->message);
    output_add_coloured(out, is_coloured, is_warning ? COLOUR_NONE : COLOUR_RED,
                        text_string(&message));
    text_add_char(out, '\n');
    if (has_place(at))
        add_source(out, at, is_coloured);
    for (size_t i = 0; i < diagnostic->n_frames; i++)
        add_frame(out, diagnostic->frames[i]);
    if (diagnostic->hint[0]) {
        text_add(out, "  hint: ");
        output_add_printable(out, diagnostic->hint);
        text_add_char(out, '\n');
    }
}

void diagnostic_print(const Eos__Config__V1__Diagnostic *diagnostic)
{
    cleanup_text struct text out = TEXT_INIT;
    diagnostic_add(&out, diagnostic, output_has_colour(STDERR_FILENO));
    fwrite(out.ptr, 1, out.len, stderr);
}
