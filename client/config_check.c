#include "base/cleanup.h"
#include "client/config.h"
#include "client/diagnostic.h"
#include "client/output.h"
#include "json/message_json.h"

/* What is wrong with configurations, for editors and for builds: every finding of every file, and a
 * status that tells whether there was an error among them. */

typedef Eos__Config__V1__CompileResponse compile_response;
typedef Eos__Config__V1__Diagnostic diagnostic;
typedef Eos__Config__V1__JobResult job_result;
typedef Eos__Config__V1__Position position;

struct finding {
    const diagnostic *what;
    const char *job; /* its key; "" when it is about the file */
};

struct findings {
    struct arena *arena;
    struct finding *items;
    size_t count, capacity;
    size_t errors, warnings;
};

static void find(struct findings *findings, const diagnostic *what, const char *job)
{
    if (findings->count == findings->capacity) {
        size_t capacity = findings->capacity ? 2 * findings->capacity : 16;
        findings->items = arena_grow(findings->arena, findings->items,
                                     findings->capacity * sizeof *findings->items,
                                     capacity * sizeof *findings->items);
        findings->capacity = capacity;
    }
    findings->items[findings->count++] = (struct finding){ what, job };
    if (strcmp(what->severity, "warning") == 0)
        findings->warnings++;
    else
        findings->errors++;
}

static void find_all(struct findings *findings, diagnostic *const *what, size_t count,
                     const char *job)
{
    for (size_t i = 0; i < count; i++)
        find(findings, what[i], job);
}

/* A job that can be created but not updated works, and yet its owner wants to know: unless it is a cron
 * job, which is never updated. */
static void find_update_error(struct findings *findings, const job_result *job)
{
    if (!job->update_error || strcmp(job->update_error->class_, "cron_job") == 0)
        return;
    diagnostic *warning = arena_alloc(findings->arena, sizeof *warning);
    *warning = *job->update_error;
    warning->severity = (char *)"warning";
    warning->message = arena_printf(findings->arena, "the job \"%s\" cannot be updated: %s",
                                    job->key, job->update_error->message);
    find(findings, warning, job->key);
}

static void find_in_response(struct findings *findings, const compile_response *response)
{
    find_all(findings, response->warnings, response->n_warnings, "");
    if (response->error)
        find(findings, response->error, "");
    find_all(findings, response->more_errors, response->n_more_errors, "");
    for (size_t i = 0; i < response->n_jobs; i++) {
        const job_result *job = response->jobs[i];
        find_all(findings, job->warnings, job->n_warnings, job->key);
        if (job->error)
            find(findings, job->error, job->key);
        find_update_error(findings, job);
    }
}

/* A file that could not even be compiled counts like one with an error, and the others are checked all
 * the same. */
static void find_failure(struct findings *findings, const char *path, const struct error *err)
{
    diagnostic *error = arena_alloc(findings->arena, sizeof *error);
    position *at = arena_alloc(findings->arena, sizeof *at);
    eos__config__v1__diagnostic__init(error);
    eos__config__v1__position__init(at);
    at->file = (char *)path;
    error->severity = (char *)"error";
    error->class_ = (char *)"not_compiled";
    error->message = arena_strdup(findings->arena, err->message);
    error->at = at;
    find(findings, error, "");
}

/* -- what is printed ------------------------------------------------------------------------------ */

/* What is said of a job as a whole has no line: then it is the file's, and the job is named below. */
static void add_finding(struct text *out, const char *path, const struct finding *finding,
                        bool is_coloured)
{
    diagnostic copy = *finding->what;
    position at = EOS__CONFIG__V1__POSITION__INIT;
    Eos__Config__V1__Frame job = EOS__CONFIG__V1__FRAME__INIT, *frames[] = { &job };
    cleanup_text struct text name = TEXT_INIT;
    if (!copy.at || !copy.at->file[0]) {
        at.file = (char *)path;
        copy.at = &at;
    }
    if (copy.n_frames == 0 && finding->job[0]) {
        text_printf(&name, "in job %s", finding->job);
        job.description = (char *)text_string(&name);
        copy.frames = frames;
        copy.n_frames = 1;
    }
    diagnostic_add(out, &copy, is_coloured);
}

static void add_finding_json(struct text *out, const struct finding *finding)
{
    cleanup_text struct text json = TEXT_INIT;
    message_to_json(&finding->what->base, &json);
    text_add(out, "{\"job\":");
    text_add_json_string(out, slice_of(finding->job));
    text_add_char(out, ',');
    text_add_bytes(out, json.ptr + 1, json.len - 1); /* behind its brace */
}

static void add_keys_json(struct text *out, const compile_response *response)
{
    bool is_first = true;
    for (size_t i = 0; response && i < response->n_jobs; i++) {
        if (!response->jobs[i]->key[0])
            continue;
        text_add(out, is_first ? "" : ",");
        text_add_json_string(out, slice_of(response->jobs[i]->key));
        is_first = false;
    }
}

static void add_file_json(struct text *out, const char *path, const compile_response *response,
                          const struct findings *findings, size_t first)
{
    text_add(out, "{\"file\":");
    text_add_json_string(out, slice_of(path));
    text_add(out, ",\"jobs\":[");
    add_keys_json(out, response);
    text_add(out, "],\"diagnostics\":[");
    for (size_t i = first; i < findings->count; i++) {
        text_add(out, i > first ? "," : "");
        add_finding_json(out, &findings->items[i]);
    }
    text_add(out, "]}");
}

/* -- the verb ------------------------------------------------------------------------------------- */

static compile_response *check_file(const struct invocation *invocation, const char *path,
                                    struct findings *findings)
{
    struct source source;
    compile_response *response;
    struct error err;
    if (!source_init(&source, invocation->arena, invocation->flags, NULL, &err) ||
        !source_read(&source, path, &err) || !compiler_run_local(&source, &response, &err)) {
        find_failure(findings, path, &err);
        return NULL;
    }
    find_in_response(findings, response);
    return response;
}

enum exit_status config_check(const struct invocation *invocation)
{
    bool is_json = flags_want_json(invocation->flags), is_coloured = output_has_colour(1);
    struct findings findings = { .arena = invocation->arena };
    cleanup_text struct text out = TEXT_INIT;
    struct source source;
    struct error err;

    if (!source_init(&source, invocation->arena, invocation->flags, NULL, &err))
        return output_complain(STATUS_SYNTAX, &err);
    text_add(&out, is_json ? "{\"files\":[" : "");
    for (int i = 0; i < invocation->argument_count; i++) {
        const char *path = invocation->arguments[i];
        size_t first = findings.count;
        const compile_response *response = check_file(invocation, path, &findings);
        text_add(&out, is_json && i > 0 ? "," : "");
        if (is_json)
            add_file_json(&out, path, response, &findings, first);
        for (size_t j = first; !is_json && j < findings.count; j++)
            add_finding(&out, path, &findings.items[j], is_coloured);
    }
    if (is_json)
        text_printf(&out, "],\"errors\":%zu,\"warnings\":%zu}\n", findings.errors,
                    findings.warnings);
    enum exit_status status = output_print(&out);
    return findings.errors > 0 ? STATUS_INVALID_CONFIGURATION : status;
}
