#include "binder/cache.h"
#include "unit/test.h"

#include <stdio.h>

static const struct cache_limits limits = { .count = 3, .ttl_ms = 100, .negative_ttl_ms = 10 };
static const struct finding found = { "sha256:1", "type", "linux/amd64", "basic", "k", "id", 7, 8 };

static void answer_lives_for_its_time(void **state)
{
    struct cache *cache = cache_new(&limits);
    struct finding finding = { 0 };
    struct error err = { 0 };
    (void)state;
    assert_int_equal(cache_find(cache, "a", 0, &finding, &err), CACHE_MISS);
    cache_put(cache, "a", &found, 1000);
    assert_int_equal(cache_find(cache, "a", 1099, &finding, &err), CACHE_FOUND);
    assert_string_equal(finding.digest, "sha256:1");
    assert_string_equal(finding.media_type, "type");
    assert_string_equal(finding.platforms, "linux/amd64");
    assert_string_equal(finding.authentication, "basic");
    assert_int_equal(finding.size_bytes, 7);
    assert_int_equal(finding.found_at_ms, 8);
    assert_int_equal(cache_find(cache, "a", 1100, &finding, &err), CACHE_MISS);
    assert_int_equal(err.code, ERROR_OK);
    cache_free(cache);
}

static void last_answer_is_kept(void **state)
{
    struct cache *cache = cache_new(&limits);
    struct finding finding = { .digest = "untouched" };
    struct error absent = { .code = ERROR_NOT_FOUND, .message = "none" };
    (void)state;
    assert_false(cache_last(cache, "a", &finding));
    cache_put_error(cache, "b", &absent, 0);
    assert_false(cache_last(cache, "b", &finding));
    assert_string_equal(finding.digest, "untouched");
    cache_put(cache, "a", &found, -1000000);
    assert_true(cache_last(cache, "a", &finding));
    assert_string_equal(finding.digest, "sha256:1");
    cache_free(cache);
}

static void absence_lives_shorter(void **state)
{
    struct cache *cache = cache_new(&limits);
    struct finding finding = { .digest = "untouched" };
    struct error err = { 0 }, absent = { .code = ERROR_NOT_FOUND, .message = "none" };
    (void)state;
    cache_put(cache, "a", &found, 0);
    cache_put_error(cache, "a", &absent, 0);
    assert_int_equal(cache_find(cache, "a", 9, &finding, &err), CACHE_NOT_FOUND);
    assert_string_equal(err.message, "none");
    assert_int_equal(cache_find(cache, "a", 10, &finding, &err), CACHE_MISS);
    assert_string_equal(finding.digest, "untouched");
    cache_free(cache);
}

static void trouble_is_not_remembered(void **state)
{
    struct cache *cache = cache_new(&limits);
    struct finding finding;
    struct error err = { 0 }, down = { .code = ERROR_UNAVAILABLE, .message = "down" };
    (void)state;
    cache_put(cache, "a", &found, 0);
    cache_put_error(cache, "a", &down, 0);
    assert_int_equal(cache_find(cache, "a", 0, &finding, &err), CACHE_MISS);
    assert_int_equal(cache_count(cache), 0);
    cache_free(cache);
}

static void oldest_goes_first(void **state)
{
    struct cache *cache = cache_new(&limits);
    struct finding finding;
    struct error err;
    (void)state;
    cache_put(cache, "a", &found, 0);
    cache_put(cache, "b", &found, 0);
    cache_put(cache, "c", &found, 0);
    cache_put(cache, "a", &found, 0); /* becomes the youngest */
    cache_put(cache, "d", &found, 0);
    assert_int_equal(cache_count(cache), 3);
    assert_int_equal(cache_find(cache, "b", 0, &finding, &err), CACHE_MISS);
    assert_int_equal(cache_find(cache, "a", 0, &finding, &err), CACHE_FOUND);
    assert_int_equal(cache_find(cache, "c", 0, &finding, &err), CACHE_FOUND);
    assert_int_equal(cache_find(cache, "d", 0, &finding, &err), CACHE_FOUND);
    cache_free(cache);
}

static void none_is_a_size_too(void **state)
{
    static const struct cache_limits none = { .count = 0, .ttl_ms = 100, .negative_ttl_ms = 10 };
    struct cache *cache = cache_new(&none);
    struct finding finding;
    struct error err;
    (void)state;
    cache_put(cache, "a", &found, 0);
    assert_int_equal(cache_find(cache, "a", 0, &finding, &err), CACHE_MISS);
    cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answer_lives_for_its_time), cmocka_unit_test(last_answer_is_kept),
        cmocka_unit_test(absence_lives_shorter),     cmocka_unit_test(trouble_is_not_remembered),
        cmocka_unit_test(oldest_goes_first),         cmocka_unit_test(none_is_a_size_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
