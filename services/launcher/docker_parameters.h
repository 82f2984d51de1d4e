#pragma once

#include "base/error.h"

#include "eos/job/v1/job.pb-c.h"

#include <jansson.h>

/* The parameters of a Docker container: those of `docker run`, put into the body of the request that
 * creates it.  Later ones win, lists grow.
 *
 * INVALID_ARGUMENT names the parameter: unknown, without meaning here (such as "detach" or "rm"), or
 * with a value that it cannot have. */

#define DOCKER_PARAMETERS_MAX 200u

bool docker_parameters_add(json_t *body, Eos__Job__V1__DockerParameter *const *parameters,
                           size_t count, struct error *err) MUST_CHECK;
