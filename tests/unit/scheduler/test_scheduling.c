#include "fixture.h"

#include "unit/test.h"

typedef Eos__Scheduler__V1__CreateJobRequest create_request;

static void first_fit_fills_host_by_host(void **state)
{
    struct fixture f = fixture_make();
    (void)state;
    fixture_host(&f, "h1");
    fixture_host(&f, "h2");
    fixture_create(&f, fixture_job(&f, "r/prod/a", 6)); /* four fit on a host */
    fixture_place(&f);
    assert_int_equal(fixture_count(&f, "r/prod/a", TASK_ASSIGNED), 6);
    assert_int_equal(state_find_host(f.state, "h1")->task_count, 4);
    assert_int_equal(state_find_host(f.state, "h2")->task_count, 2);
    assert_int_equal(host_free_resources(state_find_host(f.state, "h1")).cpu_micros, 0);
    fixture_done(&f);
}

static void what_does_not_fit_waits_until_there_is_room(void **state)
{
    struct fixture f = fixture_make();
    (void)state;
    fixture_host(&f, "h1");
    fixture_create(&f, fixture_job(&f, "r/prod/a", 5));
    fixture_place(&f);
    assert_int_equal(fixture_count(&f, "r/prod/a", TASK_PENDING), 1);
    uint64_t checks = f.state->counters.placement_checks;
    fixture_create(&f, fixture_job(&f, "r/prod/b", 1));
    fixture_place(&f);
    assert_int_equal(f.state->counters.placement_checks, checks + 1); /* not both again */

    fixture_report(&f, fixture_task(&f, "r/prod/a", 0), TASK_FINISHED);
    fixture_place(&f);
    assert_int_equal(fixture_count(&f, "r/prod/a", TASK_PENDING), 0); /* first come, first served */
    assert_int_equal(fixture_count(&f, "r/prod/b", TASK_PENDING), 1);
    fixture_host(&f, "h2");
    fixture_place(&f);
    assert_int_equal(fixture_count(&f, "r/prod/b", TASK_ASSIGNED), 1);
    fixture_done(&f);
}

static void ports_are_given_once(void **state)
{
    struct fixture f = fixture_make();
    create_request *request = fixture_job(&f, "r/prod/a", 4);
    bool used[10] = { false };
    (void)state;

    fixture_host(&f, "h1");
    fixture_add_port(&f, request, "http");
    fixture_add_port(&f, request, "admin");
    fixture_create(&f, request);
    fixture_place(&f);
    for (int32_t i = 0; i < 4; i++) {
        struct task *task = fixture_task(&f, "r/prod/a", i);
        for (int p = 0; p < 2; p++) {
            assert_in_range(task->ports[p], 31000, 31009);
            assert_false(used[task->ports[p] - 31000]);
            used[task->ports[p] - 31000] = true;
        }
    }
    assert_int_equal(host_free_resources(state_find_host(f.state, "h1")).ports, 2);
    fixture_report(&f, fixture_task(&f, "r/prod/a", 0), TASK_FINISHED);
    assert_int_equal(host_free_resources(state_find_host(f.state, "h1")).ports, 4);
    fixture_done(&f);
}

static void a_round_keeps_to_its_budget(void **state)
{
    struct fixture f = fixture_make();
    (void)state;
    fixture_host(&f, "h1");
    fixture_create(&f, fixture_job(&f, "r/prod/a", 4));
    assert_true(scheduling_round(f.state, 2, f.now_ms));
    assert_int_equal(fixture_count(&f, "r/prod/a", TASK_ASSIGNED), 2);
    fixture_place(&f);
    assert_int_equal(fixture_count(&f, "r/prod/a", TASK_ASSIGNED), 4);
    assert_false(scheduling_round(f.state, 2, f.now_ms));
    fixture_done(&f);
}

static const struct closed_case {
    const char *name;
    bool has_picture, is_draining, is_silent;
} closed_cases[] = {
    { "without its picture", false, false, false },
    { "draining", true, true, false },
    { "silent", true, false, true },
};

static void closed_hosts_get_nothing(void **state)
{
    const struct closed_case *c = *state;
    struct fixture f = fixture_make();
    sync_request *poll = fixture_poll(&f, "h1");

    poll->has_all_tasks = c->has_picture;
    poll->is_draining = c->is_draining;
    fixture_sync(&f, poll);
    if (c->is_silent)
        fixture_pass(&f, f.state->settings.host_timeout_ms + 1);
    fixture_create(&f, fixture_job(&f, "r/prod/a", 1));
    fixture_place(&f);
    assert_int_equal(fixture_count(&f, "r/prod/a", TASK_PENDING), 1);
    fixture_sync(&f, fixture_poll(&f, "h1")); /* then all is well */
    fixture_place(&f);
    assert_int_equal(fixture_count(&f, "r/prod/a", TASK_ASSIGNED), 1);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_fit_fills_host_by_host),
        cmocka_unit_test(what_does_not_fit_waits_until_there_is_room),
        cmocka_unit_test(ports_are_given_once),
        cmocka_unit_test(a_round_keeps_to_its_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) +
           RUN_CASES(closed_cases, closed_hosts_get_nothing);
}
