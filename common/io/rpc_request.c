#include "io/rpc_served.h"

#include "base/alloc.h"
#include "io/rpc_payload.h"

#include <assert.h>
#include <stdlib.h>

/* -- beginning and end ---------------------------------------------------------------------------- */

static struct rpc_request *request_new(struct rpc_peer *peer, const struct rpc_wire_call *call,
                                       struct rpc_served_method *method)
{
    struct rpc_server *server = peer->endpoint->server;
    struct rpc_request *request = xcalloc(1, sizeof *request);
    request->server = server;
    request->peer = peer;
    request->call_id = call->call_id;
    request->method = method;
    request->arena = rpc_server_arena(server);
    request->started_ns = uv_hrtime(); /* the loop's clock may be behind, and the time over early */
    request->due_ms = (int64_t)(request->started_ns / 1000000) + call->time_left_ms;
    request->next = server->requests;
    if (request->next)
        request->next->previous = request;
    server->requests = request;
    server->in_flight++;
    map_put(peer->requests, map_key_u64(&request->call_id), request);
    deadlines_set(&server->deadlines, &request->deadline, request->due_ms);
    return request;
}

static void unlink_request(struct rpc_request *request)
{
    struct rpc_server *server = request->server;
    if (request->previous)
        request->previous->next = request->next;
    else
        server->requests = request->next;
    if (request->next)
        request->next->previous = request->previous;
    deadlines_clear(&server->deadlines, &request->deadline);
    server->assembly_bytes -= request->assembly.len;
    server->in_flight--;
}

static void detach_peer(struct rpc_request *request)
{
    if (request->peer)
        map_remove(request->peer->requests, map_key_u64(&request->call_id));
    request->peer = NULL;
}

static void request_free(struct rpc_request *request)
{
    detach_peer(request);
    if (request->server) {
        unlink_request(request);
        rpc_server_arena_back(request->server, request->arena);
    } else {
        arena_free(request->arena);
    }
    text_done(&request->assembly);
    free(request);
}

static void tell_owner(struct rpc_request *request)
{
    void (*on_cancel)(void *user) = request->on_cancel;
    request->on_cancel = NULL;
    if (on_cancel)
        on_cancel(request->cancel_user);
}

void rpc_request_abandon(struct rpc_request *request)
{
    detach_peer(request);
    if (request->state == RPC_ASSEMBLING)
        request_free(request); /* has no owner yet */
    else
        tell_owner(request);
}

/* A client whose queue is full takes none of its answers, and will not miss this one either. */
static void send_end(struct rpc_peer *peer, struct rpc_wire_reply *reply)
{
    if (rpc_peer_has_room(peer, reply->message.len))
        rpc_peer_send(peer, reply);
}

static void end_unserved(struct rpc_peer *peer, uint64_t call_id, enum error_code code,
                         const char *message, bool is_refused)
{
    struct rpc_wire_reply reply = {
        .call_id = call_id,
        .has_status = true,
        .code = code,
        .message = slice_of(message),
        .is_last = true,
        .is_refused = is_refused,
    };
    send_end(peer, &reply);
}

void rpc_request_refuse(struct rpc_peer *peer, uint64_t call_id, enum error_code code,
                        const char *message)
{
    end_unserved(peer, call_id, code, message, true);
}

/* It can never be served, however often it is sent. */
static void reject(struct rpc_peer *peer, uint64_t call_id, enum error_code code,
                   const char *message)
{
    end_unserved(peer, call_id, code, message, false);
}

/* -- arriving ------------------------------------------------------------------------------------- */

static void count_end(struct rpc_request *request, enum error_code code)
{
    const struct rpc_served_method *method = request->method;
    if (!request->server)
        return;
    histogram_observe(method->seconds, (double)(uv_hrtime() - request->started_ns) / 1e9);
    if (code == ERROR_OK) {
        metric_add(method->ok, 1);
        return;
    }
    char labels[RPC_METHOD_MAX + 64];
    snprintf(labels, sizeof labels, "method=\"%s\",code=\"%d\"", method->facts->path, code);
    metric_add(metric_open(METRIC_COUNTER, "eos_rpc_requests_total",
                           "Calls that were answered, by method and code.", labels),
               1);
}

static void answer_at_once(struct rpc_request *request)
{
    const struct rpc_served_method *method = request->method;
    struct rpc_server *server = request->server;
    struct error err;
    ProtobufCMessage *response = arena_alloc(request->arena, method->response->sizeof_message);
    protobuf_c_message_init(method->response, response);

    if (!method->method->handle(method->ctx, request->message, response, request->arena, &err)) {
        rpc_fail(request, &err);
        return;
    }
    if (!server->hold) {
        rpc_reply(request, response);
        return;
    }
    size_t len = protobuf_c_message_get_packed_size(response);
    char *packed = arena_alloc(request->arena, len);
    protobuf_c_message_pack(response, (uint8_t *)packed);
    request->held = (struct slice){ packed, len };
    request->state = RPC_HELD;
    server->hold(server->hold_ctx, request);
}

