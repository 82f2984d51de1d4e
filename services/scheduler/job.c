#include "scheduler/job.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>

struct job *job_new(Eos__Scheduler__V1__StoredJob *message, struct task_config *config)
{
    struct job *job = xcalloc(1, sizeof *job);
    job->entity.kind = ENTITY_JOB;
    job->message = message;
    job->config = config;
    return job;
}

void job_free(struct job *job)
{
    if (!job)
        return;
    message_free(job->message);
    free(job->tasks);
    free(job);
}

const Eos__Job__V1__JobKey *job_key(const struct job *job)
{
    return job->message->key;
}

int job_key_compare(const Eos__Job__V1__JobKey *a, const Eos__Job__V1__JobKey *b)
{
    int order = strcmp(a->role, b->role);
    if (order == 0)
        order = strcmp(a->environment, b->environment);
    return order ? order : strcmp(a->name, b->name);
}

size_t job_task_after(const struct job *job, int32_t instance, uint64_t serial)
{
    size_t low = 0, high = job->task_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct task *task = job->tasks[middle];
        bool is_behind =
            task->instance != instance ? task->instance > instance : task->serial < serial;
        if (is_behind)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

void job_add_task(struct job *job, struct task *task)
{
    size_t at = job_task_after(job, task->instance, task->serial);
    if (job->task_count == job->task_capacity) {
        job->task_capacity = job->task_capacity ? 2 * job->task_capacity : 8;
        job->tasks = xreallocarray(job->tasks, job->task_capacity, sizeof(struct task *));
    }
    memmove(&job->tasks[at + 1], &job->tasks[at], (job->task_count - at) * sizeof(struct task *));
    job->tasks[at] = task;
    job->task_count++;
}

void job_remove_task(struct job *job, struct task *task)
{
    size_t at = job_task_after(job, task->instance, task->serial);
    assert(at > 0 && job->tasks[at - 1] == task);
    memmove(&job->tasks[at - 1], &job->tasks[at], (job->task_count - at) * sizeof(struct task *));
    job->task_count--;
}
