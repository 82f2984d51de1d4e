#include "scheduler/service.h"

#include "scheduler/lifecycle.h"
#include "scheduler/request_memory.h"
#include "scheduler/scheduling.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/daemon.h"
#include "io/log.h"
#include "io/uv_error.h"
#include "io/wall_clock.h"

#include "eos/scheduler/v1/scheduler.pb-c.h"

#include <stdlib.h>

#define TICK_MS          200
#define TICKS_PER_SECOND (1000 / TICK_MS)
#define DUE_PER_TURN     2000u
#define CHECKS_PER_TURN  200000u /* of placement: some milliseconds */
#define SLEW_MS          (TICK_MS / 20)

/* -- clock ---------------------------------------------------------------------------------------- */

int64_t service_now_ms(const struct service *service)
{
    return (int64_t)(uv_hrtime() / 1000000) + service->clock_offset_ms;
}

static void follow_clock(struct service *service)
{
    int64_t behind_ms = wall_clock_ms() - service_now_ms(service);
    if (behind_ms > SLEW_MS)
        behind_ms = SLEW_MS;
    if (behind_ms < -SLEW_MS)
        behind_ms = -SLEW_MS;
    service->clock_offset_ms += behind_ms;
}

/* -- the turn ------------------------------------------------------------------------------------- */

/* All that has come in during this turn of the loop is decided on together, and goes into one batch. */
static void before_batch(void *ctx)
{
    struct service *service = ctx;
    int64_t now_ms = service_now_ms(service);

    scheduling_round(service->state, CHECKS_PER_TURN, now_ms);
    polls_answer(service->polls, now_ms);
}

static void finish_drain(struct service *service)
{
    if (service->is_draining && service->draining_servers == 0 &&
        journal_is_idle(service->journal)) {
        service->is_draining = false;
        daemon_drained();
    }
}

static void on_tick(uv_timer_t *tick)
{
    struct service *service = tick->data;
    follow_clock(service);
    int64_t now_ms = service_now_ms(service);

    lifecycle_expire(service->state, DUE_PER_TURN, now_ms);
    polls_tick(service->polls, now_ms);
    if (service->tick_count++ % TICKS_PER_SECOND == 0) {
        lifecycle_check_hosts(service->state, now_ms);
        request_memory_expire(service->state, now_ms);
        figures_update(service);
        rpc_server_set_serving(service->users, journal_is_healthy(service->journal));
    }
    finish_drain(service);
}

static void hold_reply(void *ctx, struct rpc_request *request)
{
    struct service *service = ctx;
    journal_after(service->journal, (void (*)(void *))rpc_release, request);
}

/* -- opening -------------------------------------------------------------------------------------- */

static bool take_record(void *ctx, enum entity_kind kind, struct slice value, struct error *err)
{
    return record_load(ctx, kind, value, err);
}

static bool open_state(struct service *service, const struct service_options *options,
                       struct error *err)
{
    struct random random;
    struct state_settings settings = options->settings;
    size_t size = sizeof service->hostname;

    int status = uv_random(NULL, NULL, &random, sizeof random, 0, NULL);
    if (status < 0)
        return error_set_uv(err, status, "could not get random numbers");
    if (uv_os_gethostname(service->hostname, &size) < 0)
        service->hostname[0] = 0;
    settings.scheduler_name = service->hostname;
    settings.cluster = options->cluster;
    service->state = state_new(&settings, random);
    service->store = store_open(options->state_dir, err);
    if (!service->store)
        return false;
    if (!store_load(service->store, take_record, service->state, err))
        return error_prefix(err, "could not load the state in \"%s\"", options->state_dir);
    record_load_done(service->state, service_now_ms(service));
    return true;
}

static bool open_server(struct service *service, const struct rpc_service *services,
                        const char *url, struct rpc_server **ret_server, struct error *err)
{
    struct rpc_server_options options = {
        .services = services,
        .hold = hold_reply,
        .hold_ctx = service,
    };
    *ret_server = rpc_server_open(service->loop, &options, err);
    return *ret_server && rpc_server_listen(*ret_server, url, service->key, err);
}

/* The tables of what is served have to outlive the servers. */
static bool open_servers(struct service *service, const struct service_options *options,
                         struct error *err)
{
    static struct rpc_service users[2], launchers[2];
    users[0] = (struct rpc_service){ &eos__scheduler__v1__scheduler__descriptor, scheduler_methods,
                                     service };
    launchers[0] =
        (struct rpc_service){ &eos__scheduler__v1__cluster__descriptor, cluster_methods, service };
    if (options->cluster_key_file) {
        service->key = cluster_key_read(options->cluster_key_file, err);
        if (!service->key)
            return false;
    }
    return open_server(service, users, options->listen, &service->users, err) &&
           open_server(service, launchers, options->listen_cluster, &service->launchers, err);
}

static void release_service(struct service *service)
{
    cluster_key_free(service->key);
    store_close(service->store);
    state_free(service->state);
    free(service);
}

static void on_part_closed(void *ctx)
{
    struct service *service = ctx;
    if (--service->open_parts == 0)
        release_service(service);
}

static void on_tick_closed(uv_handle_t *tick)
{
    on_part_closed(tick->data);
}

bool service_open(uv_loop_t *loop, void *user, void **ret_service, struct error *err)
{
    const struct service_options *options = user;
    struct service *service = xcalloc(1, sizeof *service);

    service->loop = loop;
    service->clock_offset_ms = wall_clock_ms() - (int64_t)(uv_hrtime() / 1000000);
    if (!open_state(service, options, err)) {
        release_service(service);
        return false;
    }
    struct journal_options journal = {
        .state = service->state,
        .store = service->store,
        .before_batch = before_batch,
        .ctx = service,
    };
    service->journal = journal_open(loop, &journal);
    service->polls = polls_new(service->state, service->journal);
    service->tick.data = service;
    service->open_parts = 2; /* the journal and the timer */
    uv_timer_init(loop, &service->tick);
    uv_timer_start(&service->tick, on_tick, TICK_MS, TICK_MS);
    if (!open_servers(service, options, err)) {
        service_close(service);
        return false;
    }
    *ret_service = service;
    return true;
}

/* -- closing -------------------------------------------------------------------------------------- */

static void on_server_drained(void *ctx)
{
    struct service *service = ctx;
    service->draining_servers--;
}

#define DRAIN_MS 5000

void service_drain(void *ctx)
{
    struct service *service = ctx;
    service->is_draining = true;
    service->draining_servers = 2;
    rpc_server_drain(service->users, DRAIN_MS, on_server_drained, service);
    rpc_server_drain(service->launchers, DRAIN_MS, on_server_drained, service);
    polls_dismiss(service->polls);
}

void service_close(void *ctx)
{
    struct service *service = ctx;
    polls_free(service->polls);
    rpc_server_close(service->users);
    rpc_server_close(service->launchers);
    uv_close((uv_handle_t *)&service->tick, on_tick_closed);
    journal_close(service->journal, on_part_closed, service);
}