static void serve(struct rpc_request *request, struct slice payload)
{
    struct error err;
    ProtobufCMessage *message;
    request->state = RPC_SERVING;
    /* A stream goes on for as long as its caller is there. */
    if (request->method->facts->is_stream)
        deadlines_clear(&request->server->deadlines, &request->deadline);
    if (!rpc_payload_decode(request->method->request, payload, request->arena, &message, &err)) {
        rpc_fail(request, &err);
        return;
    }
    request->message = message;
    request->server->assembly_bytes -= request->assembly.len;
    text_done(&request->assembly);
    if (request->method->method->handle)
        answer_at_once(request);
    else
        request->method->method->start(request->method->ctx, request);
}

static const char *copy_traceparent(const struct rpc_request *request,
                                    const struct rpc_wire_call *call)
{
    struct slice value = rpc_wire_metadata(call, "traceparent");
    return value.len > 0 ? arena_memdup0(request->arena, value.ptr, value.len) : "";
}

static bool may_begin(struct rpc_peer *peer, struct error *err)
{
    const struct rpc_server *server = peer->endpoint->server;
    if (server->is_draining)
        return error_set(err, ERROR_UNAVAILABLE, "the service is shutting down");
    if (server->in_flight >= server->limits.in_flight)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED, "%u calls are being served already",
                         server->limits.in_flight);
    if (map_count(peer->requests) >= server->limits.in_flight_client)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED,
                         "%u calls of this client are being served already",
                         server->limits.in_flight_client);
    return true;
}

static struct rpc_request *begin(struct rpc_peer *peer, const struct rpc_wire_call *call)
{
    struct error err;
    if (!may_begin(peer, &err)) {
        rpc_request_refuse(peer, call->call_id, err.code, err.message);
        return NULL;
    }
    struct rpc_served_method *method = map_get(peer->endpoint->server->methods, call->method);
    if (!method) {
        reject(peer, call->call_id, ERROR_UNIMPLEMENTED, "there is no such method here");
        return NULL;
    }
    struct rpc_request *request = request_new(peer, call, method);
    request->traceparent = copy_traceparent(request, call);
    request->caller = peer->caller ? arena_strdup(request->arena, peer->caller) : "";
    return request;
}

/* Chunks come in order on a connection; one that does not is of a transmission that broke off. */
static void assemble(struct rpc_request *request, const struct rpc_wire_call *call)
{
    struct rpc_server *server = request->server;
    struct rpc_peer *peer = request->peer;
    uint64_t call_id = request->call_id;
    if (call->chunk != request->next_chunk_in)
        return;
    request->next_chunk_in++;
    if (call->chunk == 0 && !call->has_more) {
        serve(request, call->payload);
        return;
    }
    if (request->assembly.len + call->payload.len > RPC_MAX_PAYLOAD_BYTES) {
        request_free(request);
        reject(peer, call_id, ERROR_INVALID_ARGUMENT, "the request is larger than 16 MiB");
        return;
    }
    if (server->assembly_bytes + call->payload.len > RPC_ASSEMBLY_BYTES) {
        request_free(request);
        rpc_request_refuse(peer, call_id, ERROR_RESOURCE_EXHAUSTED,
                           "too many large requests are arriving at once");
        return;
    }
    text_add_bytes(&request->assembly, call->payload.ptr, call->payload.len);
    server->assembly_bytes += call->payload.len;
    if (!call->has_more)
        serve(request, text_slice(&request->assembly));
}

void rpc_request_arrive(struct rpc_peer *peer, const struct rpc_wire_call *call)
{
    struct rpc_request *request = map_get(peer->requests, map_key_u64(&call->call_id));
    if (request && request->state != RPC_ASSEMBLING)
        return; /* a repetition of what is being served: the answer comes */
    if (!request && call->chunk > 0)
        return; /* the rest of a call that has been refused */
    if (request && call->chunk == 0) {
        rpc_request_abandon(request); /* sent again from the start */
        request = NULL;
    }
    if (!request)
        request = begin(peer, call);
    if (request)
        assemble(request, call);
}

/* -- answering ------------------------------------------------------------------------------------ */

static void send_chunks(struct rpc_request *request, struct slice payload, bool is_last)
{
    do {
        size_t len = payload.len < RPC_CHUNK_BYTES ? payload.len : RPC_CHUNK_BYTES;
        struct rpc_wire_reply reply = {
            .call_id = request->call_id,
            .payload = { payload.ptr, len },
            .chunk = request->chunks_out++,
            .has_more = len < payload.len,
            .is_last = is_last && len == payload.len,
        };
        rpc_peer_send(request->peer, &reply);
        payload = (struct slice){ payload.ptr + len, payload.len - len };
    } while (payload.len > 0);
}

