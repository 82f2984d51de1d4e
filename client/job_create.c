#include "base/cleanup.h"
#include "client/compiler.h"
#include "client/fetch.h"
#include "client/job.h"
#include "client/job_wait.h"
#include "client/output.h"
#include "json/message_json.h"

#include "eos/gateway/v1/gateway.pb-c.h"

typedef Eos__Config__V1__CompileResponse compile_response;
typedef Eos__Gateway__V1__CreateJobRequest create_request;
typedef Eos__Gateway__V1__CreateJobResponse create_response;

#define SILENCE_MAX_MS 60000 /* of a gateway while a job is waited for */

struct create {
    const struct invocation *invocation;
    struct gateway *gateway;
    struct job_key key;
    create_response *response;
};

/* -- compiling ------------------------------------------------------------------------------------ */

static bool compile(struct create *create, struct source *source, compile_response **ret_response,
                    struct error *err)
{
    const char *where = create->invocation->flags->compiler;
    bool is_local = where ? strcmp(where, "local") == 0 : compiler_is_local();
    return is_local ? compiler_run_local(source, ret_response, err)
                    : compiler_run_on(create->gateway, source, ret_response, err);
}

/* NULL after everything was said, with the exit status. */
static Eos__Job__V1__JobConfiguration *compile_job(struct create *create,
                                                   enum exit_status *ret_status)
{
    const struct invocation *invocation = create->invocation;
    struct source source;
    compile_response *response;
    struct error err;

    *ret_status = STATUS_INVALID_CONFIGURATION;
    if (!source_init(&source, invocation->arena, invocation->flags, &create->key, &err)) {
        *ret_status = output_complain(STATUS_SYNTAX, &err);
        return NULL;
    }
    if (!source_read(&source, invocation->arguments[1], &err) ||
        !compile(create, &source, &response, &err)) {
        if (err.code == ERROR_UNAVAILABLE || err.code == ERROR_UNAUTHENTICATED)
            *ret_status = exit_status_of(err.code);
        output_complain(*ret_status, &err);
        return NULL;
    }
    if (compiler_report(response))
        return NULL;
    if (response->n_jobs == 1 && response->jobs[0]->job)
        return response->jobs[0]->job;
    error_set(&err, ERROR_NOT_FOUND, "Could not find job %s",
              job_key_text(&create->key, invocation->arena));
    output_complain(*ret_status, &err);
    return NULL;
}

/* -- creating ------------------------------------------------------------------------------------- */

/* The scheduler never says NOT_FOUND here: it is an image. */
static enum exit_status status_of_refusal(enum error_code code)
{
    static const enum error_code own[] = { ERROR_UNAVAILABLE, ERROR_DEADLINE_EXCEEDED,
                                           ERROR_UNAUTHENTICATED, ERROR_PERMISSION_DENIED,
                                           ERROR_DATA_LOSS };
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (code == own[i])
            return exit_status_of(code);
    return code == ERROR_NOT_FOUND ? STATUS_INVALID_CONFIGURATION : STATUS_COMMAND_FAILURE;
}

static enum exit_status send(struct create *create, Eos__Job__V1__JobConfiguration *job)
{
    create_request request = EOS__GATEWAY__V1__CREATE_JOB_REQUEST__INIT;
    ProtobufCMessage *message;
    struct error err;
    request.what_case = EOS__GATEWAY__V1__CREATE_JOB_REQUEST__WHAT_JOB;
    request.job = job;
    request.cluster = (char *)create->key.cluster;
    request.pin = create->invocation->flags->pin;
    request.no_pin = create->invocation->flags->no_pin;
    request.skip_cache = create->invocation->flags->skip_cache;
    request.request_id = gateway_request_id(create->invocation->arena);
    output_progress("creating the job");
    if (!gateway_call(create->gateway, "POST", "/v1/jobs", &request.base,
                      &eos__gateway__v1__create_job_response__descriptor, create->invocation->arena,
                      &message, &err))
        return output_complain(status_of_refusal(err.code), &err);
    create->response = (create_response *)message;
    return STATUS_OK;
}

/* -- waiting -------------------------------------------------------------------------------------- */

struct wait {
    const struct create *create;
    enum job_goal goal;
    int64_t created_at_ms, started_ms, answered_ms;
};

/* One look at the tasks; false when the gateway did not answer. */
static bool look(const struct wait *wait, struct arena *arena, struct job_progress *ret_progress,
                 struct error *err)
{
    const struct create *create = wait->create;
    struct task_query query = { .key = &create->key };
    Eos__Job__V1__ScheduledTask **tasks;
    size_t count;
    if (!fetch_tasks(create->gateway, &query, arena, &tasks, &count, err))
        return false;
    *ret_progress = job_wait_judge(wait->goal, tasks, count, create->response->instance_count,
                                   wait->created_at_ms, arena);
    return true;
}

static void show_progress(const struct create *create, const struct job_progress *progress)
{
    cleanup_text struct text line = TEXT_INIT;
    text_printf(&line, "waiting for %s: %d of %d instances, %s",
                create->invocation->flags->wait_until, progress->reached, progress->total,
                progress->message);
    output_progress(text_string(&line));
}

/* Why it takes so long, in the scheduler's words where it has some. */
static enum exit_status give_up(const struct create *create, const struct job_progress *progress,
                                struct arena *arena)
{
    Eos__Scheduler__V1__PendingReasonsResponse *pending;
    struct error err;
    const char *why = progress->message;
    if (fetch_pending(create->gateway, &create->key, arena, &pending, &err) &&
        pending->n_reasons > 0)
        why = arena_printf(arena, "instance %d is PENDING: %s", pending->reasons[0]->instance_id,
                           pending->reasons[0]->reason);
    error_set(&err, ERROR_DEADLINE_EXCEEDED, "%d of %d instances are not %s in time: %s",
              progress->total - progress->reached, progress->total,
              create->invocation->flags->wait_until, why);
    return output_complain(STATUS_TIMEOUT, &err);
}

