#pragma once

#include "config/ast.h"
#include "config/diagnostic.h"

/* Decides for each name of a parsed file where it lives: in a slot of a frame, or in a table by
 * name.  Also finds `break` outside of loops and the like. */
void resolve_run(struct arena *arena, struct code *module, struct diagnostics *errors);
