#include "fixture.h"

#include "scheduler/placement.h"

#include "unit/test.h"

typedef Eos__Scheduler__V1__CreateJobRequest create_request;

/* -- constraints ---------------------------------------------------------------------------------- */

enum constraint_kind { NONE, VALUE, VALUE_NOT, LIMIT };

static const struct constraint_case {
    const char *name;
    const char *attribute, *attribute_value; /* of the host; NULL: none */
    enum constraint_kind kind;
    const char *constraint, *wanted;
    int32_t limit;
    enum veto_kind veto;
} constraint_cases[] = {
    { "no constraint", NULL, NULL, NONE, NULL, NULL, 0, VETO_NONE },
    { "value matches", "rack", "a", VALUE, "rack", "a", 0, VETO_NONE },
    { "value differs", "rack", "b", VALUE, "rack", "a", 0, VETO_CONSTRAINT },
    { "attribute is absent", NULL, NULL, VALUE, "rack", "a", 0, VETO_CONSTRAINT },
    { "negated value matches", "rack", "a", VALUE_NOT, "rack", "a", 0, VETO_CONSTRAINT },
    { "negated value differs", "rack", "b", VALUE_NOT, "rack", "a", 0, VETO_NONE },
    { "negated, attribute is absent", NULL, NULL, VALUE_NOT, "rack", "a", 0, VETO_NONE },
    { "limit, attribute is absent", NULL, NULL, LIMIT, "rack", NULL, 5, VETO_CONSTRAINT },
    { "limit not reached", "rack", "a", LIMIT, "rack", NULL, 1, VETO_NONE },
    { "limit of zero", "rack", "a", LIMIT, "rack", NULL, 0, VETO_LIMIT },
    { "host is an attribute of every host", NULL, NULL, VALUE, "host", "h1.example", 0, VETO_NONE },
    { "another host", NULL, NULL, VALUE, "host", "h2.example", 0, VETO_CONSTRAINT },
    { "host may be told by the launcher", "host", "h9", VALUE, "host", "h9", 0, VETO_NONE },
    { "limit per host", NULL, NULL, LIMIT, "host", NULL, 1, VETO_NONE },
    { "host is for others", "dedicated", "www/x", NONE, NULL, NULL, 0, VETO_DEDICATED },
    { "host is for them", "dedicated", "r/x", VALUE, "dedicated", "r/x", 0, VETO_NONE },
    { "host is for others of them", "dedicated", "r/y", VALUE, "dedicated", "r/x", 0,
      VETO_CONSTRAINT },
    { "host is for anybody that asks", "dedicated", "*/gpu", VALUE, "dedicated", "*/gpu", 0,
      VETO_NONE },
    { "wants a dedicated host", NULL, NULL, VALUE, "dedicated", "r/x", 0, VETO_CONSTRAINT },
};

static void constraints_are_checked(void **state)
{
    const struct constraint_case *c = *state;
    struct fixture f = fixture_make();
    sync_request *poll = fixture_poll(&f, "h1");
    create_request *request = fixture_job(&f, "r/prod/a", 1);
    struct veto veto;

    if (c->attribute)
        fixture_add_attribute(&f, poll, c->attribute, c->attribute_value);
    fixture_sync(&f, poll);
    if (c->kind == VALUE)
        fixture_add_value(&f, request, c->constraint, c->wanted);
    if (c->kind == VALUE_NOT)
        fixture_add_value_not(&f, request, c->constraint, c->wanted);
    if (c->kind == LIMIT)
        fixture_add_limit(&f, request, c->constraint, c->limit);
    struct job *job = fixture_create(&f, request);
    struct spread *spread = spread_new(job->config, job);

    bool fits = placement_check(job->config, state_find_host(f.state, "h1"), spread, &veto);
    assert_int_equal(veto.kind, c->veto);
    assert_int_equal(fits, c->veto == VETO_NONE);
    if (veto.kind == VETO_CONSTRAINT || veto.kind == VETO_LIMIT)
        assert_string_equal(veto.name, c->constraint);
    spread_free(spread);
    fixture_done(&f);
}

/* -- resources ------------------------------------------------------------------------------------ */

/* The host has 4 CPUs, 4096 MB of ram, 8192 MB of disk, 2 GPUs and 10 ports. */
static const struct resource_case {
    const char *name;
    struct resources demand;
    unsigned lacks;
} resource_cases[] = {
    { "fits exactly", { 4000000, 4096, 8192, 2, 10 }, 0 },
    { "CPU", { 4000001, 1, 1, 0, 0 }, 1 << RESOURCE_CPU },
    { "ram", { 1, 4097, 1, 0, 0 }, 1 << RESOURCE_RAM },
    { "disk", { 1, 1, 8193, 0, 0 }, 1 << RESOURCE_DISK },
    { "GPUs", { 1, 1, 1, 3, 0 }, 1 << RESOURCE_GPU },
    { "ports", { 1, 1, 1, 0, 11 }, 1 << RESOURCE_PORTS },
    { "several", { 5000000, 5000, 1, 0, 0 }, 1 << RESOURCE_CPU | 1 << RESOURCE_RAM },
};

static void resources_are_checked(void **state)
{
    const struct resource_case *c = *state;
    struct fixture f = fixture_make();
    sync_request *poll = fixture_poll(&f, "h1");
    struct veto veto;

    poll->total->num_gpus = 2;
    fixture_sync(&f, poll);
    struct job *job = fixture_create(&f, fixture_job(&f, "r/prod/a", 1));
    struct task_config *config = job->config;
    struct resources real = config->demand;
    config->demand = c->demand;
    struct host *host = state_find_host(f.state, "h1");

    assert_int_equal(placement_check(config, host, NULL, &veto), c->lacks == 0);
    assert_int_equal(veto.kind, c->lacks ? VETO_RESOURCES : VETO_NONE);
    assert_int_equal(veto.lacks, c->lacks);
    host->is_draining = true;
    assert_false(placement_check(config, host, NULL, &veto));
    assert_int_equal(veto.kind, VETO_DRAINING);
    config->demand = real;
    fixture_done(&f);
}

static void limits_count_the_tasks_of_the_job(void **state)
{
    struct fixture f = fixture_make();
    create_request *request = fixture_job(&f, "r/prod/a", 5);
    (void)state;

    for (int i = 0; i < 3; i++) { /* two hosts in rack a, one in rack b */
        char name[3] = { 'h', (char)('1' + i), 0 };
        sync_request *poll = fixture_poll(&f, name);
        fixture_add_attribute(&f, poll, "rack", i < 2 ? "a" : "b");
        fixture_sync(&f, poll);
    }
    fixture_add_limit(&f, request, "rack", 2);
    fixture_create(&f, request);
    fixture_create(&f, fixture_job(&f, "r/prod/other", 1)); /* is not counted */
    fixture_place(&f);
    assert_int_equal(fixture_count(&f, "r/prod/a", TASK_ASSIGNED), 4);
    assert_int_equal(fixture_count(&f, "r/prod/a", TASK_PENDING), 1);
    assert_int_equal(fixture_count(&f, "r/prod/other", TASK_ASSIGNED), 1);
    size_t in_b = 0;
    struct job *job = fixture_find(&f, "r/prod/a");
    for (size_t i = 0; i < job->task_count; i++)
        in_b += job->tasks[i]->host && strcmp(host_id(job->tasks[i]->host), "h3") == 0;
    assert_int_equal(in_b, 2);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_count_the_tasks_of_the_job),
    };
    return RUN_CASES(constraint_cases, constraints_are_checked) +
           RUN_CASES(resource_cases, resources_are_checked) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
