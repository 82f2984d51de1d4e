#include "config/diagnostic.h"

#include "config/limits.h"

bool diagnostics_add(struct diagnostics *list, const char *class, struct span at, const char *fmt,
                     ...)
{
    if (!list->items)
        list->items = arena_array(list->arena, LIMIT_SYNTAX_ERRORS, sizeof *list->items);
    if (list->count == LIMIT_SYNTAX_ERRORS)
        return false;
    va_list ap;
    va_start(ap, fmt);
    list->items[list->count++] = (struct diagnostic){
        .class = class,
        .message = arena_vprintf(list->arena, fmt, ap),
        .at = at,
    };
    va_end(ap);
    return false;
}
