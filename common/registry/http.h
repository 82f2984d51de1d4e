#pragma once

#include "base/error.h"
#include "base/slice.h"
#include "registry/certificates.h"

#include <stdint.h>
#include <uv.h>

/* HTTP transfers on the loop: libcurl's multi interface, without anything of registries.
 *
 * No callback runs before the function that registered it has returned, and all functions may be
 * called in every callback. */
struct http_client;
struct http_transfer;

struct http_client *http_client_open(uv_loop_t *loop, struct error *err) MUST_CHECK;

/* No transfer may be left.  `on_closed` runs later, when every handle is closed. */
void http_client_close(struct http_client *client, void (*on_closed)(void *user), void *user);

/* Why a transfer ended without a whole answer. */
enum http_outcome {
    HTTP_COMPLETE,
    HTTP_REFUSED_BY_READER, /* on_data returned false */
    HTTP_BROKEN,            /* may work when it is tried again */
    HTTP_DISTRUSTED,        /* will not: the peer's certificate is of nobody that we know */
    HTTP_HOPELESS,          /* will not: our own certificate, a malformed address, no TLS there */
};

struct http_request {
    const char *url;
    const char *const *headers; /* "Name: value" */
    size_t header_count;
    const char *form; /* a body to POST, application/x-www-form-urlencoded; NULL: GET */
    bool is_head;     /* only the headers */
    bool is_direct;   /* no proxy, whatever the environment says */
    const struct certificate_set *certificates; /* of the host; copied, may be NULL */
    uint32_t connect_timeout_ms;                /* at least 1 */
    uint32_t stall_timeout_ms; /* without a byte, looked at once a second; not while paused */
    void *user;

    /* A part of the body; http_transfer_status() says of which answer.  False ends the transfer. */
    bool (*on_data)(void *user, const char *bytes, size_t len);

    /* Exactly once, and then the transfer is gone.  `why` is one sentence, "" when complete. */
    void (*on_done)(void *user, enum http_outcome outcome, const char *why);
};

/* Redirects are not followed.  The request is copied. */
struct http_transfer *http_start(struct http_client *client, const struct http_request *request)
    __attribute__((returns_nonnull));

/* No further callback; the transfer is gone. */
void http_cancel(struct http_transfer *transfer);

/* While paused no data are delivered, and the peer is not read. */
void http_pause(struct http_transfer *transfer);
void http_resume(struct http_transfer *transfer);

/* Within on_data and on_done: the status (0 when there was no answer), the value of the n-th header of
 * that name (from 0; empty when absent), and where a redirect goes, as an absolute URL ("" if it
 * does not). */
unsigned http_status(struct http_transfer *transfer);
struct slice http_header(struct http_transfer *transfer, const char *name, size_t n);
const char *http_redirect_url(struct http_transfer *transfer);
