#include "fixture.h"

#include "unit/test.h"

#define KEY "r/prod/a"

typedef Eos__Scheduler__V1__CreateJobRequest create_request;

static struct task *the_task(struct fixture *f)
{
    return fixture_task(f, KEY, 0);
}

/* One instance, placed on h1, reported as `status` (ASSIGNED: not reported at all). */
static struct fixture running(enum task_status status)
{
    struct fixture f = fixture_make();
    create_request *request = fixture_job(&f, KEY, 1);
    request->job->task_config->is_service = true;
    fixture_host(&f, "h1");
    fixture_create(&f, request);
    fixture_place(&f);
    if (status != TASK_ASSIGNED)
        fixture_report(&f, the_task(&f), status);
    return f;
}

static sync_request *poll_without_picture(struct fixture *f)
{
    sync_request *poll = fixture_poll(f, "h1");
    poll->has_all_tasks = false;
    return poll;
}

/* -- commands ------------------------------------------------------------------------------------- */

static void a_launch_is_repeated_until_the_task_is_named(void **state)
{
    struct fixture f = running(TASK_ASSIGNED);
    (void)state;
    sync_response *first = fixture_sync(&f, poll_without_picture(&f));
    assert_int_equal(first->n_launch, 1);
    assert_string_equal(first->launch[0]->task->task_id, the_task(&f)->id);
    assert_string_equal(first->launch[0]->task->hostname, "h1.example");
    assert_string_equal(first->launch[0]->cluster, "testing");
    assert_int_equal(fixture_sync(&f, poll_without_picture(&f))->n_launch, 0); /* not at once */
    struct host *host = state_find_host(f.state, "h1");
    assert_false(sync_is_due(host, f.now_ms));
    fixture_pass(&f, f.state->settings.launch_repeat_ms);
    assert_true(sync_is_due(host, f.now_ms));
    assert_int_equal(fixture_sync(&f, poll_without_picture(&f))->n_launch, 1);
    fixture_report(&f, the_task(&f), TASK_STARTING);
    fixture_pass(&f, f.state->settings.launch_repeat_ms);
    assert_int_equal(fixture_sync(&f, poll_without_picture(&f))->n_launch, 0);
    fixture_done(&f);
}

static void a_new_session_is_told_at_once(void **state)
{
    struct fixture f = running(TASK_ASSIGNED);
    (void)state;
    assert_int_equal(fixture_sync(&f, poll_without_picture(&f))->n_launch, 1);
    sync_request *poll = fixture_poll(&f, "h1"); /* its picture is empty */
    poll->session = "session 2";
    poll->sequence = 1;
    sync_response *response = fixture_sync(&f, poll);
    assert_int_equal(response->n_launch, 1);
    assert_int_equal(the_task(&f)->status, TASK_ASSIGNED);
    fixture_done(&f);
}

static void a_new_session_is_told_nothing_before_its_picture(void **state)
{
    struct fixture f = running(TASK_ASSIGNED);
    (void)state;
    sync_request *poll = poll_without_picture(&f);
    poll->session = "session 2";
    sync_response *response = fixture_sync(&f, poll);
    assert_true(response->want_all_tasks);
    assert_int_equal(response->n_launch, 0);
    fixture_done(&f);
}

static void a_kill_is_repeated_until_the_end(void **state)
{
    struct fixture f = running(TASK_RUNNING);
    struct error err;
    (void)state;
    assert_true(fixture_kill(&f, KEY, &err));
    sync_response *response = fixture_sync(&f, poll_without_picture(&f));
    assert_int_equal(response->n_kill, 1);
    assert_string_equal(response->kill[0]->message, "Killed by UNSECURE");
    assert_int_equal(fixture_sync(&f, poll_without_picture(&f))->n_kill, 0);
    fixture_pass(&f, f.state->settings.kill_repeat_ms);
    assert_int_equal(fixture_sync(&f, poll_without_picture(&f))->n_kill, 1);
    fixture_report(&f, the_task(&f), TASK_KILLED);
    fixture_pass(&f, f.state->settings.kill_repeat_ms);
    assert_int_equal(fixture_sync(&f, poll_without_picture(&f))->n_kill, 0);
    assert_int_equal(the_task(&f)->status, TASK_KILLED);
    fixture_done(&f);
}

