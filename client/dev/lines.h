#pragma once

#include "base/text.h"

/* Cuts a stream of bytes into lines.  Pure. */
struct lines {
    struct text partial;
};

#define LINES_MAX_BYTES 16384u /* a longer line comes in pieces */

/* A line without its end. */
typedef void line_fn(void *user, struct slice line);

void lines_feed(struct lines *lines, struct slice bytes, line_fn *on_line, void *user);

/* What stands there without a line end is the last line; releases the memory. */
void lines_end(struct lines *lines, line_fn *on_line, void *user);
