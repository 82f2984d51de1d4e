#include "registry/grants.h"
#include "unit/test.h"

#include <stdio.h>

static void grant_lives_until_it_expires(void **state)
{
    struct grants *grants = grants_new();
    (void)state;
    assert_null(grants_find(grants, "https://h", "a", 0));
    grants_put(grants, "https://h", "a", AUTH_BEARER, "Authorization: Bearer 1", 100);
    assert_string_equal(grants_find(grants, "https://h", "a", 99)->header,
                        "Authorization: Bearer 1");
    assert_null(grants_find(grants, "https://h", "a", 100));
    assert_null(grants_find(grants, "https://h", "b", 0));
    assert_null(grants_find(grants, "http://h", "a", 0));
    grants_put(grants, "https://h", "a", AUTH_BASIC, "Authorization: Basic 2", 200);
    assert_int_equal(grants_find(grants, "https://h", "a", 100)->scheme, AUTH_BASIC);
    uint64_t serial = grants_find(grants, "https://h", "a", 100)->serial;
    grants_put(grants, "https://h", "a", AUTH_BASIC, "Authorization: Basic 2", 200);
    assert_true(grants_find(grants, "https://h", "a", 100)->serial > serial && serial > 0);
    grants_forget(grants, "https://h", "a");
    grants_forget(grants, "https://h", "a");
    assert_null(grants_find(grants, "https://h", "a", 0));
    grants_free(grants);
}

static void number_is_bounded(void **state)
{
    struct grants *grants = grants_new();
    unsigned found = 0;
    char name[32];
    (void)state;
    for (unsigned i = 0; i < 3 * GRANTS_MAX; i++) {
        snprintf(name, sizeof name, "r%u", i);
        grants_put(grants, "https://h", name, AUTH_BASIC, "x", 100);
        assert_non_null(grants_find(grants, "https://h", name, 0));
    }
    for (unsigned i = 0; i < 3 * GRANTS_MAX; i++) {
        snprintf(name, sizeof name, "r%u", i);
        found += grants_find(grants, "https://h", name, 0) != NULL;
    }
    assert_in_range(found, 1, GRANTS_MAX);
    grants_free(grants);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grant_lives_until_it_expires),
        cmocka_unit_test(number_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
