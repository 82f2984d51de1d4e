#include "gateway/connection.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <assert.h>

#define READ_BYTES          (64u << 10)
#define MAX_PIPELINED_BYTES (64u << 10) /* received ahead while a request is being answered */
#define LINGER_MS           2000u
#define SPARE_CONNECTIONS                                                                          \
    64u /* that are told that there are too many; beyond, they are just closed */
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

static void advance(struct connection *connection);
static void update_phase(struct connection *connection);

/* -- the end -------------------------------------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    if (--connection->open_handles > 0)
        return;
    struct http_server *server = connection->server;
    http_reader_free(connection->reader);
    text_done(&connection->input);
    server->held_body_bytes -= connection->held_body_bytes;
    http_server_forget(server, connection);
    free(connection);
}

void connection_close(struct connection *connection)
{
    if (connection->is_closing)
        return;
    connection->is_closing = true;
    exchange_abort(&connection->exchange);
    uv_close((uv_handle_t *)&connection->tcp, on_handle_closed);
    uv_close((uv_handle_t *)&connection->timer, on_handle_closed);
}

static bool is_busy(const struct connection *connection)
{
    return connection->exchange.state >= EXCHANGE_OPEN;
}

/* -- time ----------------------------------------------------------------------------------------- */

static const struct {
    int status;
    const char *sentence;
} overdue[PHASE_COUNT] = {
    [PHASE_HEADER] = { 408, "the request's headers did not come in time" },
    [PHASE_BODY] = { 408, "the request's body did not come in time" },
};

static void on_timeout(uv_timer_t *timer)
{
    struct connection *connection = timer->data;
    if (!overdue[connection->phase].sentence) {
        connection_close(connection);
        return;
    }
    struct error err;
    error_set(&err, ERROR_DEADLINE_EXCEEDED, "%s", overdue[connection->phase].sentence);
    exchange_refuse(connection, overdue[connection->phase].status, &err);
    update_phase(connection);
}

static enum phase phase_of(const struct connection *connection)
{
    if (connection->queued_bytes > 0)
        return PHASE_WRITE;
    if (connection->is_lingering)
        return PHASE_LINGER;
    if (is_busy(connection))
        return PHASE_NONE;
    if (connection->exchange.state == EXCHANGE_RECEIVING)
        return PHASE_BODY;
    return http_reader_is_inside(connection->reader) ? PHASE_HEADER : PHASE_IDLE;
}

static uint64_t phase_ms(const struct connection *connection, enum phase phase)
{
    const struct http_server_options *options = &connection->server->options;
    const uint64_t times[PHASE_COUNT] = {
        [PHASE_IDLE] = options->idle_timeout_ms,
        [PHASE_HEADER] = options->header_timeout_ms,
        [PHASE_BODY] = options->body_timeout_ms,
        [PHASE_WRITE] = options->write_timeout_ms,
        [PHASE_LINGER] = LINGER_MS,
    };
    return times[phase];
}

/* Time runs from the beginning of a phase; bytes that trickle in do not prolong it. */
static void update_phase(struct connection *connection)
{
    enum phase phase = phase_of(connection);
    if (connection->is_closing || phase == connection->phase)
        return;
    connection->phase = phase;
    if (phase == PHASE_NONE)
        uv_timer_stop(&connection->timer);
    else
        uv_timer_start(&connection->timer, on_timeout, phase_ms(connection, phase), 0);
}

/* -- writing -------------------------------------------------------------------------------------- */

struct write {
    uv_write_t request;
    struct connection *connection;
    size_t len;
    char bytes[];
};

/* Lets the client read to the end: closing while it still sends would destroy the answer. */
static void linger(struct connection *connection)
{
    connection->is_lingering = true;
    if (uv_shutdown(&connection->shutdown, (uv_stream_t *)&connection->tcp, NULL) < 0)
        connection_close(connection);
}

