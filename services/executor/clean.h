#pragma once

#include "base/error.h"

/* Removes what an executor that was killed has left of the plan's container: processes, cgroups, the
 * socket.  FAILED_PRECONDITION while an executor of the plan lives. */
bool clean_plan(const char *plan_file, struct error *err) MUST_CHECK;
