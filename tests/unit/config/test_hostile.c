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

/* Texts that are added to are not copied each time; nobody may see that. */
static const struct hostile_case growing[] = {
    { "a long text", "s = ''\nfor i in range(100000): s += 'x%d' % i\nprint(len(s), s[-6:])",
      "588890 x99999\n" },
    { "another name", "s = 'a' * 300\ns += 'b'\nt = s\ns += 'c'\nprint(t[-2:], s[-3:])",
      "ab abc\n" },
    { "a list",
      "s, l = '-' * 300, []\nfor c in 'abc':\n  s += c\n  l.append(s)\nprint([x[300:] for x in l])",
      "['a', 'ab', 'abc']\n" },
    { "a key",
      "s, d = '-' * 300, {}\nfor c in 'ab':\n  s += c\n  d[s] = c\ns += 'c'\nprint(sorted(x[300:] "
      "for x in d))",
      "['a', 'ab']\n" },
    { "itself", "s = '-' * 300\ns += 'a'\ns += s\ns += s[-1]\nprint(len(s), s[-2:])", "603 aa\n" },
    { "what is added changes it",
      "s = '-' * 300\ns += 'a'\ndef f():\n  global s\n  s += 'b'\n  return 'c'\ns += "
      "f()\nprint(s[300:])",
      "ac\n" },
    { "what is added keeps it",
      "s, t = '-' * 300, ''\ns += 'a'\ndef f():\n  global t\n  t = s\n  return 'c'\ns += "
      "f()\nprint(s[300:], "
      "t[300:])",
      "ac a\n" },
    { "what is added fails",
      "s = '-' * 300\ns += 'a'\ntry: s += 1 / 0\nexcept ZeroDivisionError: pass\ns += "
      "'b'\nprint(s[300:])",
      "ab\n" },
    { "a closure",
      "def f():\n  s = '-' * 300\n  def g():\n    nonlocal s\n    s += 'a'\n    return s\n  return "
      "[g(), g(), s]\n"
      "print([x[300:] for x in f()])",
      "['a', 'aa', 'aa']\n" },
    { "globals()", "s = '-' * 300\ns += 'a'\nt = globals()['s']\ns += 'b'\nprint(t[300:], s[300:])",
      "a ab\n" },
    { "locals()",
      "def f():\n  s = '-' * 300\n  s += 'a'\n  t = locals()['s']\n  s += 'b'\n  return t[300:], "
      "s[300:]\nprint(f())",
      "('a', 'ab')\n" },
    { "a class",
      "class C:\n  s = '-' * 300\n  s += 'a'\nt = C.s\nC.s += 'b'\nprint(t[300:], C.s[300:])",
      "a ab\n" },
    { "characters", "s = '\u2603' * 300\ns += '\u00e9'\ns += '\u00e9'\nprint(len(s), s[300:])",
      "302 \u00e9\u00e9\n" },
    { "a hash",
      "s = '-' * 300\ns += 'a'\nd = {s: 1}\ns += 'b'\nd[s] = 2\nprint(len(d), d['-' * 300 + 'ab'])",
      "2 2\n" },
    { "a generator",
      "def g():\n  s = '-' * 300\n  while True:\n    s += yield s\nx = "
      "g()\nnext(x)\nprint(next(g())[300:])",
      "\n" },
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
    return RUN_CASES(cases, ends_well) + RUN_CASES(growing, ends_well);
}
