#include "config/compilation.h"

#include "base/text.h"

/* The text of a template where a job is full of things that it can refer to, and the same text as a binding of the
 * command line, as a reference that is explained, and as a key. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What fails does so alone. */
static const char rest_of_job[] =
    "\ndef attempt(f):\n"
    "  try: print(f())\n"
    "  except Exception as e: print(e)\n"
    "attempt(lambda: String(t).check())\n"
    "attempt(lambda: repr(String(t)) + str(String(t) % {'a': 1}))\n"
    "attempt(lambda: String(t).bind({t: t}).interpolate())\n"
    "attempt(lambda: String('{{x}}').bind(x=t).bind({'a': '{{b}}', 'b': t}).interpolate())\n"
    "attempt(lambda: List(String)([t, '{{l[0]}}']).bind(l=[t]).interpolate())\n"
    "attempt(lambda: Map(String, Integer)({t: t}).bind(a=1).check())\n"
    "attempt(lambda: Integer(t).bind(a=1)() + Float(t).bind(a=1)())\n"
    "attempt(lambda: Process(name=t, cmdline='{{name}}').bind(a=t, b=Process(name=t))())\n"
    "attempt(lambda: Ref(t))\n"
    "jobs = [Job(cluster='c', role='r', environment='e', contact=t, constraints={'host': t}, "
    "announce=Announcer(),\n"
    "  task=SequentialTask(name='a', resources=Resources(cpu=1, ram=MB, disk=MB),\n"
    "    processes=[Process(name='p', cmdline=t), Process(name='q', cmdline='{{p}} {{a}} "
    "{{mesos.instance}}')])\n"
    "  ).bind(a='{{b}}', b=1, c={'d': '{{a}}'}, l=List(String)(['x', '{{l[0]}}']), "
    "p=Process(name='{{b}}'),\n"
    "    m=Map(String, Integer)({'k': '{{b}}'}), s='{{{{a}}', x='{{a}}{{a}}')]\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct text text = TEXT_INIT;
    struct compilation compilation;
    struct slice template = { (const char *)data, size };
    text_add(&text, "t = ");
    text_add_json_string(&text, template);
    text_add(&text, rest_of_job);
    compilation_init(&compilation, (struct slice){ text.ptr, text.len }, (struct slice){ "", 0 });
    compilation.bindings[0] = arena_memdup0(arena, data, size);
    compilation.bindings[1] = arena_printf(arena, "x.y=%s", compilation.bindings[0]);
    compilation.request.n_bindings = size % 8 < 2 ? size % 8 + 1 : 0;
    compilation.request.explain =
        size % 2 ? compilation.bindings[0] : (char *)"task.processes[0].cmdline";
    compilation.request.want_canonical_json = true;
    (void)compilation_run(arena, &compilation);
    text_done(&text);
    arena_free(arena);
    return 0;
}
