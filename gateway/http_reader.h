#pragma once

#include "base/error.h"
#include "base/slice.h"

/* Reads HTTP/1.1 requests from bytes as they arrive.  Pure: no socket, no clock.
 *
 * Stricter than the parser beneath it, so that no proxy in front can see other requests in the same
 * bytes: lines end in CR LF, headers are not folded, there is one Content-Length or one
 * "Transfer-Encoding: chunked" and never both, names are tokens, and everything is bounded. */
struct http_reader;

struct http_limits {
    size_t header_bytes; /* request line and headers with their line ends */
    size_t header_count;
    size_t body_bytes;
};

struct http_header {
    struct slice name, value; /* value without white space at its ends */
};

/* Borrowed from the reader until http_reader_next(). */
struct http_request {
    struct slice method, path, query; /* as they came; the query without '?' */
    const struct http_header *headers;
    size_t header_count;
    struct slice body; /* whole once the request is complete */
    bool has_body;
    bool keeps_alive;
    bool expects_continue;
    bool is_http_1_0;
};

enum http_progress {
    HTTP_NEEDS_MORE,
    HTTP_HAS_HEADERS, /* told once per request, before its body is read */
    HTTP_IS_COMPLETE, /* until http_reader_next() */
    HTTP_IS_BROKEN    /* for good: the connection has no next request */
};

struct http_reader *http_reader_new(const struct http_limits *limits)
    __attribute__((returns_nonnull));
void http_reader_free(struct http_reader *reader);

/* Takes bytes up to the next thing to tell; `*ret_used` says how many.  With HTTP_IS_BROKEN, `err` is
 * the sentence and `*ret_status` the HTTP status of the answer; otherwise both are untouched. */
enum http_progress http_reader_feed(struct http_reader *reader, struct slice bytes,
                                    size_t *ret_used, int *ret_status, struct error *err);

/* The method of a broken request may be empty. */
const struct http_request *http_reader_request(const struct http_reader *reader);

/* Whether bytes of a request have been taken in and it is not complete. */
bool http_reader_is_inside(const struct http_reader *reader);

/* Bytes of the body that are held in memory. */
size_t http_reader_body_bytes(const struct http_reader *reader);

/* Forgets the complete request and gets ready for the next one. */
void http_reader_next(struct http_reader *reader);

/* The value of the first header of this name (any case); `ptr` is NULL when there is none. */
struct slice http_request_header(const struct http_request *request, const char *name);

/* Without regard to the case of ASCII letters. */
bool http_name_is(struct slice name, const char *expected);
