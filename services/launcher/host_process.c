#include "launcher/host_process.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>

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

static void look_at(struct map *found, const char *directory, pid_t pid)
{
    char path[64], buffer[ARGUMENTS_MAX];
    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    ssize_t len = read_file(path, buffer, sizeof buffer);
    if (len <= 0)
        return;
    struct slice plan = plan_argument((struct slice){ buffer, (size_t)len });
    size_t prefix = strlen(directory);
    if (plan.len > prefix && memcmp(plan.ptr, directory, prefix) == 0 && plan.ptr[prefix] == '/')
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
