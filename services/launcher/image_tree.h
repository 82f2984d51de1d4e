#pragma once

#include "base/error.h"
#include "launcher/image_path.h"

#include <sys/stat.h>

/* Working in a directory tree whose contents a stranger chose.  Symbolic links in it are followed as
 * a process inside would follow them: never to a place outside of the root. */

/* Opens `path` ("" is the root) as if `root_fd` were "/", with O_CLOEXEC.  Returns -1 with errno. */
int image_tree_open(int root_fd, const char *path, int flags);

/* Opens the directory that holds the last component, making what is missing (0755, root). */
bool image_tree_open_parent(int root_fd, const struct image_path *path, int *ret_fd,
                            struct error *err) MUST_CHECK;

/* Makes the directory `fd` empty, however deep what is in it. */
bool image_tree_sweep(int fd, struct error *err) MUST_CHECK;

/* Removes `name` of directory `fd`, by way of the directory `trash_fd` when it is a tree. */
bool image_tree_remove(int fd, const char *name, int trash_fd, struct error *err) MUST_CHECK;

/* Whether it is overlayfs's mark that a name of the layers below is hidden. */
bool image_tree_is_whiteout(const struct stat *st);

/* Removes the whiteouts of the directory `fd`, not of those below it. */
bool image_tree_remove_whiteouts(int fd, struct error *err) MUST_CHECK;
