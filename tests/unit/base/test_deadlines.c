#include "base/deadlines.h"
#include "base/random.h"

#include "unit/test.h"

#include <stdlib.h>

static void come_in_order(void **state)
{
    struct deadlines deadlines = { 0 };
    struct deadline items[500] = { 0 };
    struct random random = { { 9, 8, 7, 6 } };
    int64_t last = 0;
    (void)state;

    for (size_t round = 0; round < 3; round++) /* the second and third move them */
        for (size_t i = 0; i < 500; i++)
            deadlines_set(&deadlines, &items[i], (int64_t)random_below(&random, 1000));
    for (size_t i = 0; i < 500; i += 5)
        deadlines_clear(&deadlines, &items[i]);
    deadlines_clear(&deadlines, &items[0]); /* once more is harmless */
    assert_int_equal(deadlines.count, 400);

    for (size_t i = 0; i < 400; i++) {
        struct deadline *item = deadlines_take(&deadlines, 1000);
        assert_non_null(item);
        assert_int_equal(item->place, 0);
        assert_true(item->due_ms >= last);
        assert_int_not_equal((item - items) % 5, 0);
        last = item->due_ms;
    }
    assert_null(deadlines_take(&deadlines, INT64_MAX));
    deadlines_done(&deadlines);
}

static void wait_for_their_time(void **state)
{
    struct deadlines deadlines = { 0 };
    struct deadline one = { 0 }, two = { 0 };
    (void)state;

    deadlines_set(&deadlines, &one, 200);
    deadlines_set(&deadlines, &two, 100);
    assert_null(deadlines_take(&deadlines, 99));
    assert_ptr_equal(deadlines_take(&deadlines, 100), &two);
    assert_null(deadlines_take(&deadlines, 199));
    assert_ptr_equal(deadlines_take(&deadlines, 300), &one);
    deadlines_done(&deadlines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(come_in_order),
        cmocka_unit_test(wait_for_their_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
