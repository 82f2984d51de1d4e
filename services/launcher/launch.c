#include "launcher/launch.h"

#include "launcher/host_file.h"
#include "launcher/task_id.h"
#include "launcher/task_plan.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>

DEFINE_CLEANUP(done_account, struct account *, account_free)
DEFINE_CLEANUP(done_arena, struct arena *, arena_free)

/* -- kinds and paths ------------------------------------------------------------------------------ */

const char *container_kind_name(enum container_kind kind)
{
    static const char *const names[KIND_COUNT] = {
        [KIND_HOST] = "host",
        [KIND_DOCKER_IMAGE] = "docker image",
        [KIND_APPC_IMAGE] = "appc image",
        [KIND_DOCKER_ENGINE] = "docker engine",
    };
    assert(kind < KIND_COUNT);
    return names[kind];
}

enum container_kind container_kind_of(const Eos__Job__V1__TaskConfig *task)
{
    const Eos__Job__V1__Container *container = task->container;
    if (!container || container->container_case == EOS__JOB__V1__CONTAINER__CONTAINER__NOT_SET)
        return KIND_HOST;
    if (container->container_case == EOS__JOB__V1__CONTAINER__CONTAINER_DOCKER)
        return KIND_DOCKER_ENGINE;
    const Eos__Job__V1__Image *image = container->mesos->image;
    if (!image || image->image_case == EOS__JOB__V1__IMAGE__IMAGE__NOT_SET)
        return KIND_HOST;
    return image->image_case == EOS__JOB__V1__IMAGE__IMAGE_APPC ? KIND_APPC_IMAGE
                                                                : KIND_DOCKER_IMAGE;
}

void launch_paths_init(struct launch_paths *paths, const char *state_directory, const char *task_id,
                       enum container_kind kind)
{
    paths->task = xasprintf("%s/tasks/%s", state_directory, task_id);
    paths->run =
        kind == KIND_DOCKER_ENGINE ? xasprintf("%s/run", paths->task) : xstrdup(paths->task);
    paths->plan = xasprintf("%s/plan", paths->run);
    paths->sandbox = xasprintf("%s/sandboxes/%s", state_directory, task_id);
    paths->checkpoint = xasprintf("%s/checkpoint", paths->task);
    paths->log = xasprintf("%s/executor.log", paths->task);
}

void launch_paths_done(struct launch_paths *paths)
{
    free(paths->task);
    free(paths->run);
    free(paths->plan);
    free(paths->sandbox);
    free(paths->checkpoint);
    free(paths->log);
}

bool launch_check(const Eos__Job__V1__AssignedTask *task, struct error *err)
{
    if (!task)
        return error_set(err, ERROR_INVALID_ARGUMENT, "the command names no task");
    if (!task_id_check(task->task_id, err))
        return false;
    if (!task->task || !task->task->job || !task->task->job->role[0])
        return error_set(err, ERROR_INVALID_ARGUMENT, "the task has no configuration or no role");
    return true;
}

/* -- preparing ------------------------------------------------------------------------------------ */

/* What the Docker engine runs belongs to whom the image says, who has no name on the host. */
static mode_t sandbox_mode(const struct launch *launch)
{
    if (launch->kind != KIND_DOCKER_ENGINE)
        return 0700;
    return launch->is_user_foreign ? 0777 : 0755;
}

static bool make_directories(const struct launch *launch, const struct account *account,
                             struct error *err)
{
    const struct launch_paths *paths = launch->paths;
    if (!host_directory_make(paths->task, 0700, err) ||
        !host_directory_make(paths->run, launch->is_user_foreign ? 0777 : 0700, err) ||
        !host_directory_make(paths->sandbox, sandbox_mode(launch), err))
        return error_prefix(err, "Failed to create the sandbox");
    if (account && chown(paths->sandbox, account->uid, account->gid) < 0)
        return error_set_errno(err, errno, "Failed to chown/chmod the sandbox");
    return true;
}

/* The role of a task that the Docker engine runs need not be a user of the host. */
static bool find_account(const struct launch *launch, struct account **ret_account,
                         struct error *err)
{
    struct error ignored;
    bool is_needed = launch->kind != KIND_DOCKER_ENGINE;
    *ret_account = account_find(launch->task->task->job->role, is_needed ? err : &ignored);
    return *ret_account || !is_needed;
}

