#include "config/library.h"

#include "config/evaluate.h"
#include "config/parser.h"

#include <assert.h>

/* The texts, which the build makes of library/, and how they are run. */

static const struct {
    const char *module, *text;
} TEXTS[] = {
#include "config_library.inc"
};

const char *library_text(const char *module_name)
{
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
        if (strcmp(TEXTS[i].module, module_name) == 0)
            return TEXTS[i].text;
    return NULL;
}

static enum flow run_body(struct vm *vm, const struct source *source, bool *ret_parsed)
{
    struct diagnostics errors = { .arena = vm->arena };
    struct code *code = parser_run(vm->arena, source, &errors, vm->warnings);
    *ret_parsed = code != NULL;
    if (!code)
        return FLOW_RAISE;
    struct frame *frame = arena_alloc(vm->arena, sizeof *frame); /* functions keep it */
    *frame = (struct frame){ .code = code };
    return execute_block(vm, frame, code->body);
}

bool library_run(struct vm *vm, const char *module_name, const char *text, struct dict *attributes)
{
    struct source *source = arena_alloc(vm->arena, sizeof *source);
    bool is_parsed;
    *source = (struct source){
        .path = "", .name = module_name, .text = slice_of(text), .globals = attributes
    };
    enum flow flow = run_body(vm, source, &is_parsed);
    assert(is_parsed); /* it is ours */
    return flow != FLOW_RAISE;
}
