#include "launcher/container_plan.h"
#include "launcher/isolators.h"

#include "base/cleanup.h"
#include "base/slice.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#define VOLUMES_MAX 100u

typedef Eos__Job__V1__Volume volume_message;

/* Without empty, "." and ".." parts. */
static bool is_plain_path(const char *path)
{
    struct slice rest = slice_of(path);
    if (path[0] != '/' || !path[1] || rest.len >= PATH_MAX)
        return false;
    slice_split(&rest, '/');
    while (rest.ptr) {
        struct slice part = slice_split(&rest, '/');
        if (part.len == 0 || slice_is(part, ".") || slice_is(part, ".."))
            return false;
    }
    return true;
}

static bool is_below(const char *path, const char *directory)
{
    size_t len = strlen(directory);
    return strncmp(path, directory, len) == 0 && (path[len] == '/' || !path[len]);
}

/* A relative path is one in the sandbox. */
static bool find_target(const struct container *container, const volume_message *volume,
                        const char **ret_target, struct error *err)
{
    const char *path = volume->container_path;
    if (path[0] && path[0] != '/')
        path = arena_printf(container->arena, "%s/%s", container->sandbox_target, path);
    if (!is_plain_path(path))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "a volume's container path must be a path without empty parts, \".\" and "
                         "\"..\"");
    *ret_target = path;
    return true;
}

static bool find_source(const struct container *container, const volume_message *volume,
                        char **ret_source, unsigned *flags, struct error *err)
{
    struct stat status;
    if (!is_plain_path(volume->host_path))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "a volume's host path must be absolute, without empty parts, \".\" and "
                         "\"..\"");
    cleanup_free char *source = realpath(volume->host_path, NULL);
    if (!source || stat(source, &status) < 0)
        return error_set_errno(err, errno, "could not mount the volume \"%s\" of the host",
                               volume->host_path);
    if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "the volume \"%s\" is neither a directory nor a regular file of the host",
                         volume->host_path);
    if (is_below(source, container->state_directory) ||
        is_below(container->state_directory, source))
        return error_set(err, ERROR_PERMISSION_DENIED,
                         "the volume \"%s\" would show the state of the host's launcher",
                         volume->host_path);
    if (S_ISREG(status.st_mode))
        *flags |= MOUNT_IS_FILE;
    *ret_source = arena_strdup(container->arena, source);
    return true;
}

static bool add_volume(const struct container *container, const volume_message *volume,
                       Eos__Executor__V1__TaskPlan *plan, struct error *err)
{
    struct container_mount mount = { .type = "bind", .flags = MOUNT_NOSUID | MOUNT_NODEV };
    char *source = NULL;

    if (!find_target(container, volume, &mount.target, err) ||
        !find_source(container, volume, &source, &mount.flags, err))
        return false;
    mount.source = source;
    if (volume->mode != EOS__JOB__V1__VOLUME_MODE__RW)
        mount.flags |= MOUNT_READONLY;
    container_plan_add_mount(plan, container->arena, &mount);
    return true;
}

static bool prepare(const struct container *container, Eos__Executor__V1__TaskPlan *plan,
                    struct error *err)
{
    const Eos__Job__V1__Container *wanted = container->task->task->container;
    if (!wanted || wanted->container_case != EOS__JOB__V1__CONTAINER__CONTAINER_MESOS)
        return true;
    if (wanted->mesos->n_volumes > VOLUMES_MAX)
        return error_set(err, ERROR_INVALID_ARGUMENT, "a task may have at most %u volumes",
                         VOLUMES_MAX);
    for (size_t i = 0; i < wanted->mesos->n_volumes; i++)
        if (!add_volume(container, wanted->mesos->volumes[i], plan, err))
            return false;
    return true;
}

const struct isolator isolator_volume_host_path = { .name = "volume/host_path",
                                                    .prepare = prepare };
