#include "gateway/exchange.h"

#include "base/cleanup.h"
#include "gateway/connection.h"
#include "gateway/problem.h"
#include "gateway/url.h"
#include "io/log.h"
#include "json/message_json.h"

#include <assert.h>
#include <inttypes.h>
#include <time.h>

#define JSON    "application/json"
#define PROBLEM "application/problem+json"

/* -- what handlers ask ---------------------------------------------------------------------------- */

const struct http_request *exchange_request(const struct exchange *exchange)
{
    return http_reader_request(exchange->connection->reader);
}

const struct route_match *exchange_match(const struct exchange *exchange)
{
    return &exchange->match;
}

struct arena *exchange_arena(struct exchange *exchange)
{
    return exchange->arena;
}

uv_loop_t *exchange_loop(const struct exchange *exchange)
{
    return exchange->connection->tcp.loop;
}

const char *exchange_traceparent(const struct exchange *exchange)
{
    return exchange->traceparent;
}

bool exchange_decode(struct exchange *exchange, ProtobufCMessage **ret_request, struct error *err)
{
    const struct http_request *request = exchange_request(exchange);
    return route_request(&exchange->match, request->query, request->body, exchange->arena,
                         ret_request, err);
}

void exchange_on_abort(struct exchange *exchange, void (*on_abort)(void *user), void *user)
{
    exchange->on_abort = on_abort;
    exchange->user = user;
}

void exchange_on_writable(struct exchange *exchange, void (*on_writable)(void *user))
{
    exchange->on_writable = on_writable;
}

void exchange_on_drain(struct exchange *exchange, void (*on_drain)(void *user))
{
    exchange->on_drain = on_drain;
}

bool exchange_stream_has_started(const struct exchange *exchange)
{
    return exchange->state == EXCHANGE_STREAMING;
}

/* -- the end of an exchange ----------------------------------------------------------------------- */

static void count_answer(const struct exchange *exchange, double seconds)
{
    const struct route *route = exchange->match.route;
    cleanup_text struct text labels = TEXT_INIT;
    text_printf(&labels, "route=\"%s\",method=\"%s\",status=\"%d\"", route ? route->path : "",
                route ? route->method : "", exchange->status);
    metric_add(metric_open(METRIC_COUNTER, "eos_gateway_http_requests_total",
                           "Requests that were answered, by route and HTTP status.",
                           text_string(&labels)),
               1);
    histogram_observe(exchange->connection->server->durations, seconds);
}

/* One line per request; the path is cut, as it comes from outside. */
static void log_answer(const struct exchange *exchange, uint64_t duration_ms)
{
    const struct http_request *request = exchange_request(exchange);
    char status[16], bytes[24], duration[24], path[201], trace[33];
    snprintf(status, sizeof status, "%d", exchange->status);
    snprintf(bytes, sizeof bytes, "%" PRIu64, exchange->bytes);
    snprintf(duration, sizeof duration, "%" PRIu64, duration_ms);
    snprintf(path, sizeof path, "%.*s", SLICE_ARG(request->path));
    snprintf(trace, sizeof trace, "%.32s",
             exchange->traceparent[0] ? exchange->traceparent + 3 : "");
    log_info("request", "method", request->method.len > 0 ? request->method.ptr : NULL, "path",
             path[0] ? path : NULL, "status", status, "bytes", bytes, "ms", duration, "peer",
             exchange->connection->peer, "trace", trace[0] ? trace : NULL, "problem",
             exchange->problem);
}

static void forget(struct exchange *exchange)
{
    struct connection *connection = exchange->connection;
    arena_free(exchange->arena);
    *exchange = (struct exchange){ .connection = connection };
}

static void record(struct exchange *exchange)
{
    uint64_t duration_ms =
        exchange->started_ms > 0 ? uv_now(exchange_loop(exchange)) - exchange->started_ms : 0;
    count_answer(exchange, (double)duration_ms / 1000);
    log_answer(exchange, duration_ms);
}

static void finish(struct exchange *exchange)
{
    struct connection *connection = exchange->connection;
    record(exchange);
    forget(exchange);
    connection_next(connection);
}

void exchange_abort(struct exchange *exchange)
{
    if (exchange->state >= EXCHANGE_OPEN) {
        if (exchange->on_abort)
            exchange->on_abort(exchange->user);
        exchange->status = exchange->state == EXCHANGE_STREAMING ? exchange->status : 499;
        exchange->problem = "the client went away";
        record(exchange);
    }
    forget(exchange);
}

/* -- answering ------------------------------------------------------------------------------------ */

static void add_date(struct text *head)
{
    char date[40];
    time_t now = time(NULL);
    struct tm parts;
    gmtime_r(&now, &parts);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    text_printf(head, "Date: %s\r\n", date);
}

