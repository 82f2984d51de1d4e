#pragma once

#include "client/gateway.h"
#include "client/job_key.h"

#include "eos/scheduler/v1/scheduler.pb-c.h"

/* What the gateway lists, all pages of it; in the arena. */
#define FETCH_MAX_PAGES 2000

struct task_query {
    const struct job_key *key;
    struct instance_list instances; /* none: all */
    bool only_active;
    bool with_configs; /* the executor's text as well */
};

bool fetch_tasks(struct gateway *gateway, const struct task_query *query, struct arena *arena,
                 Eos__Job__V1__ScheduledTask ***ret_tasks, size_t *ret_count,
                 struct error *err) MUST_CHECK;

/* Parts of the pattern without wildcard narrow what is asked for; the rest is matched here. */
bool fetch_jobs(struct gateway *gateway, const struct job_key *pattern, struct arena *arena,
                Eos__Scheduler__V1__JobSummary ***ret_jobs, size_t *ret_count,
                struct error *err) MUST_CHECK;

bool fetch_pending(struct gateway *gateway, const struct job_key *key, struct arena *arena,
                   Eos__Scheduler__V1__PendingReasonsResponse **ret_reasons,
                   struct error *err) MUST_CHECK;

bool fetch_job(struct gateway *gateway, const struct job_key *key, struct arena *arena,
               Eos__Scheduler__V1__GetJobResponse **ret_job, struct error *err) MUST_CHECK;

/* Adds "/v1/jobs/role/env/name". */
void fetch_add_job_path(struct text *path, const struct job_key *key);
