#pragma once

#include "base/error.h"

/* Task ids are names of directories, cgroups and containers: letters, digits, "_", "-" and ".", not
 * "." first, at most 200 bytes.  INVALID_ARGUMENT otherwise. */
#define TASK_ID_MAX_BYTES 200u

bool task_id_check(const char *task_id, struct error *err) MUST_CHECK;
