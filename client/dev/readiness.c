#include "client/dev/readiness.h"

#include "client/dev/probe.h"

#include "eos/scheduler/v1/scheduler.pb-c.h"
#include "grpc/health/v1/health.pb-c.h"

#define DEADLINE_MS 1000u

static void next_round(struct readiness *readiness);

static void on_timer(uv_timer_t *timer)
{
    next_round(timer->data);
}

static bool all_well(const struct readiness *readiness)
{
    for (size_t i = 0; i < CHECK_COUNT; i++)
        if (!readiness->answers[i].is_well)
            return false;
    return true;
}

static void take(struct answer *answer, bool is_well)
{
    struct readiness *readiness = answer->readiness;
    answer->is_well = is_well;
    if (--readiness->waiting > 0 || readiness->is_stopped)
        return;
    if (all_well(readiness)) {
        readiness_stop(readiness);
        readiness->on_ready(readiness->user);
    } else {
        uv_timer_start(&readiness->timer, on_timer, READINESS_INTERVAL_MS, 0);
    }
}

static void on_probe(void *user, bool is_well)
{
    take(user, is_well);
}

static void on_health(void *user, const ProtobufCMessage *message, const struct error *err)
{
    const Grpc__Health__V1__HealthCheckResponse *response =
        (const Grpc__Health__V1__HealthCheckResponse *)message;
    (void)err;
    take(user, response && response->status ==
                               GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING);
}

static void on_hosts(void *user, const ProtobufCMessage *message, const struct error *err)
{
    const Eos__Scheduler__V1__ListHostsResponse *response =
        (const Eos__Scheduler__V1__ListHostsResponse *)message;
    bool is_connected = false;
    (void)err;
    for (size_t i = 0; response && i < response->n_hosts; i++)
        is_connected = is_connected || response->hosts[i]->is_connected;
    take(user, is_connected);
}

static void call(struct answer *answer, struct rpc_client *client,
                 const ProtobufCServiceDescriptor *service, const char *method,
                 const ProtobufCMessage *request, rpc_reply_fn *reply)
{
    struct rpc_call_options options = { .deadline_ms = DEADLINE_MS };
    struct error err;
    if (!rpc_call(client, service, method, request, &options, reply, answer, &err))
        take(answer, false);
}

static void next_round(struct readiness *readiness)
{
    Grpc__Health__V1__HealthCheckRequest health = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    Eos__Scheduler__V1__ListHostsRequest hosts = EOS__SCHEDULER__V1__LIST_HOSTS_REQUEST__INIT;
    readiness->waiting = CHECK_COUNT;
    probe_start(readiness->loop, readiness->gateway, on_probe, &readiness->answers[CHECK_GATEWAY]);
    call(&readiness->answers[CHECK_LAUNCHER], readiness->launcher,
         &grpc__health__v1__health__descriptor, "Check", &health.base, on_health);
    call(&readiness->answers[CHECK_HOST], readiness->scheduler,
         &eos__scheduler__v1__scheduler__descriptor, "ListHosts", &hosts.base, on_hosts);
}

void readiness_start(struct readiness *readiness)
{
    for (size_t i = 0; i < CHECK_COUNT; i++)
        readiness->answers[i].readiness = readiness;
    uv_timer_init(readiness->loop, &readiness->timer);
    readiness->timer.data = readiness;
    uv_timer_start(&readiness->timer, on_timer, READINESS_INTERVAL_MS, 0);
}

void readiness_stop(struct readiness *readiness)
{
    readiness->is_stopped = true;
    if (!uv_is_closing((uv_handle_t *)&readiness->timer))
        uv_close((uv_handle_t *)&readiness->timer, NULL);
}

const char *readiness_missing(const struct readiness *readiness)
{
    static const char *const names[CHECK_COUNT] = {
        [CHECK_GATEWAY] = "the gateway, or a service that it needs, does not answer",
        [CHECK_LAUNCHER] = "the launcher does not answer",
        [CHECK_HOST] = "the launcher has not joined the scheduler",
    };
    for (size_t i = 0; i < CHECK_COUNT; i++)
        if (!readiness->answers[i].is_well)
            return names[i];
    return "all answer";
}
