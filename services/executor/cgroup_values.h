#pragma once

#include <eos/executor/v1/executor.pb-c.h>
#include <stdbool.h>
#include <stddef.h>

/* What to write into which control file for the limits of a plan. */
struct cgroup_value {
    const char *controller; /* "memory" */
    const char *file;       /* "memory.limit_in_bytes" */
    char text[48];
    const char *what; /* for messages: "the memory limit" */
    bool is_optional; /* not every kernel has the file */
};

#define CGROUP_MAX_VALUES 8u

size_t cgroup_values(const Eos__Executor__V1__CgroupPlan *plan,
                     struct cgroup_value ret_values[CGROUP_MAX_VALUES]);
