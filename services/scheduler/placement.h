#pragma once

#include "scheduler/job.h"

/* Whether a task fits on a host, and why not. */

enum veto_kind {
    VETO_NONE,
    VETO_DEDICATED, /* the host is for others */
    VETO_DRAINING,
    VETO_CONSTRAINT, /* `name` of the constraint */
    VETO_LIMIT,      /* `name` */
    VETO_RESOURCES,  /* `lacks` says which */
};

enum resource_kind {
    RESOURCE_CPU,
    RESOURCE_RAM,
    RESOURCE_DISK,
    RESOURCE_GPU,
    RESOURCE_PORTS,
    RESOURCE_KIND_COUNT
};

struct veto {
    enum veto_kind kind;
    const char *name; /* borrowed from the configuration */
    unsigned lacks;   /* 1 << enum resource_kind */
};

int64_t resources_get(const struct resources *resources, enum resource_kind kind);

/* How the tasks of a job are spread over the values of the host attributes that `config` limits. */
struct spread;

struct spread *spread_new(const struct task_config *config, const struct job *job);
void spread_free(struct spread *spread); /* NULL is a no-op */
void spread_add(struct spread *spread, const struct task_config *config, const struct host *host);

/* The first failing step of: dedicated, draining, value constraints, limit constraints, resources.
 * True when there is none. */
bool placement_check(const struct task_config *config, const struct host *host,
                     const struct spread *spread, struct veto *ret_veto);

/* The same for the host without its tasks: against its total, and without the limits. */
bool placement_check_empty(const struct task_config *config, const struct host *host,
                           struct veto *ret_veto);
