"""Files that want to take more time or memory than anybody has.  Each must end within a second and 256 MB, as a whole
process, in the message that its row expects; every process that takes part is counted."""
import json, os, resource, subprocess, sys, tempfile, time
from concurrent.futures import ThreadPoolExecutor
from queue import Queue


def start_others():
    """A process starts with the peak of memory of the one that starts it, so a small one does that."""
    def prepare():
        resource.setrlimit(resource.RLIMIT_CPU, (3, 3))
    for line in sys.stdin:
        folder, command = json.loads(line)
        with open(os.path.join(folder, 'out'), 'wb') as out:
            started = time.monotonic()
            process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=out, preexec_fn=prepare)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = status
        print(json.dumps([status, time.monotonic() - started, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024]), flush=True)


if sys.argv[1:] == ['--start-others']:
    start_others()
    sys.exit()
WORKERS = os.cpu_count() or 1
starters = Queue()
for _ in range(WORKERS):
    starters.put(subprocess.Popen([sys.executable, __file__, '--start-others'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))

eos = os.path.join(os.environ['EOS_BIN'], 'eos')
MOST_SECONDS = float(os.environ.get('EOS_HOSTILE_SECONDS', 1))  # of processor time, which does not depend on who else is there
MOST_BYTES = 256 * 1000 * 1000
DEEP = 200000
LIMIT = 'steps to evaluate|bytes of memory|has more than|longer than|larger than'


def nested(before, after='', middle='1', times=DEEP):
    return 'x = ' + before * times + middle + after * times


def lines(*text):
    return '\n'.join(text)


class File(str):
    """Other files that stand beside the configuration."""
    def __new__(cls, text, **others):
        self = str.__new__(cls, text)
        self.others = others
        return self


# name: (text, part of the message; None: it ends well)
rows = {
    # time
    'endless loop': ('while True: pass', 'more than 20000000 steps'),
    'endless loop that catches': ('while True:\n  try:\n    while True: pass\n  except: pass\n  finally: continue', 'steps'),
    'endless comprehension': ('import itertools\nx = [0 for _ in itertools.count() if 0]', 'steps'),
    'endless iterator in C': ('import itertools\nx = sum(itertools.repeat(1))', 'steps'),
    'endless search in an iterator': ('import itertools\nx = 1 in itertools.repeat(0)', 'steps'),
    'endless cycle': ('import itertools\nx = list(itertools.cycle("a"))', 'a list has more than'),
    'endless zip': ('import itertools\nfor x in zip(itertools.count(), itertools.cycle([1])): pass', 'limit'),
    'endless filter': ('import itertools\nx = next(filter(None, itertools.repeat(0)))', 'steps'),
    'endless dropwhile': ('import itertools\nx = next(itertools.dropwhile(lambda v: True, itertools.repeat(0)))', 'steps'),
    'endless call chain': ('def f(): return f()\nf()', 'maximum recursion depth'),
    'exponential calls': ('def f(n): return f(n - 1) + f(n - 1) if n else 1\nf(100)', 'steps'),
    'exponential exceptions': ('def f():\n  try: f()\n  finally: f()\nf()', 'limit'),
    'long range': ('for x in range(10 ** 15): pass', 'steps'),
    'sum of a range': ('sum(range(10 ** 12))', 'steps'),
    'max of a range': ('max(range(10 ** 12))', 'limit'),
    'unpacking a range': ('a, *b = range(10 ** 12)', 'a list has more than'),
    'long range in a list': ('x = list(range(10 ** 12))', 'a list has more than'),
    'float in a range': ('print(1.5 in range(10 ** 12))', 'steps'),
    'products': ('import itertools\nfor x in itertools.product(*[range(100)] * 10): pass', 'limit'),
    'combinations': ('import itertools\nx = list(itertools.combinations(range(60), 30))', 'limit'),
    'permutations': ('import itertools\nfor x in itertools.permutations(range(20)): pass', 'limit'),
    'comparisons of lists': ('a = b = []\nfor i in range(60): a, b = [a, a], [b, b]\na == b', 'steps'),
    'comparisons of different lists': ('a, b = [], []\nfor i in range(60): a, b = [a, a], [b, b]\nprint(a == b, a < b)', 'steps'),
    'repr of shared lists': ('a = []\nfor i in range(60): a = [a, a]\nprint(a)', 'limit_exceeded|longer than|more than'),
    'hash of shared tuples': ('a = ()\nfor i in range(60): a = (a, a)\nhash(a)', 'steps'),
    'copies of shared lists': ('import copy\na = [1]\nfor i in range(60): a = (a, [a])\ncopy.deepcopy(a)', None),
    'JSON of shared lists': ('import json\na = []\nfor i in range(60): a = [a, a]\njson.dumps(a)', 'limit|longer|more than'),
    'templates from shared lists': ('a = "x"\nfor i in range(60): a = [a, a]\nx = Map(String, String)(a=a)', ''),
    'structs from shared maps': ('class P(Struct): pass\na = {}\nfor i in range(60): a = {"a": a, "b": a}\nx = String("{{x}}").bind(x=a)', ''),
    'long scans': ('s = "a" * 10 ** 7\nfor i in range(10 ** 6): "b" in s', 'steps'),
    'long finds': ('s = "a" * 10 ** 7\nfor i in range(10 ** 6): s.find("ab")', 'steps'),
    'quadratic finds': ('s = "a" * 10 ** 6\nfor i in range(1000): s.find("a" * 5 * 10 ** 5 + "b")', 'limit'),
    'long counts': ('s = "a" * 10 ** 7\nfor i in range(10 ** 6): s.count("a")', 'steps'),
    'long copies of texts': ('s = "a" * 10 ** 7\nfor i in range(10 ** 6): t = s + "b"', 'limit'),
    'long slices': ('s = "a" * 10 ** 7\nfor i in range(10 ** 6): t = s[1:]', 'limit'),
    'long splits': ('s = "a " * 10 ** 6\nfor i in range(10 ** 6): t = s.split()', 'limit'),
    'characters of a long text': ('s = "\u00e9" * 10 ** 6\nfor i in range(10 ** 6): s[i]', None),
    'comparisons of long texts': ('s, t = "a" * 10 ** 7, "a" * 10 ** 7\nfor i in range(10 ** 6): s == t', 'steps'),
    'long case changes': ('s = "a" * 10 ** 7\nfor i in range(10 ** 6): s.upper()', 'limit'),
    'long replacements': ('s = "a" * 10 ** 6\nfor i in range(10 ** 6): s.replace("a", "bb")', 'limit'),
    'long strips': ('s = " " * 10 ** 7\nfor i in range(10 ** 6): s.strip()', 'steps'),
    'long tests of letters': ('s = "a" * 10 ** 7\nfor i in range(10 ** 6): s.isalpha()', 'steps'),
    'long starts': ('s = "a" * 10 ** 7\nfor i in range(10 ** 6): s.startswith(s)', 'steps'),
    'long joins': ('s = ["a" * 1000] * 10000\nfor i in range(10 ** 6): "".join(s)', 'limit'),
    'long translations': ('s = "a" * 10 ** 7\nfor i in range(1000): s.translate({97: 98})', 'limit'),
    'list removal at the front': ('x = [0] * 10 ** 6\nwhile x: x.pop(0)', 'steps'),
    'list insertion at the front': ('x = []\nwhile len(x) < 10 ** 6: x.insert(0, 1)', 'steps'),
    'list search': ('x = [0] * 10 ** 6\nfor i in range(10 ** 6): 1 in x', 'steps'),
    'list copies': ('x = [0] * 10 ** 6\nfor i in range(10 ** 6): y = x[:]', 'limit'),
    'list reversals': ('x = [0] * 10 ** 6\nfor i in range(10 ** 6): x.reverse()', 'steps'),
    'list deletions of slices': ('x = [0] * 10 ** 6\nfor i in range(10 ** 6): del x[0:1]', 'steps'),
    'sums of lists': ('x = sum([[1]] * 10 ** 6, [])', 'limit'),
    'sums of texts': ('s = ""\nfor i in range(10 ** 6): s += "a"', None),
    'sorting with a slow key': ('def k(x):\n  while True: pass\nsorted([1, 2], key=k)', 'steps'),
    'sorting much': ('x = list(range(1000000, 0, -1)) * 2\nfor i in range(100):\n  x.sort()\n  x.reverse()', 'limit'),
    'a comparison that never agrees': ('import functools\nx = list(range(100000))\nx.sort(key=functools.cmp_to_key(lambda a, b: -1))', None),
    'keys with one hash': ('class K:\n  def __hash__(s): return 1\n  def __eq__(s, o): return s is o\nd = {K(): i for i in range(10 ** 5)}', 'limit'),
    'whole numbers with one hash': ('d = {i << 61: i for i in range(20000)}\nfor k in range(10): e = {(i << 61) * (2 ** 61 - 1): i for i in range(20000)}', ''),
    'whole numbers with common low bits': ('d = {i << 40: i for i in range(200000)}', ''),
    'floats with one hash': ('d = {2.0 ** i * j: i for i in range(500) for j in range(100)}', ''),
    'tuples with one hash': ('d = {(i, -i): i for i in range(100000)}', ''),
    'popitem from the front': ('d = dict.fromkeys(range(200000))\nwhile d: del d[next(iter(d))]', 'steps|'),
    'sets of the same': ('s = set(range(100000))\nfor i in range(10 ** 5): s & s', 'limit|steps'),
    'sets compared': ('s, t = set(range(10 ** 5)), set(range(10 ** 5))\nfor i in range(10 ** 5): s == t', 'steps'),
    'dicts compared': ('s, t = dict.fromkeys(range(10 ** 5)), dict.fromkeys(range(10 ** 5))\nfor i in range(10 ** 5): s == t', 'steps'),
    'a catastrophic regular expression': ("import re\nre.match('(a+)+$', 'a' * 40 + 'b')", 'regular expression takes more'),
    'many hard regular expressions': ("import re\nfor i in range(10 ** 6):\n  try: re.match('(a+)+$', 'a' * 40 + 'b')\n  except Exception: pass", 'regular expression takes more'),
    'many half hard regular expressions': ("import re\nfor i in range(10 ** 6): re.match('(a+)+$', 'a' * 15 + 'b')", 'steps'),
    'a quadratic regular expression': ("import re\nre.sub('(a|aa)*b', '', 'a' * 10 ** 5)", ''),
    'a long search': ("import re\nfor i in range(10 ** 6): re.search('b', 'a' * 10 ** 6)", 'steps|limit'),
    'many compiled regular expressions': ("import re\nfor i in range(10 ** 6): re.compile('a%d' % i)", 'steps|limit'),
    'a large regular expression': ("import re\nre.compile('((((a{1,100}){1,100}){1,100}){1,100})')", ''),
    'a long regular expression': ("import re\nfor i in range(1000): re.compile('(a|b)' * 100000 + str(i))", ''),
    'a deep regular expression': ("import re\nre.compile('(' * 100000 + ')' * 100000)", 'longer than'),
    'a regular expression that backtracks in many groups': ("import re\nre.match('(x?){60}' + 'x' * 60 + '$', 'x' * 60 + 'y')", ''),
    'many findall': ("import re\nfor i in range(10 ** 6): re.findall('a', 'a' * 10 ** 5)", 'limit|steps'),
    'dedents': ('import textwrap\nfor i in range(10 ** 6): textwrap.dedent(" a\\n" * 10 ** 5)', 'limit|steps'),
    'wraps': ('import textwrap\nfor i in range(10 ** 6): textwrap.wrap("a b " * 10 ** 5)', 'limit|steps'),
    'digests': ('import hashlib\nx = b"a" * 10 ** 7\nfor i in range(10 ** 6): hashlib.sha256(x).hexdigest()', 'limit'),
    'digests of little': ('import hashlib\nfor i in range(10 ** 7): hashlib.sha512(b"a").hexdigest()', 'limit|steps'),
    'JSON read again and again': ('import json\nt = json.dumps(list(range(10 ** 5)))\nfor i in range(10 ** 6): json.loads(t)', 'limit|steps'),
    'JSON written again and again': ('import json\nx = list(range(10 ** 5))\nfor i in range(10 ** 6): json.dumps(x)', 'limit|steps'),
    # numbers
    'a tower of powers': ('x = 9 ** 9 ** 9 ** 9', 'a whole number has more than'),
    'a power of a power': ('x = 2\nwhile True: x = x ** 2', 'a whole number has more than'),
    'a shift': ('x = 1 << 10 ** 18', 'a whole number has more than'),
    'a factorial': ('import math\nx = math.factorial(10 ** 9)', 'a whole number has more than'),
    'factorials': ('import math\nfor i in range(10 ** 6): math.factorial(8000)', 'limit|steps'),
    'big products': ('x = 1 << 49999\nfor i in range(10 ** 6): x * x', 'limit|steps'),
    'big quotients': ('x = 3 ** 60000\ny = 3 ** 30000\nfor i in range(10 ** 6): x // y', 'limit|steps'),
    'big powers modulo': ('x = 3 ** 60000\nfor i in range(1000): pow(x, x, x - 2)', 'limit|steps'),
    'big numbers as text': ('x = 3 ** 60000\nfor i in range(10 ** 6): str(x)', 'limit|steps|digits'),
    'text as big numbers': ('x = "7" * 30000\nfor i in range(10 ** 6): int(x)', 'limit|steps|digits'),
    'text as a huge number': ('x = int("7" * 10 ** 7)', 'the text of a whole number is longer than'),
    'text as a huge hexadecimal number': ('x = int("f" * 10 ** 7, 16)', 'whole number'),
    'a huge number in the source': ('x = ' + '7' * 3900000, 'integer literal has more than'),
    'huge numbers in the source': (lines(*['x = ' + '7' * 30000] * 200), ''),
    'a huge float in the source': ('x = ' + '7' * 4000000 + '.5e-3999000', ''),
    'text as huge floats': ('t = "7" * 10 ** 6\nfor i in range(1000): float(t)', ''),
    'roots': ('import math\nx = 3 ** 60000\nfor i in range(10 ** 6): math.isqrt(x)', 'limit|steps|no attribute'),
    'common divisors': ('import math\nx, y = 3 ** 60000, 2 ** 90000 - 1\nfor i in range(10 ** 6): math.gcd(x, y)', 'limit|steps'),
    'digits': ('x = round(3 ** 60000, -20000)\nfor i in range(10 ** 5): round(x, -i)', 'limit|steps'),
    'fractions': ('for i in range(10 ** 7): (1e300).as_integer_ratio()', ''),
    # memory
    'a long text': ("x = 'a' * 10 ** 9", 'a text is longer than'),
    'a longer text': ("x = 'a'\nwhile True: x += x", 'a text is longer than'),
    'a long text in a text': ("x = (('a' * 10 ** 7) * 10 ** 7)", 'a text is longer than'),
    'long bytes': ("x = b'a' * 10 ** 12", 'longer than|more than'),
    'bytes by number': ("x = bytes(10 ** 12)", 'longer than|more than'),
    'bytearrays': ("x = bytearray(10 ** 12)", ''),
    'a long list': ('x = [0] * 10 ** 12', 'a list has more than'),
    'lists in lists': ('x = [[0] * 10 ** 6] * 10 ** 6\ny = [i * 2 for i in x]', 'limit'),
    'lists that grow': ('x = []\nwhile True: x.append([0] * 1000)', 'takes more than 160000000 bytes'),
    'a list that extends itself': ('x = [0]\nwhile True: x.extend(x)', 'a list has more than'),
    'a dict that grows': ('d = {}\nfor i in range(10 ** 9): d[i] = i', 'limit'),
    'a set that grows': ('x = set()\nfor i in range(10 ** 9): x.add(i)', 'limit'),
    'a width': ("x = '{:>1000000000}'.format(1)", 'the width in a format is larger than 1000000'),
    'a width that is given': ("x = '{:>{}}'.format(1, 10 ** 9)", 'the width in'),
    'a precision': ("x = '{:.1000000000f}'.format(1.5)", 'the precision in the format of a number is larger than 1000'),
    'a width of %': ("x = '%*d' % (10 ** 9, 1)", 'the width in'),
    'a precision of %': ("x = '%.*f' % (10 ** 9, 1)", 'the precision in'),
    'a precision of % on whole numbers': ("x = '%.999999999d' % 1", 'the precision in'),
    'a width beyond all numbers': ("x = '{:99999999999999999999}'.format(1)", 'the width in'),
    'a width of an f-string': ("n = 10 ** 9\nx = f'{1:{n}}'", 'the width in'),
    'f-strings in f-strings': ("x = '{0:{0:{0:{0}}}}'.format(10 ** 9)", ''),
    'tabs': ("x = ('\\t' * 10 ** 6).expandtabs(10 ** 6)", 'longer than'),
    'filling': ("x = 'a'.zfill(10 ** 9)", 'longer than'),
    'replacing nothing': ("x = 'a' * 10 ** 7\ny = x.replace('', x)", 'longer than'),
    'joining': ("x = ('a' * 10 ** 6).join(['b'] * 10 ** 6)", 'longer than'),
    'replacing by expression': ("import re\nx = re.sub('', 'a' * 10 ** 6, 'b' * 10 ** 6)", 'longer than'),
    'indentation of JSON': ("import json\nx = json.dumps([[[]]], indent=10 ** 9)", 'limit'),
    'template of string': ("import string\nx = string.Template('$a' * 10 ** 5).substitute(a='b' * 10 ** 6)", 'longer than'),
    'slices assigned': ('x = [0] * 10 ** 6\nwhile True: x[1:1] = x', 'a list has more than'),
    'printing': ("while True: print('x' * 10000)", 'print() wrote more than'),
    'printing many at once': ("print(*['x' * 10 ** 6] * 10 ** 5)", 'limit|print() wrote'),
    'generators': ('def g():\n  yield from g()\nlist(g())', 'generators'),
    'generators side by side': ('def g(): yield 1\nx = [g() for i in range(10 ** 6)]\nfor y in x: next(y)', 'generators|limit|steps'),
    'closures': ('f = lambda: 0\nfor i in range(10 ** 7): f = (lambda g: lambda: g)(f)', 'limit'),
    'classes': ('x = []\nfor i in range(10 ** 7):\n  class C: a = 1\n  x.append(C)', 'limit'),
    'class lines': ('C = object\nwhile True:\n  class D(C): pass\n  C = D', 'classes'),
    'named tuples': ("import collections\nfor i in range(10 ** 6): collections.namedtuple('N', ['a%d' % j for j in range(1000)])", 'limit|steps'),
    'exceptions that hang together': ('def f(n):\n  try: raise ValueError("a" * 10 ** 6)\n  except ValueError:\n    f(n + 1)\nf(0)', 'limit|recursion'),
    'a queue': ('import collections\nx = collections.deque(range(10 ** 6), 10 ** 12)\nwhile True: x.extend(list(x))', 'limit|more than'),
    'a default for every key': ('import collections\nx = collections.defaultdict(list)\nfor i in range(10 ** 9): x[i].append(i)', 'limit'),
    'a counter': ("import collections\nx = collections.Counter(a=10 ** 12)\ny = list(x.elements())", 'more than'),
    'a tee': ('import itertools\na, b = itertools.tee(itertools.count())\nfor i in a: pass', 'limit|steps'),
    'environment': ("import os\nfor i in range(10 ** 7): os.environ[str(i)] = 'a' * 1000", 'limit'),
    # depth
    'brackets': (nested('('), 'too many nested'),
    'closed brackets': (nested('[', ']'), 'too many nested'),
    'braces': (nested('{'), 'too many nested'),
    'signs': (nested('-'), '800 expressions'),
    'not': (nested('not '), '800 expressions'),
    'lambdas': (nested('lambda: '), '800 expressions'),
    'conditions': (nested('1 if 1 else '), '800 expressions'),
    'powers': (nested('2 ** '), '800 expressions|operators'),
    'stars': ('f(' + '*' * DEEP + 'a)', 'invalid syntax'),
    'sums': (nested('1 + '), '4000 operators'),
    'comparisons': (nested('1 < '), None),
    'and': (nested('1 and '), '4000 operators'),
    'attributes': ('x = a' + '.b' * DEEP, '4000 operators'),
    'calls': ('x = a' + '()' * DEEP, '4000 operators'),
    'indexes': ('x = a' + '[0]' * DEEP, '4000 operators'),
    'blocks': (lines(*[' ' * i + 'if 1:' for i in range(2000)]), 'too many|800|nested|100'),
    'elif': ('if 0: pass\n' + 'elif 0: pass\n' * 50000, ''),
    'else if': (lines(*['  ' * i + 'if 0: pass\n' + '  ' * i + 'else:' for i in range(1000)]), ''),
    'decorators': ('@f\n' * DEEP + 'def g(): pass', "name 'f' is not defined"),
    'targets': ('x = ' * DEEP + '1', None),
    'starred targets': (','.join(['*a'] * DEEP) + ' = 1', 'starred|'),
    'f-strings': ("x = " + "f'{" * 3000, ''),
    'f-strings in themselves': ("x = f'" + '{1:' * DEEP + "'", ''),
    'patterns': ('match 1:\n  case ' + '[' * DEEP + ': pass', 'too many nested'),
    'pattern choices': ('match 1:\n  case ' + '0 | ' * DEEP + '0: pass', ''),
    'string pieces': ('x = ' + "'a' " * DEEP, None),
    'comprehension clauses': ('x = [0 ' + 'for a in [1] ' * 5000 + ']', ''),
    'arguments': ('f(' + 'a, ' * DEEP + ')', "name 'f' is not defined"),
    'parameters': ('def f(' + ', '.join('a%d' % i for i in range(50000)) + '): pass', 'more than 1000 parameters'),
    'equal parameters': ('def f(' + ', '.join('a' for i in range(DEEP)) + '): pass', 'more than 1000 parameters'),
    'names': (lines(*['a%d = 1' % i for i in range(DEEP)]), None),
    'names of a function': ('def f():\n' + lines(*['  a%d = 1' % i for i in range(50000)]), None),
    'functions': (lines(*['def f%d(): pass' % i for i in range(50000)]), None),
    'globals': ('def f():\n  global ' + ', '.join('a%d' % i for i in range(50000)), 'declares too many names'),
    'keywords': ('dict(' + ', '.join('a%d=1' % i for i in range(50000)) + ')', 'more than 5000 keywords'),
    'many errors': ('x = = 1\n' * DEEP, 'invalid syntax'),
    'dict entries': ('x = {' + ', '.join('%d: 1' % i for i in range(DEEP)) + '}', None),
    'tokens': ('a;' * 1900000, 'the file takes more than 160000000 bytes'),
    'dots': ('x = ' + '.' * 3900000, 'invalid syntax'),
    'indentation': (' ' * 3900000 + 'x = 1', 'unexpected indent'),
    'a backslash after the other': ('x = 1' + '\\\n' * 2000000, ''),
    'one long comment': ('#' + 'a' * 3900000, 'No job'),
    'one long text': ("x = '" + 'a' * 3900000 + "'", 'No job'),
    'escapes': ("x = '" + '\\x41' * 950000 + "'", 'No job'),
    'names of characters': ("x = '" + '\\N{BULLET}' * 390000 + "'", 'No job|'),
    'a long line with an error at its end': ('x = [' + '1, ' * 1000000 + '$]', 'invalid syntax'),
    'lists in lists, printed': ('x = []\nfor i in range(10 ** 5): x = [x]\nprint(x)', 'recursion'),
    'lists in lists, compared': ('x, y = [], []\nfor i in range(10 ** 5): x, y = [x], [y]\nx == y', 'recursion'),
    'tuples in tuples, hashed': ('x = ()\nfor i in range(10 ** 5): x = (x,)\nhash(x)', 'recursion'),
    'lists in lists, copied': ('import copy\nx = []\nfor i in range(10 ** 5): x = [x]\ncopy.deepcopy(x)', 'recursion'),
    'lists in lists, as JSON': ('import json\nx = []\nfor i in range(10 ** 5): x = [x]\njson.dumps(x)', 'recursion|Circular'),
    'a dict in itself, as JSON': ('import json\nx = {}\nx["a"] = x\njson.dumps(x)', 'Circular|recursion'),
    'JSON in JSON': ('import json\njson.loads("[" * 10 ** 6)', 'recursion'),
    'iterators of iterators': ('x = iter([1])\nfor i in range(10 ** 5): x = map(str, x)\nlist(x)', 'recursion'),
    'chains of chains': ('import itertools\nx = iter([1])\nfor i in range(10 ** 5): x = itertools.chain(x, [1])\nlist(x)', 'recursion'),
    'partials of partials': ('import functools\nf = print\nfor i in range(10 ** 5): f = functools.partial(f, i)\nf()', ''),
    'bound methods': ('class A:\n  def __call__(s): return s()\nA()()', 'recursion'),
    'attributes that ask for themselves': ('class A:\n  def __getattr__(s, n): return getattr(s, n + "a")\nA().b', 'recursion'),
    'repr that asks for itself': ('class A:\n  def __repr__(s): return repr(s)\nprint(A())', 'recursion'),
    'equality that asks for itself': ('class A:\n  def __eq__(s, o): return s == o\nA() == A()', 'recursion'),
    'sorting that sorts': ('def f(x): return sorted([1, 2], key=f)\nf(1)', 'recursion'),
    'default values of defaults': ('import collections\ndef f(): return collections.defaultdict(f)[1]\nf()', 'recursion'),
    'replacements that replace': ('import re\ndef f(m): return re.sub("a", f, "a")\nf(0)', 'recursion'),
    'reductions that reduce': ('import functools\ndef f(a, b): return functools.reduce(f, [1, 2])\nf(1, 2)', 'recursion'),
    'formats that format': ('class A:\n  def __format__(s, f): return format(s, f)\nprint(f"{A()}")', 'recursion'),
    'iterations that iterate': ('class A:\n  def __iter__(s): return iter(s)\nlist(A())', 'recursion'),
    # templates
    'templates of templates': ("s = String('a')\nfor i in range(60): s = String('{{x}}{{x}}').bind(x=s)\nprint(s)", 'limit|longer'),
    'templates bound by name': ("s = String('{{a0}}').bind(" + ', '.join("a%d='{{a%d}}{{a%d}}'" % (i, i + 1, i + 1) for i in range(60)) + ")\nprint(s)", 'limit|longer|loop'),
    'templates in a job': ("jobs = [Job(name='a', cluster='c', role='r', environment='e', task=SimpleTask('a', '{{a0}}')).bind(" +
                           ', '.join("a%d='{{a%d}}{{a%d}}'" % (i, i + 1, i + 1) for i in range(60)) + ')]', 'limit|longer|loop|more than'),
    'a template of itself': ("s = String('{{a}}').bind(a='{{a}}b')\nprint(s)", 'loop|recursion|Bindings|'),
    'templates that go round': ("s = String('{{a}}').bind(a='{{b}}{{b}}', b='{{a}}{{a}}')\nprint(s)", ''),
    'references in references': ("s = String('" + '{{' * 100000 + "')\nprint(s)", ''),
    'many references': ("s = String('{{a}}' * 300000).bind(a='b')\nprint(len(str(s)))", ''),
    'many unbound references': ("s = String(' '.join('{{a%d}}' % i for i in range(100000)))\nprint(len(str(s)))", ''),
    'a long reference': ("s = String('{{a" + '.b' * 500000 + "}}')\nprint(len(str(s)))", ''),
    'many bindings': ("s = String('{{a}}')\nfor i in range(100000): s = s.bind(b=i)\nprint(s)", ''),
    'many bindings of different names': ("s = String('{{a}}')\nfor i in range(20000): s = s.bind(**{'b%d' % i: i})\nprint(s)", ''),
    'structs in structs': ("class P(Struct):\n  a = String\nx = P()\nfor i in range(10000):\n  class Q(Struct):\n    a = Default(type(x), x)\n  x = Q()\nprint(x)", ''),
    'lists of lists of types': ('t = String\nfor i in range(100000): t = List(t)\nprint(t)', ''),
    'lists of lists of values': ("t, v = String, 'a'\nfor i in range(2000): t, v = List(t), [v]\nprint(t(v))", ''),
    'choices of choices': ('t = String\nfor i in range(40): t = Choice([t, List(t)])\nprint(t([[[1]]]))', ''),
    'processes': ("jobs = [Job(cluster='c', role='r', environment='e', task=SequentialTask(name='t', resources=Resources(cpu=1, ram=MB, disk=MB), processes=[Process(name='p%d' % i, cmdline='{{mesos.instance}}') for i in range(10000)]))]", ''),
    'tasks together': ("t = SimpleTask('a', 'b')\nfor i in range(200): t = concat_tasks(t, t)\nprint(len(t.processes().get()))", ''),
    'constraints': ("jobs = [Job(cluster='c', role='r', environment='e', constraints={'a%d' % i: ','.join(map(str, range(100))) for i in range(10000)}, task=SimpleTask('a', 'b'))]", ''),
    'an order of a long line': ("x = order(*range(20000))", ''),
    'jobs': ("j = Job(cluster='c', role='r', environment='e', task=SimpleTask('a', 'b'))\njobs = [j] * 20001", 'more than 20000 jobs'),
    'jobs that are all large': ("j = Job(cluster='c', role='r', environment='e', task=SimpleTask('a', 'b' * 10 ** 6))\njobs = [j(name='a%d' % i) for i in range(20000)]", 'the jobs take more than 40000000 bytes'),
    'jobs that are all slow': ("j = Job(cluster='c', role='r', environment='e', task=SimpleTask('a', '{{a}} ' * 3000)).bind(a='{{b}}', b='{{c}}', c='d')\njobs = [j(name='a%d' % i) for i in range(20000)]", 'limit|more than|steps|large'),
    'batches': ("jobs = [Job(cluster='c', role='r', environment='e', task=SimpleTask('a', 'b'), update_config=UpdateConfig(update_strategy=VariableBatchUpdateStrategy(batch_sizes=[1] * 10 ** 6)))]", ''),
    'ports': ("jobs = [Job(cluster='c', role='r', environment='e', task=SimpleTask('a', ' '.join('{{thermos.ports[p%d]}}' % i for i in range(20000))))]", ''),
    # files
    'an include of itself': ("include('main.aurora')", 'files include each other'),
    'includes that go round': (File("include('other.aurora')", other="include('main.aurora')"), 'files include each other'),
    'includes by the thousand': (File("for i in range(10 ** 6): include('other.aurora')", other='x = 1'), 'more than 1000 times'),
    'includes that multiply': (File("include('a.aurora')", a="for i in range(10): include('a.aurora')"), 'files include each other|more than'),
    'a long chain of includes': (File("include('i0.aurora')", **{'i%d' % i: "include('i%d.aurora')" % (i + 1) for i in range(100)}), 'files include each other'),
    'includes that nobody has': ("for i in range(10 ** 6):\n  try: include('none%d.aurora' % i)\n  except Exception: pass", 'over 100 files that cannot be read'),
    'a large source': ('#' * 9000000, 'over 4 MB'),
    'a huge source': ('#' * 100000000, 'over 4 MB'),
    'a huge include': (File("include('other.aurora')", other='#' * 100000000), 'over 4 MB'),
    'bytes that are not text': (b'x = "\xff\xfe"', 'not UTF-8'),
    'a zero': ('x = 1\0', 'null'),
}
json_rows = {
    'JSON of brackets': ('[' * 1000000, 'recursion|nested'),
    'JSON of braces': ('{"a":' * 700000, 'recursion|nested'),
    'JSON with a huge number': ('{"instances": ' + '9' * 1000000 + '}', ''),
    'JSON with many jobs': ('{"jobs": [' + '{},' * 100000 + '{}]}', ''),
    'JSON with a long text': ('{"name": "' + 'a' * 3900000 + '"}', ''),
    'JSON with equal keys': ('{' + '"name": "a",' * 300000 + '"name": "b"}', ''),
    'JSON with many keys': ('{' + ','.join('"a%d": 1' % i for i in range(300000)) + '}', ''),
    'JSON templates that grow': ('{"name": "a", "task": {"name": "' + '{{a}}' * 100000 + '"}}', ''),
}


def run(text, flags, expected):
    """Gives what was wrong with it, the time and the peak of memory."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in [('main', text)] + list(getattr(text, 'others', {}).items()):
            with open(os.path.join(folder, name + '.aurora'), 'wb') as file:
                file.write(content if isinstance(content, bytes) else content.encode())
        starter = starters.get()
        starter.stdin.write(json.dumps([folder, [eos, 'config', 'compile', '--user=u'] + flags + ['main.aurora']]) + '\n')
        starter.stdin.flush()
        status, wall, seconds, peak = json.loads(starter.stdout.readline())
        starters.put(starter)
        said = open(os.path.join(folder, 'out'), errors='replace').read()[-100000:]
    wrong = []
    if os.WIFSIGNALED(status) or os.WEXITSTATUS(status) not in (0, 3):
        wrong.append('ended with status %d' % status)
    if expected is not None and expected != '' and not any(part in said for part in expected.replace('limit', LIMIT).split('|')):
        wrong.append('did not say "%s"' % expected)
    if seconds > MOST_SECONDS:
        wrong.append('took too long')
    if peak > MOST_BYTES:
        wrong.append('took too much memory')
    first = next((line for line in said.splitlines() if 'error' in line or 'main.aurora' in line), said[:200])
    return wrong, seconds, wall, peak, first[-160:]


def main():
    failures, wanted = 0, sys.argv[1:]
    slowest = largest = 0
    tried = [(name, row, flags) for table, flags in ((rows, []), (json_rows, ['--json'])) for name, row in table.items()
             if not wanted or name in wanted]
    with ThreadPoolExecutor(WORKERS) as pool:
        results = list(pool.map(lambda one: run(one[1][0], one[2], one[1][1]), tried))
    for (name, _, _), (wrong, seconds, wall, peak, said) in zip(tried, results):
        failures += bool(wrong)
        slowest, largest = max(slowest, seconds), max(largest, peak)
        if wrong or wanted or os.environ.get('EOS_VERBOSE'):
            print('%-4s %-50s %5.2f s %5.2f s %4d MB  %s %s' % ('FAIL' if wrong else 'ok', name, seconds, wall, peak // 1000000, ', '.join(wrong), said))
    print('%d hostile files, %d failures; at most %.2f s and %d MB' % (len(tried), failures, slowest, largest // 1000000))
    for _ in range(WORKERS):
        starter = starters.get()
        starter.stdin.close()
        starter.wait()
    return failures > 0


sys.exit(main())
