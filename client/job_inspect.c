#include "base/cleanup.h"
#include "client/compiler.h"
#include "client/inspect_text.h"
#include "client/job.h"
#include "client/output.h"
#include "json/message_json.h"

typedef Eos__Config__V1__CompileResponse compile_response;

/* Without a compiler of our own the cluster's is asked; otherwise no cluster is needed. */
static enum exit_status compile(const struct invocation *invocation, const struct job_key *key,
                                struct source *source, compile_response **ret_response)
{
    const char *where = invocation->flags->compiler;
    bool is_local = where ? strcmp(where, "local") == 0 : compiler_is_local();
    struct error err;
    if (is_local)
        return compiler_run_local(source, ret_response, &err)
                   ? STATUS_OK
                   : output_complain(STATUS_INVALID_CONFIGURATION, &err);
    cleanup_gateway struct gateway *gateway = gateway_open(invocation, key->cluster, &err);
    if (!gateway)
        return output_complain(STATUS_INVALID_CONFIGURATION, &err);
    return compiler_run_on(gateway, source, ret_response, &err)
               ? STATUS_OK
               : output_complain(exit_status_of(err.code), &err);
}

static enum exit_status print_job(const struct invocation *invocation,
                                  const Eos__Config__V1__JobResult *result)
{
    cleanup_text struct text out = TEXT_INIT;
    struct error err;
    if (invocation->flags->raw)
        message_to_json_pretty(&result->job->base, &out);
    else if (flags_want_json(invocation->flags))
        text_printf(&out, "%s\n", result->job_json);
    else if (!inspect_add(&out, result, &err))
        return output_complain(STATUS_UNKNOWN_ERROR, &err);
    return output_print(&out);
}

enum exit_status job_inspect(const struct invocation *invocation)
{
    struct job_key key;
    struct source source;
    compile_response *response;
    struct error err;
    if (!job_key_parse(invocation->arguments[0], invocation->arena, &key, &err) ||
        !source_init(&source, invocation->arena, invocation->flags, &key, &err))
        return output_complain(STATUS_SYNTAX, &err);
    source.request.want_job_json = flags_want_json(invocation->flags);
    if (!source_read(&source, invocation->arguments[1], &err))
        return output_complain(STATUS_INVALID_CONFIGURATION, &err);
    enum exit_status status = compile(invocation, &key, &source, &response);
    if (status != STATUS_OK)
        return status;
    if (compiler_report(response))
        return STATUS_INVALID_CONFIGURATION;
    if (response->n_jobs == 1 && response->jobs[0]->job && response->jobs[0]->job->task_config)
        return print_job(invocation, response->jobs[0]);
    error_set(&err, ERROR_NOT_FOUND, "Could not find job %s",
              job_key_text(&key, invocation->arena));
    return output_complain(STATUS_INVALID_CONFIGURATION, &err);
}
