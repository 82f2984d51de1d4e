#include "registry/retry.h"
#include "unit/test.h"

static const struct after_case {
    const char *name; /* the header */
    bool is_valid;
    uint32_t delay_ms;
} cases[] = {
    { "0", true, 0 },
    { "7", true, 7000 },
    { " 7 ", true, 7000 },
    { "99999999999", true, 86400000 },
    { "Thu, 01 Jan 1970 00:00:10 GMT", true, 9000 },
    { "Thu, 01 Jan 1970 00:00:00 GMT", true, 0 },
    { "Fri, 31 Dec 1999 23:59:59 GMT", true, 86400000 },
    { "", false, 0 },
    { "-1", false, 0 },
    { "1.5", false, 0 },
    { "soon", false, 0 },
    { "Thu, 01 Jan 1970 00:00:10", false, 0 },
    { "Thu, 01 Foo 1970 00:00:10 GMT", false, 0 },
    { "Thu, 32 Jan 1970 00:00:10 GMT", false, 0 },
};

static void retry_after_is_read(void **state)
{
    const struct after_case *c = *state;
    uint32_t delay_ms = 77;
    assert_int_equal(retry_after_parse(slice_of(c->name), 1000, &delay_ms), c->is_valid);
    assert_int_equal(delay_ms, c->is_valid ? c->delay_ms : 77);
}

static void pause_doubles_within_bounds(void **state)
{
    static const uint32_t most[] = { 200, 400, 800, 1600, 3200, 5000, 5000, 5000 };
    (void)state;
    for (unsigned i = 0; i < sizeof most / sizeof most[0]; i++) {
        assert_int_equal(retry_delay_ms(i + 1, 0), most[i]);
        for (uint32_t random = 1; random < 20000; random += 777) {
            assert_in_range(retry_delay_ms(i + 1, random), most[i] / 2, most[i]);
        }
    }
    assert_int_equal(retry_delay_ms(1000000, 0), 5000);
}

static void patience_is_part_of_the_deadline(void **state)
{
    (void)state;
    assert_int_equal(retry_patience_ms(0), 0);
    assert_int_equal(retry_patience_ms(20000), 2000);
    assert_int_equal(retry_patience_ms(3600000), 15000);
    assert_int_equal(retry_patience_ms(UINT32_MAX), 15000);
}

static void only_passing_trouble_is_worth_it(void **state)
{
    (void)state;
    assert_true(retry_is_worth(429) && retry_is_worth(500) && retry_is_worth(503));
    assert_false(retry_is_worth(200) || retry_is_worth(401) || retry_is_worth(404) ||
                 retry_is_worth(501));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pause_doubles_within_bounds),
        cmocka_unit_test(patience_is_part_of_the_deadline),
        cmocka_unit_test(only_passing_trouble_is_worth_it),
    };
    return RUN_CASES(cases, retry_after_is_read) + cmocka_run_group_tests(tests, NULL, NULL);
}
