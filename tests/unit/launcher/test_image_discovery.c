#include "launcher/image_discovery.h"

#include "launcher/image_config.h"
#include "unit/test.h"

#include <string.h>

static struct image_aci_name name_of(const char *text, struct arena *arena)
{
    struct image_aci_name name;
    struct error err = { 0 };
    assert_true(image_aci_name_parse(slice_of(text), arena, &name, &err));
    return name;
}

/* "@" stands for the processor. */
static const char *with_processor(const char *text, struct arena *arena)
{
    const char *result = "";
    for (struct slice rest = slice_of(text); rest.ptr;) {
        struct slice part = slice_split(&rest, '@');
        result = arena_printf(arena, "%s%.*s%s", result, SLICE_ARG(part),
                              rest.ptr ? image_appc_architecture : "");
    }
    return result;
}

static const struct simple_case {
    const char *name, *image, *prefix;
    const char *path, *url; /* both NULL: refused */
    const char *message;
} simple_cases[] = {
    { "directory", "example.org/hello", "/srv/aci/",
      "/srv/aci/example.org/hello-latest-linux-@.aci", NULL, NULL },
    { "no slash at end", "hello", "/srv/aci", "/srv/aci/hello-latest-linux-@.aci", NULL, NULL },
    { "file URL", "hello", "file:///srv/", "/srv/hello-latest-linux-@.aci", NULL, NULL },
    { "http", "hello", "http://h:1/x/", NULL, "http://h:1/x/hello-latest-linux-@.aci", NULL },
    { "name is the host", "h.test/a", "https://", NULL, "https://h.test/a-latest-linux-@.aci",
      NULL },
    { "labels", "hello:1.2+x,os=plan9,arch=pdp11", "/srv", "/srv/hello-1.2+x-plan9-pdp11.aci", NULL,
      NULL },
    { "labels in a URL", "hello:a/../b c", "http://h/", NULL,
      "http://h/hello-a%2F..%2Fb%20c-linux-@.aci", NULL },
    { "labels that would lead elsewhere", "hello:/../../x", "/srv", NULL, NULL, "has a '/'" },
    { "relative prefix", "hello", "aci/", NULL, NULL, "neither an absolute directory" },
    { "empty prefix", "hello", "", NULL, NULL, "neither an absolute directory" },
    { "other scheme", "hello", "ftp://h/", NULL, NULL, "neither an absolute directory" },
};

static void discovers_simply(void **state)
{
    const struct simple_case *c = *state;
    struct arena *arena = arena_new();
    struct image_aci_name name = name_of(c->image, arena);
    struct image_aci_place place = { 0 };
    struct error err = { 0 };

    bool ok = image_discovery_simple(&name, c->prefix, arena, &place, &err);

    assert_int_equal(ok, c->path || c->url);
    if (c->path)
        assert_string_equal(place.path, with_processor(c->path, arena));
    if (c->url)
        assert_string_equal(place.url, with_processor(c->url, arena));
    if (!ok)
        assert_non_null(strstr(err.message, c->message));
    arena_free(arena);
}

#define TAG(content)  "<meta name=\"ac-discovery\" content=\"" content "\">"
#define FULL(where)   TAG("example.org " where "/{name}-{version}-{os}-{arch}.{ext}")
#define IMAGE         "example.org/a/b:1"
#define RESULT(where) where "/example.org/a/b-1-linux-@.aci"

