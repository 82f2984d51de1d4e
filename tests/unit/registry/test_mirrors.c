#include "registry/mirrors.h"
#include "unit/test.h"

static struct mirrors *parse(const char *text, struct error *err)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    struct mirrors *mirrors = mirrors_parse(json, err);
    json_decref(json);
    return mirrors;
}

#define SAMPLE                                                                                     \
    "{\"Registry.example:5000\": [\"https://a.example\", \"http://b.example:8080/proxy/x/\"],"     \
    " \"docker.io\": [\"https://hub.example/\"], \"plain.example:443\": [\"https://p.example\"],"  \
    " \"none.example\": []}"

static const struct find_case {
    const char *name; /* the registry's base URL */
    size_t count;
    const char *first, *prefix; /* of the last */
} finds[] = {
    { "https://registry.example:5000", 2, "https://a.example", "proxy/x/" },
    { "https://REGISTRY.example:5000", 2, "https://a.example", "proxy/x/" },
    { "https://registry.example", 0, NULL, NULL },
    { "https://registry-1.docker.io", 1, "https://hub.example", "" },
    { "https://docker.io", 1, "https://hub.example", "" },
    { "https://plain.example", 1, "https://p.example", "" },
    { "https://none.example", 0, NULL, NULL },
    { "https://other.example", 0, NULL, NULL },
};

static void mirrors_are_found(void **state)
{
    const struct find_case *c = *state;
    struct error err = { 0 };
    struct mirrors *mirrors = parse(SAMPLE, &err);
    size_t count = 77;

    assert_non_null(mirrors);
    const struct mirror *list = mirrors_find(mirrors, c->name, &count);

    assert_int_equal(count, c->count);
    if (count > 0) {
        assert_string_equal(list[0].base_url, c->first);
        assert_string_equal(list[count - 1].prefix, c->prefix);
    }
    mirrors_free(mirrors);
}

static const struct refused_case {
    const char *name; /* the JSON */
    const char *message;
} refused[] = {
    { "1", "no object of lists" },
    { "[]", "no object of lists" },
    { "{\"h\": \"https://a\"}", "registry \"h\": it is no list of up to 16 URLs" },
    { "{\"h\": [1]}", "registry \"h\": mirror 1: it is no string" },
    { "{\"h\": [\"https://a\", \"a\"]}", "registry \"h\": mirror 2: " },
    { "{\"h\": [\"https://a/UP\"]}", "mirror 1: its path is no beginning of a repository" },
    { "{\"h\": [\"https://a/?x\"]}", "mirror 1: its path" },
    { "{\"h/x\": []}", "registry 1: expected HOST or HOST:PORT" },
    { "{\"https://h\": []}", "registry 1: expected HOST or HOST:PORT" },
    { "{\"h\": "
      "[\"https://0\",\"https://0\",\"https://0\",\"https://0\",\"https://0\",\"https://0\","
      "\"https://0\",\"https://0\",\"https://0\",\"https://0\",\"https://0\",\"https://0\","
      "\"https://0\",\"https://0\",\"https://0\",\"https://0\",\"https://0\"]}",
      "no list of up to 16 URLs" },
};

static void error_is_told(void **state)
{
    const struct refused_case *c = *state;
    struct error err = { 0 };
    assert_null(parse(c->name, &err));
    assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, c->message));
}

static void there_may_be_none(void **state)
{
    struct error err;
    size_t count = 77;
    struct mirrors *mirrors = mirrors_parse(NULL, &err);
    (void)state;
    assert_null(mirrors_find(mirrors, "https://h", &count));
    assert_int_equal(count, 0);
    mirrors_free(mirrors);
    count = 77;
    assert_null(mirrors_find(NULL, "https://h", &count));
    assert_int_equal(count, 0);
    mirrors = parse("null", &err);
    assert_non_null(mirrors);
    mirrors_free(mirrors);
    mirrors_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(there_may_be_none) };
    return RUN_CASES(finds, mirrors_are_found) + RUN_CASES(refused, error_is_told) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