/* Looks whether this was all. */
static void settle(struct connection *connection)
{
    bool is_done = !is_busy(connection) &&
                   (connection->has_eof ||
                    (connection->is_last && connection->exchange.state == EXCHANGE_NONE));
    if (is_done && connection->queued_bytes == 0 && !connection->is_lingering) {
        if (connection->has_eof)
            connection_close(connection);
        else
            linger(connection);
    }
    update_phase(connection);
}

static void on_written(uv_write_t *request, int status)
{
    struct write *write = (struct write *)request;
    struct connection *connection = write->connection;
    struct exchange *exchange = &connection->exchange;
    connection->queued_bytes -= write->len;
    free(write);
    if (connection->is_closing)
        return;
    if (status < 0) {
        connection_close(connection);
        return;
    }
    connection->phase = PHASE_NONE; /* progress: the clock starts again */
    if (exchange->state == EXCHANGE_STREAMING && exchange->on_writable &&
        connection->queued_bytes < EXCHANGE_LOW_WATER)
        exchange->on_writable(exchange->user);
    if (!connection->is_closing)
        advance(connection);
}

void connection_write(struct connection *connection, struct slice bytes)
{
    if (connection->is_closing || bytes.len == 0)
        return;
    struct write *write = xcalloc(1, sizeof *write + bytes.len);
    write->connection = connection;
    write->len = bytes.len;
    memcpy(write->bytes, bytes.ptr, bytes.len);
    uv_buf_t buffer = uv_buf_init(write->bytes, (unsigned)bytes.len);
    if (uv_write(&write->request, (uv_stream_t *)&connection->tcp, &buffer, 1, on_written) < 0) {
        free(write);
        return; /* the read side tells */
    }
    connection->queued_bytes += bytes.len;
    update_phase(connection);
}

/* -- reading -------------------------------------------------------------------------------------- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    struct connection *connection = handle->data;
    text_reserve(&connection->input, READ_BYTES);
    *buffer = uv_buf_init(connection->input.ptr + connection->input.len, READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buffer)
{
    (void)buffer;
    struct connection *connection = stream->data;
    bool is_streaming = connection->exchange.state == EXCHANGE_STREAMING;
    if (len < 0 && (len != UV_EOF || is_streaming || connection->is_lingering)) {
        connection_close(connection);
        return;
    }
    if (len < 0) {
        connection->has_eof = true;
        uv_read_stop(stream);
    } else if (!connection->is_lingering) {
        connection->input.len += (size_t)len;
    }
    advance(connection);
}

/* While a request is being answered, only so much of the next ones is taken in. */
static void update_reading(struct connection *connection)
{
    bool wants = !connection->has_eof && (connection->input.len < MAX_PIPELINED_BYTES);
    if (connection->is_closing || wants == connection->is_reading)
        return;
    connection->is_reading = wants;
    if (!wants)
        uv_read_stop((uv_stream_t *)&connection->tcp);
    else if (uv_read_start((uv_stream_t *)&connection->tcp, on_alloc, on_read) < 0)
        connection_close(connection);
}

/* -- from request to request ---------------------------------------------------------------------- */

static void drop_input(struct connection *connection, size_t len)
{
    struct text *input = &connection->input;
    input->len -= len;
    if (input->len > 0)
        memmove(input->ptr, input->ptr + len, input->len);
}

static bool hold_body(struct connection *connection, struct error *err)
{
    struct http_server *server = connection->server;
    size_t bytes = http_reader_body_bytes(connection->reader);
    server->held_body_bytes += bytes - connection->held_body_bytes;
    connection->held_body_bytes = bytes;
    if (server->held_body_bytes > server->options.held_body_bytes)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED,
                         "too many large requests are under way, try again");
    return true;
}

static bool begin(struct connection *connection)
{
    struct error err;
    int status = 0;
    if (!exchange_begin(connection, &status, &err)) {
        exchange_refuse(connection, status, &err);
        return false;
    }
    const struct http_request *request = http_reader_request(connection->reader);
    if (request->expects_continue && request->has_body && connection->input.len == 0)
        connection_write(connection, SLICE(CONTINUE));
    return true;
}

