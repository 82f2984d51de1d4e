#pragma once

#include "scheduler/task.h"

/* A job: what was asked for, and its tasks, living and dead.  It exists as long as it has tasks. */
struct job {
    struct entity entity;
    Eos__Scheduler__V1__StoredJob *message;
    struct task_config *config; /* of the last creation; its tasks may have others */
    struct task **tasks;        /* by instance, then newest first */
    size_t task_count, task_capacity;
    size_t active_count, terminal_count;
};

/* Takes over `message`. */
struct job *job_new(Eos__Scheduler__V1__StoredJob *message, struct task_config *config);
void job_free(struct job *job); /* its tasks are not touched */

const Eos__Job__V1__JobKey *job_key(const struct job *job);

/* By role, environment, name. */
int job_key_compare(const Eos__Job__V1__JobKey *a, const Eos__Job__V1__JobKey *b);

/* "role/environment/name" for messages; its parts are identifiers. */
#define JOB_KEY_FORMAT   "%s/%s/%s"
#define JOB_KEY_ARG(key) (key)->role, (key)->environment, (key)->name

void job_add_task(struct job *job, struct task *task);
void job_remove_task(struct job *job, struct task *task);

/* The index of the first task behind (instance, serial) in the job's order. */
size_t job_task_after(const struct job *job, int32_t instance, uint64_t serial);
