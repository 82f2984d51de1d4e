#include "launcher/image_aci.h"

#include "unit/test.h"

#include <string.h>

#define HEX16     "0123456789abcdef"
#define ID        "sha512-" HEX16 HEX16 HEX16 HEX16 HEX16 HEX16 HEX16 HEX16
#define HEAD      "\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"example.org/hello\""
#define ACI(rest) "{" HEAD rest "}"
#define VERSION(text)                                                                              \
    "{\"acKind\":\"ImageManifest\",\"acVersion\":\"" text "\",\"name\":\"example.org/hello\"}"
#define DEEP                                                                                       \
    "/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d" \
    "/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d"

static const struct aci_case {
    const char *name, *json;
    const char *environment, *directory; /* NULL: refused */
    enum error_code code;
    const char *message;
} cases[] = {
    { "least", ACI(""), "", "", 0, NULL },
    { "app",
      ACI(",\"app\":{\"exec\":[\"/bin/a\",\"b\"],\"user\":\"0\",\"group\":\"0\",\"environment\":[{"
          "\"name\":\"A\",\"value\":\"1 2\"},{\"name\":\"B.c-d_9\",\"value\":\"\"}],"
          "\"workingDirectory\":\"/srv/../opt\"}"),
      "A=1 2|B.c-d_9=", "/opt", 0, NULL },
    { "free labels",
      ACI(",\"labels\":[{\"name\":\"version\",\"value\":\"7\"},{\"name\":\"os\",\"value\":"
          "\"linux\"}]"),
      "", "", 0, NULL },
    { "no dependencies", ACI(",\"dependencies\":[],\"pathWhitelist\":null"), "", "", 0, NULL },
    { "later version", VERSION("0.9.0-dev+git"), "", "", 0, NULL },
    { "pod manifest", "{\"acKind\":\"PodManifest\",\"acVersion\":\"0.8.11\"}", NULL, NULL,
      ERROR_INVALID_ARGUMENT, "ImageManifest" },
    { "no version", "{\"acKind\":\"ImageManifest\",\"name\":\"example.org/hello\"}", NULL, NULL,
      ERROR_INVALID_ARGUMENT, "acVersion" },
    { "short version", VERSION("0.8"), NULL, NULL, ERROR_INVALID_ARGUMENT, "acVersion" },
    { "long version", VERSION("0.8.1.2"), NULL, NULL, ERROR_INVALID_ARGUMENT, "acVersion" },
    { "version of words", VERSION("a.b.c"), NULL, NULL, ERROR_INVALID_ARGUMENT, "acVersion" },
    { "impossible name",
      "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"evil\\u001b\"}", NULL,
      NULL, ERROR_INVALID_ARGUMENT, "its name: byte 5" },
    { "label twice",
      ACI(",\"labels\":[{\"name\":\"a\",\"value\":\"\"},{\"name\":\"a\",\"value\":\"\"}]"), NULL,
      NULL, ERROR_INVALID_ARGUMENT, "twice" },
    { "label \"name\"", ACI(",\"labels\":[{\"name\":\"name\",\"value\":\"x\"}]"), NULL, NULL,
      ERROR_INVALID_ARGUMENT, "called \"name\"" },
    { "label without a name", ACI(",\"labels\":[{\"value\":\"x\"}]"), NULL, NULL,
      ERROR_INVALID_ARGUMENT, "label's name" },
    { "label is text", ACI(",\"labels\":[\"os\"]"), NULL, NULL, ERROR_INVALID_ARGUMENT,
      "not an object" },
    { "labels are text", ACI(",\"labels\":\"os\""), NULL, NULL, ERROR_INVALID_ARGUMENT,
      "\"labels\"" },
    { "dependency is text", ACI(",\"dependencies\":[\"x\"]"), NULL, NULL, ERROR_INVALID_ARGUMENT,
      "dependency 1: it is not an object" },
    { "dependency without a name", ACI(",\"dependencies\":[{}]"), NULL, NULL,
      ERROR_INVALID_ARGUMENT, "dependency 1: its imageName" },
    { "dependency with a path as id",
      ACI(",\"dependencies\":[{\"imageName\":\"x\"},{\"imageName\":\"x\",\"imageID\":\"../x\"}]"),
      NULL, NULL, ERROR_INVALID_ARGUMENT, "dependency 2: its imageID" },
    { "dependency of negative size", ACI(",\"dependencies\":[{\"imageName\":\"x\",\"size\":-1}]"),
      NULL, NULL, ERROR_INVALID_ARGUMENT, "dependency 1: its size" },
    { "dependency with a bad label",
      ACI(",\"dependencies\":[{\"imageName\":\"x\",\"labels\":[{\"name\":\"A\"}]}]"), NULL, NULL,
      ERROR_INVALID_ARGUMENT, "dependency 1: a label's name" },
    { "relative white list", ACI(",\"pathWhitelist\":[\"/bin\",\"etc\"]"), NULL, NULL,
      ERROR_INVALID_ARGUMENT, "entry 2 of pathWhitelist" },
    { "numbers in a white list", ACI(",\"pathWhitelist\":[7]"), NULL, NULL, ERROR_INVALID_ARGUMENT,
      "entry 1 of pathWhitelist" },
    { "deep white list", ACI(",\"pathWhitelist\":[\"" DEEP DEEP DEEP "\"]"), NULL, NULL,
      ERROR_OUT_OF_RANGE, "directories deep" },
    { "relative directory", ACI(",\"app\":{\"workingDirectory\":\"srv\"}"), NULL, NULL,
      ERROR_INVALID_ARGUMENT, "absolute" },
    { "exec is text", ACI(",\"app\":{\"exec\":\"/bin/sh\"}"), NULL, NULL, ERROR_INVALID_ARGUMENT,
      "\"exec\"" },
    { "exec of numbers", ACI(",\"app\":{\"exec\":[\"a\",1]}"), NULL, NULL, ERROR_INVALID_ARGUMENT,
      "entry 2 of exec" },
    { "user is a number", ACI(",\"app\":{\"user\":0}"), NULL, NULL, ERROR_INVALID_ARGUMENT,
      "\"user\"" },
    { "= in a name", ACI(",\"app\":{\"environment\":[{\"name\":\"A=B\",\"value\":\"\"}]}"), NULL,
      NULL, ERROR_INVALID_ARGUMENT, "name of a variable" },
    { "variable, no name", ACI(",\"app\":{\"environment\":[{\"value\":\"x\"}]}"), NULL, NULL,
      ERROR_INVALID_ARGUMENT, "no name" },
    { "variable is text", ACI(",\"app\":{\"environment\":[\"A=1\"]}"), NULL, NULL,
      ERROR_INVALID_ARGUMENT, "no object" },
    { "not JSON", "manifest", NULL, NULL, ERROR_INVALID_ARGUMENT, "the image's manifest: " },
};

