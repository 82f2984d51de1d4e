#pragma once

#include "base/arena.h"
#include "base/text.h"

#include "eos/job/v1/job.pb-c.h"
#include "eos/scheduler/v1/scheduler.pb-c.h"

/* Jobs and tasks in words. */

/* "service", "cron" or "adhoc" */
const char *job_kind_text(const Eos__Job__V1__JobConfiguration *job);

/* "CPU: 0.1 core(s), RAM: 16 MB, Disk: 16 MB, Port: http" */
const char *job_resources_text(const Eos__Job__V1__TaskConfig *task, struct arena *arena);

/* "host", "docker image eos/hello:1.0", "appc image example.org/hello", "docker engine eos/hello:1.0" */
const char *job_container_text(const Eos__Job__V1__TaskConfig *task, struct arena *arena);

struct job_status {
    Eos__Job__V1__ScheduledTask **tasks; /* sorted by instance, newest first */
    size_t task_count;
    Eos__Scheduler__V1__PendingReason **reasons;
    size_t reason_count;
    bool has_images; /* those are shown too */
    Eos__Job__V1__ImageBinding **bindings;
    size_t binding_count;
};

/* The blocks that `job status` prints for one job. */
void job_status_add(struct text *out, const struct job_status *status, struct arena *arena,
                    bool is_coloured);

/* {"job": …, "active": […], "inactive": […], "pending": […]}, and "images": […] if there are some to be
 * shown; pretty-printed by the caller */
void job_status_add_json(struct text *out, const char *key, const struct job_status *status);
