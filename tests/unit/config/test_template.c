#include "unit/config/fixture.h"
#include "unit/test.h"

/* The template library: references, scopes, late conversion, printing. */

struct template_case {
    const char *name, *text, *outcome;
};

#define STRUCTS "class S(Struct):\n  a = Required(String)\n  n = Default(Integer, 3)\n"

static const struct template_case cases[] = {
    { "filled in", "print(String('{{a}}-{{b}}').bind(a=1, b='{{a}}'))", "1-1\n" },
    { "innermost first", "print(String('{{a{{b}}c}} {{{b}}}').bind(b='X', aXc='joined'))",
      "joined {X}\n" },
    { "left open", "print(String('{{a}} {{b}}').bind(a=1))", "1 {{b}}\n" },
    { "plain text", "print(String('{{}} { a } {{a}').interpolate()[1])", "[]\n" },
    { "escape", "print(repr(String('{{&a}}').bind(a=1).interpolate()[0].get()))", "'{{a}}'\n" },
    { "bad reference", "print(String('{{ a }}'))", "invalid_reference:  a " },
    { "bad component", "print(String('{{a..b}}'))",
      "invalid_reference: Badly formed address .a..b" },
    { "loop", "print(String('{{a}}').bind(a='{{b}}', b='{{a}}'))",
      "interpolation_loop: Unable to interpolate {{a}}!  Maximum replacements reached." },
    { "later binding is stronger",
      "print(String('{{v}}').bind(v=1).bind(v=2), String('{{v}}').bind(v=1).in_scope(v=2))",
      "2 1\n" },
    { "own fields beat bindings", STRUCTS "print(S(a='{{n}}').bind(n=9).a())", "3\n" },
    { "super looks past them", STRUCTS "print(S(a='{{super.n}}').bind(n=9).a())", "9\n" },
    { "self", STRUCTS "print(S(a='{{self.n}}').a())", "3\n" },
    { "bound struct", STRUCTS "print(String('{{s.a}}{{s.n}}').bind(s=S(a='x{{n}}')))", "x33\n" },
    { "list and map",
      "print(String('{{l[1]}} {{m[k-1]}}').bind(l=List(String)(['a', 'b']), m=Map(String, "
      "Integer)({'k-1': 2})))",
      "b 2\n" },
    { "conversion is late", "i = Integer('no')\nprint('made')\ni.interpolate()",
      "type_error: Cannot coerce 'no' to Integer" },
    { "wrong object stays wrong", "print(Integer(String('2')))",
      "type_error: Cannot coerce '2' to Integer" },
    { "floats are cut", "print(Integer(-3.99), Float('1e3'), Boolean('TRUE'))",
      "-3 1000.0 True\n" },
    { "unknown field", STRUCTS "S(q=1)", "unknown_attribute: Unknown schema attribute q" },
    { "unknown accessor", STRUCTS "S().q()", "unknown_attribute: S has no attribute q" },
    { "check", STRUCTS "print(S().check(), S(a=1, n='{{x}}').check().message())",
      "TypeCheck(FAILED): S[a] is required. S[n] failed: '{{x}}' not an integer\n" },
    { "printing", STRUCTS "print(S(a='x'))", "S(a=x,\n  n=3)\n" },
    { "calling copies", STRUCTS "s = S(a='x')\nt = s(n=4)\nprint(s.n(), t.n(), t.a(), s == t(n=3))",
      "3 4 x True\n" },
    { "Empty removes the default", STRUCTS "print(S(n=Empty).has_n(), S(n=Empty).n() is Empty)",
      "False True\n" },
    { "defaults forget bindings",
      "class D(Struct):\n  s = Default(String, String('{{q}}').bind(q=1))\nprint(D().s())",
      "{{q}}\n" },
    { "scopes of a filled struct are gone",
      STRUCTS "s = S(a='{{x}}').bind(x=1)\nt = s % {}\nprint(t.a(), t(a='{{x}}').a())",
      "1 {{x}}\n" },
    { "scopes of a closed struct stay for later",
      STRUCTS "s = S(a='y').bind(x=1)\nprint(s(a='{{x}}').a(), s.in_scope(z=2)(a='{{z}}').a())",
      "1 2\n" },
    { "enumeration", "E = Enum('A', 'B')\nprint(E('A'))\nE('C')",
      "type_error: Enum_A_B only accepts the following values: A, B" },
    { "choice", "C = Choice([Integer, String])\nprint(C('12').unwrap() == Integer(12), C('x'))",
      "True x\n" },
    { "environment values", "String('').bind(x=None)",
      "type_error: Environment values must be strings, numbers, Objects or other Environments. Got "
      "<class 'NoneType'> instead." },
    { "longer keys first",
      STRUCTS "print(String('{{p.a}} {{p.n}}').bind({'p.a': 'dotted'}, "
              ").bind(q=S()).bind(Environment({'p': S(a='s'), 'p.a': 'exact'})))",
      "exact 3\n" },
    { "list from text", "List(String)('ab')",
      "type_error: ListContainer expects an iterable, got 'ab'" },
};

static void behaves(void **state)
{
    const struct template_case *row = *state;
    struct fixture fixture;
    fixture_init(&fixture, row->text);
    fixture_run(&fixture);
    assert_string_equal(fixture_outcome(&fixture), row->outcome);
    fixture_done(&fixture);
}

int main(void)
{
    return RUN_CASES(cases, behaves);
}
