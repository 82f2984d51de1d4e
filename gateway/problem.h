#pragma once

#include "base/error.h"
#include "base/text.h"

/* Errors as the public API shows them: problem documents of RFC 9457. */

/* "NOT_FOUND"; "UNKNOWN" for a number that is no code. */
const char *problem_code_name(enum error_code code);

/* The HTTP status of a code, by error_codes.def. */
int problem_status(enum error_code code);

/* "Not Found"; "Unknown" for a status without a name. */
const char *problem_title(int status);

/* Seconds until a repetition makes sense, for Retry-After; 0: none. */
unsigned problem_retry_after(int status, enum error_code code);

/* Adds {"type", "title", "status", "detail", "code"} and, when given, `diagnostics`, a JSON array of
 * eos.config.v1.Diagnostic. */
void problem_format(struct text *out, int status, const struct error *err, const char *diagnostics);
