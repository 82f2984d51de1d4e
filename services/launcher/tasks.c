#include "launcher/tasks.h"

#include "launcher/host_file.h"
#include "launcher/host_process.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/log.h"
#include "io/wall_clock.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>

#define CHECKPOINT_MAX_BYTES (32u << 20)
#define STOPS_MAX            16u /* callers that wait for the end of all tasks */

struct stop {
    void (*done)(void *user, size_t stopped);
    void *user;
    size_t count;
};

struct tasks {
    struct task_host host;
    struct map *by_id;
    void (*on_news)(void *user);
    void *user;
    size_t dead_max, removals, open_tasks;
    struct stop stops[STOPS_MAX];
    size_t stop_count;
    uv_check_t tidy; /* once per turn, when something has changed */
    bool is_untidy, is_closing, has_tidy, is_stopped;
    void (*on_closed)(void *user);
    void *closed_user;
};

/* -- forgetting ----------------------------------------------------------------------------------- */

struct removal {
    uv_work_t work;
    struct tasks *tasks;
    char *task_id, *directory, *sandbox;
    bool ok;
    struct error error;
};

static void free_if_closed(struct tasks *tasks);

/* The checkpoint goes last: a crash in between leaves something that can be removed again. */
static void remove_files(uv_work_t *work)
{
    struct removal *removal = work->data;
    removal->ok = host_tree_remove(removal->sandbox, &removal->error) &&
                  host_tree_remove(removal->directory, &removal->error);
}

static void on_removed(uv_work_t *work, int status)
{
    struct removal *removal = work->data;
    struct tasks *tasks = removal->tasks;
    (void)status;
    if (!removal->ok)
        log_warning("could not remove a dead task", "task", removal->task_id, "reason",
                    removal->error.message);
    free(removal->task_id);
    free(removal->directory);
    free(removal->sandbox);
    free(removal);
    tasks->removals--;
    free_if_closed(tasks);
}

static void remove_later(struct tasks *tasks, const char *task_id)
{
    struct removal *removal = xcalloc(1, sizeof *removal);
    const char *state = tasks->host.settings->state_directory;
    removal->tasks = tasks;
    removal->task_id = xstrdup(task_id);
    removal->directory = xasprintf("%s/tasks/%s", state, task_id);
    removal->sandbox = xasprintf("%s/sandboxes/%s", state, task_id);
    removal->work.data = removal;
    tasks->removals++;
    int status = uv_queue_work(tasks->host.loop, &removal->work, remove_files, on_removed);
    assert(status == 0);
}

static void drop(struct tasks *tasks, struct task *task)
{
    map_remove(tasks->by_id, slice_of(task->id));
    remove_later(tasks, task->id);
    task_close(task);
}

static void drop_oldest(struct tasks *tasks)
{
    size_t cursor = 0, dead = 0;
    struct slice key;
    void *value;
    struct task *oldest = NULL;

    while (map_next(tasks->by_id, &cursor, &key, &value)) {
        struct task *task = value;
        if (!task_is_dead(task))
            continue;
        dead++;
        if (!oldest || task->ended_at_ms < oldest->ended_at_ms)
            oldest = task;
    }
    tasks->is_untidy = dead > tasks->dead_max + 1; /* one a turn */
    if (dead > tasks->dead_max)
        drop(tasks, oldest);
}

static bool are_all_ended(const struct tasks *tasks)
{
    size_t cursor = 0;
    struct slice key;
    void *value;
    while (map_next(tasks->by_id, &cursor, &key, &value))
        if (!task_has_ended(value))
            return false;
    return true;
}

static void finish_stops(struct tasks *tasks)
{
    if (tasks->stop_count == 0 || !are_all_ended(tasks))
        return;
    size_t count = tasks->stop_count;
    struct stop stops[STOPS_MAX];
    memcpy(stops, tasks->stops, sizeof stops);
    tasks->stop_count = 0;
    for (size_t i = 0; i < count; i++)
        stops[i].done(stops[i].user, stops[i].count);
}

