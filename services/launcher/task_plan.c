#include "launcher/task_plan.h"

#include "launcher/port_map.h"
#include "launcher/task_data.h"

#include "base/cleanup.h"
#include "plan/limits.h"
#include "json/message_json.h"

#include <inttypes.h>

typedef Eos__Executor__V1__TaskPlan task_plan;
typedef Eos__Executor__V1__ProcessPlan process_plan;
typedef Eos__Executor__V1__LoggerPlan logger_plan;

#define COUNT_MAX    1000000
#define DURATION_MAX (365 * 24 * 60 * 60) /* seconds */
#define LOG_SIZE_MAX INT64_C(1) << 50

DEFINE_CLEANUP(free_json, json_t *, json_decref)

/* -- what the references mean --------------------------------------------------------------------- */

struct values {
    const struct task_plan_input *input;
    struct port_map ports;
    struct arena *arena;
};

static const char *number_text(struct arena *arena, int number)
{
    return arena_printf(arena, "%d", number);
}

static const char *lookup_port(const struct values *values, struct slice reference)
{
    const struct slice prefix = SLICE("thermos.ports[");
    if (!slice_starts_with(reference, prefix) || reference.ptr[reference.len - 1] != ']')
        return NULL;
    struct slice name = { reference.ptr + prefix.len, reference.len - prefix.len - 1 };
    const struct port *port = port_map_find(&values->ports, name);
    return port ? number_text(values->arena, port->number) : NULL;
}

static const char *lookup(void *user, struct slice reference)
{
    const struct values *values = user;
    const Eos__Job__V1__AssignedTask *task = values->input->task;
    const struct {
        const char *name, *value;
    } table[] = {
        { "mesos.hostname", task->hostname },      { "mesos.role", task->task->job->role },
        { "thermos.user", task->task->job->role }, { "mesos.cluster", values->input->cluster },
        { "thermos.task_id", task->task_id },
    };

    if (slice_is(reference, "mesos.instance"))
        return number_text(values->arena, task->instance_id);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (slice_is(reference, table[i].name))
            return table[i].value;
    return lookup_port(values, reference);
}

/* -- processes ------------------------------------------------------------------------------------ */

static bool check_name(const char *name, struct error *err)
{
    size_t len = strlen(name);
    if (len == 0 || len > TASK_NAME_MAX_BYTES || name[0] == '.' || strchr(name, '/'))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "field name: the name of a process must be 1 to %u bytes without \"/\", "
                         "and not begin with \".\"",
                         TASK_NAME_MAX_BYTES);
    return true;
}

static bool parse_destination(const struct task_data *data, const json_t *logger, logger_plan *plan,
                              struct error *err)
{
    static const char *const names[] = { "file", "console", "both", "none" };
    const char *name;
    if (!task_data_text(data, logger, "destination", "file", &name, err))
        return false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) != 0)
            continue;
        plan->destination = (Eos__Executor__V1__LoggerPlan__Destination)i;
        return true;
    }
    return error_set(err, ERROR_INVALID_ARGUMENT,
                     "field destination: expected file, console, both or none");
}

static bool parse_rotation(const struct task_data *data, const json_t *logger, logger_plan *plan,
                           struct error *err)
{
    const json_t *rotate = json_object_get(logger, "rotate");
    int64_t backups;
    if (!task_data_integer(data, rotate, "log_size", 100 << 20, INT64_MIN, LOG_SIZE_MAX,
                           &plan->rotate_bytes, err) ||
        !task_data_integer(data, rotate, "backups", 5, INT64_MIN, COUNT_MAX, &backups, err))
        return false;
    if (plan->rotate_bytes <= 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "Log size cannot be less than one byte.");
    if (backups <= 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "Log backups cannot be less than one.");
    plan->rotate_backups = (int32_t)backups;
    return true;
}

static bool parse_logger(const struct task_data *data, const json_t *logger, logger_plan *plan,
                         struct error *err)
{
    const char *mode;
    if (!parse_destination(data, logger, plan, err) ||
        !task_data_text(data, logger, "mode", "standard", &mode, err))
        return false;
    if (strcmp(mode, "standard") == 0)
        return true;
    if (strcmp(mode, "rotate") != 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "field mode: expected standard or rotate");
    return parse_rotation(data, logger, plan, err);
}

