#include "registry/www_authenticate.h"
#include "unit/test.h"

static const struct challenge_case {
    const char *name; /* the header */
    enum auth_scheme scheme;
    const char *realm, *service, *scope;
    const char *message; /* of the error; NULL: none */
} cases[] = {
    { "Bearer realm=\"https://a/t\",service=\"s\",scope=\"repository:x:pull\"", AUTH_BEARER,
      "https://a/t", "s", "repository:x:pull", NULL },
    { "Bearer realm=\"https://a/t\",scope=\"repository:x:pull,push\",service=\"s\"", AUTH_BEARER,
      "https://a/t", "s", "repository:x:pull,push", NULL },
    { "bearer REALM=\"https://a/t?x=y\" , Service=s", AUTH_BEARER, "https://a/t?x=y", "s", "",
      NULL },
    { "Bearer realm=https://a/t,service=s", AUTH_BEARER, "https://a/t", "s", "", NULL },
    { "Bearer realm = \"https://a/t\"", AUTH_BEARER, "https://a/t", "", "", NULL },
    { "Bearer realm=\"a\\\"b\\\\c\"", AUTH_BEARER, "a\"b\\c", "", "", NULL },
    { "Bearer realm=\"1\",realm=\"2\"", AUTH_BEARER, "1", "", "", NULL },
    { "Basic realm=\"Registry Realm\"", AUTH_BASIC, "Registry Realm", "", "", NULL },
    { "BASIC", AUTH_BASIC, "", "", "", NULL },
    { "Basic realm=\"b\", Bearer realm=\"https://t\"", AUTH_BEARER, "https://t", "", "", NULL },
    { "Bearer realm=\"https://t\", Basic realm=\"b\"", AUTH_BEARER, "https://t", "", "", NULL },
    { "Negotiate, Basic realm=\"b\"", AUTH_BASIC, "b", "", "", NULL },
    { "Negotiate dG9r/ZW4=, Basic realm=\"b\"", AUTH_BASIC, "b", "", "", NULL },
    { "Digest realm=\"d\", nonce=\"n\", qop=auth, Basic realm=\"b\"", AUTH_BASIC, "b", "", "",
      NULL },
    { ", ,Basic", AUTH_BASIC, "", "", "", NULL },

    { "", AUTH_NONE, "", "", "", "asks for neither Basic nor Bearer" },
    { "Negotiate", AUTH_NONE, "", "", "", "asks for neither Basic nor Bearer" },
    { "NTLM dG9rZW4=", AUTH_NONE, "", "", "", "asks for neither Basic nor Bearer" },
    { "Bearer service=\"s\"", AUTH_NONE, "", "", "", "names no token server" },
    { "Bearer", AUTH_NONE, "", "", "", "names no token server" },
    { "Bearer realm=\"open", AUTH_NONE, "", "", "", "malformed at byte" },
    { "Bearer realm=\"a\\", AUTH_NONE, "", "", "", "malformed at byte" },
    { "Bearer realm=\"a\nb\"", AUTH_NONE, "", "", "", "malformed at byte" },
    { "Bearer realm=", AUTH_NONE, "", "", "", "malformed at byte" },
    { "\"Bearer\"", AUTH_NONE, "", "", "", "malformed at byte 1" },
    { "Bearer; realm=\"x\"", AUTH_NONE, "", "", "", "malformed at byte" },
    { "Basic realm=\"b\" ;", AUTH_NONE, "", "", "", "malformed at byte" },
};

static void strongest_is_taken(void **state)
{
    const struct challenge_case *c = *state;
    struct arena *arena = arena_new();
    struct auth_challenge challenge = { .realm = "untouched" };
    struct error err = { 0 };

    bool ok = auth_challenge_parse(slice_of(c->name), arena, &challenge, &err);

    assert_int_equal(ok, c->message == NULL);
    if (ok) {
        assert_int_equal(challenge.scheme, c->scheme);
        assert_string_equal(challenge.realm, c->realm);
        assert_string_equal(challenge.service, c->service);
        assert_string_equal(challenge.scope, c->scope);
    } else {
        assert_int_equal(err.code, ERROR_UNAUTHENTICATED);
        assert_non_null(strstr(err.message, c->message));
        assert_string_equal(challenge.realm, "untouched");
    }
    arena_free(arena);
}

static void length_is_bounded(void **state)
{
    struct arena *arena = arena_new();
    struct auth_challenge challenge;
    struct error err = { 0 };
    (void)state;
    char *header = arena_alloc(arena, AUTH_MAX_HEADER_BYTES + 1);
    memset(header, 'a', AUTH_MAX_HEADER_BYTES + 1);
    assert_false(auth_challenge_parse((struct slice){ header, AUTH_MAX_HEADER_BYTES + 1 }, arena,
                                      &challenge, &err));
    assert_non_null(strstr(err.message, "over 8192 bytes"));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(length_is_bounded) };
    return RUN_CASES(cases, strongest_is_taken) + cmocka_run_group_tests(tests, NULL, NULL);
}
