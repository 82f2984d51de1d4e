#include "base/alloc.h"
#include "io/rpc_link.h"
#include "io/rpc_payload.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#define SLOT_BITS   12
#define SLOTS_FIRST 64u

_Static_assert(RPC_MAX_IN_FLIGHT == 1u << SLOT_BITS, "a call id names its slot in its low bits");

struct rpc_part {
    struct rpc_part *next;
    size_t len;
    char bytes[];
};

/* -- time ----------------------------------------------------------------------------------------- */

int64_t rpc_client_now_ms(const struct rpc_client *client)
{
    return (int64_t)uv_now(client->loop);
}

static void on_timer(uv_timer_t *timer);

void rpc_client_wake_at(struct rpc_client *client, int64_t due_ms)
{
    if (client->armed_ms != 0 && client->armed_ms <= due_ms)
        return;
    int64_t wait_ms = due_ms - rpc_client_now_ms(client);
    client->armed_ms = due_ms;
    uv_timer_start(&client->timer, on_timer, wait_ms > 0 ? (uint64_t)wait_ms : 0, 0);
}

/* -- calls in their slots ------------------------------------------------------------------------- */

static void grow_slots(struct rpc_client *client)
{
    uint32_t count = client->slot_count ? 2 * client->slot_count : SLOTS_FIRST;
    client->slots = xreallocarray(client->slots, count, sizeof *client->slots);
    client->free_slots = xreallocarray(client->free_slots, count, sizeof *client->free_slots);
    for (uint32_t slot = count; slot-- > client->slot_count;) {
        client->slots[slot] = NULL;
        client->free_slots[client->free_count++] = slot;
    }
    client->slot_count = count;
}

static void take_slot(struct rpc_client *client, struct rpc_call *call)
{
    if (client->free_count == 0)
        grow_slots(client);
    uint32_t slot = client->free_slots[--client->free_count];
    call->id = ++client->counter << SLOT_BITS | slot;
    client->slots[slot] = call;
    client->in_flight++;
}

static struct rpc_call *find_call(const struct rpc_client *client, uint64_t id)
{
    uint64_t slot = id & (RPC_MAX_IN_FLIGHT - 1);
    struct rpc_call *call = slot < client->slot_count ? client->slots[slot] : NULL;
    return call && call->id == id ? call : NULL;
}

/* From here on nothing leads to the call but its owner. */
static void leave_slot(struct rpc_call *call)
{
    struct rpc_client *client = call->client;
    uint32_t slot = (uint32_t)(call->id & (RPC_MAX_IN_FLIGHT - 1));
    assert(client->slots[slot] == call);
    client->slots[slot] = NULL;
    client->free_slots[client->free_count++] = slot;
    client->in_flight--;
    deadlines_clear(&client->deadlines, &call->deadline);
    deadlines_clear(&client->retries, &call->retry);
    rpc_link_forget_call(client, call);
}

static void call_free(struct rpc_call *call)
{
    for (struct rpc_part *part = call->first, *next; part; part = next) {
        next = part->next;
        free(part);
    }
    text_done(&call->assembly);
    free(call->end);
    free(call->traceparent);
    free(call);
}

/* -- the end of a call ---------------------------------------------------------------------------- */

static void finish(struct rpc_call *call, const ProtobufCMessage *response, const struct error *err)
{
    leave_slot(call);
    call->is_over = true;
    if (call->reply)
        call->reply(call->user, response, err);
    else
        call->on_message(call->user, NULL, err);
    call_free(call);
}

/* Nobody has answered. */
static void fail(struct rpc_call *call, enum error_code code, const char *message)
{
    struct error err = { .code = code, .is_unanswered = true };
    snprintf(err.message, sizeof err.message, "%s", message);
    finish(call, NULL, &err);
}

static enum error_code known_code(uint32_t number)
{
    switch (number) {
#define ERROR_CODE(name, code, http, retry)                                                        \
    case code:                                                                                     \
        return ERROR_##name;
#include "base/error_codes.def"
#undef ERROR_CODE
    default:
        return ERROR_UNKNOWN;
    }
}

/* The message comes from a peer: what is no text is not shown. */
static void set_as_told(struct error *err, const struct rpc_wire_reply *reply)
{
    bool is_text = reply->message.len > 0 && slice_is_utf8(reply->message);
    error_set(err, known_code(reply->code), "%.*s", is_text ? (int)reply->message.len : 0,
              is_text ? reply->message.ptr : "");
}

