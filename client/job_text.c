#include "client/job_text.h"

#include "base/cleanup.h"
#include "client/image_text.h"
#include "client/output.h"
#include "client/task_state.h"
#include "json/message_json.h"

#include <time.h>

typedef Eos__Job__V1__ScheduledTask scheduled_task;
typedef Eos__Job__V1__Resource resource_message;
typedef Eos__Job__V1__TaskConfig task_config;

const char *job_kind_text(const Eos__Job__V1__JobConfiguration *job)
{
    if (job->cron_schedule[0])
        return "cron";
    return job->task_config && job->task_config->is_service ? "service" : "adhoc";
}

/* -- resources ------------------------------------------------------------------------------------ */

static void add_resource(struct text *out, const resource_message *resource)
{
    switch (resource->resource_case) {
    case EOS__JOB__V1__RESOURCE__RESOURCE_NUM_CPUS:
        text_printf(out, "CPU: %g core(s)", resource->num_cpus);
        break;
    case EOS__JOB__V1__RESOURCE__RESOURCE_RAM_MB:
        text_printf(out, "RAM: %lld MB", (long long)resource->ram_mb);
        break;
    case EOS__JOB__V1__RESOURCE__RESOURCE_DISK_MB:
        text_printf(out, "Disk: %lld MB", (long long)resource->disk_mb);
        break;
    case EOS__JOB__V1__RESOURCE__RESOURCE_NAMED_PORT:
        text_printf(out, "Port: %s", resource->named_port);
        break;
    case EOS__JOB__V1__RESOURCE__RESOURCE_NUM_GPUS:
        text_printf(out, "GPU: %lld GPU(s)", (long long)resource->num_gpus);
        break;
    case EOS__JOB__V1__RESOURCE__RESOURCE__NOT_SET:
    case _EOS__JOB__V1__RESOURCE__RESOURCE__CASE_IS_INT_SIZE:
        break;
    }
}

const char *job_resources_text(const task_config *task, struct arena *arena)
{
    static const Eos__Job__V1__Resource__ResourceCase order[] = {
        EOS__JOB__V1__RESOURCE__RESOURCE_NUM_CPUS, EOS__JOB__V1__RESOURCE__RESOURCE_RAM_MB,
        EOS__JOB__V1__RESOURCE__RESOURCE_DISK_MB,  EOS__JOB__V1__RESOURCE__RESOURCE_NAMED_PORT,
        EOS__JOB__V1__RESOURCE__RESOURCE_NUM_GPUS,
    };
    cleanup_text struct text out = TEXT_INIT;
    for (size_t kind = 0; kind < sizeof order / sizeof order[0]; kind++)
        for (size_t i = 0; i < task->n_resources; i++) {
            if (task->resources[i]->resource_case != order[kind])
                continue;
            text_add(&out, out.len > 0 ? ", " : "");
            add_resource(&out, task->resources[i]);
        }
    return arena_strdup(arena, text_string(&out));
}

/* -- containers ----------------------------------------------------------------------------------- */

static const char *image_text(const Eos__Job__V1__Image *image, struct arena *arena)
{
    if (image->image_case == EOS__JOB__V1__IMAGE__IMAGE_APPC)
        return arena_printf(arena, "appc image %s", image->appc->name);
    if (image->image_case != EOS__JOB__V1__IMAGE__IMAGE_DOCKER)
        return "host";
    bool is_digest = strncmp(image->docker->tag, "sha256:", 7) == 0;
    return arena_printf(arena, "docker image %s%s%s", image->docker->name, is_digest ? "@" : ":",
                        image->docker->tag);
}

const char *job_container_text(const task_config *task, struct arena *arena)
{
    const Eos__Job__V1__Container *container = task->container;
    if (!container)
        return "host";
    if (container->container_case == EOS__JOB__V1__CONTAINER__CONTAINER_DOCKER)
        return arena_printf(arena, "docker engine %s", container->docker->image);
    if (container->container_case == EOS__JOB__V1__CONTAINER__CONTAINER_MESOS &&
        container->mesos->image)
        return image_text(container->mesos->image, arena);
    return "host";
}

/* -- status --------------------------------------------------------------------------------------- */

static void add_time(struct text *out, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    char text[32] = "";
    if (localtime_r(&seconds, &parts))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    text_add(out, text);
}

static void add_head(struct text *out, const scheduled_task *task, bool is_coloured)
{
    const Eos__Job__V1__AssignedTask *assigned = task->assigned_task;
    const Eos__Job__V1__JobKey *key = assigned->task->job;
    text_printf(out, "\tTask role: %s, env: %s, name: %s, instance: %d, status: ", key->role,
                key->environment, key->name, assigned->instance_id);
    output_add_coloured(out, is_coloured, task_state_colour(task->status),
                        task_state_name(task->status));
    if (assigned->hostname[0])
        text_printf(out, " on %s", assigned->hostname);
    text_add_char(out, '\n');
}