static void a_kill_that_overtakes_the_launch_ends_with_a_picture(void **state)
{
    struct fixture f = running(TASK_ASSIGNED);
    struct error err;
    (void)state;
    assert_true(fixture_kill(&f, KEY, &err));
    sync_response *response = fixture_sync(&f, poll_without_picture(&f));
    assert_int_equal(response->n_launch, 0);
    assert_int_equal(response->n_kill, 1);
    fixture_pass(&f, f.state->settings.kill_repeat_ms);
    assert_true(fixture_sync(&f, poll_without_picture(&f))->want_all_tasks);
    fixture_sync(&f, fixture_poll(&f, "h1"));
    assert_int_equal(the_task(&f)->status, TASK_KILLED);
    fixture_done(&f);
}

static void launches_of_one_answer_are_bounded(void **state)
{
    struct fixture f = fixture_make();
    sync_request *poll = fixture_poll(&f, "h1");
    create_request *request = fixture_job(&f, KEY, SYNC_MAX_LAUNCHES + 1);
    (void)state;
    poll->total->num_cpus = 100000;
    poll->total->ram_mb = poll->total->disk_mb = 100000000;
    fixture_sync(&f, poll);
    fixture_create(&f, request);
    sync_request *next = poll_without_picture(&f);
    next->total = poll->total;
    assert_int_equal(fixture_sync(&f, next)->n_launch, SYNC_MAX_LAUNCHES);
    assert_true(sync_is_due(state_find_host(f.state, "h1"), f.now_ms));
    next = poll_without_picture(&f);
    next->total = poll->total;
    assert_int_equal(fixture_sync(&f, next)->n_launch, 1);
    fixture_done(&f);
}

/* -- updates -------------------------------------------------------------------------------------- */

static void updates_are_acknowledged_and_harmless_twice(void **state)
{
    struct fixture f = running(TASK_ASSIGNED);
    (void)state;
    struct task *task = the_task(&f);
    for (int i = 0; i < 2; i++) {
        sync_request *poll = poll_without_picture(&f);
        fixture_add_update(&f, poll, task->id, TASK_STARTING, "");
        fixture_add_update(&f, poll, task->id, TASK_RUNNING, "");
        fixture_add_update(&f, poll, task->id, TASK_FAILED, "exit status 1");
        sync_response *response = fixture_sync(&f, poll);
        assert_int_equal(response->n_acknowledged, 3);
        assert_string_equal(response->acknowledged[2], poll->updates[2]->update_id);
        assert_int_equal(response->n_kill, 0);
    }
    assert_int_equal(task->status, TASK_FAILED);
    assert_int_equal(task->failure_count, 1);
    assert_int_equal(task->event_count, 5);
    assert_string_equal(task_last_event(task)->message, "exit status 1");
    assert_int_equal(fixture_find(&f, KEY)->task_count, 2);
    fixture_done(&f);
}

static void a_starting_task_says_how_far_it_is(void **state)
{
    struct fixture f = running(TASK_ASSIGNED);
    static const char *const messages[] = { "Fetching.", "Fetching: 1 of 2.", "Fetching: 1 of 2.",
                                            "" };
    (void)state;
    struct task *task = the_task(&f);
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        sync_request *poll = poll_without_picture(&f);
        fixture_add_update(&f, poll, task->id, TASK_STARTING, messages[i]);
        fixture_sync(&f, poll);
    }
    assert_int_equal(task->event_count, 3);
    assert_string_equal(task_last_event(task)->message, "Fetching: 1 of 2.");
    assert_int_equal(f.state->counters.illegal_changes, 0);
    fixture_report(&f, task, TASK_RUNNING);
    sync_request *poll = poll_without_picture(&f);
    fixture_add_update(&f, poll, task->id, TASK_STARTING, "Fetching: 2 of 2.");
    fixture_sync(&f, poll);
    assert_int_equal(task->status, TASK_RUNNING);
    assert_int_equal(task->event_count, 4);
    fixture_done(&f);
}

