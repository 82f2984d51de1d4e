#include "fixture.h"

#include "unit/test.h"

static void same_content_is_shared(void **state)
{
    struct fixture f = fixture_make();
    (void)state;
    Eos__Scheduler__V1__CreateJobRequest *one = fixture_job(&f, "r/prod/a", 2);
    fixture_add_value(&f, one, "rack", "x");
    fixture_add_limit(&f, one, "host", 1);
    Eos__Scheduler__V1__CreateJobRequest *two = fixture_job(&f, "r/prod/a", 2);
    fixture_add_limit(&f, two, "host", 1);
    fixture_add_limit(&f, two, "host", 1); /* a set has no member twice */
    fixture_add_value(&f, two, "rack", "x");

    struct task_config *first = fixture_create(&f, one)->config;
    struct error err;
    assert_true(fixture_kill(&f, "r/prod/a", &err)); /* nothing runs: all is gone */
    assert_int_equal(map_count(f.state->configs), 0);
    fixture_create(&f, one);
    first = fixture_find(&f, "r/prod/a")->config;
    assert_int_equal(first->uses, 3); /* the job and two tasks */
    fixture_host(&f, "h1");
    struct job *job = fixture_find(&f, "r/prod/a");
    for (int32_t i = 0; i < 2; i++) {
        struct task *task = fixture_task(&f, "r/prod/a", i);
        if (!task->host)
            continue;
        fixture_report(&f, task, TASK_FINISHED);
    }
    assert_int_equal(job->config->demand.cpu_micros, 1000000);
    assert_int_equal(job->config->message->n_constraints, 2);

    Eos__Job__V1__TaskConfig *a = message_copy(&one->job->task_config->base);
    Eos__Job__V1__TaskConfig *b = message_copy(&two->job->task_config->base);
    task_config_normalize(a, f.arena);
    task_config_normalize(b, f.arena);
    struct task_config *x = state_intern(f.state, a);
    assert_ptr_equal(x, state_intern(f.state, b));
    fixture_done(&f);
}

static void different_content_is_not(void **state)
{
    struct fixture f = fixture_make();
    (void)state;
    Eos__Scheduler__V1__CreateJobRequest *request = fixture_job(&f, "r/prod/a", 1);
    struct task_config *x = state_intern(f.state, message_copy(&request->job->task_config->base));
    request->job->task_config->priority = 1;
    struct task_config *y = state_intern(f.state, message_copy(&request->job->task_config->base));
    assert_ptr_not_equal(x, y);
    assert_int_not_equal(x->id, y->id);
    fixture_done(&f);
}

static void fractions_of_a_cpu_do_not_drift(void **state)
{
    struct resources sum = { 0 }, tenth = { .cpu_micros = cpu_micros_of(0.1) };
    (void)state;
    for (int i = 0; i < 40; i++)
        resources_add(&sum, &tenth);
    assert_int_equal(sum.cpu_micros, cpu_micros_of(4));
    for (int i = 0; i < 40; i++)
        resources_subtract(&sum, &tenth);
    assert_int_equal(sum.cpu_micros, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_content_is_shared),
        cmocka_unit_test(different_content_is_not),
        cmocka_unit_test(fractions_of_a_cpu_do_not_drift),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
