#include "base/cleanup.h"
#include "gateway/handlers.h"
#include "gateway/problem.h"
#include "gateway/sse.h"
#include "json/message_json.h"

#include "eos/launcher/v1/launcher.pb-c.h"
#include "eos/scheduler/v1/scheduler.pb-c.h"

#define EVENTS      "text/event-stream; charset=utf-8"
#define MAX_RUNNING 32 /* hosts that are asked at once */

/* One request to one host or to all.  A host that fails does not hide the others: its part of the
 * answer is its error. */
struct host_calls {
    struct handlers *handlers;
    struct exchange *exchange;
    ProtobufCMessage *request;
    const char *host; /* name or id; NULL: all */
    struct peer_call *listing;
    struct target *targets;
    size_t count, next, running;
    bool is_blocked; /* the client does not take what was written */
};

struct target {
    struct host_calls *calls;
    const Eos__Scheduler__V1__Host *host;
    struct launcher *launcher;
    struct peer_call *call;
    const char *json; /* its part of the answer */
};

static const struct route *route_of(const struct host_calls *calls)
{
    return exchange_match(calls->exchange)->route;
}

static bool is_stream(const struct host_calls *calls)
{
    return route_of(calls)->answer == ROUTE_HOSTS_STREAM;
}

static void on_abort(void *user)
{
    struct host_calls *calls = user;
    if (calls->listing)
        peer_call_cancel(calls->listing);
    for (size_t i = 0; i < calls->count; i++) {
        if (calls->targets[i].call)
            peer_call_cancel(calls->targets[i].call);
        launcher_release(calls->targets[i].launcher);
    }
}

/* -- the answer ----------------------------------------------------------------------------------- */

/* {"host", "hostId", and "response" or "error"} */
static void add_part(const struct target *target, const ProtobufCMessage *response,
                     const struct error *err, struct text *out)
{
    text_add(out, "{\"host\":");
    text_add_json_string(out, slice_of(target->host->hostname));
    text_add(out, ",\"hostId\":");
    text_add_json_string(out, slice_of(target->host->host_id));
    if (response) {
        text_add(out, ",\"response\":");
        message_to_json(response, out);
    } else {
        text_printf(out, ",\"error\":{\"code\":\"%s\",\"message\":", problem_code_name(err->code));
        text_add_json_string(out, slice_of(err->message));
        text_add_char(out, '}');
    }
    text_add_char(out, '}');
}

static void write_event(struct host_calls *calls, const char *name, const char *data)
{
    cleanup_text struct text out = TEXT_INIT;
    if (!exchange_stream_has_started(calls->exchange))
        exchange_stream_start(calls->exchange, EVENTS, "");
    sse_add_event(&out, name, data);
    calls->is_blocked = !exchange_stream_write(calls->exchange, text_slice(&out));
}

static void on_writable(void *user)
{
    struct host_calls *calls = user;
    calls->is_blocked = false;
}

static void finish(struct host_calls *calls)
{
    cleanup_text struct text out = TEXT_INIT;
    if (is_stream(calls)) {
        write_event(calls, "end", "all hosts have answered");
        exchange_stream_end(calls->exchange);
        return;
    }
    text_add(&out, "{\"hosts\":[");
    for (size_t i = 0; i < calls->count; i++)
        text_printf(&out, "%s%s", i > 0 ? "," : "", calls->targets[i].json);
    text_add(&out, "]}");
    exchange_reply(calls->exchange, 200, "application/json", text_slice(&out));
}

/* -- one host ------------------------------------------------------------------------------------- */

static void start_some(struct host_calls *calls);

/* The host's last word.  True: it was the only one, and the exchange is gone. */
static bool settle(struct target *target, const ProtobufCMessage *response, const struct error *err)
{
    struct host_calls *calls = target->calls;
    struct error named = err ? backend_error("launcher of the host", err) : (struct error){ 0 };
    cleanup_text struct text part = TEXT_INIT;
    target->call = NULL;
    launcher_release(TAKE(target->launcher));
    calls->running--;
    if (calls->host && !is_stream(calls)) {
        if (response)
            exchange_reply_message(calls->exchange, response);
        else
            exchange_fail(calls->exchange, &named);
        return true;
    }
    if (response || err)
        add_part(target, response, &named, &part);
    if (is_stream(calls) && err)
        write_event(calls, "error", text_string(&part));
    else if (!is_stream(calls))
        target->json = arena_strdup(exchange_arena(calls->exchange), text_string(&part));
    return false;
}

static void on_reply(void *user, const ProtobufCMessage *response, const struct error *err)
{
    struct target *target = user;
    struct host_calls *calls = target->calls;
    if (!settle(target, response, err))
        start_some(calls);
}

