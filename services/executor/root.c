#include "executor/root.h"

#include "executor/files.h"
#include "executor/identity.h"
#include "executor/plan.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define MAX_PASSWD_BYTES (4u << 20)

/* ---- overlayfs ------------------------------------------------------------------------------ */

/* Descriptors of layers, named by their numbers in the working directory /proc/self/fd: such a name is
 * short and holds neither ':' nor ',', whatever the path is.  All options together have one page. */
struct layers {
    int fds[PLAN_MAX_LAYERS + 2];
    size_t count;
    int working_directory; /* to go back to */
};

static bool layers_begin(struct layers *layers, struct error *err)
{
    layers->working_directory = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return (layers->working_directory >= 0 && chdir("/proc/self/fd") == 0) ||
           error_set_errno(err, errno, "could not change to /proc/self/fd");
}

static void layers_close(struct layers *layers)
{
    for (size_t i = 0; i < layers->count; i++)
        close(layers->fds[i]);
    if (layers->working_directory < 0)
        return;
    (void)!fchdir(layers->working_directory);
    close(layers->working_directory);
}

static bool add_directory(struct layers *layers, const char *option, char separator,
                          const char *path, struct text *options, struct error *err)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, errno, "could not open layer \"%s\"", path);
    layers->fds[layers->count++] = fd;
    text_printf(options, "%s%c%d", option, separator, fd);
    return true;
}

/* The root of an overlay looks like its upper directory, which is a new one, and not like the image. */
static bool copy_root_mode(const Eos__Executor__V1__RootPlan *plan, struct error *err)
{
    struct stat top;
    if (stat(plan->layers[plan->n_layers - 1], &top) < 0)
        return error_set_errno(err, errno, "could not read the mode of layer \"%s\"",
                               plan->layers[plan->n_layers - 1]);
    if (chown(plan->upper, top.st_uid, top.st_gid) < 0 ||
        chmod(plan->upper, top.st_mode & 07777) < 0)
        return error_set_errno(err, errno, "could not set the owner and mode of \"%s\"",
                               plan->upper);
    return true;
}

/* Nothing of the upper directory has to outlive a crash of the host, so overlayfs need not sync it
 * when the container ends ("volatile").  It marks the work directory, so that nobody relies on what
 * is in the upper one; a plan that is run again by hand does not. */
static void forget_volatile(const char *work)
{
    static const char *const marks[] = { "work/incompat/volatile/dirty", "work/incompat/volatile",
                                         "work/incompat" };
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        cleanup_free char *mark = xasprintf("%s/%s", work, marks[i]);
        (void)remove(mark);
    }
}

static bool mount_overlay(const Eos__Executor__V1__RootPlan *plan, struct error *err)
{
    CLEANUP(layers_close) struct layers layers = { 0 };
    cleanup_text struct text options = TEXT_INIT;
    if (!layers_begin(&layers, err))
        return false;
    for (size_t i = plan->n_layers; i > 0; i--)
        if (!add_directory(&layers, i == plan->n_layers ? "lowerdir" : "",
                           i == plan->n_layers ? '=' : ':', plan->layers[i - 1], &options, err))
            return false;
    if (plan->upper[0] && (!copy_root_mode(plan, err) ||
                           !add_directory(&layers, ",upperdir", '=', plan->upper, &options, err) ||
                           !add_directory(&layers, ",workdir", '=', plan->work, &options, err)))
        return false;
    if (plan->upper[0]) {
        forget_volatile(plan->work);
        text_add(&options, ",volatile");
    }
    if (mount("overlay", plan->mount_point, "overlay", MS_NODEV, text_string(&options)) < 0)
        return error_set_errno(err, errno, "could not mount overlayfs on \"%s\"",
                               plan->mount_point);
    return true;
}

static bool bind_layer(const Eos__Executor__V1__RootPlan *plan, struct error *err)
{
    cleanup_close int mount_fd = -1;
    cleanup_close int target = open(plan->mount_point, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (target < 0)
        return error_set_errno(err, errno, "could not open \"%s\"", plan->mount_point);
    return mount_copy(AT_FDCWD, plan->layers[0], &mount_fd, err) &&
           mount_restrict(mount_fd, MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY, err) &&
           mount_attach(mount_fd, target, err);
}

bool root_mount(const Eos__Executor__V1__RootPlan *plan, int *ret_fd, struct error *err)
{
    if (!make_directories(plan->mount_point, 0700, err))
        return false;
    /* overlayfs wants two directories. */
    bool is_bound = plan->n_layers == 1 && !plan->upper[0];
    if (!(is_bound ? bind_layer(plan, err) : mount_overlay(plan, err)))
        return error_prefix(err, "could not mount the root");
    int fd = open(plan->mount_point, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, errno, "could not open \"%s\"", plan->mount_point);
    *ret_fd = fd;
    return true;
}

/* With "." twice the old root lies on top of the new one, and can be taken off without a directory
 * in the image. */
bool root_enter(int root_fd, struct error *err)
{
    if (fchdir(root_fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
        return error_set_errno(err, errno, "could not change the root");
    if (umount2(".", MNT_DETACH) < 0)
        return error_set_errno(err, errno, "could not unmount the old root");
    if (chdir("/") < 0)
        return error_set_errno(err, errno, "could not change to the new root");
    return true;
}

/* ---- the user ------------------------------------------------------------------------------- */

static bool read_beneath(const struct tree *tree, const char *path, int *ret_fd,
                         struct text *contents, struct error *err)
{
    struct stat status;
    if (!tree_open(tree, path, TARGET_FILE, ret_fd, err))
        return false;
    if (fstat(*ret_fd, &status) < 0 || !S_ISREG(status.st_mode))
        return error_set(err, ERROR_FAILED_PRECONDITION, "\"%s\" of the image is no regular file",
                         path);
    cleanup_free char *name = xasprintf("/proc/self/fd/%d", *ret_fd);
    if (!file_read(AT_FDCWD, name, MAX_PASSWD_BYTES, contents, err))
        return error_prefix(err, "could not read \"%s\" of the image", path);
    return true;
}

static bool append(int fd, const char *path, const struct text *lines, struct error *err)
{
    if (lines->len == 0)
        return true;
    cleanup_free char *name = xasprintf("/proc/self/fd/%d", fd);
    cleanup_close int file = open(name, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (file < 0 || !write_all(file, lines->ptr, lines->len))
        return error_set_errno(err, errno, "could not add the user to \"%s\" of the image", path);
    return true;
}

static bool add_to_passwd(const struct tree *tree, const Eos__Executor__V1__UserPlan *user,
                          struct error *err)
{
    cleanup_close int fd = -1;
    cleanup_text struct text contents = TEXT_INIT;
    cleanup_text struct text lines = TEXT_INIT;
    return read_beneath(tree, "/etc/passwd", &fd, &contents, err) &&
           identity_passwd(text_slice(&contents), user, &lines, err) &&
           append(fd, "/etc/passwd", &lines, err);
}

static bool add_to_group(const struct tree *tree, const Eos__Executor__V1__UserPlan *user,
                         struct error *err)
{
    cleanup_close int fd = -1;
    cleanup_text struct text contents = TEXT_INIT;
    cleanup_text struct text lines = TEXT_INIT;
    if (!read_beneath(tree, "/etc/group", &fd, &contents, err))
        return false;
    identity_group(text_slice(&contents), user, &lines);
    return append(fd, "/etc/group", &lines, err);
}

bool root_add_user(const struct tree *tree, const Eos__Executor__V1__UserPlan *user,
                   struct error *err)
{
    return add_to_passwd(tree, user, err) && add_to_group(tree, user, err);
}
