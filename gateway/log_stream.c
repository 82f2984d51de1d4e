#include "base/alloc.h"
#include "base/cleanup.h"
#include "gateway/handlers.h"
#include "gateway/problem.h"
#include "gateway/sse.h"
#include "gateway/task_host.h"

#include "eos/launcher/v1/launcher.pb-c.h"

#include <inttypes.h>

#define EVENTS        "text/event-stream; charset=utf-8"
#define PLAIN         "text/plain; charset=utf-8"
#define BYTES         "application/octet-stream"
#define FIRST_SIGN_MS 1000u /* a stream that has nothing to say yet shows that it is there */
#define RECONNECT_MS  "1000"

/* One client that reads a log: bytes as they are, or server-sent events when it follows. */
struct stream {
    struct handlers *handlers;
    struct exchange *exchange; /* NULL: the client is gone or served, the timer is closing */
    Eos__Launcher__V1__ReadLogRequest *request;
    struct task_host *find;
    struct launcher *launcher;
    struct peer_call *call;
    uv_timer_t heartbeat;
    const char *content_type;
    struct sse_log events;
    bool is_paused;
};

static bool has_events(const struct stream *stream)
{
    return strcmp(stream->content_type, EVENTS) == 0;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

/* Lets go of everything but the exchange, which the caller ends. */
static struct exchange *release(struct stream *stream)
{
    struct exchange *exchange = stream->exchange;
    if (stream->find)
        task_host_cancel(stream->find);
    if (stream->call)
        peer_call_cancel(stream->call);
    launcher_release(stream->launcher);
    stream->exchange = NULL;
    uv_close((uv_handle_t *)&stream->heartbeat, on_closed);
    return exchange;
}

static void on_abort(void *user)
{
    release(user);
}

/* -- output --------------------------------------------------------------------------------------- */

static void start(struct stream *stream, const Eos__Launcher__V1__LogChunk *chunk)
{
    if (exchange_stream_has_started(stream->exchange))
        return;
    cleanup_text struct text headers = TEXT_INIT;
    if (chunk)
        text_printf(&headers, "Eos-Log-Offset: %" PRId64 "\r\nEos-Log-Run: %" PRId32 "\r\n",
                    chunk->offset, chunk->run);
    exchange_stream_start(stream->exchange, stream->content_type, text_string(&headers));
    if (has_events(stream))
        exchange_stream_write(stream->exchange, SLICE("retry: " RECONNECT_MS "\n\n"));
}

/* Bytes that the client does not take stop the launcher in the end, not this process's memory. */
static void write_out(struct stream *stream, struct slice bytes)
{
    if (bytes.len > 0 && !exchange_stream_write(stream->exchange, bytes) && stream->call &&
        !stream->is_paused) {
        stream->is_paused = true;
        peer_call_pause(stream->call);
    }
}

static void on_writable(void *user)
{
    struct stream *stream = user;
    if (!stream->is_paused || !stream->call)
        return;
    stream->is_paused = false;
    peer_call_resume(stream->call);
}

static void on_heartbeat(uv_timer_t *timer)
{
    struct stream *stream = timer->data;
    cleanup_text struct text out = TEXT_INIT;
    start(stream, NULL);
    if (has_events(stream) && !stream->is_paused)
        sse_add_heartbeat(&out);
    write_out(stream, text_slice(&out));
}

static void write_last_event(struct stream *stream, const char *name, const char *data)
{
    cleanup_text struct text out = TEXT_INIT;
    sse_add_rest(&stream->events, &out);
    sse_add_event(&out, name, data);
    exchange_stream_write(stream->exchange, text_slice(&out));
}

static void on_drain(void *user)
{
    struct stream *stream = user;
    if (!has_events(stream))
        return; /* it ends by itself, or by the drain's deadline */
    start(stream, NULL);
    write_last_event(stream, "drain", "the gateway is going down, come back with Last-Event-ID");
    exchange_stream_end(release(stream));
}

/* -- input ---------------------------------------------------------------------------------------- */

static void on_chunk(struct stream *stream, const Eos__Launcher__V1__LogChunk *chunk)
{
    struct slice data = { (const char *)chunk->data.data, chunk->data.len };
    start(stream, chunk);
    if (data.len == 0)
        return;
    if (!has_events(stream)) {
        write_out(stream, data);
        return;
    }
    cleanup_text struct text out = TEXT_INIT;
    sse_add_data(&stream->events, data, (uint64_t)chunk->offset, &out);
    write_out(stream, text_slice(&out));
}

static void fail(struct stream *stream, const struct error *err)
{
    cleanup_text struct text problem = TEXT_INIT;
    if (!exchange_stream_has_started(stream->exchange)) {
        backend_fail(release(stream), "launcher of the task", err);
        return;
    }
    if (!has_events(stream)) {
        exchange_stream_break(release(stream));
        return;
    }
    problem_format(&problem, problem_status(err->code), err, NULL);
    problem.ptr[problem.len - 1] = '\0'; /* without its line end */
    write_last_event(stream, "error", text_string(&problem));
    exchange_stream_end(release(stream));
}

static void on_message(void *user, const ProtobufCMessage *message, const struct error *err)
{
    struct stream *stream = user;
    if (message) {
        on_chunk(stream, (const Eos__Launcher__V1__LogChunk *)message);
        return;
    }
    stream->call = NULL; /* it ends with this */
    if (err) {
        fail(stream, err);
        return;
    }
    start(stream, NULL);
    if (has_events(stream))
        write_last_event(stream, "end", "the log is complete");
    exchange_stream_end(release(stream));
}

static void on_launcher(void *user, struct launcher *launcher, const struct error *err)
{
    struct stream *stream = user;
    struct rpc_call_options options = { .traceparent = exchange_traceparent(stream->exchange) };
    struct error problem;

    stream->find = NULL;
    stream->launcher = launcher;
    if (!launcher) {
        exchange_fail(release(stream), err);
        return;
    }
    stream->call =
        peer_call_stream(launcher_peer(launcher), &eos__launcher__v1__launcher__descriptor,
                         "ReadLog", &stream->request->base, &options, on_message, stream, &problem);
    if (!stream->call) {
        exchange_fail(release(stream), &problem);
        return;
    }
    if (stream->request->follow)
        uv_timer_start(&stream->heartbeat, on_heartbeat, FIRST_SIGN_MS,
                       stream->handlers->heartbeat_ms);
}

/* -- the beginning -------------------------------------------------------------------------------- */

static bool accepts_bytes(const struct exchange *exchange)
{
    struct slice accept = http_request_header(exchange_request(exchange), "accept");
    while (accept.ptr) {
        struct slice type = slice_split(&accept, ',');
        if (http_name_is(slice_trim(slice_split(&type, ';')), BYTES))
            return true;
    }
    return false;
}

/* A client that comes back says where it stopped. */
static bool resume(struct exchange *exchange, Eos__Launcher__V1__ReadLogRequest *request,
                   struct error *err)
{
    struct slice last = http_request_header(exchange_request(exchange), "last-event-id");
    uint64_t offset;
    if (!last.ptr || last.len == 0 || !request->follow)
        return true;
    if (!slice_to_u64(last, INT64_MAX, &offset))
        return error_set(err, ERROR_INVALID_ARGUMENT, "header Last-Event-ID: expected an offset");
    request->offset = (int64_t)offset;
    return true;
}

static struct stream *stream_new(struct handlers *handlers, struct exchange *exchange,
                                 Eos__Launcher__V1__ReadLogRequest *request)
{
    struct stream *stream = xcalloc(1, sizeof *stream);
    stream->handlers = handlers;
    stream->exchange = exchange;
    stream->request = request;
    stream->content_type = accepts_bytes(exchange) ? BYTES : request->follow ? EVENTS : PLAIN;
    stream->heartbeat.data = stream;
    uv_timer_init(exchange_loop(exchange), &stream->heartbeat);
    exchange_on_abort(exchange, on_abort, stream);
    exchange_on_writable(exchange, on_writable);
    exchange_on_drain(exchange, on_drain);
    return stream;
}

void log_stream(struct handlers *handlers, struct exchange *exchange)
{
    struct error err;
    ProtobufCMessage *message;
    if (!exchange_decode(exchange, &message, &err) ||
        !resume(exchange, (Eos__Launcher__V1__ReadLogRequest *)message, &err)) {
        exchange_fail(exchange, &err);
        return;
    }
    struct stream *stream =
        stream_new(handlers, exchange, (Eos__Launcher__V1__ReadLogRequest *)message);
    stream->find =
        task_host_find(handlers, exchange, stream->request->task_id, on_launcher, stream, &err);
    if (!stream->find)
        exchange_fail(release(stream), &err);
}