static void fail_as_told(struct rpc_call *call, const struct rpc_wire_reply *reply)
{
    struct error err;
    set_as_told(&err, reply);
    if (err.code == ERROR_OK)
        err.code = ERROR_UNKNOWN; /* a refusal without a reason */
    err.is_unanswered = reply->is_refused;
    finish(call, NULL, &err);
}

/* -- messages of a call --------------------------------------------------------------------------- */

static const struct error data_loss = { .code = ERROR_DATA_LOSS,
                                        .message = "the answer could not be decoded" };

static void finish_unary(struct rpc_call *call, struct slice payload)
{
    struct rpc_client *client = call->client;
    ProtobufCMessage *response;
    struct error err;
    if (rpc_payload_decode(call->response, payload, client->arena, &response, &err))
        finish(call, response, NULL);
    else
        finish(call, NULL, &data_loss);
    arena_reset(client->arena);
}

static void count_delivered(struct rpc_call *call)
{
    call->delivered++;
    if (call->delivered - call->credit < RPC_STREAM_WINDOW / 4)
        return;
    call->credit = call->delivered;
    rpc_link_credit(call->client, call);
}

/* False when the call is gone.  The callback may cancel the call or close the client. */
static bool deliver(struct rpc_call *call, struct slice payload)
{
    struct arena *arena = call->client->arena;
    ProtobufCMessage *message;
    struct error err;
    bool is_good = rpc_payload_decode(call->response, payload, arena, &message, &err);
    if (is_good) {
        call->is_delivering = true;
        call->on_message(call->user, message, NULL);
        call->is_delivering = false;
    } else {
        rpc_link_cancel_call(call->client, call);
        finish(call, NULL, &data_loss);
    }
    arena_reset(arena);
    if (!is_good)
        return false;
    if (call->is_cancelled) {
        call_free(call);
        return false;
    }
    if (call->client->is_closed)
        return false;
    count_delivered(call);
    return true;
}

static void keep_part(struct rpc_call *call, struct slice payload)
{
    struct rpc_part *part = xcalloc(1, sizeof *part + payload.len);
    part->len = payload.len;
    if (payload.len > 0)
        memcpy(part->bytes, payload.ptr, payload.len);
    *call->last = part;
    call->last = &part->next;
    call->kept++;
}

static void set_deadline(struct rpc_call *call)
{
    call->due_ms = rpc_client_now_ms(call->client) + call->deadline_ms;
    deadlines_set(&call->client->deadlines, &call->deadline, call->due_ms);
    rpc_client_wake_at(call->client, call->due_ms);
}

static void take_stream_message(struct rpc_call *call, struct slice payload)
{
    set_deadline(call); /* what counts is the silence */
    if (call->kept == RPC_STREAM_WINDOW) {
        rpc_link_cancel_call(call->client, call);
        fail(call, ERROR_DATA_LOSS, "the peer sends more of the stream than it may");
        return;
    }
    if (call->is_paused || call->first) {
        keep_part(call, payload);
        return;
    }
    deliver(call, payload);
}

static void take_end(struct rpc_call *call, const struct rpc_wire_reply *reply,
                     struct slice payload)
{
    if (reply->has_status && reply->code != ERROR_OK)
        fail_as_told(call, reply);
    else if (call->reply)
        finish_unary(call, payload);
    else
        finish(call, NULL, NULL);
}

/* The end of a stream whose messages have not all been taken waits for that. */
static bool is_early_end(const struct rpc_call *call, const struct rpc_wire_reply *reply)
{
    return reply->is_last && call->first;
}

static uint32_t retry_delay_ms(struct rpc_client *client, unsigned attempt)
{
    uint32_t delay = RPC_RETRY_FIRST_MS;
    while (attempt-- > 0 && delay < RPC_RETRY_LAST_MS)
        delay *= 2;
    return delay / 2 + (uint32_t)random_below(&client->random, delay / 2 + 1);
}

static void restart(struct rpc_call *call)
{
    text_clear(&call->assembly);
    call->chunk_in = 0;
    call->chunk_out = 0;
}

/* The peer has not performed it and said so: it may be sent again, whatever the method. */
static void take_refusal(struct rpc_call *call, const struct rpc_wire_reply *reply)
{
    struct rpc_client *client = call->client;
    int64_t at_ms = rpc_client_now_ms(client) + retry_delay_ms(client, call->attempts++);
    if (at_ms >= call->due_ms || known_code(reply->code) != ERROR_UNAVAILABLE) {
        fail_as_told(call, reply);
        return;
    }
    rpc_link_forget_call(client, call); /* the rest of it would be of no use */
    restart(call);
    metric_add(client->repeats, 1);
    deadlines_set(&client->retries, &call->retry, at_ms);
    rpc_client_wake_at(client, at_ms);
}

