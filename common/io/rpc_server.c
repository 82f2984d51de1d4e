#include "io/rpc_served.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/cluster_key.h"
#include "io/wall_clock.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#define TICK_MS             200u
#define TICKS_PER_SWEEP     5u
#define LARGEST_WINDOW      (1u << 20)
#define SMALLEST_WINDOW     (64u << 10)
#define DRAIN_UNREPORTED_MS 1200u /* clients report at least with every heartbeat */

static const char *const drop_names[RPC_DROP_COUNT] = {
    [RPC_DROP_SEAL] = "seal",           [RPC_DROP_REPLAY] = "replay",
    [RPC_DROP_MALFORMED] = "malformed", [RPC_DROP_PEERS] = "too_many_clients",
    [RPC_DROP_STALE] = "stale",
};

int64_t rpc_server_now_ms(const struct rpc_server *server)
{
    return (int64_t)uv_now(server->loop);
}

/* -- memory --------------------------------------------------------------------------------------- */

#define SPARES      (sizeof((struct rpc_server *)NULL)->spare_arenas / sizeof(struct arena *))
#define SPARE_BYTES (64u << 10) /* an arena that has grown is not kept */

struct arena *rpc_server_arena(struct rpc_server *server)
{
    return server->spare_count > 0 ? server->spare_arenas[--server->spare_count] : arena_new();
}

void rpc_server_arena_back(struct rpc_server *server, struct arena *arena)
{
    if (server->spare_count == SPARES || arena_used(arena) > SPARE_BYTES) {
        arena_free(arena);
        return;
    }
    arena_reset(arena);
    server->spare_arenas[server->spare_count++] = arena;
}

/* -- what comes in -------------------------------------------------------------------------------- */

void rpc_server_count_drop(struct rpc_server *server, enum rpc_drop why)
{
    assert(why < RPC_DROP_COUNT);
    metric_add(server->dropped[why], 1);
}

static bool open_message(struct rpc_endpoint *endpoint, char *bytes, size_t len,
                         struct slice *ret_opened)
{
    struct error err;
    *ret_opened = (struct slice){ bytes, len };
    if (!endpoint->seal)
        return true;
    if (rpc_seal_open(endpoint->seal, RPC_TO_SERVER, wall_clock_ms(), true, bytes, len, ret_opened,
                      &err))
        return true;
    rpc_server_count_drop(endpoint->server,
                          err.code == ERROR_ALREADY_EXISTS ? RPC_DROP_REPLAY : RPC_DROP_SEAL);
    return false;
}

static struct rpc_peer *find_peer(struct rpc_endpoint *endpoint, uint64_t client_id)
{
    struct rpc_server *server = endpoint->server;
    struct rpc_peer *peer = map_get(endpoint->peers, map_key_u64(&client_id));
    if (peer)
        return peer;
    if (server->peer_count >= server->limits.clients) {
        rpc_server_count_drop(server, RPC_DROP_PEERS);
        return NULL;
    }
    return rpc_peer_new(endpoint, client_id);
}

static void cancel(struct rpc_peer *peer, uint64_t call_id)
{
    struct rpc_request *request = map_get(peer->requests, map_key_u64(&call_id));
    if (request)
        rpc_request_abandon(request);
}

/* A sealed request is meant for this very process: what somebody recorded cannot be played to another
 * host, nor to this one after a restart. */
static bool is_meant_for_us(const struct rpc_endpoint *endpoint, const struct rpc_wire_call *call)
{
    return !endpoint->seal || call->server == endpoint->server->incarnation;
}

static void take(struct rpc_peer *peer, const struct rpc_wire_call *call)
{
    switch (call->kind) {
    case RPC_REQUEST:
        rpc_request_arrive(peer, call);
        return;
    case RPC_CREDIT:
        rpc_request_credit(peer, call);
        return;
    case RPC_CANCEL:
        cancel(peer, call->call_id);
        return;
    case RPC_HEARTBEAT:
        rpc_peer_take_heartbeat(peer, call);
        return;
    case RPC_CALL_KIND_COUNT:
        break;
    }
    abort(); /* the decoder lets no other kind through */
}

