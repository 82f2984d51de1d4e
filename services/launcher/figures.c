#include "launcher/figures.h"

#include "base/alloc.h"
#include "io/metrics.h"

#include <assert.h>

struct figures {
    uv_loop_t *loop;
    const struct tasks *tasks;
    struct isolators isolators; /* a copy: the worker may outlive the service */
    uv_work_t work;
    struct arena *arena; /* of one round */
    const char **ids;
    size_t id_count;
    struct isolator_usage usage;
    bool is_busy, is_closing;
};

static void set(const char *name, const char *help, const char *labels, double value)
{
    metric_set(metric_open(METRIC_GAUGE, name, help, labels), value);
}

static void measure(uv_work_t *work)
{
    struct figures *figures = work->data;
    figures->usage = (struct isolator_usage){ 0 };
    for (size_t i = 0; i < figures->id_count; i++)
        isolators_usage(&figures->isolators, figures->ids[i], &figures->usage);
}

static void on_measured(uv_work_t *work, int status)
{
    struct figures *figures = work->data;
    (void)status;
    figures->is_busy = false;
    arena_free(figures->arena);
    if (figures->is_closing) {
        free(figures);
        return;
    }
    set("eos_launcher_used_memory_bytes", "Memory that running native tasks use.", NULL,
        (double)figures->usage.memory_bytes);
    set("eos_launcher_used_cpu_seconds",
        "Processor time that the now running native tasks have used.", NULL,
        figures->usage.cpu_seconds);
    set("eos_launcher_processes", "Processes and threads of running native tasks.", NULL,
        (double)figures->usage.processes);
}

struct figures *figures_open(uv_loop_t *loop, const struct tasks *tasks,
                             const struct isolators *isolators)
{
    struct figures *figures = xcalloc(1, sizeof *figures);
    figures->loop = loop;
    figures->tasks = tasks;
    figures->isolators = *isolators;
    figures->work.data = figures;
    return figures;
}

static void count(const struct figures *figures, bool is_connected, size_t updates,
                  size_t log_streams)
{
    size_t live = tasks_count_live(figures->tasks);
    set("eos_launcher_tasks", "Tasks of this host.", "state=\"live\"", (double)live);
    set("eos_launcher_tasks", "Tasks of this host.", "state=\"dead\"",
        (double)(tasks_count(figures->tasks) - live));
    set("eos_launcher_updates", "Updates that the scheduler has not acknowledged.", NULL,
        (double)updates);
    set("eos_launcher_log_streams", "Logs that are being read.", NULL, (double)log_streams);
    set("eos_launcher_scheduler_connected", "Whether the scheduler answers.", NULL, is_connected);
}

void figures_update(struct figures *figures, bool is_connected, size_t updates, size_t log_streams)
{
    count(figures, is_connected, updates, log_streams);
    if (figures->is_busy)
        return;
    figures->is_busy = true;
    figures->arena = arena_new();
    figures->ids = tasks_running_ids(figures->tasks, figures->arena, &figures->id_count);
    int status = uv_queue_work(figures->loop, &figures->work, measure, on_measured);
    assert(status == 0);
}

void figures_close(struct figures *figures)
{
    if (!figures)
        return;
    figures->is_closing = true;
    if (!figures->is_busy)
        free(figures);
}
