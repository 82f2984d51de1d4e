#include "gateway/service.h"
#include "io/daemon.h"

#define MINUTE (60 * 1000)

int main(int argc, char **argv)
{
    static struct gateway_options options = {
        .http = "127.0.0.1:8081",
        .config_url = "ipc:///run/eos/config.sock",
        .binder_url = "ipc:///run/eos/binder.sock",
        .scheduler_url = "ipc:///run/eos/scheduler.sock",
        .max_connections = 1024,
        .max_requests = 1000,
        .max_header_bytes = 16 << 10,
        .max_headers = 64,
        .max_body_bytes = 16 << 20,
        .header_timeout_ms = 10 * 1000,
        .body_timeout_ms = MINUTE,
        .idle_timeout_ms = 75 * 1000,
        .write_timeout_ms = MINUTE,
        .heartbeat_ms = 15 * 1000,
    };
    // clang-format off
    static const struct option rows[] = {
        { .name = "http", .type = OPTION_STRING, .target = &options.http, .value = "ADDR:PORT", .help = "listen here; port 0 takes a free one; without --token-file only on a loopback address" },
        { .name = "config", .type = OPTION_STRING, .target = &options.config_url, .value = "URL", .help = "where eos-config listens" },
        { .name = "binder", .type = OPTION_STRING, .target = &options.binder_url, .value = "URL", .help = "where eos-binder listens" },
        { .name = "scheduler", .type = OPTION_STRING, .target = &options.scheduler_url, .value = "URL", .help = "where eos-scheduler listens" },
        { .name = "cluster", .type = OPTION_STRING, .target = &options.cluster, .value = "NAME", .help = "name of the cluster that is served" },
        { .name = "token-file", .type = OPTION_STRING, .target = &options.token_file, .value = "FILE", .help = "bearer tokens, one per line of at least 16 characters; lines that begin with # do not count; mode 0600" },
        { .name = "cluster-key-file", .type = OPTION_STRING, .target = &options.cluster_key_file, .value = "FILE", .help = "secret of the cluster, for tcp:// addresses" },
        { .name = "max-connections", .type = OPTION_INTEGER, .target = &options.max_connections, .min = 1, .max = 100000, .value = "N", .help = "connections at once; more are answered with 503" },
        { .name = "max-requests", .type = OPTION_INTEGER, .target = &options.max_requests, .min = 1, .max = 1000000, .value = "N", .help = "requests of one connection" },
        { .name = "max-header-bytes", .type = OPTION_BYTES, .target = &options.max_header_bytes, .min = 1024, .max = 1 << 16, .value = "SIZE", .help = "request line and headers together" },
        { .name = "max-headers", .type = OPTION_INTEGER, .target = &options.max_headers, .min = 8, .max = 1000, .value = "N", .help = "headers of one request" },
        { .name = "max-body-bytes", .type = OPTION_BYTES, .target = &options.max_body_bytes, .min = 1024, .max = 16 << 20, .value = "SIZE", .help = "body of one request" },
        { .name = "header-timeout", .type = OPTION_DURATION, .target = &options.header_timeout_ms, .min = 10, .max = 10 * MINUTE, .value = "TIME", .help = "for the headers of a request to arrive" },
        { .name = "body-timeout", .type = OPTION_DURATION, .target = &options.body_timeout_ms, .min = 10, .max = 60 * MINUTE, .value = "TIME", .help = "for the body of a request to arrive" },
        { .name = "idle-timeout", .type = OPTION_DURATION, .target = &options.idle_timeout_ms, .min = 10, .max = 60 * MINUTE, .value = "TIME", .help = "between two requests of a connection" },
        { .name = "write-timeout", .type = OPTION_DURATION, .target = &options.write_timeout_ms, .min = 10, .max = 60 * MINUTE, .value = "TIME", .help = "for a client to take a part of its answer" },
        { .name = "heartbeat", .type = OPTION_DURATION, .target = &options.heartbeat_ms, .min = 10, .max = MINUTE, .value = "TIME", .help = "between signs of life in a log that is followed" },
        { 0 },
    };
    // clang-format on
    struct daemon_spec spec = { .name = "gateway",
                                .summary = "the public HTTP API of a cluster",
                                .options = rows,
                                .open = service_open,
                                .drain = service_drain,
                                .close = service_close,
                                .user = &options };
    return daemon_main(&spec, argc, argv);
}
