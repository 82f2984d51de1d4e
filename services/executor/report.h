#pragma once

#include "executor/runner.h"

#include "base/text.h"

/* Adds a frame with FromExecutor.state: what the runner knows of the task.  `wall_offset_ms` is
 * added to the runner's times.  Revision and time stamp are left to the outer process. */
void report_add(struct text *out, const struct runner *runner, int64_t wall_offset_ms);

/* As report_add() for a task that could not be set up: FAILED, with no runs. */
void report_add_failure(struct text *out, const char *message);

/* Cuts `message` in front of a UTF-8 sequence that is not whole or not valid. */
void report_trim(char *message);
