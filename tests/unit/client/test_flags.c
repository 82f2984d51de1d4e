#include "client/flags.h"

#include "unit/test.h"

static const struct choice_case {
    const char *name;
    uint64_t set;
    const char *output, *wait_until;
    const char *problem; /* NULL: none */
} cases[] = {
    { "text", F(OUTPUT), "text", "PENDING", NULL },
    { "json", F(OUTPUT), "json", "PENDING", NULL },
    { "something else", F(OUTPUT), "yaml", "PENDING", "--output: expected one of text json" },
    { "a prefix is not enough", F(OUTPUT), "js", "PENDING", "--output" },
    { "a state", F(WAIT_UNTIL), "text", "RUNNING", NULL },
    { "a state that is none", F(WAIT_UNTIL), "text", "STARTED", "PENDING RUNNING FINISHED" },
    { "a flag that the verb does not take is not looked at", F(WAIT_UNTIL), "yaml", "PENDING",
      NULL },
};

static void words_are_checked(void **state)
{
    const struct choice_case *c = *state;
    struct flags flags = flags_default();
    struct error err = { 0 };
    flags.output = c->output;
    flags.wait_until = c->wait_until;
    assert_int_equal(flags_check(c->set, &flags, &err), c->problem == NULL);
    if (c->problem)
        assert_non_null(strstr(err.message, c->problem));
}

static void every_flag_has_a_row(void **state)
{
    struct flags flags = flags_default();
    struct option rows[FLAG_COUNT + 1];
    size_t count = 0;
    (void)state;
    flags_rows((UINT64_C(1) << FLAG_COUNT) - 1, &flags, rows);
    for (; rows[count].name; count++) {
        bool is_switch = rows[count].type == OPTION_SWITCH;
        assert_non_null(rows[count].help);
        assert_int_equal(is_switch, rows[count].value == NULL);
        assert_true((char *)rows[count].target >= (char *)&flags);
        assert_true((char *)rows[count].target < (char *)(&flags + 1));
    }
    assert_int_equal(count, FLAG_COUNT);
}

static void both_spellings_of_json_mean_the_same(void **state)
{
    struct flags flags = flags_default();
    (void)state;
    assert_false(flags_want_json(&flags));
    flags.write_json = true;
    assert_true(flags_want_json(&flags));
    flags.write_json = false;
    flags.output = "json";
    assert_true(flags_want_json(&flags));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flag_has_a_row),
        cmocka_unit_test(both_spellings_of_json_mean_the_same),
    };
    return RUN_CASES(cases, words_are_checked) + cmocka_run_group_tests(tests, NULL, NULL);
}