void rpc_endpoint_take(void *user, const struct rpc_route *route, char *bytes, size_t len)
{
    struct rpc_endpoint *endpoint = user;
    struct rpc_server *server = endpoint->server;
    struct rpc_wire_call call;
    struct slice opened;
    struct error err;

    if (!open_message(endpoint, bytes, len, &opened))
        return;
    if (!rpc_wire_decode_call(opened, &call, &err)) {
        rpc_server_count_drop(server, RPC_DROP_MALFORMED);
        return;
    }
    bool is_sure = is_meant_for_us(endpoint, &call);
    if (!is_sure && call.kind != RPC_HEARTBEAT) { /* which asks who we are */
        rpc_server_count_drop(server, RPC_DROP_STALE);
        return;
    }
    struct rpc_peer *peer = find_peer(endpoint, call.client_id);
    if (!peer)
        return;
    if (!rpc_peer_seen(peer, route, is_sure, uv_now(server->loop))) {
        rpc_server_count_drop(server, RPC_DROP_STALE);
        return;
    }
    rpc_peer_acknowledge(peer, call.connection, call.received);
    take(peer, &call);
}

/* -- time ----------------------------------------------------------------------------------------- */

static uint64_t silence_ms(const struct rpc_server *server)
{
    return RPC_PEER_SILENCE_MS * (1 + server->peer_count / RPC_PEERS_PER_SECOND);
}

/* After a stop of this process nobody has been heard, but what they have sent waits to be read. */
static bool has_listened(struct rpc_server *server)
{
    uint64_t now_ms = uv_now(server->loop), since_ms = now_ms - server->swept_ms;
    server->swept_ms = now_ms;
    return since_ms < 3 * TICKS_PER_SWEEP * TICK_MS;
}

static void sweep_peers(struct rpc_server *server)
{
    uint64_t now_ms = uv_now(server->loop), limit_ms = silence_ms(server);
    if (!has_listened(server))
        return;
    for (size_t i = 0; i < server->endpoint_count; i++) {
        size_t cursor = 0;
        struct slice key;
        void *value;
        while (map_next(server->endpoints[i]->peers, &cursor, &key, &value)) {
            struct rpc_peer *peer = value;
            if (now_ms - peer->seen_ms > limit_ms)
                rpc_peer_free(peer);
        }
    }
}

static void expire_requests(struct rpc_server *server)
{
    struct deadline *item;
    while ((item = deadlines_take(&server->deadlines, rpc_server_now_ms(server))) != NULL)
        rpc_request_abandon(
            (struct rpc_request *)((char *)item - offsetof(struct rpc_request, deadline)));
}

static struct rpc_request *next_waiting(const struct rpc_server *server)
{
    for (struct rpc_request *request = server->requests; request; request = request->next)
        if (request->lacks_room && request->peer && request->lacking_tick != server->ticks)
            return request;
    return NULL;
}

/* No credit will come for a stream that has nothing on its way, so it tries again by time.  Its owner
 * may end it and others meanwhile, so the search begins anew after each. */
static void wake_streams(struct rpc_server *server)
{
    if (!server->has_waiting)
        return;
    server->has_waiting = false;
    for (struct rpc_request *request; (request = next_waiting(server)) != NULL;)
        rpc_request_wake(request);
}

/* A reply has left when the kernel has it; over TCP it may still be lost when the socket is closed
 * with unread input, so there the clients' reports are awaited. */
static bool has_left(const struct rpc_server *server)
{
    for (size_t i = 0; i < server->endpoint_count; i++) {
        size_t cursor = 0;
        struct slice key;
        void *value;
        while (map_next(server->endpoints[i]->peers, &cursor, &key, &value)) {
            const struct rpc_peer *peer = value;
            bool is_reported = peer->acked == peer->sent || !server->endpoints[i]->url.is_tcp ||
                               uv_now(server->loop) - peer->seen_ms > DRAIN_UNREPORTED_MS;
            if (peer->first || !is_reported)
                return false;
        }
    }
    return true;
}

static void check_drain(struct rpc_server *server)
{
    if (!server->drained)
        return;
    bool is_done = server->in_flight == 0 && has_left(server);
    if (!is_done && uv_now(server->loop) < server->drain_until_ms)
        return;
    void (*drained)(void *user) = server->drained;
    server->drained = NULL;
    drained(server->drained_user);
}

static void on_tick(uv_timer_t *timer)
{
    struct rpc_server *server = timer->data;
    expire_requests(server);
    if (server->ticks++ % TICKS_PER_SWEEP == 0)
        sweep_peers(server);
    wake_streams(server);
    check_drain(server);
}

/* -- opening -------------------------------------------------------------------------------------- */

/* What may be on its way to one client without any loss: half of what the kernel's buffer takes,
 * because the kernel counts its own overhead too. */
