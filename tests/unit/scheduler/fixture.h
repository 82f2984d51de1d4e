#pragma once

#include "scheduler/commands.h"
#include "scheduler/lifecycle.h"
#include "scheduler/query.h"
#include "scheduler/records.h"
#include "scheduler/scheduling.h"
#include "scheduler/sync.h"

/* A small cluster without clock or disk, for the tests of the scheduler's core. */
struct fixture {
    struct state *state;
    struct arena *arena;
    int64_t now_ms;
    uint64_t sequence;
};

struct fixture fixture_make(void);
void fixture_done(struct fixture *f);

/* A job of `instances` tasks with 1 CPU, 128 MB of ram and 64 MB of disk each; everything in it may be
 * changed before it is created.  `key` is "role/environment/name". */
Eos__Scheduler__V1__CreateJobRequest *fixture_job(struct fixture *f, const char *key,
                                                  int32_t instances);
void fixture_add_port(struct fixture *f, Eos__Scheduler__V1__CreateJobRequest *request,
                      const char *name);
void fixture_add_value(struct fixture *f, Eos__Scheduler__V1__CreateJobRequest *request,
                       const char *name, const char *value);
void fixture_add_value_not(struct fixture *f, Eos__Scheduler__V1__CreateJobRequest *request,
                           const char *name, const char *value);
void fixture_add_limit(struct fixture *f, Eos__Scheduler__V1__CreateJobRequest *request,
                       const char *name, int32_t limit);

/* Creates it, which must succeed, and returns the job. */
struct job *fixture_create(struct fixture *f, Eos__Scheduler__V1__CreateJobRequest *request);
struct job *fixture_find(struct fixture *f, const char *key);

/* Kills all tasks of a job. */
bool fixture_kill(struct fixture *f, const char *key, struct error *err);

/* A poll of a host with 4 CPUs, 4096 MB of ram, 8192 MB of disk and ports 31000-31009; has_all_tasks is
 * set.  Everything may be changed before it is taken in. */
sync_request *fixture_poll(struct fixture *f, const char *id);
void fixture_add_attribute(struct fixture *f, sync_request *poll, const char *name,
                           const char *value);
void fixture_add_update(struct fixture *f, sync_request *poll, const char *task_id,
                        enum task_status status, const char *message);
void fixture_add_known(struct fixture *f, sync_request *poll, const char *task_id,
                       enum task_status status);

/* Takes it in, which must succeed, and gives the answer. */
sync_response *fixture_sync(struct fixture *f, sync_request *poll);

/* The host joins with an empty picture. */
struct host *fixture_host(struct fixture *f, const char *id);

/* Lets time pass: what becomes due happens. */
void fixture_pass(struct fixture *f, int64_t ms);

/* Places what can be placed. */
void fixture_place(struct fixture *f);

/* The newest task of an instance. */
struct task *fixture_task(struct fixture *f, const char *key, int32_t instance);

/* The host of the task reports `status`. */
void fixture_report(struct fixture *f, struct task *task, enum task_status status);

/* Tasks of the job in this status. */
size_t fixture_count(struct fixture *f, const char *key, enum task_status status);

/* Throws everything away but the records, as a crash does, and loads them. */
void fixture_restart(struct fixture *f);
