#include "client/exit_status.h"

#include "unit/test.h"

static const struct status_case {
    const char *name;
    enum error_code code;
    int status;
} cases[] = {
    { "no error", ERROR_OK, 0 },
    { "a bad parameter", ERROR_INVALID_ARGUMENT, 6 },
    { "a value out of range", ERROR_OUT_OF_RANGE, 6 },
    { "nothing of that name", ERROR_NOT_FOUND, 6 },
    { "no connection", ERROR_UNAVAILABLE, 7 },
    { "too late", ERROR_DEADLINE_EXCEEDED, 9 },
    { "it exists already", ERROR_ALREADY_EXISTS, 10 },
    { "a state that does not allow it", ERROR_FAILED_PRECONDITION, 10 },
    { "a limit", ERROR_RESOURCE_EXHAUSTED, 10 },
    { "a broken service", ERROR_INTERNAL, 10 },
    { "an answer that makes no sense", ERROR_DATA_LOSS, 20 },
    { "no token", ERROR_UNAUTHENTICATED, 30 },
    { "not allowed", ERROR_PERMISSION_DENIED, 30 },
    { "interrupted", ERROR_CANCELLED, 130 },
};

static void means(void **state)
{
    const struct status_case *c = *state;
    assert_int_equal(exit_status_of(c->code), c->status);
}

int main(void)
{
    return RUN_CASES(cases, means);
}
