#pragma once

/* What http_server.c, connection.c and exchange.c share; nobody else includes it. */

#include "base/text.h"
#include "gateway/http_server.h"
#include "gateway/traceparent.h"
#include "io/metrics.h"

enum exchange_state {
    EXCHANGE_NONE,      /* no request, or one whose headers have not come */
    EXCHANGE_RECEIVING, /* its body is still coming */
    EXCHANGE_OPEN,      /* with its handler */
    EXCHANGE_STREAMING, /* with its handler, the headers of the answer have been sent */
};

struct exchange {
    struct connection *connection;
    enum exchange_state state;
    struct arena *arena;
    struct route_match match;
    char traceparent[TRACEPARENT_SIZE];
    uint64_t started_ms;
    const char *headers; /* more of the answer: whole lines, or NULL */
    const char *problem; /* what went wrong, for the log; in the arena, or NULL */
    int status;
    uint64_t bytes;  /* of the answer's body */
    bool is_chunked; /* the answer */
    void *user;
    void (*on_abort)(void *user);
    void (*on_writable)(void *user);
    void (*on_drain)(void *user);
};

enum phase {
    PHASE_NONE, /* a handler is at work: its calls have deadlines */
    PHASE_IDLE,
    PHASE_HEADER,
    PHASE_BODY,
    PHASE_WRITE,
    PHASE_LINGER,
    PHASE_COUNT
};

struct connection {
    struct http_server *server;
    struct connection *next, *previous;
    uv_tcp_t tcp;
    uv_timer_t timer;
    uv_shutdown_t shutdown;
    int open_handles;
    char peer[64];
    struct http_reader *reader;
    struct text input; /* received and not yet read */
    struct exchange exchange;
    enum phase phase;
    size_t request_count, queued_bytes, held_body_bytes;
    bool is_advancing, is_reading, is_closing, has_eof;
    bool is_last; /* no request is read after this one */
    bool
        is_lingering; /* all is said; what still comes is thrown away, so that the answer arrives */
};

struct http_server {
    uv_tcp_t tcp;
    struct http_server_options options;
    char address[64];
    struct connection *connections;
    size_t connection_count, held_body_bytes;
    bool is_draining, is_closed, checks_host, has_tcp;
    void (*drained)(void *user);
    void *drained_user;
    struct metric *open_connections, *refused_connections;
    struct histogram *durations;
};

/* -- connection.c --------------------------------------------------------------------------------- */

void connection_open(struct http_server *server);
void connection_close(struct connection *connection);

/* Writes a copy of `bytes`. */
void connection_write(struct connection *connection, struct slice bytes);

/* Goes on after an exchange has ended. */
void connection_next(struct connection *connection);

/* Ends what has no end of its own, and closes the connection when nothing is under way. */
void connection_drain(struct connection *connection);

/* -- http_server.c -------------------------------------------------------------------------------- */

void http_server_forget(struct http_server *server, struct connection *connection);

/* -- exchange.c ----------------------------------------------------------------------------------- */

/* Starts the exchange when the headers have come: route, token, host and type are checked.  False
 * with the HTTP status and the error to answer. */
bool exchange_begin(struct connection *connection, int *ret_status, struct error *err) MUST_CHECK;

/* Answers for the server itself and closes the connection behind it. */
void exchange_refuse(struct connection *connection, int status, const struct error *err);

/* The client has gone. */
void exchange_abort(struct exchange *exchange);
