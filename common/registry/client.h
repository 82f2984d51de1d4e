#pragma once

#include "base/map.h"
#include "registry/endpoint.h"
#include "registry/files.h"
#include "registry/grants.h"
#include "registry/http.h"
#include "registry/registry.h"
#include "registry/resting.h"

#include "io/metrics.h"

/* What the parts of the registry client share. */
struct registry_client {
    uv_loop_t *loop;
    struct http_client *http;
    struct registry_paths paths;
    struct registry_files files;
    struct reread *reread; /* under way, or NULL */
    uint64_t files_serial; /* goes up when they change */
    struct grants *grants;
    struct map *queues; /* of fetches that need the same authorization */
    struct resting *resting;
    struct insecure_hosts insecure;
    struct registry_call *calls; /* all that are in flight */
    size_t call_count;
    struct metric *answers, *retries, *failures, *received_bytes, *mirror_failures, *reads,
        *read_failures;
    unsigned open_parts; /* handles that are not closed yet, and the http client */
    uv_timer_t farewell;
    bool is_closing;
};

/* One of `open_parts` is closed; with the last one the client is freed. */
void registry_client_part_closed(struct registry_client *client);
