#include "fixture.h"

#include "unit/test.h"

typedef Eos__Scheduler__V1__ListTasksRequest tasks_request;
typedef Eos__Scheduler__V1__ListTasksResponse tasks_response;
typedef Eos__Scheduler__V1__ListJobsRequest jobs_request;
typedef Eos__Scheduler__V1__ListJobsResponse jobs_response;

static tasks_response *list_tasks(struct fixture *f, const tasks_request *request)
{
    tasks_response *response = arena_alloc(f->arena, sizeof *response);
    struct error err;
    eos__scheduler__v1__list_tasks_response__init(response);
    bool ok = query_list_tasks(f->state, request, f->arena, response, &err);
    assert_true(ok);
    return response;
}

static jobs_response *list_jobs(struct fixture *f, const jobs_request *request)
{
    jobs_response *response = arena_alloc(f->arena, sizeof *response);
    struct error err;
    eos__scheduler__v1__list_jobs_response__init(response);
    bool ok = query_list_jobs(f->state, request, f->arena, response, &err);
    assert_true(ok);
    return response;
}

/* Three jobs of two roles; instance 0 of r/prod/a has run before. */
static struct fixture populated(void)
{
    struct fixture f = fixture_make();
    Eos__Scheduler__V1__CreateJobRequest *request = fixture_job(&f, "r/prod/a", 3);
    request->job->task_config->is_service = true;
    fixture_host(&f, "h1");
    fixture_create(&f, request);
    fixture_place(&f);
    fixture_report(&f, fixture_task(&f, "r/prod/a", 0), TASK_FINISHED);
    fixture_create(&f, fixture_job(&f, "r/devel/b", 2));
    fixture_create(&f, fixture_job(&f, "q/prod/c", 2));
    return f;
}

static const struct filter_case {
    const char *name;
    const char *role, *environment, *job;
    int32_t instance;        /* -1: any */
    enum task_status status; /* INIT: any */
    const char *host;
    size_t count;
} filter_cases[] = {
    { "all", "", "", "", -1, TASK_INIT, "", 8 },
    { "role", "r", "", "", -1, TASK_INIT, "", 6 },
    { "environment", "", "prod", "", -1, TASK_INIT, "", 6 },
    { "name", "", "", "b", -1, TASK_INIT, "", 2 },
    { "key", "r", "prod", "a", -1, TASK_INIT, "", 4 },
    { "instance", "r", "prod", "a", 0, TASK_INIT, "", 2 },
    { "status", "", "", "", -1, TASK_PENDING, "", 4 },
    { "host", "", "", "", -1, TASK_INIT, "h1", 4 },
    { "other host", "", "", "", -1, TASK_INIT, "h2", 0 },
    { "nobody", "x", "", "", -1, TASK_INIT, "", 0 },
};

static void filters_are_joined_by_and(void **state)
{
    const struct filter_case *c = *state;
    struct fixture f = populated();
    tasks_request request = EOS__SCHEDULER__V1__LIST_TASKS_REQUEST__INIT;
    int32_t instance = c->instance;
    Eos__Job__V1__ScheduleStatus status =
        (Eos__Job__V1__ScheduleStatus)task_status_number(c->status);

    request.role = (char *)c->role;
    request.environment = (char *)c->environment;
    request.name = (char *)c->job;
    request.host_id = (char *)c->host;
    request.instances = &instance;
    request.n_instances = c->instance >= 0;
    request.statuses = &status;
    request.n_statuses = c->status != TASK_INIT;
    assert_int_equal(list_tasks(&f, &request)->n_tasks, c->count);
    fixture_done(&f);
}

static void pages_hold_everything_once_in_order(void **state)
{
    struct fixture f = populated();
    tasks_request request = EOS__SCHEDULER__V1__LIST_TASKS_REQUEST__INIT;
    tasks_response *all = list_tasks(&f, &request);
    size_t seen = 0;
    (void)state;

    request.page_size = 3;
    for (;;) {
        tasks_response *page = list_tasks(&f, &request);
        for (size_t i = 0; i < page->n_tasks; i++, seen++)
            assert_string_equal(page->tasks[i]->assigned_task->task_id,
                                all->tasks[seen]->assigned_task->task_id);
        if (!*page->next_page_token)
            break;
        assert_int_equal(page->n_tasks, 3);
        request.page_token = page->next_page_token;
    }
    assert_int_equal(seen, all->n_tasks);
    assert_string_equal(all->tasks[0]->assigned_task->task->job->role, "q");
    assert_int_equal(all->tasks[4]->status, EOS__JOB__V1__SCHEDULE_STATUS__ASSIGNED);
    assert_int_equal(all->tasks[5]->status, EOS__JOB__V1__SCHEDULE_STATUS__FINISHED); /* older */
    fixture_done(&f);
}

