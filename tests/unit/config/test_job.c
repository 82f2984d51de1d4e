#include "unit/config/fixture.h"
#include "unit/test.h"

/* From jobs to messages. */

#define JOB                                                                                        \
    "Job(cluster='c', role='r', environment='prod', task=SimpleTask('t', 'x "                      \
    "{{thermos.ports[http]}}')"

struct job_case {
    const char *name, *text, *outcome; /* "": fine */
};

static const struct job_case cases[] = {
    { "plain", "jobs = [" JOB ")]", "" },
    { "no cluster", "jobs = [Job(role='r', task=SimpleTask('t', 'x'))]",
      "job: missing_required: The configuration was invalid: Cluster required for job \"t\"" },
    { "unbound", "jobs = [" JOB ", contact='{{who}}')]",
      "job: unbound_variable: The configuration was invalid: Config contains unbound variables: "
      "{{who}}" },
    { "bad name", "jobs = [" JOB ", name='a b')]",
      "job: invalid_value: The configuration was invalid: Invalid name 'a b'" },
    { "too many failures", "jobs = [" JOB ", update_config=UpdateConfig(max_total_failures=1))]",
      "job: invalid_value: \nmax_total_failures in update_config must be lesser than the job "
      "size.\nBased on your job size "
      "(1) you should use max_total_failures <= 0.\n" },
    { "static port", "jobs = [" JOB ", announce=Announcer(portmap={'http': 80}))]",
      "job: invalid_value: Job must be dedicated in order to specify static ports!" },
    { "image stays open", "jobs = [" JOB ", container=Docker(image='{{docker.image[a/b][1]}}'))]",
      "" },
    { "not a job", "jobs = ['x']", "job: python_error: 'str' object has no attribute 'bind'" },
    { "another struct", "jobs = [Process(name='a')]",
      "job: unknown_attribute: Process has no attribute has_cluster" },
    { "a number that does not fit", "jobs = [" JOB ", priority=10 ** 12)]",
      "job: invalid_value: priority does not fit: 1000000000000 is too large" },
};

static void converts(void **state)
{
    const struct job_case *row = *state;
    struct fixture fixture;
    fixture_init(&fixture, row->text);
    fixture.request.want_canonical_json = false;
    fixture_run(&fixture);
    assert_string_equal(fixture_outcome(&fixture), row->outcome);
    fixture_done(&fixture);
}

static void message_holds_everything(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture,
                 "jobs = [" JOB ", instances=3, constraints={'host': 'limit:2', 'zone': '!a,b'}, "
                 "container=Mesos(image=DockerImage(name='n', tag='{{docker.image[x][y]}}')), "
                 "metadata=[Metadata(key='k', value='v')], tier='preferred', "
                 "sla_policy=CountSlaPolicy(count=2, duration_secs=60))]");
    fixture_run(&fixture);
    assert_string_equal(fixture_outcome(&fixture), "");
    const Eos__Config__V1__JobResult *result = fixture.response->jobs[0];
    const Eos__Job__V1__TaskConfig *task = result->job->task_config;
    assert_string_equal(result->key, "c/r/prod/t");
    assert_int_equal(result->job->instance_count, 3);
    assert_string_equal(task->owner->user, "tester");
    assert_string_equal(task->tier, "preferred");
    assert_true(task->production);
    assert_string_equal(task->executor_name, "AuroraExecutor");
    assert_non_null(strstr(task->executor_data, "\"cmdline\": \"x {{thermos.ports[http]}}\""));
    assert_int_equal(task->n_resources, 4);
    assert_int_equal(task->n_constraints, 2);
    assert_int_equal(task->container->mesos->image->image_case, EOS__JOB__V1__IMAGE__IMAGE_DOCKER);
    assert_int_equal(task->sla_policy->count_sla_policy->duration_secs, 60);
    assert_int_equal(result->n_open_images, 1);
    assert_string_equal(result->open_images[0]->reference, "{{docker.image[x][y]}}");
    assert_string_equal(result->open_images[0]->tag, "y");
    assert_int_equal(result->update->update_strategy->queue_strategy->group_size, 1);
    fixture_done(&fixture);
}

static void bindings_of_the_command_line_are_strongest(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "jobs = [" JOB ", contact='{{a}} {{b}}').bind(a='file', b='file')]");
    fixture_bind(&fixture, "a=first");
    fixture_bind(&fixture, "a=second=2");
    fixture_run(&fixture);
    assert_string_equal(fixture.response->jobs[0]->job->task_config->contact_email,
                        "second=2 file");
    fixture_done(&fixture);
}

static void a_bad_job_does_not_spoil_the_others(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture,
                 "good = " JOB ")\njobs = [good, good(instances='{{n}}'), good(name='last')]");
    fixture_run(&fixture);
    assert_int_equal(fixture.response->n_jobs, 3);
    assert_null(fixture.response->jobs[0]->error);
    assert_non_null(fixture.response->jobs[1]->error);
    assert_string_equal(fixture.response->jobs[2]->key, "c/r/prod/last");
    fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_holds_everything),
        cmocka_unit_test(bindings_of_the_command_line_are_strongest),
        cmocka_unit_test(a_bad_job_does_not_spoil_the_others),
    };
    return RUN_CASES(cases, converts) + cmocka_run_group_tests_name("job", tests, NULL, NULL);
}
