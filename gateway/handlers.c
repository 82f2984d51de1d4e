#include "gateway/handlers.h"

#include "gateway/defaults.h"
#include "gateway/task_host.h"

#include "eos/gateway/v1/gateway.pb-c.h"
#include "eos/launcher/v1/launcher.pb-c.h"

#include <assert.h>

/* -- one call to one service ---------------------------------------------------------------------- */

struct forward {
    struct exchange *exchange;
    struct peer_call *call;
    const char *name; /* of the service, for errors */
    struct task_host *find;
    struct launcher *launcher; /* NULL: a backend */
    const ProtobufCMessage *request;
};

static void on_forward_abort(void *user)
{
    struct forward *forward = user;
    if (forward->find)
        task_host_cancel(forward->find);
    if (forward->call)
        peer_call_cancel(forward->call);
    launcher_release(forward->launcher);
}

static void on_forward_reply(void *user, const ProtobufCMessage *response, const struct error *err)
{
    struct forward *forward = user;
    launcher_release(forward->launcher);
    if (response)
        exchange_reply_message(forward->exchange, response);
    else
        backend_fail(forward->exchange, forward->name, err);
}

static struct forward *forward_new(struct exchange *exchange, const char *name,
                                   const ProtobufCMessage *request)
{
    struct forward *forward = arena_alloc(exchange_arena(exchange), sizeof *forward);
    *forward = (struct forward){ .exchange = exchange, .name = name, .request = request };
    exchange_on_abort(exchange, on_forward_abort, forward);
    return forward;
}

static void forward_to_backend(struct handlers *handlers, struct exchange *exchange)
{
    const struct route *route = exchange_match(exchange)->route;
    struct error err;
    ProtobufCMessage *request;
    if (!exchange_decode(exchange, &request, &err)) {
        exchange_fail(exchange, &err);
        return;
    }
    default_text(request, "cluster", handlers->cluster);
    default_request_id(request, exchange_arena(exchange));
    struct forward *forward = forward_new(exchange, backend_title(route->backend), request);
    forward->call = backend_call(handlers->backends, route->backend, exchange, route->service,
                                 route->call, request, on_forward_reply, forward, &err);
    if (!forward->call)
        exchange_fail(exchange, &err);
}

/* -- one call to the launcher of a task ----------------------------------------------------------- */

static void on_launcher(void *user, struct launcher *launcher, const struct error *err)
{
    struct forward *forward = user;
    struct exchange *exchange = forward->exchange;
    const struct route *route = exchange_match(exchange)->route;
    struct rpc_call_options options = { .traceparent = exchange_traceparent(exchange) };
    struct error problem;

    forward->find = NULL;
    forward->launcher = launcher;
    if (!launcher) {
        exchange_fail(exchange, err);
        return;
    }
    forward->call = peer_call(launcher_peer(launcher), route->service, route->call,
                              forward->request, &options, on_forward_reply, forward, &problem);
    if (!forward->call) {
        launcher_release(launcher);
        exchange_fail(exchange, &problem);
    }
}

static void forward_to_launcher(struct handlers *handlers, struct exchange *exchange)
{
    struct error err;
    ProtobufCMessage *request;
    if (!exchange_decode(exchange, &request, &err)) {
        exchange_fail(exchange, &err);
        return;
    }
    struct forward *forward = forward_new(exchange, "launcher of the task", request);
    const char *task_id = exchange_match(exchange)->parameters[0].value;
    forward->find = task_host_find(handlers, exchange, task_id, on_launcher, forward, &err);
    if (!forward->find)
        exchange_fail(exchange, &err);
}

/* -- the table ------------------------------------------------------------------------------------ */

static void report_version(struct handlers *handlers, struct exchange *exchange)
{
    Eos__Gateway__V1__VersionResponse response = EOS__GATEWAY__V1__VERSION_RESPONSE__INIT;
    response.version = (char *)EOS_VERSION;
    response.cluster = (char *)handlers->cluster;
    exchange_reply_message(exchange, &response.base);
}

static void (*const answers[ROUTE_ANSWER_COUNT])(struct handlers *, struct exchange *) = {
    [ROUTE_FORWARD] = forward_to_backend,
    [ROUTE_LAUNCHER] = forward_to_launcher,
    [ROUTE_LOG] = log_stream,
    [ROUTE_HOSTS] = host_calls,
    [ROUTE_HOSTS_STREAM] = host_calls,
    [ROUTE_CREATE_JOB] = create_job,
    [ROUTE_VERSION] = report_version,
    [ROUTE_HEALTH] = health_report,
    [ROUTE_METRICS] = metrics_report,
};

void handlers_handle(void *user, struct exchange *exchange)
{
    enum route_answer answer = exchange_match(exchange)->route->answer;
    assert(answer < ROUTE_ANSWER_COUNT);
    answers[answer](user, exchange);
}
