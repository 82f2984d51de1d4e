#pragma once

#include "base/text.h"

#include <jansson.h>

/* Numbers are read as reals throughout: 1 and 1.0 count as equal. */
#define CASE_JSON (JSON_DECODE_INT_AS_REAL | JSON_DECODE_ANY | JSON_ALLOW_NUL)

/* --- case.c --- */

/* Compiles `<name>.aurora` in the current directory; NULL with the reason in `why`. */
json_t *case_compile(const char *program, const char *name, struct text *why);
json_t *case_expected(const char *name, struct text *why);

/* --- bind.c --- */

/* Replaces the open image references of a job result as the registry of the cases resolves them; an
 * image that does not exist makes the result an error. */
json_t *bind_job(json_t *job);

/* --- compare.c --- */

/* True when `got` is what was expected; else says in `why` where they differ first. */
bool compare_results(json_t *expected, json_t *got, struct text *why);