static void pages_stay_in_place_when_tasks_come_and_go(void **state)
{
    struct fixture f = populated();
    tasks_request request = EOS__SCHEDULER__V1__LIST_TASKS_REQUEST__INIT;
    struct error err;
    (void)state;

    request.page_size = 3; /* both of q/prod/c, and the first of r/devel/b */
    request.page_token = list_tasks(&f, &request)->next_page_token;
    assert_true(fixture_kill(&f, "r/devel/b", &err)); /* pending: gone */
    fixture_create(&f, fixture_job(&f, "a/prod/new", 5));
    request.page_size = 0;
    tasks_response *rest = list_tasks(&f, &request);
    assert_int_equal(rest->n_tasks, 4);
    assert_string_equal(rest->tasks[0]->assigned_task->task->job->name, "a");
    fixture_done(&f);
}

static void tasks_are_found_by_id(void **state)
{
    struct fixture f = populated();
    tasks_request request = EOS__SCHEDULER__V1__LIST_TASKS_REQUEST__INIT;
    char *ids[4] = { fixture_task(&f, "r/prod/a", 2)->id, "nothing",
                     fixture_task(&f, "q/prod/c", 0)->id, fixture_task(&f, "r/prod/a", 2)->id };
    (void)state;

    request.task_ids = ids;
    request.n_task_ids = 4;
    tasks_response *found = list_tasks(&f, &request);
    assert_int_equal(found->n_tasks, 2);
    assert_string_equal(found->tasks[0]->assigned_task->task_id, ids[2]);
    request.page_size = 1;
    found = list_tasks(&f, &request);
    request.page_token = found->next_page_token;
    found = list_tasks(&f, &request);
    assert_int_equal(found->n_tasks, 1);
    assert_string_equal(found->tasks[0]->assigned_task->task_id, ids[0]);
    assert_string_equal(found->next_page_token, "");
    request.page_token = "";
    request.role = "q";
    assert_int_equal(list_tasks(&f, &request)->n_tasks, 1);
    fixture_done(&f);
}

static void pages_are_bounded_in_bytes(void **state)
{
    struct fixture f = fixture_make();
    tasks_request request = EOS__SCHEDULER__V1__LIST_TASKS_REQUEST__INIT;
    Eos__Scheduler__V1__CreateJobRequest *job = fixture_job(&f, "r/prod/a", 20);
    char *data = arena_alloc(f.arena, (1 << 20) + 1);
    (void)state;

    memset(data, ' ', 1 << 20);
    job->job->task_config->executor_data = data;
    fixture_create(&f, job);
    tasks_response *page = list_tasks(&f, &request);
    assert_in_range(page->n_tasks, 8, 9);
    assert_string_not_equal(page->next_page_token, "");
    request.without_configs = true;
    page = list_tasks(&f, &request);
    assert_int_equal(page->n_tasks, 20);
    assert_string_equal(page->tasks[0]->assigned_task->task->executor_data, "");
    assert_string_equal(page->tasks[0]->assigned_task->task->executor_name, "AuroraExecutor");
    fixture_done(&f);
}

static const struct token_case {
    const char *name, *token;
} token_cases[] = {
    { "not a place", "x" },
    { "too short", "r/prod/a/1" },
    { "too long", "r/prod/a/1/2/3" },
    { "no number", "r/prod/a/one/2" },
    { "negative serial", "r/prod/a/1/-2" },
    { "instance out of range", "r/prod/a/4294967296/2" },
};

static void bad_tokens_are_refused(void **state)
{
    const struct token_case *c = *state;
    struct fixture f = populated();
    tasks_request request = EOS__SCHEDULER__V1__LIST_TASKS_REQUEST__INIT;
    tasks_response response = EOS__SCHEDULER__V1__LIST_TASKS_RESPONSE__INIT;
    struct error err;

    request.page_token = (char *)c->token;
    assert_false(query_list_tasks(f.state, &request, f.arena, &response, &err));
    assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "page token"));
    fixture_done(&f);
}

