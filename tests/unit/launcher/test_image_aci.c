#include "launcher/image_aci.h"

#include "unit/test.h"

#include <string.h>

#define HEAD      "\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"example.org/hello\""
#define ACI(rest) "{" HEAD rest "}"

static const struct aci_case {
    const char *name, *json;
    const char *environment, *directory; /* NULL: refused */
    enum error_code code;
    const char *message;
} cases[] = {
    { "least", ACI(""), "", "", 0, NULL },
    { "app",
      ACI(",\"app\":{\"environment\":[{\"name\":\"A\",\"value\":\"1 "
          "2\"},{\"name\":\"B\",\"value\":\"\"}],\"workingDirectory\":\"/srv/../opt\"}"),
      "A=1 2|B=", "/opt", 0, NULL },
    { "free labels",
      ACI(",\"labels\":[{\"name\":\"version\",\"value\":\"7\"},{\"name\":\"os\",\"value\":"
          "\"linux\"}]"),
      "", "", 0, NULL },
    { "no dependencies", ACI(",\"dependencies\":[],\"pathWhitelist\":null"), "", "", 0, NULL },
    { "pod manifest", "{\"acKind\":\"PodManifest\",\"acVersion\":\"1\"}", NULL, NULL,
      ERROR_INVALID_ARGUMENT, "ImageManifest" },
    { "no version", "{\"acKind\":\"ImageManifest\",\"name\":\"example.org/hello\"}", NULL, NULL,
      ERROR_INVALID_ARGUMENT, "acVersion" },
    { "other name", "{\"acKind\":\"ImageManifest\",\"acVersion\":\"1\",\"name\":\"evil\\u001b\"}",
      NULL, NULL, ERROR_FAILED_PRECONDITION, "calls itself \"evil?\"" },
    { "other system", ACI(",\"labels\":[{\"name\":\"os\",\"value\":\"freebsd\"}]"), NULL, NULL,
      ERROR_FAILED_PRECONDITION, "os \"freebsd\"" },
    { "other processor", ACI(",\"labels\":[{\"name\":\"arch\",\"value\":\"i386\"}]"), NULL, NULL,
      ERROR_FAILED_PRECONDITION, "arch \"i386\"" },
    { "label twice",
      ACI(",\"labels\":[{\"name\":\"a\",\"value\":\"\"},{\"name\":\"a\",\"value\":\"\"}]"), NULL,
      NULL, ERROR_INVALID_ARGUMENT, "twice" },
    { "label \"name\"", ACI(",\"labels\":[{\"name\":\"name\",\"value\":\"x\"}]"), NULL, NULL,
      ERROR_INVALID_ARGUMENT, "no permitted name" },
    { "label is text", ACI(",\"labels\":[\"os\"]"), NULL, NULL, ERROR_INVALID_ARGUMENT,
      "not an object" },
    { "dependencies", ACI(",\"dependencies\":[{\"imageName\":\"x\"}]"), NULL, NULL,
      ERROR_UNIMPLEMENTED, "dependencies are not supported" },
    { "white list", ACI(",\"pathWhitelist\":[\"/bin\"]"), NULL, NULL, ERROR_UNIMPLEMENTED,
      "pathWhitelist is not supported" },
    { "relative directory", ACI(",\"app\":{\"workingDirectory\":\"srv\"}"), NULL, NULL,
      ERROR_INVALID_ARGUMENT, "absolute" },
    { "= in a name", ACI(",\"app\":{\"environment\":[{\"name\":\"A=B\",\"value\":\"\"}]}"), NULL,
      NULL, ERROR_INVALID_ARGUMENT, "'='" },
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
    struct image_settings settings = { .environment_count = 99 };
    struct error err = { 0 };

    bool ok = image_aci_parse(slice_of(c->json), "example.org/hello", arena, &settings, &err);

    assert_int_equal(ok, c->environment != NULL);
    if (ok) {
        const char *joined = "";
        for (size_t i = 0; i < settings.environment_count; i++)
            joined = arena_printf(arena, "%s%s%s", joined, i ? "|" : "", settings.environment[i]);
        assert_string_equal(joined, c->environment);
        assert_string_equal(settings.working_directory, c->directory);
    } else {
        assert_int_equal(settings.environment_count, 99);
        assert_int_equal(err.code, c->code);
        assert_non_null(strstr(err.message, c->message));
    }
    arena_free(arena);
}

int main(void)
{
    return RUN_CASES(cases, parses_or_explains);
}
