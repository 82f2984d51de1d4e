#include "gateway/http_reader.h"

#include "base/alloc.h"
#include "base/text.h"

#include <assert.h>
#include <http_parser.h>

enum stage { STAGE_HEAD, STAGE_BODY, STAGE_COMPLETE, STAGE_BROKEN };

struct http_reader {
    struct http_parser parser;
    struct http_limits limits;
    struct http_request request;
    struct http_header *headers;
    struct text head, body;
    enum stage stage;
    bool has_complete; /* the parser has seen the end; told when the headers have been told */
    int status;        /* why it is broken */
    struct error err;
};

/* Returns non-zero, so that a parser's callback fails with it. */
static int fail(struct http_reader *reader, int status, enum error_code code, const char *sentence)
{
    if (reader->status == 0) {
        reader->status = status;
        error_set(&reader->err, code, "%s", sentence);
    }
    return 1;
}

static int fail_malformed(struct http_reader *reader, const char *sentence)
{
    return fail(reader, 400, ERROR_INVALID_ARGUMENT, sentence);
}

static int fail_large_body(struct http_reader *reader)
{
    struct error err;
    error_set(&err, ERROR_RESOURCE_EXHAUSTED, "the body is larger than %zu bytes",
              reader->limits.body_bytes);
    return fail(reader, 413, err.code, err.message);
}

/* -- what the parser calls ------------------------------------------------------------------------ */

static int on_url(http_parser *parser, const char *at, size_t len)
{
    struct http_reader *reader = parser->data;
    reader->request.path = (struct slice){ at, len };
    return 0;
}

/* Called once per header, as the parser gets the whole head in one piece.  Trailers are dropped. */
static int on_header_field(http_parser *parser, const char *at, size_t len)
{
    struct http_reader *reader = parser->data;
    if (reader->stage != STAGE_HEAD)
        return 0;
    if (reader->request.header_count >= reader->limits.header_count)
        return fail(reader, 431, ERROR_RESOURCE_EXHAUSTED, "the request has too many headers");
    for (size_t i = 0; i < len; i++)
        if (at[i] <= ' ' || at[i] >= 0x7f)
            return fail_malformed(reader, "a header's name is not a token");
    reader->headers[reader->request.header_count++].name = (struct slice){ at, len };
    return 0;
}

static int on_header_value(http_parser *parser, const char *at, size_t len)
{
    struct http_reader *reader = parser->data;
    if (reader->stage != STAGE_HEAD)
        return 0;
    assert(reader->request.header_count > 0);
    reader->headers[reader->request.header_count - 1].value = slice_trim((struct slice){ at, len });
    return 0;
}

static size_t count_headers(const struct http_request *request, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++)
        count += http_name_is(request->headers[i].name, name);
    return count;
}

static int check_framing(struct http_reader *reader)
{
    const struct http_request *request = &reader->request;
    size_t encodings = count_headers(request, "transfer-encoding");

    if (count_headers(request, "content-length") > 1)
        return fail_malformed(reader, "Content-Length is given twice");
    if (encodings > 0 && count_headers(request, "content-length") > 0)
        return fail_malformed(reader, "Content-Length and Transfer-Encoding are both given");
    if (encodings > 1 ||
        (encodings == 1 &&
         !http_name_is(http_request_header(request, "transfer-encoding"), "chunked")))
        return fail(reader, 501, ERROR_UNIMPLEMENTED,
                    "the only Transfer-Encoding that is understood is chunked");
    if (encodings > 0 && request->is_http_1_0)
        return fail_malformed(reader, "HTTP/1.0 has no Transfer-Encoding");
    if (encodings == 0 && request->has_body &&
        reader->parser.content_length > reader->limits.body_bytes)
        return fail_large_body(reader);
    return 0;
}

static int check_expectation(struct http_reader *reader)
{
    struct slice expected = http_request_header(&reader->request, "expect");
    if (!expected.ptr)
        return 0;
    if (!http_name_is(expected, "100-continue"))
        return fail(reader, 417, ERROR_INVALID_ARGUMENT,
                    "the only expectation that is understood is 100-continue");
    reader->request.expects_continue = !reader->request.is_http_1_0;
    return 0;
}

/* Reduces an absolute-form target to its path, and cuts off the query. */
static int split_target(struct http_reader *reader)
{
    struct http_request *request = &reader->request;
    struct slice target = request->path;

    for (size_t i = 0; i < target.len; i++)
        if (target.ptr[i] <= ' ' || target.ptr[i] >= 0x7f || target.ptr[i] == '#')
            return fail_malformed(reader,
                                  "the request target has a character that may not be there");
    if (slice_starts_with(target, SLICE("http://"))) {
        const char *slash = memchr(target.ptr + 7, '/', target.len - 7);
        target =
            slash ? (struct slice){ slash, target.len - (size_t)(slash - target.ptr) } : SLICE("/");
    }
    if (target.len == 0 || target.ptr[0] != '/')
        return fail_malformed(reader, "the request target is not a path");
    request->path = slice_split(&target, '?');
    request->query = target.ptr ? target : SLICE("");
    return 0;
}