static const struct stranger_case {
    const char *name;
    const char *host; /* that tells of the task */
    bool is_known;    /* it is the task of h1, else no task at all */
    enum task_status status;
    size_t kills, forgets;
} stranger_cases[] = {
    { "unknown and running", "h1", false, TASK_RUNNING, 1, 0 },
    { "unknown and starting", "h1", false, TASK_STARTING, 1, 0 },
    { "unknown and dying", "h1", false, TASK_KILLING, 1, 0 },
    { "unknown and dead", "h1", false, TASK_FINISHED, 0, 1 },
    { "of another host", "h2", true, TASK_RUNNING, 1, 0 },
    { "of another host and dead", "h2", true, TASK_FAILED, 0, 1 },
};

static void strangers_are_killed_or_forgotten(void **state)
{
    const struct stranger_case *c = *state;
    struct fixture f = running(TASK_STARTING);
    const char *id = c->is_known ? the_task(&f)->id : "stranger";

    for (int as_update = 0; as_update < 2; as_update++) {
        sync_request *poll = fixture_poll(&f, c->host);
        if (strcmp(c->host, "h1") == 0)
            fixture_add_known(&f, poll, the_task(&f)->id, TASK_STARTING);
        if (as_update)
            fixture_add_update(&f, poll, id, c->status, "");
        else
            fixture_add_known(&f, poll, id, c->status);
        sync_response *response = fixture_sync(&f, poll);
        assert_int_equal(response->n_kill, c->kills);
        assert_int_equal(response->n_forget, c->forgets);
        if (c->kills)
            assert_string_equal(response->kill[0]->task_id, id);
        assert_int_equal(the_task(&f)->status, TASK_STARTING);
        fixture_pass(&f, f.state->settings.kill_repeat_ms);
    }
    fixture_done(&f);
}

static void a_dead_task_that_runs_is_killed(void **state)
{
    struct fixture f = running(TASK_RUNNING);
    (void)state;
    struct task *task = the_task(&f);
    fixture_pass(&f, f.state->settings.host_timeout_ms + 1); /* no policy: lost */
    fixture_pass(&f, 0);
    assert_int_equal(task->status, TASK_LOST);
    sync_request *poll = fixture_poll(&f, "h1");
    fixture_add_known(&f, poll, task->id, TASK_RUNNING);
    sync_response *response = fixture_sync(&f, poll);
    assert_int_equal(task->status, TASK_LOST);
    assert_int_equal(response->n_kill, 1);
    assert_string_equal(response->kill[0]->task_id, task->id);
    poll = poll_without_picture(&f);
    assert_int_equal(fixture_sync(&f, poll)->n_kill, 0); /* told a moment ago */
    fixture_pass(&f, f.state->settings.kill_repeat_ms);
    response = fixture_sync(&f, poll_without_picture(&f));
    assert_int_equal(response->n_kill, 1);
    assert_true(response->want_all_tasks); /* to see whether it helped */
    fixture_sync(&f, fixture_poll(&f, "h1"));
    fixture_pass(&f, f.state->settings.kill_repeat_ms);
    assert_int_equal(fixture_sync(&f, poll_without_picture(&f))->n_kill, 0);
    fixture_done(&f);
}

/* -- pictures ------------------------------------------------------------------------------------- */

static const struct picture_case {
    const char *name;
    enum task_status before;
    bool is_killed;
    enum task_status seen_as; /* INIT: it is not in the picture */
    enum task_status after;
    bool is_replaced;
} picture_cases[] = {
    { "not launched yet", TASK_ASSIGNED, false, TASK_INIT, TASK_ASSIGNED, false },
    { "launched", TASK_ASSIGNED, false, TASK_STARTING, TASK_STARTING, false },
    { "runs", TASK_RUNNING, false, TASK_RUNNING, TASK_RUNNING, false },
    { "started is not running", TASK_RUNNING, false, TASK_STARTING, TASK_RUNNING, false },
    { "starting is gone", TASK_STARTING, false, TASK_INIT, TASK_LOST, true },
    { "running is gone", TASK_RUNNING, false, TASK_INIT, TASK_LOST, true },
    { "has ended", TASK_RUNNING, false, TASK_FINISHED, TASK_FINISHED, true },
    { "killed and gone", TASK_RUNNING, true, TASK_INIT, TASK_KILLED, false },
    { "killed and dying", TASK_RUNNING, true, TASK_KILLING, TASK_KILLING, false },
    { "killed and running", TASK_RUNNING, true, TASK_RUNNING, TASK_KILLING, false },
};

