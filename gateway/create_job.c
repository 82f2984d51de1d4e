#include "gateway/compiled.h"

#include "base/cleanup.h"
#include "gateway/defaults.h"
#include "gateway/handlers.h"
#include "gateway/message_copy.h"
#include "json/message_json.h"

#include "eos/binder/v1/binder.pb-c.h"
#include "eos/config/v1/config.pb-c.h"
#include "eos/gateway/v1/gateway.pb-c.h"
#include "eos/scheduler/v1/scheduler.pb-c.h"

/* The one composite call: compile, bind, create.  Each step takes the whole answer of the one before;
 * nothing has an effect before the last one. */
struct create {
    struct handlers *handlers;
    struct exchange *exchange;
    struct peer_call *call;
    const Eos__Gateway__V1__CreateJobRequest *request;
    Eos__Gateway__V1__CreateJobResponse response;
};

static void on_abort(void *user)
{
    struct create *create = user;
    peer_call_cancel(create->call);
}

static void start_call(struct create *create, enum backend backend,
                       const ProtobufCServiceDescriptor *service, const char *method,
                       const ProtobufCMessage *request, rpc_reply_fn *reply)
{
    struct error err;
    create->call = backend_call(create->handlers->backends, backend, create->exchange, service,
                                method, request, reply, create, &err);
    if (create->call)
        exchange_on_abort(create->exchange, on_abort, create);
    else
        exchange_fail(create->exchange, &err);
}

/* -- 3: the scheduler ----------------------------------------------------------------------------- */

static void on_created(void *user, const ProtobufCMessage *response, const struct error *err)
{
    struct create *create = user;
    if (!response) {
        backend_fail(create->exchange, backend_title(BACKEND_SCHEDULER), err);
        return;
    }
    create->response.instance_count =
        ((const Eos__Scheduler__V1__CreateJobResponse *)response)->instance_count;
    exchange_reply_message(create->exchange, &create->response.base);
}

static void create_bound(struct create *create, const Eos__Binder__V1__BindResponse *bound)
{
    Eos__Scheduler__V1__CreateJobRequest request = EOS__SCHEDULER__V1__CREATE_JOB_REQUEST__INIT;
    request.job = bound->job;
    request.bindings = bound->bindings;
    request.n_bindings = bound->n_bindings;
    request.request_id = create->request->request_id;
    default_request_id(&request.base, exchange_arena(create->exchange));
    start_call(create, BACKEND_SCHEDULER, &eos__scheduler__v1__scheduler__descriptor, "CreateJob",
               &request.base, on_created);
}

/* -- 2: the binder -------------------------------------------------------------------------------- */

static void on_bound(void *user, const ProtobufCMessage *response, const struct error *err)
{
    struct create *create = user;
    struct arena *arena = exchange_arena(create->exchange);
    if (!response) {
        backend_fail(create->exchange, backend_title(BACKEND_BINDER), err);
        return;
    }
    const Eos__Binder__V1__BindResponse *bound = (const Eos__Binder__V1__BindResponse *)response;
    const Eos__Job__V1__JobKey *key = bound->job ? bound->job->key : NULL;
    if (key)
        create->response.key = arena_printf(arena, "%s/%s/%s/%s", create->handlers->cluster,
                                            key->role, key->environment, key->name);
    create->response.bindings =
        arena_array(arena, bound->n_bindings, sizeof create->response.bindings[0]);
    create->response.n_bindings = bound->n_bindings;
    for (size_t i = 0; i < bound->n_bindings; i++)
        create->response.bindings[i] =
            (Eos__Job__V1__ImageBinding *)message_copy(arena, &bound->bindings[i]->base);
    create_bound(create, bound);
}

static void bind_job(struct create *create, Eos__Job__V1__JobConfiguration *job)
{
    Eos__Binder__V1__BindRequest request = EOS__BINDER__V1__BIND_REQUEST__INIT;
    request.cluster = (char *)create->handlers->cluster;
    request.job = job;
    request.pin = create->request->pin;
    request.no_pin = create->request->no_pin;
    request.skip_cache = create->request->skip_cache;
    start_call(create, BACKEND_BINDER, &eos__binder__v1__binder__descriptor, "Bind", &request.base,
               on_bound);
}

