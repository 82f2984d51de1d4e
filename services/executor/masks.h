#pragma once

#include "executor/mounts.h"

/* What a container may not see or not write, and the devices that it has. */

/* Hides each path: a file under /dev/null, a directory under an empty file system. */
bool masks_hide(const struct tree *tree, char **paths, size_t count, struct error *err) MUST_CHECK;
bool masks_make_readonly(const struct tree *tree, char **paths, size_t count,
                         struct error *err) MUST_CHECK;

/* Makes nodes like the host's where they are missing, and the usual links below /dev. */
bool devices_make(const struct tree *tree, Eos__Executor__V1__DevicePlan **devices, size_t count,
                  struct error *err) MUST_CHECK;
