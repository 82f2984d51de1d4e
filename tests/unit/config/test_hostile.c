#include "unit/config/fixture.h"
#include "unit/test.h"

/* What a configuration can do to values while the language works on them: each has to end in a result or
 * a message, whatever it is. */

struct hostile_case {
    const char *name, *text, *outcome;
};

/* Code that runs in the middle of an operation and takes the items away. */
#define EMPTIES(method, result)                                                                    \
    "class X:\n  def __hash__(s): return 5\n  def " method                                         \
    "(s, *a):\n    l[:] = []\n    return " result "\n"

static const struct hostile_case cases[] = {
    { "a dict emptied while it is searched",
      "class K:\n  def __hash__(s): return 5\n  def __eq__(s, o): d.clear()\n"
      "d = {K(): 1}\nfor i in range(20): d[i] = i\nprint(K() in d)",
      "python_error RuntimeError: a dict or set changed while a key was looked up" },
    { "a dict emptied while a key is removed",
      "class K:\n  def __hash__(s): return 5\n  def __eq__(s, o):\n    d.clear()\n    return True\n"
      "d = {K(): 1}\nd.pop(K())",
      "python_error RuntimeError: a dict or set changed while a key was looked up" },
    { "a key removed while it is searched",
      "class K:\n  def __hash__(s): return 5\n  def __eq__(s, o):\n    if f:\n      f.pop()\n      "
      "d.popitem()\n"
      "    return True\nf, d = [1], {K(): 1}\nprint(d.pop(K(), 'gone'), len(d))",
      "gone 0\n" },
    { "a list emptied while it is unpacked",
      EMPTIES("__setattr__", "0") "l, x = [1, 2, 3], X()\nx.a, x.b, x.c = l\nprint(l)", "[]\n" },
    { "by a slice's step", EMPTIES("__index__", "1") "l = [1] * 50\nprint(l[::X()])", "[]\n" },
    { "by an index that is set", EMPTIES("__index__", "3") "l = [1] * 50\nl[X()] = 5",
      "python_error IndexError: list index out of range" },
    { "by an index that is deleted", EMPTIES("__index__", "3") "l = [1] * 50\ndel l[X()]",
      "python_error IndexError: list index out of range" },
    { "by what a slice is set to",
      "def g():\n  l[:] = []\n  yield from range(50)\nl = [1] * 100\nl[::2] = g()",
      "python_error ValueError: list modified during assignment to a slice" },
    { "by what is removed", EMPTIES("__eq__", "True") "l = [X(), 1]\nl.remove(5)\nprint(l)",
      "[]\n" },
    { "by a comparison",
      EMPTIES("__eq__", "False") "X.__lt__ = lambda s, o: True\nl = [X(), 1]\nprint(l < [1, 2], l)",
      "True []\n" },
};

static void ends_well(void **state)
{
    const struct hostile_case *row = *state;
    struct fixture fixture;
    fixture_init(&fixture, row->text);
    fixture_run(&fixture);
    assert_string_equal(fixture_outcome(&fixture), row->outcome);
    fixture_done(&fixture);
}

int main(void)
{
    return RUN_CASES(cases, ends_well);
}
