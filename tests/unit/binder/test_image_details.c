#include "binder/image_details.h"
#include "unit/test.h"

#include "base/text.h"

static const struct platform_case {
    const char *name;
    const char *os, *architecture, *variant; /* NULL: wrong */
} platforms[] = {
    { "linux/amd64", "linux", "amd64", "" },
    { "linux/arm/v7", "linux", "arm", "v7" },
    { "", NULL, NULL, NULL },
    { "linux", NULL, NULL, NULL },
    { "linux/", NULL, NULL, NULL },
    { "/amd64", NULL, NULL, NULL },
    { "linux/arm/v7/x", NULL, NULL, NULL },
    { "linux/arm/", NULL, NULL, NULL },
    { "Linux/amd64", NULL, NULL, NULL },
    { "linux/amd 64", NULL, NULL, NULL },
};

static void platform_is_understood_or_not(void **state)
{
    const struct platform_case *c = *state;
    struct arena *arena = arena_new();
    struct platform platform = { "untouched", NULL, NULL };
    struct error err = { 0 };
    bool ok = platform_parse(slice_of(c->name), arena, &platform, &err);
    assert_int_equal(ok, c->os != NULL);
    if (ok) {
        assert_string_equal(platform.os, c->os);
        assert_string_equal(platform.architecture, c->architecture);
        assert_string_equal(platform.variant, c->variant);
    } else {
        assert_string_equal(platform.os, "untouched");
        assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
    }
    arena_free(arena);
}

static void a_nul_is_no_letter(void **state)
{
    struct arena *arena = arena_new();
    struct platform platform;
    struct error err;
    (void)state;
    assert_false(platform_parse(SLICE("l/\0"), arena, &platform, &err));
    assert_false(platform_parse(SLICE("linux\0/amd64"), arena, &platform, &err));
    arena_free(arena);
}

static void config_is_complete(void **state)
{
    static const char text[] =
        "{\"created\":\"2024-01-02T03:04:05Z\",\"author\":\"me\",\"os\":\"linux\","
        "\"architecture\":\"arm\",\"variant\":\"v7\",\"config\":{\"User\":\"www\","
        "\"WorkingDir\":\"/srv\",\"Entrypoint\":[\"/bin/x\",\"-v\"],\"Cmd\":[\"go\"],"
        "\"Env\":[\"PATH=/bin\",\"A=b\"],\"Labels\":{\"z\":\"1\",\"a\":\"2\"},"
        "\"ExposedPorts\":{\"80/tcp\":{}},\"Volumes\":{\"/data\":{}},\"StopSignal\":\"SIGINT\"}}";
    struct arena *arena = arena_new();
    Eos__Binder__V1__ImageConfig *config;
    struct error err;
    (void)state;
    assert_true(details_parse_config(slice_of(text), arena, &config, &err));
    assert_string_equal(config->created, "2024-01-02T03:04:05Z");
    assert_string_equal(config->author, "me");
    assert_string_equal(config->os, "linux");
    assert_string_equal(config->architecture, "arm");
    assert_string_equal(config->variant, "v7");
    assert_string_equal(config->user, "www");
    assert_string_equal(config->working_dir, "/srv");
    assert_string_equal(config->stop_signal, "SIGINT");
    assert_int_equal(config->n_entrypoint, 2);
    assert_string_equal(config->entrypoint[1], "-v");
    assert_int_equal(config->n_cmd, 1);
    assert_string_equal(config->env[0], "PATH=/bin");
    assert_int_equal(config->n_env, 2);
    assert_string_equal(config->labels[0]->name, "a");
    assert_string_equal(config->labels[1]->value, "1");
    assert_string_equal(config->exposed_ports[0], "80/tcp");
    assert_string_equal(config->volumes[0], "/data");
    arena_free(arena);
}

static const struct config_case {
    const char *name; /* the text */
    const char *message;
} configs[] = {
    { "{}", NULL },
    { "{\"config\":null}", NULL },
    { "{\"config\":{\"Cmd\":null,\"Labels\":null,\"User\":null,\"Volumes\":null}}", NULL },
    { "", "is no JSON object" },
    { "[", "is no JSON object" },
    { "[]", "not that of an image" },
    { "{\"config\":[]}", "not that of an image" },
    { "{\"os\":1}", "\"os\" of the image's configuration is no string" },
    { "{\"config\":{\"Env\":\"A=b\"}}", "\"Env\" of the image's configuration is no list" },
    { "{\"config\":{\"Env\":[1]}}", "\"Env\" of the image's configuration is no list of strings" },
    { "{\"config\":{\"Volumes\":[]}}", "\"Volumes\" of the image's configuration is no object" },
    { "{\"config\":{\"Labels\":[]}}", "\"Labels\" of the image's configuration is no object" },
    { "{\"config\":{\"Labels\":{\"a\":1}}}", "no object of strings" },
};

static void config_is_read_or_explained(void **state)
{
    const struct config_case *c = *state;
    struct arena *arena = arena_new();
    Eos__Binder__V1__ImageConfig *config = NULL;
    struct error err = { 0 };
    bool ok = details_parse_config(slice_of(c->name), arena, &config, &err);
    assert_int_equal(ok, c->message == NULL);
    if (ok) {
        assert_string_equal(config->user, "");
        assert_int_equal(config->n_env, 0);
    } else {
        assert_null(config);
        assert_int_equal(err.code, ERROR_FAILED_PRECONDITION);
        if (!strstr(err.message, c->message))
            fail_msg("\"%s\" lacks \"%s\"", err.message, c->message);
    }
    arena_free(arena);
}

static void lists_have_a_limit(void **state)
{
    struct arena *arena = arena_new();
    struct text text = TEXT_INIT;
    Eos__Binder__V1__ImageConfig *config;
    struct error err;
    (void)state;
    text_add(&text, "{\"config\":{\"Env\":[\"A\"");
    for (unsigned i = 0; i < IMAGE_CONFIG_MAX_ITEMS; i++)
        text_add(&text, ",\"A\"");
    text_add(&text, "]}}");
    assert_false(details_parse_config(text_slice(&text), arena, &config, &err));
    assert_non_null(strstr(err.message, "sensible length"));
    text_done(&text);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nul_is_no_letter),
        cmocka_unit_test(config_is_complete),
        cmocka_unit_test(lists_have_a_limit),
    };
    return RUN_CASES(platforms, platform_is_understood_or_not) +
           RUN_CASES(configs, config_is_read_or_explained) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
