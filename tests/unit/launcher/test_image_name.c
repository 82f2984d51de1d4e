#include "launcher/image_name.h"

#include "launcher/image_config.h"
#include "unit/test.h"

#include <string.h>

#define HEX16 "0123456789abcdef"
#define HEX64 HEX16 HEX16 HEX16 HEX16
#define X10   "xxxxxxxxxx"
#define X50   X10 X10 X10 X10 X10

static const char *const insecure[] = { "registry.test:5000", "plain.test" };

static const struct docker_case {
    const char *name, *image, *tag;
    const char *base_url, *repository, *label; /* base_url NULL: refused */
    const char *message;
} docker_cases[] = {
    { "cluster's registry",   "eos/hello", "1.0",        "http://127.0.0.1:5000", "eos/hello", "eos/hello:1.0", NULL },
    { "default tag",          "hello",     "",           "http://127.0.0.1:5000", "hello", "hello:latest", NULL },
    { "digest",               "hello",     "sha256:" HEX64, "http://127.0.0.1:5000", "hello", "hello@sha256:0123456789ab", NULL },
    { "separators",           "x/a.b/c_d/e__f/g--h", "T_1.x-y", "http://127.0.0.1:5000", "x/a.b/c_d/e__f/g--h", "x/a.b/c_d/e__f/g--h:T_1.x-y", NULL },
    { "host with domain",     "quay.io/a/b", "1",        "https://quay.io", "a/b", "quay.io/a/b:1", NULL },
    { "host with port",       "reg:5000/a",  "1",        "https://reg:5000", "a", "reg:5000/a:1", NULL },
    { "localhost",            "localhost/a", "1",        "http://localhost", "a", "localhost/a:1", NULL },
    { "loopback with port",   "127.0.0.1:80/a", "1",     "http://127.0.0.1:80", "a", "127.0.0.1:80/a:1", NULL },
    { "all of loopback",      "127.9.9.9:1/a", "1",      "http://127.9.9.9:1", "a", "127.9.9.9:1/a:1", NULL },
    { "TLS on loopback",      "localhost:443/a", "1",    "https://localhost:443", "a", "localhost:443/a:1", NULL },
    { "looks like loopback",  "127.0.0.1.evil.test/a", "1", "https://127.0.0.1.evil.test", "a", "127.0.0.1.evil.test/a:1", NULL },
    { "short loopback",       "127.1/a",   "1",          "https://127.1", "a", "127.1/a:1", NULL },
    { "insecure host:port",   "registry.test:5000/a", "1", "http://registry.test:5000", "a", "registry.test:5000/a:1", NULL },
    { "other port is secure", "registry.test:5001/a", "1", "https://registry.test:5001", "a", "registry.test:5001/a:1", NULL },
    { "insecure host",        "plain.test:77/a", "1",    "http://plain.test:77", "a", "plain.test:77/a:1", NULL },
    { "Docker Hub, official", "docker.io/alpine", "3",   IMAGE_DEFAULT_REGISTRY, "library/alpine", "docker.io/alpine:3", NULL },
    { "Docker Hub",           "docker.io/u/x", "3",      IMAGE_DEFAULT_REGISTRY, "u/x", "docker.io/u/x:3", NULL },
    { "empty",                "",          "1",          NULL, NULL, NULL, "image name is empty" },
    { "too long",             X50 X50 X50 X50 X50 "xxxxxx", "1", NULL, NULL, NULL, "over 255 bytes" },
    { "upper case",           "eos/Hello", "1",          NULL, NULL, NULL, "byte 5" },
    { "tag in the name",      "hello:1",   "1",          NULL, NULL, NULL, "byte 6" },
    { "digest in the name",   "hello@sha256:" HEX64, "1", NULL, NULL, NULL, "byte 6" },
    { "going up",             "../hello",  "1",          NULL, NULL, NULL, "malformed registry" },
    { "going up later",       "a/../b",    "1",          NULL, NULL, NULL, "byte 3" },
    { "ends with separator",  "hello-",    "1",          NULL, NULL, NULL, "byte 6" },
    { "ends with slash",      "hello/",    "1",          NULL, NULL, NULL, "byte 6" },
    { "two dots",             "a..b",      "1",          NULL, NULL, NULL, "byte 3" },
    { "host alone",           "quay.io/",  "1",          NULL, NULL, NULL, "malformed" },
    { "port of letters",      "reg:x/a",   "1",          NULL, NULL, NULL, "malformed registry" },
    { "port 0",               "reg:0/a",   "1",          NULL, NULL, NULL, "malformed registry" },
    { "user in the host",     "u@reg.x/a", "1",          NULL, NULL, NULL, "malformed registry" },
    { "blank",                "a b",       "1",          NULL, NULL, NULL, "byte 2" },
    { "tag with slash",       "hello",     "a/b",        NULL, NULL, NULL, "image tag" },
    { "tag starts with dot",  "hello",     ".a",         NULL, NULL, NULL, "image tag" },
    { "short digest",         "hello",     "sha256:" HEX16, NULL, NULL, NULL, "image tag" },
    { "tag too long",         "hello",     X50 X50 X10 X10 "xxxxxxxxx", NULL, NULL, NULL, "at most 128" },
};

