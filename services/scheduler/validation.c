#include "scheduler/validation.h"

#include "scheduler/message.h"
#include "scheduler/task_config.h"

#include <ctype.h>
#include <math.h>

typedef Eos__Job__V1__TaskConfig task_message;
typedef Eos__Job__V1__Resource resource_message;

#define SLA_MIN_INSTANCES     20
#define SLA_MAX_DURATION_SECS 7200

static const struct {
    const char *name;
    bool is_preemptible, is_revocable;
} tiers[] = {
    { "preemptible", true, false }, /* the default */
    { "preferred", false, false },
    { "revocable", true, true },
};

#define TIER_COUNT (sizeof tiers / sizeof tiers[0])

static size_t tier_find(const char *name)
{
    size_t i = 0;
    while (is_set(name) && i < TIER_COUNT && strcmp(tiers[i].name, name) != 0)
        i++;
    return i;
}

static bool tier_is_production(size_t tier)
{
    return !tiers[tier].is_preemptible && !tiers[tier].is_revocable;
}

static bool is_identifier(const char *text)
{
    size_t len = text ? strlen(text) : 0;
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr("_-.", text[i]))
            return false;
    return len > 0 && len <= IDENTIFIER_MAX_BYTES;
}

static bool check_identifier(const char *what, const char *text, struct error *err)
{
    if (is_identifier(text))
        return true;
    return error_set(err, ERROR_INVALID_ARGUMENT,
                     "%s must be 1 to %u letters, digits, \"_\", \"-\" or \".\"", what,
                     IDENTIFIER_MAX_BYTES);
}

bool validate_job_key(const Eos__Job__V1__JobKey *key, struct error *err)
{
    if (!key)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "job key is not set, expected role, environment and name");
    return check_identifier("role of the job", key->role, err) &&
           check_identifier("environment of the job", key->environment, err) &&
           check_identifier("name of the job", key->name, err);
}

static bool environment_is_known(const char *environment)
{
    static const char *const names[] = { "prod", "devel", "test" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(environment, names[i]) == 0)
            return true;
    if (strncmp(environment, "staging", 7) != 0)
        return false;
    const char *digits = environment + 7;
    return strspn(digits, "0123456789") == strlen(digits);
}

static bool check_tier(const task_message *task, struct error *err)
{
    if (!is_set(task->tier))
        return true;
    if (!check_identifier("tier", task->tier, err))
        return false;
    if (tier_find(task->tier) == TIER_COUNT)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "unknown tier \"%.64s\", expected preferred, preemptible or revocable",
                         task->tier);
    return true;
}

static bool check_executor(const task_message *task, struct error *err)
{
    if (!is_set(task->executor_name))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "executor name is not set, expected \"AuroraExecutor\"");
    if (strcmp(task->executor_name, "AuroraExecutor") != 0)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "unknown executor, expected \"AuroraExecutor\"");
    return true;
}

/* -- constraints ---------------------------------------------------------------------------------- */

static bool check_dedicated(const task_message *task, const Eos__Job__V1__Constraint *constraint,
                            struct error *err)
{
    if (constraint->constraint_case != EOS__JOB__V1__CONSTRAINT__CONSTRAINT_VALUE)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "constraint \"dedicated\" must be a value constraint");
    if (constraint->value->n_values != 1)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "constraint \"dedicated\" must have exactly one value, not %zu",
                         constraint->value->n_values);
    struct slice rest = slice_of(constraint->value->values[0]);
    struct slice role = slice_split(&rest, '/');
    if (!slice_is(role, "*") && !slice_is(role, task->job->role))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "constraint \"dedicated\" must begin with \"%.64s/\" or \"*/\"",
                         task->job->role);
    return true;
}

static bool check_constraint(const task_message *task, const Eos__Job__V1__Constraint *constraint,
                             struct error *err)
{
    if (!is_set(constraint->name) || strlen(constraint->name) > IDENTIFIER_MAX_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "name of a constraint must be 1 to %u bytes",
                         IDENTIFIER_MAX_BYTES);
    if (constraint->constraint_case == EOS__JOB__V1__CONSTRAINT__CONSTRAINT__NOT_SET)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "a constraint has neither a value nor a limit");
    if (strcmp(constraint->name, "dedicated") == 0)
        return check_dedicated(task, constraint, err);
    return true;
}

static bool check_constraints(const task_message *task, struct error *err)
{
    for (size_t i = 0; i < task->n_constraints; i++)
        if (!check_constraint(task, task->constraints[i], err))
            return false;
    return true;
}

static bool check_docker(const Eos__Job__V1__DockerContainer *docker, const struct job_rules *rules,
                         struct error *err)
{
    if (!is_set(docker->image))
        return error_set(err, ERROR_INVALID_ARGUMENT, "a Docker container must have an image");
    if (docker->n_parameters > 0 && !rules->allow_docker_parameters)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "this scheduler is configured to disallow Docker parameters "
                         "(--allow-docker-parameters)");
    return true;
}