/* Does the next thing that the received bytes ask for; false when more has to come first. */
static bool step(struct connection *connection)
{
    struct error err;
    size_t used;
    int status;
    enum http_progress progress =
        http_reader_feed(connection->reader, text_slice(&connection->input), &used, &status, &err);
    drop_input(connection, used);

    if (progress == HTTP_IS_BROKEN) {
        exchange_refuse(connection, status, &err);
        return false;
    }
    if (!hold_body(connection, &err)) {
        exchange_refuse(connection, 503, &err);
        return false;
    }
    if (progress == HTTP_HAS_HEADERS)
        return begin(connection);
    if (progress != HTTP_IS_COMPLETE)
        return false;
    connection->exchange.state = EXCHANGE_OPEN;
    connection->server->options.handle(connection->server->options.user, &connection->exchange);
    return true;
}

static bool may_step(const struct connection *connection)
{
    bool has_ended = connection->is_last && connection->exchange.state == EXCHANGE_NONE;
    return !connection->is_closing && !connection->is_lingering && !has_ended &&
           !is_busy(connection) && connection->queued_bytes < EXCHANGE_HIGH_WATER;
}

static void advance(struct connection *connection)
{
    if (connection->is_advancing)
        return;
    connection->is_advancing = true;
    while (may_step(connection) && step(connection))
        ;
    connection->is_advancing = false;
    if (connection->is_closing)
        return;
    if (connection->input.len == 0)
        text_done(&connection->input); /* an idle connection holds no buffer */
    update_reading(connection);
    settle(connection);
}

void connection_next(struct connection *connection)
{
    connection->server->held_body_bytes -= connection->held_body_bytes;
    connection->held_body_bytes = 0;
    connection->phase = PHASE_NONE;
    if (!connection->is_last)
        http_reader_next(connection->reader);
    if (!connection->is_closing)
        advance(connection);
}

void connection_drain(struct connection *connection)
{
    struct exchange *exchange = &connection->exchange;
    connection->is_last = true;
    if (is_busy(connection) && exchange->on_drain)
        exchange->on_drain(exchange->user);
    else if (exchange->state == EXCHANGE_NONE && connection->queued_bytes == 0)
        connection_close(connection);
}

/* -- the beginning -------------------------------------------------------------------------------- */

static void describe_peer(struct connection *connection)
{
    struct sockaddr_storage address;
    int len = sizeof address;
    if (uv_tcp_getpeername(&connection->tcp, (struct sockaddr *)&address, &len) == 0)
        uv_ip_name((struct sockaddr *)&address, connection->peer, sizeof connection->peer);
}

static struct connection *connection_new(struct http_server *server)
{
    struct connection *connection = xcalloc(1, sizeof *connection);
    connection->server = server;
    connection->tcp.data = connection->timer.data = connection;
    connection->open_handles = 2;
    connection->exchange.connection = connection;
    connection->reader = http_reader_new(&server->options.limits);
    uv_timer_init(server->tcp.loop, &connection->timer);
    uv_tcp_init(server->tcp.loop, &connection->tcp);
    connection->next = server->connections;
    if (connection->next)
        connection->next->previous = connection;
    server->connections = connection;
    server->connection_count++;
    metric_set(server->open_connections, (double)server->connection_count);
    return connection;
}

void connection_open(struct http_server *server)
{
    struct connection *connection = connection_new(server);
    size_t most = server->options.connections;
    if (uv_accept((uv_stream_t *)&server->tcp, (uv_stream_t *)&connection->tcp) < 0 ||
        server->connection_count > most + SPARE_CONNECTIONS) {
        connection_close(connection);
        return;
    }
    uv_tcp_nodelay(&connection->tcp, 1);
    describe_peer(connection);
    if (server->connection_count > most) {
        struct error err;
        error_set(&err, ERROR_RESOURCE_EXHAUSTED, "too many connections are open, try again");
        metric_add(server->refused_connections, 1);
        exchange_refuse(connection, 503, &err);
    }
    advance(connection);
}
