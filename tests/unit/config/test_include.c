#include "unit/config/fixture.h"
#include "unit/test.h"

static void asks_for_what_is_missing(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "print('x')\ninclude('a/one.aurora')\ninclude('b.aurora')\n");
    fixture_run(&fixture);
    assert_null(fixture.response->error);
    assert_int_equal(fixture.response->n_needed_files, 2);
    assert_string_equal(fixture.response->needed_files[0], "a/one.aurora");
    assert_string_equal(fixture.response->needed_files[1], "b.aurora");
    fixture_done(&fixture);
}

static void paths_follow_the_including_file(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "include('a/one.aurora')\nprint(x)\n");
    fixture_add_file(&fixture, "a/one.aurora", "include('../two.aurora')\n");
    fixture_add_file(&fixture, "two.aurora", "x = 2\n");
    fixture_run(&fixture);
    assert_string_equal(fixture_outcome(&fixture), "2\n");
    fixture_done(&fixture);
}

static void a_file_that_is_not_there_can_be_handled(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "try:\n  include('no.aurora')\nexcept IOError as e:\n  print(e)\n");
    fixture_add_missing(&fixture, "no.aurora");
    fixture_run(&fixture);
    assert_string_equal(fixture_outcome(&fixture),
                        "[Errno 2] No such file or directory: 'no.aurora'\n");
    fixture_done(&fixture);
}

static void a_file_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "include('no.aurora')\n");
    fixture_add_missing(&fixture, "no.aurora");
    fixture_run(&fixture);
    assert_string_equal(fixture_outcome(&fixture),
                        "include_error: [Errno 2] No such file or directory: 'no.aurora'");
    fixture_done(&fixture);
}

static void open_reads_only_what_is_meant_for_it(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "with open('v') as f:\n  print(f.read().strip())\nprint([l for l in "
                           "open('v')])\nopen('w')\n");
    fixture_add_file(&fixture, "v", "1\n2");
    fixture_add_file(&fixture, "w", "secret");
    fixture.request.files[2]->is_readable = false;
    fixture_run(&fixture);
    assert_string_equal(fixture.response->printed, "1\n2\n['1\\n', '2']\n");
    assert_string_equal(fixture.response->error->exception, "PermissionError");
    fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_for_what_is_missing),
        cmocka_unit_test(paths_follow_the_including_file),
        cmocka_unit_test(a_file_that_is_not_there_can_be_handled),
        cmocka_unit_test(a_file_that_is_not_there_is_an_error),
        cmocka_unit_test(open_reads_only_what_is_meant_for_it),
    };
    return cmocka_run_group_tests_name("include", tests, NULL, NULL);
}
