#pragma once

#include "executor/mounts.h"

/* Puts the container's root together on its mount point, of overlayfs or, for one layer that is only
 * read, of a bind mount.  `*ret_fd` (O_PATH) is closed by the caller. */
bool root_mount(const Eos__Executor__V1__RootPlan *plan, int *ret_fd, struct error *err) MUST_CHECK;

/* Makes `root_fd` the root of this process and takes the old one away. */
bool root_enter(int root_fd, struct error *err) MUST_CHECK;

/* Puts the user into the image's passwd and group files. */
bool root_add_user(const struct tree *tree, const Eos__Executor__V1__UserPlan *user,
                   struct error *err) MUST_CHECK;
