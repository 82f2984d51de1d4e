#include "binder/policy.h"
#include "unit/test.h"

#include "base/alloc.h"
#include "base/text.h"

/* -- reading -------------------------------------------------------------------------------------- */

/* The "key" of a file is its name; "bad" cannot be read. */
static struct public_key *read_key(void *user, const char *path, struct error *err)
{
    (void)user;
    if (strcmp(path, "bad") != 0)
        return (struct public_key *)path;
    error_set(err, ERROR_NOT_FOUND, "key bad: could not open it");
    return NULL;
}

static const struct parse_case {
    const char *name;    /* the value */
    const char *message; /* NULL: it is well formed */
} parse_cases[] = {
    { "[]", NULL },
    { "[{\"images\": \"h.x\", \"keys\": [\"a\"]}]", NULL },
    { "[{\"images\": \"h.x:5000/a/b\", \"keys\": [\"a\", \"b\"]}]", NULL },
    { "[{\"images\": \"h.x/a/\", \"keys\": [\"a\"]}, {\"images\": \"*\", \"keys\": []}]", NULL },
    { "[{\"images\": \"[::1]:5000/a/\", \"keys\": [\"a\"]}]", NULL },
    { "{}", "docker_signatures is no list of up to 1000 entries" },
    { "true", "is no list" },
    { "[1]", "docker_signatures entry 1: it is no object" },
    { "[{}]", "entry 1: \"images\" is no string" },
    { "[{\"images\": \"h\"}]", "entry 1: \"keys\" is no list" },
    { "[{\"images\": \"h\", \"keys\": \"a\"}]", "\"keys\" is no list" },
    { "[{\"images\": \"h\", \"keys\": [1]}]", "something that is no file" },
    { "[{\"images\": \"h\", \"keys\": []}, {\"images\": \"i\", \"keys\": [\"bad\"]}]",
      "docker_signatures entry 2: key bad: could not open it" },
    { "[{\"images\": \"h\", \"key\": [\"a\"]}]", "something besides \"images\" and \"keys\"" },
    { "[{\"images\": \"\", \"keys\": []}]", "no \"host\", \"host/repository\"" },
    { "[{\"images\": \"/a\", \"keys\": []}]", "no \"host\"" },
    { "[{\"images\": \"https://h/a\", \"keys\": []}]", "no \"host\"" },
    { "[{\"images\": \"h//\", \"keys\": []}]", "no \"host\"" },
    { "[{\"images\": \"h/*\", \"keys\": []}]", "\"images\": behind the host: byte 1" },
    { "[{\"images\": \"h/A\", \"keys\": []}]", "behind the host: byte 1" },
    { "[{\"images\": \"h/a:1\", \"keys\": []}]", "behind the host: byte 2" },
    { "[{\"images\": \"h/a/\", \"keys\": []}, {\"images\": \"H:443/a/\", \"keys\": [\"a\"]}]",
      "entry 2: \"images\" is that of entry 1, too" },
};

static bool parse(const char *text, struct arena *arena, struct policy *policy, struct error *err)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    bool ok = policy_parse(value, read_key, NULL, arena, policy, err);
    json_decref(value);
    return ok;
}

static void rules_are_read_or_explained(void **state)
{
    const struct parse_case *c = *state;
    struct arena *arena = arena_new();
    struct policy policy = { .count = 77 };
    struct error err = { 0 };
    bool ok = parse(c->name, arena, &policy, &err);
    assert_int_equal(ok, c->message == NULL);
    if (!ok) {
        assert_int_equal(policy.count, 77);
        if (!strstr(err.message, c->message))
            fail_msg("\"%s\" lacks \"%s\"", err.message, c->message);
    }
    arena_free(arena);
}

static void none_is_no_rules(void **state)
{
    struct arena *arena = arena_new();
    struct policy policy = { .count = 77 };
    struct error err;
    (void)state;
    assert_true(policy_parse(NULL, read_key, NULL, arena, &policy, &err));
    assert_int_equal(policy.count, 0);
    assert_null(policy_find(&policy, "https://h", "a"));
    assert_null(policy_find(NULL, "https://h", "a"));
    arena_free(arena);
}

