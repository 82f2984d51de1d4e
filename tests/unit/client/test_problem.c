#include "client/problem.h"

#include "unit/test.h"

#define PROBLEM "application/problem+json"

static const struct problem_case {
    const char *name;
    long status;
    const char *type, *body;
    enum error_code code;
    const char *message;
} cases[] = {
    { "a problem", 404, PROBLEM,
      "{\"detail\": \"job a/b/c does not exist\", \"code\": \"NOT_FOUND\"}", ERROR_NOT_FOUND,
      "job a/b/c does not exist" },
    { "the code counts, not the status", 409, PROBLEM,
      "{\"detail\": \"x\", \"code\": \"ALREADY_EXISTS\"}", ERROR_ALREADY_EXISTS, "x" },
    { "a code that is not known", 503, PROBLEM, "{\"detail\": \"x\", \"code\": \"ODD\"}",
      ERROR_UNAVAILABLE, "x" },
    { "OK is no problem's code", 500, PROBLEM, "{\"detail\": \"x\", \"code\": \"OK\"}",
      ERROR_UNKNOWN, "x" },
    { "without a detail", 400, PROBLEM, "{}", ERROR_INVALID_ARGUMENT, "HTTP status 400" },
    { "with parameters", 429, PROBLEM "; charset=utf-8", "{\"detail\": \"full\"}",
      ERROR_RESOURCE_EXHAUSTED, "full" },
    { "broken JSON", 500, PROBLEM, "{", ERROR_UNKNOWN, "HTTP status 500" },
    { "a proxy's page", 502, "text/html", "<h1>Bad Gateway</h1>", ERROR_UNAVAILABLE,
      "HTTP status 502" },
    { "nothing", 401, "", "", ERROR_UNAUTHENTICATED, "HTTP status 401" },
    { "a redirect", 307, "", "", ERROR_FAILED_PRECONDITION, "redirects to another address" },
    { "a status of its own", 418, "", "", ERROR_UNKNOWN, "HTTP status 418" },
    { "a detail that is no text", 404, PROBLEM, "{\"detail\": 7}", ERROR_NOT_FOUND,
      "HTTP status 404" },
};

static void becomes_an_error(void **state)
{
    const struct problem_case *c = *state;
    struct error err = { 0 };
    problem_parse(c->status, slice_of(c->type), slice_of(c->body), &err);
    assert_int_equal(err.code, c->code);
    assert_non_null(strstr(err.message, c->message));
}

int main(void)
{
    return RUN_CASES(cases, becomes_an_error);
}
