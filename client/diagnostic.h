#pragma once

#include "base/text.h"

#include "eos/config/v1/config.pb-c.h"

/* Adds what the compiler found, as a reader of the file wants to see it:
 *
 *     hello.aurora:4:9: name 'tusk' is not defined
 *        4 | task = tusk
 *          |        ^^^^
 *       in call to make_job at hello.aurora:9:1
 *       hint: did you mean 'task'?
 *
 * Nothing in it can steer a terminal, and a long source line is cut around the column. */
void diagnostic_add(struct text *out, const Eos__Config__V1__Diagnostic *diagnostic,
                    bool is_coloured);

/* The same on stderr. */
void diagnostic_print(const Eos__Config__V1__Diagnostic *diagnostic);
