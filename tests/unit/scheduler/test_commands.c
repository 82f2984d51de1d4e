#include "fixture.h"

#include "unit/test.h"

#define KEY "r/prod/a"

typedef Eos__Scheduler__V1__CreateJobRequest create_request;
typedef Eos__Scheduler__V1__CreateJobResponse create_response;
typedef Eos__Scheduler__V1__KillTasksRequest kill_request;
typedef Eos__Scheduler__V1__KillTasksResponse kill_response;

static bool create(struct fixture *f, create_request *request, int32_t *ret_count,
                   struct error *err)
{
    create_response response = EOS__SCHEDULER__V1__CREATE_JOB_RESPONSE__INIT;
    bool ok = command_create_job(f->state, request, f->now_ms, f->arena, &response, err);
    *ret_count = response.instance_count;
    return ok;
}

static void a_second_job_of_the_same_name_is_refused(void **state)
{
    struct fixture f = fixture_make();
    struct error err;
    int32_t count;
    (void)state;

    fixture_create(&f, fixture_job(&f, KEY, 2));
    assert_false(create(&f, fixture_job(&f, KEY, 3), &count, &err));
    assert_int_equal(err.code, ERROR_ALREADY_EXISTS);
    assert_string_equal(err.message, "job r/prod/a already exists");
    assert_int_equal(map_count(f.state->tasks), 2);
    fixture_done(&f);
}

static void dead_tasks_do_not_stand_in_the_way(void **state)
{
    struct fixture f = fixture_make();
    create_request *request = fixture_job(&f, KEY, 1);
    (void)state;

    fixture_host(&f, "h1");
    fixture_create(&f, fixture_job(&f, KEY, 2));
    fixture_place(&f);
    for (int32_t i = 0; i < 2; i++)
        fixture_report(&f, fixture_task(&f, KEY, i), TASK_FINISHED);
    request->job->task_config->priority = 7;
    struct job *job = fixture_create(&f, request);
    assert_int_equal(f.state->job_count, 1);
    assert_int_equal(job->message->instance_count, 1);
    assert_int_equal(job->config->message->priority, 7);
    assert_int_equal(job->active_count, 1);
    assert_int_equal(job->terminal_count, 2);
    assert_int_equal(map_count(f.state->configs), 2); /* the dead ones still have theirs */
    fixture_done(&f);
}

static void a_repeated_request_is_carried_out_once(void **state)
{
    struct fixture f = fixture_make();
    create_request *request = fixture_job(&f, KEY, 2);
    struct error err;
    int32_t count = 0;
    (void)state;

    request->request_id = "one";
    for (int i = 0; i < 3; i++) {
        assert_true(create(&f, request, &count, &err));
        assert_int_equal(count, 2);
        fixture_restart(&f); /* and the memory survives */
    }
    assert_int_equal(map_count(f.state->tasks), 2);

    create_request *other = fixture_job(&f, "r/prod/b", 1);
    other->request_id = "one";
    assert_false(create(&f, other, &count, &err));
    assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
    assert_null(fixture_find(&f, "r/prod/b"));
    fixture_done(&f);
}

static void a_repeated_kill_gives_the_first_answer(void **state)
{
    struct fixture f = fixture_make();
    kill_request request = EOS__SCHEDULER__V1__KILL_TASKS_REQUEST__INIT;
    struct error err;
    (void)state;

    create_request *job = fixture_job(&f, KEY, 2);
    fixture_create(&f, job);
    request.job = job->job->key;
    request.request_id = "k";
    for (int i = 0; i < 2; i++) {
        kill_response response = EOS__SCHEDULER__V1__KILL_TASKS_RESPONSE__INIT;
        assert_true(command_kill_tasks(f.state, &request, f.now_ms, f.arena, &response, &err));
        assert_int_equal(response.n_task_ids, 2);
        assert_string_not_equal(response.task_ids[0], response.task_ids[1]);
    }
    fixture_done(&f);
}

