#include "launcher/template.h"

#include "unit/test.h"

static const char *lookup(void *user, struct slice reference)
{
    static const char *const values[][2] = {
        { "mesos.instance", "7" },
        { "thermos.ports[http]", "31000" },
        { "thermos.ports[a-b./c]", "1" },
        { "nested", "{{mesos.instance}}" },
        { "circle", "x{{circle}}" },
        { "part", "mesos.inst" },
        { "[k]", "index" },
    };
    (void)user;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        if (slice_is(reference, values[i][0]))
            return values[i][1];
    return NULL;
}

static const struct template_case {
    const char *name, *text, *filled;
    enum error_code code;
    const char *message; /* must appear in the error */
} cases[] = {
    { "plain text", "echo hello", "echo hello", ERROR_OK, "" },
    { "empty", "", "", ERROR_OK, "" },
    { "one reference", "i={{mesos.instance}}.", "i=7.", ERROR_OK, "" },
    { "an index", "{{thermos.ports[http]}}", "31000", ERROR_OK, "" },
    { "an index with all characters", "{{thermos.ports[a-b./c]}}", "1", ERROR_OK, "" },
    { "an index first", "{{[k]}}", "index", ERROR_OK, "" },
    { "a leading dot", "{{.mesos.instance}}", "7", ERROR_OK, "" },
    { "several", "{{mesos.instance}}{{mesos.instance}}", "77", ERROR_OK, "" },
    { "a value with a reference", "{{nested}}", "7", ERROR_OK, "" },
    { "the innermost first", "{{{{part}}ance}}", "7", ERROR_OK, "" },
    { "three braces", "{{{mesos.instance}}}", "{7}", ERROR_OK, "" },
    { "single braces", "awk '{print $1}'", "awk '{print $1}'", ERROR_OK, "" },
    { "nothing between braces", "{{}}", "{{}}", ERROR_OK, "" },
    { "braces that do not close", "{{mesos.instance", "{{mesos.instance", ERROR_OK, "" },
    { "escaped", "{{&mesos.instance}}", "{{mesos.instance}}", ERROR_OK, "" },
    { "escaped on both sides", "{{&mesos.instance&}}", "{{mesos.instance}}", ERROR_OK, "" },
    { "no value", "{{mesos.other}}", NULL, ERROR_INVALID_ARGUMENT, "missing: mesos.other" },
    { "all that have no value", "{{a}} {{b[c]}}", NULL, ERROR_INVALID_ARGUMENT, "missing: a b[c]" },
    { "white space", "{{ mesos.instance }}", NULL, ERROR_INVALID_ARGUMENT, "not a template" },
    { "an empty index", "{{a[]}}", NULL, ERROR_INVALID_ARGUMENT, "not a template" },
    { "an index behind a dot", "{{a.[b]}}", NULL, ERROR_INVALID_ARGUMENT, "not a template" },
    { "a dot at the end", "{{a.}}", NULL, ERROR_INVALID_ARGUMENT, "not a template" },
    { "words in a row", "{{a[b]c}}", NULL, ERROR_INVALID_ARGUMENT, "not a template" },
    { "a digit first", "{{1a}}", NULL, ERROR_INVALID_ARGUMENT, "not a template" },
    { "a circle", "{{circle}}", NULL, ERROR_INVALID_ARGUMENT, "refer to each other" },
};

static void fills_or_explains(void **state)
{
    const struct template_case *c = *state;
    struct arena *arena = arena_new();
    struct error err = { 0 };
    const char *filled = "untouched";

    bool ok = template_fill(slice_of(c->text), lookup, NULL, arena, &filled, &err);

    assert_int_equal(err.code, c->code);
    assert_int_equal(ok, c->code == ERROR_OK);
    assert_string_equal(filled, ok ? c->filled : "untouched");
    assert_non_null(strstr(err.message, c->message));
    arena_free(arena);
}

static const char *many(void *user, struct slice reference)
{
    (void)reference;
    return user;
}

static void the_result_is_bounded(void **state)
{
    struct arena *arena = arena_new();
    struct error err = { 0 };
    const char *filled;
    char *value = arena_alloc(arena, 20001);
    (void)state;

    for (size_t i = 0; i < 20000; i += 5)
        memcpy(value + i, "{{a}}", 5);
    assert_false(template_fill(SLICE("{{a}}"), many, value, arena, &filled, &err));
    assert_int_equal(err.code, ERROR_RESOURCE_EXHAUSTED);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest others[] = { cmocka_unit_test(the_result_is_bounded) };
    return RUN_CASES(cases, fills_or_explains) + cmocka_run_group_tests(others, NULL, NULL);
}