static void rules_have_limits(void **state)
{
    struct arena *arena = arena_new();
    struct text text = TEXT_INIT;
    struct policy policy;
    struct error err;
    (void)state;
    text_add(&text, "[");
    for (int i = 0; i < 1001; i++)
        text_printf(&text, "%s{\"images\": \"h%d\", \"keys\": []}", i > 0 ? "," : "", i);
    text_add(&text, "]");
    assert_false(parse(text_string(&text), arena, &policy, &err));
    assert_non_null(strstr(err.message, "up to 1000 entries"));
    text_clear(&text);
    text_add(&text, "[{\"images\": \"h\", \"keys\": [\"a\"");
    for (int i = 0; i < 32; i++)
        text_add(&text, ",\"a\"");
    text_add(&text, "]}]");
    assert_false(parse(text_string(&text), arena, &policy, &err));
    assert_non_null(strstr(err.message, "up to 32 files"));
    text_done(&text);
    arena_free(arena);
}

/* -- asking --------------------------------------------------------------------------------------- */

#define RULES                                                                                      \
    "[{\"images\": \"h.x\", \"keys\": []}, {\"images\": \"h.x/team/\", \"keys\": []}, "            \
    "{\"images\": \"h.x/team/a\", \"keys\": []}, {\"images\": \"h.x:5000/\", \"keys\": []}, "      \
    "{\"images\": \"docker.io/library/\", \"keys\": []}, "                                         \
    "{\"images\": \"index.docker.io/eos/x\", \"keys\": []}, "                                      \
    "{\"images\": \"docker.io/nginx\", \"keys\": []}, "                                            \
    "{\"images\": \"Upper.Example:443/a\", \"keys\": []}]"

static const struct find_case {
    const char *name; /* the base URL */
    const char *repository;
    const char *images; /* of the rule; NULL: none */
} find_cases[] = {
    { "https://h.x", "other", "h.x" },
    { "https://h.x", "team", "h.x" },
    { "https://h.x", "teams/a", "h.x" },
    { "https://h.x", "team/b", "h.x/team/" },
    { "https://h.x", "team/b/c", "h.x/team/" },
    { "https://h.x", "team/a", "h.x/team/a" },
    { "https://h.x", "team/a/b", "h.x/team/" },
    { "https://h.x/", "team/a", "h.x/team/a" },
    { "https://H.X", "team/a", "h.x/team/a" },
    { "https://h.x.", "team/a", "h.x/team/a" },
    { "https://h.x:443", "team/a", "h.x/team/a" },
    { "https://h.x.:443", "team/a", "h.x/team/a" },
    { "http://h.x:80", "team/a", "h.x/team/a" },
    { "http://h.x:5000", "team/a", "h.x:5000/" },
    { "http://h.x:5001", "team/a", NULL },
    { "https://h.xx", "a", NULL },
    { "https://i.h.x", "a", NULL },
    { "https://registry-1.docker.io", "library/alpine", "docker.io/library/" },
    { "https://registry-1.docker.io", "library/nginx", "docker.io/nginx" },
    { "https://registry-1.docker.io", "nginx", "docker.io/nginx" },
    { "https://registry-1.docker.io", "alpine", "docker.io/library/" },
    { "https://docker.io", "library/alpine", "docker.io/library/" },
    { "https://registry-1.docker.io", "eos/x", "index.docker.io/eos/x" },
    { "https://registry-1.docker.io", "eos/y", NULL },
    { "https://upper.example", "a", "Upper.Example:443/a" },
};

static void longest_rule_counts(void **state)
{
    const struct find_case *c = *state;
    struct arena *arena = arena_new();
    struct policy policy;
    struct error err;
    assert_true(parse(RULES, arena, &policy, &err));
    const struct policy_rule *rule = policy_find(&policy, c->name, c->repository);
    if (c->images) {
        assert_non_null(rule);
        assert_string_equal(rule->images, c->images);
    } else {
        assert_null(rule);
    }
    arena_free(arena);
}

static void a_star_is_for_the_rest(void **state)
{
    struct arena *arena = arena_new();
    struct policy policy;
    struct error err;
    (void)state;
    assert_true(parse("[{\"images\": \"*\", \"keys\": []}, {\"images\": \"h\", \"keys\": []}]",
                      arena, &policy, &err));
    assert_string_equal(policy_find(&policy, "https://h", "a")->images, "h");
    assert_string_equal(policy_find(&policy, "https://i", "a")->images, "*");
    assert_string_equal(policy_find(&policy, "no URL", "a")->images, "*");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_is_no_rules),
        cmocka_unit_test(rules_have_limits),
        cmocka_unit_test(a_star_is_for_the_rest),
    };
    return RUN_CASES(parse_cases, rules_are_read_or_explained) +
           RUN_CASES(find_cases, longest_rule_counts) + cmocka_run_group_tests(tests, NULL, NULL);
}