static void parses_or_explains(void **state)
{
    const struct aci_case *c = *state;
    struct arena *arena = arena_new();
    struct image_aci aci = { .label_count = 99 };
    struct error err = { 0 };

    bool ok = image_aci_parse(slice_of(c->json), arena, &aci, &err);

    assert_int_equal(ok, c->environment != NULL);
    if (ok) {
        const char *joined = "";
        for (size_t i = 0; i < aci.settings.environment_count; i++)
            joined =
                arena_printf(arena, "%s%s%s", joined, i ? "|" : "", aci.settings.environment[i]);
        assert_string_equal(joined, c->environment);
        assert_string_equal(aci.settings.working_directory, c->directory);
        assert_string_equal(aci.name, "example.org/hello");
    } else {
        assert_int_equal(aci.label_count, 99);
        assert_int_equal(err.code, c->code);
        assert_non_null(strstr(err.message, c->message));
    }
    arena_free(arena);
}

static void reads_what_is_beneath(void **state)
{
    struct arena *arena = arena_new();
    struct image_aci aci;
    struct error err = { 0 };
    (void)state;

    assert_true(image_aci_parse(
        SLICE(ACI(",\"dependencies\":[{\"imageName\":\"x.org/a\",\"imageID\":\"" ID "\",\"size\":7,"
                  "\"labels\":[{\"name\":\"version\",\"value\":\"2\"}]},{\"imageName\":\"b\"}],"
                  "\"pathWhitelist\":[\"/usr/bin/x/\",\"/\",\"/a//./b\",\"/usr/../etc/c\"]")),
        arena, &aci, &err));

    assert_int_equal(aci.dependency_count, 2);
    assert_string_equal(aci.dependencies[0].name.name, "x.org/a");
    assert_string_equal(aci.dependencies[0].id, ID);
    assert_int_equal(aci.dependencies[0].size_bytes, 7);
    assert_string_equal(aci.dependencies[0].name.labels[0].value, "2");
    assert_string_equal(aci.dependencies[1].id, "");
    assert_int_equal(aci.dependencies[1].size_bytes, 0);
    static const char *const paths[] = { "", "a/b", "etc/c", "usr/bin/x" };
    assert_int_equal(aci.whitelist_count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(aci.whitelist[i], paths[i]);
    arena_free(arena);
}

#define LABEL(name, value) "{\"name\":\"" name "\",\"value\":\"" value "\"}"

static const struct match_case {
    const char *name, *labels, *wanted;
    const char *message; /* NULL: it fits */
} match_cases[] = {
    { "no labels", "", "example.org/hello", NULL },
    { "this host", LABEL("os", "linux"), "example.org/hello", NULL },
    { "more than asked for", LABEL("version", "1") "," LABEL("channel", "x"), "example.org/hello:1",
      NULL },
    { "any version", LABEL("version", "1"), "example.org/hello", NULL },
    { "other name", "", "example.org/hullo", "calls itself \"example.org/hello\"" },
    { "other version", LABEL("version", "1"), "example.org/hello:2",
      "has version \"1\", and \"2\" was asked for" },
    { "no version", "", "example.org/hello:2", "has no label \"version\"" },
    { "other system", LABEL("os", "freebsd"), "example.org/hello", "os \"freebsd\"" },
    { "other processor", LABEL("arch", "i386"), "example.org/hello", "arch \"i386\"" },
    { "other system that was asked for", LABEL("os", "freebsd"), "example.org/hello,os=freebsd",
      "this host has \"linux\"" },
    { "hostile value", LABEL("version", "\\u001b\\\""), "example.org/hello:2",
      "has version \"??\"" },
};

static void matches_or_tells(void **state)
{
    const struct match_case *c = *state;
    struct arena *arena = arena_new();
    struct image_aci aci;
    struct image_aci_name wanted;
    struct error err = { 0 };
    const char *json = arena_printf(arena, "{" HEAD ",\"labels\":[%s]}", c->labels);

    assert_true(image_aci_parse(slice_of(json), arena, &aci, &err));
    assert_true(image_aci_name_parse(slice_of(c->wanted), arena, &wanted, &err));
    assert_int_equal(image_aci_match(&aci, &wanted, &err), !c->message);
    if (c->message) {
        assert_int_equal(err.code, ERROR_FAILED_PRECONDITION);
        assert_non_null(strstr(err.message, c->message));
    }
    arena_free(arena);
}

static const struct permit_case {
    const char *name, *path;
    bool is_permitted;
} permit_cases[] = {
    { "root", "", true },
    { "listed", "usr/bin/x", true },
    { "on the way", "usr/bin", true },
    { "at the begin of the way", "usr", true },
    { "listed directory", "srv", true },
    { "in a listed directory", "srv/f", false },
    { "beside", "usr/bin/y", false },
    { "begins like one", "usr/bin/xx", false },
    { "is the begin of one", "usr/bin/", false },
    { "sorts between", "srv-1", false },
    { "before all", "a", false },
    { "behind all", "z", false },
};

static void permits_what_is_listed(void **state)
{
    const struct permit_case *c = *state;
    struct arena *arena = arena_new();
    struct image_aci aci;
    struct error err = { 0 };

    assert_true(image_aci_parse(SLICE(ACI(",\"pathWhitelist\":[\"/usr/bin/x\",\"/srv\",\"/srv!\","
                                          "\"/srv0/z\"]")),
                                arena, &aci, &err));
    assert_int_equal(image_aci_permits(&aci, c->path), c->is_permitted);
    assert_true(image_aci_parse(SLICE(ACI("")), arena, &aci, &err));
    assert_true(image_aci_permits(&aci, c->path));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(reads_what_is_beneath) };
    return RUN_CASES(cases, parses_or_explains) + RUN_CASES(match_cases, matches_or_tells) +
           RUN_CASES(permit_cases, permits_what_is_listed) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