static bool check_container(const task_message *task, const struct job_rules *rules,
                            struct error *err)
{
    const Eos__Job__V1__Container *container = task->container;
    if (!container)
        return true;
    if (container->container_case == EOS__JOB__V1__CONTAINER__CONTAINER_DOCKER)
        return check_docker(container->docker, rules, err);
    if (container->container_case == EOS__JOB__V1__CONTAINER__CONTAINER_MESOS &&
        container->mesos->n_volumes > 0 && !rules->allow_container_volumes)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "this scheduler is configured to disallow container volumes "
                         "(--allow-container-volumes)");
    return true;
}

/* -- resources ------------------------------------------------------------------------------------ */

static bool check_resource(const resource_message *resource, struct error *err)
{
    switch (resource->resource_case) {
    case EOS__JOB__V1__RESOURCE__RESOURCE_NUM_CPUS:
        if (!isfinite(resource->num_cpus) || resource->num_cpus > 1e6)
            return error_set(err, ERROR_INVALID_ARGUMENT, "num_cpus must be at most 1000000");
        return true;
    case EOS__JOB__V1__RESOURCE__RESOURCE_RAM_MB:
        if (resource->ram_mb > RESOURCE_MAX)
            return error_set(err, ERROR_INVALID_ARGUMENT, "ram_mb must be at most %lld",
                             RESOURCE_MAX);
        return true;
    case EOS__JOB__V1__RESOURCE__RESOURCE_DISK_MB:
        if (resource->disk_mb > RESOURCE_MAX)
            return error_set(err, ERROR_INVALID_ARGUMENT, "disk_mb must be at most %lld",
                             RESOURCE_MAX);
        return true;
    case EOS__JOB__V1__RESOURCE__RESOURCE_NUM_GPUS:
        if (resource->num_gpus < 0 || resource->num_gpus > RESOURCE_MAX)
            return error_set(err, ERROR_INVALID_ARGUMENT, "num_gpus must be 0 to %lld",
                             RESOURCE_MAX);
        return true;
    case EOS__JOB__V1__RESOURCE__RESOURCE_NAMED_PORT:
        return check_identifier("name of a port", resource->named_port, err);
    default:
        return error_set(err, ERROR_INVALID_ARGUMENT, "a resource has no value");
    }
}

static bool check_single(const task_message *task, struct error *err)
{
    static const struct {
        Eos__Job__V1__Resource__ResourceCase kind;
        const char *name;
    } kinds[] = {
        { EOS__JOB__V1__RESOURCE__RESOURCE_NUM_CPUS, "CPU" },
        { EOS__JOB__V1__RESOURCE__RESOURCE_NUM_GPUS, "GPU" },
        { EOS__JOB__V1__RESOURCE__RESOURCE_RAM_MB, "RAM" },
        { EOS__JOB__V1__RESOURCE__RESOURCE_DISK_MB, "disk" },
    };
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        size_t count = 0;
        for (size_t i = 0; i < task->n_resources; i++)
            count += task->resources[i]->resource_case == kinds[k].kind;
        if (count > 1)
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "multiple resource values are not supported for %s", kinds[k].name);
    }
    return true;
}

static bool check_resources(const task_message *task, struct error *err)
{
    for (size_t i = 0; i < task->n_resources; i++)
        if (!check_resource(task->resources[i], err))
            return false;
    if (!check_single(task, err))
        return false;
    struct resources demand = task_config_demand(task);
    if (demand.cpu_micros <= 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "num_cpus must be greater than 0");
    if (demand.ram_mb <= 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "ram_mb must be greater than 0");
    if (demand.disk_mb <= 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "disk_mb must be greater than 0");
    if (demand.ports > UINT16_MAX)
        return error_set(err, ERROR_INVALID_ARGUMENT, "a task may have at most %d ports",
                         UINT16_MAX);
    return true;
}

/* -- SLA policy ----------------------------------------------------------------------------------- */

static bool check_sla_numbers(double may_be_away, int64_t duration_secs, int32_t instances,
                              struct error *err)
{
    if (instances < SLA_MIN_INSTANCES)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "a job with fewer than %d instances cannot have a percentage or count "
                         "SLA policy",
                         SLA_MIN_INSTANCES);
    if (!(may_be_away >= 1))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "SLA policy will not allow any instance to be killed");
    if (duration_secs > SLA_MAX_DURATION_SECS)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "duration of the SLA policy must be at most %d s", SLA_MAX_DURATION_SECS);
    return true;
}

static bool check_sla(const task_message *task, int32_t instances, struct error *err)
{
    const Eos__Job__V1__SlaPolicy *policy = task->sla_policy;
    size_t tier = tier_find(is_set(task->tier) ? task->tier : tiers[0].name);

    if (!policy || policy->policy_case == EOS__JOB__V1__SLA_POLICY__POLICY__NOT_SET)
        return true;
    if (!tier_is_production(tier))
        return error_set(err, ERROR_INVALID_ARGUMENT, "tier \"%s\" does not support an SLA policy",
                         tiers[tier].name);
    switch (policy->policy_case) {
    case EOS__JOB__V1__SLA_POLICY__POLICY_PERCENTAGE_SLA_POLICY:
        return check_sla_numbers(instances -
                                     instances * policy->percentage_sla_policy->percentage / 100,
                                 policy->percentage_sla_policy->duration_secs, instances, err);
    case EOS__JOB__V1__SLA_POLICY__POLICY_COUNT_SLA_POLICY:
        return check_sla_numbers((double)instances - (double)policy->count_sla_policy->count,
                                 policy->count_sla_policy->duration_secs, instances, err);
    default:
        return true;
    }
}

