#pragma once

#include "gateway/exchange.h"
#include "gateway/http_reader.h"
#include "gateway/tokens.h"

#include <stdint.h>
#include <uv.h>

/* An HTTP/1.1 server on one address.  Every limit is checked before memory is spent; a client that is
 * slow, silent or wrong costs its own connection and nothing else. */
struct http_server;

struct http_server_options {
    const char
        *address; /* "127.0.0.1:8081", "[::1]:8081", "localhost:8081"; port 0 takes a free one */
    struct http_limits limits;
    size_t connections;         /* more get 503 */
    size_t requests;            /* of one connection, then it is closed */
    size_t held_body_bytes;     /* of all requests together, more get 503 */
    uint64_t header_timeout_ms; /* from the first byte of a request to its empty line */
    uint64_t body_timeout_ms;   /* from there to the end of its body */
    uint64_t idle_timeout_ms;   /* between two requests */
    uint64_t write_timeout_ms;  /* without the client taking a byte of its answer */
    const struct tokens
        *tokens; /* NULL: no authentication, and only on a loopback address; borrowed */

    /* Answers `exchange`; its route is known and the request is complete. */
    void (*handle)(void *user, struct exchange *exchange);
    void *user;
};

/* Starts to listen.  INVALID_ARGUMENT for an address that is malformed, FAILED_PRECONDITION for one
 * that is not loopback without tokens or is in use. */
struct http_server *http_server_open(uv_loop_t *loop, const struct http_server_options *options,
                                     struct error *err) MUST_CHECK;

/* "127.0.0.1:8081", with the real port. */
const char *http_server_address(const struct http_server *server);

/* Refuses new connections, closes idle ones, ends streams, and calls `done` when all requests under
 * way have been answered. */
void http_server_drain(struct http_server *server, void (*done)(void *user), void *user);

/* Aborts everything; the memory goes when the last handle is closed.  NULL is a no-op. */
void http_server_close(struct http_server *server);
