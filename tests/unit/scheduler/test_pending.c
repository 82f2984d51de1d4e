#include "fixture.h"

#include "unit/test.h"

typedef Eos__Scheduler__V1__CreateJobRequest create_request;

static void set_ram(create_request *request, int64_t mb)
{
    request->job->task_config->resources[1]->ram_mb = mb;
}

static void set_cpus(create_request *request, double cpus)
{
    request->job->task_config->resources[0]->num_cpus = cpus;
}

static void want_much_ram(struct fixture *f, create_request *r)
{
    (void)f;
    set_ram(r, 400 * 1024);
}

static void want_many_cpus(struct fixture *f, create_request *r)
{
    (void)f;
    set_cpus(r, 8.5);
}

static void want_a_rack(struct fixture *f, create_request *r)
{
    fixture_add_value(f, r, "rack", "a");
}

static void want_too_many_per_host(struct fixture *f, create_request *r)
{
    r->job->instance_count = 3;
    fixture_add_limit(f, r, "host", 1);
}

static void want_all_of_both_hosts(struct fixture *f, create_request *r)
{
    (void)f;
    r->job->instance_count = 3;
    set_cpus(r, 4);
}

static void want_ports(struct fixture *f, create_request *r)
{
    for (int i = 0; i < 11; i++)
        fixture_add_port(f, r, arena_printf(f->arena, "p%d", i));
}

static const struct pending_case {
    const char *name;
    int hosts;
    void (*ask)(struct fixture *f, create_request *request);
    const char *reason;
    const char *veto; /* the first */
    int32_t host_count;
} cases[] = {
    { "no host", 0, want_a_rack, "no host has joined the cluster yet", NULL, 0 },
    { "ram", 2, want_much_ram, "no host has 400 GB of ram; the largest has 4 GB",
      "Insufficient: RAM", 2 },
    { "CPUs", 2, want_many_cpus, "no host has 8.5 CPUs; the largest has 4", "Insufficient: CPU",
      2 },
    { "ports", 2, want_ports, "no host has 11 ports; the largest has 10", "Insufficient: ports",
      2 },
    { "constraint", 2, want_a_rack, "no host fits: Constraint not satisfied: rack (2 of 2 hosts)",
      "Constraint not satisfied: rack", 2 },
    { "limit", 2, want_too_many_per_host, "no host fits: Limit not satisfied: host (2 of 2 hosts)",
      "Limit not satisfied: host", 2 },
    { "load", 2, want_all_of_both_hosts, "no host has 4 CPUs free now; the most that is free is 0",
      "Insufficient: CPU", 2 },
};

static Eos__Scheduler__V1__PendingReasonsResponse *ask(struct fixture *f, const char *name)
{
    Eos__Scheduler__V1__PendingReasonsRequest request =
        EOS__SCHEDULER__V1__PENDING_REASONS_REQUEST__INIT;
    Eos__Scheduler__V1__PendingReasonsResponse *response = arena_alloc(f->arena, sizeof *response);
    eos__scheduler__v1__pending_reasons_response__init(response);
    request.name = (char *)name;
    query_pending(f->state, &request, f->now_ms, f->arena, response);
    return response;
}

static void is_explained(void **state)
{
    const struct pending_case *c = *state;
    struct fixture f = fixture_make();
    create_request *request = fixture_job(&f, "r/prod/a", 1);

    for (int i = 0; i < c->hosts; i++)
        fixture_host(&f, i ? "h2" : "h1");
    c->ask(&f, request);
    fixture_create(&f, request);
    fixture_place(&f);
    Eos__Scheduler__V1__PendingReasonsResponse *response = ask(&f, "a");
    assert_int_equal(response->n_reasons, 1);
    assert_string_equal(response->reasons[0]->reason, c->reason);
    assert_int_equal(response->reasons[0]->n_vetoes, c->veto ? 1 : 0);
    if (c->veto) {
        assert_string_equal(response->reasons[0]->vetoes[0]->reason, c->veto);
        assert_int_equal(response->reasons[0]->vetoes[0]->host_count, c->host_count);
    }
    assert_int_equal(ask(&f, "b")->n_reasons, 0);
    fixture_done(&f);
}

static void several_vetoes_come_most_frequent_first(void **state)
{
    struct fixture f = fixture_make();
    create_request *request = fixture_job(&f, "r/prod/a", 1);
    (void)state;

    for (int i = 0; i < 3; i++) {
        sync_request *poll = fixture_poll(&f, arena_printf(f.arena, "h%d", i));
        fixture_add_attribute(&f, poll, "rack", i == 0 ? "a" : "b");
        fixture_sync(&f, poll);
    }
    fixture_add_value(&f, request, "rack", "a");
    set_ram(request, 5 * 1024);
    fixture_create(&f, request);
    fixture_place(&f);
    Eos__Scheduler__V1__PendingReason *reason = ask(&f, "a")->reasons[0];
    assert_string_equal(reason->reason,
                        "no host has 5 GB of ram among those that satisfy the constraints; the "
                        "largest has 4 GB");
    assert_int_equal(reason->n_vetoes, 2);
    assert_string_equal(reason->vetoes[0]->reason, "Constraint not satisfied: rack");
    assert_int_equal(reason->vetoes[0]->host_count, 2);
    assert_string_equal(reason->vetoes[1]->reason, "Insufficient: RAM");
    assert_int_equal(reason->vetoes[1]->host_count, 1);
    fixture_done(&f);
}

static void silent_hosts_are_no_excuse(void **state)
{
    struct fixture f = fixture_make();
    (void)state;
    fixture_host(&f, "h1");
    fixture_pass(&f, f.state->settings.host_timeout_ms + 1);
    fixture_create(&f, fixture_job(&f, "r/prod/a", 1));
    fixture_place(&f);
    assert_string_equal(ask(&f, "a")->reasons[0]->reason,
                        "none of the 1 hosts of the cluster is connected");
    fixture_done(&f);
}

static void throttled_tasks_tell_how_long(void **state)
{
    struct fixture f = fixture_make();
    create_request *request = fixture_job(&f, "r/prod/a", 1);
    (void)state;

    request->job->task_config->is_service = true;
    fixture_host(&f, "h1");
    fixture_create(&f, request);
    fixture_place(&f);
    fixture_report(&f, fixture_task(&f, "r/prod/a", 0), TASK_FAILED);
    fixture_place(&f);
    fixture_report(&f, fixture_task(&f, "r/prod/a", 0), TASK_FAILED);
    assert_int_equal(fixture_task(&f, "r/prod/a", 0)->status, TASK_THROTTLED);
    const char *reason = ask(&f, "a")->reasons[0]->reason;
    assert_non_null(strstr(reason, "s more because the runs before it ended too soon"));
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_vetoes_come_most_frequent_first),
        cmocka_unit_test(silent_hosts_are_no_excuse),
        cmocka_unit_test(throttled_tasks_tell_how_long),
    };
    return RUN_CASES(cases, is_explained) + cmocka_run_group_tests(tests, NULL, NULL);
}
