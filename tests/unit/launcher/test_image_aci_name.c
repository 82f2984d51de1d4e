#include "launcher/image_aci_name.h"

#include "launcher/image_config.h"
#include "unit/test.h"

#include <string.h>

#define X10  "xxxxxxxxxx"
#define X50  X10 X10 X10 X10 X10
#define X250 X50 X50 X50 X50 X50

static const struct name_case {
    const char *name, *text;
    const char *formatted; /* NULL: refused */
    const char *message;
} cases[] = {
    { "name", "example.org/user~1/app_v1.2-x", "example.org/user~1/app_v1.2-x", NULL },
    { "two separators", "example.org/~user", NULL, "byte 13" },
    { "version", "hello:1.0", "hello,version=\"1.0\"", NULL },
    { "labels in any order", "hello:1,os=linux,channel=a=b",
      "hello,channel=\"a=b\",os=\"linux\",version=\"1\"", NULL },
    { "a value that ends like one", "hello,a=\",b=x", "hello,a=\"\\\"\",b=\"x\"", NULL },
    { "empty version", "hello:", "hello,version=\"\"", NULL },
    { "empty", "", NULL, "1 to 255" },
    { "too long", X250 X10, NULL, "1 to 255" },
    { "going up", "a/../../etc/x", NULL, "byte 3" },
    { "absolute", "/etc/x", NULL, "byte 1" },
    { "ends in a separator", "hello-", NULL, "byte 6" },
    { "upper case", "Hello", NULL, "byte 1" },
    { "no value", "hello,os", NULL, "name=value" },
    { "nothing after the comma", "hello,", NULL, "name=value" },
    { "no name of a label", "hello,=x", NULL, "a label's name" },
    { "version twice", "hello:1,version=2", NULL, "\"version\" is given twice" },
    { "label \"name\"", "hello,name=x", NULL, "called \"name\"" },
    { "long value",
      "hello,"
      "a=" X250 X250 X250 X250 X250,
      NULL, "over 1024 bytes" },
};

static void parses_or_explains(void **state)
{
    const struct name_case *c = *state;
    struct arena *arena = arena_new();
    struct image_aci_name name = { .label_count = 99 };
    struct error err = { 0 };

    bool ok = image_aci_name_parse(slice_of(c->text), arena, &name, &err);

    assert_int_equal(ok, c->formatted != NULL);
    if (ok) {
        struct image_aci_name copy = image_aci_name_copy(&name, arena);
        assert_string_equal(image_aci_name_format(&name, arena), c->formatted);
        assert_string_equal(image_aci_name_format(&copy, arena), c->formatted);
    } else {
        assert_int_equal(name.label_count, 99);
        assert_non_null(strstr(err.message, c->message));
        assert_non_null(strstr(err.message, "image name"));
    }
    arena_free(arena);
}

static void has_the_usual_values(void **state)
{
    struct arena *arena = arena_new();
    struct image_aci_name name;
    struct error err = { 0 };
    (void)state;

    assert_true(image_aci_name_parse(SLICE("hello:7,os=plan9,channel=x"), arena, &name, &err));
    assert_string_equal(image_aci_value(&name, SLICE("version")), "7");
    assert_string_equal(image_aci_value(&name, SLICE("os")), "plan9");
    assert_string_equal(image_aci_value(&name, SLICE("channel")), "x");
    assert_string_equal(image_aci_value(&name, SLICE("arch")), image_appc_architecture);
    assert_null(image_aci_value(&name, SLICE("other")));
    assert_true(image_aci_name_parse(SLICE("hello"), arena, &name, &err));
    assert_string_equal(image_aci_value(&name, SLICE("version")), "latest");
    assert_string_equal(image_aci_value(&name, SLICE("os")), "linux");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(has_the_usual_values) };
    return RUN_CASES(cases, parses_or_explains) + cmocka_run_group_tests(tests, NULL, NULL);
}
