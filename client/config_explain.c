#include "base/cleanup.h"
#include "client/config.h"
#include "client/diagnostic.h"
#include "client/output.h"
#include "json/message_json.h"

/* Where a value of a job comes from, step by step. */

typedef Eos__Config__V1__CompileResponse compile_response;
typedef Eos__Config__V1__ExplanationStep explanation_step;
typedef Eos__Config__V1__JobResult job_result;

static void add_indent(struct text *out, int depth)
{
    for (int i = 0; i < depth; i++)
        text_add(out, "  ");
}

/* A value of several lines goes on below, so that they line up. */
static void add_value(struct text *out, const char *value, int depth)
{
    cleanup_text struct text line = TEXT_INIT;
    struct slice rest = slice_of(value);
    bool is_one = !strchr(value, '\n');
    text_add(out, is_one ? " = " : " =");
    while (rest.ptr) {
        struct slice part = slice_split(&rest, '\n');
        if (!is_one) {
            text_add_char(out, '\n');
            add_indent(out, depth + 2);
        }
        text_clear(&line);
        text_add_slice(&line, part);
        output_add_printable(out, text_string(&line));
    }
}

static void add_step(struct text *out, const explanation_step *step, bool is_coloured)
{
    add_indent(out, step->depth);
    if (step->at) {
        cleanup_text struct text place = TEXT_INIT;
        text_printf(&place, "%s:%d:%d: ", step->at->file, step->at->line, step->at->column);
        output_add_coloured(out, is_coloured, COLOUR_BOLD, text_string(&place));
    }
    output_add_printable(out, step->text);
    if (step->value[0])
        add_value(out, step->value, step->depth);
    text_add_char(out, '\n');
    if (!step->at)
        return;
    add_indent(out, step->depth + 1);
    text_printf(out, "%5d | ", step->at->line);
    output_add_printable(out, step->at->source_line);
    text_add_char(out, '\n');
}

static const job_result *find_explained(const compile_response *response, size_t *ret_count)
{
    const job_result *found = NULL;
    *ret_count = 0;
    for (size_t i = 0; i < response->n_jobs; i++)
        if (response->jobs[i]->n_explanation > 0) {
            found = response->jobs[i];
            ++*ret_count;
        }
    return found;
}

static enum exit_status refuse(const compile_response *response, size_t count)
{
    cleanup_text struct text keys = TEXT_INIT;
    struct error err;
    for (size_t i = 0; i < response->n_jobs; i++)
        text_printf(&keys, "%s%s", i > 0 ? ", " : "", response->jobs[i]->key);
    error_set(&err, ERROR_NOT_FOUND, "%s; begin the path with the key of a job: %.180s",
              count > 1 ? "the configuration has several jobs" : "there is no such job",
              text_string(&keys));
    return output_complain(STATUS_INVALID_PARAMETER, &err);
}

static void add_json(struct text *out, const job_result *job)
{
    text_add(out, "{\"job\":");
    text_add_json_string(out, slice_of(job->key));
    text_add(out, ",\"steps\":[");
    for (size_t i = 0; i < job->n_explanation; i++) {
        text_add(out, i > 0 ? "," : "");
        message_to_json(&job->explanation[i]->base, out);
    }
    text_add(out, "]}\n");
}

/* That the job has an error is told as well, but is no failure: it may be what is asked about. */
enum exit_status config_explain(const struct invocation *invocation)
{
    cleanup_text struct text out = TEXT_INIT;
    struct source source;
    compile_response *response;
    size_t count;
    enum exit_status status = config_run(invocation, NULL, &source, &response);
    if (status != STATUS_OK)
        return status;
    const job_result *job = find_explained(response, &count);
    if (response->error) {
        compiler_report(response);
        return STATUS_INVALID_CONFIGURATION;
    }
    if (count != 1)
        return refuse(response, count);
    if (job->error)
        diagnostic_print(job->error);
    if (flags_want_json(invocation->flags))
        add_json(&out, job);
    for (size_t i = 0; !flags_want_json(invocation->flags) && i < job->n_explanation; i++)
        add_step(&out, job->explanation[i], output_has_colour(STDOUT_FILENO));
    status = output_print(&out);
    return status == STATUS_OK && job->explanation_failed ? STATUS_INVALID_PARAMETER : status;
}
