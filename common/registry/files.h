#pragma once

#include "registry/credentials.h"

/* Reads the files that are named: a config.json or a directory with one, and a .netrc.  NULL: none.
 * A file that is named must be there; messages name it. */
bool credentials_read(struct credentials *credentials, const char *docker_config, const char *netrc,
                      struct error *err) MUST_CHECK;
