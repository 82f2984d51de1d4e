#pragma once

#include "launcher/docker_engine.h"
#include "launcher/docker_reply.h"

#include "base/text.h"

#define DOCKER_EXECUTOR_TARGET "/.eos-executor" /* where the executor is in a container */
#define DOCKER_NAME_PREFIX     "eos-"           /* of containers; the task id follows */

/* Adds the request that creates the container of a task: the executor as its entrypoint, the limits
 * of the task, the network of the host, and the job's parameters. */
bool docker_body_make(const struct docker_run *run, struct text *out, struct error *err) MUST_CHECK;
