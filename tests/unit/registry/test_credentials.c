#include "registry/credentials.h"
#include "unit/test.h"

/* "user:pass:word" */
#define AUTH "\"auth\":\"dXNlcjpwYXNzOndvcmQ=\""

static const struct docker_case {
    const char *name, *json, *host;
    const char *user, *password, *identity_token; /* user NULL: none known */
    const char *message;                          /* of the error; NULL: none */
} docker_cases[] = {
    { "auth", "{\"auths\":{\"h:5000\":{" AUTH "}}}", "h:5000", "user", "pass:word", "", NULL },
    { "another port", "{\"auths\":{\"h:5000\":{" AUTH "}}}", "h:5001", NULL, NULL, NULL, NULL },
    { "scheme and path", "{\"auths\":{\"https://h/v1/\":{" AUTH "}}}", "h", "user", "pass:word", "",
      NULL },
    { "Docker's own", "{\"auths\":{\"https://index.docker.io/v1/\":{" AUTH "}}}",
      "registry-1.docker.io", "user", "pass:word", "", NULL },
    { "old form", "{\"h\":{" AUTH ",\"email\":\"x\"}}", "h", "user", "pass:word", "", NULL },
    { "user and password", "{\"auths\":{\"h\":{\"username\":\"u\",\"password\":\"p\"}}}", "h", "u",
      "p", "", NULL },
    { "identity token", "{\"auths\":{\"h\":{\"auth\":\"PHRva2VuPjo=\",\"identitytoken\":\"t\"}}}",
      "h", "<token>", "", "t", NULL },
    { "nothing in it", "{\"auths\":{\"h\":{}}}", "h", NULL, NULL, NULL, NULL },
    { "other settings", "{\"auths\":{},\"psFormat\":\"x\"}", "h", NULL, NULL, NULL, NULL },
    { "the first of two counts",
      "{\"auths\":{\"h\":{\"username\":\"1\"},\"http://h/x\":{\"username\":\"2\"}}}", "h", "1", "",
      "", NULL },
    { "trailing NULs", "{\"auths\":{\"h\":{\"auth\":\"dTpwAAA=\"}}}", "h", "u", "p", "", NULL },

    { "no JSON", "{", "h", NULL, NULL, NULL, "line 1: it is no JSON object" },
    { "a list", "[]", "h", NULL, NULL, NULL, "it is no JSON object" },
    { "auths is a list", "{\"auths\":[]}", "h", NULL, NULL, NULL, "\"auths\" is no JSON object" },
    { "no base64", "{\"auths\":{\"h\":{\"auth\":\"?\"}}}", "h", NULL, NULL, NULL,
      "entry 1: \"auth\" is not base64" },
    { "no colon", "{\"auths\":{\"h\":{\"auth\":\"dXNlcg==\"}}}", "h", NULL, NULL, NULL,
      "has no ':'" },
    { "a NUL inside", "{\"auths\":{\"h\":{\"auth\":\"dTpwAHA=\"}}}", "h", NULL, NULL, NULL, "NUL" },
    { "a helper with a path", "{\"credsStore\":\"../x\"}", "h", NULL, NULL, NULL,
      "\"credsStore\" is no program's name" },
};

static void expect(const struct credentials *credentials, const char *host, const char *user,
                   const char *password, const char *identity_token)
{
    const struct credential *found = credentials_find(credentials, slice_of(host));
    assert_int_equal(found != NULL, user != NULL);
    if (!found)
        return;
    assert_string_equal(found->user, user);
    assert_string_equal(found->password, password);
    assert_string_equal(found->identity_token, identity_token);
}

static void docker_config_is_read(void **state)
{
    const struct docker_case *c = *state;
    struct credentials *credentials = credentials_new();
    struct error err = { 0 };

    bool ok = credentials_add_docker(credentials, slice_of(c->json), &err);

    assert_int_equal(ok, c->message == NULL);
    assert_int_equal(err.code, ok ? ERROR_OK : ERROR_INVALID_ARGUMENT);
    if (ok)
        expect(credentials, c->host, c->user, c->password, c->identity_token);
    else
        assert_non_null(strstr(err.message, c->message));
    credentials_free(credentials);
}

static const struct netrc_case {
    const char *name, *text, *host, *user, *password, *message;
} netrc_cases[] = {
    { "one line", "machine h login u password p", "h", "u", "p", NULL },
    { "lines", "machine h\n\tlogin u\n\tpassword p\n", "h", "u", "p", NULL },
    { "a port", "machine h login u password p", "h:5000", "u", "p", NULL },
    { "a machine with a port", "machine h:1 login a password b machine h login u password p", "h:1",
      "a", "b", NULL },
    { "another host", "machine h login u password p", "x", NULL, NULL, NULL },
    { "the default", "machine h login u password p default login a password b", "x", "a", "b",
      NULL },
    { "quotes", "machine h login \"u v\" password \"p\\\"q\"", "h", "u v", "p\"q", NULL },
    { "account", "machine h login u account a password p", "h", "u", "p", NULL },
    { "comment", "# machine h login x\nmachine h login u password p", "h", "u", "p", NULL },
    { "macro", "macdef m\n machine h login x\n\nmachine h login u password p", "h", "u", "p",
      NULL },
    { "the first counts", "machine h login 1 password p machine h login 2 password p", "h", "1",
      "p", NULL },
    { "no login", "machine h password p", "h", NULL, NULL, NULL },
    { "empty", "", "h", NULL, NULL, NULL },
    { "an unknown word", "machine h user u", "h", NULL, NULL, "expected machine" },
    { "cut off", "machine h login", "h", NULL, NULL, "a value is missing" },
};

static void netrc_is_read(void **state)
{
    const struct netrc_case *c = *state;
    struct credentials *credentials = credentials_new();
    struct error err = { 0 };

    bool ok = credentials_add_netrc(credentials, slice_of(c->text), &err);

    assert_int_equal(ok, c->message == NULL);
    if (ok)
        expect(credentials, c->host, c->user, c->password, "");
    else
        assert_non_null(strstr(err.message, c->message));
    credentials_free(credentials);
}

static void docker_goes_before_netrc(void **state)
{
    struct credentials *credentials = credentials_new();
    struct error err;
    (void)state;
    assert_true(credentials_add_netrc(credentials, SLICE("machine h login n password p"), &err));
    assert_true(credentials_add_docker(
        credentials, SLICE("{\"auths\":{\"h\":{\"username\":\"d\",\"password\":\"q\"}}}"), &err));
    expect(credentials, "h", "d", "q", "");
    credentials_free(credentials);
}

static void helpers_are_known(void **state)
{
    struct credentials *credentials = credentials_new();
    struct error err;
    (void)state;
    assert_null(credentials_helper(credentials, SLICE("h")));
    assert_true(credentials_add_docker(
        credentials, SLICE("{\"credsStore\":\"all\",\"credHelpers\":{\"https://h\":\"one\"}}"),
        &err));
    assert_string_equal(credentials_helper(credentials, SLICE("h")), "one");
    assert_string_equal(credentials_helper(credentials, SLICE("x")), "all");
    credentials_free(credentials);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(docker_goes_before_netrc),
        cmocka_unit_test(helpers_are_known),
    };
    return RUN_CASES(docker_cases, docker_config_is_read) + RUN_CASES(netrc_cases, netrc_is_read) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