static bool parse_numbers(const struct task_data *data, const json_t *json, process_plan *process,
                          struct error *err)
{
    int64_t max_failures, min_duration;
    bool is_daemon, is_ephemeral, is_final;
    if (!task_data_integer(data, json, "max_failures", 1, 0, COUNT_MAX, &max_failures, err) ||
        !task_data_integer(data, json, "min_duration", 5, 0, DURATION_MAX, &min_duration, err) ||
        !task_data_switch(data, json, "daemon", false, &is_daemon, err) ||
        !task_data_switch(data, json, "ephemeral", false, &is_ephemeral, err) ||
        !task_data_switch(data, json, "final", false, &is_final, err))
        return false;
    process->max_failures = (int32_t)max_failures;
    process->min_duration_secs = (int32_t)min_duration;
    process->daemon = is_daemon;
    process->ephemeral = is_ephemeral;
    process->final = is_final;
    return true;
}

static bool parse_process(const struct task_data *data, const json_t *json, process_plan *process,
                          struct error *err)
{
    const json_t *logger = json_object_get(json, "logger");
    const char *name, *cmdline;

    if (!task_data_text(data, json, "name", NULL, &name, err) || !check_name(name, err))
        return false;
    process->name = (char *)name;
    if (!task_data_text(data, json, "cmdline", NULL, &cmdline, err) ||
        !parse_numbers(data, json, process, err))
        return error_prefix(err, "process \"%s\"", name);
    process->cmdline = (char *)cmdline;
    if (!json_is_object(logger))
        return true;
    process->logger = arena_alloc(data->arena, sizeof *process->logger);
    eos__executor__v1__logger_plan__init(process->logger);
    return parse_logger(data, logger, process->logger, err) ||
           error_prefix(err, "process \"%s\": field logger", name);
}

static bool parse_processes(const struct task_data *data, const json_t *task, task_plan *plan,
                            struct error *err)
{
    const json_t *list;
    if (!task_data_list(task, "processes", PLAN_MAX_PROCESSES, &list, err))
        return false;
    if (json_array_size(list) == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "the task has no processes");
    plan->processes = arena_array(data->arena, json_array_size(list), sizeof *plan->processes);
    for (size_t i = 0; i < json_array_size(list); i++) {
        process_plan *process = arena_alloc(data->arena, sizeof *process);
        eos__executor__v1__process_plan__init(process);
        if (!parse_process(data, json_array_get(list, i), process, err))
            return false;
        plan->processes[plan->n_processes++] = process;
    }
    return true;
}

/* -- the task ------------------------------------------------------------------------------------- */

static bool parse_order(const struct task_data *data, const json_t *json,
                        Eos__Executor__V1__OrderPlan *order, struct error *err)
{
    const json_t *names;
    if (!task_data_list(json, "order", PLAN_MAX_PROCESSES, &names, err))
        return false;
    order->names = arena_array(data->arena, json_array_size(names), sizeof *order->names);
    for (size_t i = 0; i < json_array_size(names); i++) {
        const json_t *name = json_array_get(names, i);
        struct slice text = { json_string_value(name), json_string_length(name) };
        const char *filled;
        if (!json_is_string(name))
            return error_set(err, ERROR_INVALID_ARGUMENT, "field order: expected texts");
        if (!template_fill(text, data->lookup, data->user, data->arena, &filled, err))
            return false;
        order->names[order->n_names++] = (char *)filled;
    }
    return true;
}

static bool parse_constraints(const struct task_data *data, const json_t *task, task_plan *plan,
                              struct error *err)
{
    const json_t *list;
    if (!task_data_list(task, "constraints", TASK_MAX_CONSTRAINTS, &list, err))
        return false;
    plan->constraints = arena_array(data->arena, json_array_size(list), sizeof *plan->constraints);
    for (size_t i = 0; i < json_array_size(list); i++) {
        Eos__Executor__V1__OrderPlan *order = arena_alloc(data->arena, sizeof *order);
        eos__executor__v1__order_plan__init(order);
        if (!parse_order(data, json_array_get(list, i), order, err))
            return error_prefix(err, "field constraints");
        plan->constraints[plan->n_constraints++] = order;
    }
    return true;
}

static bool parse_limits(const struct task_data *data, const json_t *task, task_plan *plan,
                         struct error *err)
{
    int64_t max_failures, max_concurrency, finalization_wait;
    if (!task_data_integer(data, task, "max_failures", 1, 0, COUNT_MAX, &max_failures, err) ||
        !task_data_integer(data, task, "max_concurrency", 0, 0, COUNT_MAX, &max_concurrency, err) ||
        !task_data_integer(data, task, "finalization_wait", 30, 0, DURATION_MAX, &finalization_wait,
                           err))
        return false;
    plan->max_failures = (int32_t)max_failures;
    plan->max_concurrency = (int32_t)max_concurrency;
    plan->finalization_wait_secs = (int32_t)finalization_wait;
    return true;
}

