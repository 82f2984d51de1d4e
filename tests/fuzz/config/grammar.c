#include "config/grammar.h"

#define MAX_DEPTH 6

/* A rule is a letter and what may stand for it; "$x" in a text stands for one of rule x, "|" for a
 * line end, and "$|" for itself. */

struct rule {
    char letter;
    const char *const *choices; /* the first is taken when there is no depth left */
};

/* clang-format off */
#define RULE(letter, ...) { letter, (const char *const[]){ __VA_ARGS__, NULL } }

static const struct rule rules[] = {
    /* an expression */
    RULE('e', "1", "L", "D", "S", "T", "$k", "$k", "$k", "''", "'a'", "None", "True", "2.5", "-1", "[]", "()", "{}", "10**20", "b'x'", "x",
         "$a()", "$a()", "$a($e)", "[$e, $e]", "($e, $e)", "{$k: $e}", "{$k, $k}", "$e $o $e", "$e $o $e", "$e[$e]", "$e[$e:$e]", "$e.$n",
         "$e.$n($e)", "$f($e)", "$f($e, $e)", "$e if $e else $e", "not $e", "-$e", "~$e", "lambda *a: $e", "[$e for x in $e]",
         "[$u for x in $e if $e]", "{x: $e for x in $e}", "($e for x in $e)", "(x := $e)", "f'{$e!r:>{3}}'", "f'{$e}'", "'%s' % ($e,)",
         "'{} {!r:5}'.format($e, $e)", "'{0[0]} {0.x}'.format($e)", "sorted($e, key=lambda v: $u)", "min($e, key=lambda v: $u)", "$t", "$m",
         "getattr($e, '$n', $e)", "isinstance($e, $a)", "print($e)", "next($e, $e)", "iter(lambda: $u, $e)", "super($a, $e)", "type($e)"),
    /* a small value */
    RULE('k', "1", "0", "2", "'a'", "'b'", "(1,)", "None", "A()", "B()", "C()", "-1", "1.0", "True"),
    RULE('a', "A", "B", "C", "list", "dict", "set", "str", "int", "tuple", "float", "frozenset", "type(self)", "Exception", "object", "bytes"),
    RULE('o', "+", "-", "*", "/", "//", "%", "==", "!=", "<", "<=", ">", "in", "not in", "is", "and", "or", "$|", "&", "^", "<<", ">>"),
    RULE('f', "str", "repr", "len", "list", "tuple", "set", "dict", "sorted", "sum", "min", "max", "any", "all", "iter", "hash", "bool", "int",
         "float", "abs", "round", "divmod", "enumerate", "zip", "reversed", "range", "map", "filter", "format", "isinstance", "getattr", "hasattr",
         "setattr", "next", "id", "callable", "vars", "dir", "ord", "chr", "bytes", "frozenset", "pow", "issubclass", "super", "property",
         "staticmethod", "classmethod", "slice", "print", "type", "object", "json.dumps", "json.loads", "copy.copy", "copy.deepcopy",
         "functools.reduce", "functools.partial", "functools.lru_cache()", "functools.cmp_to_key", "itertools.chain", "itertools.groupby",
         "itertools.product", "itertools.islice", "itertools.permutations", "itertools.zip_longest", "itertools.accumulate", "itertools.starmap",
         "itertools.cycle", "itertools.tee", "collections.OrderedDict", "collections.Counter", "collections.deque", "collections.defaultdict",
         "collections.namedtuple", "re.sub", "re.findall", "re.match", "string.Template", "textwrap.dedent", "math.floor", "os.path.join",
         "datetime.timedelta", "datetime.date"),
    /* a name behind a dot */
    RULE('n', "x", "y", "append", "clear", "pop", "insert", "extend", "remove", "index", "count", "sort", "reverse", "copy", "keys", "values", "items",
         "get", "setdefault", "update", "popitem", "add", "discard", "union", "intersection", "difference", "symmetric_difference_update",
         "issubset", "isdisjoint", "join", "split", "replace", "format", "format_map", "translate", "strip", "startswith", "encode", "center",
         "__class__", "__dict__", "__name__", "__init__", "__iter__", "__next__", "__len__", "__getitem__", "__setitem__", "__eq__", "__hash__",
         "__mro__", "bind", "check", "get", "interpolate", "most_common", "elements", "move_to_end", "args", "send", "rotate", "appendleft", "__call__"),
    /* what changes things */
    RULE('u', "L.append($k)", "L.clear()", "L.pop()", "L.insert(0, $k)", "L.extend(L)", "L.extend($e)", "L.reverse()", "L.sort()", "L.remove($k)",
         "L.__setitem__(slice(0, 2), [])", "L.__delitem__(0)", "D.clear()", "D.update({$k: $e})", "D.pop($k, None)", "D.popitem()",
         "D.setdefault($k, $e)", "D.__setitem__($k, $e)", "S.add($k)", "S.clear()", "S.discard($k)", "S.update(L)", "S.pop()", "Q.append($k)",
         "Q.popleft()", "Q.clear()", "O.move_to_end($k)", "O.pop($k, None)", "O.update({$k: $e})", "setattr(A, '__eq__', lambda *a: $e)", "setattr($e, 'x', $e)",
         "delattr(A, 'x')", "next(G, None)", "list(G)", "setattr(self, 'x', $e)", "self.clear()", "self.append($e)", "self.update($e)"),
    /* of templates */
    RULE('t', "String('{{x}}')", "String('{{x}} {{y[0]}}').bind(x=$e, y=$e)", "List(Integer)($e)", "Map(String, $y)($e)", "P(a=$e)", "P(a=$e, b=$e).bind(x=$e)",
         "P().check()", "P(a=$e)().get()", "Integer($e)", "Float($e)", "Boolean($e)", "Enum('A', 'B')($e)", "Choice([Integer, String])($e)",
         "Process(name=$e, cmdline=$e)", "Task(processes=$e)", "Job(name=$e, task=$e)", "P(a='{{b.c}}', b=P(a='{{x}}')).bind(b={'c': $e})",
         "SequentialTask(processes=[Process(name='a', cmdline=$e)])", "SimpleTask($e, $e)", "Tasks.combine($e, $e)", "order($e, $e)"),
    RULE('y', "String", "Integer", "Float", "Boolean", "P", "List($y)", "Map(String, $y)"),
    /* of modules */
    RULE('m', "re.sub('a', lambda m: $u, 'aab')", "json.dumps($e, default=lambda v: $e)", "json.loads('[1]', object_hook=lambda v: $u)",
         "functools.reduce(lambda a, b: $u, $e, $e)", "functools.cmp_to_key(lambda a, b: $u)", "list(map(lambda v: $u, $e))",
         "list(filter(lambda v: $u, $e))", "list(itertools.groupby($e, lambda v: $u))", "list(itertools.takewhile(lambda v: $u, $e))",
         "copy.deepcopy($e)", "collections.Counter($e)", "collections.defaultdict(lambda: $u)[$e]", "list(zip($e, $e))",
         "dict((($k, $u), ($k, $u)))", "dict(D, **D)", "','.join(str($u) for x in L)", "sum($e, $e)", "L.sort(key=lambda v: $u)",
         "sorted(L, key=functools.cmp_to_key(lambda a, b: $u))", "D.update(($k, $u) for x in L)", "L.extend($u for x in L)",
         "S.update($u for x in S)", "L[0:1].__add__($e)", "'{x[a]}'.format_map(D)", "'%(a)s' % D", "string.Template('$$a').substitute(D)",
         "'abc'.translate(D)", "'a'.join(L)", "next(G)", "list(itertools.islice(G, 2))"),
    RULE('r', "ValueError($e)", "KeyError($e)", "StopIteration($e)", "TypeError", "Exception($e, $e)", "AttributeError('x')", "IndexError()"),
    /* a special method */
    RULE('s', "eq", "hash", "lt", "le", "gt", "ne", "repr", "str", "len", "bool", "iter", "next", "getitem", "setitem", "delitem", "contains", "call",
         "add", "radd", "iadd", "sub", "mul", "rmul", "truediv", "mod", "or", "and", "index", "int", "float", "format", "getattr", "setattr", "delattr",
         "getattribute", "enter", "exit", "init", "new", "missing", "reversed", "copy", "deepcopy", "neg", "abs", "round", "instancecheck",
         "get", "set", "set_name", "init_subclass", "class_getitem", "length_hint", "bytes", "del", "lshift", "pow", "divmod"),
    RULE('d', "|  def __$s__(self, *a, **k):|    $c|    $c|    return $e", "|  def __$s__(self, *a, **k):|    return $u",
         "|  def __$s__(self, *a):|    return a[0] if a else $e", "|  x = $e", "|  @property|  def x(self): return $u", "|  def __iter__(self):|    yield $u|    yield $e",
         "|  @classmethod|  def y(cls, *a): return $e", "|  def y(self, v=$e): $u"),
    RULE('b', "", "(list)", "(dict)", "(str)", "(int)", "(set)", "(tuple)", "(Exception)", "(object)", "(A)", "(B, A)", "(float)",
         "(collections.OrderedDict)", "(collections.namedtuple('N', 'x y'))", "(Struct)", "(frozenset)"),
    /* a simple statement */
    RULE('c', "$u", "$u", "$e", "L[$e:$e] = $e", "L[$e] = $e", "del L[$e:$e]", "del D[$k]", "D[$k] = $e", "x = $e", "L += $e", "S $|= $e", "x, *y = $e",
         "raise $r", "assert $e, $e", "pass", "O[$k] = $e", "L[::2] = $e", "D $|= $e", "(x, [y, z]) = $e"),
    /* any statement */
    RULE('i', "$c|", "print($e)|", "for x in $e:|  $c|  $c|", "for x in L: $u|", "for x in D: $u|", "for x in S: $u|", "while L:|  L.pop()|  $c|",
         "try:|  $c|  $c|except $a as e:|  $c|finally:|  $c|", "with $e as x:|  $c|", "def g(*a, x=$e, **k):|  $c|  yield $e|  x = yield $e|G = g($e)|",
         "class $A$b:$d$d|", "match $e:|  case [x, *y]: $c|  case {'a': x, **y}: $c|  case $a(x=1): $c|  case _: $c|",
         "@functools.lru_cache()|def h(*a): return $u|", "def w(a, b=$e, *c): return $e|w($e, *$e)|", "if $e: $c|else: $c|", "print(h($e))|",
         "G = iter($e)|", "G = (($u) for x in $e)|", "L = $e|", "D = $e|", "S = $e|", "jobs = [$t]|", "class P(Struct):|  a = Required($y)|  b = Default($y, $e)|"),
    RULE('A', "A", "B", "C"),
    RULE('w', "try:|  $c|except Exception as e: print(repr(e))|", "try:|  $c|except Exception as e: print(e)|", "$i"),
    RULE('p', "import json, re, itertools, functools, collections, math, os, textwrap, string, datetime, copy|x = y = 0|"
         "L = [1, 2, 3, 'a']|D = {'a': 1, 2: 'b', (1,): []}|S = {1, 2, 3}|T = (1, 'a')|Q = collections.deque(L)|O = collections.OrderedDict(D)|G = iter(L)|"
         "class P(Struct):|  a = Required(String)|  b = Default(Integer, 1)|class A$b:$d$d$d|class B$b:$d$d|class C$b:$d$d|"
         "try:|  L.extend([A(), B()])|  D[C()] = A()|  S.add(B())|except Exception as e: print(e)|$w$w$w$w$w$w$w$w"),
};
/* clang-format on */

