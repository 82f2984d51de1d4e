#include "client/inspect_text.h"

#include "client/output.h"
#include "json/message_json.h"

typedef Eos__Job__V1__Constraint constraint_message;
typedef Eos__Job__V1__JobConfiguration job_configuration;

static const char *truth(bool value)
{
    return value ? "True" : "False";
}

static void add_quoted(struct text *out, const char *indent, const char *name, const char *value)
{
    text_printf(out, "%s%s '", indent, name);
    output_add_printable(out, value);
    text_add(out, "'\n");
}

/* -- the job -------------------------------------------------------------------------------------- */

static const char *policy_name(Eos__Job__V1__CronCollisionPolicy policy)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(&eos__job__v1__cron_collision_policy__descriptor,
                                             (int)policy);
    return value ? value->name : "UNKNOWN";
}

static void add_cron(struct text *out, const job_configuration *job)
{
    if (!job->cron_schedule[0])
        return;
    text_add(out, "  cron:\n");
    add_quoted(out, "    ", "schedule:", job->cron_schedule);
    add_quoted(out, "    ", "policy:  ", policy_name(job->cron_collision_policy));
}

static void add_constraint(struct text *out, const constraint_message *constraint)
{
    text_printf(out, "    '%s': '", constraint->name);
    if (constraint->constraint_case == EOS__JOB__V1__CONSTRAINT__CONSTRAINT_LIMIT) {
        text_printf(out, "limit:%d'\n", constraint->limit->limit);
        return;
    }
    if (constraint->constraint_case == EOS__JOB__V1__CONSTRAINT__CONSTRAINT_VALUE) {
        text_add(out, constraint->value->negated ? "!" : "");
        for (size_t i = 0; i < constraint->value->n_values; i++)
            text_printf(out, "%s%s", i > 0 ? "," : "", constraint->value->values[i]);
    }
    text_add(out, "'\n");
}

/* As they were given, in their order, when the executor's data tells; else as they are sent. */
static void add_constraints(struct text *out, const Eos__Job__V1__TaskConfig *task,
                            const json_t *given)
{
    const char *name;
    json_t *value;
    if (json_object_size(given) > 0 || task->n_constraints > 0)
        text_add(out, "  constraints:\n");
    json_object_foreach((json_t *)(uintptr_t)given, name, value)
    {
        text_add(out, "    '");
        output_add_printable(out, name);
        add_quoted(out, "", "':", json_is_string(value) ? json_string_value(value) : "?");
    }
    for (size_t i = 0; json_object_size(given) == 0 && i < task->n_constraints; i++)
        add_constraint(out, task->constraints[i]);
}

static void add_job(struct text *out, const Eos__Config__V1__JobResult *result, const json_t *data)
{
    const job_configuration *job = result->job;
    const Eos__Job__V1__TaskConfig *task = job->task_config;
    text_add(out, "Job level information\n");
    add_quoted(out, "  ", "name:      ", job->key->name);
    add_quoted(out, "  ", "role:      ", job->key->role);
    if (task->contact_email[0])
        add_quoted(out, "  ", "contact:   ", task->contact_email);
    add_quoted(out, "  ", "cluster:   ", result->cluster);
    text_printf(out, "  instances:  '%d'\n", job->instance_count);
    add_cron(out, job);
    add_constraints(out, task, json_object_get(data, "constraints"));
    if (task->partition_policy)
        text_printf(out, "  partition_policy:\n    reschedule: %s\n    delay_secs: '%lld'\n",
                    truth(task->partition_policy->reschedule),
                    (long long)task->partition_policy->delay_secs);
    text_printf(out, "  service:    %s\n  production: %s\n\n", truth(task->is_service),
                truth(task->production));
}

/* -- the task ------------------------------------------------------------------------------------- */

static void add_order(struct text *out, const json_t *constraint)
{
    size_t index;
    json_t *name;
    const json_t *order = json_object_get(constraint, "order");
    text_add(out, "  ");
    json_array_foreach(order, index, name)
    {
        text_add(out, index > 0 ? " < " : "");
        output_add_printable(out, json_is_string(name) ? json_string_value(name) : "?");
    }
    text_add_char(out, '\n');
}

/* A line end at the end begins no line. */
static void add_lines(struct text *out, const char *text)
{
    struct slice rest = slice_of(text);
    while (rest.ptr && rest.len > 0) {
        struct slice line = slice_split(&rest, '\n');
        char *copy = strndup(line.ptr, line.len);
        text_add(out, "    ");
        output_add_printable(out, copy ? copy : "");
        text_add_char(out, '\n');
        free(copy);
    }
}

static void add_process(struct text *out, const json_t *process)
{
    static const char *const switches[] = { "daemon", "ephemeral", "final" };
    const char *name = json_string_value(json_object_get(process, "name"));
    const char *cmdline = json_string_value(json_object_get(process, "cmdline"));
    text_add(out, "Process '");
    output_add_printable(out, name ? name : "");
    text_add(out, "':\n");
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++)
        if (json_is_true(json_object_get(process, switches[i])))
            text_printf(out, "  %s\n", switches[i]);
    text_add(out, "  cmdline:\n");
    add_lines(out, cmdline ? cmdline : "");
    text_add_char(out, '\n');
}

static void add_task(struct text *out, const json_t *task)
{
    size_t index;
    json_t *item;
    const char *name = json_string_value(json_object_get(task, "name"));
    const json_t *constraints = json_object_get(task, "constraints");
    text_add(out, "Task level information\n");
    add_quoted(out, "  ", "name:", name ? name : "");
    if (json_array_size(constraints) > 0)
        text_add(out, "  constraints:\n");
    json_array_foreach(constraints, index, item) add_order(out, item);
    text_add_char(out, '\n');
    json_array_foreach(json_object_get(task, "processes"), index, item) add_process(out, item);
}

bool inspect_add(struct text *out, const Eos__Config__V1__JobResult *result, struct error *err)
{
    const Eos__Job__V1__TaskConfig *task = result->job->task_config;
    json_t *data;
    if (strcmp(task->executor_name, "AuroraExecutor") != 0) {
        add_job(out, result, NULL);
        add_quoted(out, "", "executor:", task->executor_name);
        return true;
    }
    if (!json_parse(slice_of(task->executor_data), &data, err)) {
        err->code = ERROR_DATA_LOSS;
        return error_prefix(err, "could not read the executor's data");
    }
    add_job(out, result, data);
    add_task(out, json_object_get(data, "task"));
    json_decref(data);
    return true;
}
