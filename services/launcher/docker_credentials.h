#pragma once

#include "base/arena.h"
#include "base/error.h"

/* What the Docker engine is told so that it may pull from registries that ask who is there. */
struct docker_credentials;

/* `path` is a config.json or a directory with one; NULL: there are none.  Blocks. */
struct docker_credentials *docker_credentials_open(const char *path, struct error *err) MUST_CHECK;
void docker_credentials_close(struct docker_credentials *credentials);

/* A header with its "\r\n", or "" when nothing is known for that registry. */
const char *docker_credentials_header(const struct docker_credentials *credentials,
                                      const char *registry, struct arena *arena);
