#pragma once

#include "base/error.h"

#include <eos/executor/v1/executor.pb-c.h>
#include <stdint.h>
#include <sys/types.h>

/* The control group of a container: made in every hierarchy of version 1 that limits or counts
 * something, or in the one of version 2. */

#define CGROUP_MAX_HIERARCHIES 5u

struct cgroup_hierarchy {
    char *controllers; /* of version 1: "cpu" or "cpu,cpuacct"; of version 2: all that it has */
    char *root;        /* where it is mounted */
    char *path;        /* root and the plan's path */
};

struct cgroup {
    Eos__Executor__V1__CgroupPlan__Version version; /* NO_CGROUP: all functions do nothing */
    const Eos__Executor__V1__CgroupPlan *plan;      /* borrowed */
    struct cgroup_hierarchy hierarchies[CGROUP_MAX_HIERARCHIES];
    size_t count;
};

/* Finds the hierarchies; makes nothing.  `plan` may be NULL. */
bool cgroup_find(struct cgroup *cgroup, const Eos__Executor__V1__CgroupPlan *plan,
                 struct error *err) MUST_CHECK;
void cgroup_done(struct cgroup *cgroup); /* frees memory only */

/* Finds the groups that an engine has made around the container whose first process this is, for
 * looking at them only.  Elsewhere it finds nothing. */
void cgroup_find_around(struct cgroup *cgroup);

/* The limits that are set, 0 for none. */
int64_t cgroup_memory_limit(const struct cgroup *cgroup);
int64_t cgroup_pids_limit(const struct cgroup *cgroup);

/* Makes the groups and sets the limits.  One of the same path that a crash has left is replaced when
 * no process is in it. */
bool cgroup_make(const struct cgroup *cgroup, struct error *err) MUST_CHECK;

/* For clone3() with CLONE_INTO_CGROUP; -1 for version 1, which needs cgroup_join(). */
bool cgroup_open_directory(const struct cgroup *cgroup, int *ret_fd, struct error *err) MUST_CHECK;

/* Moves the calling process, which has one thread, into the groups of version 1. */
bool cgroup_join(const struct cgroup *cgroup, struct error *err) MUST_CHECK;

/* A descriptor that becomes readable when memory has run out; -1 when there is nothing to watch.
 * The caller closes it. */
int cgroup_watch_memory(const struct cgroup *cgroup);

int64_t cgroup_oom_kills(const struct cgroup *cgroup);
int64_t cgroup_pids_refused(const struct cgroup *cgroup);

/* Sends SIGKILL to all processes in it, except to this one. */
void cgroup_kill(const struct cgroup *cgroup);

/* False while processes are in it: kill and try again. */
bool cgroup_remove(const struct cgroup *cgroup);
