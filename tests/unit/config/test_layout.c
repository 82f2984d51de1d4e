#include "config/layout.h"

#include "unit/test.h"

static const struct layout_case {
    const char *name, *text, *expected;
} cases[] = {
    { "nothing", "", "" },
    { "only empty lines", "\n\n\n", "" },
    { "only a comment", "  # a  \n", "# a\n" },
    { "no line end", "x=1", "x = 1\n" },
    { "a byte order mark", "\xef\xbb\xbfx=1\n", "x = 1\n" },
    { "unary and binary", "x=-1 - -2 ** ~ 3\n", "x = -1 - -2 ** ~3\n" },
    { "an attribute of a number", "x = 1 .real\n", "x = 1 .real\n" },
    { "slices", "x [ 1 : 2 , : : 3 ]\n", "x[1:2, ::3]\n" },
    { "lambda in a slice", "x[lambda : 1]\n", "x[lambda: 1]\n" },
    { "defaults and annotations", "def f(a:int=1,b = 2): pass\n",
      "def f(a: int = 1, b=2): pass\n" },
    { "a dict behind a keyword", "f( a = {'b' :1} )\n", "f(a={'b': 1})\n" },
    { "texts side by side", "x='a''b'\n", "x = 'a' 'b'\n" },
    { "a bracket's contents follow it", "x=f( a,\n     b )\n", "x = f(a,\n      b)\n" },
    { "a deeper block", "if x:\n      y\n", "if x:\n  y\n" },
    { "a comment before a deeper block", "if x:\n    # a\n    y\n", "if x:\n  # a\n  y\n" },
    { "a comment behind a block", "if x:\n    y\n    # a\n  # b\n# c\nz\n",
      "if x:\n  y\n  # a\n# b\n# c\nz\n" },
    { "comments that stood below each other", "x = 1   # a\nyy = 2  # b\n",
      "x = 1   # a\nyy = 2  # b\n" },
    { "empty lines in brackets", "x = [\n\n\n  1,\n\n\n\n  2]\n", "x = [\n\n  1,\n\n  2]\n" },
    { "brackets behind a text of two lines", "x=f('''\n a''',[\n  1,\n ])\n",
      "x = f('''\n a''', [\n  1,\n ])\n" },
};

static struct slice format(struct arena *arena, const char *text)
{
    struct error err = { 0 };
    struct slice out = { 0 };
    const struct source source = { .path = "a", .name = "a", .text = slice_of(text) };
    if (!layout_format(arena, &source, &out, &err))
        fail_msg("%s", err.message);
    return (struct slice){ arena_memdup0(arena, out.ptr, out.len), out.len };
}

static void is_laid_out(void **state)
{
    const struct layout_case *c = *state;
    struct arena *arena = arena_new();
    struct slice once = format(arena, c->text);
    assert_string_equal(once.ptr, c->expected);
    assert_string_equal(format(arena, once.ptr).ptr, c->expected);
    arena_free(arena);
}

int main(void)
{
    return RUN_CASES(cases, is_laid_out);
}
