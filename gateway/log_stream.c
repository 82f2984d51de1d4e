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
    int32_t resumed_run; /* that the client has read of; -1: it has not, or not said so */
    bool is_paused;
    int32_t later_runs; /* that come behind the one that is being read */
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
    sse_add_data(&stream->events, data, chunk->run, (uint64_t)chunk->offset, &out);
    write_out(stream, text_slice(&out));
}

#define LAUNCHER_TITLE "launcher of the task"

static void fail(struct stream *stream, const struct error *err)
{
    cleanup_text struct text problem = TEXT_INIT;
    struct error named = backend_error(LAUNCHER_TITLE, err);
    if (!exchange_stream_has_started(stream->exchange)) {
        exchange_fail(release(stream), &named);
        return;
    }
    if (!has_events(stream)) {
        exchange_stream_break(release(stream));
        return;
    }
    problem_format(&problem, problem_status(named.code), &named, NULL);
    problem.ptr[problem.len - 1] = '\0'; /* without its line end */
    write_last_event(stream, "error", text_string(&problem));
    exchange_stream_end(release(stream));
}

static void read_log(struct stream *stream);

/* The rest of an earlier run is followed by the later ones from their start, the last of which is the
 * newest, whichever that is by then. */
static void read_later_run(struct stream *stream)
{
    bool is_last = --stream->later_runs == 0;
    stream->request->run = is_last ? -1 : stream->request->run + 1;
    stream->request->offset = 0;
    stream->request->follow = is_last;
    read_log(stream);
}

/* The files of a run may have been removed since. */
static bool may_go_on(const struct stream *stream, const struct error *err)
{
    return stream->later_runs > 0 && (!err || err->code == ERROR_NOT_FOUND);
}

static void on_message(void *user, const ProtobufCMessage *message, const struct error *err)
{
    struct stream *stream = user;
    if (message) {
        on_chunk(stream, (const Eos__Launcher__V1__LogChunk *)message);
        return;
    }
    stream->call = NULL; /* it ends with this */
    if (may_go_on(stream, err)) {
        read_later_run(stream);
        return;
    }
    if (err) {
        fail(stream, err);
        return;
    }
    start(stream, NULL);
    if (has_events(stream))
        write_last_event(stream, "end", "the log is complete");
    exchange_stream_end(release(stream));
}

/* -- the calls ------------------------------------------------------------------------------------ */

static void read_log(struct stream *stream)
{
    struct rpc_call_options options = { .traceparent = exchange_traceparent(stream->exchange) };
    struct error err;
    stream->call =
        peer_call_stream(launcher_peer(stream->launcher), &eos__launcher__v1__launcher__descriptor,
                         "ReadLog", &stream->request->base, &options, on_message, stream, &err);
    if (!stream->call)
        fail(stream, &err);
    else if (stream->is_paused)
        peer_call_pause(stream->call);
}

/* The newest run of what the request names; -1: none.  The first file is of the process that is meant
 * when none is named. */
static int32_t newest_run(const Eos__Launcher__V1__ListLogsResponse *logs,
                          const Eos__Launcher__V1__ReadLogRequest *request)
{
    int32_t newest = -1;
    for (size_t i = 0; i < logs->n_files; i++) {
        const Eos__Launcher__V1__LogFile *file = logs->files[i];
        const char *process = request->process[0] ? request->process : logs->files[0]->process;
        if (file->stream == request->stream && strcmp(file->process, process) == 0 &&
            file->run > newest)
            newest = file->run;
    }
    return newest;
}

static void on_files(void *user, const ProtobufCMessage *response, const struct error *err)
{
    struct stream *stream = user;
    stream->call = NULL;
    if (!response) {
        fail(stream, err);
        return;
    }
    const Eos__Launcher__V1__ListLogsResponse *logs =
        (const Eos__Launcher__V1__ListLogsResponse *)response;
    int32_t newest = newest_run(logs, stream->request);
    if (newest > stream->resumed_run) {
        stream->later_runs = newest - stream->resumed_run;
        stream->request->run = stream->resumed_run;
        stream->request->follow = false;
    }
    read_log(stream);
}

/* The offset that a client comes back with belongs to the run that it was reading, and since then a
 * later one may have begun. */
static void find_run(struct stream *stream)
{
    Eos__Launcher__V1__ListLogsRequest request = EOS__LAUNCHER__V1__LIST_LOGS_REQUEST__INIT;
    struct rpc_call_options options = { .traceparent = exchange_traceparent(stream->exchange) };
    struct error err;
    request.task_id = stream->request->task_id;
    stream->call =
        peer_call(launcher_peer(stream->launcher), &eos__launcher__v1__launcher__descriptor,
                  "ListLogs", &request.base, &options, on_files, stream, &err);
    if (!stream->call)
        fail(stream, &err);
}

static void on_launcher(void *user, struct launcher *launcher, const struct error *err)
{
    struct stream *stream = user;
    stream->find = NULL;
    stream->launcher = launcher;
    if (!launcher) {
        exchange_fail(release(stream), err);
        return;
    }
    if (stream->request->follow)
        uv_timer_start(&stream->heartbeat, on_heartbeat, FIRST_SIGN_MS,
                       stream->handlers->heartbeat_ms);
    if (stream->resumed_run >= 0 && stream->request->run < 0)
        find_run(stream);
    else
        read_log(stream);
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
                   int32_t *ret_run, struct error *err)
{
    struct slice last = http_request_header(exchange_request(exchange), "last-event-id");
    uint64_t offset;
    *ret_run = -1;
    if (!last.ptr || last.len == 0 || !request->follow)
        return true;
    if (!sse_parse_id(last, ret_run, &offset))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "header Last-Event-ID: expected the id of an event, such as \"0:27\"");
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
    int32_t run;
    if (!exchange_decode(exchange, &message, &err) ||
        !resume(exchange, (Eos__Launcher__V1__ReadLogRequest *)message, &run, &err)) {
        exchange_fail(exchange, &err);
        return;
    }
    struct stream *stream =
        stream_new(handlers, exchange, (Eos__Launcher__V1__ReadLogRequest *)message);
    stream->resumed_run = run;
    stream->find =
        task_host_find(handlers, exchange, stream->request->task_id, on_launcher, stream, &err);
    if (!stream->find)
        exchange_fail(release(stream), &err);
}
