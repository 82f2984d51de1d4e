#include "registry/endpoint.h"
#include "unit/test.h"

static const char *const insecure_items[] = { "plain.example", "port.example:5000" };
static const struct insecure_hosts insecure = { insecure_items, 2 };

static const struct origin_case {
    const char *name; /* the URL */
    const char *host;
    unsigned port;
    bool is_loopback, is_allowed;
    const char *message; /* of the error of parsing; NULL: none */
} origins[] = {
    { "https://example.org", "example.org", 443, false, true, NULL },
    { "https://example.org:5000/x?y", "example.org", 5000, false, true, NULL },
    { "http://example.org", "example.org", 80, false, false, NULL },
    { "http://localhost:5000/", "localhost", 5000, true, true, NULL },
    { "http://a.localhost", "a.localhost", 80, true, true, NULL },
    { "http://127.0.0.1:1", "127.0.0.1", 1, true, true, NULL },
    { "http://127.1.2.3", "127.1.2.3", 80, true, true, NULL },
    { "http://[::1]:5000", "::1", 5000, true, true, NULL },
    { "http://127.0.0.1.example.org", "127.0.0.1.example.org", 80, false, false, NULL },
    { "http://127.0.0.256", "127.0.0.256", 80, false, false, NULL },
    { "http://plain.example", "plain.example", 80, false, true, NULL },
    { "http://PLAIN.example:5000", "PLAIN.example", 5000, false, true, NULL },
    { "http://port.example:5000", "port.example", 5000, false, true, NULL },
    { "http://port.example:5001", "port.example", 5001, false, false, NULL },
    { "http://evilplain.example", "evilplain.example", 80, false, false, NULL },

    { "", "", 0, false, false, "must start with https://" },
    { "ftp://x", "", 0, false, false, "must start with https://" },
    { "example.org", "", 0, false, false, "must start with https://" },
    { "https://", "", 0, false, false, "no valid host and port" },
    { "https:///x", "", 0, false, false, "no valid host and port" },
    { "https://x:", "", 0, false, false, "no valid host and port" },
    { "https://x:0", "", 0, false, false, "no valid host and port" },
    { "https://x:65536", "", 0, false, false, "no valid host and port" },
    { "https://x:0443", "", 0, false, false, "no valid host and port" },
    { "https://[::1", "", 0, false, false, "no valid host and port" },
    { "https://user:password@x", "", 0, false, false, "user name" },
    { "https://x/\n", "", 0, false, false, "does not belong" },
    { "https://x\\@y", "", 0, false, false, "does not belong" },
};

static void origin_is_judged(void **state)
{
    const struct origin_case *c = *state;
    struct origin origin = { 0 };
    struct error err = { 0 };

    bool ok = origin_parse(slice_of(c->name), &origin, &err);

    assert_int_equal(ok, c->message == NULL);
    if (ok) {
        assert_true(slice_is(origin.host, c->host));
        assert_int_equal(origin.port, c->port);
        assert_int_equal(origin_is_loopback(&origin), c->is_loopback);
        assert_int_equal(origin_check_security(&origin, &insecure, &err), c->is_allowed);
        assert_int_equal(err.code, c->is_allowed ? ERROR_OK : ERROR_FAILED_PRECONDITION);
    } else {
        assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
        assert_non_null(strstr(err.message, c->message));
        assert_null(origin.host.ptr);
    }
}

static const struct pair_case {
    const char *name, *a, *b;
    bool is_equal;
} pairs[] = {
    { "same", "https://x/a", "https://x/b", true },
    { "the port that is meant", "https://x", "https://x:443", true },
    { "case of the host", "https://x", "https://X", true },
    { "scheme", "https://x:80", "http://x:80", false },
    { "port", "https://x:1", "https://x:2", false },
    { "host", "https://x", "https://x.y", false },
};

static void origins_are_compared(void **state)
{
    const struct pair_case *c = *state;
    struct origin a, b;
    struct error err;
    assert_true(origin_parse(slice_of(c->a), &a, &err) && origin_parse(slice_of(c->b), &b, &err));
    assert_int_equal(origin_equal(&a, &b), c->is_equal);
}

static const struct find_case {
    const char *name; /* the reference */
    const char *default_url, *base_url, *repository;
} finds[] = {
    { "a/b", "http://127.0.0.1:5000", "http://127.0.0.1:5000", "a/b" },
    { "a", "http://127.0.0.1:5000/", "http://127.0.0.1:5000", "a" },
    { "alpine:3", REGISTRY_DEFAULT_URL, "https://registry-1.docker.io", "library/alpine" },
    { "a/b:3", REGISTRY_DEFAULT_URL, "https://registry-1.docker.io", "a/b" },
    { "docker.io/alpine", "https://r.example", "https://registry-1.docker.io", "library/alpine" },
    { "index.docker.io/a/b", "https://r.example", "https://registry-1.docker.io", "a/b" },
    { "r.example/a", "http://r.example", "http://r.example", "a" },
    { "r.example/a", "https://r.example", "https://r.example", "a" },
    { "other.example/a", "http://r.example", "https://other.example", "a" },
    { "other.example:5000/a", "http://r.example", "https://other.example:5000", "a" },
    { "localhost:5000/a", "https://r.example", "http://localhost:5000", "a" },
    { "localhost:443/a", "https://r.example", "https://localhost:443", "a" },
    { "127.0.0.1:5000/a", "https://127.0.0.1:5000", "https://127.0.0.1:5000", "a" },
    { "plain.example/a", "https://r.example", "http://plain.example", "a" },
    { "plain.example:8080/a", "https://r.example", "http://plain.example:8080", "a" },
    { "plain.example:443/a", "https://r.example", "https://plain.example:443", "a" },
    { "port.example:5000/a", "https://r.example", "http://port.example:5000", "a" },
    { "port.example/a", "https://r.example", "https://port.example", "a" },
};

static void endpoint_is_found(void **state)
{
    const struct find_case *c = *state;
    struct arena *arena = arena_new();
    struct image_reference reference;
    struct endpoint endpoint;
    struct error err;

    assert_true(reference_parse(slice_of(c->name), arena, &reference, &err));
    endpoint_find(&reference, c->default_url, &insecure, arena, &endpoint);
    assert_string_equal(endpoint.base_url, c->base_url);
    assert_string_equal(endpoint.repository, c->repository);
    arena_free(arena);
}

static void base_url_has_no_path(void **state)
{
    struct error err = { 0 };
    (void)state;
    assert_true(endpoint_check(SLICE("https://x:5000"), &err));
    assert_true(endpoint_check(SLICE("https://x:5000/"), &err));
    assert_false(endpoint_check(SLICE("https://x:5000/v2"), &err));
    assert_false(endpoint_check(SLICE("https://x:5000?a"), &err));
    assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(base_url_has_no_path) };
    return RUN_CASES(origins, origin_is_judged) + RUN_CASES(pairs, origins_are_compared) +
           RUN_CASES(finds, endpoint_is_found) + cmocka_run_group_tests(tests, NULL, NULL);
}
