#pragma once

#include "launcher/task.h"

#include "io/rpc_server.h"

#define LOG_STREAMS_MAX 512u /* at once */

/* All readers of logs; lives longer than each of them. */
struct log_streams {
    size_t count;
    void (*on_empty)(void *user); /* NULL, or called when the last one has gone */
    void *user;
};

/* Serves ReadLog for one task: takes over `request`, and ends it some time, at the latest when the
 * task is closed. */
void log_stream_start(struct log_streams *streams, struct task *task, struct rpc_request *request);
