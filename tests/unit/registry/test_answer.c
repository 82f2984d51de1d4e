#include "registry/answer.h"
#include "unit/test.h"

static const struct error_case {
    const char *name; /* the body */
    const char *said;
} errors[] = {
    { "{\"errors\":[{\"code\":\"NAME_UNKNOWN\",\"message\":\"not known\"}]}",
      "NAME_UNKNOWN: not known" },
    { "{\"errors\":[{\"code\":\"DENIED\"}]}", "DENIED" },
    { "{\"errors\":[{\"message\":\"no\"}]}", "no" },
    { "{\"errors\":[{\"code\":\"A\\nB\",\"message\":\"\\u001b[31m\\u00e4\"}]}", "A?B: ?[31m??" },
    { "{\"errors\":[]}", "" },
    { "{\"errors\":{}}", "" },
    { "[]", "" },
    { "<html>", "" },
    { "", "" },
};

static void error_is_shown(void **state)
{
    const struct error_case *c = *state;
    struct arena *arena = arena_new();
    assert_string_equal(answer_error(slice_of(c->name), arena), c->said);
    arena_free(arena);
}

static const struct token_case {
    const char *name; /* the body */
    const char *token;
    int64_t expires_in_s;
    const char *message; /* of the error; NULL: none */
} tokens[] = {
    { "{\"token\":\"t\"}", "t", 60, NULL },
    { "{\"access_token\":\"a\",\"expires_in\":300}", "a", 300, NULL },
    { "{\"token\":\"t\",\"access_token\":\"a\",\"expires_in\":0}", "t", 1, NULL },
    { "{\"token\":\"t\",\"expires_in\":99999999}", "t", 86400, NULL },
    { "{\"token\":\"t\",\"expires_in\":\"x\"}", "t", 60, NULL },
    { "{\"token\":\"\"}", "", 0, "no printable text" },
    { "{\"token\":\"a\\r\\nX-Header: b\"}", "", 0, "no printable text" },
    { "{\"token\":7}", "", 0, "its answer has no token" },
    { "{}", "", 0, "its answer has no token" },
    { "301", "", 0, "its answer has no token" },
    { "", "", 0, "its answer has no token" },
};

static void token_is_read(void **state)
{
    const struct token_case *c = *state;
    struct arena *arena = arena_new();
    struct answer_token token = { .token = "untouched" };
    struct error err = { 0 };

    bool ok = answer_token_parse(slice_of(c->name), arena, &token, &err);

    assert_int_equal(ok, c->message == NULL);
    assert_string_equal(token.token, ok ? c->token : "untouched");
    assert_int_equal(token.expires_in_s, c->expires_in_s);
    assert_int_equal(err.code, ok ? ERROR_OK : ERROR_UNAUTHENTICATED);
    assert_non_null(strstr(err.message, ok ? "" : c->message));
    arena_free(arena);
}

static const struct credential_case {
    const char *name;                             /* the answer */
    const char *user, *password, *identity_token; /* user NULL: refused */
} credentials[] = {
    { "{\"ServerURL\":\"h\",\"Username\":\"u\",\"Secret\":\"s\"}", "u", "s", "" },
    { "{\"Username\":\"<token>\",\"Secret\":\"s\"}", "<token>", "", "s" },
    { "{\"Username\":\"u\",\"Secret\":\"\"}", NULL, NULL, NULL },
    { "{\"Username\":\"\",\"Secret\":\"s\"}", NULL, NULL, NULL },
    { "{\"Username\":1,\"Secret\":2}", NULL, NULL, NULL },
    { "{}", NULL, NULL, NULL },
    { "", NULL, NULL, NULL },
};

static void credential_is_read(void **state)
{
    const struct credential_case *c = *state;
    struct arena *arena = arena_new();
    struct credential credential = { .user = "untouched" };
    assert_int_equal(answer_credential_parse(slice_of(c->name), arena, &credential),
                     c->user != NULL);
    assert_string_equal(credential.user, c->user ? c->user : "untouched");
    if (c->user) {
        assert_string_equal(credential.password, c->password);
        assert_string_equal(credential.identity_token, c->identity_token);
    }
    arena_free(arena);
}

static void sentence_is_bounded(void **state)
{
    struct arena *arena = arena_new();
    char name[300];
    (void)state;
    memset(name, 'x', sizeof name);
    const char *body = arena_printf(arena, "{\"errors\":[{\"code\":\"%.300s\"}]}", name);
    assert_int_equal(strlen(answer_error(slice_of(body), arena)), 120);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(sentence_is_bounded) };
    return RUN_CASES(errors, error_is_shown) + RUN_CASES(tokens, token_is_read) +
           RUN_CASES(credentials, credential_is_read) + cmocka_run_group_tests(tests, NULL, NULL);
}
