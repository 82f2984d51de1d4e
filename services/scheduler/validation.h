#pragma once

#include "base/arena.h"
#include "base/error.h"

#include "eos/job/v1/job.pb-c.h"

/* What a job must be before it is accepted.  INVALID_ARGUMENT names the field and what was expected;
 * values are quoted only after they were found to be harmless. */

#define IDENTIFIER_MAX_BYTES  255u
#define TASK_CONFIG_MAX_BYTES (2u << 20)
#define RESOURCE_MAX          1000000000000ll /* MB, ports or GPUs in one task */

/* Role, environment and name are identifiers: letters, digits, '_', '-', '.', up to 255 of them. */
bool validate_job_key(const Eos__Job__V1__JobKey *key, struct error *err) MUST_CHECK;

/* What a cluster allows. */
struct job_rules {
    int64_t max_tasks_per_job;
    bool allow_docker_parameters; /* they can give a container the whole host */
    bool allow_container_volumes; /* likewise */
};

/* Aurora's checks in its order.  FAILED_PRECONDITION for a cron job. */
bool validate_job(const Eos__Job__V1__JobConfiguration *job, const struct job_rules *rules,
                  struct error *err) MUST_CHECK;

/* Fills in what Aurora fills in: tier, production, container, task links. */
void fill_defaults(Eos__Job__V1__TaskConfig *task, struct arena *arena);
