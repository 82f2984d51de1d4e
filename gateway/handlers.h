#pragma once

#include "gateway/backends.h"
#include "gateway/exchange.h"
#include "gateway/launchers.h"

/* What the handlers share. */
struct handlers {
    struct backends *backends;
    struct launchers *launchers;
    const char *cluster;
    uint64_t heartbeat_ms;
    bool is_draining;
};

/* Answers one exchange by its route; `user` is the struct handlers. */
void handlers_handle(void *user, struct exchange *exchange);

/* One function per kind of route, in the file of its name. */
void create_job(struct handlers *handlers, struct exchange *exchange);
void host_calls(struct handlers *handlers, struct exchange *exchange);
void log_stream(struct handlers *handlers, struct exchange *exchange);
void health_report(struct handlers *handlers, struct exchange *exchange);
void metrics_report(struct handlers *handlers, struct exchange *exchange);