static bool parse_task(const struct task_plan_input *input, const json_t *job, struct arena *arena,
                       task_plan *plan, struct error *err)
{
    const json_t *task = json_object_get(job, "task");
    const json_t *aliases = json_object_get(json_object_get(job, "announce"), "portmap");
    struct values values = { .input = input, .arena = arena };
    const struct task_data data = { .lookup = lookup, .user = &values, .arena = arena };

    if (!json_is_object(task))
        return error_set(err, ERROR_INVALID_ARGUMENT, "field task: expected an object");
    return port_map_make(input->task->assigned_ports, input->task->n_assigned_ports,
                         json_is_object(aliases) ? aliases : NULL, arena, &values.ports, err) &&
           parse_processes(&data, task, plan, err) && parse_constraints(&data, task, plan, err) &&
           parse_limits(&data, task, plan, err);
}

static bool parse_data(const struct task_plan_input *input, struct arena *arena, task_plan *plan,
                       struct error *err)
{
    struct slice text = slice_of(input->task->task->executor_data);
    CLEANUP(free_json) json_t *job = NULL;

    if (text.len == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "Task did not have a thermos config!");
    if (!json_parse(text, &job, err))
        return error_prefix(err, "Could not deserialize thermos config");
    return parse_task(input, job, arena, plan, err) || error_prefix(err, "Got invalid task");
}

/* -- surroundings --------------------------------------------------------------------------------- */

static Eos__Executor__V1__Variable *make_variable(struct slice name, const char *value,
                                                  struct arena *arena)
{
    Eos__Executor__V1__Variable *variable = arena_alloc(arena, sizeof *variable);
    eos__executor__v1__variable__init(variable);
    variable->name = arena_memdup0(arena, name.ptr, name.len);
    variable->value = arena_strdup(arena, value);
    return variable;
}

static void make_environment(const struct task_plan_input *input, struct arena *arena,
                             task_plan *plan)
{
    const char *user = input->account ? input->account->name : "root";
    const struct {
        const char *name, *value;
    } variables[] = {
        { "HOME", input->sandbox }, { "LOGNAME", user }, { "USER", user }, { "PATH", input->path }
    };

    plan->n_environment = sizeof variables / sizeof variables[0];
    plan->environment = arena_array(arena, plan->n_environment, sizeof *plan->environment);
    for (size_t i = 0; i < plan->n_environment; i++)
        plan->environment[i] =
            make_variable(slice_of(variables[i].name), variables[i].value, arena);
}

static size_t find_variable(const task_plan *plan, struct slice name)
{
    size_t i = 0;
    while (i < plan->n_environment && !slice_is(name, plan->environment[i]->name))
        i++;
    return i;
}

void task_plan_add_environment(task_plan *plan, const char *const *environment, size_t count,
                               struct arena *arena)
{
    size_t size = sizeof *plan->environment;
    plan->environment = arena_grow(arena, plan->environment, plan->n_environment * size,
                                   (plan->n_environment + count) * size);
    for (size_t i = 0; i < count; i++) {
        struct slice rest = slice_of(environment[i]);
        struct slice name = slice_split(&rest, '=');
        if (!rest.ptr || name.len == 0 || slice_is(name, "HOME") || slice_is(name, "LOGNAME") ||
            slice_is(name, "USER"))
            continue;
        size_t at = find_variable(plan, name);
        plan->environment[at] = make_variable(name, rest.ptr, arena);
        plan->n_environment += at == plan->n_environment;
    }
}

static Eos__Executor__V1__UserPlan *make_user(const struct account *account, struct arena *arena)
{
    Eos__Executor__V1__UserPlan *user = arena_alloc(arena, sizeof *user);
    eos__executor__v1__user_plan__init(user);
    user->name = account->name;
    user->uid = account->uid;
    user->gid = account->gid;
    user->groups = account->groups;
    user->n_groups = account->group_count;
    user->home = account->home;
    return user;
}

bool task_plan_make(const struct task_plan_input *input, struct arena *arena, task_plan **ret_plan,
                    struct error *err)
{
    task_plan *plan = arena_alloc(arena, sizeof *plan);

    eos__executor__v1__task_plan__init(plan);
    plan->task_id = input->task->task_id;
    plan->run_directory = (char *)input->run_directory;
    plan->sandbox = (char *)input->sandbox;
    plan->log_directory = arena_printf(arena, "%s/.logs", input->sandbox);
    plan->kill_grace_ms = input->kill_grace_ms;
    if (input->account)
        plan->user = make_user(input->account, arena);
    make_environment(input, arena, plan);
    if (!parse_data(input, arena, plan, err))
        return false;
    *ret_plan = plan;
    return true;
}
