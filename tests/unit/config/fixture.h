#pragma once

#include "base/text.h"
#include "config/compile.h"

/* A compilation of one text called test.aurora, with what the tests of all files need around it. */
struct fixture {
    struct arena *arena;
    Eos__Config__V1__CompileRequest request;
    Eos__Config__V1__CompileResponse *response;
};

void fixture_init(struct fixture *fixture, const char *text);
/* Another file beside it. */
void fixture_add_file(struct fixture *fixture, const char *path, const char *text);
void fixture_add_missing(struct fixture *fixture, const char *path);
void fixture_bind(struct fixture *fixture, const char *binding);
void fixture_run(struct fixture *fixture);
void fixture_done(struct fixture *fixture);

/* One line that says what came out: the printed text, or "class: message" of the error; for a job that failed
 * "job: class: message". */
const char *fixture_outcome(struct fixture *fixture);
