#include "registry/reference.h"
#include "unit/test.h"

#define HEX  "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
#define R16  "aaaaaaaaaaaaaaaa"
#define R64  R16 R16 R16 R16
#define R255 R64 R64 R64 R16 R16 R16 "aaaaaaaaaaaaaaa"
#define R128 R64 R64

static const struct reference_case {
    const char *name; /* the reference itself */
    const char *host, *repository, *tag, *digest;
    const char *message; /* of the error; NULL: none */
} cases[] = {
    { "alpine", "", "alpine", "", "", NULL },
    { "alpine:3.18", "", "alpine", "3.18", "", NULL },
    { "some/name:some.tag", "", "some/name", "some.tag", "", NULL },
    { "a/b/c/d", "", "a/b/c/d", "", "", NULL },
    { "localhost/a", "localhost", "a", "", "", NULL },
    { "localhost", "", "localhost", "", "", NULL },
    { "localhost:5000", "", "localhost", "5000", "", NULL },
    { "localhost:5000/a:1", "localhost:5000", "a", "1", "", NULL },
    { "example.org/a/b:1", "example.org", "a/b", "1", "", NULL },
    { "example.org:443/a", "example.org:443", "a", "", "", NULL },
    { "Example.ORG/a", "Example.ORG", "a", "", "", NULL },
    { "127.0.0.1:5000/eos/hello:1.0", "127.0.0.1:5000", "eos/hello", "1.0", "", NULL },
    { "[::1]:5000/a", "[::1]:5000", "a", "", "", NULL },
    { "[2001:db8::1]/a:1", "[2001:db8::1]", "a", "1", "", NULL },
    { "a@sha256:" HEX, "", "a", "", "sha256:" HEX, NULL },
    { "a:1@sha256:" HEX, "", "a", "1", "sha256:" HEX, NULL },
    { "h-1.x_y.z/a", "h-1.x_y.z", "a", "", "", NULL },
    { "h.x/a:1@sha256:" HEX, "h.x", "a", "1", "sha256:" HEX, NULL },
    { "a@sha512:" HEX HEX, "", "a", "", "sha512:" HEX HEX, NULL },
    { "a__b/c--d/e.f/g_h", "", "a__b/c--d/e.f/g_h", "", "", NULL },
    { "a:_tag", "", "a", "_tag", "", NULL },
    { R255, "", R255, "", "", NULL },
    { "a:" R128, "", "a", R128, "", NULL },

    { "", "", "", "", "", "an image reference is empty" },
    { R255 "a", "", "", "", "", "over 255 bytes" },
    { "a:" R128 "a", "", "", "", "", "the tag is over 128 bytes" },
    { "Alpine", "", "", "", "", "byte 1 is not a lower-case letter or a digit" },
    { "aLpine", "", "", "", "", "byte 2 is not one of a-z" },
    { "a b", "", "", "", "", "byte 2 is not one of a-z" },
    { "/a", "", "", "", "", "byte 1 is not" },
    { "a/", "", "", "", "", "byte 2: a lower-case letter or a digit must end" },
    { "a//b", "", "", "", "", "byte 3 is not a lower-case letter" },
    { "a/-b", "", "", "", "", "byte 3 is not a lower-case letter" },
    { "a-", "", "", "", "", "byte 2: a lower-case letter or a digit must end" },
    { "a___b", "", "", "", "", "byte 4 is not a lower-case letter" },
    { "a..b", "", "", "", "", "byte 3 is not a lower-case letter" },
    { "a._b", "", "", "", "", "byte 3 is not a lower-case letter" },
    { "a:", "", "", "", "", "byte 3: a tag is missing" },
    { "a:.b", "", "", "", "", "byte 3 is not one of A-Z" },
    { "a:b c", "", "", "", "", "byte 4 is not one of A-Z" },
    { "h.x/a:b/c", "", "", "", "", "byte 6 is not one of a-z" },
    { "h.x:99999/a", "", "", "", "", "byte 5: a port must be a number" },
    { "h.x:/a", "", "", "", "", "byte 5: a port must be a number" },
    { "h.x:0/a", "", "", "", "", "byte 5: a port must be a number" },
    { "h.x:0443/a", "", "", "", "", "byte 5: a port must be a number" },
    { "h.x?/a", "", "", "", "", "byte 4 is not one of a host's name" },
    { ".x@y/a", "", "", "", "", "byte 1 is not" },
    { "h.x/", "", "", "", "", "byte 5: a repository name is missing" },
    { "[::1/a.b", "", "", "", "", "byte" },
    { "h..x/a", "", "", "", "", "byte 3 is not a letter or a digit of a host's name but '.'" },
    { "-h.x/a", "", "", "", "", "byte 1 is not a letter or a digit" },
    { "h-.x/a", "", "", "", "", "byte 2 is not a letter or a digit" },
    { "h.x-:1/a", "", "", "", "", "byte 4 is not a letter or a digit" },
    { "https://h.x/a", "", "", "", "", "begins with a host or a name, not with \"https://\"" },
    { "docker://h.x/a", "", "", "", "", "byte 1: " },
    { "aL", "", "", "", "", "of a repository name but 'L'" },
    { "a@", "", "", "", "", "byte 3: a digest must start with" },
    { "h.x/a@md5:123", "", "", "", "", "byte 7: a digest must start with" },
    { "a@sha256:12", "", "", "", "", "byte 12: a digest has 64 hexadecimal digits" },
    { "a@sha256:" HEX "0", "", "", "", "", "byte 74: a digest has 64 hexadecimal digits" },
    { "a@sha256:2C26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae", "", "", "", "",
      "byte 11 is not a lower-case hexadecimal digit of a digest" },
    { "a@sha256:" HEX "@sha256:" HEX, "", "", "", "", "byte 74 is a second '@'" },
    { "\xff", "", "", "", "", "byte 1 is not" },
};

static void parses_or_points_at_it(void **state)
{
    const struct reference_case *c = *state;
    struct arena *arena = arena_new();
    struct image_reference reference = { .host = "untouched" };
    struct error err = { 0 };

    bool ok = reference_parse(slice_of(c->name), arena, &reference, &err);

    assert_int_equal(ok, c->message == NULL);
    if (ok) {
        assert_string_equal(reference.host, c->host);
        assert_string_equal(reference.repository, c->repository);
        assert_string_equal(reference.tag, c->tag);
        assert_string_equal(reference.digest, c->digest);
        assert_string_equal(reference_format(&reference, arena), c->name);
    } else {
        assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
        assert_non_null(strstr(err.message, c->message));
        assert_string_equal(reference.host, "untouched");
    }
    arena_free(arena);
}

static void version_is_digest_then_tag(void **state)
{
    struct image_reference reference = { "", "a", "", "" };
    (void)state;
    assert_string_equal(reference_version(&reference), "latest");
    reference.tag = "1";
    assert_string_equal(reference_version(&reference), "1");
    reference.digest = "sha256:" HEX;
    assert_string_equal(reference_version(&reference), "sha256:" HEX);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(version_is_digest_then_tag) };
    return RUN_CASES(cases, parses_or_points_at_it) + cmocka_run_group_tests(tests, NULL, NULL);
}
