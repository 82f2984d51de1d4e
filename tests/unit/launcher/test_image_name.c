#include "launcher/image_name.h"

#include "unit/test.h"

#include <string.h>

#define HEX16 "0123456789abcdef"
#define HEX64 HEX16 HEX16 HEX16 HEX16
#define X10   "xxxxxxxxxx"
#define X50   X10 X10 X10 X10 X10
#define X250  X50 X50 X50 X50 X50

static const struct docker_case {
    const char *name, *image, *tag;
    const char *host, *repository, *version; /* host NULL: refused */
} docker_cases[] = {
    { "plain", "eos/hello", "1.0", "", "eos/hello", "1.0" },
    { "default tag", "hello", "", "", "hello", "latest" },
    { "tag is NULL", "hello", NULL, "", "hello", "latest" },
    { "digest", "hello", "sha256:" HEX64, "", "hello", "sha256:" HEX64 },
    { "registry", "quay.io/a/b", "1", "quay.io", "a/b", "1" },
    { "registry with port", "reg:5000/a", "1", "reg:5000", "a", "1" },
    { "port and digest", "127.0.0.1:80/a", "sha256:" HEX64, "127.0.0.1:80", "a", "sha256:" HEX64 },
    { "empty", "", "1", NULL, NULL, NULL },
    { "NULL", NULL, "1", NULL, NULL, NULL },
    { "upper case", "eos/Hello", "1", NULL, NULL, NULL },
    { "second tag", "hello:1", "1", NULL, NULL, NULL },
    { "going up", "a/../b", "1", NULL, NULL, NULL },
    { "ends with slash", "hello/", "1", NULL, NULL, NULL },
    { "tag with slash", "hello", "a/b", NULL, NULL, NULL },
    { "short digest", "hello", "sha256:" HEX16, NULL, NULL, NULL },
    { "too long", X250 X250 X50, "1", NULL, NULL, NULL },
    { "tag too long", "hello", X250 X10, NULL, NULL, NULL },
};

static void reads_the_reference(void **state)
{
    const struct docker_case *c = *state;
    struct image_request request = { IMAGE_DOCKER, c->image, c->tag, NULL, false };
    struct arena *arena = arena_new();
    struct image_reference reference = { 0 };
    struct error err = { 0 };

    bool ok = image_reference_of(&request, arena, &reference, &err);

    assert_int_equal(ok, c->host != NULL);
    if (ok) {
        assert_string_equal(reference.host, c->host);
        assert_string_equal(reference.repository, c->repository);
        assert_string_equal(reference_version(&reference), c->version);
    } else {
        assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
        assert_non_null(strstr(err.message, "image name"));
    }
    arena_free(arena);
}

#define ID "sha512-" HEX64 HEX64

static const struct appc_case {
    const char *name, *image, *id;
    const char *message; /* NULL: accepted */
} appc_cases[] = {
    { "name and id", "example.org/hello", ID, NULL },
    { "name", "hello", "", NULL },
    { "id is NULL", "hello", NULL, NULL },
    { "version", "hello:1.0", NULL, NULL },
    { "empty", "", ID, "1 to 255" },
    { "NULL", NULL, ID, "1 to 255" },
    { "going up", "a/../../etc/x", ID, "byte 3" },
    { "short id", "hello", "sha512-ab", "128 hexadecimal" },
    { "id is a path", "hello", "../x", "128 hexadecimal" },
};

static void reads_the_appc_name(void **state)
{
    const struct appc_case *c = *state;
    struct image_request request = { IMAGE_APPC, c->image, NULL, c->id, false };
    struct arena *arena = arena_new();
    struct image_aci_name name = { 0 };
    struct error err = { 0 };

    assert_int_equal(image_aci_name_of(&request, arena, &name, &err), !c->message);
    if (c->message) {
        assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
        assert_non_null(strstr(err.message, c->message));
    }
    arena_free(arena);
}

#define OWN "https://reg.test:5000"

static const struct local_case {
    const char *name, *reference, *registry, *local;
} local_cases[] = {
    { "plain", "eos/hello:1.0", OWN, "eos/hello:1.0" },
    { "default tag", "hello", OWN, "hello:latest" },
    { "the cluster's registry by its name", "reg.test:5000/eos/hello:1.0", OWN, "eos/hello:1.0" },
    { "with a slash behind it", "reg.test:5000/eos/hello:1.0", OWN "/", "eos/hello:1.0" },
    { "another port", "reg.test/eos/hello:1.0", OWN, "reg.test/eos/hello:1.0" },
    { "another registry", "quay.io/a/b:1", OWN, "quay.io/a/b:1" },
    { "digest", "quay.io/a/b:1@sha256:" HEX64, OWN, "quay.io/a/b@sha256:" HEX64 },
    { "Docker's without a cluster's", "docker.io/library/hello:1", NULL, "hello:1" },
    { "its other host", "index.docker.io/a/b:1", NULL, "a/b:1" },
    { "as the cluster's", "docker.io/library/hello:1", "https://registry-1.docker.io", "hello:1" },
    { "Docker's beside the cluster's", "docker.io/library/hello:1", OWN,
      "docker.io/library/hello:1" },
    { "library of the cluster's", "library/hello:1", OWN, "library/hello:1" },
};

static void names_locally(void **state)
{
    const struct local_case *c = *state;
    struct arena *arena = arena_new();
    struct image_reference reference;
    struct error err = { 0 };
    assert_true(reference_parse(slice_of(c->reference), arena, &reference, &err));
    assert_string_equal(image_local_name(&reference, c->registry, arena), c->local);
    arena_free(arena);
}

int main(void)
{
    return RUN_CASES(local_cases, names_locally) + RUN_CASES(docker_cases, reads_the_reference) +
           RUN_CASES(appc_cases, reads_the_appc_name);
}
