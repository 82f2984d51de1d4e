#pragma once

#include "scheduler/entity.h"
#include "scheduler/message.h"

#include "eos/job/v1/job.pb-c.h"

/* What one task needs, or what a host has; fractions of a CPU are counted in millionths, so that sums
 * neither drift nor depend on their order. */
struct resources {
    int64_t cpu_micros, ram_mb, disk_mb, gpus, ports;
};

void resources_add(struct resources *sum, const struct resources *more);
void resources_subtract(struct resources *sum, const struct resources *less);

/* Rounds to the nearest millionth; `cpus` must be within 0 and 1e9. */
int64_t cpu_micros_of(double cpus);

/* One task configuration, shared by all tasks that have it.  Configurations are told apart by their
 * content in normal form.  A group of pending tasks is the pending tasks of one configuration. */
struct task_config {
    struct entity entity;
    uint64_t id;
    size_t uses; /* jobs and tasks */
    Eos__Job__V1__TaskConfig *message;
    struct resources demand;
    const char **port_names; /* demand.ports of them, borrowed from `message` */

    struct task *pending_first, *pending_last; /* oldest first */
    size_t pending_count;
    struct task_config *previous_group, *next_group; /* while there are pending tasks */
    uint64_t tried_at; /* the value of state.capacity_epoch when no host fitted */
};

/* Takes over `message`, which is in normal form and valid. */
struct task_config *task_config_new(uint64_t id, Eos__Job__V1__TaskConfig *message);
void task_config_free(struct task_config *config);

/* The normal form: what is a set is sorted and has no member twice.  Two configurations that mean the
 * same are then the same bytes. */
void task_config_normalize(Eos__Job__V1__TaskConfig *message, struct arena *arena);

/* Sum per kind of resource. */
struct resources task_config_demand(const Eos__Job__V1__TaskConfig *message);