static const struct meta_case {
    const char *name, *html, *urls; /* separated by blanks */
    bool has_tags;
} meta_cases[] = {
    { "one", FULL("https://s.org"), RESULT("https://s.org"), true },
    { "in a page",
      "<!DOCTYPE html>\n<html><head><title>x</title><meta charset=utf-8>\n" FULL(
          "https://s.org") "</head><body>hello</body></html>",
      RESULT("https://s.org"), true },
    { "https goes first", FULL("http://p.org") FULL("https://s.org"),
      RESULT("https://s.org") " " RESULT("http://p.org"), true },
    { "other schemes", FULL("hdfs://s.org") FULL("file://") FULL("https://s.org"),
      RESULT("https://s.org"), true },
    { "most labels win", TAG("example.org https://few/{name}.{ext}") FULL("https://s.org"),
      RESULT("https://s.org"), true },
    { "whatever the order", FULL("https://s.org") TAG("example.org https://few/{name}.{ext}"),
      RESULT("https://s.org"), true },
    { "few labels", TAG("example.org https://few/{name}.{ext}"), "https://few/example.org/a/b.aci",
      true },
    { "unknown label", TAG("example.org https://s/{channel}/{name}.{ext}"), "", true },
    { "no extension", TAG("example.org https://s/{name}.aci"), "", true },
    { "open brace", TAG("example.org https://s/{name.{ext"), "", true },
    { "other prefix", TAG("example.com https://s/{name}.{ext}"), "", true },
    { "no template", TAG("example.org"), "", true },
    { "empty", TAG(""), "", true },
    { "path prefix", TAG("example.org/a\thttps://s/{name}.{ext}"), "https://s/example.org/a/b.aci",
      true },
    { "other quotes and cases",
      "<META CONTENT='example.org https://s/{name}.{ext}' Name=ac-discovery />",
      "https://s/example.org/a/b.aci", true },
    { "references", TAG("example.org https://s/?a=1&amp;n={name}&#38;e={ext}"),
      "https://s/?a=1&n=example.org/a/b&e=aci", true },
    { "reference of nothing", TAG("example.org https://s/?n={name}&e={ext}"),
      "https://s/?n=example.org/a/b&e=aci", true },
    { "comment", "<!-- " FULL("https://c.org") " -->" FULL("https://s.org"),
      RESULT("https://s.org"), true },
    { "comment without end", "<!-- " FULL("https://c.org"), "", false },
    { "script", "<script>\"" FULL("https://c.org") "\"</SCRIPT >", "", false },
    { "title", "<title>" FULL("https://c.org") "</title>", "", false },
    { "another tag's attribute", "<link title='" FULL("https://c.org") "'>", "", false },
    { "in the body", "<body>" FULL("https://c.org"), "", false },
    { "behind the head", "</head>" FULL("https://c.org"), "", false },
    { "other names", "<meta name=ac-discovery-pubkeys content='example.org https://k'>", "",
      false },
    { "no tags", "not found", "", false },
    { "cut off", "<meta name=\"ac-discovery\" content=\"example.org https://s/{name}", "", true },
    { "nothing", "", "", false },
};

static void reads_the_page(void **state)
{
    const struct meta_case *c = *state;
    struct arena *arena = arena_new();
    struct image_aci_name name = name_of(IMAGE, arena);
    struct image_discovery discovery;
    const char *joined = "";

    image_discovery_read(slice_of(c->html), &name, arena, &discovery);

    for (size_t i = 0; i < discovery.url_count; i++)
        joined = arena_printf(arena, "%s%s%s", joined, i ? " " : "", discovery.urls[i]);
    assert_string_equal(joined, with_processor(c->urls, arena));
    assert_int_equal(discovery.has_tags, c->has_tags);
    arena_free(arena);
}

static void labels_cannot_leave_their_place(void **state)
{
    struct arena *arena = arena_new();
    struct image_aci_name name = name_of("example.org/a:../?#x y", arena);
    struct image_discovery discovery;
    (void)state;

    image_discovery_read(SLICE(TAG("example.org https://s/{version}/{name}.{ext}")), &name, arena,
                         &discovery);
    assert_int_equal(discovery.url_count, 1);
    assert_string_equal(discovery.urls[0], "https://s/..%2F%3F%23x%20y/example.org/a.aci");
    arena_free(arena);
}

static void takes_so_many_tags(void **state)
{
    struct arena *arena = arena_new();
    struct image_aci_name name = name_of(IMAGE, arena);
    struct image_discovery discovery;
    const char *html = FULL("https://s.org");
    (void)state;

    for (int i = 0; i < 7; i++)
        html = arena_printf(arena, "%s%s", html, html);
    image_discovery_read(slice_of(html), &name, arena, &discovery);
    assert_int_equal(discovery.url_count, 64);
    arena_free(arena);
}

static void goes_up_to_the_host(void **state)
{
    struct slice at = SLICE("example.org/a/b");
    (void)state;
    assert_true(image_discovery_parent(&at));
    assert_true(slice_is(at, "example.org/a"));
    assert_true(image_discovery_parent(&at));
    assert_true(slice_is(at, "example.org"));
    assert_false(image_discovery_parent(&at));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_cannot_leave_their_place),
        cmocka_unit_test(takes_so_many_tags),
        cmocka_unit_test(goes_up_to_the_host),
    };
    return RUN_CASES(simple_cases, discovers_simply) + RUN_CASES(meta_cases, reads_the_page) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
