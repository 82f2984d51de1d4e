#pragma once

#include "base/error.h"
#include "base/text.h"

/* HTTP requests to one server, one after the other on one connection. */
struct http;

#define HTTP_MAX_RESPONSE_BYTES (64u << 20)

struct http_options {
    const char *base_url; /* "http://127.0.0.1:8081", without a path; copied */
    const char *token;    /* bearer token, or NULL; copied */
    const char *ca_file;  /* NULL: the system's; copied */
};

/* INVALID_ARGUMENT for a URL that is neither http nor https. */
struct http *http_open(const struct http_options *options, struct error *err) MUST_CHECK;
void http_close(struct http *http); /* NULL is a no-op */

/* Without a slash at its end. */
const char *http_base_url(const struct http *http);

/* Part of a body; false ends the transfer, which is no failure then. */
typedef bool http_data_fn(void *user, struct slice bytes);

struct http_request {
    const char *method; /* "GET" or "POST" */
    const char *path;   /* with its query */
    struct slice body;  /* JSON; `ptr` NULL for none */
    const char *accept; /* NULL: JSON */
    const char *last_event_id;
    uint32_t timeout_ms;   /* of the whole; 0: none, for streams, where `silence_ms` counts */
    uint32_t silence_ms;   /* longest time without a byte; 0: no limit */
    http_data_fn *on_data; /* NULL: into `body` of the response */
    void *user;
};

struct http_response {
    long status;
    struct text content_type, body; /* of an error also when `on_data` is set */
    bool may_retry;                 /* after a failure: the server may be about to come back */
};

void http_response_done(struct http_response *response);

/* True when an answer arrived, whatever its status.  UNAVAILABLE when the server cannot be reached or
 * went away, DEADLINE_EXCEEDED when the time is over, RESOURCE_EXHAUSTED over the limit. */
bool http_perform(struct http *http, const struct http_request *request,
                  struct http_response *ret_response, struct error *err) MUST_CHECK;

/* Adds one part of a path or query, with "%41" where needed. */
void http_add_escaped(struct text *out, const char *value);
