#include "scheduler/service.h"

#include "io/daemon.h"

#define SECOND 1000ll
#define DAY    (24 * 60 * 60 * SECOND)

static struct service_options options = {
    .listen = "ipc:///run/eos/scheduler.sock",
    .listen_cluster = "ipc:///run/eos/cluster.sock",
    .state_dir = "/var/lib/eos/scheduler",
    .cluster = "eos",
};

/* clang-format off */
static const struct option rows[] = {
    { .name = "listen", .type = OPTION_STRING, .target = &options.listen, .value = "URL",
      .help = "where eos.scheduler.v1.Scheduler is served, ipc:// or tcp://" },
    { .name = "listen-cluster", .type = OPTION_STRING, .target = &options.listen_cluster, .value = "URL",
      .help = "where launchers sync, ipc:// or tcp://" },
    { .name = "state-dir", .type = OPTION_STRING, .target = &options.state_dir, .value = "DIR",
      .help = "where jobs and tasks are kept" },
    { .name = "cluster", .type = OPTION_STRING, .target = &options.cluster, .value = "NAME",
      .help = "name of the cluster" },
    { .name = "cluster-key-file", .type = OPTION_STRING, .target = &options.cluster_key_file, .value = "FILE",
      .help = "secret that seals messages between hosts" },
    { .name = "host-timeout", .type = OPTION_DURATION, .target = &options.settings.host_timeout_ms,
      .min = SECOND, .max = DAY, .value = "DURATION",
      .help = "silence after which a host is taken for lost" },
    { .name = "transient-task-state-timeout", .type = OPTION_DURATION,
      .target = &options.settings.transient_timeout_ms, .min = SECOND, .max = DAY, .value = "DURATION",
      .help = "how long a task may be ASSIGNED or KILLING before it is LOST" },
    { .name = "flapping-task-threshold", .type = OPTION_DURATION,
      .target = &options.settings.flapping_threshold_ms, .min = 0, .max = DAY, .value = "DURATION",
      .help = "a task that ends sooner after its start is flapping" },
    { .name = "initial-flapping-task-delay", .type = OPTION_DURATION,
      .target = &options.settings.flapping_delay_min_ms, .min = 1, .max = DAY, .value = "DURATION",
      .help = "first pause before a flapping task is tried again" },
    { .name = "max-flapping-task-delay", .type = OPTION_DURATION,
      .target = &options.settings.flapping_delay_max_ms, .min = 1, .max = DAY, .value = "DURATION",
      .help = "longest pause before a flapping task is tried again" },
    { .name = "history-prune-threshold", .type = OPTION_DURATION,
      .target = &options.settings.history_max_ms, .min = SECOND, .max = 365 * DAY, .value = "DURATION",
      .help = "how long dead tasks are remembered" },
    { .name = "history-min-retention-threshold", .type = OPTION_DURATION,
      .target = &options.settings.history_min_ms, .min = SECOND, .max = 365 * DAY, .value = "DURATION",
      .help = "how long dead tasks are remembered at least" },
    { .name = "history-max-per-job-threshold", .type = OPTION_INTEGER,
      .target = &options.settings.history_per_job, .min = 1, .max = 100000, .value = "COUNT",
      .help = "dead tasks of one job that are remembered" },
    { .name = "kill-retry-interval", .type = OPTION_DURATION,
      .target = &options.settings.kill_repeat_ms, .min = SECOND, .max = DAY, .value = "DURATION",
      .help = "how often an order to kill is repeated" },
    { .name = "reconciliation-interval", .type = OPTION_DURATION,
      .target = &options.settings.reconcile_ms, .min = SECOND, .max = DAY, .value = "DURATION",
      .help = "how often a host is asked for all its tasks" },
    { .name = "max-tasks-per-job", .type = OPTION_INTEGER, .target = &options.settings.rules.max_tasks_per_job,
      .min = 1, .max = 1000000, .value = "COUNT", .help = "most instances of one job" },
    { .name = "allow-docker-parameters", .type = OPTION_SWITCH,
      .target = &options.settings.rules.allow_docker_parameters,
      .help = "let jobs give parameters to the Docker engine, which can open the whole host to them" },
    { .name = "allow-container-volumes", .type = OPTION_SWITCH,
      .target = &options.settings.rules.allow_container_volumes,
      .help = "let jobs mount directories of the host into their containers" },
    { 0 },
};
/* clang-format on */

int main(int argc, char **argv)
{
    options.settings = state_default_settings;
    struct daemon_spec spec = {
        .name = "scheduler",
        .summary = "owns jobs and tasks, and decides what runs where",
        .options = rows,
        .user = &options,
        .open = service_open,
        .drain = service_drain,
        .close = service_close,
    };
    return daemon_main(&spec, argc, argv);
}
