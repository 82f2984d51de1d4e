#include "client/config.h"

#include "base/cleanup.h"
#include "client/compiler.h"
#include "client/job_text.h"
#include "client/output.h"
#include "client/table.h"

typedef Eos__Config__V1__CompileResponse compile_response;
typedef Eos__Config__V1__Diagnostic diagnostic;
typedef Eos__Config__V1__JobResult job_result;

/* -- the canonical form --------------------------------------------------------------------------- */

static void add_member(struct text *out, const char *name, const char *value, bool *is_first)
{
    text_printf(out, "%s\"%s\": ", *is_first ? "" : ", ", name);
    text_add_json_string(out, slice_of(value));
    *is_first = false;
}

static void add_error(struct text *out, const diagnostic *error)
{
    bool is_first = true;
    text_add(out, "{\"error\": {");
    if (error->at && error->at->line > 0) {
        text_add(out, "\"at\": {\"file\": ");
        text_add_json_string(out, slice_of(error->at->file));
        text_printf(out, ", \"line\": %d}", error->at->line);
        is_first = false;
    }
    add_member(out, "class", error->class_, &is_first);
    if (error->exception[0])
        add_member(out, "exception", error->exception, &is_first);
    add_member(out, "message", error->message, &is_first);
    text_add(out, "}}");
}

static void add_job(struct text *out, const job_result *job)
{
    if (job->canonical_json[0])
        text_add(out, job->canonical_json);
    else if (job->error)
        add_error(out, job->error);
    else
        text_add(out, "{}");
}

static void add_canonical(struct text *out, const compile_response *response)
{
    if (response->error) {
        add_error(out, response->error);
        out->len--; /* its closing brace: more may follow */
    } else {
        text_add(out, "{\"jobs\": [");
        for (size_t i = 0; i < response->n_jobs; i++) {
            text_add(out, i > 0 ? ", " : "");
            add_job(out, response->jobs[i]);
        }
        text_add_char(out, ']');
    }
    if (response->printed[0]) {
        text_add(out, ", \"printed\": ");
        text_add_json_string(out, slice_of(response->printed));
    }
    text_add(out, "}\n");
}

/* -- the short form ------------------------------------------------------------------------------- */

static bool has_job(const compile_response *response)
{
    for (size_t i = 0; i < response->n_jobs; i++)
        if (response->jobs[i]->job)
            return true;
    return false;
}

static void add_table(struct text *out, const compile_response *response, struct arena *arena)
{
    static const char *const headings[] = { "JOB",       "KIND",      "INSTANCES",
                                            "RESOURCES", "CONTAINER", NULL };
    struct table *table = table_new(headings);
    for (size_t i = 0; i < response->n_jobs; i++) {
        const Eos__Job__V1__JobConfiguration *job = response->jobs[i]->job;
        if (!job || !job->task_config)
            continue;
        table_add(table, response->jobs[i]->key);
        table_add(table, job_kind_text(job));
        table_add(table, arena_printf(arena, "%d", job->instance_count));
        table_add(table, job_resources_text(job->task_config, arena));
        table_add(table, job_container_text(job->task_config, arena));
    }
    table_format(table, output_has_colour(STDOUT_FILENO), out);
    table_free(table);
}

/* What the configuration printed is part of the JSON, so only once there. */
static bool report(compile_response *response, bool is_json)
{
    char *printed = response->printed;
    if (is_json)
        response->printed = (char *)"";
    bool has_error = compiler_report(response);
    response->printed = printed;
    return has_error;
}

enum exit_status config_run(const struct invocation *invocation, const struct job_key *select,
                            struct source *source, compile_response **ret_response)
{
    struct error err;
    if (!source_init(source, invocation->arena, invocation->flags, select, &err))
        return output_complain(STATUS_SYNTAX, &err);
    source->request.want_canonical_json =
        invocation->verb->run == config_compile && flags_want_json(invocation->flags);
    if (invocation->verb->run == config_explain)
        source->request.explain = invocation->arguments[1];
    if (!source_read(source, invocation->arguments[0], &err) ||
        !compiler_run_local(source, ret_response, &err))
        return output_complain(STATUS_INVALID_CONFIGURATION, &err);
    return STATUS_OK;
}

enum exit_status config_compile(const struct invocation *invocation)
{
    const struct flags *flags = invocation->flags;
    cleanup_text struct text out = TEXT_INIT;
    struct job_key select;
    struct source source;
    compile_response *response;
    struct error err;

    if (flags->select && !job_selector_parse(flags->select, invocation->arena, &select, &err))
        return output_complain(STATUS_SYNTAX, &err);
    enum exit_status status =
        config_run(invocation, flags->select ? &select : NULL, &source, &response);
    if (status != STATUS_OK)
        return status;
    bool has_error = report(response, flags_want_json(flags));
    if (flags_want_json(flags))
        add_canonical(&out, response);
    else if (has_job(response))
        add_table(&out, response, invocation->arena);
    status = output_print(&out);
    return has_error ? STATUS_INVALID_CONFIGURATION : status;
}
