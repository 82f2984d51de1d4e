#include "scheduler/validation.h"

#include "fixture.h"

#include "unit/test.h"

typedef Eos__Scheduler__V1__CreateJobRequest create_request;
typedef void change_fn(struct fixture *f, create_request *request);

static void nothing(struct fixture *f, create_request *r)
{
    (void)f;
    (void)r;
}

static void no_job(struct fixture *f, create_request *r)
{
    (void)f;
    r->job = NULL;
}

static void no_task(struct fixture *f, create_request *r)
{
    (void)f;
    r->job->task_config = NULL;
}

static void no_instances(struct fixture *f, create_request *r)
{
    (void)f;
    r->job->instance_count = 0;
}

static void most_instances(struct fixture *f, create_request *r)
{
    (void)f;
    r->job->instance_count = 4000;
}

static void too_many_instances(struct fixture *f, create_request *r)
{
    (void)f;
    r->job->instance_count = 4001;
}

static void no_key(struct fixture *f, create_request *r)
{
    (void)f;
    r->job->key = NULL;
}

static void bad_role(struct fixture *f, create_request *r)
{
    (void)f;
    r->job->key->role = "www/data";
}

static void empty_name(struct fixture *f, create_request *r)
{
    (void)f;
    r->job->key->name = "";
}

static void longest_name(struct fixture *f, create_request *r)
{
    r->job->key->name = arena_alloc(f->arena, 256);
    memset(r->job->key->name, 'n', 255);
}

static void too_long_name(struct fixture *f, create_request *r)
{
    r->job->key->name = arena_alloc(f->arena, 257);
    memset(r->job->key->name, 'n', 256);
}

static void staging(struct fixture *f, create_request *r)
{
    (void)f;
    r->job->key->environment = "staging12";
}

static void staging_plain(struct fixture *f, create_request *r)
{
    (void)f;
    r->job->key->environment = "staging";
}

static void staging_letters(struct fixture *f, create_request *r)
{
    (void)f;
    r->job->key->environment = "staging1a";
}

static void production(struct fixture *f, create_request *r)
{
    (void)f;
    r->job->key->environment = "production";
}

static void bad_owner(struct fixture *f, create_request *r)
{
    r->job->owner = arena_alloc(f->arena, sizeof *r->job->owner);
    eos__job__v1__identity__init(r->job->owner);
    r->job->owner->user = "a b";
}

static void other_key(struct fixture *f, create_request *r)
{
    Eos__Job__V1__JobKey *key = arena_alloc(f->arena, sizeof *key);
    *key = *r->job->key;
    key->name = "other";
    r->job->task_config->job = key;
}

static void unknown_tier(struct fixture *f, create_request *r)
{
    (void)f;
    r->job->task_config->tier = "gold";
}

static void no_executor(struct fixture *f, create_request *r)
{
    (void)f;
    r->job->task_config->executor_name = "";
}

static void unknown_executor(struct fixture *f, create_request *r)
{
    (void)f;
    r->job->task_config->executor_name = "Other";
}

static void dedicated_limit(struct fixture *f, create_request *r)
{
    fixture_add_limit(f, r, "dedicated", 1);
}

static void dedicated_to_others(struct fixture *f, create_request *r)
{
    fixture_add_value(f, r, "dedicated", "www/x");
}

static void dedicated_to_them(struct fixture *f, create_request *r)
{
    fixture_add_value(f, r, "dedicated", "r/x");
}

static void dedicated_to_all(struct fixture *f, create_request *r)
{
    fixture_add_value(f, r, "dedicated", "*/x");
}

static void dedicated_twice(struct fixture *f, create_request *r)
{
    static char *values[] = { "r/x", "r/y" };
    fixture_add_value(f, r, "dedicated", "r/x");
    r->job->task_config->constraints[0]->value->n_values = 2;
    r->job->task_config->constraints[0]->value->values = values;
}

static void empty_constraint(struct fixture *f, create_request *r)
{
    fixture_add_limit(f, r, "host", 1);
    r->job->task_config->constraints[0]->constraint_case =
        EOS__JOB__V1__CONSTRAINT__CONSTRAINT__NOT_SET;
}

