#include "base/cleanup.h"
#include "gateway/handlers.h"
#include "gateway/metrics_merge.h"
#include "gateway/problem.h"
#include "io/metrics.h"

#include "eos/rpc/v1/rpc.pb-c.h"
#include "grpc/health/v1/health.pb-c.h"

#define HEALTH_DEADLINE_MS  2000u
#define METRICS_DEADLINE_MS 5000u
#define PLAIN               "text/plain; charset=utf-8"
#define METRICS             "text/plain; version=0.0.4; charset=utf-8"

/* Asks all services the same, and answers when the last one has answered. */
struct survey {
    struct handlers *handlers;
    struct exchange *exchange;
    struct answer {
        struct survey *survey;
        enum backend backend;
        struct peer_call *call;
        const ProtobufCMessage *response; /* of one service, during the callback */
        const struct error *err;
    } answers[BACKEND_COUNT];
    size_t waiting;
    void (*take)(struct answer *answer);
    void (*report)(struct survey *survey);
    struct text problems;
    struct metrics_merge *metrics;
};

static void survey_done(struct survey *survey)
{
    text_done(&survey->problems);
    metrics_merge_free(survey->metrics);
    survey->metrics = NULL;
}

static void on_abort(void *user)
{
    struct survey *survey = user;
    for (size_t i = 0; i < BACKEND_COUNT; i++)
        if (survey->answers[i].call)
            peer_call_cancel(survey->answers[i].call);
    survey_done(survey);
}

static void count_down(struct survey *survey)
{
    if (--survey->waiting > 0)
        return;
    survey->report(survey);
}

static void on_answer(void *user, const ProtobufCMessage *response, const struct error *err)
{
    struct answer *answer = user;
    answer->call = NULL;
    answer->response = response;
    answer->err = err;
    answer->survey->take(answer);
    count_down(answer->survey);
}

static void ask(struct survey *survey, const ProtobufCServiceDescriptor *service,
                const char *method, const ProtobufCMessage *request, uint32_t deadline_ms)
{
    struct rpc_call_options options = { .deadline_ms = deadline_ms,
                                        .traceparent = exchange_traceparent(survey->exchange) };
    exchange_on_abort(survey->exchange, on_abort, survey);
    survey->waiting = BACKEND_COUNT + 1; /* one for this function: nothing ends before its end */
    for (enum backend i = 0; i < BACKEND_COUNT; i++) {
        struct answer *answer = &survey->answers[i];
        struct error err;
        *answer = (struct answer){ .survey = survey, .backend = i, .err = &err };
        answer->call = peer_call(backend_peer(survey->handlers->backends, i), service, method,
                                 request, &options, on_answer, answer, &err);
        if (answer->call)
            continue;
        survey->take(answer);
        survey->waiting--;
    }
    count_down(survey);
}

static struct survey *survey_new(struct handlers *handlers, struct exchange *exchange)
{
    struct survey *survey = arena_alloc(exchange_arena(exchange), sizeof *survey);
    survey->handlers = handlers;
    survey->exchange = exchange;
    return survey;
}

/* -- /healthz ------------------------------------------------------------------------------------- */

static void take_health(struct answer *answer)
{
    const Grpc__Health__V1__HealthCheckResponse *response =
        (const Grpc__Health__V1__HealthCheckResponse *)answer->response;
    const char *name = backend_name(answer->backend);
    if (!response)
        text_printf(&answer->survey->problems, "%s: %s\n", name, answer->err->message);
    else if (response->status != GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING)
        text_printf(&answer->survey->problems, "%s: not serving\n", name);
}

static void report_health(struct survey *survey)
{
    cleanup_text struct text body = TEXT_INIT;
    bool is_well = survey->problems.len == 0 && !survey->handlers->is_draining;
    if (is_well)
        text_add(&body, "ok\n");
    else if (survey->problems.len == 0)
        text_add(&body, "gateway: draining\n");
    text_add_slice(&body, text_slice(&survey->problems));
    struct exchange *exchange = survey->exchange;
    survey_done(survey);
    exchange_reply(exchange, is_well ? 200 : 503, PLAIN, text_slice(&body));
}

void health_report(struct handlers *handlers, struct exchange *exchange)
{
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    struct survey *survey = survey_new(handlers, exchange);
    survey->take = take_health;
    survey->report = report_health;
    ask(survey, &grpc__health__v1__health__descriptor, "Check", &request.base, HEALTH_DEADLINE_MS);
}

/* -- /metrics ------------------------------------------------------------------------------------- */

static void take_metrics(struct answer *answer)
{
    const Eos__Rpc__V1__MetricsResponse *response =
        (const Eos__Rpc__V1__MetricsResponse *)answer->response;
    struct metrics_merge *merge = answer->survey->metrics;
    const char *name = backend_name(answer->backend);
    cleanup_text struct text up = TEXT_INIT;
    text_add(&up, "# HELP eos_up Whether the service answered.\n# TYPE eos_up gauge\n");
    text_printf(&up, "eos_up %d\n", response != NULL);
    metrics_merge_add(merge, name, text_slice(&up));
    if (response)
        metrics_merge_add(merge, name, slice_of(response->text));
}

static void report_metrics(struct survey *survey)
{
    cleanup_text struct text body = TEXT_INIT;
    struct exchange *exchange = survey->exchange;
    metrics_merge_format(survey->metrics, &body);
    survey_done(survey);
    exchange_reply(exchange, 200, METRICS, text_slice(&body));
}

void metrics_report(struct handlers *handlers, struct exchange *exchange)
{
    Eos__Rpc__V1__MetricsRequest request = EOS__RPC__V1__METRICS_REQUEST__INIT;
    struct survey *survey = survey_new(handlers, exchange);
    cleanup_text struct text own = TEXT_INIT;
    survey->take = take_metrics;
    survey->report = report_metrics;
    survey->metrics = metrics_merge_new();
    metrics_format(&own);
    metrics_merge_add(survey->metrics, "gateway", text_slice(&own));
    ask(survey, &eos__rpc__v1__introspection__descriptor, "Metrics", &request.base,
        METRICS_DEADLINE_MS);
}
