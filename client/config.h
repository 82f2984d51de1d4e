#pragma once

#include "client/compiler.h"
#include "client/verb.h"

verb_fn config_check;
verb_fn config_compile;
verb_fn config_deps;
verb_fn config_explain;
verb_fn config_fmt;
verb_fn config_list;

/* Reads FILE and compiles it here, as the flags say; `select` may be NULL.  A configuration with
 * mistakes is an answer: what the status is then is the verb's business.  Otherwise the error has been
 * told. */
enum exit_status config_run(const struct invocation *invocation, const struct job_key *select,
                            struct source *source, Eos__Config__V1__CompileResponse **ret_response);
