#include "launcher/image_path.h"

#include "unit/test.h"

#include <string.h>

#define X10  "xxxxxxxxxx"
#define X50  X10 X10 X10 X10 X10
#define X255 X50 X50 X50 X50 X50 "xxxxx"
#define D10  "d/d/d/d/d/d/d/d/d/d/"
#define D100 D10 D10 D10 D10 D10 D10 D10 D10 D10 D10

static const struct path_case {
    const char *name, *raw;
    const char *text; /* NULL: refused */
    const char *parent;
    const char *message;
} path_cases[] = {
    { "plain", "a/b", "a/b", "a", NULL },
    { "leading dot", "./a/b", "a/b", "a", NULL },
    { "directory", "a/b/", "a/b", "a", NULL },
    { "top", "a", "a", "", NULL },
    { "root", ".", "", "", NULL },
    { "root as directory", "./", "", "", NULL },
    { "dots in a name", "a/..b/c..", "a/..b/c..", "a/..b", NULL },
    { "longest component", X255, X255, "", NULL },
    { "deepest", D100 D10 D10 "d/d/d/d/d/d/d/d", D100 D10 D10 "d/d/d/d/d/d/d/d",
      D100 D10 D10 "d/d/d/d/d/d/d", NULL },
    { "empty", "", NULL, NULL, "empty" },
    { "absolute", "/etc/x", NULL, NULL, "absolute" },
    { "root as umoci has it", "/", "", "", NULL },
    { "two slashes", "//", NULL, NULL, "absolute" },
    { "hidden absolute", ".//etc", NULL, NULL, "empty component" },
    { "up", "../x", NULL, NULL, "\"..\"" },
    { "up behind dot", "./../x", NULL, NULL, "\"..\"" },
    { "up in the middle", "a/../../x", NULL, NULL, "\"..\"" },
    { "up at the end", "a/..", NULL, NULL, "\"..\"" },
    { "up as directory", "../", NULL, NULL, "\"..\"" },
    { "only up", "..", NULL, NULL, "\"..\"" },
    { "dot in the middle", "a/./b", NULL, NULL, "\".\"" },
    { "empty component", "a//b", NULL, NULL, "empty component" },
    { "two slashes at end", "a//", NULL, NULL, "empty component" },
    { "long component", X255 "x", NULL, NULL, "255 bytes" },
    { "too deep", D100 D10 D10 "d/d/d/d/d/d/d/d/d", NULL, NULL, "128 directories" },
};

static void parses_or_refuses(void **state)
{
    const struct path_case *c = *state;
    struct image_path path = { .text = "untouched" };
    struct error err = { 0 };

    bool ok = image_path_parse(slice_of(c->raw), &path, &err);

    assert_int_equal(ok, c->text != NULL);
    assert_string_equal(path.text, ok ? c->text : "untouched");
    if (ok)
        assert_true(slice_is(image_path_parent(&path), c->parent));
    else
        assert_non_null(strstr(err.message, c->message));
}

static void refuses_4096_bytes(void **state)
{
    (void)state;
    static char raw[IMAGE_MAX_PATH_BYTES + 2];
    for (size_t i = 0; i < sizeof raw; i++)
        raw[i] = i % 200 == 199 ? '/' : 'x';
    struct image_path path;
    struct error err = { 0 };
    assert_false(image_path_parse((struct slice){ raw, sizeof raw - 1 }, &path, &err));
    assert_non_null(strstr(err.message, "4095 bytes"));
    assert_true(image_path_parse((struct slice){ raw, sizeof raw - 2 }, &path, &err));
    raw[5] = 0;
    assert_false(image_path_parse((struct slice){ raw, 10 }, &path, &err));
    assert_non_null(strstr(err.message, "NUL"));
}

