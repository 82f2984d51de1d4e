#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

/* References such as `{{mesos.instance}}` in the texts of a task, which only the host can fill in. */

#define TEMPLATE_MAX_PASSES 100        /* a value may hold references itself */
#define TEMPLATE_MAX_BYTES  (1u << 20) /* of one text, filled in */

/* Gives the value of a reference (in its plain form: no braces, no leading dot), or NULL when it has
 * none.  The value is borrowed until the text is done. */
typedef const char *template_lookup_fn(void *user, struct slice reference);

/* Fills in all references of `text`; the result lives in `arena`.  `{{&x}}` becomes `{{x}}`.
 *   INVALID_ARGUMENT    a text between braces is no reference, or one has no value (all of them are
 *                       named), or values refer to each other in a circle
 *   RESOURCE_EXHAUSTED  the result is over TEMPLATE_MAX_BYTES */
bool template_fill(struct slice text, template_lookup_fn *lookup, void *user, struct arena *arena,
                   const char **ret_text, struct error *err) MUST_CHECK;