static void take_payload(struct rpc_call *call, const struct rpc_wire_reply *reply)
{
    struct slice payload = reply->payload;
    if (call->assembly.len + payload.len > RPC_MAX_PAYLOAD_BYTES) {
        rpc_link_cancel_call(call->client, call);
        finish(call, NULL, &data_loss);
        return;
    }
    if (reply->has_more || call->assembly.len > 0)
        text_add_bytes(&call->assembly, payload.ptr, payload.len);
    if (reply->has_more)
        return;
    struct text whole = call->assembly;
    call->assembly = (struct text)TEXT_INIT;
    if (whole.len > 0)
        payload = text_slice(&whole);
    if (reply->is_last)
        take_end(call, reply, payload);
    else if (call->on_message)
        take_stream_message(call, payload);
    text_done(&whole);
}

void rpc_client_take(struct rpc_client *client, const struct rpc_wire_reply *reply)
{
    struct rpc_call *call = find_call(client, reply->call_id);
    if (!call)
        return; /* given up, or answered twice */
    if (reply->is_refused) {
        take_refusal(call, reply);
        return;
    }
    if (reply->chunk != call->chunk_in)
        return; /* of an earlier attempt that broke off */
    call->chunk_in++;
    if (!is_early_end(call, reply)) {
        take_payload(call, reply);
        return;
    }
    call->has_ended = true;
    if (reply->code == ERROR_OK)
        return;
    call->end = xcalloc(1, sizeof *call->end);
    set_as_told(call->end, reply);
}

/* -- asking again --------------------------------------------------------------------------------- */

/* The messages of a stream have no numbers that two attempts share. */
static bool can_repeat(const struct rpc_call *call, bool is_same_connection)
{
    return !call->on_message || call->chunk_out == 0 ||
           (call->chunk_in == 0 && !is_same_connection);
}

static void break_off(struct rpc_call *call)
{
    if (call->has_ended)
        return;
    rpc_link_cancel_call(call->client, call);
    fail(call, ERROR_UNAVAILABLE, "the connection broke in the middle of the stream");
}

static void repeat(struct rpc_client *client, struct rpc_call *call, bool is_same_connection)
{
    bool was_sent = call->chunk_out > 0;
    if (was_sent && !call->facts->is_idempotent) {
        fail(call, ERROR_UNAVAILABLE,
             "the connection broke, and whether the call was performed is "
             "not known");
        return;
    }
    if (!can_repeat(call, is_same_connection)) {
        break_off(call);
        return;
    }
    restart(call);
    metric_add(client->repeats, was_sent);
    if (!call->is_unsent && !call->retry.place)
        rpc_link_send_call(client, call);
}

/* Callbacks may start and end calls meanwhile: calls that are new by then have a higher number. */
void rpc_client_repeat_all(struct rpc_client *client, bool is_same_connection)
{
    uint64_t newest = client->counter;
    for (uint32_t slot = 0; slot < client->slot_count && !client->is_closed; slot++) {
        struct rpc_call *call = client->slots[slot];
        if (call && call->id >> SLOT_BITS <= newest)
            repeat(client, call, is_same_connection);
    }
}

static void expire(struct rpc_client *client, struct rpc_call *call)
{
    char message[RPC_URL_MAX + 80];
    if (call->on_message && (call->is_paused || call->first)) {
        set_deadline(call); /* it is the caller who lets the stream wait */
        return;
    }
    rpc_link_cancel_call(client, call);
    if (rpc_client_is_connected(client)) {
        snprintf(message, sizeof message, "no answer within %u ms", call->deadline_ms);
        fail(call, ERROR_DEADLINE_EXCEEDED, message);
    } else {
        snprintf(message, sizeof message, "could not reach \"%s\" within %u ms", client->url.text,
                 call->deadline_ms);
        fail(call, ERROR_UNAVAILABLE, message);
    }
}

#define CALL_OF(item, member)                                                                      \
    ((struct rpc_call *)((char *)(item)-offsetof(struct rpc_call, member)))