static void docker_without_image(struct fixture *f, create_request *r)
{
    Eos__Job__V1__Container *container = arena_alloc(f->arena, sizeof *container);
    Eos__Job__V1__DockerContainer *docker = arena_alloc(f->arena, sizeof *docker);
    eos__job__v1__container__init(container);
    eos__job__v1__docker_container__init(docker);
    container->container_case = EOS__JOB__V1__CONTAINER__CONTAINER_DOCKER;
    container->docker = docker;
    r->job->task_config->container = container;
}

static void docker_parameters(struct fixture *f, create_request *r)
{
    Eos__Job__V1__DockerParameter *parameter = arena_alloc(f->arena, sizeof *parameter);
    docker_without_image(f, r);
    Eos__Job__V1__DockerContainer *docker = r->job->task_config->container->docker;
    eos__job__v1__docker_parameter__init(parameter);
    parameter->name = "privileged";
    docker->image = "a/b:1";
    docker->parameters = arena_array(f->arena, 1, sizeof parameter);
    docker->parameters[0] = parameter;
    docker->n_parameters = 1;
}

static void container_volumes(struct fixture *f, create_request *r)
{
    Eos__Job__V1__Container *container = arena_alloc(f->arena, sizeof *container);
    Eos__Job__V1__MesosContainer *mesos = arena_alloc(f->arena, sizeof *mesos);
    Eos__Job__V1__Volume *volume = arena_alloc(f->arena, sizeof *volume);
    eos__job__v1__container__init(container);
    eos__job__v1__mesos_container__init(mesos);
    eos__job__v1__volume__init(volume);
    volume->host_path = volume->container_path = "/etc";
    mesos->volumes = arena_array(f->arena, 1, sizeof volume);
    mesos->volumes[0] = volume;
    mesos->n_volumes = 1;
    container->container_case = EOS__JOB__V1__CONTAINER__CONTAINER_MESOS;
    container->mesos = mesos;
    r->job->task_config->container = container;
}

static void two_cpus(struct fixture *f, create_request *r)
{
    (void)f;
    r->job->task_config->resources[1]->resource_case = EOS__JOB__V1__RESOURCE__RESOURCE_NUM_CPUS;
    r->job->task_config->resources[1]->num_cpus = 1;
}

static void no_cpu(struct fixture *f, create_request *r)
{
    (void)f;
    r->job->task_config->resources[0]->num_cpus = 0;
}

static void not_a_number_of_cpus(struct fixture *f, create_request *r)
{
    (void)f;
    r->job->task_config->resources[0]->num_cpus = 0.0 / 0.0;
}

static void endless_cpus(struct fixture *f, create_request *r)
{
    (void)f;
    r->job->task_config->resources[0]->num_cpus = 1e300;
}

static void negative_ram(struct fixture *f, create_request *r)
{
    (void)f;
    r->job->task_config->resources[1]->ram_mb = -1;
}

static void endless_ram(struct fixture *f, create_request *r)
{
    (void)f;
    r->job->task_config->resources[1]->ram_mb = INT64_MAX;
}

static void no_disk(struct fixture *f, create_request *r)
{
    (void)f;
    r->job->task_config->n_resources = 2;
}

static void bad_port(struct fixture *f, create_request *r)
{
    fixture_add_port(f, r, "a b");
}

static void huge_config(struct fixture *f, create_request *r)
{
    char *data = arena_alloc(f->arena, TASK_CONFIG_MAX_BYTES + 1);
    memset(data, ' ', TASK_CONFIG_MAX_BYTES);
    r->job->task_config->executor_data = data;
}

static void cron(struct fixture *f, create_request *r)
{
    (void)f;
    r->job->cron_schedule = "* * * * *";
}

static void cron_service(struct fixture *f, create_request *r)
{
    cron(f, r);
    r->job->task_config->is_service = true;
}

