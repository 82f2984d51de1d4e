#include "gateway/http_server.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "gateway/connection.h"
#include "gateway/url.h"
#include "io/uv_error.h"

#include <netinet/in.h>

#define BACKLOG 1024

/* -- the address ---------------------------------------------------------------------------------- */

static bool is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

static bool parse_address(const char *text, struct sockaddr_storage *ret_address, struct error *err)
{
    struct slice whole = slice_of(text);
    const char *colon = strrchr(text, ':');
    uint64_t port;
    if (!colon || !slice_to_u64(slice_of(colon + 1), 65535, &port))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "expected ADDRESS:PORT with a numeric address, such as 127.0.0.1:8081");

    struct slice host = { whole.ptr, (size_t)(colon - text) };
    bool is_ipv6 = host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    if (is_ipv6)
        host = (struct slice){ host.ptr + 1, host.len - 2 };
    if (slice_is(host, "localhost"))
        host = SLICE("127.0.0.1");

    cleanup_free char *name = xmemdup0(host.ptr, host.len);
    int status = is_ipv6 ? uv_ip6_addr(name, (int)port, (struct sockaddr_in6 *)ret_address)
                         : uv_ip4_addr(name, (int)port, (struct sockaddr_in *)ret_address);
    if (status < 0)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "expected ADDRESS:PORT with a numeric address, such as 127.0.0.1:8081");
    return true;
}

static void describe_address(struct http_server *server)
{
    struct sockaddr_storage address;
    int len = sizeof address;
    char name[48] = "";
    uv_tcp_getsockname(&server->tcp, (struct sockaddr *)&address, &len);
    uv_ip_name((struct sockaddr *)&address, name, sizeof name);
    bool is_ipv6 = address.ss_family == AF_INET6;
    unsigned port = ntohs(is_ipv6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                  : ((struct sockaddr_in *)&address)->sin_port);
    snprintf(server->address, sizeof server->address, is_ipv6 ? "[%s]:%u" : "%s:%u", name, port);
}

/* -- connections ---------------------------------------------------------------------------------- */

static void free_when_closed(struct http_server *server)
{
    if (server->is_closed && !server->has_tcp && server->connection_count == 0)
        free(server);
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct http_server *server = handle->data;
    server->has_tcp = false;
    free_when_closed(server);
}

static void tell_drained(struct http_server *server)
{
    void (*drained)(void *) = server->drained;
    if (!drained || server->connection_count > 0)
        return;
    server->drained = NULL;
    drained(server->drained_user);
}

void http_server_forget(struct http_server *server, struct connection *connection)
{
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        server->connections = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    server->connection_count--;
    metric_set(server->open_connections, (double)server->connection_count);
    if (server->is_draining)
        tell_drained(server);
    free_when_closed(server);
}

static void on_connection(uv_stream_t *stream, int status)
{
    if (status == 0)
        connection_open(stream->data);
}

/* -- opening and closing -------------------------------------------------------------------------- */

static void open_metrics(struct http_server *server)
{
    server->open_connections = metric_open(METRIC_GAUGE, "eos_gateway_http_connections",
                                           "Connections that are open.", NULL);
    server->refused_connections =
        metric_open(METRIC_COUNTER, "eos_gateway_http_connections_refused_total",
                    "Connections that were refused because too many were open.", NULL);
    server->durations = histogram_open("eos_gateway_http_request_duration_seconds",
                                       "Time from the headers of a request to its answer.", NULL);
}

static bool listen_on(struct http_server *server, const struct sockaddr_storage *address,
                      struct error *err)
{
    int status = uv_tcp_bind(&server->tcp, (const struct sockaddr *)address, 0);
    if (status == 0)
        status = uv_listen((uv_stream_t *)&server->tcp, BACKLOG, on_connection);
    if (status < 0)
        return error_set_uv(err, status, "could not listen on %s", server->options.address);
    describe_address(server);
    return true;
}

struct http_server *http_server_open(uv_loop_t *loop, const struct http_server_options *options,
                                     struct error *err)
{
    struct sockaddr_storage address = { 0 };
    if (!parse_address(options->address, &address, err)) {
        error_prefix(err, "flag --http");
        return NULL;
    }
    if (!options->tokens && !is_loopback(&address)) {
        error_set(err, ERROR_FAILED_PRECONDITION,
                  "cannot listen on %s, which is not a loopback address, without --token-file: "
                  "anybody could run jobs",
                  options->address);
        return NULL;
    }
    struct http_server *server = xcalloc(1, sizeof *server);
    server->options = *options;
    server->checks_host = !options->tokens;
    server->has_tcp = true;
    server->tcp.data = server;
    uv_tcp_init(loop, &server->tcp);
    open_metrics(server);
    if (!listen_on(server, &address, err)) {
        http_server_close(server);
        return NULL;
    }
    return server;
}

const char *http_server_address(const struct http_server *server)
{
    return server->address;
}

static void stop_listening(struct http_server *server)
{
    if (!uv_is_closing((uv_handle_t *)&server->tcp))
        uv_close((uv_handle_t *)&server->tcp, on_listener_closed);
}

void http_server_drain(struct http_server *server, void (*done)(void *user), void *user)
{
    server->is_draining = true;
    server->drained = done;
    server->drained_user = user;
    stop_listening(server);
    for (struct connection *connection = server->connections, *next; connection;
         connection = next) {
        next = connection->next; /* handles are closed later, so no neighbour goes meanwhile */
        connection_drain(connection);
    }
    tell_drained(server);
}

void http_server_close(struct http_server *server)
{
    if (!server)
        return;
    server->is_closed = true;
    server->drained = NULL;
    stop_listening(server);
    for (struct connection *connection = server->connections; connection;
         connection = connection->next)
        connection_close(connection);
    free_when_closed(server); /* after a drain nothing is left that would be closed later */
}