static void on_timer(uv_timer_t *timer)
{
    struct rpc_client *client = timer->data;
    int64_t now_ms = rpc_client_now_ms(client);
    struct deadline *item;

    client->armed_ms = 0;
    while (!client->is_closed && (item = deadlines_take(&client->deadlines, now_ms)) != NULL)
        expire(client, CALL_OF(item, deadline));
    while (!client->is_closed && (item = deadlines_take(&client->retries, now_ms)) != NULL)
        rpc_link_send_call(client, CALL_OF(item, retry));
    if (client->is_closed)
        return;
    rpc_link_tick(client, now_ms);
    rpc_client_wake_at(client, rpc_link_due_ms(client));
    if (client->deadlines.count > 0)
        rpc_client_wake_at(client, client->deadlines.items[0]->due_ms);
    if (client->retries.count > 0)
        rpc_client_wake_at(client, client->retries.items[0]->due_ms);
}

/* -- calling -------------------------------------------------------------------------------------- */

static bool is_short(const char *text)
{
    return !text || strlen(text) <= RPC_METADATA_BYTES;
}

static bool may_call(const struct rpc_client *client, size_t len,
                     const struct rpc_call_options *options, struct error *err)
{
    if (options && !is_short(options->traceparent))
        return error_set(err, ERROR_INVALID_ARGUMENT, "the traceparent is longer than %u bytes",
                         RPC_METADATA_BYTES);
    if (len > RPC_MAX_PAYLOAD_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "the request is larger than %u MiB",
                         RPC_MAX_PAYLOAD_BYTES >> 20);
    if (client->in_flight >= RPC_MAX_IN_FLIGHT)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED, "%u calls to \"%s\" are under way already",
                         RPC_MAX_IN_FLIGHT, client->url.text);
    if (client->unsent_bytes + len > RPC_UNSENT_BYTES)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED,
                         "%u MiB of requests to \"%s\" wait to be sent already",
                         RPC_UNSENT_BYTES >> 20, client->url.text);
    return true;
}

static struct rpc_call *start_call(struct rpc_client *client,
                                   const ProtobufCServiceDescriptor *service, const char *method,
                                   const ProtobufCMessage *request,
                                   const struct rpc_call_options *options, bool is_stream,
                                   void *user, struct error *err)
{
    const ProtobufCMethodDescriptor *described =
        protobuf_c_service_descriptor_get_method_by_name(service, method);
    const struct rpc_method_facts *facts = rpc_method_find(service->name, method);
    if (!described || !facts || facts->is_stream != is_stream) {
        error_set(err, ERROR_INVALID_ARGUMENT, "%s has no such method", service->name);
        return NULL;
    }
    assert(request->descriptor == described->input);
    assert(!client->is_closed);
    size_t len = protobuf_c_message_get_packed_size(request);
    if (!may_call(client, len, options, err))
        return NULL;
    struct rpc_call *call = xcalloc(1, sizeof *call + len);
    call->client = client;
    call->facts = facts;
    call->response = described->output;
    call->user = user;
    call->last = &call->first;
    call->deadline_ms = options && options->deadline_ms ? options->deadline_ms : facts->deadline_ms;
    if (options && options->traceparent && options->traceparent[0])
        call->traceparent = xstrdup(options->traceparent);
    call->len = protobuf_c_message_pack(request, (uint8_t *)call->payload);
    uv_update_time(client->loop); /* the program may have been busy in this turn */
    take_slot(client, call);
    set_deadline(call);
    return call;
}

struct rpc_call *rpc_call(struct rpc_client *client, const ProtobufCServiceDescriptor *service,
                          const char *method, const ProtobufCMessage *request,
                          const struct rpc_call_options *options, rpc_reply_fn *reply, void *user,
                          struct error *err)
{
    struct rpc_call *call = start_call(client, service, method, request, options, false, user, err);
    if (!call)
        return NULL;
    call->reply = reply;
    rpc_link_send_call(client, call);
    return call;
}

struct rpc_call *rpc_call_stream(struct rpc_client *client,
                                 const ProtobufCServiceDescriptor *service, const char *method,
                                 const ProtobufCMessage *request,
                                 const struct rpc_call_options *options, rpc_stream_fn *on_message,
                                 void *user, struct error *err)
{
    struct rpc_call *call = start_call(client, service, method, request, options, true, user, err);
    if (!call)
        return NULL;
    call->on_message = on_message;
    rpc_link_send_call(client, call);
    return call;
}

void rpc_call_pause(struct rpc_call *call)
{
    call->is_paused = true;
}