static void add_head(struct exchange *exchange, struct text *head, int status,
                     const char *content_type)
{
    const struct http_request *request = exchange_request(exchange);
    exchange->status = status;
    text_printf(head, "HTTP/1.1 %d %s\r\n", status, problem_title(status));
    add_date(head);
    text_printf(head, "Content-Type: %s\r\n", content_type);
    text_add(head, "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
    if (exchange->connection->is_last)
        text_add(head, "Connection: close\r\n");
    else if (request->is_http_1_0)
        text_add(head, "Connection: keep-alive\r\n");
    if (exchange->headers)
        text_add(head, exchange->headers);
}

static void write_answer(struct exchange *exchange, int status, const char *content_type,
                         struct slice body)
{
    cleanup_text struct text answer = TEXT_INIT;
    add_head(exchange, &answer, status, content_type);
    text_printf(&answer, "Content-Length: %zu\r\n\r\n", body.len);
    if (!slice_is(exchange_request(exchange)->method, "HEAD")) {
        text_add_slice(&answer, body);
        exchange->bytes = body.len;
    }
    connection_write(exchange->connection, text_slice(&answer));
}

void exchange_reply(struct exchange *exchange, int status, const char *content_type,
                    struct slice body)
{
    assert(exchange->state == EXCHANGE_OPEN);
    write_answer(exchange, status, content_type, body);
    finish(exchange);
}

void exchange_reply_message(struct exchange *exchange, const ProtobufCMessage *message)
{
    cleanup_text struct text body = TEXT_INIT;
    message_to_json(message, &body);
    text_add_char(&body, '\n');
    exchange_reply(exchange, 200, JSON, text_slice(&body));
}

static void write_problem(struct exchange *exchange, int status, const struct error *err,
                          const char *diagnostics)
{
    cleanup_text struct text body = TEXT_INIT, headers = TEXT_INIT;
    unsigned retry_after = problem_retry_after(status, err->code);
    problem_format(&body, status, err, diagnostics);
    if (exchange->headers)
        text_add(&headers, exchange->headers);
    if (retry_after > 0)
        text_printf(&headers, "Retry-After: %u\r\n", retry_after);
    exchange->headers = arena_strdup(exchange->arena, text_string(&headers));
    exchange->problem = arena_strdup(exchange->arena, err->message);
    write_answer(exchange, status, PROBLEM, text_slice(&body));
}

void exchange_fail_with(struct exchange *exchange, int status, const struct error *err,
                        const char *diagnostics)
{
    assert(exchange->state == EXCHANGE_OPEN);
    write_problem(exchange, status != 0 ? status : problem_status(err->code), err, diagnostics);
    finish(exchange);
}

void exchange_fail(struct exchange *exchange, const struct error *err)
{
    exchange_fail_with(exchange, 0, err, NULL);
}

/* -- streams -------------------------------------------------------------------------------------- */

void exchange_stream_start(struct exchange *exchange, const char *content_type, const char *headers)
{
    assert(exchange->state == EXCHANGE_OPEN);
    cleanup_text struct text head = TEXT_INIT;
    exchange->is_chunked = !exchange_request(exchange)->is_http_1_0;
    if (!exchange->is_chunked)
        exchange->connection->is_last = true;
    exchange->state = EXCHANGE_STREAMING;
    add_head(exchange, &head, 200, content_type);
    text_add(&head, headers);
    text_add(&head, exchange->is_chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n");
    connection_write(exchange->connection, text_slice(&head));
}

bool exchange_stream_write(struct exchange *exchange, struct slice bytes)
{
    assert(exchange->state == EXCHANGE_STREAMING);
    cleanup_text struct text chunk = TEXT_INIT;
    exchange->bytes += bytes.len;
    if (exchange->is_chunked && bytes.len > 0) {
        text_printf(&chunk, "%zx\r\n", bytes.len);
        text_add_slice(&chunk, bytes);
        text_add(&chunk, "\r\n");
        bytes = text_slice(&chunk);
    }
    connection_write(exchange->connection, bytes);
    return exchange->connection->queued_bytes <= EXCHANGE_HIGH_WATER;
}

void exchange_stream_end(struct exchange *exchange)
{
    assert(exchange->state == EXCHANGE_STREAMING);
    if (exchange->is_chunked)
        connection_write(exchange->connection, SLICE("0\r\n\r\n"));
    finish(exchange);
}

void exchange_stream_break(struct exchange *exchange)
{
    struct connection *connection = exchange->connection;
    exchange->problem = "the stream failed half-way";
    record(exchange);
    forget(exchange);
    connection_close(connection);
}

/* -- the beginning of an exchange ----------------------------------------------------------------- */

static void take_traceparent(struct exchange *exchange, const struct http_request *request)
{
    struct slice given = http_request_header(request, "traceparent");
    if (given.ptr && traceparent_is_valid(given)) {
        memcpy(exchange->traceparent, given.ptr, given.len);
        return;
    }
    uint8_t random[24] = { 0 };
    uv_random(NULL, NULL, random, sizeof random, 0, NULL);
    traceparent_make(random, exchange->traceparent);
}

static bool is_json(struct slice content_type)
{
    struct slice type = slice_trim(slice_split(&content_type, ';'));
    return http_name_is(type, JSON);
}

static bool check_token(struct exchange *exchange, const struct http_request *request,
                        struct error *err)
{
    const struct tokens *tokens = exchange->connection->server->options.tokens;
    const struct route *route = exchange->match.route;
    struct slice given = http_request_header(request, "authorization");
    if (!tokens || (route && route->is_open) || (given.ptr && tokens_accept(tokens, given)))
        return true;
    exchange->headers = "WWW-Authenticate: Bearer\r\n";
    return error_set(err, ERROR_UNAUTHENTICATED,
                     given.ptr ? "the token is not valid" : "expected a bearer token");
}

static bool find_route(struct exchange *exchange, const struct http_request *request,
                       int *ret_status, struct error *err)
{
    cleanup_text struct text allowed = TEXT_INIT;
    struct error not_found;
    bool is_found = route_find(request->method, request->path, exchange->arena, &exchange->match,
                               &allowed, &not_found);
    if (!check_token(exchange, request, err)) {
        *ret_status = 401;
        return false;
    }
    if (is_found)
        return true;
    *err = not_found;
    *ret_status = allowed.len > 0 ? 405 : 404;
    if (allowed.len > 0)
        exchange->headers = arena_printf(exchange->arena, "Allow: %s\r\n", text_string(&allowed));
    return false;
}

/* A page of another site that gave its name our address may not speak to an open loopback port. */
static bool check_host(const struct exchange *exchange, const struct http_request *request,
                       struct error *err)
{
    if (!exchange->connection->server->checks_host ||
        url_host_is_loopback(http_request_header(request, "host")))
        return true;
    return error_set(err, ERROR_PERMISSION_DENIED,
                     "the header Host does not name this machine; without tokens only local "
                     "names are answered");
}

/* Where no token is asked for, every page that a local browser shows could send a request, without
 * seeing the answer: the browser says whose page it is. */
static bool check_origin(const struct exchange *exchange, const struct http_request *request,
                         struct error *err)
{
    struct slice origin = http_request_header(request, "origin");
    if (!exchange->connection->server->checks_host || !origin.ptr ||
        url_is_origin_of(origin, http_request_header(request, "host")))
        return true;
    return error_set(err, ERROR_PERMISSION_DENIED,
                     "the request comes from a page of another site; without tokens only pages of "
                     "this server may send any");
}

static bool check_body_type(const struct http_request *request, struct error *err)
{
    struct slice type = http_request_header(request, "content-type");
    struct slice encoding = http_request_header(request, "content-encoding");
    if (!request->has_body)
        return true;
    if (!type.ptr || !is_json(type))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "the body has to be of the type application/json");
    if (encoding.ptr && !http_name_is(encoding, "identity"))
        return error_set(err, ERROR_INVALID_ARGUMENT, "the body may not be compressed");
    return true;
}

static void start(struct exchange *exchange)
{
    exchange->arena = arena_new();
    exchange->started_ms = uv_now(exchange_loop(exchange));
    exchange->state = EXCHANGE_RECEIVING;
}

bool exchange_begin(struct connection *connection, int *ret_status, struct error *err)
{
    struct exchange *exchange = &connection->exchange;
    struct http_server *server = connection->server;
    const struct http_request *request = http_reader_request(connection->reader);

    start(exchange);
    take_traceparent(exchange, request);
    connection->request_count++;
    if (!request->keeps_alive || server->is_draining ||
        connection->request_count >= server->options.requests)
        connection->is_last = true;

    *ret_status = 421;
    if (!check_host(exchange, request, err) || !find_route(exchange, request, ret_status, err))
        return false;
    *ret_status = 403;
    if (!check_origin(exchange, request, err))
        return false;
    *ret_status = 415;
    return check_body_type(request, err);
}

void exchange_refuse(struct connection *connection, int status, const struct error *err)
{
    struct exchange *exchange = &connection->exchange;
    connection->is_last = true;
    if (exchange->state == EXCHANGE_NONE)
        start(exchange);
    write_problem(exchange, status, err, NULL);
    finish(exchange);
}
