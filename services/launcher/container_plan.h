#pragma once

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

#include "eos/executor/v1/executor.pb-c.h"
#include "eos/job/v1/job.pb-c.h"

/* Additions to the container of a plan.  Texts are borrowed from constants or from the arena. */

enum container_mount_flag {
    MOUNT_READONLY = 1,
    MOUNT_NOSUID = 2,
    MOUNT_NODEV = 4,
    MOUNT_NOEXEC = 8,
    MOUNT_IS_FILE = 16,
};

struct container_mount {
    const char *type, *source, *target, *data;
    unsigned flags;
};

void container_plan_add_mount(Eos__Executor__V1__TaskPlan *plan, struct arena *arena,
                              const struct container_mount *mount);
void container_plan_mask(Eos__Executor__V1__TaskPlan *plan, struct arena *arena,
                         const char *const *paths, size_t count);
void container_plan_make_readonly(Eos__Executor__V1__TaskPlan *plan, struct arena *arena,
                                  const char *const *paths, size_t count);

/* The cgroup of the plan, made when there is none. */
Eos__Executor__V1__CgroupPlan *container_plan_cgroup(Eos__Executor__V1__TaskPlan *plan,
                                                     struct arena *arena);

/* A fresh /proc and what of it is hidden from the processes. */
void container_plan_add_proc(Eos__Executor__V1__TaskPlan *plan, struct arena *arena);

/* What a task asks for, and 0 when it does not say. */
double task_cpus(const Eos__Job__V1__TaskConfig *task);
int64_t task_ram_bytes(const Eos__Job__V1__TaskConfig *task);