/* What has been kept is delivered from the timer: no callback runs inside this function. */
void rpc_call_resume(struct rpc_call *call)
{
    if (!call->is_paused)
        return;
    call->is_paused = false;
    if (call->first || call->has_ended) {
        call->is_resuming = true;
        uv_timer_start(&call->client->resume, call->client->on_resume, 0, 0);
    }
}

static void resume_call(struct rpc_call *call)
{
    struct rpc_client *client = call->client;
    call->is_resuming = false;
    while (call->first && !call->is_paused) {
        struct rpc_part *part = call->first;
        call->first = part->next;
        if (!call->first)
            call->last = &call->first;
        call->kept--;
        bool is_there = deliver(call, (struct slice){ part->bytes, part->len });
        free(part);
        if (!is_there || client->is_closed)
            return;
    }
    if (!call->first && call->has_ended)
        finish(call, NULL, call->end);
}

static void on_resume(uv_timer_t *timer)
{
    struct rpc_client *client = timer->data;
    for (uint32_t slot = 0; slot < client->slot_count && !client->is_closed; slot++)
        if (client->slots[slot] && client->slots[slot]->is_resuming)
            resume_call(client->slots[slot]);
}

void rpc_call_cancel(struct rpc_call *call)
{
    if (call->is_over)
        return;
    if (!call->client->is_closed) {
        rpc_link_cancel_call(call->client, call);
        leave_slot(call);
    } else {
        call->client->slots[call->id & (RPC_MAX_IN_FLIGHT - 1)] = NULL;
    }
    if (call->is_delivering)
        call->is_cancelled = true; /* freed when its callback has returned */
    else
        call_free(call);
}

/* -- opening and closing -------------------------------------------------------------------------- */

static void open_metrics(struct rpc_client *client)
{
    client->reconnects = metric_open(METRIC_COUNTER, "eos_rpc_client_reconnects_total",
                                     "Connections to other services that were made again.", NULL);
    client->repeats = metric_open(METRIC_COUNTER, "eos_rpc_client_repeats_total",
                                  "Calls to other services that were sent again.", NULL);
}

struct rpc_client *rpc_client_open(uv_loop_t *loop, const struct rpc_client_options *options,
                                   struct error *err)
{
    struct rpc_url url;
    if (!rpc_url_parse(options->url, &url, err))
        return NULL;
    if (!is_short(options->caller)) {
        error_set(err, ERROR_INVALID_ARGUMENT, "the caller's name is longer than %u bytes",
                  RPC_METADATA_BYTES);
        return NULL;
    }
    struct rpc_client *client = xcalloc(1, sizeof *client);
    client->loop = loop;
    client->url = url;
    client->caller = xstrdup(options->caller ? options->caller : "");
    client->on_resume = on_resume;
    client->arena = arena_new();
    randombytes_buf(&client->random, sizeof client->random);
    client->id = random_next(&client->random) | 1;
    client->counter = random_next(&client->random) >> (SLOT_BITS + 2);
    open_metrics(client);
    client->timer.data = client->resume.data = client;
    uv_timer_init(loop, &client->timer);
    uv_timer_init(loop, &client->resume);
    if (!rpc_link_open(client, options->key, err)) {
        rpc_client_close(client);
        return NULL;
    }
    rpc_link_tick(client, rpc_client_now_ms(client));
    rpc_client_wake_at(client, rpc_link_due_ms(client));
    return client;
}

static const struct error closed = { .code = ERROR_CANCELLED,
                                     .message = "the connection was closed" };

static void end_call(struct rpc_call *call)
{
    if (call->is_delivering)
        return; /* its callback has not returned; see below */
    call->is_over = true;
    if (call->reply)
        call->reply(call->user, NULL, &closed);
    else
        call->on_message(call->user, NULL, &closed);
    call_free(call);
}

static void on_closed(uv_handle_t *handle)
{
    struct rpc_client *client = handle->data;
    if (--client->open_timers > 0)
        return;
    for (uint32_t slot = 0; slot < client->slot_count; slot++)
        if (client->slots[slot])
            end_call(TAKE(client->slots[slot]));
    deadlines_done(&client->deadlines);
    deadlines_done(&client->retries);
    arena_free(client->arena);
    free(client->slots);
    free(client->free_slots);
    free(client->caller);
    free(client);
}

void rpc_client_close(struct rpc_client *client)
{
    if (!client || client->is_closed)
        return;
    client->is_closed = true;
    client->open_timers = 2;
    rpc_link_close(client);
    uv_close((uv_handle_t *)&client->timer, on_closed);
    uv_close((uv_handle_t *)&client->resume, on_closed);
}
