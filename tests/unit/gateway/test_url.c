#include "gateway/url.h"
#include "unit/test.h"

static const struct host_case {
    const char *name;
    bool is_loopback;
} hosts[] = {
    { "localhost", true },
    { "LocalHost:8081", true },
    { "a.localhost", true },
    { "127.0.0.1", true },
    { "127.9.0.1:80", true },
    { "[::1]:8081", true },
    { "example.org", false },
    { "127.0.0.1.example.org", false },
    { "localhost.example", false },
    { "127.0.0", false },
    { "10.0.0.1", false },
    { "", false },
    { "[::2]", false },
    { "evillocalhost", false },
    { "127.0.0.256", false },
};

static void host_is_judged(void **state)
{
    const struct host_case *c = *state;
    assert_int_equal(url_host_is_loopback(slice_of(c->name)), c->is_loopback);
}

static const struct decode_case {
    const char *name;
    enum url_part part;
    const char *decoded; /* NULL: refused */
} decodes[] = {
    { "plain", URL_PATH, "plain" },  { "a%20b", URL_PATH, "a b" },     { "a+b", URL_PATH, "a+b" },
    { "a+b%2B", URL_QUERY, "a b+" }, { "%c3%A4", URL_PATH, "\u00e4" }, { "", URL_QUERY, "" },
    { "%", URL_PATH, NULL },         { "%4", URL_PATH, NULL },         { "%zz", URL_PATH, NULL },
    { "%00", URL_PATH, NULL },       { "%ff", URL_PATH, NULL },
};

static void is_decoded(void **state)
{
    const struct decode_case *c = *state;
    struct arena *arena = arena_new();
    struct slice text = SLICE("untouched");
    struct error err = { 0 };
    assert_int_equal(url_decode(slice_of(c->name), c->part, arena, &text, &err),
                     c->decoded != NULL);
    assert_true(slice_is(text, c->decoded ? c->decoded : "untouched"));
    assert_int_equal(err.code, c->decoded ? ERROR_OK : ERROR_INVALID_ARGUMENT);
    arena_free(arena);
}

static const struct origin_case {
    const char *name, *host;
    bool is_same;
} origins[] = {
    { "http://localhost:8081", "localhost:8081", true },
    { "https://localhost", "localhost", true },
    { "http://LocalHost", "localhost", true },
    { "http://[::1]:8081", "[::1]:8081", true },
    { "http://localhost:3000", "localhost:8081", false },
    { "http://127.0.0.1:8081", "localhost:8081", false },
    { "http://evil.example", "localhost", false },
    { "http://localhost.evil.example", "localhost", false },
    { "file://localhost", "localhost", false },
    { "null", "localhost", false },
    { "", "localhost", false },
    { "http://", "", true },
};

static void origin_is_judged(void **state)
{
    const struct origin_case *c = *state;
    assert_int_equal(url_is_origin_of(slice_of(c->name), slice_of(c->host)), c->is_same);
}

int main(void)
{
    return RUN_CASES(hosts, host_is_judged) + RUN_CASES(decodes, is_decoded) +
           RUN_CASES(origins, origin_is_judged);
}