static void on_message(void *user, const ProtobufCMessage *message, const struct error *err)
{
    struct target *target = user;
    cleanup_text struct text part = TEXT_INIT;
    if (!message) {
        (void)settle(target, NULL, err);
        start_some(target->calls);
        return;
    }
    const Eos__Launcher__V1__PullImageProgress *progress =
        (const Eos__Launcher__V1__PullImageProgress *)message;
    bool is_last = progress->digest[0];
    add_part(target, message, NULL, &part);
    if (is_last || !target->calls->is_blocked)
        write_event(target->calls, is_last ? "done" : "progress", text_string(&part));
}

static bool call(struct target *target, struct error *err)
{
    struct host_calls *calls = target->calls;
    const struct route *route = route_of(calls);
    struct rpc_call_options options = { .traceparent = exchange_traceparent(calls->exchange) };
    if (!target->host->is_connected || !target->host->endpoint[0])
        return error_set(err, ERROR_UNAVAILABLE, "the host %s is not connected",
                         target->host->hostname);
    target->launcher = launchers_take(calls->handlers->launchers, target->host->endpoint, err);
    if (!target->launcher)
        return false;
    struct peer *peer = launcher_peer(target->launcher);
    target->call = is_stream(calls)
                       ? peer_call_stream(peer, route->service, route->call, calls->request,
                                          &options, on_message, target, err)
                       : peer_call(peer, route->service, route->call, calls->request, &options,
                                   on_reply, target, err);
    return target->call != NULL;
}

static void start_some(struct host_calls *calls)
{
    struct error err;
    while (calls->next < calls->count && calls->running < MAX_RUNNING) {
        struct target *target = &calls->targets[calls->next++];
        calls->running++;
        if (!call(target, &err) && settle(target, NULL, &err))
            return;
    }
    if (calls->next == calls->count && calls->running == 0)
        finish(calls);
}

/* -- which hosts ---------------------------------------------------------------------------------- */

static bool is_meant(const struct host_calls *calls, const Eos__Scheduler__V1__Host *host)
{
    return !calls->host || strcmp(calls->host, host->hostname) == 0 ||
           strcmp(calls->host, host->host_id) == 0;
}

static bool find_targets(struct host_calls *calls,
                         const Eos__Scheduler__V1__ListHostsResponse *hosts, struct error *err)
{
    struct arena *arena = exchange_arena(calls->exchange);
    calls->targets = arena_array(arena, hosts->n_hosts, sizeof *calls->targets);
    for (size_t i = 0; i < hosts->n_hosts; i++)
        if (is_meant(calls, hosts->hosts[i])) {
            Eos__Scheduler__V1__Host *host = arena_alloc(arena, sizeof *host);
            *host = *hosts->hosts[i];
            host->hostname = arena_strdup(arena, host->hostname);
            host->host_id = arena_strdup(arena, host->host_id);
            host->endpoint = arena_strdup(arena, host->endpoint);
            calls->targets[calls->count++] = (struct target){ .calls = calls, .host = host };
        }
    if (calls->host && calls->count == 0)
        return error_set(err, ERROR_NOT_FOUND, "there is no host of that name or id");
    if (calls->host && calls->count > 1)
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "%zu hosts have that name; their ids tell them apart", calls->count);
    return true;
}

static void on_hosts(void *user, const ProtobufCMessage *response, const struct error *err)
{
    struct host_calls *calls = user;
    struct error problem;
    calls->listing = NULL;
    if (!response)
        backend_fail(calls->exchange, backend_title(BACKEND_SCHEDULER), err);
    else if (find_targets(calls, (const Eos__Scheduler__V1__ListHostsResponse *)response, &problem))
        start_some(calls);
    else
        exchange_fail(calls->exchange, &problem);
}

void host_calls(struct handlers *handlers, struct exchange *exchange)
{
    const struct route_match *match = exchange_match(exchange);
    Eos__Scheduler__V1__ListHostsRequest request = EOS__SCHEDULER__V1__LIST_HOSTS_REQUEST__INIT;
    struct host_calls *calls = arena_alloc(exchange_arena(exchange), sizeof *calls);
    struct error err;
    *calls = (struct host_calls){ .handlers = handlers, .exchange = exchange };
    if (match->parameter_count > 0)
        calls->host = match->parameters[0].value;
    exchange_on_abort(exchange, on_abort, calls);
    exchange_on_writable(exchange, on_writable);
    if (!exchange_decode(exchange, &calls->request, &err)) {
        exchange_fail(exchange, &err);
        return;
    }
    calls->listing = backend_call(handlers->backends, BACKEND_SCHEDULER, exchange,
                                  &eos__scheduler__v1__scheduler__descriptor, "ListHosts",
                                  &request.base, on_hosts, calls, &err);
    if (!calls->listing)
        exchange_fail(exchange, &err);
}
