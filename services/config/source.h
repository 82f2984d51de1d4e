#pragma once

#include "base/arena.h"
#include "base/slice.h"

#include <stdint.h>

struct dict;

/* One file of source text, as it was sent. */
struct source {
    const char *path; /* as the request names it */
    const char *name; /* as messages name it */
    struct slice text;
    bool is_readable;     /* open() may read it */
    struct dict *globals; /* of a text that belongs to the language; NULL: the configuration's */
};

/* A range of bytes in a source. */
struct span {
    const struct source *source;
    uint32_t start, end;
};

struct place {
    int line, column, end_column; /* from 1; the end is behind the last character */
    struct slice line_text;
};

struct place source_place(const struct source *source, uint32_t start, uint32_t end);