static int check_head(struct http_reader *reader)
{
    const http_parser *parser = &reader->parser;
    if (parser->http_major != 1 || parser->http_minor > 1)
        return fail(reader, 505, ERROR_UNIMPLEMENTED, "expected HTTP/1.1 or HTTP/1.0");
    if (split_target(reader) != 0)
        return 1;

    size_t hosts = count_headers(&reader->request, "host");
    if (hosts > 1)
        return fail_malformed(reader, "Host is given twice");
    if (hosts == 0 && !reader->request.is_http_1_0)
        return fail_malformed(reader, "the header Host is missing");
    if (check_framing(reader) != 0)
        return 1;
    return check_expectation(reader);
}

static int on_headers_complete(http_parser *parser)
{
    struct http_reader *reader = parser->data;
    struct http_request *request = &reader->request;

    parser->upgrade = 0; /* an offer to speak another protocol may be ignored */
    request->method = slice_of(http_method_str(parser->method));
    request->is_http_1_0 = parser->http_minor == 0;
    request->keeps_alive = http_should_keep_alive(parser) != 0;
    request->has_body = parser->flags & F_CHUNKED ||
                        (parser->content_length > 0 && parser->content_length != UINT64_MAX);
    return check_head(reader) == 0 ? 0 : -1;
}

static int check_room(struct http_reader *reader, uint64_t len)
{
    if (len > reader->limits.body_bytes - reader->body.len)
        return fail_large_body(reader);
    return 0;
}

/* A chunk that says to be too large is refused before it comes. */
static int on_chunk_header(http_parser *parser)
{
    return check_room(parser->data, parser->content_length);
}

static int on_body(http_parser *parser, const char *at, size_t len)
{
    struct http_reader *reader = parser->data;
    if (check_room(reader, len) != 0)
        return 1;
    text_add_bytes(&reader->body, at, len);
    return 0;
}

static int on_message_complete(http_parser *parser)
{
    struct http_reader *reader = parser->data;
    reader->has_complete = true;
    http_parser_pause(parser, 1); /* what follows is the next request */
    return 0;
}

