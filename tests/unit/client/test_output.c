#include "client/output.h"

#include "base/cleanup.h"
#include "unit/test.h"

static const struct printable_case {
    const char *name, *text, *expected;
} cases[] = {
    { "plain", "hello", "hello" },
    { "lines and tabs stay", "a\tb\nc", "a\tb\nc" },
    { "an escape sequence", "\033[2Jx", "?[2Jx" },
    { "a carriage return", "a\rb", "a?b" },
    { "delete", "a\177b", "a?b" },
    { "UTF-8 stays", "\xe2\x82\xac", "\xe2\x82\xac" },
};

static void is_made_harmless(void **state)
{
    const struct printable_case *c = *state;
    struct text out = TEXT_INIT;
    output_add_printable(&out, c->text);
    assert_string_equal(text_string(&out), c->expected);
    text_done(&out);
}

static void a_pipe_has_no_colour(void **state)
{
    int ends[2];
    (void)state;
    setenv("TERM", "xterm", 1);
    assert_int_equal(pipe(ends), 0);
    assert_false(output_has_colour(ends[1]));
    assert_false(output_is_terminal(ends[1]));
    close(ends[0]);
    close(ends[1]);
}

static void colour_can_be_left_out(void **state)
{
    struct text out = TEXT_INIT;
    (void)state;
    output_add_coloured(&out, false, COLOUR_RED, "a");
    output_add_coloured(&out, true, COLOUR_NONE, "b");
    output_add_coloured(&out, true, COLOUR_RED, "c");
    assert_string_equal(text_string(&out), "ab\033[31mc\033[0m");
    text_done(&out);
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(a_pipe_has_no_colour),
                                               cmocka_unit_test(colour_can_be_left_out) };
    return RUN_CASES(cases, is_made_harmless) + cmocka_run_group_tests(tests, NULL, NULL);
}