static void on_tidy(uv_check_t *check)
{
    struct tasks *tasks = check->data;
    if (!tasks->is_untidy)
        return;
    tasks->is_untidy = false;
    finish_stops(tasks);
    drop_oldest(tasks);
}

/* -- callbacks of the tasks ----------------------------------------------------------------------- */

static void on_news(void *user)
{
    struct tasks *tasks = user;
    tasks->on_news(tasks->user);
}

static void on_dead(void *user)
{
    struct tasks *tasks = user;
    tasks->is_untidy = true;
}

static void on_task_closed(void *user)
{
    struct tasks *tasks = user;
    tasks->open_tasks--;
    free_if_closed(tasks);
}

/* -- opening -------------------------------------------------------------------------------------- */

static Eos__Launcher__V1__Checkpoint *read_checkpoint(const char *path, const char *task_id,
                                                      struct error *err)
{
    cleanup_text struct text content = TEXT_INIT;
    if (!host_file_read(path, CHECKPOINT_MAX_BYTES, &content, err))
        return NULL;
    Eos__Launcher__V1__Checkpoint *checkpoint =
        eos__launcher__v1__checkpoint__unpack(NULL, content.len, (const uint8_t *)content.ptr);
    if (checkpoint && launch_check(checkpoint->task, err) &&
        strcmp(checkpoint->task->task_id, task_id) == 0)
        return checkpoint;
    if (checkpoint)
        eos__launcher__v1__checkpoint__free_unpacked(checkpoint, NULL);
    error_set(err, ERROR_DATA_LOSS, "\"%s\" is not a checkpoint of the task", path);
    return NULL;
}

/* A directory without a checkpoint is that of a command that was never acted on.  A checkpoint that a
 * power failure has spoilt is of no use; only one whose task still runs is left for somebody to look
 * at. */
static void give_up(struct tasks *tasks, const char *task_id, const struct map *processes,
                    const struct error *why)
{
    cleanup_free char *plan =
        xasprintf("%s/tasks/%s/plan", tasks->host.settings->state_directory, task_id);
    if (why->code != ERROR_NOT_FOUND)
        log_error("could not take up a task again", "task", task_id, "reason", why->message);
    if (!map_get(processes, slice_of(plan)))
        remove_later(tasks, task_id);
}

static void restore(struct tasks *tasks, const char *task_id, const struct map *processes)
{
    cleanup_free char *path =
        xasprintf("%s/tasks/%s/checkpoint", tasks->host.settings->state_directory, task_id);
    struct error err;
    Eos__Launcher__V1__Checkpoint *checkpoint = read_checkpoint(path, task_id, &err);

    if (!checkpoint) {
        give_up(tasks, task_id, processes, &err);
        return;
    }
    struct task *task = task_restore(&tasks->host, checkpoint, processes);
    tasks->open_tasks++;
    map_put(tasks->by_id, slice_of(task->id), task);
    log_info("task found again", "task", task->id, "stage", task_stage_name(task->stage));
}

static bool restore_all(struct tasks *tasks, struct error *err)
{
    cleanup_free char *path = xasprintf("%s/tasks", tasks->host.settings->state_directory);
    DIR *stream = opendir(path);
    struct dirent *entry;

    if (!stream)
        return error_set_errno(err, errno, "could not open the directory \"%s\"", path);
    struct map *processes = host_processes_find(path);
    while ((entry = readdir(stream)))
        if (entry->d_name[0] != '.')
            restore(tasks, entry->d_name, processes);
    host_processes_free(processes);
    closedir(stream);
    return true;
}

static void free_tasks(struct tasks *tasks)
{
    void (*on_closed)(void *user) = tasks->on_closed;
    void *user = tasks->closed_user;
    map_free(tasks->by_id);
    free(tasks);
    if (on_closed)
        on_closed(user);
}

static void free_if_closed(struct tasks *tasks)
{
    if (tasks->is_closing && !tasks->has_tidy && tasks->removals == 0 && tasks->open_tasks == 0)
        free_tasks(tasks);
}

