#pragma once

#include "launcher/account.h"
#include "launcher/image_store.h"

#include "base/arena.h"
#include "base/error.h"

#include "eos/executor/v1/executor.pb-c.h"
#include "eos/job/v1/job.pb-c.h"

#include <sys/types.h>

/* One aspect of what keeps a native container apart from the rest of the host.
 *
 * Hooks may block and run in worker threads, of several tasks at once, so they keep no state of their
 * own beyond what stands on disk or in the kernel.  Every hook may be NULL. */

struct container {
    const char *task_id;
    const Eos__Job__V1__AssignedTask *task;
    const struct account *account;
    const struct image *image; /* NULL: the host's filesystem */
    bool is_appc;
    const char *directory;       /* the task's own on the host; owned by root, mode 0700 */
    const char *state_directory; /* the launcher's */
    const char *sandbox;         /* on the host */
    const char *sandbox_target;  /* as the processes see it */
    struct arena *arena;
};

struct isolator_usage {
    double cpu_seconds;
    int64_t memory_bytes;
    int64_t processes;
};

struct isolator {
    const char *name;

    /* Puts its part into the plan, which has a container.  Failing fails the task with the sentence. */
    bool (*prepare)(const struct container *container, Eos__Executor__V1__TaskPlan *plan,
                    struct error *err);

    /* The executor has been started with that plan.  May not block. */
    bool (*isolate)(const char *task_id, pid_t pid, struct error *err);

    /* A launcher that has just started has found the task running.  May not block. */
    bool (*recover)(const char *task_id, pid_t pid, struct error *err);

    /* Asked when a task has failed: false, with a sentence, when it went over a limit. */
    bool (*watch)(const char *task_id, struct error *err);

    /* The resources of a running task have changed.  Nothing changes them yet: the scheduler gives a
     * task with other resources a new id. */
    bool (*update)(const char *task_id, const Eos__Job__V1__TaskConfig *task, struct error *err);

    /* Adds to what the task uses. */
    void (*usage)(const char *task_id, struct isolator_usage *usage);

    /* Removes what `prepare` and the executor have made.  All processes of the task are to die.  Called
     * again until it succeeds; a task that it does not know is fine. */
    bool (*cleanup)(const char *task_id, const char *directory, struct error *err);
};
