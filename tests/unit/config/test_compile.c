#include "unit/config/fixture.h"
#include "unit/test.h"

/* Requests that cannot be worked on, JSON, selecting. */

static void a_request_without_files_is_refused(void **state)
{
    (void)state;
    Eos__Config__V1__CompileRequest request = EOS__CONFIG__V1__COMPILE_REQUEST__INIT;
    struct error err;
    assert_false(compile_check_request(&request, &err));
    assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
}

static void text_that_is_not_utf8_is_a_syntax_error(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "x = '\xff'\n");
    fixture_run(&fixture);
    assert_string_equal(fixture_outcome(&fixture), "syntax_error: 'test.aurora' is not UTF-8 text");
    fixture_done(&fixture);
}

struct json_case {
    const char *name, *text, *outcome;
};

static const struct json_case cases[] = {
    { "one job",
      "{\"cluster\": \"c\", \"role\": \"r\", \"environment\": \"prod\", \"task\": {\"processes\": "
      "[{\"name\": \"p\", "
      "\"cmdline\": \"x\"}], \"resources\": {\"cpu\": 1, \"ram\": 1048576, \"disk\": 1048576}}}",
      "" },
    { "malformed", "{\"cluster\": \"c\", \n",
      "syntax_error: Expecting property name enclosed in double quotes: line 2 column 1 (char "
      "18)" },
    { "unknown field", "{\"bogus\": 1}", "unknown_attribute: Unknown schema attribute bogus" },
};

static void reads_json(void **state)
{
    const struct json_case *row = *state;
    struct fixture fixture;
    fixture_init(&fixture, row->text);
    fixture.request.is_json = true;
    fixture_run(&fixture);
    assert_string_equal(fixture_outcome(&fixture), row->outcome);
    fixture_done(&fixture);
}

static void bad_bindings_are_told(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "jobs = []\n");
    fixture_bind(&fixture, "a b=1");
    fixture_run(&fixture);
    assert_string_equal(fixture_outcome(&fixture), "invalid_reference: Badly formed address .a b");
    fixture_done(&fixture);
}

/* One compilation leaves nothing for the next: the same request gives the same bytes. */
static void compilations_are_alike(void **state)
{
    (void)state;
    uint8_t first[4096], second[4096];
    size_t lengths[2];
    for (int i = 0; i < 2; i++) {
        struct fixture fixture;
        fixture_init(
            &fixture,
            "x = {1, 2}\nprint(sorted(x))\njobs = [Job(cluster='c', role='r', environment='e', "
            "task=SimpleTask('a', 'b'))]\n");
        fixture.request.want_canonical_json = false;
        fixture_run(&fixture);
        lengths[i] = eos__config__v1__compile_response__get_packed_size(fixture.response);
        assert_true(lengths[i] < sizeof first);
        eos__config__v1__compile_response__pack(fixture.response, i ? second : first);
        fixture_done(&fixture);
    }
    assert_int_equal(lengths[0], lengths[1]);
    assert_memory_equal(first, second, lengths[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_without_files_is_refused),
        cmocka_unit_test(text_that_is_not_utf8_is_a_syntax_error),
        cmocka_unit_test(bad_bindings_are_told),
        cmocka_unit_test(compilations_are_alike),
    };
    return RUN_CASES(cases, reads_json) + cmocka_run_group_tests_name("compile", tests, NULL, NULL);
}
