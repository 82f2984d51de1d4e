#include "gateway/compiled.h"

#include "base/cleanup.h"
#include "json/message_json.h"

/* "file:line:col: Exception: message", of the first line only, as it becomes one sentence. */
static void describe(const Eos__Config__V1__Diagnostic *diagnostic, struct error *err)
{
    cleanup_text struct text sentence = TEXT_INIT;
    const Eos__Config__V1__Position *at = diagnostic->at;
    struct slice rest = slice_of(diagnostic->message);
    struct slice first = slice_trim(slice_split(&rest, '\n'));
    bool is_named = diagnostic->exception[0] && !slice_is(first, diagnostic->exception);
    if (at && at->line > 0)
        text_printf(&sentence, "%s:%d:%d: ", at->file, at->line, at->column);
    else if (at && at->file[0])
        text_printf(&sentence, "%s: ", at->file);
    if (is_named)
        text_printf(&sentence, "%s: ", diagnostic->exception);
    text_add_slice(&sentence, first);
    error_set(err, ERROR_INVALID_ARGUMENT, "%s", text_string(&sentence));
}

static void add_diagnostic(struct text *array, const Eos__Config__V1__Diagnostic *diagnostic)
{
    text_add_char(array, array->len == 0 ? '[' : ',');
    message_to_json(&diagnostic->base, array);
}

static bool fail_with(struct compiled *compiled, const Eos__Config__V1__Diagnostic *first,
                      Eos__Config__V1__Diagnostic **more, size_t count)
{
    describe(first, &compiled->err);
    add_diagnostic(&compiled->diagnostics, first);
    for (size_t i = 0; i < count; i++)
        add_diagnostic(&compiled->diagnostics, more[i]);
    text_add_char(&compiled->diagnostics, ']');
    return false;
}

static bool fail_count(const Eos__Config__V1__CompileResponse *response, struct error *err)
{
    cleanup_text struct text keys = TEXT_INIT;
    if (response->n_jobs == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "the configuration defines no such job");
    for (size_t i = 0; i < response->n_jobs; i++)
        text_printf(&keys, "%s%s", i > 0 ? ", " : "", response->jobs[i]->key);
    return error_set(err, ERROR_INVALID_ARGUMENT,
                     "the configuration defines %zu jobs, select one of them: %s", response->n_jobs,
                     text_string(&keys));
}

bool compiled_judge(const Eos__Config__V1__CompileResponse *response, const char *cluster,
                    struct compiled *ret_compiled)
{
    *ret_compiled = (struct compiled){ 0 };
    if (response->error)
        return fail_with(ret_compiled, response->error, response->more_errors,
                         response->n_more_errors);
    if (response->n_jobs != 1)
        return fail_count(response, &ret_compiled->err);

    const Eos__Config__V1__JobResult *result = response->jobs[0];
    if (result->error)
        return fail_with(ret_compiled, result->error, NULL, 0);
    if (!result->job)
        return error_set(&ret_compiled->err, ERROR_INTERNAL,
                         "the compiler answered with neither a job nor an error");
    if (strcmp(result->cluster, cluster) != 0)
        return error_set(&ret_compiled->err, ERROR_INVALID_ARGUMENT,
                         "the job is for the cluster \"%s\", and this is \"%s\"", result->cluster,
                         cluster);
    ret_compiled->result = result;
    return true;
}

void compiled_done(struct compiled *compiled)
{
    text_done(&compiled->diagnostics);
}
