#include "launcher/image_config.h"

#include "unit/test.h"

#include <string.h>

#define A64       "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define IDS(...)  "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[" __VA_ARGS__ "]}"
#define ONE       IDS("\"" A64 "\"")
#define RUN(rest) "{\"config\":{" rest "}," ONE "}"

static const struct config_case {
    const char *name, *json;
    const char *environment, *directory; /* variables joined with spaces; NULL: refused */
    enum error_code code;
    const char *message;
} cases[] = {
    { "nothing but layers", "{" ONE "}", "", "", 0, NULL },
    { "null config", "{\"config\":null," ONE "}", "", "", 0, NULL },
    { "null members", RUN("\"Env\":null,\"WorkingDir\":null"), "", "", 0, NULL },
    { "environment", RUN("\"Env\":[\"A=1\",\"B=\",\"C=x=y\"]"), "A=1 B= C=x=y", "", 0, NULL },
    { "variable without =", RUN("\"Env\":[\"A\",\"B=2\"]"), "B=2", "", 0, NULL },
    { "directory", RUN("\"WorkingDir\":\"/srv/app\""), "", "/srv/app", 0, NULL },
    { "relative directory", RUN("\"WorkingDir\":\"srv\""), "", "/srv", 0, NULL },
    { "directory going up", RUN("\"WorkingDir\":\"/a/../../../b/./c//d/\""), "", "/b/c/d", 0,
      NULL },
    { "directory out of root", RUN("\"WorkingDir\":\"../..\""), "", "/", 0, NULL },
    { "linux", "{\"os\":\"linux\"," ONE "}", "", "", 0, NULL },
    { "other system", "{\"os\":\"windows\"," ONE "}", NULL, NULL, ERROR_FAILED_PRECONDITION,
      "windows/" },
    { "other processor", "{\"os\":\"linux\",\"architecture\":\"s390x\"," ONE "}", NULL, NULL,
      ERROR_FAILED_PRECONDITION, "linux/s390x" },
    { "no layers told", "{}", NULL, NULL, ERROR_INVALID_ARGUMENT,
      "0 layers and the manifest of 1" },
    { "too many told", "{" IDS("\"" A64 "\",\"" A64 "\"") "}", NULL, NULL, ERROR_INVALID_ARGUMENT,
      "2 layers" },
    { "diff_id is a path", "{" IDS("\"../../etc\"") "}", NULL, NULL, ERROR_INVALID_ARGUMENT,
      "entry 1 of diff_ids" },
    { "diff_id is a number", "{" IDS("5") "}", NULL, NULL, ERROR_INVALID_ARGUMENT,
      "entry 1 of diff_ids" },
    { "variable is a number", RUN("\"Env\":[5]"), NULL, NULL, ERROR_INVALID_ARGUMENT, "no string" },
    { "variable has no name", RUN("\"Env\":[\"=x\"]"), NULL, NULL, ERROR_INVALID_ARGUMENT,
      "no name" },
    { "environment is text", RUN("\"Env\":\"A=1\""), NULL, NULL, ERROR_INVALID_ARGUMENT,
      "\"Env\" is not an array" },
    { "variable has a NUL", RUN("\"Env\":[\"A=\\u0000\"]"), NULL, NULL, ERROR_INVALID_ARGUMENT,
      "NUL" },
    { "not JSON", "{", NULL, NULL, ERROR_INVALID_ARGUMENT, "the config cannot be read" },
};

static void parses_or_explains(void **state)
{
    const struct config_case *c = *state;
    struct arena *arena = arena_new();
    struct image_config config = { .diff_id_count = 99 };
    struct error err = { 0 };

    bool ok = image_config_parse(slice_of(c->json), 1, arena, &config, &err);

    assert_int_equal(ok, c->environment != NULL);
    assert_int_equal(config.diff_id_count, ok ? 1 : 99);
    if (ok) {
        const char *joined = "";
        for (size_t i = 0; i < config.settings.environment_count; i++)
            joined =
                arena_printf(arena, "%s%s%s", joined, i ? " " : "", config.settings.environment[i]);
        assert_string_equal(joined, c->environment);
        assert_string_equal(config.settings.working_directory, c->directory);
        assert_string_equal(config.diff_ids[0], A64);
    } else {
        assert_int_equal(err.code, c->code);
        assert_non_null(strstr(err.message, c->message));
    }
    arena_free(arena);
}

int main(void)
{
    return RUN_CASES(cases, parses_or_explains);
}
