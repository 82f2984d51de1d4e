#pragma once

#include "base/error.h"
#include "base/text.h"

#include "eos/config/v1/config.pb-c.h"

/* What the answer of the compiler means for one who wants to create exactly one job. */
struct compiled {
    const Eos__Config__V1__JobResult *result; /* borrowed from the answer; has a job */
    struct error err;                         /* otherwise: one sentence, with file:line:col */
    struct text diagnostics;                  /* and all of them, as a JSON array; may be empty */
};

/* False when there is no job to create.  The answer has no needed files.  Release with
 * compiled_done() in any case. */
bool compiled_judge(const Eos__Config__V1__CompileResponse *response, const char *cluster,
                    struct compiled *ret_compiled);
void compiled_done(struct compiled *compiled);
