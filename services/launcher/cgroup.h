#pragma once

#include "base/error.h"

#include "eos/executor/v1/executor.pb-c.h"

#include <stdint.h>

/* The control groups of a task on this host, "eos/<task id>" below the root of each hierarchy.  The
 * executor makes them; the launcher reads them and removes what is left of them. */

Eos__Executor__V1__CgroupPlan__Version cgroup_version(void);

/* One number out of a file such as "memory.usage_in_bytes" in the hierarchy of `controller` (which
 * counts on version 1 only); with `key`, out of the line that begins with it.  False when it is not
 * there. */
bool cgroup_read(const char *controller, const char *task_id, const char *file, const char *key,
                 int64_t *ret_value);

/* Kills all processes in the groups of the task and removes the groups.  UNAVAILABLE while some process
 * is still there. */
bool cgroup_remove(const char *task_id, struct error *err) MUST_CHECK;
