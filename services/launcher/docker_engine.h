#pragma once

#include "base/error.h"

#include "eos/job/v1/job.pb-c.h"

#include <sys/types.h>
#include <uv.h>

/* The host's Docker engine, over its socket. */
struct docker_engine;
struct docker_call;

struct docker_engine_options {
    const char *socket;        /* "/var/run/docker.sock" */
    const char *docker_config; /* where credentials for registries stand; or NULL */
};

struct docker_engine *docker_engine_open(uv_loop_t *loop,
                                         const struct docker_engine_options *options,
                                         struct error *err) MUST_CHECK;

/* Fails what is in flight with CANCELLED.  NULL is a no-op. */
void docker_engine_close(struct docker_engine *engine);

/* It has answered before, but not when it was last asked: it may be restarting. */
bool docker_engine_is_away(const struct docker_engine *engine);

/* What an image says; valid until the callback returns. */
struct docker_image {
    const char *digest; /* of the manifest when it was pulled by digest or from a registry, or "" */
    const char *user;   /* "" or "root", "0", "1000:1000", "name" */
    const char *const *environment;
    size_t environment_count;
};

typedef void docker_image_fn(void *user, const struct docker_image *image, const struct error *err);

/* Pulls the image unless the engine has it.  All of these call back exactly once, later, unless the
 * call is cancelled; none of them fails at once. */
struct docker_call *docker_fetch(struct docker_engine *engine, const char *image,
                                 docker_image_fn *done, void *user);

struct docker_run {
    const char *task_id, *host_id;
    const Eos__Job__V1__TaskConfig *task;
    const char *executor;      /* host path of the static executor */
    const char *run_directory; /* mounted at the same path */
    const char *plan;          /* in it */
    const char *sandbox, *sandbox_target;
    const char *state_directory;
};

typedef void docker_run_fn(void *user, const char *container_id, pid_t pid,
                           const struct error *err);

/* Creates the container and starts it; one of the same task that a crash has left is taken over.  `pid`
 * is 0 when it has ended already. */
struct docker_call *docker_run(struct docker_engine *engine, const struct docker_run *run,
                               docker_run_fn *done, void *user);

/* Kills and removes the container of a task; one that is not there is fine. */
typedef void docker_done_fn(void *user, const struct error *err);
struct docker_call *docker_remove(struct docker_engine *engine, const char *task_id,
                                  docker_done_fn *done, void *user);

/* Why the container of a task has ended: err is a sentence. */
struct docker_call *docker_explain(struct docker_engine *engine, const char *task_id,
                                   docker_done_fn *done, void *user);

/* No further callback. */
void docker_cancel(struct docker_call *call);
