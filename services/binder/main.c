#include "binder/service.h"

#include "io/daemon.h"
#include "registry/certificates.h"

#define SECOND 1000ll
#define HOUR   (3600 * SECOND)

static struct service_options options = {
    .listen = "ipc:///run/eos/binder.sock",
    .certs_dir = CERTIFICATES_DEFAULT,
    .cache_ttl_ms = 60 * SECOND,
    .negative_cache_ttl_ms = 5 * SECOND,
    .registry_timeout_ms = 20 * SECOND,
    .cache_entries = 10000,
    .concurrency = 32,
};

/* clang-format off */
static const struct option rows[] = {
    { .name = "listen", .type = OPTION_STRING, .target = &options.listen, .value = "URL",
      .help = "where eos.binder.v1.Binder is served, ipc:// or tcp://" },
    { .name = "clusters", .type = OPTION_LIST, .target = &options.clusters, .value = "FILE",
      .help = "a clusters.json, which names the registries; a later file overrides an earlier one" },
    { .name = "docker-config", .type = OPTION_STRING, .target = &options.docker_config, .value = "FILE",
      .help = "credentials for registries, as docker login writes them" },
    { .name = "netrc", .type = OPTION_STRING, .target = &options.netrc, .value = "FILE",
      .help = "more credentials" },
    { .name = "certs-dir", .type = OPTION_STRING, .target = &options.certs_dir, .value = "DIR",
      .help = "HOST[:PORT]/ca.crt, client.cert and client.key of registries" },
    { .name = "insecure-registry", .type = OPTION_LIST, .target = &options.insecure_registries,
      .value = "HOST[:PORT]", .help = "a registry that is asked with plain HTTP" },
    { .name = "cluster-key-file", .type = OPTION_STRING, .target = &options.cluster_key_file, .value = "FILE",
      .help = "secret that seals messages between hosts" },
    { .name = "cache-ttl", .type = OPTION_DURATION, .target = &options.cache_ttl_ms,
      .min = 0, .max = 24 * HOUR, .value = "DURATION",
      .help = "how long the answer of a registry is used again" },
    { .name = "negative-cache-ttl", .type = OPTION_DURATION, .target = &options.negative_cache_ttl_ms,
      .min = 0, .max = HOUR, .value = "DURATION",
      .help = "how long it is remembered that an image does not exist" },
    { .name = "cache-entries", .type = OPTION_INTEGER, .target = &options.cache_entries,
      .min = 0, .max = 1000000, .value = "COUNT", .help = "most answers that are remembered" },
    { .name = "registry-timeout", .type = OPTION_DURATION, .target = &options.registry_timeout_ms,
      .min = 100, .max = HOUR, .value = "DURATION",
      .help = "how long a registry may take, repetitions included" },
    { .name = "concurrency", .type = OPTION_INTEGER, .target = &options.concurrency,
      .min = 1, .max = 1024, .value = "COUNT", .help = "registry calls at the same time" },
    { 0 },
};
/* clang-format on */

int main(int argc, char **argv)
{
    struct daemon_spec spec = {
        .name = "binder",
        .summary = "turns image references into digests",
        .options = rows,
        .user = &options,
        .open = service_open,
        .drain = service_drain,
        .close = service_close,
    };
    return daemon_main(&spec, argc, argv);
}