static void finds_the_registry(void **state)
{
    const struct docker_case *c = *state;
    struct image_store_options options = { .registry_url = "http://127.0.0.1:5000/",
                                           .insecure_registries = insecure,
                                           .insecure_registry_count = 2 };
    struct image_request request = { IMAGE_DOCKER, c->image, c->tag, NULL };
    struct arena *arena = arena_new();
    struct image_place place = { 0 };
    struct error err = { 0 };

    bool ok = image_place_find(&request, &options, arena, &place, &err);

    assert_int_equal(ok, c->base_url != NULL);
    if (ok) {
        assert_string_equal(place.base_url, c->base_url);
        assert_string_equal(place.repository, c->repository);
        assert_string_equal(place.reference, *c->tag ? c->tag : "latest");
        assert_string_equal(place.label, c->label);
    } else {
        assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
        assert_non_null(strstr(err.message, c->message));
    }
    arena_free(arena);
}

#define ID "sha512-" HEX64 HEX64

static const struct appc_case {
    const char *name, *image, *id, *prefix;
    const char *path, *url; /* "@" stands for the processor; both NULL: refused */
    const char *message;
} appc_cases[] = {
    { "directory",          "example.org/hello", ID, "/srv/aci/", "/srv/aci/example.org/hello-latest-linux-@.aci", NULL, NULL },
    { "no slash at end",    "hello", ID, "/srv/aci",              "/srv/aci/hello-latest-linux-@.aci", NULL, NULL },
    { "file URL",           "hello", "", "file:///srv/",          "/srv/hello-latest-linux-@.aci", NULL, NULL },
    { "http",               "hello", ID, "http://h:1/x/",         NULL, "http://h:1/x/hello-latest-linux-@.aci", NULL },
    { "name is the host",   "h.test/a", ID, "https://",           NULL, "https://h.test/a-latest-linux-@.aci", NULL },
    { "no prefix",          "hello", ID, NULL,                    NULL, NULL, "--appc-simple-discovery-uri-prefix" },
    { "relative prefix",    "hello", ID, "aci/",                  NULL, NULL, "neither an absolute directory" },
    { "other scheme",       "hello", ID, "ftp://h/",              NULL, NULL, "neither an absolute directory" },
    { "going up",           "a/../../etc/x", ID, "/srv/",         NULL, NULL, "byte 3" },
    { "absolute",           "/etc/x", ID, "/srv/",                NULL, NULL, "byte 1" },
    { "short id",           "hello", "sha512-ab", "/srv/",        NULL, NULL, "128 hexadecimal" },
    { "id is a path",       "hello", "../x", "/srv/",             NULL, NULL, "128 hexadecimal" },
};

static void discovers_simply(void **state)
{
    const struct appc_case *c = *state;
    struct image_store_options options = { .appc_simple_discovery_uri_prefix = c->prefix };
    struct image_request request = { IMAGE_APPC, c->image, NULL, c->id };
    struct arena *arena = arena_new();
    struct image_place place = { 0 };
    struct error err = { 0 };

    bool ok = image_place_find(&request, &options, arena, &place, &err);

    const char *expected = c->path ? c->path : c->url;
    assert_int_equal(ok, expected != NULL);
    if (ok) {
        const char *at = strchr(expected, '@');
        const char *found = c->path ? place.path : place.url;
        assert_string_equal(found, arena_printf(arena, "%.*s%s%s", (int)(at - expected), expected,
                                                image_appc_architecture, at + 1));
    } else {
        assert_non_null(strstr(err.message, c->message));
    }
    arena_free(arena);
}

int main(void)
{
    return RUN_CASES(docker_cases, finds_the_registry) + RUN_CASES(appc_cases, discovers_simply);
}
