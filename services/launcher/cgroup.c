#include "launcher/cgroup.h"

#include "base/cleanup.h"
#include "base/slice.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define ROOT      "/sys/fs/cgroup"
#define PARENT    "eos"
#define FILE_MAX  16384
#define TRIES     50 /* of 10 ms: version 1 gives EBUSY for a moment after the last exit */
#define DEPTH_MAX 16 /* of groups that a task has made in its own */

Eos__Executor__V1__CgroupPlan__Version cgroup_version(void)
{
    struct statfs fs;
    if (statfs(ROOT, &fs) < 0)
        return EOS__EXECUTOR__V1__CGROUP_PLAN__VERSION__NO_CGROUP;
    if (fs.f_type == CGROUP2_SUPER_MAGIC)
        return EOS__EXECUTOR__V1__CGROUP_PLAN__VERSION__V2;
    if (access(ROOT "/memory/cgroup.procs", F_OK) == 0 ||
        access(ROOT "/cpu/cgroup.procs", F_OK) == 0)
        return EOS__EXECUTOR__V1__CGROUP_PLAN__VERSION__V1;
    return EOS__EXECUTOR__V1__CGROUP_PLAN__VERSION__NO_CGROUP;
}

static ssize_t read_file(int dir, const char *path, char *buffer, size_t size)
{
    cleanup_close int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -1 : read(fd, buffer, size);
}

static bool find_number(struct slice text, const char *key, int64_t *ret_value)
{
    while (text.ptr) {
        struct slice value = slice_split(&text, '\n');
        struct slice name = key ? slice_split(&value, ' ') : (struct slice){ 0 };
        if ((!key || slice_is(name, key)) && value.ptr &&
            slice_to_i64(slice_trim(value), ret_value))
            return true;
        if (!key)
            return false;
    }
    return false;
}

bool cgroup_read(const char *controller, const char *task_id, const char *file, const char *key,
                 int64_t *ret_value)
{
    char path[PATH_MAX], buffer[FILE_MAX];
    if (cgroup_version() == EOS__EXECUTOR__V1__CGROUP_PLAN__VERSION__V1)
        snprintf(path, sizeof path, ROOT "/%s/" PARENT "/%s/%s", controller, task_id, file);
    else
        snprintf(path, sizeof path, ROOT "/" PARENT "/%s/%s", task_id, file);
    ssize_t len = read_file(AT_FDCWD, path, buffer, sizeof buffer);
    return len > 0 && find_number((struct slice){ buffer, (size_t)len }, key, ret_value);
}

/* -- removing ------------------------------------------------------------------------------------- */

static void kill_all(int dir)
{
    char buffer[FILE_MAX];
    int fd = openat(dir, "cgroup.kill", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t written = write(fd, "1", 1);
        (void)written; /* the groups that stay are seen by rmdir */
        close(fd);
        return;
    }
    ssize_t len = read_file(dir, "cgroup.procs", buffer, sizeof buffer);
    struct slice pids = { buffer, len > 0 ? (size_t)len : 0 };
    while (pids.ptr && pids.len > 0) {
        uint64_t pid;
        if (slice_to_u64(slice_split(&pids, '\n'), INT32_MAX, &pid) && pid > 1)
            kill((pid_t)pid, SIGKILL);
    }
}

/* Removes the groups below `dir`, deepest first.  False while some cannot be removed. */
static bool remove_children(int dir, int depth)
{
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    bool ok = stream != NULL;
    struct dirent *entry;

    while (stream && (entry = readdir(stream))) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        cleanup_close int child = openat(dir, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (child < 0 || depth == 0)
            continue;
        kill_all(child);
        ok = remove_children(child, depth - 1) && ok;
        ok = (unlinkat(dir, entry->d_name, AT_REMOVEDIR) == 0 || errno == ENOENT) && ok;
    }
    if (stream)
        closedir(stream);
    else if (copy >= 0)
        close(copy);
    return ok;
}

static bool remove_group(const char *path, struct error *err)
{
    for (int i = 0; i < TRIES; i++) {
        cleanup_close int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
            return errno == ENOENT ||
                   error_set_errno(err, errno, "could not open the control group of a task");
        kill_all(dir);
        if (remove_children(dir, DEPTH_MAX) && (rmdir(path) == 0 || errno == ENOENT))
            return true;
        usleep(10000);
    }
    return error_set(err, ERROR_UNAVAILABLE, "a process of the task cannot be killed");
}

bool cgroup_remove(const char *task_id, struct error *err)
{
    char path[PATH_MAX];
    if (cgroup_version() == EOS__EXECUTOR__V1__CGROUP_PLAN__VERSION__V2) {
        snprintf(path, sizeof path, ROOT "/" PARENT "/%s", task_id);
        return remove_group(path, err);
    }
    DIR *stream = opendir(ROOT);
    bool ok = true;
    struct dirent *entry;
    while (stream && (entry = readdir(stream))) {
        if (entry->d_name[0] == '.' || entry->d_type != DT_DIR)
            continue;
        snprintf(path, sizeof path, ROOT "/%s/" PARENT "/%s", entry->d_name, task_id);
        ok = remove_group(path, err) && ok;
    }
    if (stream)
        closedir(stream);
    return ok;
}