static const struct kill_case {
    const char *name;
    const char *key;
    int32_t instances[3];
    size_t instance_count;
    size_t killed;
    enum error_code code;
    const char *message;
} kill_cases[] = {
    { "all", KEY, { 0 }, 0, 3, ERROR_OK, "" },
    { "one", KEY, { 1 }, 1, 1, ERROR_OK, "" },
    { "one twice", KEY, { 1, 1 }, 2, 1, ERROR_OK, "" },
    { "some that are there", KEY, { 2, 9 }, 2, 1, ERROR_OK, "" },
    { "none that is there",
      KEY,
      { 9 },
      1,
      0,
      ERROR_NOT_FOUND,
      "job r/prod/a has no active task of these instances" },
    { "no such job", "r/prod/b", { 0 }, 0, 0, ERROR_NOT_FOUND, "job r/prod/b does not exist" },
    { "no key", "r//a", { 0 }, 0, 0, ERROR_INVALID_ARGUMENT, "environment of the job" },
};

static void kills_what_is_meant(void **state)
{
    const struct kill_case *c = *state;
    struct fixture f = fixture_make();
    kill_request request = EOS__SCHEDULER__V1__KILL_TASKS_REQUEST__INIT;
    kill_response response = EOS__SCHEDULER__V1__KILL_TASKS_RESPONSE__INIT;
    struct error err = { 0 };

    fixture_host(&f, "h1");
    fixture_create(&f, fixture_job(&f, KEY, 3));
    fixture_place(&f);
    request.job = fixture_job(&f, c->key, 1)->job->key;
    request.n_instances = c->instance_count;
    request.instances = (int32_t *)c->instances;
    request.message = "enough";
    request.user = "me";
    bool ok = command_kill_tasks(f.state, &request, f.now_ms, f.arena, &response, &err);
    assert_int_equal(err.code, c->code);
    assert_int_equal(ok, c->code == ERROR_OK);
    assert_non_null(strstr(err.message, c->message));
    assert_int_equal(response.n_task_ids, c->killed);
    assert_int_equal(fixture_count(&f, KEY, TASK_KILLING), c->killed);
    if (c->killed) {
        struct task *task = state_find_task(f.state, response.task_ids[0]);
        assert_string_equal(task_last_event(task)->message, "Killed by me.\nenough");
        response.n_task_ids = 0;
        assert_true(command_kill_tasks(f.state, &request, f.now_ms, f.arena, &response, &err));
        assert_int_equal(response.n_task_ids, 0); /* they are being killed already */
    }
    fixture_done(&f);
}

static void messages_are_bounded(void **state)
{
    struct fixture f = fixture_make();
    kill_request request = EOS__SCHEDULER__V1__KILL_TASKS_REQUEST__INIT;
    kill_response response = EOS__SCHEDULER__V1__KILL_TASKS_RESPONSE__INIT;
    char message[COMMAND_MAX_MESSAGE_BYTES + 2];
    struct error err;
    (void)state;

    memset(message, 'm', sizeof message);
    message[sizeof message - 1] = 0;
    create_request *job = fixture_job(&f, KEY, 1);
    fixture_create(&f, job);
    request.job = job->job->key;
    request.message = message;
    assert_false(command_kill_tasks(f.state, &request, f.now_ms, f.arena, &response, &err));
    assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
    message[COMMAND_MAX_MESSAGE_BYTES] = 0;
    assert_true(command_kill_tasks(f.state, &request, f.now_ms, f.arena, &response, &err));
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_job_of_the_same_name_is_refused),
        cmocka_unit_test(dead_tasks_do_not_stand_in_the_way),
        cmocka_unit_test(a_repeated_request_is_carried_out_once),
        cmocka_unit_test(a_repeated_kill_gives_the_first_answer),
        cmocka_unit_test(messages_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) + RUN_CASES(kill_cases, kills_what_is_meant);
}