static const http_parser_settings settings = {
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_chunk_header = on_chunk_header,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* -- taking in bytes ------------------------------------------------------------------------------ */

static const struct {
    int status;
    const char *sentence;
} parser_errors[] = {
    // clang-format off
    [HPE_INVALID_VERSION]           = { 505, "expected HTTP/1.1 or HTTP/1.0" },
    [HPE_INVALID_METHOD]            = { 501, "the method is unknown" },
    [HPE_INVALID_URL]               = { 400, "the request target is malformed" },
    [HPE_INVALID_HEADER_TOKEN]      = { 400, "a header has a character that may not be there" },
    [HPE_INVALID_CONTENT_LENGTH]    = { 400, "Content-Length is not a number" },
    [HPE_UNEXPECTED_CONTENT_LENGTH] = { 400, "Content-Length is given twice, or together with Transfer-Encoding" },
    [HPE_INVALID_CHUNK_SIZE]        = { 400, "the size of a chunk is not a number" },
    [HPE_INVALID_TRANSFER_ENCODING] = { 501, "the only Transfer-Encoding that is understood is chunked" },
    [HPE_HEADER_OVERFLOW]           = { 431, "the headers are too large" },
    // clang-format on
};

static void fail_as_parser(struct http_reader *reader)
{
    size_t code = (size_t)HTTP_PARSER_ERRNO(&reader->parser);
    if (code < sizeof parser_errors / sizeof parser_errors[0] && parser_errors[code].sentence)
        fail(reader, parser_errors[code].status,
             parser_errors[code].status == 501 ? ERROR_UNIMPLEMENTED : ERROR_INVALID_ARGUMENT,
             parser_errors[code].sentence);
    else
        fail_malformed(reader, "the request is not HTTP");
}

/* How many bytes the parser took; 0 with a failure set when it did not like them. */
static size_t parse(struct http_reader *reader, struct slice bytes)
{
    size_t used = http_parser_execute(&reader->parser, &settings, bytes.ptr, bytes.len);
    enum http_errno code = HTTP_PARSER_ERRNO(&reader->parser);
    if (reader->status == 0 && code != HPE_OK && code != HPE_PAUSED)
        fail_as_parser(reader);
    return reader->status == 0 ? used : 0;
}

/* Whether `c` may follow what has been read of the head. */
static int check_head_byte(struct http_reader *reader, char c)
{
    const struct text *head = &reader->head;
    char previous = head->len > 0 ? head->ptr[head->len - 1] : '\n';

    if ((c == '\n') != (previous == '\r'))
        return fail_malformed(reader, "lines must end in CR LF");
    if (c == '\0')
        return fail_malformed(reader, "the headers may not hold the character NUL");
    if (previous == '\n' && (c == ' ' || c == '\t'))
        return fail_malformed(reader, "headers may not be folded");
    if (head->len >= reader->limits.header_bytes) {
        bool is_request_line = !memchr(head->ptr, '\n', head->len);
        return fail(reader, is_request_line ? 414 : 431, ERROR_RESOURCE_EXHAUSTED,
                    is_request_line ? "the request target is too long"
                                    : "the headers are too large");
    }
    return 0;
}

/* Takes bytes up to the empty line behind the headers; true when it is there. */
static bool take_head(struct http_reader *reader, struct slice bytes, size_t *ret_used)
{
    struct text *head = &reader->head;
    for (size_t i = 0; i < bytes.len; i++) {
        *ret_used = i + 1;
        if (head->len == 0 && (bytes.ptr[i] == '\r' || bytes.ptr[i] == '\n'))
            continue; /* empty lines between requests, which old clients send */
        if (check_head_byte(reader, bytes.ptr[i]) != 0)
            return false;
        text_add_char(head, bytes.ptr[i]);
        if (slice_ends_with(text_slice(head), SLICE("\r\n\r\n")))
            return true;
    }
    return false;
}

static enum http_progress feed_head(struct http_reader *reader, struct slice bytes,
                                    size_t *ret_used)
{
    if (!take_head(reader, bytes, ret_used))
        return HTTP_NEEDS_MORE;
    if (parse(reader, text_slice(&reader->head)) < reader->head.len && reader->status == 0)
        fail_malformed(reader, "the request is not HTTP");
    reader->stage = STAGE_BODY;
    return HTTP_HAS_HEADERS;
}

static enum http_progress feed_body(struct http_reader *reader, struct slice bytes,
                                    size_t *ret_used)
{
    if (!reader->has_complete && bytes.len > 0)
        *ret_used = parse(reader, bytes);
    if (!reader->has_complete)
        return HTTP_NEEDS_MORE;
    reader->stage = STAGE_COMPLETE;
    reader->request.body = text_slice(&reader->body);
    return HTTP_IS_COMPLETE;
}

enum http_progress http_reader_feed(struct http_reader *reader, struct slice bytes,
                                    size_t *ret_used, int *ret_status, struct error *err)
{
    enum http_progress progress = HTTP_IS_COMPLETE;
    *ret_used = 0;
    if (reader->stage == STAGE_HEAD)
        progress = feed_head(reader, bytes, ret_used);
    else if (reader->stage == STAGE_BODY)
        progress = feed_body(reader, bytes, ret_used);

    if (reader->status == 0)
        return progress;
    reader->stage = STAGE_BROKEN;
    reader->request.keeps_alive = false;
    *ret_status = reader->status;
    *err = reader->err;
    return HTTP_IS_BROKEN;
}

/* -- around it ------------------------------------------------------------------------------------ */

static void start(struct http_reader *reader)
{
    http_parser_init(&reader->parser, HTTP_REQUEST);
    reader->parser.data = reader;
    memset(reader->headers, 0, reader->limits.header_count * sizeof reader->headers[0]);
    reader->request = (struct http_request){ .headers = reader->headers };
    reader->stage = STAGE_HEAD;
    reader->has_complete = false;
}

struct http_reader *http_reader_new(const struct http_limits *limits)
{
    struct http_reader *reader = xcalloc(1, sizeof *reader);
    reader->limits = *limits;
    reader->headers = xcalloc(limits->header_count, sizeof reader->headers[0]);
    start(reader);
    return reader;
}

void http_reader_free(struct http_reader *reader)
{
    if (!reader)
        return;
    text_done(&reader->head);
    text_done(&reader->body);
    free(reader->headers);
    free(reader);
}

void http_reader_next(struct http_reader *reader)
{
    assert(reader->stage == STAGE_COMPLETE);
    text_clear(&reader->head);
    text_done(&reader->body); /* large ones are not kept for a connection that may stay idle */
    start(reader);
}

const struct http_request *http_reader_request(const struct http_reader *reader)
{
    return &reader->request;
}

bool http_reader_is_inside(const struct http_reader *reader)
{
    return reader->stage == STAGE_BODY || (reader->stage == STAGE_HEAD && reader->head.len > 0);
}

size_t http_reader_body_bytes(const struct http_reader *reader)
{
    return reader->body.len;
}

bool http_name_is(struct slice name, const char *expected)
{
    return name.len == strlen(expected) && strncasecmp(name.ptr, expected, name.len) == 0;
}

struct slice http_request_header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (http_name_is(request->headers[i].name, name))
            return request->headers[i].value.ptr ? request->headers[i].value : SLICE("");
    return (struct slice){ 0 };
}
