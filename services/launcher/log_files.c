#include "launcher/log_files.h"

#include "base/cleanup.h"
#include "base/slice.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define PROCESSES_MAX 1000u
#define RUNS_MAX      1000u /* of one process, which may have a tenth of that */
#define NAME_MAX_LEN  255u

static const char *const stream_names[] = { "stdout", "stderr" };

/* The logs of a task, and how many entries of its directories may still be read. */
struct look {
    int dir;
    unsigned entries;
};

/* Everything stays below `dir`, whatever the task's user does to the tree meanwhile. */
static int open_beneath(int dir, const char *path, uint64_t flags)
{
    struct open_how how = {
        .flags = flags | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
    };
    return (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
}

static int open_directory(int dir, const char *path)
{
    return open_beneath(dir, path, O_RDONLY | O_DIRECTORY);
}

static int open_logs(const char *sandbox)
{
    cleanup_close int dir = open(sandbox, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return dir < 0 ? -1 : open_directory(dir, ".logs");
}

static void close_stream(DIR **stream)
{
    if (*stream)
        closedir(*stream);
}

/* NULL when there is none. */
static DIR *open_stream(int dir, const char *path)
{
    int fd = open_directory(dir, path);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream && fd >= 0)
        close(fd);
    return stream;
}

static const char *next_name(DIR *stream, struct look *look)
{
    struct dirent *entry = stream && look->entries > 0 ? readdir(stream) : NULL;
    look->entries -= entry != NULL;
    return entry ? entry->d_name : NULL;
}

/* -- processes, by their first start -------------------------------------------------------------- */

struct process {
    char *name;
    int64_t began_ns;
};

static int64_t to_ns(const struct statx_timestamp *time)
{
    return time->tv_sec * INT64_C(1000000000) + time->tv_nsec;
}

static int64_t began_ns(int dir)
{
    struct statx status;
    if (statx(dir, "", AT_EMPTY_PATH, STATX_BTIME | STATX_MTIME, &status) < 0)
        return INT64_MAX;
    return to_ns(status.stx_mask & STATX_BTIME ? &status.stx_btime : &status.stx_mtime);
}

static int compare_processes(const void *a, const void *b)
{
    const struct process *left = a, *right = b;
    if (left->began_ns != right->began_ns)
        return left->began_ns < right->began_ns ? -1 : 1;
    return strcmp(left->name, right->name);
}

static size_t list_processes(struct look *look, struct arena *arena, struct process *list)
{
    CLEANUP(close_stream) DIR *stream = open_stream(look->dir, ".");
    size_t count = 0;

    for (const char *name; count < PROCESSES_MAX && (name = next_name(stream, look));) {
        if (name[0] == '.' || !slice_is_utf8(slice_of(name)))
            continue;
        cleanup_close int dir = open_directory(look->dir, name);
        if (dir >= 0)
            list[count++] = (struct process){ arena_strdup(arena, name), began_ns(dir) };
    }
    qsort(list, count, sizeof *list, compare_processes);
    return count;
}

/* -- runs ----------------------------------------------------------------------------------------- */

static int compare_runs(const void *a, const void *b)
{
    int32_t left = *(const int32_t *)a, right = *(const int32_t *)b;
    return (left > right) - (left < right);
}

static size_t list_runs(struct look *look, const char *process, int32_t *runs)
{
    CLEANUP(close_stream) DIR *stream = open_stream(look->dir, process);
    size_t count = 0;

    for (const char *name; count < RUNS_MAX && (name = next_name(stream, look));) {
        uint64_t run;
        if (slice_to_u64(slice_of(name), INT32_MAX, &run))
            runs[count++] = (int32_t)run;
    }
    qsort(runs, count, sizeof *runs, compare_runs);
    return count;
}

static int open_log(int logs, const char *process, int32_t run, const char *stream)
{
    char path[NAME_MAX_LEN + 32];
    struct stat status;
    snprintf(path, sizeof path, "%s/%" PRId32 "/%s", process, run, stream);
    int fd = open_beneath(logs, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0 && (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))) {
        close(fd);
        errno = ENOENT;
        return -1;
    }
    return fd;
}

/* -- listing -------------------------------------------------------------------------------------- */

static void add_file(const char *process, int32_t run, int stream, int64_t size_bytes,
                     struct arena *arena, Eos__Launcher__V1__ListLogsResponse *response)
{
    Eos__Launcher__V1__LogFile *file = arena_alloc(arena, sizeof *file);
    eos__launcher__v1__log_file__init(file);
    file->process = (char *)process;
    file->run = run;
    file->stream = (Eos__Launcher__V1__LogStream)stream;
    file->size_bytes = size_bytes;
    response->files[response->n_files++] = file;
}