struct maker {
    struct text *text;
    uint64_t state;
};

static uint64_t draw(struct maker *maker, size_t below)
{
    maker->state ^= maker->state << 13;
    maker->state ^= maker->state >> 7;
    maker->state ^= maker->state << 17;
    return (maker->state >> 11) % below;
}

static const struct rule *find_rule(char letter)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].letter == letter)
            return &rules[i];
    return NULL;
}

static void expand(struct maker *maker, char letter, int depth)
{
    const struct rule *rule = find_rule(letter);
    size_t count = 0;
    while (rule->choices[count])
        count++;
    const char *choice = rule->choices[depth <= 0 ? 0 : draw(maker, count)];
    for (; *choice; choice++) {
        if (choice[0] == '$' && find_rule(choice[1]))
            expand(maker, *++choice, depth - 1);
        else if (choice[0] == '$' && choice[1] == '|')
            text_add_char(maker->text, *++choice);
        else
            text_add_char(maker->text, *choice == '|' ? '\n' : *choice);
    }
}

void grammar_add_program(struct text *text, uint64_t seed)
{
    struct maker maker = { text, seed | 1 };
    expand(&maker, 'p', MAX_DEPTH);
}

void grammar_add_statement(struct text *text, uint64_t seed)
{
    struct maker maker = { text, seed | 1 };
    expand(&maker, 'w', MAX_DEPTH);
}
