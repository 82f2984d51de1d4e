#include "config/diagnostic.h"
#include "config/layout.h"
#include "config/parser.h"

#include <stdlib.h>

/* Lexer and parser, and the layout of what they accept: its tokens are the same, and laying it out again changes
 * nothing. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool parse(struct arena *arena, const struct source *source)
{
    struct diagnostics errors = { .arena = arena }, warnings = { .arena = arena };
    struct code *code = parser_run(arena, source, &errors, &warnings);
    if (!code && errors.count == 0)
        abort();
    for (size_t i = 0; i < errors.count; i++)
        if (errors.items[i].at.source && errors.items[i].at.end > source->text.len + 1)
            abort();
    return code != NULL;
}

static struct slice lay_out(struct arena *arena, const struct source *source)
{
    struct slice text = { "", 0 };
    struct error err;
    if (!layout_format(arena, source, &text, &err) && err.code != ERROR_RESOURCE_EXHAUSTED)
        abort();
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct source source = { .path = "main.aurora", .name = "main.aurora" }, again = source;
    source.text = (struct slice){ arena_memdup0(arena, data, size), size };
    if (slice_is_utf8(source.text) && !memchr(source.text.ptr, '\0', size) &&
        parse(arena, &source)) {
        again.text = lay_out(arena, &source);
        struct slice twice = lay_out(arena, &again);
        if (!parse(arena, &again) || twice.len != again.text.len ||
            memcmp(twice.ptr, again.text.ptr, twice.len) != 0)
            abort();
    }
    arena_free(arena);
    return 0;
}