struct tasks *tasks_open(const struct tasks_options *options, struct error *err)
{
    struct tasks *tasks = xcalloc(1, sizeof *tasks);
    tasks->host = options->host;
    tasks->host.on_news = on_news;
    tasks->host.on_dead = on_dead;
    tasks->host.on_task_closed = on_task_closed;
    tasks->host.user = tasks;
    host_boot_id(tasks->host.boot_id);
    tasks->on_news = options->on_news;
    tasks->user = options->user;
    tasks->dead_max = options->dead_max;
    tasks->by_id = map_new();
    uv_check_init(tasks->host.loop, &tasks->tidy);
    tasks->tidy.data = tasks;
    tasks->has_tidy = true;
    uv_check_start(&tasks->tidy, on_tidy);
    if (restore_all(tasks, err))
        return tasks;
    tasks_close(tasks, NULL, NULL);
    return NULL;
}

void tasks_start(struct tasks *tasks)
{
    size_t cursor = 0;
    struct slice key;
    void *value;
    while (map_next(tasks->by_id, &cursor, &key, &value))
        task_start(value);
    tasks->is_untidy = true;
}

static void on_tidy_closed(uv_handle_t *handle)
{
    struct tasks *tasks = handle->data;
    tasks->has_tidy = false;
    free_if_closed(tasks);
}

void tasks_close(struct tasks *tasks, void (*on_closed)(void *user), void *user)
{
    size_t cursor = 0;
    struct slice key;
    void *value;

    tasks->is_closing = true;
    tasks->on_closed = on_closed;
    tasks->closed_user = user;
    for (size_t i = 0; i < tasks->stop_count; i++)
        tasks->stops[i].done(tasks->stops[i].user, 0);
    tasks->stop_count = 0;
    while (map_next(tasks->by_id, &cursor, &key, &value))
        task_close(value);
    uv_close((uv_handle_t *)&tasks->tidy, on_tidy_closed);
}

/* -- orders --------------------------------------------------------------------------------------- */

struct task *tasks_find(const struct tasks *tasks, const char *task_id)
{
    return map_get(tasks->by_id, slice_of(task_id));
}

static Eos__Job__V1__AssignedTask *copy_task(const Eos__Job__V1__AssignedTask *task)
{
    size_t len = eos__job__v1__assigned_task__get_packed_size(task);
    cleanup_free uint8_t *bytes = xcalloc(1, len + 1);
    eos__job__v1__assigned_task__pack(task, bytes);
    return eos__job__v1__assigned_task__unpack(NULL, len, bytes);
}

/* A command that cannot be understood is answered, so that the scheduler does not repeat it. */
static void refuse(struct tasks *tasks, const Eos__Job__V1__AssignedTask *task,
                   const struct error *err)
{
    log_warning("task refused", "reason", err->message);
    if (!task || !task->task_id[0])
        return;
    updates_add(tasks->host.updates, task->task_id,
                err->code == ERROR_RESOURCE_EXHAUSTED ? EOS__JOB__V1__SCHEDULE_STATUS__LOST
                                                      : EOS__JOB__V1__SCHEDULE_STATUS__FAILED,
                err->message, wall_clock_ms());
    tasks->on_news(tasks->user);
}

void tasks_launch(struct tasks *tasks, const Eos__Scheduler__V1__LaunchTask *launch)
{
    struct error err;

    if (!launch_check(launch->task, &err)) {
        refuse(tasks, launch->task, &err);
        return;
    }
    if (tasks->is_stopped || tasks_find(tasks, launch->task->task_id))
        return;
    if (tasks_count(tasks) >= TASKS_MAX && tasks_count_live(tasks) >= TASKS_MAX) {
        error_set(&err, ERROR_RESOURCE_EXHAUSTED, "The host has %u tasks already.", TASKS_MAX);
        refuse(tasks, launch->task, &err);
        return;
    }
    struct task *task = task_new(&tasks->host, copy_task(launch->task), launch->cluster);
    tasks->open_tasks++;
    map_put(tasks->by_id, slice_of(task->id), task);
    log_info("task accepted", "task", task->id, "container", container_kind_name(task->kind));
    task_start(task);
}

