#include "launcher/service.h"

#include "io/daemon.h"
#include "registry/certificates.h"

#include <limits.h>
#include <malloc.h>
#include <stdlib.h>

#define SECOND 1000ll
#define HOUR   (60 * 60 * SECOND)
#define DAY    (24 * HOUR)

/* What unpacking images took goes back to the system: left alone, glibc keeps larger and larger pieces for
 * later, in a heap for each thread. */
#define MMAP_THRESHOLD_BYTES (128 << 10)

static struct service_options options = {
    .scheduler = "ipc:///run/eos/cluster.sock",
    .listen = "ipc:///run/eos/launcher.sock",
    .state_dir = "/var/lib/eos/launcher",
    .cluster = "eos",
    .isolation = ISOLATORS_DEFAULT,
    .docker_socket = "/var/run/docker.sock",
    .certs_dir = CERTIFICATES_DEFAULT,
    .kill_grace_ms = 60 * SECOND,
    .dead_tasks_max = 500,
    .image_gc_bytes = -1,
    .image_gc_age_ms = 30 * DAY,
};

/* clang-format off */
static const struct option rows[] = {
    { .name = "scheduler", .type = OPTION_STRING, .target = &options.scheduler, .value = "URL",
      .help = "where the scheduler serves eos.scheduler.v1.Cluster" },
    { .name = "listen", .type = OPTION_STRING, .target = &options.listen, .value = "URL",
      .help = "where eos.launcher.v1.Launcher is served, ipc:// or tcp://" },
    { .name = "state-dir", .type = OPTION_STRING, .target = &options.state_dir, .value = "DIR",
      .help = "where tasks, sandboxes and images are kept" },
    { .name = "cluster", .type = OPTION_STRING, .target = &options.cluster, .value = "NAME",
      .help = "name of the cluster" },
    { .name = "clusters", .type = OPTION_LIST, .target = &options.clusters, .value = "FILE",
      .help = "a clusters.json that says which registry the cluster has" },
    { .name = "cluster-key-file", .type = OPTION_STRING, .target = &options.cluster_key_file, .value = "FILE",
      .help = "secret that seals messages between hosts" },
    { .name = "hostname", .type = OPTION_STRING, .target = &options.wishes.hostname, .value = "NAME",
      .help = "name of this host, also as the attribute \"host\"" },
    { .name = "attribute", .type = OPTION_LIST, .target = &options.wishes.attributes, .value = "NAME=VALUE",
      .help = "what constraints of jobs may ask for" },
    { .name = "cpus", .type = OPTION_STRING, .target = &options.wishes.cpus, .value = "NUMBER",
      .help = "cpus for tasks, instead of all" },
    { .name = "ram", .type = OPTION_BYTES, .target = &options.wishes.ram_bytes, .max = INT64_MAX, .value = "BYTES",
      .help = "memory for tasks, instead of what there is but for 1G" },
    { .name = "disk", .type = OPTION_BYTES, .target = &options.wishes.disk_bytes, .max = INT64_MAX, .value = "BYTES",
      .help = "disk space for tasks, instead of what there is but for 5G" },
    { .name = "ports", .type = OPTION_STRING, .target = &options.wishes.ports, .value = "FIRST-LAST",
      .help = "ports for tasks, several ranges separated by commas; 31000-32000 unless said" },
    { .name = "isolation", .type = OPTION_STRING, .target = &options.isolation, .value = "NAME,NAME",
      .help = "isolators of native containers, in this order" },
    { .name = "executor", .type = OPTION_STRING, .target = &options.executor, .value = "FILE",
      .help = "eos-executor, instead of the one beside this program" },
    { .name = "docker-socket", .type = OPTION_STRING, .target = &options.docker_socket, .value = "FILE",
      .help = "where the host's Docker engine listens" },
    { .name = "docker-config", .type = OPTION_STRING, .target = &options.docker_config, .value = "FILE",
      .help = "a config.json with credentials for registries, or its directory" },
    { .name = "netrc", .type = OPTION_STRING, .target = &options.netrc, .value = "FILE",
      .help = "a .netrc with credentials for registries and the hosts of AppC images" },
    { .name = "certs-dir", .type = OPTION_STRING, .target = &options.certs_dir, .value = "DIR",
      .help = "HOST[:PORT]/ca.crt, client.cert and client.key of registries" },
    { .name = "insecure-registry", .type = OPTION_LIST, .target = &options.insecure_registries,
      .value = "HOST[:PORT]", .help = "a registry that may be asked without TLS, besides loopback" },
    { .name = "appc-simple-discovery-uri-prefix", .type = OPTION_STRING, .target = &options.appc_prefix,
      .value = "PREFIX", .help = "where AppC images are, instead of asking the hosts of their names: a directory, file:// or http(s)://" },
    { .name = "appc-meta-discovery", .type = OPTION_SWITCH, .target = &options.appc_meta_discovery,
      .help = "ask the host of an AppC image's name when that prefix does not have it" },
    { .name = "image-gc-size", .type = OPTION_BYTES, .target = &options.image_gc_bytes, .max = INT64_MAX, .value = "BYTES",
      .help = "beyond it, images that no task uses go, the longest unused first; a quarter of the disk unless said" },
    { .name = "image-gc-age", .type = OPTION_DURATION, .target = &options.image_gc_age_ms, .max = 36500 * DAY, .value = "DURATION",
      .help = "images that no task has used for so long go" },
    { .name = "kill-grace", .type = OPTION_DURATION, .target = &options.kill_grace_ms, .min = 0, .max = HOUR,
      .value = "DURATION", .help = "time between SIGTERM and SIGKILL when a task is killed" },
    { .name = "dead-tasks", .type = OPTION_INTEGER, .target = &options.dead_tasks_max, .min = 0, .max = 100000,
      .value = "COUNT", .help = "how many dead tasks keep their sandbox and logs" },
    { 0 },
};
/* clang-format on */

int main(int argc, char **argv)
{
    mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES);
    /* Logs are read in workers, and images looked at; the default of four is too few for both. */
    setenv("UV_THREADPOOL_SIZE", "16", 0);
    struct daemon_spec spec = {
        .name = "launcher",
        .summary = "runs the tasks of one host, each in its container",
        .options = rows,
        .user = &options,
        .open = service_open,
        .drain = service_drain,
        .close = service_close,
    };
    return daemon_main(&spec, argc, argv);
}
