#include "binder/image.h"
#include "unit/test.h"

#define DIGEST "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"

static const char *const insecure_items[] = { "plain.example" };
static const struct insecure_hosts insecure = { insecure_items, 1 };
static struct error unknown = { .code = ERROR_NOT_FOUND, .message = "Unknown cluster: x" };

static const struct image_case {
    const char *name; /* the reference */
    const char *registry_url;
    const char *base_url, *repository, *version, *resolved;
    const char *message; /* of the error; NULL: none */
} cases[] = {
    { "{{docker.image[a/b][1]}}", "http://h.x:5000", "http://h.x:5000", "a/b", "1",
      "h.x:5000/a/b@" DIGEST, NULL },
    { "{{docker.image[a/b][1]}}", "http://h.x:5000/", "http://h.x:5000", "a/b", "1",
      "h.x:5000/a/b@" DIGEST, NULL },
    { "{{docker.image[a/b][1]}}", REGISTRY_DEFAULT_URL, REGISTRY_DEFAULT_URL, "a/b", "1",
      "a/b@" DIGEST, NULL },
    /* Aurora does not add what an official image needs. */
    { "{{docker.image[a][1]}}", REGISTRY_DEFAULT_URL, REGISTRY_DEFAULT_URL, "a", "1", "a@" DIGEST,
      NULL },
    { "a:1", REGISTRY_DEFAULT_URL, REGISTRY_DEFAULT_URL, "library/a", "1", "a@" DIGEST, NULL },
    { "a", "https://h.x", "https://h.x", "a", "latest", "h.x/a@" DIGEST, NULL },
    { "a@" DIGEST, "https://h.x", "https://h.x", "a", DIGEST, "h.x/a@" DIGEST, NULL },
    { "i.y/a:1", "https://h.x", "https://i.y", "a", "1", "i.y/a@" DIGEST, NULL },
    { "i.y/a:1", NULL, "https://i.y", "a", "1", "i.y/a@" DIGEST, NULL },
    { "plain.example/a:1", "https://h.x", "http://plain.example", "a", "1",
      "plain.example/a@" DIGEST, NULL },
    { "docker.io/a:1", "https://h.x", REGISTRY_DEFAULT_URL, "library/a", "1", "docker.io/a@" DIGEST,
      NULL },

    { "a:1", NULL, "", "", "", "", "Unknown cluster: x" },
    { "{{docker.image[a][1]}}", NULL, "", "", "", "", "Unknown cluster: x" },
    { "{{docker.image[A][1]}}", "https://h.x", "", "", "", "",
      "image \"{{docker.image[A][1]}}\": in its name: byte 1 is not" },
    { "{{docker.image[a][.1]}}", "https://h.x", "", "", "", "", "in its tag: byte 1 is not" },
    { "{{docker.image[a]}}", "https://h.x", "", "", "", "",
      "image \"{{docker.image[a]}}\": expected {{docker.image[NAME][TAG]}}" },
    { "a:\x01", "https://h.x", "", "", "", "", "an image reference: byte 3" },
};

static void reference_is_understood(void **state)
{
    const struct image_case *c = *state;
    struct arena *arena = arena_new();
    struct image_context context = { c->registry_url, &unknown, &insecure, NULL, NULL };
    struct image image = { .reference = "untouched" };
    struct error err = { 0 };

    bool ok = image_parse(&context, slice_of(c->name), arena, &image, &err);

    assert_int_equal(ok, c->message == NULL);
    if (ok) {
        image.finding.digest = DIGEST;
        assert_string_equal(image.reference, c->name);
        assert_string_equal(image.base_url, c->base_url);
        assert_string_equal(image.repository, c->repository);
        assert_string_equal(image.version, c->version);
        assert_string_equal(image_resolved(&image, arena), c->resolved);
    } else {
        assert_non_null(strstr(err.message, c->message));
        assert_string_equal(image.reference, "untouched");
    }
    arena_free(arena);
}

static const struct engine_case {
    const char *name, *base_url, *repository, *resolved;
} engine_cases[] = {
    { "alpine:3", REGISTRY_DEFAULT_URL, "library/alpine", "alpine@" DIGEST },
    { "a/b:3", REGISTRY_DEFAULT_URL, "a/b", "a/b@" DIGEST },
    { "h.x/a:3", "http://h.x", "a", "h.x/a@" DIGEST },
    { "i.y/a:3", "https://i.y", "a", "i.y/a@" DIGEST },
};

static void engine_has_a_registry_of_its_own(void **state)
{
    const struct engine_case *c = *state;
    struct arena *arena = arena_new();
    struct image_context context = { "http://h.x", &unknown, &insecure, NULL, NULL };
    struct image image;
    struct error err;

    assert_true(image_from_engine_reference(&context, slice_of(c->name), arena, &image, &err));
    image.finding.digest = DIGEST;
    assert_string_equal(image.base_url, c->base_url);
    assert_string_equal(image.repository, c->repository);
    assert_string_equal(image_resolved(&image, arena), c->resolved);
    arena_free(arena);
}

int main(void)
{
    return RUN_CASES(cases, reference_is_understood) +
           RUN_CASES(engine_cases, engine_has_a_registry_of_its_own);
}
