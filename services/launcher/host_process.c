#include "launcher/host_process.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#define STAT_MAX      4096
#define ARGUMENTS_MAX (3 * PATH_MAX)
#define START_FIELD   20 /* of what stands behind the name in /proc/PID/stat */

static ssize_t read_file(const char *path, char *buffer, size_t size)
{
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -1 : read(fd, buffer, size);
}

/* The name of a process may hold anything, so what follows is looked for from the end. */
uint64_t host_process_start(pid_t pid)
{
    char path[64], buffer[STAT_MAX];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    ssize_t len = read_file(path, buffer, sizeof buffer);
    const char *name_end = len > 0 ? memrchr(buffer, ')', (size_t)len) : NULL;
    if (!name_end || name_end + 2 >= buffer + len)
        return 0;

    struct slice rest = { name_end + 2, (size_t)(buffer + len - (name_end + 2)) }, field = rest;
    uint64_t start;
    if (rest.ptr[0] == 'Z' || rest.ptr[0] == 'X')
        return 0;
    for (int i = 0; i < START_FIELD && rest.ptr; i++)
        field = slice_split(&rest, ' ');
    return slice_to_u64(field, UINT64_MAX, &start) ? start : 0;
}

void host_boot_id(char ret_id[BOOT_ID_BYTES])
{
    ssize_t len = read_file("/proc/sys/kernel/random/boot_id", ret_id, BOOT_ID_BYTES - 1);
    ret_id[len == BOOT_ID_BYTES - 1 ? len : 0] = 0;
}

/* -- finding -------------------------------------------------------------------------------------- */

static struct slice plan_argument(struct slice arguments)
{
    while (arguments.ptr)
        if (slice_is(slice_split(&arguments, 0), "--plan") && arguments.ptr)
            return slice_split(&arguments, 0);
    return (struct slice){ 0 };
}

static void note(struct map *found, struct slice plan, pid_t pid)
{
    struct host_process *process = xcalloc(1, sizeof *process), *other;
    process->pid = pid;
    process->start_ticks = host_process_start(pid);
    other = process->start_ticks > 0 ? map_put(found, plan, process) : process;
    if (other && other != process &&
        (other->start_ticks < process->start_ticks ||
         (other->start_ticks == process->start_ticks && other->pid < process->pid)))
        other = map_put(found, plan, other);
    free(other);
}

/* In all four ways, and by what the kernel says of the process itself: its files in /proc belong to root
 * when it hides from others, whoever it is. */
static bool is_of_this_user(pid_t pid)
{
    char path[64], buffer[STAT_MAX];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    ssize_t len = read_file(path, buffer, sizeof buffer);
    struct slice rest = { buffer, len > 0 ? (size_t)len : 0 }, line = { 0 };
    while (rest.ptr && !slice_starts_with(line, SLICE("Uid:\t")))
        line = slice_split(&rest, '\n');
    size_t count = 0;
    for (slice_split(&line, '\t'); line.ptr; count++) {
        uint64_t uid;
        if (!slice_to_u64(slice_split(&line, '\t'), UINT32_MAX, &uid) || uid != geteuid())
            return false;
    }
    return count == 4;
}

/* Not in a container: it counts processes as this one does, and has the same root. */
static bool is_on_this_host(pid_t pid)
{
    char path[64], its[64], own[64];
    struct stat its_root, own_root;
    snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)pid);
    ssize_t its_len = readlink(path, its, sizeof its);
    ssize_t own_len = readlink("/proc/self/ns/pid", own, sizeof own);
    if (its_len <= 0 || its_len != own_len || memcmp(its, own, (size_t)own_len) != 0)
        return false;
    snprintf(path, sizeof path, "/proc/%d/root", (int)pid);
    return stat(path, &its_root) == 0 && stat("/", &own_root) == 0 &&
           its_root.st_dev == own_root.st_dev && its_root.st_ino == own_root.st_ino;
}

static void look_at(struct map *found, const char *directory, pid_t pid)
{
    char path[64], buffer[ARGUMENTS_MAX];
    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    ssize_t len = read_file(path, buffer, sizeof buffer);
    if (len <= 0)
        return;
    struct slice plan = plan_argument((struct slice){ buffer, (size_t)len });
    size_t prefix = strlen(directory);
    if (plan.len > prefix && memcmp(plan.ptr, directory, prefix) == 0 && plan.ptr[prefix] == '/' &&
        is_of_this_user(pid) && is_on_this_host(pid))
        note(found, plan, pid);
}

struct map *host_processes_find(const char *directory)
{
    struct map *found = map_new();
    DIR *stream = opendir("/proc");
    struct dirent *entry;

    while (stream && (entry = readdir(stream))) {
        uint64_t pid;
        if (slice_to_u64(slice_of(entry->d_name), INT32_MAX, &pid))
            look_at(found, directory, (pid_t)pid);
    }
    if (stream)
        closedir(stream);
    return found;
}

void host_processes_free(struct map *processes)
{
    size_t cursor = 0;
    struct slice key;
    void *value;
    while (map_next(processes, &cursor, &key, &value))
        free(value);
    map_free(processes);
}