static void jobs_are_listed_with_their_counts(void **state)
{
    struct fixture f = populated();
    jobs_request request = EOS__SCHEDULER__V1__LIST_JOBS_REQUEST__INIT;
    (void)state;

    request.page_size = 2;
    jobs_response *page = list_jobs(&f, &request);
    assert_int_equal(page->n_jobs, 2);
    assert_string_equal(page->jobs[0]->key->name, "c");
    assert_string_equal(page->jobs[1]->key->name, "b");
    assert_string_equal(page->next_page_token, "r/devel/b");
    request.page_token = page->next_page_token;
    page = list_jobs(&f, &request);
    assert_int_equal(page->n_jobs, 1);
    assert_true(page->jobs[0]->is_service);
    assert_int_equal(page->jobs[0]->instance_count, 3);
    assert_int_equal(page->jobs[0]->stats->active_task_count, 3);
    assert_int_equal(page->jobs[0]->stats->finished_task_count, 1);
    assert_int_equal(page->jobs[0]->stats->pending_task_count, 0);
    assert_string_equal(page->next_page_token, "");
    fixture_done(&f);
}

static void a_job_is_given_back_as_it_was_asked_for(void **state)
{
    struct fixture f = fixture_make();
    Eos__Scheduler__V1__CreateJobRequest *request = fixture_job(&f, "r/prod/a", 2);
    Eos__Job__V1__ImageBinding binding = EOS__JOB__V1__IMAGE_BINDING__INIT, *bindings = &binding;
    Eos__Scheduler__V1__GetJobResponse response = EOS__SCHEDULER__V1__GET_JOB_RESPONSE__INIT;
    (void)state;

    binding.reference = "a/b:1";
    binding.digest = "sha256:00";
    request->n_bindings = 1;
    request->bindings = &bindings;
    fixture_create(&f, request);
    fixture_restart(&f);
    query_job(fixture_find(&f, "r/prod/a"), f.arena, &response);
    assert_int_equal(response.job->instance_count, 2);
    assert_string_equal(response.job->task_config->executor_data, "{}");
    assert_int_equal(response.n_bindings, 1);
    assert_string_equal(response.bindings[0]->digest, "sha256:00");
    assert_int_equal(response.created_at_ms, f.now_ms);
    assert_int_equal(response.stats->pending_task_count, 2);
    fixture_done(&f);
}

static void hosts_tell_what_is_used(void **state)
{
    struct fixture f = fixture_make();
    Eos__Scheduler__V1__CreateJobRequest *request = fixture_job(&f, "r/prod/a", 1);
    Eos__Scheduler__V1__ListHostsResponse response = EOS__SCHEDULER__V1__LIST_HOSTS_RESPONSE__INIT;
    (void)state;

    fixture_host(&f, "h1");
    for (int i = 0; i < 10; i++)
        fixture_add_port(&f, request, arena_printf(f.arena, "p%d", i));
    request->job->task_config->resources[0]->num_cpus = 1.5;
    fixture_create(&f, request);
    fixture_place(&f);
    query_list_hosts(f.state, f.arena, &response);
    assert_int_equal(response.n_hosts, 1);
    Eos__Scheduler__V1__Host *host = response.hosts[0];
    assert_string_equal(host->hostname, "h1.example");
    assert_true(host->is_connected);
    assert_true(host->used->num_cpus == 1.5);
    assert_int_equal(host->used->ram_mb, 128);
    assert_int_equal(host->used->n_ports, 1);
    assert_int_equal(host->used->ports[0]->first, 31000);
    assert_int_equal(host->used->ports[0]->last, 31009);
    assert_int_equal(host->task_count, 1);

    fixture_restart(&f);
    eos__scheduler__v1__list_hosts_response__init(&response);
    query_list_hosts(f.state, f.arena, &response);
    assert_false(response.hosts[0]->is_connected); /* not heard of yet */
    assert_int_equal(response.hosts[0]->task_count, 1);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_hold_everything_once_in_order),
        cmocka_unit_test(pages_stay_in_place_when_tasks_come_and_go),
        cmocka_unit_test(tasks_are_found_by_id),
        cmocka_unit_test(pages_are_bounded_in_bytes),
        cmocka_unit_test(jobs_are_listed_with_their_counts),
        cmocka_unit_test(a_job_is_given_back_as_it_was_asked_for),
        cmocka_unit_test(hosts_tell_what_is_used),
    };
    return RUN_CASES(filter_cases, filters_are_joined_by_and) +
           RUN_CASES(token_cases, bad_tokens_are_refused) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
