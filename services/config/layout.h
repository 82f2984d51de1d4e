#pragma once

#include "base/error.h"
#include "config/lexer.h"

/* Lays a source out anew: indentation of two columns, one blank between tokens where Python's style has
 * one, no blanks at line ends, at most two empty lines.  Line breaks, comments, quotes and the insides of
 * texts stay, lines in brackets keep their place relative to what they hang on, and comments that stand
 * below each other go on doing so.  The tokens are the same as before, and laying out twice is the same
 * as once.
 *
 * `source` has been parsed without errors.  The result lives in `arena`.  RESOURCE_EXHAUSTED when it is
 * too large; INTERNAL when it would not have the same tokens. */
bool layout_format(struct arena *arena, const struct source *source, struct slice *ret_text,
                   struct error *err) MUST_CHECK;
