#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/* The gateway's flags, with their defaults in main.c. */
struct gateway_options {
    const char *http, *config_url, *binder_url, *scheduler_url;
    const char *cluster, *token_file, *cluster_key_file;
    int64_t max_connections, max_requests, max_header_bytes, max_headers, max_body_bytes;
    int64_t header_timeout_ms, body_timeout_ms, idle_timeout_ms, write_timeout_ms;
    int64_t heartbeat_ms; /* of server-sent events */
};

/* For struct daemon_spec. */
bool service_open(uv_loop_t *loop, void *user, void **ret_service, struct error *err) MUST_CHECK;
void service_drain(void *service);
void service_close(void *service);