static void list_run(int logs, const char *process, int32_t run, struct arena *arena,
                     Eos__Launcher__V1__ListLogsResponse *response)
{
    char path[NAME_MAX_LEN + 32];
    struct stat status;
    snprintf(path, sizeof path, "%s/%" PRId32, process, run);
    cleanup_close int dir = open_directory(logs, path);
    for (int i = 0; dir >= 0 && i < 2 && response->n_files < LOG_FILES_MAX; i++)
        if (fstatat(dir, stream_names[i], &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(status.st_mode))
            add_file(process, run, i, status.st_size, arena, response);
}

bool log_files_list(const char *sandbox, struct arena *arena,
                    Eos__Launcher__V1__ListLogsResponse *response, struct error *err)
{
    cleanup_close int logs = open_logs(sandbox);
    struct look look = { logs, LOG_ENTRIES_MAX };
    int32_t *runs = arena_array(arena, RUNS_MAX, sizeof *runs);
    struct process *processes = arena_array(arena, PROCESSES_MAX, sizeof *processes);

    if (logs < 0 && errno != ENOENT)
        return error_set_errno(err, errno, "could not open the logs of the task");
    response->files = arena_array(arena, LOG_FILES_MAX, sizeof *response->files);
    size_t count = logs < 0 ? 0 : list_processes(&look, arena, processes);
    for (size_t i = 0; i < count; i++) {
        size_t run_count = list_runs(&look, processes[i].name, runs);
        for (size_t j = 0; j < run_count; j++)
            list_run(logs, processes[i].name, runs[j], arena, response);
    }
    return true;
}

/* -- opening -------------------------------------------------------------------------------------- */

static bool choose_process(struct look *look, const char *wanted, char *ret_name, size_t size,
                           struct arena *arena, struct error *err)
{
    if (wanted[0]) {
        if (wanted[0] == '.' || strchr(wanted, '/') || strlen(wanted) >= size)
            return error_set(err, ERROR_INVALID_ARGUMENT, "field process: not a name of a process");
        snprintf(ret_name, size, "%s", wanted);
        return true;
    }
    struct process *processes = arena_array(arena, PROCESSES_MAX, sizeof *processes);
    if (list_processes(look, arena, processes) == 0)
        return error_set(err, ERROR_NOT_FOUND, "no process of the task has begun");
    snprintf(ret_name, size, "%s", processes[0].name);
    return true;
}

static bool choose_run(struct look *look, const char *process, int32_t wanted, int32_t *ret_run,
                       struct arena *arena, struct error *err)
{
    int32_t *runs = arena_array(arena, RUNS_MAX, sizeof *runs);
    size_t count = wanted >= 0 ? 0 : list_runs(look, process, runs);
    if (wanted < 0 && count == 0)
        return error_set(err, ERROR_NOT_FOUND, "no process \"%s\" of the task has begun", process);
    *ret_run = wanted >= 0 ? wanted : runs[count - 1];
    return true;
}

static bool open_chosen(const char *sandbox, const char *process, int32_t run,
                        Eos__Launcher__V1__LogStream stream, struct arena *arena,
                        struct log_file *file, struct error *err)
{
    cleanup_close int logs = open_logs(sandbox);
    struct look look = { logs, LOG_ENTRIES_MAX };
    if (logs < 0 && errno == ENOENT)
        return error_set(err, ERROR_NOT_FOUND, "no process of the task has begun");
    if (logs < 0)
        return error_set_errno(err, errno, "could not open the logs of the task");
    if (!choose_process(&look, process, file->process, sizeof file->process, arena, err) ||
        !choose_run(&look, file->process, run, &file->run, arena, err))
        return false;
    file->fd = open_log(logs, file->process, file->run, stream_names[stream == 1]);
    if (file->fd >= 0)
        return true;
    return error_set(err, ERROR_NOT_FOUND, "there is no %s of run %" PRId32 " of process \"%s\"",
                     stream_names[stream == 1], file->run, file->process);
}

bool log_files_open(const char *sandbox, const char *process, int32_t run,
                    Eos__Launcher__V1__LogStream stream, struct log_file *ret_file,
                    struct error *err)
{
    struct arena *arena = arena_new();
    bool ok = open_chosen(sandbox, process, run, stream, arena, ret_file, err);
    arena_free(arena);
    return ok;
}
