#pragma once

#include "base/error.h"

#include <eos/executor/v1/executor.pb-c.h>
#include <sys/types.h>

/* Mounts, by descriptor only: a path of the container is opened beneath its root once, and what is
 * mounted is mounted on that descriptor.  So no link that an image or a task has made leads out. */

struct cgroup;

/* The tree that targets are opened in. */
struct tree {
    int fd;               /* O_PATH, of its root */
    const char *writable; /* paths below this are made when they are missing; "" for all */
};

enum target_kind { TARGET_DIRECTORY, TARGET_FILE };

/* Opens `path` beneath the tree, and makes it when it is missing.  The caller closes `*ret_fd`. */
bool tree_open(const struct tree *tree, const char *path, enum target_kind kind, int *ret_fd,
               struct error *err) MUST_CHECK;

/* As tree_open() for what may be missing: `*ret_fd` is then -1. */
bool tree_open_existing(const struct tree *tree, const char *path, int *ret_fd,
                        struct error *err) MUST_CHECK;

/* A new file system that is mounted nowhere yet.  `data` are its options, "a=b,c"; `attributes` are
 * MOUNT_ATTR_*. */
bool filesystem_make(const char *type, const char *source, const char *data, uint64_t attributes,
                     int *ret_fd, struct error *err) MUST_CHECK;

/* A copy of the mount tree at `path` beneath `dir_fd` that is mounted nowhere yet; AT_EMPTY_PATH for
 * `dir_fd` itself. */
bool mount_copy(int dir_fd, const char *path, int *ret_fd, struct error *err) MUST_CHECK;

/* Adds MOUNT_ATTR_* to a whole mount tree. */
bool mount_restrict(int mount_fd, uint64_t attributes, struct error *err) MUST_CHECK;

bool mount_attach(int mount_fd, int target_fd, struct error *err) MUST_CHECK;

/* Does one row of the plan. */
bool mount_perform(const struct tree *tree, const Eos__Executor__V1__MountPlan *plan,
                   const struct cgroup *cgroup, struct error *err) MUST_CHECK;
