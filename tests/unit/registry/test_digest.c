#include "registry/digest.h"
#include "unit/test.h"

/* Of "foo", by sha256sum and sha512sum. */
#define FOO "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
#define FOO512                                                                                     \
    "sha512:"                                                                                      \
    "f7fbba6e0636f890e56fbbf3283e524c6fa3204ae298382d624741d0dc6638326e282c41be5e4254d88207"       \
    "72c5518a2c5a8c0c7f7eda19594a7eb539453e1ed7"

static void digest_is_computed(void **state)
{
    char digest[DIGEST_MAX_LEN];
    (void)state;
    digest_of("foo", 3, digest);
    assert_string_equal(digest, FOO);
    assert_true(digest_matches(SLICE(FOO), "foo", 3));
    assert_true(digest_matches(SLICE(FOO512), "foo", 3));
    assert_false(digest_matches(SLICE(FOO), "fop", 3));
    assert_false(digest_matches(SLICE(FOO512), "foo", 2));
}

static void stream_is_compared(void **state)
{
    char digest[DIGEST_MAX_LEN];
    (void)state;
    struct digest_stream *stream = digest_stream_new(SLICE(FOO));
    digest_stream_add(stream, "f", 1);
    digest_stream_add(stream, "oo", 2);
    assert_true(digest_stream_end(stream, digest));
    digest_stream_free(stream);
    stream = digest_stream_new(SLICE(FOO));
    digest_stream_add(stream, "bar", 3);
    assert_false(digest_stream_end(stream, digest));
    assert_string_not_equal(digest, FOO);
    digest_stream_free(stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest_is_computed),
        cmocka_unit_test(stream_is_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
