#pragma once

#include "config/compile.h"

/* What the targets of the compiler share: a request about text in memory, with surroundings that never change. */

struct compilation {
    Eos__Config__V1__CompileRequest request;
    Eos__Config__V1__SourceFile files[2], *list[2];
    char *bindings[2];
};

/* A request about `main.aurora`, with `lib.aurora` beside it.  The texts must outlive it. */
void compilation_init(struct compilation *compilation, struct slice main, struct slice lib);

/* The answer, or NULL when the request is refused. */
const Eos__Config__V1__CompileResponse *compilation_run(struct arena *arena,
                                                        struct compilation *compilation);

/* Lays the file out and stops the program when that changes what the configuration means, or when laying out the
 * result again gives something else. */
void compilation_check_layout(struct arena *arena, struct compilation *compilation);
