#pragma once

#include "scheduler/state.h"

#include "base/error.h"

#include "eos/scheduler/v1/scheduler.pb-c.h"

/* What users may have done.  A command that fails has changed nothing. */

#define COMMAND_MAX_MESSAGE_BYTES 1024u
#define COMMAND_MAX_INSTANCES     10000u
#define COMMAND_MAX_BINDINGS      1000u

/* INVALID_ARGUMENT, FAILED_PRECONDITION (cron), or ALREADY_EXISTS when the job has active tasks. */
bool command_create_job(struct state *state, const Eos__Scheduler__V1__CreateJobRequest *request,
                        int64_t now_ms, struct arena *arena,
                        Eos__Scheduler__V1__CreateJobResponse *response,
                        struct error *err) MUST_CHECK;

/* NOT_FOUND when no active task is meant.  Tasks that are being killed already are left alone. */
bool command_kill_tasks(struct state *state, const Eos__Scheduler__V1__KillTasksRequest *request,
                        int64_t now_ms, struct arena *arena,
                        Eos__Scheduler__V1__KillTasksResponse *response,
                        struct error *err) MUST_CHECK;

/* INVALID_ARGUMENT or NOT_FOUND. */
bool command_find_job(const struct state *state, const Eos__Job__V1__JobKey *key,
                      struct job **ret_job, struct error *err) MUST_CHECK;
