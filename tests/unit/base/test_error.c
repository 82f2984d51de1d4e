#include "base/error.h"

#include "base/slice.h"
#include "unit/test.h"

#include <errno.h>
#include <string.h>

/* -- the table of codes --------------------------------------------------------------------------- */

/* As https://grpc.github.io/grpc/core/md_doc_statuscodes.html numbers them: on the wire for good. */
static const struct code_case {
    const char *name;
    enum error_code code;
    int number;
} codes[] = {
    // clang-format off
    { "OK",                  ERROR_OK,                   0 },
    { "CANCELLED",           ERROR_CANCELLED,            1 },
    { "UNKNOWN",             ERROR_UNKNOWN,              2 },
    { "INVALID_ARGUMENT",    ERROR_INVALID_ARGUMENT,     3 },
    { "DEADLINE_EXCEEDED",   ERROR_DEADLINE_EXCEEDED,    4 },
    { "NOT_FOUND",           ERROR_NOT_FOUND,            5 },
    { "ALREADY_EXISTS",      ERROR_ALREADY_EXISTS,       6 },
    { "PERMISSION_DENIED",   ERROR_PERMISSION_DENIED,    7 },
    { "RESOURCE_EXHAUSTED",  ERROR_RESOURCE_EXHAUSTED,   8 },
    { "FAILED_PRECONDITION", ERROR_FAILED_PRECONDITION,  9 },
    { "ABORTED",             ERROR_ABORTED,             10 },
    { "OUT_OF_RANGE",        ERROR_OUT_OF_RANGE,        11 },
    { "UNIMPLEMENTED",       ERROR_UNIMPLEMENTED,       12 },
    { "INTERNAL",            ERROR_INTERNAL,            13 },
    { "UNAVAILABLE",         ERROR_UNAVAILABLE,         14 },
    { "DATA_LOSS",           ERROR_DATA_LOSS,           15 },
    { "UNAUTHENTICATED",     ERROR_UNAUTHENTICATED,     16 },
    // clang-format on
};

static void has_the_number_of_grpc(void **state)
{
    const struct code_case *c = *state;
    assert_int_equal(c->code, c->number);
}

/* -- codes of the kernel -------------------------------------------------------------------------- */

static const struct errno_case {
    const char *name;
    int errnum;
    enum error_code code;
} errnums[] = {
    { "no such file", ENOENT, ERROR_NOT_FOUND },
    { "exists", EEXIST, ERROR_ALREADY_EXISTS },
    { "access", EACCES, ERROR_PERMISSION_DENIED },
    { "not permitted", EPERM, ERROR_PERMISSION_DENIED },
    { "invalid", EINVAL, ERROR_INVALID_ARGUMENT },
    { "no memory", ENOMEM, ERROR_RESOURCE_EXHAUSTED },
    { "no descriptors", EMFILE, ERROR_RESOURCE_EXHAUSTED },
    { "timed out", ETIMEDOUT, ERROR_DEADLINE_EXCEEDED },
    { "refused", ECONNREFUSED, ERROR_UNAVAILABLE },
    { "try again", EAGAIN, ERROR_UNAVAILABLE },
    { "cancelled", ECANCELED, ERROR_CANCELLED },
    { "anything else", EXDEV, ERROR_INTERNAL },
};

static void becomes_a_code_and_a_sentence(void **state)
{
    const struct errno_case *c = *state;
    struct error err = { 0 };
    assert_false(error_set_errno(&err, c->errnum, "could not open \"%s\"", "/a"));
    assert_int_equal(err.code, c->code);
    assert_int_equal(strncmp(err.message, "could not open \"/a\": ", 21), 0);
    assert_string_equal(err.message + 21, strerror(c->errnum));
}

/* -- what does not fit ---------------------------------------------------------------------------- */

#define TEN   "0123456789"
#define FIFTY TEN TEN TEN TEN TEN
#define LONG  FIFTY FIFTY FIFTY FIFTY TEN TEN TEN TEN /* 240 of the 247 bytes that fit */

static const struct cut_case {
    const char *name, *message;
    size_t len; /* of what is left */
} cuts[] = {
    { "what just fits", LONG "1234567", 247 },
    { "one byte too many", LONG "12345678", 247 },
    { "two bytes that just fit", LONG "12345\xc3\xa4", 247 },
    { "two bytes cut in the middle", LONG "123456\xc3\xa4", 246 },
    { "three bytes that just fit", LONG "1234\xe2\x82\xac", 247 },
    { "three bytes cut after two", LONG "12345\xe2\x82\xac", 245 },
    { "three bytes cut after one", LONG "123456\xe2\x82\xac", 246 },
    { "four bytes that just fit", LONG "123\xf0\x9f\x98\x80", 247 },
    { "four bytes cut after three", LONG "1234\xf0\x9f\x98\x80", 244 },
    { "four bytes cut after one", LONG "123456\xf0\x9f\x98\x80", 246 },
};

static void is_cut_at_a_character(void **state)
{
    const struct cut_case *c = *state;
    struct error err = { 0 }, prefixed = { .code = ERROR_INTERNAL };
    assert_false(error_set(&err, ERROR_INTERNAL, "%s", c->message));
    assert_int_equal(strlen(err.message), c->len);
    assert_true(slice_is_utf8(slice_of(err.message)));
    assert_int_equal(strncmp(err.message, c->message, c->len), 0);

    /* The same on the way up. */
    snprintf(prefixed.message, sizeof prefixed.message, "%s", c->message + 2);
    error_prefix(&prefixed, "%s", "");
    assert_int_equal(strlen(prefixed.message), c->len);
    assert_true(slice_is_utf8(slice_of(prefixed.message)));
}

/* -- the rest ------------------------------------------------------------------------------------- */

static void prefixes_keep_the_code(void **state)
{
    struct error err;
    (void)state;
    assert_false(error_set(&err, ERROR_NOT_FOUND, "there is no job \"%s\"", "a"));
    assert_false(error_prefix(&err, "line %d", 3));
    assert_false(error_prefix(&err, "file \"x\""));
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_string_equal(err.message, "file \"x\": line 3: there is no job \"a\"");
}

static void a_long_prefix_takes_all_the_room(void **state)
{
    struct error err;
    (void)state;
    error_set(&err, ERROR_ABORTED, "inner");
    error_prefix(&err, "%s", LONG LONG);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_int_equal(err.code, ERROR_ABORTED);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(prefixes_keep_the_code),
        cmocka_unit_test(a_long_prefix_takes_all_the_room),
    };
    return RUN_CASES(codes, has_the_number_of_grpc) +
           RUN_CASES(errnums, becomes_a_code_and_a_sentence) +
           RUN_CASES(cuts, is_cut_at_a_character) + cmocka_run_group_tests(others, NULL, NULL);
}
