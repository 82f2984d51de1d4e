#pragma once

#include "config/ast.h"
#include "config/diagnostic.h"

/* Parses a whole file and resolves its names.  NULL when there is an error in it; then `errors` has
 * at least one entry more, in the order of the text. */
struct code *parser_run(struct arena *arena, const struct source *source,
                        struct diagnostics *errors, struct diagnostics *warnings);