static void a_picture_is_believed(void **state)
{
    const struct picture_case *c = *state;
    struct fixture f = running(c->before);
    struct error err;
    struct task *task = the_task(&f);

    if (c->is_killed)
        assert_true(fixture_kill(&f, KEY, &err));
    sync_request *poll = fixture_poll(&f, "h1");
    if (c->seen_as != TASK_INIT)
        fixture_add_known(&f, poll, task->id, c->seen_as);
    fixture_sync(&f, poll);
    assert_int_equal(task->status, c->after);
    assert_int_equal(the_task(&f) != task, c->is_replaced);
    fixture_done(&f);
}

static void a_host_that_comes_back_has_its_tasks(void **state)
{
    struct fixture f = fixture_make();
    create_request *request = fixture_job(&f, KEY, 1);
    Eos__Job__V1__PartitionPolicy policy = EOS__JOB__V1__PARTITION_POLICY__INIT;
    (void)state;
    policy.reschedule = true;
    policy.delay_secs = 60;
    request->job->task_config->partition_policy = &policy;
    fixture_host(&f, "h1");
    fixture_create(&f, request);
    fixture_place(&f);
    fixture_report(&f, the_task(&f), TASK_RUNNING);
    fixture_pass(&f, f.state->settings.host_timeout_ms + 1);
    assert_int_equal(the_task(&f)->status, TASK_PARTITIONED);
    assert_true(fixture_sync(&f, poll_without_picture(&f))->want_all_tasks);
    sync_request *poll = fixture_poll(&f, "h1");
    fixture_add_known(&f, poll, the_task(&f)->id, TASK_RUNNING);
    fixture_sync(&f, poll);
    assert_int_equal(the_task(&f)->status, TASK_RUNNING);
    fixture_pass(&f, 60000);
    assert_int_equal(the_task(&f)->status, TASK_RUNNING);
    assert_int_equal(the_task(&f)->times_partitioned, 1);
    fixture_done(&f);
}

static void a_picture_is_asked_for_from_time_to_time(void **state)
{
    struct fixture f = fixture_make();
    (void)state;
    f.state->settings.host_timeout_ms = INT64_MAX / 4;
    assert_false(fixture_sync(&f, fixture_poll(&f, "h1"))->want_all_tasks);
    fixture_pass(&f, f.state->settings.reconcile_ms - 1);
    assert_false(fixture_sync(&f, poll_without_picture(&f))->want_all_tasks);
    fixture_pass(&f, 1);
    assert_true(fixture_sync(&f, poll_without_picture(&f))->want_all_tasks);
    fixture_done(&f);
}

/* -- after a restart ------------------------------------------------------------------------------ */

static void nothing_is_launched_twice_after_a_restart(void **state)
{
    struct fixture f = running(TASK_RUNNING);
    (void)state;
    fixture_restart(&f);
    fixture_create(&f, fixture_job(&f, "r/prod/b", 1));
    sync_response *response = fixture_sync(&f, poll_without_picture(&f));
    assert_true(response->want_all_tasks);
    assert_int_equal(response->n_launch + response->n_kill, 0);
    assert_int_equal(fixture_count(&f, "r/prod/b", TASK_PENDING), 1); /* not before the picture */
    assert_int_equal(the_task(&f)->status, TASK_RUNNING);

    sync_request *poll = fixture_poll(&f, "h1");
    fixture_add_known(&f, poll, the_task(&f)->id, TASK_RUNNING);
    response = fixture_sync(&f, poll);
    assert_int_equal(response->n_launch, 1);
    assert_string_not_equal(response->launch[0]->task->task_id, the_task(&f)->id);
    fixture_done(&f);
}

