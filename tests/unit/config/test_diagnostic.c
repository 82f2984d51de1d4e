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

static const struct hint_case cases[] = {
    { "misspelt helper", "t = SimpleTsk('a', 'b')\n", "did you mean 'SimpleTask'?" },
    { "misspelt constant", "x = true\n", "did you mean 'True'?" },
    { "misspelt name of the file", "replicas = 3\nx = replica\n", "did you mean 'replicas'?" },
    { "nothing is near", "x = qqqqqqqq\n", "" },
    { "missing variable", "import os\nos.environ['REGION']\n",
      "give the variable with --env REGION=VALUE" },
    { "misspelt field", "p = Process(cmdlin='x')\n", "did you mean 'cmdline'?" },
};

static void is_hinted(void **state)
{
    const struct hint_case *row = *state;
    struct fixture fixture;
    fixture_init(&fixture, row->text);
    fixture_run(&fixture);
    assert_non_null(fixture.response->error);
    assert_string_equal(fixture.response->error->hint, row->hint);
    fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_and_includes_are_told),
        cmocka_unit_test(a_job_has_its_place),
        cmocka_unit_test(json_has_its_place),
        cmocka_unit_test(a_malformed_binding_is_named),
    };
    return RUN_CASES(cases, is_hinted) +
           cmocka_run_group_tests_name("diagnostic", tests, NULL, NULL);
}