static enum exit_status fail_wait(const struct job_progress *progress)
{
    struct error err;
    error_set(&err, ERROR_ABORTED, "the job was created, but %s", progress->message);
    return output_complain(STATUS_COMMAND_FAILURE, &err);
}

/* Looks once and says whether that was the end of it.  A gateway that is away for a while is no end. */
static bool wait_step(struct wait *wait, struct arena *arena, enum exit_status *ret_status)
{
    const struct create *create = wait->create;
    int64_t timeout_ms = create->invocation->flags->timeout_ms;
    struct job_progress progress = { .total = create->response->instance_count,
                                     .message = "the gateway does not answer" };
    struct error err;
    bool is_answered = look(wait, arena, &progress, &err);
    int64_t now_ms = job_now_ms();
    if (is_answered)
        wait->answered_ms = now_ms;
    if (!is_answered && now_ms - wait->answered_ms > SILENCE_MAX_MS)
        *ret_status = output_complain(exit_status_of(err.code), &err);
    else if (progress.outcome == OUTCOME_REACHED)
        *ret_status = STATUS_OK;
    else if (progress.outcome == OUTCOME_FAILED)
        *ret_status = fail_wait(&progress);
    else if (timeout_ms > 0 && now_ms - wait->started_ms > timeout_ms)
        *ret_status = give_up(create, &progress, arena);
    else {
        show_progress(create, &progress);
        return false;
    }
    return true;
}

static enum exit_status wait_for(struct wait *wait)
{
    enum exit_status status = STATUS_OK;
    int pause_ms = 0;
    for (bool is_over = false; !is_over;) {
        struct arena *arena = arena_new();
        is_over = wait_step(wait, arena, &status);
        arena_free(arena);
        if (!is_over)
            job_pause(&pause_ms);
    }
    output_progress(NULL);
    return status;
}

static enum exit_status wait_as_told(const struct create *create)
{
    const char *until = create->invocation->flags->wait_until;
    Eos__Scheduler__V1__GetJobResponse *job;
    struct error err;
    if (strcmp(until, "PENDING") == 0)
        return STATUS_OK;
    if (!fetch_job(create->gateway, &create->key, create->invocation->arena, &job, &err))
        return output_complain(exit_status_of(err.code), &err);
    struct wait wait = { .create = create,
                         .goal = strcmp(until, "RUNNING") == 0 ? GOAL_RUNNING : GOAL_FINISHED,
                         .created_at_ms = job->created_at_ms,
                         .started_ms = job_now_ms(),
                         .answered_ms = job_now_ms() };
    return wait_for(&wait);
}

/* -- the result ----------------------------------------------------------------------------------- */

static enum exit_status print_json(const struct create *create, const char *url)
{
    cleanup_text struct text out = TEXT_INIT;
    const create_response *response = create->response;
    text_add(&out, "{\"job\": ");
    text_add_json_string(&out, slice_of(job_key_text(&create->key, create->invocation->arena)));
    text_add(&out, ", \"url\": ");
    text_add_json_string(&out, slice_of(url));
    text_printf(&out, ", \"instanceCount\": %d, \"bindings\": [", response->instance_count);
    for (size_t i = 0; i < response->n_bindings; i++) {
        text_add(&out, i > 0 ? ", " : "");
        message_to_json(&response->bindings[i]->base, &out);
    }
    text_add(&out, "]}\n");
    return output_print(&out);
}

static enum exit_status print_result(const struct create *create)
{
    cleanup_text struct text out = TEXT_INIT, path = TEXT_INIT;
    const create_response *response = create->response;
    fetch_add_job_path(&path, &create->key);
    const char *url = arena_printf(create->invocation->arena, "%s%s", gateway_url(create->gateway),
                                   text_string(&path));
    if (flags_want_json(create->invocation->flags))
        return print_json(create, url);
    text_printf(&out, "Job create succeeded: job url=%s\n", url);
    for (size_t i = 0; i < response->n_bindings; i++)
        text_printf(&out, "  image %s is %s\n", response->bindings[i]->reference,
                    response->bindings[i]->resolved);
    return output_print(&out);
}

static enum exit_status create_and_wait(struct create *create)
{
    enum exit_status status;
    struct error err;
    Eos__Job__V1__JobConfiguration *job = compile_job(create, &status);
    if (!job)
        return status;
    if (job->cron_schedule[0]) {
        error_set(&err, ERROR_FAILED_PRECONDITION,
                  "cron jobs cannot be created with \"eos job create\"");
        return output_complain(STATUS_COMMAND_FAILURE, &err);
    }
    status = send(create, job);
    if (status == STATUS_OK)
        status = wait_as_told(create);
    return status == STATUS_OK ? print_result(create) : status;
}

static bool check_flags(const struct flags *flags, struct error *err)
{
    return !flags->pin || !flags->no_pin ||
           error_set(err, ERROR_INVALID_ARGUMENT, "flags --pin and --no-pin exclude each other");
}

enum exit_status job_create(const struct invocation *invocation)
{
    struct create create = { .invocation = invocation };
    struct error err;
    if (!job_key_parse(invocation->arguments[0], invocation->arena, &create.key, &err) ||
        !check_flags(invocation->flags, &err))
        return output_complain(STATUS_SYNTAX, &err);
    cleanup_gateway struct gateway *gateway = gateway_open(invocation, create.key.cluster, &err);
    if (!gateway)
        return output_complain(STATUS_INVALID_CONFIGURATION, &err);
    create.gateway = gateway;
    return create_and_wait(&create);
}