static void hosts_have_time_to_show_up_after_a_restart(void **state)
{
    struct fixture f = running(TASK_RUNNING);
    (void)state;
    f.now_ms += 10 * f.state->settings.host_timeout_ms; /* the scheduler was down for long */
    fixture_restart(&f);
    fixture_pass(&f, f.state->settings.host_timeout_ms);
    assert_int_equal(the_task(&f)->status, TASK_RUNNING);
    fixture_pass(&f, 1);
    fixture_pass(&f, 0);
    assert_int_equal(the_task(&f)->status, TASK_PENDING); /* the one in its place */
    fixture_done(&f);
}

/* -- sessions and bad polls ----------------------------------------------------------------------- */

static void refuse_nothing(struct fixture *f, sync_request *poll)
{
    (void)f;
    (void)poll;
}

static void same_sequence(struct fixture *f, sync_request *poll)
{
    (void)f;
    poll->sequence = 100;
}

static void lower_sequence(struct fixture *f, sync_request *poll)
{
    (void)f;
    poll->sequence = 99;
}

static void new_session(struct fixture *f, sync_request *poll)
{
    (void)f;
    poll->session = "session 3";
    poll->sequence = 1;
}

static void old_session(struct fixture *f, sync_request *poll)
{
    (void)f;
    poll->session = "session 1";
    poll->sequence = 1000;
}

static void no_host_id(struct fixture *f, sync_request *poll)
{
    (void)f;
    poll->host_id = "";
}

static void no_session(struct fixture *f, sync_request *poll)
{
    (void)f;
    poll->session = "";
}

static void no_total(struct fixture *f, sync_request *poll)
{
    (void)f;
    poll->total = NULL;
}

static void negative_ram(struct fixture *f, sync_request *poll)
{
    (void)f;
    poll->total->ram_mb = -1;
}

static void no_number(struct fixture *f, sync_request *poll)
{
    (void)f;
    poll->total->num_cpus = 0.0 / 0.0;
}

static void port_zero(struct fixture *f, sync_request *poll)
{
    (void)f;
    poll->total->ports[0]->first = 0;
}

static void port_too_high(struct fixture *f, sync_request *poll)
{
    (void)f;
    poll->total->ports[0]->last = 65536;
}

static void ports_backwards(struct fixture *f, sync_request *poll)
{
    (void)f;
    poll->total->ports[0]->last = 30000;
}

static void ports_overlap(struct fixture *f, sync_request *poll)
{
    Eos__Job__V1__Range **ranges = arena_array(f->arena, 2, sizeof *ranges);
    ranges[0] = ranges[1] = poll->total->ports[0];
    poll->total->ports = ranges;
    poll->total->n_ports = 2;
}

static void update_pending(struct fixture *f, sync_request *poll)
{
    fixture_add_update(f, poll, "t", TASK_PENDING, "");
}

static void update_without_id(struct fixture *f, sync_request *poll)
{
    fixture_add_update(f, poll, "t", TASK_RUNNING, "");
    poll->updates[0]->update_id = "";
}

static void known_partitioned(struct fixture *f, sync_request *poll)
{
    fixture_add_known(f, poll, "t", TASK_PARTITIONED);
}

static void nameless_attribute(struct fixture *f, sync_request *poll)
{
    fixture_add_attribute(f, poll, "", "x");
}

static const struct poll_case {
    const char *name;
    void (*change)(struct fixture *f, sync_request *poll);
    enum error_code code;
    const char *message;
} poll_cases[] = {
    { "fine", refuse_nothing, ERROR_OK, "" },
    { "repeated", same_sequence, ERROR_OK, "" },
    { "overtaken", lower_sequence, ERROR_ABORTED, "later poll" },
    { "new session", new_session, ERROR_OK, "" },
    { "old session", old_session, ERROR_ABORTED, "later session" },
    { "no host id", no_host_id, ERROR_INVALID_ARGUMENT, "host id" },
    { "no session", no_session, ERROR_INVALID_ARGUMENT, "session" },
    { "no resources", no_total, ERROR_INVALID_ARGUMENT, "not set" },
    { "negative ram", negative_ram, ERROR_INVALID_ARGUMENT, "out of range" },
    { "not a number", no_number, ERROR_INVALID_ARGUMENT, "out of range" },
    { "port zero", port_zero, ERROR_INVALID_ARGUMENT, "ports" },
    { "port too high", port_too_high, ERROR_INVALID_ARGUMENT, "ports" },
    { "ports backwards", ports_backwards, ERROR_INVALID_ARGUMENT, "ports" },
    { "ports overlap", ports_overlap, ERROR_INVALID_ARGUMENT, "ports" },
    { "update to PENDING", update_pending, ERROR_INVALID_ARGUMENT, "status of an update" },
    { "update without id", update_without_id, ERROR_INVALID_ARGUMENT, "id of an update" },
    { "PARTITIONED is not for hosts to say", known_partitioned, ERROR_INVALID_ARGUMENT, "status" },
    { "nameless attribute", nameless_attribute, ERROR_INVALID_ARGUMENT, "attribute" },
};

