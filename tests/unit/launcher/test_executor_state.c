#include "launcher/executor_state.h"

#include "launcher/task_plan.h"

#include "plan/limits.h"
#include "unit/test.h"

#include <string.h>

typedef Eos__Executor__V1__ProcessRun process_run;

static const struct state_case {
    const char *name, *message, *run_name, *run_state;
    bool ok;
} cases[] = {
    { "as executors tell", "all processes have finished", "main", "SUCCESS", true },
    { "beyond ASCII", "\xc3\xa4", "\xc3\xa4", "RUNNING", true },
    { "a message that is no text", "\xff", "main", "RUNNING", false },
    { "a name that is no text", "", "\xc3", "RUNNING", false },
    { "a state that is no text", "", "main", "\x80", false },
    { "too long a state", "", "main", "RUNNING RUNNING RUNNING RUNNING RUNNING", false },
};

static void checks(void **state)
{
    const struct state_case *c = *state;
    Eos__Executor__V1__State message = EOS__EXECUTOR__V1__STATE__INIT;
    process_run run = EOS__EXECUTOR__V1__PROCESS_RUN__INIT, *runs[] = { &run };
    struct error err = { 0 };
    message.message = (char *)c->message;
    message.runs = runs;
    message.n_runs = 1;
    run.name = (char *)c->run_name;
    run.state = (char *)c->run_state;
    assert_int_equal(executor_state_check(&message, &err), c->ok);
    assert_int_equal(err.code, c->ok ? ERROR_OK : ERROR_DATA_LOSS);
}

static void lengths_are_bounded(void **state)
{
    static char long_message[EXECUTOR_MESSAGE_MAX_BYTES + 2];
    Eos__Executor__V1__State message = EOS__EXECUTOR__V1__STATE__INIT;
    static process_run *runs[PLAN_MAX_PROCESSES + 1];
    struct error err;
    (void)state;
    memset(long_message, 'x', sizeof long_message - 1);
    message.message = long_message;
    assert_false(executor_state_check(&message, &err));
    message.message = "";
    message.runs = runs; /* not looked at */
    message.n_runs = PLAN_MAX_PROCESSES + 1;
    assert_false(executor_state_check(&message, &err));
}

int main(void)
{
    const struct CMUnitTest others[] = { cmocka_unit_test(lengths_are_bounded) };
    return RUN_CASES(cases, checks) + cmocka_run_group_tests(others, NULL, NULL);
}
