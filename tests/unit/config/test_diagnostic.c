#include "unit/config/fixture.h"
#include "unit/test.h"

/* Errors at run time: the innermost place, the way there, and what to do. */

static void calls_and_includes_are_told(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "include('lib.aurora')\n");
    fixture_add_file(&fixture, "lib.aurora", "def make(n):\n  return 1 / n\nmake(0)\n");
    fixture_run(&fixture);
    const Eos__Config__V1__Diagnostic *error = fixture.response->error;
    assert_string_equal(error->at->file, "lib.aurora");
    assert_int_equal(error->at->line, 2);
    assert_int_equal(error->n_frames, 2);
    assert_string_equal(error->frames[0]->description, "in call to make");
    assert_int_equal(error->frames[0]->at->line, 3);
    assert_string_equal(error->frames[1]->description, "included");
    assert_string_equal(error->frames[1]->at->file, "test.aurora");
    fixture_done(&fixture);
}

/* What is found out only when the job is converted is told of the call that made it. */
static void a_job_has_its_place(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "base = Job(cluster='c', role='r', environment='devel',\n"
                           "           task=SimpleTask('t', 'echo {{x}}'))\n"
                           "jobs = [base(name='a').bind(y='z')]\n");
    fixture_run(&fixture);
    assert_int_equal(fixture.response->n_jobs, 1);
    const Eos__Config__V1__Diagnostic *error = fixture.response->jobs[0]->error;
    assert_non_null(error);
    assert_non_null(error->at);
    assert_int_equal(error->at->line, 3);
    assert_int_equal(error->at->column, 9);
    fixture_done(&fixture);
}

static void json_has_its_place(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "{\n  \"name\": \"x\",\n}");
    fixture.request.is_json = true;
    fixture_run(&fixture);
    const Eos__Config__V1__Diagnostic *error = fixture.response->error;
    assert_non_null(error->at);
    assert_int_equal(error->at->line, 3);
    assert_int_equal(error->at->column, 1);
    fixture_done(&fixture);
}

static void a_malformed_binding_is_named(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "jobs = []\n");
    fixture_bind(&fixture, "x[1=3");
    fixture_run(&fixture);
    assert_string_equal(fixture.response->error->class_, "invalid_reference");
    assert_non_null(strstr(fixture.response->error->hint, "the name 'x[1' of a binding"));
    fixture_done(&fixture);
}

struct hint_case {
    const char *name, *text, *hint;
};

#define JOB_OF(task, field)                                                                        \
    "jobs = [Job(cluster='c', role='r', environment='devel', name='n', task=" task ", " field ")]" \
    "\n"
#define JOB(field)        JOB_OF("SimpleTask('t', 'x')", field)
#define JOB_RUNS(command) JOB_OF("SimpleTask('t', '" command "')", "")

static const struct hint_case cases[] = {
    { "misspelt helper", "t = SimpleTsk('a', 'b')\n", "did you mean 'SimpleTask'?" },
    { "misspelt constant", "x = true\n", "did you mean 'True'?" },
    { "misspelt name of the file", "replicas = 3\nx = replica\n", "did you mean 'replicas'?" },
    { "nothing is near", "x = qqqqqqqq\n", "" },
    { "missing variable", "import os\nos.environ['REGION']\n",
      "give the variable with --env REGION=VALUE" },
    { "misspelt field", "p = Process(cmdlin='x')\n", "did you mean 'cmdline'?" },
    { "a field like no other", "c = Docker(img='x')\n", "Docker has image, parameters" },
    { "misspelt accessor", "print(Process(name='a').nam())\n", "did you mean 'name'?" },
    { "fields of another alternative", JOB("container={'image': 'x'}"),
      "a dict becomes a Container here; write Docker(field = value, …)" },
    { "a name of Python 2", "x = xrange(3)\n", "Python 3 has 'range' instead" },
    { "a method of Python 2", "x = {}.has_key('a')\n", "Python 3 has 'in' instead" },
    { "the library needs no import", "from pystachio import *\n",
      "the template library and the schema need no import: leave the line out" },
    { "one job instead of a list", "jobs = Job()\n", "'jobs' is a list: jobs = [job, …]" },
    { "no jobs", "job = Job()\n", "put the jobs into a list of that name: jobs = [job, …]" },
    { "one process instead of a list", "t = Task(processes=Process())\n",
      "a list is wanted: [value, …]" },
    { "a struct's field", "j = Job(announce=True)\n",
      "a value of type Announcer is wanted: Announcer(field = value, …)" },
    { "blanks in a reference", JOB("contact='{{ x }}'"),
      "between {{ and }} stands a name such as a.b or a[b], without blanks" },
    { "a template that leads to itself", JOB("contact='{{contact}}'"),
      "{{contact}} leads back to itself; in a field of that name {{super.contact}} means the one "
      "around it" },
    { "a port behind a dot", JOB_RUNS("x {{thermos.ports.http}}"),
      "write {{thermos.ports[http]}}" },
    { "an order of unknown processes",
      "jobs = [Job(cluster='c', role='r', environment='devel', name='n', task=Task(processes=["
      "Process(name='a', cmdline='x')], constraints=order('a', 'b'), "
      "resources=Resources(cpu=1, ram=MB, disk=MB)))]\n",
      "'b' is no process of this task that can be ordered with 'a'" },
    { "an open number", JOB("instances='{{n}}'"),
      "give it with --bind NAME=VALUE or with .bind(NAME = VALUE)" },
    { "a size with a unit", JOB("instances='1GB'"),
      "a whole number is wanted, such as 3 or 64 * MB" },
    { "yes and no", JOB("service='yes'"), "True or False is wanted" },
    { "a value of another type", JOB("instances=String('2')"),
      "a String is not converted: give its plain value" },
    { "a limit in words", JOB("constraints={'host': 'limit:one'}"),
      "what follows 'limit:' in a constraint is a whole number" },
};

static void is_hinted(void **state)
{
    const struct hint_case *row = *state;
    struct fixture fixture;
    fixture_init(&fixture, row->text);
    fixture_run(&fixture);
    const Eos__Config__V1__Diagnostic *error = fixture.response->error;
    if (!error && fixture.response->n_jobs)
        error = fixture.response->jobs[0]->error;
    assert_non_null(error);
    assert_string_equal(error->hint, row->hint);
    fixture_done(&fixture);
}

/* The keyword, not the whole call. */
static void a_wrong_field_is_marked(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "x = Process(name='a',\n            cmd='b')\n",
        "x = Process()(name='a',\n             cmd='b')\n",
        "x = Job(name='a',\n        task=5)\n",
        "x = combine_tasks(SimpleTask('a', 'b'),\n                  nme='b')\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct fixture fixture;
        fixture_init(&fixture, texts[i]);
        fixture_run(&fixture);
        const Eos__Config__V1__Diagnostic *error = fixture.response->error;
        const char *line = strchr(texts[i], '\n') + 1;
        size_t blanks = strspn(line, " ");
        assert_int_equal(error->at->line, 2);
        assert_int_equal(error->at->column, blanks + 1);
        assert_int_equal(error->at->end_column, strcspn(line, ")") + 1);
        fixture_done(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_and_includes_are_told),
        cmocka_unit_test(a_job_has_its_place),
        cmocka_unit_test(json_has_its_place),
        cmocka_unit_test(a_malformed_binding_is_named),
        cmocka_unit_test(a_wrong_field_is_marked),
    };
    return RUN_CASES(cases, is_hinted) +
           cmocka_run_group_tests_name("diagnostic", tests, NULL, NULL);
}