static const struct marker_case {
    const char *name, *path;
    bool is_regular;
    int marker; /* -1: refused */
    const char *text;
} marker_cases[] = {
    { "no marker", "a/b", true, IMAGE_MARKER_NONE, "a/b" },
    { "whiteout", "a/.wh.b", true, IMAGE_MARKER_WHITEOUT, "a/b" },
    { "whiteout on top", ".wh.b", true, IMAGE_MARKER_WHITEOUT, "b" },
    { "whiteout of dots", "a/.wh....", true, IMAGE_MARKER_WHITEOUT, "a/..." },
    { "whiteout of .b", "a/.wh..b", true, IMAGE_MARKER_WHITEOUT, "a/.b" },
    { "opaque", "a/b/.wh..wh..opq", true, IMAGE_MARKER_OPAQUE, "a/b" },
    { "opaque root", ".wh..wh..opq", true, IMAGE_MARKER_OPAQUE, "" },
    { "of aufs", ".wh..wh.aufs", true, IMAGE_MARKER_IGNORED, ".wh..wh.aufs" },
    { "directory of aufs", ".wh..wh.plnk", false, IMAGE_MARKER_IGNORED, ".wh..wh.plnk" },
    { "file of aufs", ".wh..wh.plnk/1.2", true, IMAGE_MARKER_IGNORED, ".wh..wh.plnk/1.2" },
    { "opaque of aufs", ".wh..wh.plnk/.wh..wh..opq", true, IMAGE_MARKER_IGNORED,
      ".wh..wh.plnk/.wh..wh..opq" },
    { "directory, no marker", "a/.wh.b", false, IMAGE_MARKER_NONE, "a/.wh.b" },
    { "prefix in the middle", "a/b.wh.c", true, IMAGE_MARKER_NONE, "a/b.wh.c" },
    { "root", ".", false, IMAGE_MARKER_NONE, "" },
    { "of nothing", "a/.wh.", true, -1, "a/.wh." },
    { "of dot", "a/.wh..", true, -1, "a/.wh.." },
    { "of dot dot", "a/.wh...", true, -1, "a/.wh..." },
};

static void takes_the_marker(void **state)
{
    const struct marker_case *c = *state;
    struct image_path path;
    struct error err = { 0 };
    enum image_marker marker = IMAGE_MARKER_NONE;
    assert_true(image_path_parse(slice_of(c->path), &path, &err));

    bool ok = image_path_take_marker(&path, c->is_regular, &marker, &err);

    assert_int_equal(ok, c->marker >= 0);
    assert_string_equal(path.text, c->text);
    if (ok)
        assert_int_equal(marker, c->marker);
    else
        assert_non_null(strstr(err.message, "no possible name"));
    assert_int_equal(path.len, strlen(path.text));
}

static const struct strip_case {
    const char *name, *path, *text; /* NULL: another prefix */
} strip_cases[] = {
    { "below", "rootfs/a/b", "a/b" },
    { "itself", "rootfs/", "" },
    { "another", "other/a", NULL },
    { "longer name", "rootfsx/a", NULL },
    { "root", ".", NULL },
};

static void strips_the_prefix(void **state)
{
    const struct strip_case *c = *state;
    struct image_path path;
    struct error err = { 0 };
    assert_true(image_path_parse(slice_of(c->path), &path, &err));
    assert_int_equal(image_path_strip(&path, "rootfs"), c->text != NULL);
    if (c->text) {
        assert_string_equal(path.text, c->text);
        assert_int_equal(path.len, strlen(c->text));
    }
}

static const struct show_case {
    const char *name, *text, *shown;
} show_cases[] = {
    { "plain", "a/b c", "a/b c" },
    { "terminal", "a\033[1mb\n\"", "a?[1mb??" },
    { "not ASCII", "\xc3\xa4", "??" },
    { "long", X50 X50, "..." X50 X10 X10 "xxxxxxx" },
};

static void shows_only_what_prints(void **state)
{
    const struct show_case *c = *state;
    char shown[IMAGE_SHOWN_BYTES];
    assert_string_equal(image_show(c->text, shown), c->shown);
}

int main(void)
{
    const struct CMUnitTest length[] = { cmocka_unit_test(refuses_4096_bytes) };
    return RUN_CASES(path_cases, parses_or_refuses) +
           cmocka_run_group_tests_name("length", length, NULL, NULL) +
           RUN_CASES(marker_cases, takes_the_marker) + RUN_CASES(strip_cases, strips_the_prefix) +
           RUN_CASES(show_cases, shows_only_what_prints);
}