/* -- 1: the compiler ------------------------------------------------------------------------------ */

static void fail_compile(struct create *create, const struct compiled *compiled)
{
    exchange_fail_with(create->exchange, 0, &compiled->err,
                       compiled->diagnostics.len > 0 ? text_string(&compiled->diagnostics) : NULL);
}

static void copy_warnings(struct create *create, Eos__Config__V1__Diagnostic **warnings,
                          size_t count)
{
    struct arena *arena = exchange_arena(create->exchange);
    size_t before = create->response.n_warnings;
    create->response.warnings =
        arena_grow(arena, create->response.warnings, before * sizeof warnings[0],
                   (before + count) * sizeof warnings[0]);
    for (size_t i = 0; i < count; i++)
        create->response.warnings[before + i] =
            (Eos__Config__V1__Diagnostic *)message_copy(arena, &warnings[i]->base);
    create->response.n_warnings = before + count;
}

static void reply_needed(struct create *create, const Eos__Config__V1__CompileResponse *response)
{
    create->response.needed_files = response->needed_files;
    create->response.n_needed_files = response->n_needed_files;
    create->response.printed = response->printed;
    exchange_reply_message(create->exchange, &create->response.base);
}

static void on_compiled(void *user, const ProtobufCMessage *message, const struct error *err)
{
    struct create *create = user;
    if (!message) {
        backend_fail(create->exchange, backend_title(BACKEND_CONFIG), err);
        return;
    }
    const Eos__Config__V1__CompileResponse *response =
        (const Eos__Config__V1__CompileResponse *)message;
    if (response->n_needed_files > 0) {
        reply_needed(create, response);
        return;
    }
    struct compiled compiled = { 0 };
    if (compiled_judge(response, create->handlers->cluster, &compiled)) {
        create->response.printed =
            arena_strdup(exchange_arena(create->exchange), response->printed);
        copy_warnings(create, response->warnings, response->n_warnings);
        copy_warnings(create, compiled.result->warnings, compiled.result->n_warnings);
        bind_job(create, compiled.result->job);
    } else {
        fail_compile(create, &compiled);
    }
    compiled_done(&compiled);
}

static void compile(struct create *create)
{
    start_call(create, BACKEND_CONFIG, &eos__config__v1__config__descriptor, "Compile",
               &create->request->source->base, on_compiled);
}

/* -- the beginning -------------------------------------------------------------------------------- */

static bool check(const struct handlers *handlers,
                  const Eos__Gateway__V1__CreateJobRequest *request, struct error *err)
{
    if (request->cluster[0] && strcmp(request->cluster, handlers->cluster) != 0)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "cluster: this gateway serves the cluster \"%s\" and no other",
                         handlers->cluster);
    if (request->what_case == EOS__GATEWAY__V1__CREATE_JOB_REQUEST__WHAT__NOT_SET)
        return error_set(err, ERROR_INVALID_ARGUMENT, "expected \"source\" or \"job\"");
    if (request->what_case == EOS__GATEWAY__V1__CREATE_JOB_REQUEST__WHAT_SOURCE &&
        request->source->n_files == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "source.files: expected at least one file");
    return true;
}

void create_job(struct handlers *handlers, struct exchange *exchange)
{
    struct error err;
    ProtobufCMessage *message;
    if (!exchange_decode(exchange, &message, &err) ||
        !check(handlers, (Eos__Gateway__V1__CreateJobRequest *)message, &err)) {
        exchange_fail(exchange, &err);
        return;
    }
    struct create *create = arena_alloc(exchange_arena(exchange), sizeof *create);
    create->handlers = handlers;
    create->exchange = exchange;
    create->request = (Eos__Gateway__V1__CreateJobRequest *)message;
    eos__gateway__v1__create_job_response__init(&create->response);
    create->response.warnings = arena_alloc(exchange_arena(exchange), 0);
    if (create->request->what_case == EOS__GATEWAY__V1__CREATE_JOB_REQUEST__WHAT_SOURCE)
        compile(create);
    else
        bind_job(create, create->request->job);
}