/* -- the whole ------------------------------------------------------------------------------------ */

static bool validate_task(const task_message *task, int32_t instances,
                          const struct job_rules *rules, struct error *err)
{
    if (!check_tier(task, err))
        return false;
    if (!validate_job_key(task->job, err))
        return error_prefix(err, "task configuration");
    if (protobuf_c_message_get_packed_size(&task->base) > TASK_CONFIG_MAX_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "task configuration is larger than %u bytes",
                         TASK_CONFIG_MAX_BYTES);
    return check_executor(task, err) && check_constraints(task, err) &&
           check_container(task, rules, err) && check_resources(task, err) &&
           check_sla(task, instances, err);
}

static bool same_key(const Eos__Job__V1__JobKey *a, const Eos__Job__V1__JobKey *b)
{
    return strcmp(a->role, b->role) == 0 && strcmp(a->environment, b->environment) == 0 &&
           strcmp(a->name, b->name) == 0;
}

static bool check_identity(const Eos__Job__V1__JobConfiguration *job, struct error *err)
{
    if (!validate_job_key(job->key, err))
        return false;
    if (!environment_is_known(job->key->environment))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "environment \"%.64s\" is not allowed, expected prod, devel, test or "
                         "staging<number>",
                         job->key->environment);
    return !job->owner || !is_set(job->owner->user) ||
           check_identifier("owner of the job", job->owner->user, err);
}

bool validate_job(const Eos__Job__V1__JobConfiguration *job, const struct job_rules *rules,
                  struct error *err)
{
    if (!job)
        return error_set(err, ERROR_INVALID_ARGUMENT, "job is not set");
    if (!job->task_config)
        return error_set(err, ERROR_INVALID_ARGUMENT, "task configuration of the job is not set");
    if (job->instance_count <= 0 || job->instance_count > rules->max_tasks_per_job)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "instance count must be between 1 and %lld, not %d",
                         (long long)rules->max_tasks_per_job, job->instance_count);
    if (!check_identity(job, err) ||
        !validate_task(job->task_config, job->instance_count, rules, err))
        return false;
    if (!same_key(job->key, job->task_config->job))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "key of the job and key in its task configuration differ");
    if (is_set(job->cron_schedule) && job->task_config->is_service)
        return error_set(err, ERROR_INVALID_ARGUMENT, "a service cannot run on a cron schedule");
    if (is_set(job->cron_schedule))
        return error_set(err, ERROR_FAILED_PRECONDITION, "cron jobs are not offered yet");
    return true;
}

static void add_link(task_message *task, const char *name, const char *url, struct arena *arena)
{
    Eos__Job__V1__TaskLink *link = arena_alloc(arena, sizeof *link);
    size_t size = task->n_task_links * sizeof *task->task_links;

    eos__job__v1__task_link__init(link);
    link->name = arena_strdup(arena, name);
    link->url = arena_strdup(arena, url);
    task->task_links = arena_grow(arena, task->task_links, size, size + sizeof *task->task_links);
    task->task_links[task->n_task_links++] = link;
}

static void fill_links(task_message *task, struct arena *arena)
{
    static const char *const ports[][2] = {
        { "health", "http://%host%:%port:health%" },
        { "http", "http://%host%:%port:http%" },
    };
    if (task->n_task_links > 0)
        return;
    task->task_links = arena_alloc(arena, 0);
    for (size_t p = 0; p < sizeof ports / sizeof ports[0]; p++)
        for (size_t i = 0; i < task->n_resources; i++)
            if (task->resources[i]->resource_case == EOS__JOB__V1__RESOURCE__RESOURCE_NAMED_PORT &&
                strcmp(task->resources[i]->named_port, ports[p][0]) == 0) {
                add_link(task, ports[p][0], ports[p][1], arena);
                break;
            }
}

static void fill_container(task_message *task, struct arena *arena)
{
    if (task->container &&
        task->container->container_case != EOS__JOB__V1__CONTAINER__CONTAINER__NOT_SET)
        return;
    Eos__Job__V1__Container *container = arena_alloc(arena, sizeof *container);
    Eos__Job__V1__MesosContainer *mesos = arena_alloc(arena, sizeof *mesos);
    eos__job__v1__container__init(container);
    eos__job__v1__mesos_container__init(mesos);
    container->container_case = EOS__JOB__V1__CONTAINER__CONTAINER_MESOS;
    container->mesos = mesos;
    task->container = container;
}

void fill_defaults(task_message *task, struct arena *arena)
{
    if (!is_set(task->tier))
        task->tier = arena_strdup(arena, tiers[0].name);
    task->production = tier_is_production(tier_find(task->tier));
    fill_container(task, arena);
    fill_links(task, arena);
}