static bool make_plan(const struct launch *launch, const struct account *account,
                      struct arena *arena, Eos__Executor__V1__TaskPlan **ret_plan,
                      struct error *err)
{
    const char *sandbox =
        launch->kind == KIND_HOST ? launch->paths->sandbox : LAUNCH_SANDBOX_TARGET;
    struct task_plan_input input = {
        .task = launch->task,
        .cluster = launch->cluster,
        .run_directory = launch->paths->run,
        .sandbox = sandbox,
        .account = launch->kind == KIND_DOCKER_ENGINE ? NULL : account,
        .path = LAUNCH_PATH,
        .kill_grace_ms = launch->settings->kill_grace_ms,
    };
    struct container container = {
        .task_id = launch->task->task_id,
        .task = launch->task,
        .account = account,
        .image = launch->image,
        .is_appc = launch->kind == KIND_APPC_IMAGE,
        .directory = launch->paths->task,
        .state_directory = launch->settings->state_directory,
        .sandbox = launch->paths->sandbox,
        .sandbox_target = sandbox,
        .arena = arena,
    };
    if (!task_plan_make(&input, arena, ret_plan, err))
        return false;
    if (launch->kind != KIND_DOCKER_ENGINE)
        return isolators_prepare(&launch->settings->isolators, &container, *ret_plan, err);
    task_plan_add_environment(*ret_plan, launch->image->environment,
                              launch->image->environment_count, arena);
    return true;
}

static bool write_plan(const char *path, const Eos__Executor__V1__TaskPlan *plan,
                       struct arena *arena, bool is_user_foreign, struct error *err)
{
    size_t len = protobuf_c_message_get_packed_size(&plan->base);
    uint8_t *bytes = arena_alloc(arena, len);
    protobuf_c_message_pack(&plan->base, bytes);
    if (!host_file_write(path, (struct slice){ (char *)bytes, len }, err))
        return false;
    if (is_user_foreign && chmod(path, 0644) < 0)
        return error_set_errno(err, errno, "could not set the mode of \"%s\"", path);
    return true;
}

bool launch_prepare(const struct launch *launch, struct error *err)
{
    CLEANUP(done_arena) struct arena *arena = arena_new();
    CLEANUP(done_account) struct account *account = NULL;
    Eos__Executor__V1__TaskPlan *plan;

    return find_account(launch, &account, err) && make_directories(launch, account, err) &&
           make_plan(launch, account, arena, &plan, err) &&
           write_plan(launch->paths->plan, plan, arena, launch->is_user_foreign, err);
}

/* -- starting ------------------------------------------------------------------------------------- */

static int close_others(posix_spawn_file_actions_t *actions, int lock)
{
    int status = 0;
    for (int fd = 3; fd < lock && status == 0; fd++)
        status = posix_spawn_file_actions_addclose(actions, fd);
    return status != 0 ? status : posix_spawn_file_actions_addclosefrom_np(actions, lock + 1);
}

static int add_actions(posix_spawn_file_actions_t *actions, const struct launch_paths *paths,
                       int lock)
{
    int status = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
    if (status == 0)
        status = posix_spawn_file_actions_addopen(actions, 1, paths->log,
                                                  O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (status == 0)
        status = posix_spawn_file_actions_adddup2(actions, 1, 2);
    if (status == 0)
        status = posix_spawn_file_actions_addchdir_np(actions, "/");
    return status != 0 ? status : close_others(actions, lock);
}

static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
                                                    POSIX_SPAWN_SETSIGDEF);
}

/* posix_spawn() because this process has threads: between its fork and exec nothing of ours runs. */
bool launch_spawn(const struct launch_settings *settings, const struct launch_paths *paths,
                  pid_t *ret_pid, struct error *err)
{
    char *const arguments[] = { (char *)settings->executor, "--plan", paths->plan, NULL };
    char *const environment[] = { "PATH=" LAUNCH_PATH, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;

    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    int status = add_actions(&actions, paths, settings->lock);
    if (status == 0)
        status = set_attributes(&attributes);
    if (status == 0)
        status =
            posix_spawn(ret_pid, settings->executor, &actions, &attributes, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (status != 0)
        return error_set_errno(err, status, "could not start the executor \"%s\"",
                               settings->executor);
    return true;
}
