#include "base/cleanup.h"
#include "gateway/problem.h"
#include "unit/test.h"

static const struct problem_case {
    const char *name;
    int status;
    enum error_code code;
    const char *diagnostics;
    unsigned retry_after;
    const char *document;
} cases[] = {
    { "not found", 404, ERROR_NOT_FOUND, NULL, 0,
      "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,\"detail\":\"no "
      "\\\"x\\\"\","
      "\"code\":\"NOT_FOUND\"}\n" },
    { "with diagnostics", 400, ERROR_INVALID_ARGUMENT, "[{}]", 0,
      "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"
      "\"detail\":\"no \\\"x\\\"\",\"code\":\"INVALID_ARGUMENT\",\"diagnostics\":[{}]}\n" },
    { "down", 503, ERROR_UNAVAILABLE, NULL, 1,
      "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,"
      "\"detail\":\"no \\\"x\\\"\",\"code\":\"UNAVAILABLE\"}\n" },
    { "too large, never mind again", 413, ERROR_RESOURCE_EXHAUSTED, NULL, 0,
      "{\"type\":\"about:blank\",\"title\":\"Payload Too Large\",\"status\":413,"
      "\"detail\":\"no \\\"x\\\"\",\"code\":\"RESOURCE_EXHAUSTED\"}\n" },
};

static void is_written(void **state)
{
    const struct problem_case *c = *state;
    cleanup_text struct text out = TEXT_INIT;
    struct error err;
    error_set(&err, c->code, "no \"x\"");
    problem_format(&out, c->status, &err, c->diagnostics);
    assert_string_equal(text_string(&out), c->document);
    assert_int_equal(problem_retry_after(c->status, c->code), c->retry_after);
}

static void codes_have_their_status(void **state)
{
    (void)state;
    assert_int_equal(problem_status(ERROR_ALREADY_EXISTS), 409);
    assert_int_equal(problem_status(ERROR_RESOURCE_EXHAUSTED), 429);
    assert_int_equal(problem_status((enum error_code)99), 500);
    assert_string_equal(problem_code_name((enum error_code)99), "UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest others[] = { cmocka_unit_test(codes_have_their_status) };
    return RUN_CASES(cases, is_written) + cmocka_run_group_tests(others, NULL, NULL);
}
