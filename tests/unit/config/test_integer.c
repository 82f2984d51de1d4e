#include "config/integer.h"
#include "unit/test.h"

/* Division by its own law, over numbers of all sizes and signs. */

static const char *const numbers[] = {
    "1",
    "7",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "18446744073709551616",
    "340282366920938463463374607431768211455",
    "340282366920938463481821351505477763072",
    "1000000000000000000000000000000000000000000000000000000001"
};

#define COUNT (sizeof numbers / sizeof *numbers)

static struct value number(struct arena *arena, size_t index, bool is_negative)
{
    struct value v;
    assert_true(integer_parse(arena, slice_of(numbers[index]), 10, &v));
    return is_negative ? integer_negate(arena, v) : v;
}

static void check_division(struct arena *arena, struct value a, struct value b)
{
    struct value quotient, rest, product, sum;
    integer_divide(arena, a, b, &quotient, &rest);
    assert_true(integer_multiply(arena, quotient, b, &product));
    assert_true(integer_add(arena, product, rest, &sum));
    assert_int_equal(integer_compare(sum, a), 0);
    assert_true(integer_sign(rest) == 0 || integer_sign(rest) == integer_sign(b));
    int order = integer_compare(rest, b);
    assert_true(integer_sign(b) > 0 ? order < 0 : order > 0);
}

static void quotient_and_rest_make_the_number(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT * 2; i++)
        for (size_t j = 0; j < COUNT * 2; j++)
            check_division(arena, number(arena, i / 2, i & 1), number(arena, j / 2, j & 1));
    arena_free(arena);
}

static void text_goes_there_and_back(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT; i++)
        assert_string_equal(integer_text(arena, number(arena, i, false), 10)->data, numbers[i]);
    arena_free(arena);
}

static void shifts_undo_each_other(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT * 2; i++) {
        struct value v = number(arena, i / 2, i & 1), shifted;
        assert_true(integer_shift_left(arena, v, 77, &shifted));
        assert_int_equal(integer_compare(integer_shift_right(arena, shifted, 77), v), 0);
    }
    arena_free(arena);
}

static void bits_combine_as_in_two_s_complement(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT * 2; i++)
        for (size_t j = 0; j < COUNT * 2; j++) { /* a + b = (a ^ b) + 2 * (a & b) */
            struct value a = number(arena, i / 2, i & 1), b = number(arena, j / 2, j & 1), sum,
                         both, other;
            both = integer_bitwise(arena, a, b, '&');
            assert_true(integer_add(arena, a, b, &sum));
            assert_true(integer_add(arena, both, both, &both));
            assert_true(integer_add(arena, integer_bitwise(arena, a, b, '^'), both, &other));
            assert_int_equal(integer_compare(sum, other), 0);
        }
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotient_and_rest_make_the_number),
        cmocka_unit_test(text_goes_there_and_back),
        cmocka_unit_test(shifts_undo_each_other),
        cmocka_unit_test(bits_combine_as_in_two_s_complement),
    };
    return cmocka_run_group_tests_name("integer", tests, NULL, NULL);
}
