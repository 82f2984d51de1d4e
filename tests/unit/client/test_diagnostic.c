#include "client/diagnostic.h"

#include "base/cleanup.h"
#include "unit/test.h"

static const struct diagnostic_case {
    const char *name;
    const char *severity, *message, *file, *source_line, *hint;
    int line, column, end_column;
    const char *expected;
} cases[] = {
    { "a name", "error", "name 'tusk' is not defined", "a.aurora", "task = tusk", "", 4, 8, 12,
      "a.aurora:4:8: name 'tusk' is not defined\n    4 | task = tusk\n      |        ^^^^\n" },
    { "one column", "error", "unexpected ')'", "a.aurora", "x)", "", 1, 2, 0,
      "a.aurora:1:2: unexpected ')'\n    1 | x)\n      |  ^\n" },
    { "a hint", "error", "no such field", "a.aurora", "Job(nam='x')", "did you mean \"name\"?", 2,
      5, 8,
      "a.aurora:2:5: no such field\n    2 | Job(nam='x')\n      |     ^^^\n"
      "  hint: did you mean \"name\"?\n" },
    { "a warning", "warning", "old", "a.aurora", "", "", 7, 0, 0, "a.aurora:7: warning: old\n" },
    { "no place at all", "error", "No job defined in this config!", "", "", "", 0, 0, 0,
      "No job defined in this config!\n" },
    { "a file only", "error", "not there", "b.include", "", "", 0, 0, 0, "b.include: not there\n" },
    { "a tab keeps the caret below its place", "error", "bad", "a", "\tx = y", "", 1, 6, 7,
      "a:1:6: bad\n    1 | \tx = y\n      | \t    ^\n" },
    { "characters count, not bytes", "error", "bad", "a", "'\xc3\xa9\xc3\xa9' z", "", 1, 6, 7,
      "a:1:6: bad\n    1 | '\xc3\xa9\xc3\xa9' z\n      |      ^\n" },
    { "a column behind the line", "error", "the text ends too early", "a", "x(", "", 1, 30, 0,
      "a:1:30: the text ends too early\n    1 | x(\n      |   ^\n" },
    { "a column far behind the line", "error", "bad", "a", "x(", "", 1, 300, 0,
      "a:1:300: bad\n    1 | \n      | ^\n" },
    { "a carriage return inside of the line", "error", "bad", "a", "x\ry(", "", 1, 4, 5,
      "a:1:4: bad\n    1 | x?y(\n      |    ^\n" },
    { "several lines of message", "error", "one\ntwo", "a", "", "", 3, 1, 0, "a:3:1: one\ntwo\n" },
    { "nothing steers the terminal", "error", "\033]0;x", "a\033", "b\033[2J", "", 1, 1, 2,
      "a?:1:1: ?]0;x\n    1 | b?[2J\n      | ^\n" },
};

static void is_shown(void **state)
{
    const struct diagnostic_case *c = *state;
    Eos__Config__V1__Diagnostic diagnostic = EOS__CONFIG__V1__DIAGNOSTIC__INIT;
    Eos__Config__V1__Position at = EOS__CONFIG__V1__POSITION__INIT;
    struct text out = TEXT_INIT;
    diagnostic.severity = (char *)c->severity;
    diagnostic.message = (char *)c->message;
    diagnostic.hint = (char *)c->hint;
    diagnostic.at = &at;
    at.file = (char *)c->file;
    at.source_line = (char *)c->source_line;
    at.line = c->line;
    at.column = c->column;
    at.end_column = c->end_column;
    diagnostic_add(&out, &diagnostic, false);
    assert_string_equal(text_string(&out), c->expected);
    text_done(&out);
}

static void a_long_line_is_cut_around_the_column(void **state)
{
    Eos__Config__V1__Diagnostic diagnostic = EOS__CONFIG__V1__DIAGNOSTIC__INIT;
    Eos__Config__V1__Position at = EOS__CONFIG__V1__POSITION__INIT;
    struct text out = TEXT_INIT;
    char line[1001];
    (void)state;
    memset(line, 'x', sizeof line);
    line[499] = '!';
    line[1000] = '\0';
    at.file = (char *)"a";
    at.source_line = line;
    at.line = 1;
    at.column = 500;
    at.end_column = 501;
    diagnostic.at = &at;
    diagnostic_add(&out, &diagnostic, false);
    const char *mark = strchr(text_string(&out), '!'), *caret = strchr(text_string(&out), '^');
    assert_true(out.len < 300);
    assert_non_null(mark);
    assert_non_null(caret);
    const char *second = strchr(mark, '\n') + 1, *first = mark;
    while (first > out.ptr && first[-1] != '\n')
        first--;
    assert_int_equal(mark - first, caret - second);
    text_done(&out);
}

static void frames_say_how_it_came_there(void **state)
{
    Eos__Config__V1__Diagnostic diagnostic = EOS__CONFIG__V1__DIAGNOSTIC__INIT;
    Eos__Config__V1__Position at = EOS__CONFIG__V1__POSITION__INIT;
    Eos__Config__V1__Frame frame = EOS__CONFIG__V1__FRAME__INIT, *frames[] = { &frame };
    struct text out = TEXT_INIT;
    (void)state;
    at.file = (char *)"a.aurora";
    at.line = 9;
    at.column = 1;
    frame.description = (char *)"in call to make_job";
    frame.at = &at;
    diagnostic.message = (char *)"oops";
    diagnostic.frames = frames;
    diagnostic.n_frames = 1;
    diagnostic_add(&out, &diagnostic, false);
    assert_string_equal(text_string(&out), "oops\n  in call to make_job at a.aurora:9:1\n");
    text_done(&out);
}

static void the_exception_is_named_once(void **state)
{
    Eos__Config__V1__Diagnostic diagnostic = EOS__CONFIG__V1__DIAGNOSTIC__INIT;
    struct text out = TEXT_INIT;
    (void)state;
    diagnostic.exception = (char *)"KeyError";
    diagnostic.message = (char *)"'x'";
    diagnostic_add(&out, &diagnostic, false);
    assert_string_equal(text_string(&out), "KeyError: 'x'\n");
    text_clear(&out);
    diagnostic.exception = diagnostic.message = (char *)"AssertionError";
    diagnostic_add(&out, &diagnostic, false);
    assert_string_equal(text_string(&out), "AssertionError\n");
    text_done(&out);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_line_is_cut_around_the_column),
        cmocka_unit_test(frames_say_how_it_came_there),
        cmocka_unit_test(the_exception_is_named_once),
    };
    return RUN_CASES(cases, is_shown) + cmocka_run_group_tests(tests, NULL, NULL);
}
