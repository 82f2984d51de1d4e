#include "unit/config/fixture.h"
#include "unit/test.h"

/* What the language prints, row by row as Python 3 prints it. */

struct evaluate_case {
    const char *name, *text, *outcome;
};

static const struct evaluate_case cases[] = {
    { "numbers", "print(7 // 2, -7 // 2, -7 % 3, 2 ** -1, 7 / 2, 1e16, 0.1 + 0.2, round(2.5))",
      "3 -4 2 0.5 3.5 1e+16 0.30000000000000004 2\n" },
    { "whole numbers of any size",
      "print(2 ** 70, -(10 ** 30) // 7, (1 << 100) >> 98, -(2 ** 70) | 3)",
      "1180591620717411303424 -142857142857142857142857142858 4 -1180591620717411303421\n" },
    { "comparing floats and large numbers", "print(2 ** 53 + 1 == float(2 ** 53), 10 ** 30 > 1e29)",
      "False True\n" },
    { "text", "print('a,b,,c'.split(','), 'abc'[::-1], ' a b '.split(None, 1), 'Xy'.swapcase())",
      "['a', 'b', '', 'c'] cba ['a', 'b '] xY\n" },
    { "representation", "print([1, 'it\\'s', None, (2,), {'k': 1.0}, b'x'])",
      "[1, \"it's\", None, (2,), {'k': 1.0}, b'x']\n" },
    { "formats",
      "print('%05d|%-4s|%.2f' % (42, 'a', 3.14159), '{:>5}|{:,}|{!r}'.format('x', 1234567, 'q'), "
      "f'{3:03d}{{}}')",
      "00042|a   |3.14     x|1,234,567|'q' 003{}\n" },
    { "unpacking", "a, (b, *c), d = 1, (2, 3, 4), 5\nprint(a, b, c, d)", "1 2 [3, 4] 5\n" },
    { "closures",
      "def f():\n  n = 0\n  def g():\n    nonlocal n\n    n += 1\n    return n\n  g()\n  return "
      "g()\nprint(f())",
      "2\n" },
    { "comprehensions do not leak",
      "x = 1\nprint([x for x in 'ab'], {k: v for k, v in [(1, 2)]}, x)", "['a', 'b'] {1: 2} 1\n" },
    { "generators",
      "def g():\n  x = 0\n  while True:\n    yield x\n    x += 1\ni = g()\nprint(next(i), next(i), "
      "[v for v, _ in zip(g(), 'ab')])",
      "0 1 [0, 1]\n" },
    { "a generator left in the middle of try",
      "def g():\n  try:\n    yield 1\n  finally:\n    print('x')\nprint(next(g()))", "1\n" },
    { "exceptions",
      "try:\n  {}['a']\nexcept (ValueError, KeyError) as e:\n  print(type(e).__name__, "
      "e)\nfinally:\n  print('f')",
      "KeyError 'a'\nf\n" },
    { "raise again",
      "try:\n  try:\n    1 / 0\n  except ArithmeticError:\n    raise\nexcept ZeroDivisionError as "
      "e:\n  print(e)",
      "division by zero\n" },
    { "return in finally wins",
      "def f():\n  try:\n    return 1\n  finally:\n    return 2\nprint(f())", "2\n" },
    { "with",
      "class C:\n  def __enter__(s): return 5\n  def __exit__(s, *a): print('out'); return "
      "True\nwith C() as v:\n  print(v)\n  raise ValueError",
      "5\nout\n" },
    { "classes",
      "class A:\n  def f(s): return 'A'\nclass B(A):\n  def f(s): return 'B' + "
      "super().f()\nprint(B().f(), isinstance(B(), A))",
      "BA True\n" },
    { "order of bases",
      "class A:\n  n = 'A'\nclass B(A): pass\nclass C(A):\n  n = 'C'\nclass D(B, C): "
      "pass\nprint(D.n)",
      "C\n" },
    { "derived from dict",
      "class D(dict):\n  def __missing__(s, k): return k * 2\nd = D(a=1)\nprint(d['a'], d['x'], d)",
      "1 xx {'a': 1}\n" },
    { "operators of classes",
      "class V:\n  def __init__(s, x): s.x = x\n  def __radd__(s, o): return o + s.x\n  def "
      "__lt__(s, o): return s.x < o.x\nprint(sum([V(1), V(2)]), max(V(1), V(3)).x)",
      "3 3\n" },
    { "sorting is stable", "print(sorted([(1, 'b'), (0, 'z'), (1, 'a')], key=lambda p: p[0]))",
      "[(0, 'z'), (1, 'b'), (1, 'a')]\n" },
    { "json",
      "import json\nprint(json.dumps({'b': [1, None, True], 'a': 'é'}, sort_keys=True), "
      "json.loads('[1.0, {}]'))",
      "{\"a\": \"\\u00e9\", \"b\": [1, null, true]} [1.0, {}]\n" },
    { "re",
      "import re\nprint(re.sub(r'(\\w)-(\\w)', r'\\2\\1', 'a-b'), re.findall('[0-9]+', 'a1b22'))",
      "ba ['1', '22']\n" },
    { "hashlib", "import hashlib\nprint(hashlib.md5(b'a').hexdigest())",
      "0cc175b9c0f1b6a831c399e269772661\n" },
    { "datetime without a clock",
      "import datetime\nprint(datetime.date(2024, 2, 28) + datetime.timedelta(days=2))",
      "2024-03-01\n" },
    { "print statement of Python 2", "x = 1\nprint 'a', x", "a 1\n" },
    { "unused modules can be imported", "import subprocess\nprint(1)", "1\n" },
    { "using them cannot", "import subprocess\nsubprocess.call('x')",
      "python_error AttributeError: module 'subprocess' is not part of the configuration language: "
      "'call' cannot be used" },
    { "no clock", "import datetime\ndatetime.date.today()",
      "python_error RuntimeError: a configuration has no clock, so that it always gives the same "
      "jobs; pass the time in with --bind NAME=VALUE or --env NAME=VALUE" },
    { "no such module", "import nope", "python_error ModuleNotFoundError: No module named 'nope'" },
    { "unbound local", "x = 1\ndef f():\n  x += 1\nf()",
      "name_error: cannot access local variable 'x' where it is not associated with a value" },
    { "arguments",
      "def f(a, b=2, *c, d, **e): return (a, b, c, d, e)\nprint(f(1, d=3), f(1, 2, 3, d=4, z=5))",
      "(1, 2, (), 3, {}) (1, 2, (3,), 4, {'z': 5})\n" },
    { "missing arguments", "def f(a, b): pass\nf(1)",
      "python_error TypeError: f() missing 1 required positional argument: 'b'" },
    { "lists change under their readers",
      "l = [1, 2, 3]\nclass A:\n  def __eq__(s, o):\n    l.clear()\n    return False\nprint(A() in "
      "l, l)",
      "False []\n" },
    { "a generator of tuples in parentheses", "print(list(((i, i * i) for i in range(3))))",
      "[(0, 0), (1, 1), (2, 4)]\n" },
    { "items of with",
      "class C:\n  def __init__(s, n): s.n = n\n  def __enter__(s): return s.n\n"
      "  def __exit__(s, *a): print('out', s.n)\nwith C(1) as a, C(2): print(a)",
      "1\nout 2\nout 1\n" },
    { "several subscripts",
      "class D:\n  def __getitem__(s, k): return k\nprint(D()[1:2, ::3, 4], D()[1,])",
      "(slice(1, 2, None), slice(None, None, 3), 4) (1,)\n" },
    { "methods that would not be called", "class A:\n  def __getattribute__(cls): return 1",
      "python_error NotImplementedError: class A: the method __getattribute__ is not part of the "
      "configuration language" },
    { "a property that can be set",
      "class A:\n  def __init__(s): s._v = 1\n  @property\n  def v(s): return s._v\n  @v.setter\n"
      "  def v(s, x): s._v = x * 2\na = A()\na.v += 3\nprint(a.v)",
      "8\n" },
    { "what a generator returns",
      "def g():\n  yield 1\n  return 'end'\ndef h():\n  print((yield from g()))\nprint(list(h()))",
      "end\n[1]\n" },
    { "a cache is one",
      "import functools\n@functools.lru_cache(maxsize=None)\ndef fib(n): return n if n < 2 else "
      "fib(n - 1) + fib(n - 2)\nprint(fib(90), fib.__name__)",
      "2880067194370816120 fib\n" },
    { "wraps keeps the name",
      "from functools import wraps\ndef d(f):\n  @wraps(f)\n  def w(*a): return f(*a)\n  return "
      "w\n@d\ndef real(): 'doc'\nprint(real.__name__, real.__doc__)",
      "real doc\n" },
    { "named tuples",
      "from collections import namedtuple\nP = namedtuple('P', 'x y')\np = P(1, y=2)\n"
      "print(p._replace(x=5), p._asdict(), p.y, p == (1, 2))",
      "P(x=5, y=2) {'x': 1, 'y': 2} 2 True\n" },
    { "a second point begins an attribute", "print(1.5.is_integer(), 2.0.real, 1if 1 else 2)",
      "False 2.0 1\n" },
    { "special methods by name",
      "print('a'.__len__(), [1].__contains__(1), (5).__add__(3), hasattr(5, '__len__'), "
      "(1).__eq__('a'))",
      "1 True 8 False NotImplemented\n" },
    { "a dict that changes what is put in",
      "class B(dict):\n  def __setitem__(self, k, v):\n    super().__setitem__(k, v * 2)\n"
      "b = B(a=1)\nb['q'] = 5\nprint(b)",
      "{'a': 1, 'q': 10}\n" },
    { "the part of modules that is written in the language",
      "import math, collections, functools, os.path\nlen = 5\n"
      "print(math.isqrt(17), math.comb(5, 2), math.modf(3.25), math.fsum([.1] * 10), math.lcm(4, "
      "6))\n"
      "print(collections.ChainMap({'a': 1}, {'a': 2, 'b': 3}), collections.deque([1, 2, 3], 2))\n"
      "print(os.path.relpath('/a/b/c', '/a/d'), os.path.commonprefix(['/a/bc', '/a/bd']))",
      "4 10 (0.25, 3.0) 1.0 12\nChainMap({'a': 1}, {'a': 2, 'b': 3}) deque([2, 3], maxlen=2)\n"
      "../b/c /a/b\n" },
    { "their mistakes are where they are called", "import math\nmath.isqrt(-1)",
      "python_error ValueError: isqrt() argument must be nonnegative" },
    { "all orders from one",
      "import functools\n@functools.total_ordering\nclass V:\n"
      "  def __init__(self, n): self.n = n\n  def __eq__(self, o): return self.n == o.n\n"
      "  def __lt__(self, o): return self.n < o.n\n"
      "print(V(1) <= V(1), V(2) > V(1), V(1) >= V(2))",
      "True True False\n" },
    { "match: values, names, sequences, mappings, classes",
      "class P:\n  __match_args__ = ('x', 'y')\n"
      "  def __init__(self, x, y): self.x = x; self.y = y\n"
      "def f(v):\n  match v:\n    case 'go' | 'run': return 'verb'\n"
      "    case ['load', *rest]: return rest\n    case {'t': 1, **more}: return more\n"
      "    case P(0, y=y) if y > 1: return y\n    case int(n) | [[n, _]]: return -n\n"
      "    case None: return 'none'\n    case _: return 'other'\n"
      "print([f(v) for v in ('go', ['load', 1, 2], {'t': 1, 'z': 2}, P(0, 2), P(0, 1), 5, "
      "[[6, 7]], None)])",
      "['verb', [1, 2], {'z': 2}, 2, 'other', -5, -6, 'none']\n" },
    { "match is a name", "match = 5\ncase = 1\nmatch += case\nprint(match)", "6\n" },
    { "a class that makes its own instances",
      "class I(int):\n  def __new__(cls, v): return super().__new__(cls, v + 1)\n"
      "class S:\n  one = None\n  def __new__(cls, *a):\n"
      "    cls.one = cls.one or object.__new__(cls)\n    return cls.one\n"
      "  def __init__(self, v): self.v = v\nprint(I(3) + 1, S(1) is S(2), S(3).v)",
      "5 True 3\n" },
    { "counters add up",
      "from collections import Counter\nc = Counter('aab')\nc.update('b')\n"
      "print(c, c - Counter('a'), c & Counter('bbb'), c.total(), list(c.elements()))",
      "Counter({'a': 2, 'b': 2}) Counter({'b': 2, 'a': 1}) Counter({'b': 2}) 4 "
      "['a', 'a', 'b', 'b']\n" },
    { "a mapping of one's own",
      "class M:\n  def keys(self): return ['a', 'b']\n  def __getitem__(self, k): return k * 2\n"
      "print(dict(M()), {**M()})",
      "{'a': 'aa', 'b': 'bb'} {'a': 'aa', 'b': 'bb'}\n" },
    { "encodings",
      "print('\u00e9a'.encode('latin-1'), '\u00e9a'.encode('ascii', 'ignore'), "
      "b'\\xe9'.decode('latin-1') == '\u00e9')",
      "b'\\xe9a' b'a' True\n" },
    { "characters that an encoding does not have", "'\u00e9'.encode('ascii')",
      "python_error UnicodeEncodeError: 'ascii' codec can't encode character '\\xe9' in position "
      "0: ordinal not in "
      "range(128)" },
    { "named tuples with defaults",
      "from collections import namedtuple\nP = namedtuple('P', 'x y', defaults=[9])\n"
      "print(P(1), P._make([3, 4]))",
      "P(x=1, y=9) P(x=3, y=4)\n" },
    { "deques and the order of dicts",
      "from collections import deque, OrderedDict\nd = deque([1, 2])\nd.appendleft(0)\nd.rotate()\n"
      "o = OrderedDict(a=1, b=2, c=3)\no.move_to_end('a')\nprint(list(d), d.popleft(), list(o), "
      "o.popitem(last=False))",
      "[2, 0, 1] 2 ['b', 'c', 'a'] ('b', 2)\n" },
    { "dates that are given",
      "from datetime import date, datetime, timedelta\nd = datetime.strptime('2024-02-28 07:05', "
      "'%Y-%m-%d %H:%M')\nprint(d.replace(hour=9), repr(d.date() + timedelta(days=1)), "
      "timedelta(hours=3) * 2 // 4, -timedelta(1), date.fromisoformat('2024-01-01').isoweekday())",
      "2024-02-28 09:05:00 datetime.date(2024, 2, 29) 1:30:00 -1 day, 0:00:00 1\n" },
    { "groups of a match by item",
      "import re\nm = re.match('(?P<a>x)(y)?', 'x')\nprint(m[1], m['a'], m[2])", "x x None\n" },
    { "annotations with typing",
      "from typing import List, Optional\ndef f(a: List[int], b: Optional[str] = None): return a\n"
      "print(f([1]))",
      "[1]\n" },
    { "a zero byte in what is printed", "print('a\\0b')",
      "a\xef\xbf\xbd"
      "b\n" },
    { "items of dicts compare as sets",
      "d = {'a': [], 'b': 1}\nprint(d.items() >= {('b', 1)}, d.keys() == {'a', 'b'})",
      "True True\n" },
};

static void prints(void **state)
{
    const struct evaluate_case *row = *state;
    struct fixture fixture;
    fixture_init(&fixture, row->text);
    fixture_run(&fixture);
    assert_string_equal(fixture_outcome(&fixture), row->outcome);
    fixture_done(&fixture);
}

int main(void)
{
    return RUN_CASES(cases, prints);
}
