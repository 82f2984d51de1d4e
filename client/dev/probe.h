#pragma once

#include "base/error.h"

#include <uv.h>

/* One GET /healthz of the gateway.  Calls back once, later; `is_well` when it said 200. */
typedef void probe_fn(void *user, bool is_well);

void probe_start(uv_loop_t *loop, const struct sockaddr *address, probe_fn *done, void *user);

#define PROBE_TIMEOUT_MS 2000u
