#pragma once

#include "launcher/isolators.h"

/* The blocking part of a launch: the role's user, the sandbox, the plan.  Runs in a worker. */

enum container_kind {
    KIND_HOST,
    KIND_DOCKER_IMAGE,
    KIND_APPC_IMAGE,
    KIND_DOCKER_ENGINE,
    KIND_COUNT
};

/* "host", "docker image", "appc image", "docker engine" */
const char *container_kind_name(enum container_kind kind);
enum container_kind container_kind_of(const Eos__Job__V1__TaskConfig *task);

/* Where the processes of an image see their sandbox. */
#define LAUNCH_SANDBOX_TARGET "/mnt/mesos/sandbox"

#define LAUNCH_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct launch_settings {
    const char *state_directory; /* absolute, without links */
    const char *executor;        /* absolute path of eos-executor */
    struct isolators isolators;
    int kill_grace_ms;
    int lock; /* of the state directory: a descriptor that closes on exec */
};

/* Where things of a task are; all on the host.  `run` is what executor and launcher share: the task's
 * own directory or, when the processes of the task may write there, one in it. */
struct launch_paths {
    char *task, *run, *plan, *sandbox, *checkpoint, *log;
};

void launch_paths_init(struct launch_paths *paths, const char *state_directory, const char *task_id,
                       enum container_kind kind);
void launch_paths_done(struct launch_paths *paths);

struct launch {
    const struct launch_settings *settings;
    const struct launch_paths *paths;
    const Eos__Job__V1__AssignedTask *task;
    const char *cluster;
    enum container_kind kind;
    const struct image *image; /* NULL for KIND_HOST */
    bool is_user_foreign;      /* Docker: the image's user is not root */
};

/* Whether the command can be understood at all: INVALID_ARGUMENT names what is missing. */
bool launch_check(const Eos__Job__V1__AssignedTask *task, struct error *err) MUST_CHECK;

/* Makes directories and writes the plan.  The error is a sentence for the job's owner. */
bool launch_prepare(const struct launch *launch, struct error *err) MUST_CHECK;

/* Starts the executor in a session of its own, with no descriptors but the standard ones.  Until it has
 * been executed it holds the lock: a launcher that comes after a crash of this one waits for that, and
 * then finds it by its command line. */
bool launch_spawn(const struct launch_settings *settings, const struct launch_paths *paths,
                  pid_t *ret_pid, struct error *err) MUST_CHECK;
