#include "launcher/task.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#define FETCH_DEADLINE_MS  (30 * 60 * 1000) /* of an image, however large */
#define PROGRESS_FIRST_MS  2000
#define PROGRESS_MS        10000
#define ENGINE_PATIENCE_MS 60000
#define ENGINE_RETRY_MS    500

static void replace(char **text, const char *with)
{
    char *copy = xstrdup(with);
    free(*text);
    *text = copy;
}

static const char **copy_list(struct arena *arena, const char *const *list, size_t count)
{
    const char **copy = arena_array(arena, count, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = arena_strdup(arena, list[i]);
    return copy;
}

static void keep_image(struct task *task, const struct image *image)
{
    arena_free(task->image_arena);
    struct arena *arena = task->image_arena = arena_new();
    task->image = arena_alloc(arena, sizeof *task->image);
    task->image->digest = arena_strdup(arena, image->digest);
    task->image->layers = copy_list(arena, image->layers, image->layer_count);
    task->image->layer_count = image->layer_count;
    task->image->environment = copy_list(arena, image->environment, image->environment_count);
    task->image->environment_count = image->environment_count;
    task->image->working_directory = arena_strdup(arena, image->working_directory);
    replace(&task->image_digest, image->digest);
}

/* -- native images -------------------------------------------------------------------------------- */

static void on_image(void *user, const struct image *image, const struct error *err)
{
    struct task *task = user;
    task->fetch = NULL;
    if (err) {
        task_fail(task, err);
        return;
    }
    keep_image(task, image);
    task_event(task, EVENT_FETCHED);
}

static struct image_request request_of(const Eos__Job__V1__Image *image)
{
    if (image->image_case == EOS__JOB__V1__IMAGE__IMAGE_APPC)
        return (struct image_request){
            .kind = IMAGE_APPC, .name = image->appc->name, .tag = "", .id = image->appc->image_id
        };
    return (struct image_request){
        .kind = IMAGE_DOCKER, .name = image->docker->name, .tag = image->docker->tag, .id = ""
    };
}

/* Nothing before the registry has told what there is to fetch. */
void task_report_progress(struct task *task)
{
    const struct image_progress progress = image_store_progress(task->fetch);
    cleanup_free char *message =
        xasprintf("Fetching the image: %zu of %zu layers, %.1f of %.1f MB.", progress.archives_done,
                  progress.archives, (double)progress.bytes_done / 1e6,
                  (double)progress.bytes / 1e6);
    if (progress.archives > 0 && !task->is_kill_wanted)
        task_report(task, EOS__JOB__V1__SCHEDULE_STATUS__STARTING, message);
    task_set_timer(task, progress.archives > 0 ? PROGRESS_MS : PROGRESS_FIRST_MS);
}

static void fetch_native(struct task *task)
{
    struct image_request request = request_of(task->assigned->task->container->mesos->image);
    struct error err;

    if (!task->host->images) {
        error_set(&err, ERROR_FAILED_PRECONDITION, "this host has no image store");
        task_fail(task, &err);
        return;
    }
    task->fetch =
        image_store_fetch(task->host->images, &request, FETCH_DEADLINE_MS, on_image, task, &err);
    if (task->fetch)
        task_set_timer(task, PROGRESS_FIRST_MS);
    else
        task_fail(task, &err);
}

/* -- Docker's ------------------------------------------------------------------------------------- */

/* "0", "root" and both with a group. */
static bool is_root(const char *user)
{
    struct slice rest = slice_of(user);
    struct slice name = slice_split(&rest, ':');
    return name.len == 0 || slice_is(name, "root") || slice_is(name, "0");
}

bool task_waits_for_engine(struct task *task)
{
    uint64_t waited_ms = uv_now(task->host->loop) - task->stage_since_ms;
    if (!docker_engine_is_away(task->host->docker) || waited_ms >= ENGINE_PATIENCE_MS)
        return false;
    task_set_timer(task, ENGINE_RETRY_MS);
    return true;
}

static void on_docker_image(void *user, const struct docker_image *image, const struct error *err)
{
    struct task *task = user;
    task->docker_call = NULL;
    if (err) {
        if (!task_waits_for_engine(task))
            task_fail(task, err);
        return;
    }
    struct image kept = {
        .digest = image->digest,
        .environment = image->environment,
        .environment_count = image->environment_count,
        .working_directory = "",
    };
    task->is_user_foreign = !is_root(image->user);
    keep_image(task, &kept);
    task_event(task, EVENT_FETCHED);
}

static void fetch_docker(struct task *task)
{
    struct error err;
    if (!task->host->docker) {
        error_set(&err, ERROR_FAILED_PRECONDITION, "this host has no Docker engine");
        task_fail(task, &err);
        return;
    }
    task->docker_call =
        docker_fetch(task->host->docker, task->assigned->task->container->docker->image,
                     on_docker_image, task);
}

void task_fetch(struct task *task)
{
    if (task->kind == KIND_HOST)
        task_event(task, EVENT_FETCHED);
    else if (task->kind == KIND_DOCKER_ENGINE)
        fetch_docker(task);
    else
        fetch_native(task);
}

void task_cancel_fetch(struct task *task)
{
    if (task->fetch)
        image_store_cancel(TAKE(task->fetch));
    if (task->docker_call)
        docker_cancel(TAKE(task->docker_call));
}
