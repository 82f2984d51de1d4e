#include "config/limits.h"
#include "unit/config/fixture.h"
#include "unit/test.h"

/* Every limit ends in its message, and nothing catches it. */

struct limit_case {
    const char *name, *text, *part; /* of the outcome */
};

static const struct limit_case cases[] = {
    { "steps", "while True: pass",
      "limit_exceeded: the configuration takes more than 20000000 steps" },
    { "steps cannot be caught", "while True:\n  try:\n    while True: pass\n  except: pass",
      "limit_exceeded: " },
    { "memory", "x = []\nwhile True: x.append('a' * 1000000)",
      "limit_exceeded: the configuration takes more than 160000000 bytes" },
    { "call depth is Python's",
      "def f(): return f()\ntry:\n  f()\nexcept RecursionError as e: print(e)",
      "maximum recursion depth exceeded\n" },
    { "text", "x = 'a' * 10 ** 9", "limit_exceeded: a text is longer than 16000000 bytes" },
    { "text by a method", "x = 'a'.ljust(10 ** 9)", "limit_exceeded: a text is longer" },
    { "text by templates",
      "s = String('a')\nfor i in range(40): s = String('{{x}}{{x}}').bind(x=s)\nprint(s)",
      "limit_exceeded: " },
    { "list", "x = [0] * 10 ** 9", "limit_exceeded: a list has more than 2000000 items" },
    { "list that grows by itself", "x = [0]\nwhile True: x += x",
      "limit_exceeded: a list has more than" },
    { "whole numbers", "x = 9 ** 9 ** 9",
      "limit_exceeded: a whole number has more than 100000 bits" },
    { "output", "while True: print('x' * 10000)",
      "limit_exceeded: print() wrote more than 1000000 bytes" },
    { "generators", "def g():\n  yield from g()\nlist(g())",
      "limit_exceeded: more than 200 generators are under way" },
    { "nested iterators", "x = iter([1])\nfor _ in range(100000): x = map(str, x)\nlist(x)",
      "python_error RecursionError" },
    { "jobs", "j = Job()\njobs = [j] * 20001",
      "limit_exceeded: the configuration has more than 20000 jobs" },
    { "regular expressions", "import re\nre.match('(a+)+$', 'a' * 40 + 'b')",
      "limit_exceeded: a regular expression takes more than" },
    { "classes", "C = object\nfor i in range(300):\n  class D(C): pass\n  C = D",
      "limit_exceeded: a class has more than 200 classes" },
    { "includes of itself", "include('test.aurora')",
      "python_error RecursionError: maximum recursion depth exceeded: more than 50 files" },
    { "width", "x = '{:>1000001}'.format(1)",
      "limit_exceeded: the width in a format is larger than 1000000" },
    { "width of %", "x = '%*d' % (1000001, 1)",
      "limit_exceeded: the width in a format is larger than 1000000" },
    { "precision", "x = '%.1001f' % 1.5",
      "limit_exceeded: the precision in the format of a number is larger than 1000" },
    { "precision of text is its length", "print(len('%.5000s' % ('a' * 6000)))", "5000\n" },
    { "indentation of JSON", "import json\njson.dumps([1], indent=1000001)",
      "limit_exceeded: the indentation of JSON is larger than 1000000" },
    { "text of a whole number", "int('7' * 100001)",
      "limit_exceeded: the text of a whole number is longer than 100000 bytes" },
    { "unpacking", "a, *b = range(10 ** 12)",
      "limit_exceeded: a list has more than 2000000 items" },
    { "a slice that grows", "x = [0] * 10 ** 6\nwhile True: x[1:1] = x",
      "limit_exceeded: a list has more than 2000000 items" },
    { "powers modulo", "pow(3 ** 60000, 3 ** 60000, 3 ** 60000 - 2)",
      "limit_exceeded: a whole number has more than 100000 bits" },
    { "reading is work", "s = 'a' * 10 ** 6\nwhile True: 'b' in s", "steps to evaluate" },
    { "moving is work", "x = [0] * 10 ** 6\nwhile True: x.insert(0, x.pop())",
      "steps to evaluate" },
    { "matching is work", "import re\nwhile True: re.match('(a+)+$', 'a' * 14 + 'b')",
      "steps to evaluate" },
    { "a queue is none",
      "d = dict.fromkeys(range(100000))\nwhile d: del d[next(iter(d))]\nprint(len(d))", "0\n" },
    { "answers",
      "j = Job(cluster='c', role='r', environment='e', task=SimpleTask('a', 'b' * 10 ** 6))\n"
      "jobs = [j(name='a%d' % i) for i in range(100)]",
      "limit_exceeded: the jobs take more than 40000000 bytes" },
    { "tuples in tuples", "x = ()\nfor i in range(100000): x = (x,)\nhash(x)",
      "python_error RecursionError" },
    { "lists in lists", "x = []\nfor i in range(100000): x = [x]\nprint(x)",
      "python_error RecursionError" },
    { "lists in themselves", "x, y = [], []\nx.append(x)\ny.append(y)\nprint(x == y)",
      "python_error RecursionError" },
};

static void ends_in_message(void **state)
{
    const struct limit_case *row = *state;
    struct fixture fixture;
    fixture_init(&fixture, row->text);
    fixture_run(&fixture);
    const char *outcome = fixture_outcome(&fixture);
    if (!strstr(outcome, row->part))
        fail_msg("\"%s\" does not hold \"%s\"", outcome, row->part);
    fixture_done(&fixture);
}

/* Source text of many equal parts. */
struct nested_case {
    const char *name, *start, *part, *end, *message;
    int times;
};

static const struct nested_case nested[] = {
    { "brackets", "x = ", "(", "", "too many nested parentheses", 5000 },
    { "signs", "x = ", "-", "1", "more than 800 expressions or blocks", 50000 },
    { "negations", "x = ", "not ", "1", "more than 800 expressions or blocks", 50000 },
    { "operators", "x = 1", "+1", "", "an expression has more than 4000 operators", 50000 },
    { "attributes", "x = a", ".b", "", "an expression has more than 4000 operators", 50000 },
    { "lambdas", "x = ", "lambda: ", "1", "more than 800 expressions or blocks", 50000 },
    { "parameters", "def f(", "a=1,", "): pass", "a function has more than 1000 parameters", 2000 },
    { "errors", "x = 1\n", "x = = 1\n", "", "invalid syntax", 100000 },
    { "memory", "", "a;", "", "the file takes more than 160000000 bytes of memory", 2000000 },
    { "conditions", "x = ", "1 if 1 else ", "1", "more than 800 expressions or blocks", 50000 },
};

static void is_refused(void **state)
{
    const struct nested_case *row = *state;
    struct fixture fixture;
    struct text text = TEXT_INIT;
    text_add(&text, row->start);
    for (int i = 0; i < row->times; i++)
        text_add(&text, row->part);
    text_add(&text, row->end);
    fixture_init(&fixture, text_string(&text));
    fixture_run(&fixture);
    assert_non_null(fixture.response->error);
    assert_string_equal(fixture.response->error->class_, ERROR_SYNTAX);
    bool is_said = strstr(fixture.response->error->message, row->message);
    for (size_t i = 0; i < fixture.response->n_more_errors; i++)
        is_said |= strstr(fixture.response->more_errors[i]->message, row->message) != NULL;
    assert_true(is_said);
    text_done(&text);
    fixture_done(&fixture);
}

int main(void)
{
    return RUN_CASES(cases, ends_in_message) + RUN_CASES(nested, is_refused);
}
