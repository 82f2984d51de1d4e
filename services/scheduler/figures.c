#include "scheduler/service.h"

#include <stdio.h>

static const struct {
    size_t offset; /* of a uint64_t in struct state_counters */
    const char *name, *help;
} counters[] = {
#define COUNTER(field, help)                                                                       \
    {                                                                                              \
        offsetof(struct state_counters, field), #field, help                                       \
    }
    COUNTER(tasks_created, "Tasks that were made."),
    COUNTER(tasks_placed, "Tasks that were given a host."),
    COUNTER(tasks_timed_out, "Tasks that stayed in a passing state for too long."),
    COUNTER(tasks_pruned, "Dead tasks that were forgotten."),
    COUNTER(tasks_throttled, "Tasks that had to wait because those before them flapped."),
    COUNTER(illegal_changes, "Changes of state that the table of states does not allow."),
    COUNTER(updates, "Status updates from launchers."),
    COUNTER(unknown_tasks, "Reports of tasks that the scheduler does not know."),
    COUNTER(hosts_lost, "Hosts that fell silent."),
    COUNTER(placement_checks, "Pairs of task and host that were looked at."),
};

static void update_counters(const struct state_counters *values)
{
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
        char name[96];
        snprintf(name, sizeof name, "eos_scheduler_%s_total", counters[i].name);
        struct metric *metric = metric_open(METRIC_COUNTER, name, counters[i].help, NULL);
        const uint64_t *value = (const uint64_t *)((const char *)values + counters[i].offset);
        metric_add(metric, (double)*value - metric_value(metric));
    }
}

static void set_gauge(const char *name, const char *help, const char *labels, size_t value)
{
    metric_set(metric_open(METRIC_GAUGE, name, help, labels), (double)value);
}

static size_t connected_hosts(const struct state *state)
{
    size_t cursor = 0, count = 0;
    struct slice key;
    void *value;

    while (map_next(state->hosts, &cursor, &key, &value))
        count += ((const struct host *)value)->is_connected;
    return count;
}

void figures_update(const struct service *service)
{
    const struct state *state = service->state;

    update_counters(&state->counters);
    for (enum task_status status = 0; status < TASK_DELETED; status++) {
        char labels[64];
        snprintf(labels, sizeof labels, "status=\"%s\"", task_status_name(status));
        set_gauge("eos_scheduler_tasks", "Tasks by status.", labels, state->status_counts[status]);
    }
    set_gauge("eos_scheduler_jobs", "Jobs.", NULL, state->job_count);
    set_gauge("eos_scheduler_hosts", "Hosts that were seen.", NULL, map_count(state->hosts));
    set_gauge("eos_scheduler_hosts_connected", "Hosts that answer.", NULL, connected_hosts(state));
    set_gauge("eos_scheduler_polls_held", "Polls of launchers that wait for an answer.", NULL,
              polls_count(service->polls));
}