static size_t kernel_window(void)
{
    char text[32] = "";
    uint64_t max = SMALLEST_WINDOW;
    cleanup_file FILE *file = fopen("/proc/sys/net/core/wmem_max", "re");
    if (file && fgets(text, sizeof text, file))
        if (!slice_to_u64(slice_trim(slice_of(text)), UINT32_MAX, &max))
            max = SMALLEST_WINDOW;
    if (max > LARGEST_WINDOW)
        return LARGEST_WINDOW;
    return max < SMALLEST_WINDOW ? SMALLEST_WINDOW : (size_t)max;
}

static const struct rpc_method *find_row(const struct rpc_service *service, const char *name)
{
    for (const struct rpc_method *row = service->methods; row->name; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

static bool add_method(struct rpc_server *server, const struct rpc_service *service,
                       const ProtobufCMethodDescriptor *described, struct error *err)
{
    const char *package = service->descriptor->name;
    const struct rpc_method *row = find_row(service, described->name);
    const struct rpc_method_facts *facts = rpc_method_find(package, described->name);
    if (!row || !row->handle == !row->start)
        return error_set(err, ERROR_FAILED_PRECONDITION, "method %s of %s has no handler",
                         described->name, package);
    if (!facts)
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "method %s of %s is not in rpc_methods.def", described->name, package);
    char labels[RPC_METHOD_MAX + 64];
    struct rpc_served_method *method = xcalloc(1, sizeof *method);
    *method =
        (struct rpc_served_method){ row,  facts, described->input, described->output, service->ctx,
                                    NULL, NULL };
    snprintf(labels, sizeof labels, "method=\"%s\",code=\"0\"", facts->path);
    method->ok = metric_open(METRIC_COUNTER, "eos_rpc_requests_total",
                             "Calls that were answered, by method and code.", labels);
    snprintf(labels, sizeof labels, "method=\"%s\"", facts->path);
    method->seconds = histogram_open("eos_rpc_request_duration_seconds",
                                     "Time from a call's arrival to its answer.", labels);
    map_put(server->methods, slice_of(facts->path), method);
    return true;
}

static bool add_service(struct rpc_server *server, const struct rpc_service *service,
                        struct error *err)
{
    for (unsigned i = 0; i < service->descriptor->n_methods; i++)
        if (!add_method(server, service, &service->descriptor->methods[i], err))
            return false;
    for (const struct rpc_method *row = service->methods; row->name; row++)
        if (!protobuf_c_service_descriptor_get_method_by_name(service->descriptor, row->name))
            return error_set(err, ERROR_FAILED_PRECONDITION, "%s has no method %s",
                             service->descriptor->name, row->name);
    return true;
}

static bool add_services(struct rpc_server *server, const struct rpc_service *services,
                         struct error *err)
{
    for (; services->descriptor; services++)
        if (!add_service(server, services, err))
            return false;
    return true;
}

static void open_metrics(struct rpc_server *server)
{
    for (unsigned i = 0; i < RPC_DROP_COUNT; i++) {
        char labels[64];
        snprintf(labels, sizeof labels, "reason=\"%s\"", drop_names[i]);
        server->dropped[i] =
            metric_open(METRIC_COUNTER, "eos_rpc_dropped_messages_total",
                        "Messages that were dropped without an answer, by reason.", labels);
    }
}

static void fill_limits(struct rpc_server *server, const struct rpc_server_limits *limits)
{
    struct rpc_server_limits defaults = RPC_SERVER_LIMITS;
    server->limits = *limits;
    if (server->limits.in_flight == 0)
        server->limits.in_flight = defaults.in_flight;
    if (server->limits.in_flight_client == 0)
        server->limits.in_flight_client = defaults.in_flight_client;
    if (server->limits.clients == 0)
        server->limits.clients = defaults.clients;
}

struct rpc_server *rpc_server_open(uv_loop_t *loop, const struct rpc_server_options *options,
                                   struct error *err)
{
    struct rpc_server *server = xcalloc(1, sizeof *server);
    server->loop = loop;
    server->hold = options->hold;
    server->hold_ctx = options->hold_ctx;
    server->methods = map_new();
    server->is_serving = true;
    server->window_bytes = kernel_window();
    fill_limits(server, &options->limits);
    open_metrics(server);
    randombytes_buf(&server->incarnation, sizeof server->incarnation);
    server->incarnation |= 1;
    server->tick.data = server;
    uv_timer_init(loop, &server->tick);
    server->builtin = rpc_builtin_services(server);
    if (!add_services(server, server->builtin, err) ||
        !add_services(server, options->services, err)) {
        rpc_server_close(server);
        return NULL;
    }
    server->swept_ms = uv_now(loop);
    uv_timer_start(&server->tick, on_tick, TICK_MS, TICK_MS);
    return server;
}

void rpc_endpoint_forget_peers(struct rpc_endpoint *endpoint)
{
    size_t cursor = 0;
    struct slice key;
    void *value;
    while (map_next(endpoint->peers, &cursor, &key, &value))
        rpc_peer_free(value);
}

static void endpoint_free(struct rpc_endpoint *endpoint)
{
    rpc_endpoint_forget_peers(endpoint);
    rpc_socket_close(endpoint->socket);
    rpc_seal_free(endpoint->seal);
    map_free(endpoint->peers);
    free(endpoint);
}

static bool open_endpoint(struct rpc_endpoint *endpoint, const char *text,
                          const struct cluster_key *key, struct error *err)
{
    struct rpc_socket_events events = { .on_message = rpc_endpoint_take, .user = endpoint };
    if (!rpc_url_parse(text, &endpoint->url, err))
        return false;
    if (endpoint->url.is_tcp && !endpoint->url.is_loopback && !key)
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "\"%s\" is not a loopback address: a cluster key is needed "
                         "(--cluster-key-file)",
                         text);
    if (key)
        endpoint->seal = rpc_seal_new(key);
    endpoint->socket = rpc_socket_open(endpoint->server->loop, RPC_SOCKET_SERVER,
                                       RPC_MESSAGE_BYTES + RPC_SEAL_BYTES, &events, err);
    return endpoint->socket && rpc_socket_bind(endpoint->socket, &endpoint->url, err);
}