static void send_message(struct rpc_request *request, const ProtobufCMessage *message, size_t len,
                         bool is_last)
{
    if (len <= RPC_CHUNK_BYTES) {
        struct rpc_wire_reply reply = {
            .call_id = request->call_id,
            .chunk = request->chunks_out++,
            .is_last = is_last,
        };
        rpc_peer_send_message(request->peer, &reply, message);
        return;
    }
    char *packed = xcalloc(1, len);
    protobuf_c_message_pack(message, (uint8_t *)packed);
    send_chunks(request, (struct slice){ packed, len }, is_last);
    free(packed);
}

static bool check_size(struct rpc_request *request, size_t len, struct error *err)
{
    if (len > RPC_MAX_PAYLOAD_BYTES)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED, "the answer is larger than 16 MiB");
    if (request->peer && !rpc_peer_has_room(request->peer, len))
        return error_set(err, ERROR_RESOURCE_EXHAUSTED,
                         "too many answers wait to be taken by the caller");
    return true;
}

/* The methods go with the server, before the calls. */
static void check_type(const struct rpc_request *request, const ProtobufCMessage *response)
{
    assert(!request->server || response->descriptor == request->method->response);
}

void rpc_reply(struct rpc_request *request, const ProtobufCMessage *response)
{
    struct error err;
    size_t len = protobuf_c_message_get_packed_size(response);
    check_type(request, response);
    if (!check_size(request, len, &err)) {
        rpc_fail(request, &err);
        return;
    }
    if (request->peer)
        send_message(request, response, len, true);
    count_end(request, ERROR_OK);
    request_free(request);
}

void rpc_release(struct rpc_request *request)
{
    struct error err;
    assert(request->state == RPC_HELD);
    if (!check_size(request, request->held.len, &err)) {
        rpc_fail(request, &err);
        return;
    }
    if (request->peer)
        send_chunks(request, request->held, true);
    count_end(request, ERROR_OK);
    request_free(request);
}

static void end_with(struct rpc_request *request, enum error_code code, const char *message)
{
    if (request->peer) {
        struct rpc_wire_reply reply = {
            .call_id = request->call_id,
            .has_status = true,
            .code = code,
            .message = slice_of(message),
            .chunk = request->chunks_out++,
            .is_last = true,
        };
        send_end(request->peer, &reply);
    }
    count_end(request, code);
    request_free(request);
}

void rpc_fail(struct rpc_request *request, const struct error *err)
{
    assert(err->code != ERROR_OK);
    end_with(request, err->code, err->message);
}

/* -- streams -------------------------------------------------------------------------------------- */

bool rpc_stream_send(struct rpc_request *request, const ProtobufCMessage *message,
                     struct error *err)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    check_type(request, message);
    if (!request->peer)
        return true; /* nobody listens; the owner has been told */
    if (request->stream_sent - request->stream_credit >= RPC_STREAM_WINDOW) {
        request->wants_writable = true;
        return error_set(err, ERROR_RESOURCE_EXHAUSTED, "%u messages are on their way already",
                         RPC_STREAM_WINDOW);
    }
    if (!check_size(request, len, err)) {
        request->wants_writable = request->lacks_room = true;
        request->lacking_tick = request->server->ticks;
        request->server->has_waiting = true;
        return false;
    }
    send_message(request, message, len, false);
    request->stream_sent++;
    return true;
}

void rpc_stream_on_writable(struct rpc_request *request, void (*on_writable)(void *user),
                            void *user)
{
    request->on_writable = on_writable;
    request->writable_user = user;
}

void rpc_stream_end(struct rpc_request *request)
{
    end_with(request, ERROR_OK, "");
}

void rpc_request_credit(struct rpc_peer *peer, const struct rpc_wire_call *call)
{
    struct rpc_request *request = map_get(peer->requests, map_key_u64(&call->call_id));
    if (!request || call->credit <= request->stream_credit || call->credit > request->stream_sent)
        return;
    request->stream_credit = call->credit;
    rpc_request_wake(request);
}

void rpc_request_wake(struct rpc_request *request)
{
    request->lacks_room = false;
    if (!request->wants_writable || !request->on_writable)
        return;
    request->wants_writable = false;
    request->on_writable(request->writable_user);
}

/* -- what a handler may ask ----------------------------------------------------------------------- */

const void *rpc_request_message(const struct rpc_request *request)
{
    return request->message;
}

struct arena *rpc_request_arena(struct rpc_request *request)
{
    return request->arena;
}

uint32_t rpc_request_time_left_ms(const struct rpc_request *request)
{
    if (!request->server)
        return 0;
    int64_t left = request->due_ms - rpc_server_now_ms(request->server);
    return left > 0 ? (uint32_t)left : 0;
}

const char *rpc_request_traceparent(const struct rpc_request *request)
{
    return request->traceparent;
}

const char *rpc_request_caller(const struct rpc_request *request)
{
    return request->caller;
}

void rpc_request_on_cancel(struct rpc_request *request, void (*on_cancel)(void *user), void *user)
{
    request->on_cancel = on_cancel;
    request->cancel_user = user;
}
