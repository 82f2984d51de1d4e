#include "fixture.h"

#include "unit/test.h"

#define KEY "r/prod/a"

typedef Eos__Scheduler__V1__CreateJobRequest create_request;

/* One instance, placed on h1. */
static struct fixture placed(bool is_service)
{
    struct fixture f = fixture_make();
    create_request *request = fixture_job(&f, KEY, 1);
    request->job->task_config->is_service = is_service;
    fixture_host(&f, "h1");
    fixture_create(&f, request);
    fixture_place(&f);
    return f;
}

static void report(struct fixture *f, enum task_status status)
{
    fixture_report(f, fixture_task(f, KEY, 0), status);
}

static void end_soon(struct fixture *f)
{
    report(f, TASK_RUNNING);
    fixture_pass(f, 100);
    report(f, TASK_FAILED);
}

static void a_service_comes_back_as_a_new_task(void **state)
{
    struct fixture f = placed(true);
    (void)state;
    struct task *first = fixture_task(&f, KEY, 0);
    report(&f, TASK_FINISHED);
    struct task *second = fixture_task(&f, KEY, 0);
    assert_ptr_not_equal(first, second);
    assert_string_equal(second->ancestor_id, first->id);
    assert_int_equal(first->status, TASK_FINISHED);
    assert_int_equal(second->status, TASK_ASSIGNED); /* the poll that told of it placed it too */
    assert_string_equal(second->events[0].message, "Rescheduled");
    fixture_done(&f);
}

static void a_task_that_ends_too_soon_twice_waits(void **state)
{
    struct fixture f = placed(true);
    (void)state;
    end_soon(&f);
    assert_int_equal(fixture_task(&f, KEY, 0)->status, TASK_ASSIGNED); /* the first time is free */
    end_soon(&f);
    struct task *third = fixture_task(&f, KEY, 0);
    assert_int_equal(third->status, TASK_THROTTLED);
    assert_non_null(strstr(third->events[0].message, "Rescheduled, penalized for "));
    assert_int_equal(third->failure_count, 2);
    fixture_pass(&f, 29999);
    assert_int_equal(third->status, TASK_THROTTLED);
    fixture_pass(&f, 120000 - 29999);
    assert_int_equal(third->status, TASK_PENDING);
    assert_null(task_last_event(third)->message);
    fixture_done(&f);
}

static void a_task_that_ran_long_does_not_wait(void **state)
{
    struct fixture f = placed(true);
    (void)state;
    f.state->settings.host_timeout_ms = INT64_MAX / 4;
    for (int i = 0; i < 4; i++) {
        report(&f, TASK_RUNNING);
        fixture_pass(&f, f.state->settings.flapping_threshold_ms);
        report(&f, TASK_FAILED);
        assert_int_equal(fixture_task(&f, KEY, 0)->status, TASK_ASSIGNED);
    }
    fixture_done(&f);
}

static const struct failure_case {
    const char *name;
    int32_t limit;
    int runs; /* until no other task is made; 9: for ever */
} failure_cases[] = {
    { "not set", 0, 1 }, { "one", 1, 1 }, { "two", 2, 2 }, { "three", 3, 3 }, { "no limit", -1, 9 },
};

static void failures_are_limited(void **state)
{
    const struct failure_case *c = *state;
    struct fixture f = fixture_make();
    create_request *request = fixture_job(&f, KEY, 1);
    request->job->task_config->max_task_failures = c->limit;
    f.state->settings.flapping_threshold_ms = 0;
    fixture_host(&f, "h1");
    fixture_create(&f, request);
    fixture_place(&f);

    int runs = 1;
    for (; runs < 9; runs++) {
        struct task *task = fixture_task(&f, KEY, 0);
        report(&f, TASK_FAILED);
        assert_int_equal(task->failure_count, runs);
        if (fixture_task(&f, KEY, 0) == task)
            break;
    }
    assert_int_equal(runs, c->runs);
    fixture_done(&f);
}

static void a_kill_before_placement_leaves_nothing(void **state)
{
    struct fixture f = fixture_make();
    struct error err;
    (void)state;
    fixture_create(&f, fixture_job(&f, KEY, 3));
    assert_true(fixture_kill(&f, KEY, &err));
    assert_null(fixture_find(&f, KEY));
    assert_int_equal(map_count(f.state->tasks), 0);
    assert_null(f.state->first_group);
    fixture_host(&f, "h1");
    fixture_place(&f);
    fixture_done(&f);
}

static void a_task_that_hangs_is_given_up(void **state)
{
    struct fixture f = placed(true);
    (void)state;
    f.state->settings.host_timeout_ms = INT64_MAX / 4;
    struct task *task = fixture_task(&f, KEY, 0);
    fixture_pass(&f, f.state->settings.transient_timeout_ms - 1);
    assert_int_equal(task->status, TASK_ASSIGNED);
    fixture_pass(&f, 1);
    assert_int_equal(task->status, TASK_LOST);
    assert_string_equal(task_last_event(task)->message, "Task timed out");
    assert_int_equal(f.state->counters.tasks_timed_out, 1);
    assert_ptr_not_equal(fixture_task(&f, KEY, 0), task);
    fixture_done(&f);
}

static void starting_may_take_its_time(void **state)
{
    struct fixture f = placed(true);
    (void)state;
    f.state->settings.host_timeout_ms = INT64_MAX / 4;
    report(&f, TASK_STARTING);
    fixture_pass(&f, 10 * f.state->settings.transient_timeout_ms);
    assert_int_equal(fixture_task(&f, KEY, 0)->status, TASK_STARTING);
    fixture_done(&f);
}

/* -- lost hosts ----------------------------------------------------------------------------------- */

enum policy { NO_POLICY, WAIT_60S, WAIT_FOR_EVER };