bool rpc_server_listen(struct rpc_server *server, const char *url, const struct cluster_key *key,
                       struct error *err)
{
    struct rpc_endpoint *endpoint = xcalloc(1, sizeof *endpoint);
    endpoint->server = server;
    endpoint->peers = map_new();
    if (!open_endpoint(endpoint, url, key, err)) {
        endpoint_free(endpoint);
        return false;
    }
    server->endpoints =
        xreallocarray(server->endpoints, server->endpoint_count + 1, sizeof *server->endpoints);
    server->endpoints[server->endpoint_count++] = endpoint;
    return true;
}

const char *rpc_server_url(const struct rpc_server *server)
{
    assert(server->endpoint_count > 0);
    return server->endpoints[server->endpoint_count - 1]->url.text;
}

void rpc_server_set_serving(struct rpc_server *server, bool is_serving)
{
    server->is_serving = is_serving;
}

/* -- ending --------------------------------------------------------------------------------------- */

void rpc_server_drain(struct rpc_server *server, uint32_t deadline_ms, void (*done)(void *user),
                      void *user)
{
    server->is_draining = true;
    server->drained = done;
    server->drained_user = user;
    server->drain_until_ms = uv_now(server->loop) + deadline_ms;
}

static void on_tick_closed(uv_handle_t *handle)
{
    struct rpc_server *server = handle->data;
    free(server->builtin);
    free(server);
}

static void orphan_requests(struct rpc_server *server)
{
    for (struct rpc_request *request = server->requests, *next; request; request = next) {
        next = request->next;
        if (request->peer)
            map_remove(request->peer->requests, map_key_u64(&request->call_id));
        request->peer = NULL;
        request->on_cancel = NULL;
        if (request->state == RPC_ASSEMBLING)
            rpc_request_abandon(request);
        else
            request->server = NULL;
    }
}

static void free_methods(struct rpc_server *server)
{
    size_t cursor = 0;
    struct slice key;
    void *value;
    while (map_next(server->methods, &cursor, &key, &value))
        free(value);
    map_free(server->methods);
}

void rpc_server_close(struct rpc_server *server)
{
    if (!server || server->is_closed)
        return;
    server->is_closed = true;
    orphan_requests(server);
    for (size_t i = 0; i < server->endpoint_count; i++)
        endpoint_free(server->endpoints[i]);
    free(server->endpoints);
    deadlines_done(&server->deadlines);
    free_methods(server);
    while (server->spare_count > 0)
        arena_free(server->spare_arenas[--server->spare_count]);
    uv_close((uv_handle_t *)&server->tick, on_tick_closed);
}
