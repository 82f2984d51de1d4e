#include "gateway/traceparent.h"
#include "unit/test.h"

static const struct trace_case {
    const char *name;
    bool is_valid;
} cases[] = {
    { "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true },
    { "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", true },
    { "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false },
    { "00-00000000000000000000000000000000-b7ad6b7169203331-01", false },
    { "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false },
    { "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false },
    { "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", false },
    { "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-011", false },
    { "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01", false },
    { "", false },
};

static void is_judged(void **state)
{
    const struct trace_case *c = *state;
    assert_int_equal(traceparent_is_valid(slice_of(c->name)), c->is_valid);
}

static void made_ones_are_valid(void **state)
{
    (void)state;
    char text[TRACEPARENT_SIZE];
    const uint8_t zeros[24] = { 0 }, some[24] = { 0xab, 0xcd };
    traceparent_make(zeros, text);
    assert_true(traceparent_is_valid(slice_of(text)));
    traceparent_make(some, text);
    assert_string_equal(text, "00-abcd0000000000000000000000000001-0000000000000001-01");
}

int main(void)
{
    const struct CMUnitTest others[] = { cmocka_unit_test(made_ones_are_valid) };
    return RUN_CASES(cases, is_judged) + cmocka_run_group_tests(others, NULL, NULL);
}
