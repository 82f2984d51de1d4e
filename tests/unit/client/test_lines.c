#include "client/dev/lines.h"

#include "unit/test.h"

static const struct lines_case {
    const char *name;
    const char *parts[5];
    const char *expected; /* lines, each ended by '|' */
} cases[] = {
    { "one line", { "hello\n" }, "hello|" },
    { "two at once", { "a\nb\n" }, "a|b|" },
    { "in pieces", { "he", "ll", "o\nwor", "ld\n" }, "hello|world|" },
    { "an empty line", { "\n\na\n" }, "||a|" },
    { "CR LF", { "a\r\nb\r", "\n" }, "a|b|" },
    { "no line end", { "a\nrest" }, "a|rest|" },
    { "nothing", { "" }, "" },
};

static void on_line(void *user, struct slice line)
{
    text_add_slice(user, line);
    text_add_char(user, '|');
}

static void cuts(void **state)
{
    const struct lines_case *c = *state;
    struct lines lines = { 0 };
    struct text got = TEXT_INIT;
    for (size_t i = 0; c->parts[i]; i++)
        lines_feed(&lines, slice_of(c->parts[i]), on_line, &got);
    lines_end(&lines, on_line, &got);
    assert_string_equal(text_string(&got), c->expected);
    text_done(&got);
}

static void bounds_a_line(void **state)
{
    struct lines lines = { 0 };
    struct text got = TEXT_INIT;
    (void)state;
    for (size_t i = 0; i < LINES_MAX_BYTES + 10; i++)
        lines_feed(&lines, SLICE("x"), on_line, &got);
    assert_int_equal(got.len, LINES_MAX_BYTES + 1);
    lines_end(&lines, on_line, &got);
    assert_int_equal(got.len, LINES_MAX_BYTES + 12);
    text_done(&got);
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(bounds_a_line) };
    return RUN_CASES(cases, cuts) + cmocka_run_group_tests(tests, NULL, NULL);
}
