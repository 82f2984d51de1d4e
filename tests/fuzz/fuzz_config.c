#include "config/compilation.h"
#include "config/grammar.h"

#include "base/alloc.h"

/* A whole compilation.  Up to three parts with NULs between them: the configuration; a second file that it may include
 * and read; and options: "f" to lay the file out, which must not change what it means, and "eKEY" to explain a value.
 * Besides what libFuzzer does with bytes, programs and statements from a grammar come in. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

static struct slice next_part(struct slice *rest)
{
    struct slice part = rest->ptr ? slice_split(rest, '\0') : (struct slice){ "", 0 };
    return part.ptr ? part : (struct slice){ "", 0 };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = { (const char *)data, size };
    struct slice main = next_part(&rest), lib = next_part(&rest), options = next_part(&rest);
    struct arena *arena = arena_new();
    struct compilation compilation;
    compilation_init(&compilation, main, lib);
    compilation.request.want_canonical_json = compilation.request.want_job_json = true;
    if (options.len && options.ptr[0] == 'e')
        compilation.request.explain = arena_memdup0(arena, options.ptr + 1, options.len - 1);
    if (options.len && options.ptr[0] == 'f')
        compilation_check_layout(arena, &compilation);
    else
        (void)compilation_run(arena, &compilation);
    arena_free(arena);
    return 0;
}

static size_t put(const struct text *text, uint8_t *data, size_t max_size)
{
    size_t len = text->len < max_size ? text->len : max_size;
    memcpy(data, text->ptr, len);
    return len;
}

static size_t insert_statement(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    struct text text = TEXT_INIT;
    size_t at = seed % (size + 1);
    const uint8_t *line = memchr(data + at, '\n', size - at);
    at = line ? (size_t)(line - data) + 1 : 0;
    text_add_bytes(&text, data, at);
    grammar_add_statement(&text, seed * 0x9e3779b97f4a7c15ULL);
    text_add_bytes(&text, data + at, size - at);
    size = put(&text, data, max_size);
    text_done(&text);
    return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    struct text text = TEXT_INIT;
    if (seed % 8 == 0)
        return insert_statement(data, size, max_size, seed / 8);
    if (seed % 8 > 1)
        return LLVMFuzzerMutate(data, size, max_size);
    grammar_add_program(&text, seed * 0x9e3779b97f4a7c15ULL);
    size = put(&text, data, max_size);
    text_done(&text);
    return size;
}
