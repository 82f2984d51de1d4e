#pragma once

#include "scheduler/state.h"

#include "base/error.h"

#include "eos/scheduler/v1/scheduler.pb-c.h"

/* What may be asked of the state.  Answers are built in `arena` and borrow from the state, so they are
 * to be encoded before it changes. */

#define QUERY_MAX_JOBS        1000u
#define QUERY_MAX_TASKS       500u
#define QUERY_MAX_PENDING     1000u
#define QUERY_MAX_BYTES       (8u << 20) /* of one page; a page has at least one entry */
#define QUERY_MAX_TOKEN_BYTES 2048u

enum query_detail { QUERY_WITH_DATA, QUERY_WITHOUT_DATA };

Eos__Job__V1__AssignedTask *query_assigned_task(const struct task *task, enum query_detail detail,
                                                struct arena *arena);

/* INVALID_ARGUMENT for a page token that this program did not make. */
bool query_list_jobs(const struct state *state, const Eos__Scheduler__V1__ListJobsRequest *request,
                     struct arena *arena, Eos__Scheduler__V1__ListJobsResponse *response,
                     struct error *err) MUST_CHECK;
bool query_list_tasks(const struct state *state,
                      const Eos__Scheduler__V1__ListTasksRequest *request, struct arena *arena,
                      Eos__Scheduler__V1__ListTasksResponse *response,
                      struct error *err) MUST_CHECK;

void query_job(const struct job *job, struct arena *arena,
               Eos__Scheduler__V1__GetJobResponse *response);
void query_pending(const struct state *state,
                   const Eos__Scheduler__V1__PendingReasonsRequest *request, int64_t now_ms,
                   struct arena *arena, Eos__Scheduler__V1__PendingReasonsResponse *response);
void query_list_hosts(const struct state *state, struct arena *arena,
                      Eos__Scheduler__V1__ListHostsResponse *response);