static void add_sla(struct fixture *f, create_request *r, const char *tier, int64_t count)
{
    Eos__Job__V1__SlaPolicy *policy = arena_alloc(f->arena, sizeof *policy);
    Eos__Job__V1__CountSlaPolicy *counted = arena_alloc(f->arena, sizeof *counted);
    eos__job__v1__sla_policy__init(policy);
    eos__job__v1__count_sla_policy__init(counted);
    counted->count = count;
    policy->policy_case = EOS__JOB__V1__SLA_POLICY__POLICY_COUNT_SLA_POLICY;
    policy->count_sla_policy = counted;
    r->job->task_config->sla_policy = policy;
    r->job->task_config->tier = (char *)tier;
    r->job->instance_count = 20;
}

static void sla(struct fixture *f, create_request *r)
{
    add_sla(f, r, "preferred", 19);
}

static void sla_of_a_small_job(struct fixture *f, create_request *r)
{
    add_sla(f, r, "preferred", 1);
    r->job->instance_count = 19;
}

static void sla_of_a_low_tier(struct fixture *f, create_request *r)
{
    add_sla(f, r, "", 19);
}

static void sla_without_slack(struct fixture *f, create_request *r)
{
    add_sla(f, r, "preferred", 20);
}

static const struct validation_case {
    const char *name;
    change_fn *change;
    enum error_code code;
    const char *message;
} cases[] = {
    { "fine", nothing, ERROR_OK, "" },
    { "no job", no_job, ERROR_INVALID_ARGUMENT, "job is not set" },
    { "no task", no_task, ERROR_INVALID_ARGUMENT, "task configuration of the job is not set" },
    { "no instances", no_instances, ERROR_INVALID_ARGUMENT, "between 1 and 4000, not 0" },
    { "most instances", most_instances, ERROR_OK, "" },
    { "too many instances", too_many_instances, ERROR_INVALID_ARGUMENT, "and 4000, not 4001" },
    { "no key", no_key, ERROR_INVALID_ARGUMENT, "job key is not set" },
    { "bad role", bad_role, ERROR_INVALID_ARGUMENT, "role of the job must be" },
    { "empty name", empty_name, ERROR_INVALID_ARGUMENT, "name of the job must be" },
    { "longest name", longest_name, ERROR_OK, "" },
    { "too long name", too_long_name, ERROR_INVALID_ARGUMENT, "name of the job must be" },
    { "staging with number", staging, ERROR_OK, "" },
    { "staging", staging_plain, ERROR_OK, "" },
    { "staging with letters", staging_letters, ERROR_INVALID_ARGUMENT, "\"staging1a\"" },
    { "unknown environment", production, ERROR_INVALID_ARGUMENT, "\"production\" is not allowed" },
    { "bad owner", bad_owner, ERROR_INVALID_ARGUMENT, "owner of the job" },
    { "two keys", other_key, ERROR_INVALID_ARGUMENT, "differ" },
    { "unknown tier", unknown_tier, ERROR_INVALID_ARGUMENT, "unknown tier \"gold\"" },
    { "no executor", no_executor, ERROR_INVALID_ARGUMENT, "executor name is not set" },
    { "unknown executor", unknown_executor, ERROR_INVALID_ARGUMENT, "unknown executor" },
    { "dedicated by limit", dedicated_limit, ERROR_INVALID_ARGUMENT, "value constraint" },
    { "dedicated to others", dedicated_to_others, ERROR_INVALID_ARGUMENT, "\"r/\" or \"*/\"" },
    { "dedicated to them", dedicated_to_them, ERROR_OK, "" },
    { "dedicated to all", dedicated_to_all, ERROR_OK, "" },
    { "dedicated twice", dedicated_twice, ERROR_INVALID_ARGUMENT, "exactly one value, not 2" },
    { "empty constraint", empty_constraint, ERROR_INVALID_ARGUMENT, "neither" },
    { "Docker without image", docker_without_image, ERROR_INVALID_ARGUMENT, "image" },
    { "Docker parameters", docker_parameters, ERROR_INVALID_ARGUMENT,
      "disallow Docker parameters" },
    { "container volumes", container_volumes, ERROR_INVALID_ARGUMENT,
      "disallow container volumes" },
    { "two CPU values", two_cpus, ERROR_INVALID_ARGUMENT, "not supported for CPU" },
    { "no CPU", no_cpu, ERROR_INVALID_ARGUMENT, "num_cpus must be greater than 0" },
    { "not a number", not_a_number_of_cpus, ERROR_INVALID_ARGUMENT, "num_cpus" },
    { "endless CPUs", endless_cpus, ERROR_INVALID_ARGUMENT, "num_cpus must be at most" },
    { "negative ram", negative_ram, ERROR_INVALID_ARGUMENT, "ram_mb must be greater than 0" },
    { "endless ram", endless_ram, ERROR_INVALID_ARGUMENT, "ram_mb must be at most" },
    { "no disk", no_disk, ERROR_INVALID_ARGUMENT, "disk_mb must be greater than 0" },
    { "bad port", bad_port, ERROR_INVALID_ARGUMENT, "name of a port" },
    { "huge", huge_config, ERROR_INVALID_ARGUMENT, "larger than 2097152 bytes" },
    { "cron", cron, ERROR_FAILED_PRECONDITION, "cron jobs are not offered yet" },
    { "cron service", cron_service, ERROR_INVALID_ARGUMENT, "service cannot run on a cron" },
    { "SLA policy", sla, ERROR_OK, "" },
    { "SLA policy of a small job", sla_of_a_small_job, ERROR_INVALID_ARGUMENT, "fewer than 20" },
    { "SLA policy of a low tier", sla_of_a_low_tier, ERROR_INVALID_ARGUMENT, "\"preemptible\"" },
    { "SLA policy without slack", sla_without_slack, ERROR_INVALID_ARGUMENT, "not allow any" },
};