void tasks_kill(struct tasks *tasks, const Eos__Scheduler__V1__KillTask *kill)
{
    struct task *task = tasks_find(tasks, kill->task_id);
    if (task)
        task_kill(task, TASK_KILL_BY_ORDER, kill->message);
}

void tasks_forget(struct tasks *tasks, const char *task_id)
{
    struct task *task = tasks_find(tasks, task_id);
    if (task && task_is_dead(task))
        drop(tasks, task);
}

void tasks_acknowledge(struct tasks *tasks, const char *update_id)
{
    struct arena *arena = arena_new();
    const char *task_id = updates_acknowledge(tasks->host.updates, update_id, arena);
    struct task *task = task_id ? tasks_find(tasks, task_id) : NULL;
    if (task)
        task_acknowledged(task);
    arena_free(arena);
}

size_t tasks_picture(const struct tasks *tasks, struct arena *arena,
                     Eos__Scheduler__V1__KnownTask ***ret_list)
{
    size_t cursor = 0, count = 0;
    struct slice key;
    void *value;

    Eos__Scheduler__V1__KnownTask **list =
        arena_array(arena, map_count(tasks->by_id), sizeof *list);
    while (map_next(tasks->by_id, &cursor, &key, &value)) {
        const struct task *task = value;
        if (!task->is_known)
            continue;
        Eos__Scheduler__V1__KnownTask *known = arena_alloc(arena, sizeof *known);
        eos__scheduler__v1__known_task__init(known);
        known->task_id = task->id;
        known->status = task->status;
        list[count++] = known;
    }
    *ret_list = list;
    return count;
}

const char **tasks_running_ids(const struct tasks *tasks, struct arena *arena, size_t *ret_count)
{
    size_t cursor = 0;
    struct slice key;
    void *value;

    const char **ids = arena_array(arena, map_count(tasks->by_id), sizeof *ids);
    *ret_count = 0;
    while (map_next(tasks->by_id, &cursor, &key, &value))
        if (((const struct task *)value)->stage == STAGE_RUNNING)
            ids[(*ret_count)++] = arena_strdup(arena, ((const struct task *)value)->id);
    return ids;
}

static bool may_have_container(const struct task *task)
{
    bool is_of_store = task->kind == KIND_DOCKER_IMAGE || task->kind == KIND_APPC_IMAGE;
    return is_of_store && !task_is_dead(task) && (task->image_digest[0] || task->pid > 0);
}

void tasks_used_images(const struct tasks *tasks, void (*add)(void *to, const char *digest),
                       void *to)
{
    size_t cursor = 0;
    struct slice id;
    void *value;
    while (map_next(tasks->by_id, &cursor, &id, &value)) {
        const struct task *task = value;
        if (may_have_container(task))
            add(to, task->image_digest);
    }
}

size_t tasks_count_live(const struct tasks *tasks)
{
    size_t cursor = 0, count = 0;
    struct slice key;
    void *value;
    while (map_next(tasks->by_id, &cursor, &key, &value))
        count += !task_is_dead(value);
    return count;
}

size_t tasks_count(const struct tasks *tasks)
{
    return map_count(tasks->by_id);
}

bool tasks_are_stopped(const struct tasks *tasks)
{
    return tasks->is_stopped;
}

void tasks_stop_all(struct tasks *tasks, const char *message,
                    void (*done)(void *user, size_t stopped), void *user)
{
    size_t cursor = 0, count = tasks_count_live(tasks);
    struct slice key;
    void *value;

    if (tasks->stop_count == STOPS_MAX || tasks->is_closing) {
        done(user, 0);
        return;
    }
    tasks->is_stopped = true;
    while (map_next(tasks->by_id, &cursor, &key, &value))
        if (!task_is_dead(value))
            task_kill(value, TASK_KILL_AS_LOST, message);
    tasks->stops[tasks->stop_count++] = (struct stop){ done, user, count };
    tasks->is_untidy = true;
}