static void polls_are_checked_first(void **state)
{
    const struct poll_case *c = *state;
    struct fixture f = fixture_make();
    struct error err = { 0 };
    struct host *host = NULL;

    fixture_sync(&f, fixture_poll(&f, "h1")); /* session 1 */
    sync_request *poll = fixture_poll(&f, "h1");
    poll->session = "session 2";
    poll->sequence = 100;
    fixture_sync(&f, poll);
    poll = fixture_poll(&f, "h1");
    poll->session = "session 2";
    poll->sequence = 101;
    c->change(&f, poll);
    bool ok = sync_take_in(f.state, poll, f.now_ms, &host, &err);
    assert_int_equal(err.code, c->code);
    assert_int_equal(ok, c->code == ERROR_OK);
    assert_int_equal(host != NULL, ok);
    assert_non_null(strstr(err.message, c->message));
    fixture_done(&f);
}

static void a_host_may_change(void **state)
{
    struct fixture f = fixture_make();
    create_request *request = fixture_job(&f, KEY, 1);
    (void)state;
    fixture_host(&f, "h1");
    request->job->task_config->resources[0]->num_cpus = 6;
    fixture_create(&f, request);
    fixture_place(&f);
    assert_int_equal(the_task(&f)->status, TASK_PENDING);
    sync_request *poll = poll_without_picture(&f);
    poll->total->num_cpus = 8;
    assert_int_equal(fixture_sync(&f, poll)->n_launch, 1);
    assert_int_equal(map_count(f.state->hosts), 1);
    fixture_done(&f);
}

static void a_poll_is_held_for_a_part_of_the_timeout(void **state)
{
    struct fixture f = fixture_make();
    sync_request *poll = fixture_poll(&f, "h1");
    (void)state;
    assert_int_equal(sync_hold_ms(f.state, poll), 10000);
    poll->wait_ms = 4000000000u;
    assert_int_equal(sync_hold_ms(f.state, poll), 25000);
    f.state->settings.host_timeout_ms = 1000000;
    assert_int_equal(sync_hold_ms(f.state, poll), SYNC_MAX_WAIT_MS);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_launch_is_repeated_until_the_task_is_named),
        cmocka_unit_test(a_new_session_is_told_at_once),
        cmocka_unit_test(a_new_session_is_told_nothing_before_its_picture),
        cmocka_unit_test(a_kill_is_repeated_until_the_end),
        cmocka_unit_test(a_kill_that_overtakes_the_launch_ends_with_a_picture),
        cmocka_unit_test(launches_of_one_answer_are_bounded),
        cmocka_unit_test(updates_are_acknowledged_and_harmless_twice),
        cmocka_unit_test(a_starting_task_says_how_far_it_is),
        cmocka_unit_test(a_dead_task_that_runs_is_killed),
        cmocka_unit_test(a_host_that_comes_back_has_its_tasks),
        cmocka_unit_test(a_picture_is_asked_for_from_time_to_time),
        cmocka_unit_test(nothing_is_launched_twice_after_a_restart),
        cmocka_unit_test(hosts_have_time_to_show_up_after_a_restart),
        cmocka_unit_test(a_host_may_change),
        cmocka_unit_test(a_poll_is_held_for_a_part_of_the_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) +
           RUN_CASES(stranger_cases, strangers_are_killed_or_forgotten) +
           RUN_CASES(picture_cases, a_picture_is_believed) +
           RUN_CASES(poll_cases, polls_are_checked_first);
}
