#pragma once

#include "config/diagnostic.h"
#include "config/vm.h"
#include "eos/config/v1/config.pb-c.h"

/* One compilation: a request to a response, with nothing kept from one to the next.
 *
 * The answer is allocated in `arena` and refers to the request's bytes.  Mistakes in the
 * configuration are part of the answer. */
Eos__Config__V1__CompileResponse *compile_run(struct arena *arena,
                                              const Eos__Config__V1__CompileRequest *request);

/* Checks that a request can be worked on: sizes, counts, UTF-8.  INVALID_ARGUMENT or
 * RESOURCE_EXHAUSTED. */
bool compile_check_request(const Eos__Config__V1__CompileRequest *request,
                           struct error *err) MUST_CHECK;

/* What the vm knows of the request. */
struct compile_input {
    const Eos__Config__V1__CompileRequest *request;
    struct source *sources; /* one for each file of the request */
    const char *user;
    struct compile_script *scripts; /* parsed files */
};

/* include(): runs another file in the same names. */
bool compile_include(struct vm *vm, const struct string *path);

/* The file that the request has under this path (joined to nothing), or NULL; then `*ret_missing`
 * tells whether the caller has looked for it in vain, and why. */
const struct source *compile_find_source(struct vm *vm, const char *path, const char **ret_missing);

/* The path is wanted: stops the compilation.  Returns false. */
bool compile_need_file(struct vm *vm, const char *path);
