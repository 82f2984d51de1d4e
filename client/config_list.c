#include "base/cleanup.h"
#include "client/config.h"
#include "client/diagnostic.h"
#include "client/output.h"

/* What a configuration consists of: the keys of its jobs, and the files that it reaches. */

typedef Eos__Config__V1__CompileResponse compile_response;
typedef Eos__Config__V1__SourceFile source_file;

static void add_item(struct text *out, bool is_json, bool *is_first, const char *item)
{
    if (is_json) {
        text_add(out, *is_first ? "" : ", ");
        text_add_json_string(out, slice_of(item));
    } else {
        output_add_printable(out, item);
        text_add_char(out, '\n');
    }
    *is_first = false;
}

/* -- list ----------------------------------------------------------------------------------------- */

/* Mistakes in a job are for `check`; here they count only when they leave the job without a key. */
static bool add_keys(struct text *out, bool is_json, const compile_response *response)
{
    bool is_first = true, is_whole = true;
    for (size_t i = 0; i < response->n_jobs; i++) {
        const Eos__Config__V1__JobResult *job = response->jobs[i];
        if (job->key[0]) {
            add_item(out, is_json, &is_first, job->key);
            continue;
        }
        is_whole = false;
        if (job->error)
            diagnostic_print(job->error);
    }
    return is_whole;
}

enum exit_status config_list(const struct invocation *invocation)
{
    bool is_json = flags_want_json(invocation->flags);
    cleanup_text struct text out = TEXT_INIT;
    struct source source;
    compile_response *response;
    enum exit_status status = config_run(invocation, NULL, &source, &response);
    if (status != STATUS_OK)
        return status;
    if (response->error) {
        compiler_report(response);
        return STATUS_INVALID_CONFIGURATION;
    }
    text_add(&out, is_json ? "[" : "");
    bool is_whole = add_keys(&out, is_json, response);
    text_add(&out, is_json ? "]\n" : "");
    status = output_print(&out);
    return is_whole ? status : STATUS_INVALID_CONFIGURATION;
}

/* -- deps ----------------------------------------------------------------------------------------- */

static bool add_files(struct text *out, bool is_json, const struct source *source)
{
    bool is_first = true, is_whole = true;
    for (size_t i = 1; i < source->request.n_files; i++) {
        const source_file *file = source->request.files[i];
        if (file->is_missing)
            is_whole = false;
        else
            add_item(out, is_json, &is_first, file->path);
    }
    return is_whole;
}

/* A configuration that does not load may not have come to all of its includes. */
enum exit_status config_deps(const struct invocation *invocation)
{
    bool is_json = flags_want_json(invocation->flags);
    cleanup_text struct text out = TEXT_INIT;
    struct source source;
    compile_response *response;
    enum exit_status status = config_run(invocation, NULL, &source, &response);
    if (status != STATUS_OK)
        return status;
    text_add(&out, is_json ? "[" : "");
    bool is_whole = add_files(&out, is_json, &source);
    text_add(&out, is_json ? "]\n" : "");
    bool is_loaded = !response->error || strcmp(response->error->class_, "no_such_job") == 0;
    if (!is_loaded)
        compiler_report(response);
    status = output_print(&out);
    return is_whole && is_loaded ? status : STATUS_INVALID_CONFIGURATION;
}
