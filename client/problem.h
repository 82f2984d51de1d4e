#pragma once

#include "base/error.h"
#include "base/slice.h"

/* Makes an error of what a gateway (or a proxy in front of it) answered with a status of 300 or
 * above: the sentence and code of a problem document, else what the status says. */
void problem_parse(long http_status, struct slice content_type, struct slice body,
                   struct error *ret_err);

/* "NOT_FOUND" and the like; UNKNOWN for any other. */
enum error_code problem_code(const char *name);