static const struct partition_case {
    const char *name;
    enum policy policy;
    enum task_status before, when_lost, after_a_minute;
} partition_cases[] = {
    { "no policy", NO_POLICY, TASK_RUNNING, TASK_LOST, TASK_LOST },
    { "reschedules after a while", WAIT_60S, TASK_RUNNING, TASK_PARTITIONED, TASK_LOST },
    { "stays", WAIT_FOR_EVER, TASK_RUNNING, TASK_PARTITIONED, TASK_PARTITIONED },
    { "starting", WAIT_60S, TASK_STARTING, TASK_PARTITIONED, TASK_LOST },
    { "only assigned", WAIT_FOR_EVER, TASK_ASSIGNED, TASK_LOST, TASK_LOST },
};

static create_request *with_policy(struct fixture *f, enum policy policy)
{
    create_request *request = fixture_job(f, KEY, 1);
    if (policy == NO_POLICY)
        return request;
    Eos__Job__V1__PartitionPolicy *message = arena_alloc(f->arena, sizeof *message);
    eos__job__v1__partition_policy__init(message);
    message->reschedule = policy == WAIT_60S;
    message->delay_secs = 60;
    request->job->task_config->partition_policy = message;
    return request;
}

static void a_lost_host_loses_its_tasks(void **state)
{
    const struct partition_case *c = *state;
    struct fixture f = fixture_make();
    struct host *host = fixture_host(&f, "h1");
    fixture_create(&f, with_policy(&f, c->policy));
    fixture_place(&f);
    struct task *task = fixture_task(&f, KEY, 0);
    if (c->before != TASK_ASSIGNED)
        report(&f, c->before);

    fixture_pass(&f, f.state->settings.host_timeout_ms);
    assert_int_equal(task->status, c->before);
    fixture_pass(&f, 1);
    fixture_pass(&f, 0);
    assert_false(host->is_connected);
    assert_int_equal(task->status, c->when_lost);
    assert_int_equal(task->times_partitioned, c->before == TASK_ASSIGNED ? 0 : 1);
    fixture_pass(&f, 60000);
    assert_int_equal(task->status, c->after_a_minute);
    bool is_replaced = fixture_task(&f, KEY, 0) != task;
    assert_int_equal(is_replaced, c->after_a_minute == TASK_LOST);
    assert_int_equal(host->task_count, c->after_a_minute == TASK_LOST ? 0 : 1);
    fixture_done(&f);
}

/* -- history -------------------------------------------------------------------------------------- */

static void dead_tasks_are_forgotten_in_time(void **state)
{
    struct fixture f = placed(false);
    (void)state;
    f.state->settings.host_timeout_ms = INT64_MAX / 4;
    report(&f, TASK_FINISHED);
    fixture_pass(&f, f.state->settings.history_max_ms - 1);
    assert_int_equal(map_count(f.state->tasks), 1);
    fixture_pass(&f, 1);
    assert_int_equal(map_count(f.state->tasks), 0);
    assert_null(fixture_find(&f, KEY));
    sync_response *response = fixture_sync(&f, fixture_poll(&f, "h1"));
    assert_int_equal(response->n_forget, 1);
    fixture_done(&f);
}

static void too_many_dead_tasks_are_forgotten_when_old(void **state)
{
    struct fixture f = placed(true);
    (void)state;
    f.state->settings.host_timeout_ms = INT64_MAX / 4;
    f.state->settings.flapping_threshold_ms = 0;
    f.state->settings.history_per_job = 3;
    for (int i = 0; i < 6; i++) {
        report(&f, TASK_FINISHED);
        fixture_pass(&f, 1000);
    }
    assert_int_equal(fixture_find(&f, KEY)->terminal_count, 6); /* too young to go */
    report(&f, TASK_RUNNING);
    fixture_pass(&f, f.state->settings.history_min_ms);
    report(&f, TASK_FINISHED);
    assert_int_equal(fixture_find(&f, KEY)->terminal_count, 3);
    fixture_done(&f);
}

static void dead_tasks_are_bounded_however_young(void **state)
{
    struct fixture f = placed(true);
    (void)state;
    f.state->settings.flapping_threshold_ms = 0;
    f.state->settings.history_per_job = 3;
    for (int i = 0; i < 50; i++)
        report(&f, TASK_FINISHED);
    assert_int_equal(fixture_find(&f, KEY)->terminal_count, 30);
    fixture_done(&f);
}

static void hosts_that_nobody_needs_are_forgotten(void **state)
{
    struct fixture f = placed(false);
    (void)state;
    fixture_host(&f, "h2");
    fixture_pass(&f, HOST_FORGET_MS + 1);
    while (state_next_woken(f.state))
        ;
    fixture_pass(&f, 1);
    assert_null(state_find_host(f.state, "h2"));
    assert_non_null(state_find_host(f.state, "h1")); /* a dead task still names it */
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_comes_back_as_a_new_task),
        cmocka_unit_test(a_task_that_ends_too_soon_twice_waits),
        cmocka_unit_test(a_task_that_ran_long_does_not_wait),
        cmocka_unit_test(a_kill_before_placement_leaves_nothing),
        cmocka_unit_test(a_task_that_hangs_is_given_up),
        cmocka_unit_test(starting_may_take_its_time),
        cmocka_unit_test(dead_tasks_are_forgotten_in_time),
        cmocka_unit_test(too_many_dead_tasks_are_forgotten_when_old),
        cmocka_unit_test(dead_tasks_are_bounded_however_young),
        cmocka_unit_test(hosts_that_nobody_needs_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) +
           RUN_CASES(failure_cases, failures_are_limited) +
           RUN_CASES(partition_cases, a_lost_host_loses_its_tasks);
}
