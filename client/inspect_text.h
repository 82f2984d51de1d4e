#pragma once

#include "base/error.h"
#include "base/text.h"

#include "eos/config/v1/config.pb-c.h"

/* A compiled job for people to read, in the layout of Aurora's `job inspect`.  DATA_LOSS when the
 * executor's text is not what the executor takes. */
bool inspect_add(struct text *out, const Eos__Config__V1__JobResult *result,
                 struct error *err) MUST_CHECK;
