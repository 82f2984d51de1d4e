#pragma once

#include "launcher/tasks.h"

/* Brings the metrics up to date: counts at once, and what the tasks use in a worker. */
struct figures;

struct figures *figures_open(uv_loop_t *loop, const struct tasks *tasks,
                             const struct isolators *isolators);

/* Once in a while.  What is under way from last time goes on. */
void figures_update(struct figures *figures, bool is_connected, size_t updates, size_t log_streams);

/* `tasks` are not looked at any more; freed when its worker has ended.  NULL is a no-op. */
void figures_close(struct figures *figures);
