#include "registry/resting.h"
#include "unit/test.h"

#include <stdio.h>

static void mirror_rests_until_then(void **state)
{
    struct resting *resting = resting_new();
    (void)state;
    assert_false(resting_has(resting, "https://a", 0));
    resting_put(resting, "https://a", 100);
    assert_true(resting_has(resting, "https://a", 99));
    assert_false(resting_has(resting, "https://a", 100));
    assert_false(resting_has(resting, "https://b", 0));
    resting_put(resting, "https://a", 300);
    resting_put(resting, "https://a", 200);
    assert_true(resting_has(resting, "https://a", 299));
    resting_free(resting);
    resting_free(NULL);
}

static void number_is_bounded(void **state)
{
    struct resting *resting = resting_new();
    unsigned found = 0;
    char name[32];
    (void)state;
    for (unsigned i = 0; i < 3 * RESTING_MAX; i++) {
        snprintf(name, sizeof name, "https://%u", i);
        resting_put(resting, name, 100);
        assert_true(resting_has(resting, name, 0));
    }
    for (unsigned i = 0; i < 3 * RESTING_MAX; i++) {
        snprintf(name, sizeof name, "https://%u", i);
        found += resting_has(resting, name, 0);
    }
    assert_in_range(found, 1, RESTING_MAX);
    resting_free(resting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mirror_rests_until_then),
        cmocka_unit_test(number_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
