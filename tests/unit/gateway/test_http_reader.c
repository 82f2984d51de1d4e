#include "base/cleanup.h"
#include "base/text.h"
#include "gateway/http_reader.h"
#include "unit/test.h"

static const struct http_limits limits = { .header_bytes = 256,
                                           .header_count = 5,
                                           .body_bytes = 20 };

#define HOST   "Host: h\r\n"
#define DIGITS "01234567890123456789012345678901234567890123456789012345678901234567890123456789"

static const struct reader_case {
    const char *name, *bytes;
    int status;       /* of the refusal; 0: none */
    const char *seen; /* "method path?query body|" of each request, or part of the sentence */
} cases[] = {
    { "no body", "GET /a?b=c HTTP/1.1\r\n" HOST "\r\n", 0, "GET /a?b=c |" },
    { "a body", "POST /a HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nxyz", 0, "POST /a? xyz|" },
    { "an empty body", "POST /a HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 0, "POST /a? |" },
    { "a body in chunks",
      "POST /a HTTP/1.1\r\n" HOST
      "Transfer-Encoding: chunked\r\n\r\n2\r\nxy\r\n1;x=y\r\nz\r\n0\r\nT: r\r\n\r\n",
      0, "POST /a? xyz|" },
    { "three at once",
      "GET /1 HTTP/1.1\r\n" HOST "\r\nPOST /2 HTTP/1.1\r\n" HOST
      "Content-Length: 2\r\n\r\nab\r\nGET /3 HTTP/1.1\r\n" HOST "\r\n",
      0, "GET /1? |POST /2? ab|GET /3? |" },
    { "an absolute target", "GET http://h:80/a HTTP/1.1\r\n" HOST "\r\n", 0, "GET /a? |" },
    { "a target without path", "GET http://h HTTP/1.1\r\n" HOST "\r\n", 0, "GET /? |" },
    { "the old version", "GET /a HTTP/1.0\r\n\r\n", 0, "GET /a? |" },
    { "an offer of another protocol",
      "GET /a HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 0, "GET /a? |" },
    { "half a request", "GET /a HTTP/1.1\r\nHos", 0, "" },
    { "half a body", "POST /a HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nxy", 0, "" },

    { "bare LF", "GET /a HTTP/1.1\n" HOST "\n", 400, "lines must end in CR LF" },
    { "bare LF at the end", "GET /a HTTP/1.1\r\n" HOST "\n", 400, "lines must end in CR LF" },
    { "bare CR", "GET /a HTTP/1.1\r\nHost: a\rb\r\n\r\n", 400, "lines must end in CR LF" },
    { "a folded header", "GET /a HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n", 400, "folded" },
    { "a header with a space", "GET /a HTTP/1.1\r\n" HOST "Content-Length : 3\r\n\r\n", 400, "" },
    { "no host", "GET /a HTTP/1.1\r\n\r\n", 400, "Host is missing" },
    { "two hosts", "GET /a HTTP/1.1\r\n" HOST HOST "\r\n", 400, "Host is given twice" },
    { "two lengths", "POST /a HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
      400, "Content-Length is given twice" },
    { "length and chunks",
      "POST /a HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
      "Transfer-Encoding" },
    { "chunks and length",
      "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400,
      "Transfer-Encoding" },
    { "another encoding", "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n",
      501, "chunked" },
    { "chunked twice",
      "POST /a HTTP/1.1\r\n" HOST
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
      501, "chunked" },
    { "chunks in the old version", "POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
      "HTTP/1.0" },
    { "a length that is none", "POST /a HTTP/1.1\r\n" HOST "Content-Length: 1x\r\n\r\n", 400,
      "Content-Length is not a number" },
    { "a negative length", "POST /a HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", 400,
      "Content-Length is not a number" },
    { "a chunk that is none",
      "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "chunk" },
    { "a body over the limit", "POST /a HTTP/1.1\r\n" HOST "Content-Length: 21\r\n\r\n", 413,
      "larger than" },
    { "chunks over the limit",
      "POST /a HTTP/1.1\r\n" HOST
      "Transfer-Encoding: chunked\r\n\r\nf\r\n0123456789abcde\r\nf\r\n0123456789abcde\r\n",
      413, "larger than" },
    { "a chunk that says to be over the limit",
      "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n15\r\n", 413, "larger than" },
    { "a chunk up to the limit",
      "POST /a HTTP/1.1\r\n" HOST
      "Transfer-Encoding: chunked\r\n\r\n14\r\n01234567890123456789\r\n0\r\n\r\n",
      0, "POST /a? 01234567890123456789|" },
    { "an endless target", "GET /" DIGITS DIGITS DIGITS DIGITS, 414, "too long" },
    { "endless headers",
      "GET / HTTP/1.1\r\nA: "
      "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901"
      "23456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123"
      "456789012345678901234567890123456789012345678901234567890123456789",
      431, "too large" },
    { "too many headers", "GET / HTTP/1.1\r\n" HOST "A: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\n\r\n",
      431, "too many" },
    { "another expectation", "POST / HTTP/1.1\r\n" HOST "Expect: cookies\r\n\r\n", 417,
      "100-continue" },
    { "a later version", "GET / HTTP/2.0\r\n" HOST "\r\n", 505, "HTTP/1.1" },
    { "no version", "GET /\r\n\r\n", 505, "HTTP/1.1" },
    { "a method that is none", "FROB / HTTP/1.1\r\n" HOST "\r\n", 501, "method" },
    { "not HTTP", "\x16\x03\x01\x02", 0, "" },
    { "not HTTP, with lines", "hello\r\n\r\n", 501, "" },
    { "a target with a fragment", "GET /a#b HTTP/1.1\r\n" HOST "\r\n", 400, "" },
    { "a target that is no path", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 400, "" },
};

/* Gives the bytes in pieces of `size` and notes what comes out. */
static int run(const char *bytes, size_t size, struct text *seen)
{
    struct http_reader *reader = http_reader_new(&limits);
    struct slice rest = slice_of(bytes);
    struct error err = { 0 };
    int status = 0;
    enum http_progress progress = HTTP_NEEDS_MORE;

    while (progress != HTTP_IS_BROKEN && (rest.len > 0 || progress != HTTP_NEEDS_MORE)) {
        struct slice piece = { rest.ptr, rest.len < size ? rest.len : size };
        size_t used = 0;
        progress = http_reader_feed(reader, piece, &used, &status, &err);
        assert_true(used <= piece.len);
        rest.ptr += used;
        rest.len -= used;
        const struct http_request *request = http_reader_request(reader);
        if (progress == HTTP_IS_COMPLETE) {
            text_printf(seen, "%.*s %.*s?%.*s %.*s|", SLICE_ARG(request->method),
                        SLICE_ARG(request->path), SLICE_ARG(request->query),
                        SLICE_ARG(request->body));
            http_reader_next(reader);
        }
    }
    if (progress == HTTP_IS_BROKEN) {
        text_clear(seen);
        text_add(seen, err.message);
    }
    http_reader_free(reader);
    return status;
}

static void is_read_or_refused(void **state)
{
    const struct reader_case *c = *state;
    static const size_t sizes[] = { 10000, 1, 7 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        cleanup_text struct text seen = TEXT_INIT;
        assert_int_equal(run(c->bytes, sizes[i], &seen), c->status);
        if (c->status == 0)
            assert_string_equal(text_string(&seen), c->seen);
        else
            assert_non_null(strstr(text_string(&seen), c->seen));
    }
}

static void flags_are_told(void **state)
{
    (void)state;
    struct http_reader *reader = http_reader_new(&limits);
    size_t used;
    int status;
    struct error err;
    assert_int_equal(http_reader_feed(reader,
                                      SLICE("POST / HTTP/1.1\r\nhOST: x\r\nConnection: close\r\n"
                                            "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"),
                                      &used, &status, &err),
                     HTTP_HAS_HEADERS);
    const struct http_request *request = http_reader_request(reader);
    assert_false(request->keeps_alive);
    assert_true(request->expects_continue);
    assert_true(request->has_body);
    assert_true(slice_is(http_request_header(request, "Host"), "x"));
    assert_null(http_request_header(request, "nothing").ptr);
    assert_true(http_reader_is_inside(reader));
    http_reader_free(reader);
}

int main(void)
{
    const struct CMUnitTest others[] = { cmocka_unit_test(flags_are_told) };
    return RUN_CASES(cases, is_read_or_refused) + cmocka_run_group_tests(others, NULL, NULL);
}