static void add_ports(struct text *out, const scheduled_task *task)
{
    const Eos__Job__V1__AssignedTask *assigned = task->assigned_task;
    if (assigned->n_assigned_ports == 0)
        return;
    text_add(out, "\t  assigned ports: {");
    for (size_t i = 0; i < assigned->n_assigned_ports; i++)
        text_printf(out, "%s'%s': %d", i > 0 ? ", " : "", assigned->assigned_ports[i]->name,
                    assigned->assigned_ports[i]->port);
    text_printf(out, "}\n\t  failure count: %d (max %d)\n", task->failure_count,
                assigned->task->max_task_failures);
}

/* A kill's message stands behind who killed, in a line of its own. */
static void add_in_one_line(struct text *out, const char *message)
{
    for (struct slice rest = slice_of(message); rest.ptr;) {
        cleanup_text struct text line = TEXT_INIT;
        text_add_slice(&line, slice_trim(slice_split(&rest, '\n')));
        output_add_printable(out, text_string(&line));
        text_add(out, rest.ptr ? " " : "");
    }
}

static void add_events(struct text *out, const scheduled_task *task)
{
    text_add(out, "\t  events:\n");
    for (size_t i = 0; i < task->n_task_events; i++) {
        const Eos__Job__V1__TaskEvent *event = task->task_events[i];
        text_add(out, "\t   ");
        add_time(out, event->timestamp_ms);
        text_printf(out, " %s: ", task_state_name(event->status));
        add_in_one_line(out, event->message);
        text_add_char(out, '\n');
    }
}

static void add_metadata(struct text *out, const task_config *task)
{
    if (task->n_metadata > 0)
        text_add(out, "\t  metadata:\n");
    for (size_t i = 0; i < task->n_metadata; i++) {
        cleanup_text struct text pair = TEXT_INIT;
        text_printf(&pair, "\t\t  (key: '%s', value: '%s')\n", task->metadata[i]->key,
                    task->metadata[i]->value);
        output_add_printable(out, text_string(&pair));
    }
}

static const char *pending_reason(const struct job_status *status, const scheduled_task *task)
{
    for (size_t i = 0; i < status->reason_count; i++)
        if (strcmp(status->reasons[i]->task_id, task->assigned_task->task_id) == 0)
            return status->reasons[i]->reason;
    return NULL;
}

static bool is_shown(const scheduled_task *task)
{
    return task->assigned_task && task->assigned_task->task && task->assigned_task->task->job;
}

static void add_task(struct text *out, const struct job_status *status, const scheduled_task *task,
                     struct arena *arena, bool is_coloured)
{
    const char *reason = pending_reason(status, task);
    add_head(out, task, is_coloured);
    text_printf(out, "\t  %s\n", job_resources_text(task->assigned_task->task, arena));
    add_ports(out, task);
    if (reason) {
        text_add(out, "\t  pending: ");
        output_add_printable(out, reason);
        text_add_char(out, '\n');
    }
    add_events(out, task);
    add_metadata(out, task->assigned_task->task);
}

static size_t count_tasks(const struct job_status *status, bool is_active)
{
    size_t count = 0;
    for (size_t i = 0; i < status->task_count; i++)
        count += is_shown(status->tasks[i]) &&
                 task_state_is_active(status->tasks[i]->status) == is_active;
    return count;
}

static void add_group(struct text *out, const struct job_status *status, bool is_active,
                      struct arena *arena, bool is_coloured)
{
    text_printf(out, "%s tasks (%zu):\n", is_active ? "Active" : "Inactive",
                count_tasks(status, is_active));
    for (size_t i = 0; i < status->task_count; i++)
        if (is_shown(status->tasks[i]) &&
            task_state_is_active(status->tasks[i]->status) == is_active)
            add_task(out, status, status->tasks[i], arena, is_coloured);
}

void job_status_add(struct text *out, const struct job_status *status, struct arena *arena,
                    bool is_coloured)
{
    add_group(out, status, true, arena, is_coloured);
    add_group(out, status, false, arena, is_coloured);
    if (status->has_images)
        image_records_add(out, status->bindings, status->binding_count);
}

static void add_json_group(struct text *out, const struct job_status *status, bool is_active)
{
    bool is_first = true;
    for (size_t i = 0; i < status->task_count; i++) {
        if (task_state_is_active(status->tasks[i]->status) != is_active)
            continue;
        text_add(out, is_first ? "" : ",");
        message_to_json(&status->tasks[i]->base, out);
        is_first = false;
    }
}

static void add_json_images(struct text *out, const struct job_status *status)
{
    text_add(out, ",\"images\":[");
    for (size_t i = 0; i < status->binding_count; i++) {
        text_add(out, i > 0 ? "," : "");
        message_to_json(&status->bindings[i]->base, out);
    }
    text_add_char(out, ']');
}

void job_status_add_json(struct text *out, const char *key, const struct job_status *status)
{
    text_add(out, "{\"job\":");
    text_add_json_string(out, slice_of(key));
    text_add(out, ",\"active\":[");
    add_json_group(out, status, true);
    text_add(out, "],\"inactive\":[");
    add_json_group(out, status, false);
    text_add(out, "],\"pending\":[");
    for (size_t i = 0; i < status->reason_count; i++) {
        text_add(out, i > 0 ? "," : "");
        message_to_json(&status->reasons[i]->base, out);
    }
    text_add_char(out, ']');
    if (status->has_images)
        add_json_images(out, status);
    text_add_char(out, '}');
}
