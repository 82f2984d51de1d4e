#include "base/random.h"

#include "unit/test.h"

#include <stdbool.h>
#include <string.h>

/* The reference implementation of xoshiro256** gives these from the state 1, 2, 3, 4. */
static void gives_what_the_reference_gives(void **state)
{
    static const uint64_t expected[] = { 11520,
                                         0,
                                         1509978240,
                                         1215971899390074240,
                                         1216172134540287360,
                                         607988272756665600,
                                         16172922978634559625u,
                                         8476171486693032832,
                                         10595114339597558777u,
                                         2904607092377533576 };
    struct random random = { { 1, 2, 3, 4 } };
    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        assert_true(random_next(&random) == expected[i]);
}

static const struct bound_case {
    const char *name;
    uint64_t bound;
} bounds[] = {
    { "one", 1 },           { "two", 2 },           { "ten", 10 },
    { "a thousand", 1000 }, { "2^63", 1ull << 63 }, { "all", UINT64_MAX },
};

/* Below the bound, and in every tenth of it about as often. */
static void stays_below(void **state)
{
    const struct bound_case *c = *state;
    struct random random = { { 5, 6, 7, 8 } };
    unsigned tenths[10] = { 0 };
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t value = random_below(&random, c->bound);
        assert_true(value < c->bound);
        tenths[(unsigned)((unsigned __int128)value * 10 / c->bound)]++;
    }
    for (unsigned i = 0; i < 10 && c->bound >= 10; i++)
        assert_in_range(tenths[i], 800, 1200);
}

static bool is_hex(const char *text, size_t len)
{
    return strspn(text, "0123456789abcdef") >= len;
}

static void uuids_have_their_form(void **state)
{
    struct random random = { { 1, 1, 1, 1 } };
    char text[37], before[37] = "";
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        random_uuid(&random, text);
        assert_int_equal(strlen(text), 36);
        assert_true(is_hex(text, 8) && text[8] == '-' && is_hex(text + 9, 4) && text[13] == '-' &&
                    text[14] == '4' && is_hex(text + 15, 3) && text[18] == '-' &&
                    strchr("89ab", text[19]) && is_hex(text + 20, 3) && text[23] == '-' &&
                    is_hex(text + 24, 12));
        assert_string_not_equal(text, before);
        memcpy(before, text, sizeof text);
    }
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(gives_what_the_reference_gives),
        cmocka_unit_test(uuids_have_their_form),
    };
    return RUN_CASES(bounds, stays_below) + cmocka_run_group_tests(others, NULL, NULL);
}
