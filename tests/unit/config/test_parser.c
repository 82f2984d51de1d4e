#include "unit/config/fixture.h"
#include "unit/test.h"

/* Syntax errors: what, and where to the column. */

struct parser_case {
    const char *name, *text, *message;
    int line, column;
};

static const struct parser_case cases[] = {
    { "never closed", "x = 1\ny = [1,\n", "'[' was never closed", 2, 5 },
    { "an earlier error", "x = = 1\ny = [1,\n", "invalid syntax", 1, 5 },
    { "wrong closer", "x = (1]\n", "closing parenthesis ']' does not match opening parenthesis '('",
      1, 7 },
    { "unmatched", "x = 1)\n", "unmatched ')'", 1, 6 },
    { "bad character", "x = 3 $ 4\n", "invalid syntax", 1, 7 },
    { "open string", "a = 'no end\n", "unterminated string literal (detected at line 1)", 1, 5 },
    { "open triple string", "a = '''no end\n",
      "unterminated triple-quoted string literal (detected at line 2)", 1, 5 },
    { "missing colon", "if True\n  x = 1\n", "expected ':'", 1, 8 },
    { "missing block", "def f():\nx = 1\n",
      "expected an indented block after function definition on line 1", 2, 1 },
    { "unexpected indent", "x = 1\n  y = 2\n", "unexpected indent", 2, 3 },
    { "dedent to nowhere", "if 1:\n    x = 1\n  y = 2\n",
      "unindent does not match any outer indentation level", 3, 3 },
    { "tabs and spaces", "if True:\n        x = 1\n\ty = 2\n",
      "inconsistent use of tabs and spaces in indentation", 3, 2 },
    { "keyword before positional", "f(a=1, 2)\n", "positional argument follows keyword argument", 1,
      8 },
    { "repeated keyword", "f(a=1, a=2)\n", "keyword argument repeated: a", 1, 8 },
    { "assignment to a call", "f() = 1\n",
      "cannot assign to function call here. Maybe you meant '==' instead of '='?", 1, 1 },
    { "return outside", "return 1\n", "'return' outside function", 1, 1 },
    { "break outside", "break\n", "'break' outside loop", 1, 1 },
    { "default before none", "def f(a=1, b): pass\n",
      "non-default argument follows default argument", 1, 12 },
    { "leading zero", "x = 012\n",
      "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal "
      "integers",
      1, 5 },
    { "escape", "x = '\\x4'\n", "(unicode error) truncated escape, it takes 2 hexadecimal digits",
      1, 6 },
    { "in an f-string", "x = f'{1 +}'\n", "unexpected end of the file", 1, 11 },
    { "columns count characters", "é = '☃' $\n", "invalid syntax", 1, 9 },
    { "line ends of DOS", "x = 1\r\ny = $\r\n", "invalid syntax", 2, 5 },
    { "positional behind many keywords", "f(a=1, b=2, c=3, **d, e=5, *f)\n",
      "iterable argument unpacking follows keyword argument unpacking", 1, 28 },
    { "never closed, before many errors", "x = (''$$$$$$$$$$$$$$$$$$$$$$$$$$\n",
      "'(' was never closed", 1, 5 },
    { "a pattern never closed", "match 1:\n  case int(x=\n", "'(' was never closed", 2, 11 },
    { "a quote of a word processor", "x = \u2018a\u2019\n", "invalid character '\u2018' (U+2018)",
      1, 5 },
    { "a blank that is none", "x =\u00a01\n", "invalid non-printable character U+00A0", 1, 4 },
    { "a mark of the byte order inside", "\n\ufeffx = 1\n",
      "invalid non-printable character U+FEFF", 2, 1 },
    { "a name with a sign", "caf\u00e9\u2603 = 1\n", "invalid character '\u2603' (U+2603)", 1, 5 },
    { "a block in a line", "if 1: if 2: pass\n", "invalid syntax", 1, 7 },
    { "two stars in a target", "a, *b, *c = x\n", "multiple starred expressions in assignment", 1,
      1 },
    { "everything of a module in a function", "def f():\n  from os import *\n",
      "import * only allowed at module level", 2, 18 },
    { "unequal in Python 2", "x = a <> b\n", "invalid syntax. Python 2's '<>' is written '!='", 1,
      7 },
    { "backquotes", "x = `a`\n", "invalid syntax. Python 2's backquotes are written repr()", 1, 5 },
    { "a long number", "x = 10L\n", "invalid number literal. Python 2's 'L' is not needed", 1, 5 },
    { "raise in Python 2", "raise E, 'x'\n",
      "invalid syntax. Python 2's 'raise E, value' is written raise E(value)", 1, 8 },
    { "async", "async def f(): pass\n", "'async' is not part of the configuration language", 1, 1 },
};

static void is_reported(void **state)
{
    const struct parser_case *row = *state;
    struct fixture fixture;
    fixture_init(&fixture, row->text);
    fixture_run(&fixture);
    const Eos__Config__V1__Diagnostic *error = fixture.response->error;
    assert_non_null(error);
    assert_string_equal(error->class_, ERROR_SYNTAX);
    assert_string_equal(error->message, row->message);
    assert_int_equal(error->at->line, row->line);
    assert_int_equal(error->at->column, row->column);
    fixture_done(&fixture);
}

static void several_errors_are_reported(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "x = = 1\ny = 2\ndef f(a b):\n  pass\nz = 3 4\n");
    fixture_run(&fixture);
    assert_int_equal(fixture.response->error->at->line, 1);
    assert_int_equal(fixture.response->n_more_errors, 2);
    assert_int_equal(fixture.response->more_errors[0]->at->line, 3);
    assert_int_equal(fixture.response->more_errors[1]->at->line, 5);
    fixture_done(&fixture);
}

static void the_line_is_quoted(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "a = 1\nb = foo(a)\n");
    fixture_run(&fixture);
    const Eos__Config__V1__Position *at = fixture.response->error->at;
    assert_string_equal(at->file, "test.aurora");
    assert_string_equal(at->source_line, "b = foo(a)");
    assert_int_equal(at->column, 5);
    assert_int_equal(at->end_column, 8);
    fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_errors_are_reported),
        cmocka_unit_test(the_line_is_quoted),
    };
    return RUN_CASES(cases, is_reported) + cmocka_run_group_tests_name("parser", tests, NULL, NULL);
}