static void is_accepted_or_explained(void **state)
{
    const struct validation_case *c = *state;
    struct fixture f = fixture_make();
    create_request *request = fixture_job(&f, "r/prod/a", 1);
    struct error err = { 0 };

    c->change(&f, request);
    struct job_rules rules = { .max_tasks_per_job = 4000 };
    bool ok = validate_job(request->job, &rules, &err);
    assert_int_equal(err.code, c->code);
    assert_int_equal(ok, c->code == ERROR_OK);
    assert_non_null(strstr(err.message, c->message));
    fixture_done(&f);
}

static void what_is_dangerous_can_be_allowed(void **state)
{
    static void (*const changes[])(struct fixture *, create_request *) = { docker_parameters,
                                                                           container_volumes };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct job_rules rules = { 4000, i == 0, i == 1 };
        struct fixture f = fixture_make();
        create_request *request = fixture_job(&f, "r/prod/a", 1);
        struct error err;
        changes[i](&f, request);
        assert_true(validate_job(request->job, &rules, &err));
        fixture_done(&f);
    }
}

static void defaults_are_filled_in(void **state)
{
    struct fixture f = fixture_make();
    create_request *request = fixture_job(&f, "r/prod/a", 1);
    Eos__Job__V1__TaskConfig *task = request->job->task_config;
    (void)state;

    task->production = true;
    fixture_add_port(&f, request, "http");
    fixture_add_port(&f, request, "other");
    fill_defaults(task, f.arena);
    assert_string_equal(task->tier, "preemptible");
    assert_false(task->production); /* the tier decides */
    assert_int_equal(task->container->container_case, EOS__JOB__V1__CONTAINER__CONTAINER_MESOS);
    assert_null(task->container->mesos->image);
    assert_int_equal(task->n_task_links, 1);
    assert_string_equal(task->task_links[0]->name, "http");
    assert_string_equal(task->task_links[0]->url, "http://%host%:%port:http%");
    task->tier = "preferred";
    fill_defaults(task, f.arena);
    assert_true(task->production);
    assert_int_equal(task->n_task_links, 1); /* given ones stay alone */
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(defaults_are_filled_in),
                                        cmocka_unit_test(what_is_dangerous_can_be_allowed) };
    return RUN_CASES(cases, is_accepted_or_explained) + cmocka_run_group_tests(tests, NULL, NULL);
}
