#pragma once

#include "client/gateway.h"
#include "client/source.h"

/* Whether eos-config stands beside this program. */
bool compiler_is_local(void);

/* Compiles with eos-config as a child, without any cluster.  The answer lives in the source's arena.
 * A configuration with mistakes is an answer; an error here means that there is none. */
bool compiler_run_local(struct source *source, Eos__Config__V1__CompileResponse **ret_response,
                        struct error *err) MUST_CHECK;

/* Sends the files to the gateway's compiler. */
bool compiler_run_on(struct gateway *gateway, struct source *source,
                     Eos__Config__V1__CompileResponse **ret_response, struct error *err) MUST_CHECK;

/* Prints what the configuration printed, and all diagnostics, on stderr.  Whether there was an error
 * among them. */
bool compiler_report(const Eos__Config__V1__CompileResponse *response);

/* The path of a program of the suite that stands beside this one. */
const char *program_beside(const char *name, struct arena *arena);
