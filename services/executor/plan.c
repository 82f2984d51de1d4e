#include "executor/plan.h"

#include <math.h>
#include <sys/capability.h>

static bool is_absolute(const char *path)
{
    return path[0] == '/' && strlen(path) < 4096;
}

static bool check_path(const char *field, const char *path, struct error *err)
{
    if (!is_absolute(path))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "field %s must be an absolute path of less than 4096 bytes", field);
    return true;
}

static bool check_paths(const char *field, char **paths, size_t count, size_t max,
                        struct error *err)
{
    if (count > max)
        return error_set(err, ERROR_INVALID_ARGUMENT, "field %s has more than %zu entries", field,
                         max);
    for (size_t i = 0; i < count; i++)
        if (!check_path(field, paths[i], err))
            return false;
    return true;
}

static bool check_count(const char *field, int64_t value, struct error *err)
{
    if (value < 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "field %s must not be negative", field);
    return true;
}

/* A file name that is safe to show and to make. */
static bool is_name(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] < ' ' || name[i] == 127 || name[i] == '/')
            return false;
    return len > 0 && len <= PLAN_MAX_NAME && name[0] != '.' && slice_is_utf8(slice_of(name));
}

static bool check_process(const Eos__Executor__V1__ProcessPlan *process, struct error *err)
{
    if (!is_name(process->name))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "a process name must be 1 to %u bytes of UTF-8 without \"/\" and control "
                         "characters that do not begin with \".\"",
                         PLAN_MAX_NAME);
    if (!process->cmdline[0])
        return error_set(err, ERROR_INVALID_ARGUMENT, "process \"%s\" has no command line",
                         process->name);
    if (strlen(process->cmdline) > PLAN_MAX_ARGUMENT)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "the command line of process \"%s\" is longer than %u bytes",
                         process->name, PLAN_MAX_ARGUMENT);
    if (process->max_failures < 0 || process->min_duration_secs < 0)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "max_failures and min_duration of process \"%s\" must not be negative",
                         process->name);
    const Eos__Executor__V1__LoggerPlan *logger = process->logger;
    if (logger &&
        (logger->destination > EOS__EXECUTOR__V1__LOGGER_PLAN__DESTINATION__NONE ||
         logger->rotate_bytes < 0 || logger->rotate_backups < 0 || logger->rotate_backups > 1000 ||
         (logger->rotate_bytes > 0 && logger->rotate_backups == 0)))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "the logger of process \"%s\" must have a known destination, and a "
                         "rotation of at least one byte has 1 to 1000 backups",
                         process->name);
    return true;
}

static bool check_environment(const Eos__Executor__V1__TaskPlan *plan, struct error *err)
{
    if (plan->n_environment > PLAN_MAX_VARIABLES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "field environment has more than %u entries",
                         PLAN_MAX_VARIABLES);
    for (size_t i = 0; i < plan->n_environment; i++) {
        const char *name = plan->environment[i]->name;
        if (!name[0] || strchr(name, '=') || !slice_is_utf8(slice_of(name)))
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "the name of environment variable %zu must be UTF-8 without \"=\"",
                             i + 1);
        if (strlen(name) + 1 + strlen(plan->environment[i]->value) > PLAN_MAX_ARGUMENT)
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "environment variable %zu is longer than %u bytes", i + 1,
                             PLAN_MAX_ARGUMENT);
    }
    return true;
}

static bool check_cgroup(const Eos__Executor__V1__CgroupPlan *cgroup, struct error *err)
{
    if (cgroup->version > EOS__EXECUTOR__V1__CGROUP_PLAN__VERSION__V2)
        return error_set(err, ERROR_INVALID_ARGUMENT, "field cgroup.version is not known");
    if (cgroup->version == EOS__EXECUTOR__V1__CGROUP_PLAN__VERSION__NO_CGROUP)
        return true;
    struct slice rest = slice_of(cgroup->path);
    if (rest.len > 1024)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "field cgroup.path is longer than 1024 bytes");
    do {
        struct slice part = slice_split(&rest, '/');
        if (part.len == 0 || part.len > PLAN_MAX_NAME || part.ptr[0] == '.')
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "field cgroup.path must be names separated by \"/\", none of which is "
                             "empty or begins with \".\"");
    } while (rest.ptr);
    if (!(cgroup->cpus >= 0 && cgroup->cpus <= 65536) || cgroup->memory_bytes < 0 ||
        cgroup->pids < 0)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "the limits of field cgroup must not be negative, and cpus at most 65536");
    return true;
}

static bool check_mounts(const Eos__Executor__V1__ContainerPlan *container, struct error *err)
{
    static const char *const types[] = { "bind",   "proc",   "sysfs", "tmpfs",
                                         "devpts", "mqueue", "cgroup" };
    const size_t type_count = sizeof types / sizeof types[0];

    if (container->n_mounts > PLAN_MAX_MOUNTS)
        return error_set(err, ERROR_INVALID_ARGUMENT, "field mounts has more than %u entries",
                         PLAN_MAX_MOUNTS);
    for (size_t i = 0; i < container->n_mounts; i++) {
        const Eos__Executor__V1__MountPlan *mount = container->mounts[i];
        size_t type = 0;
        while (type < type_count && strcmp(types[type], mount->type) != 0)
            type++;
        if (type == type_count)
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "the type of mount %zu must be bind, proc, sysfs, tmpfs, devpts, "
                             "mqueue or cgroup",
                             i + 1);
        if (!check_path("mounts.target", mount->target, err) ||
            (type == 0 && !check_path("mounts.source", mount->source, err)))
            return false;
        if (strlen(mount->data) >= 4096)
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "the options of mount %zu are longer than 4095 bytes", i + 1);
    }
    return true;
}

static bool check_root(const Eos__Executor__V1__RootPlan *root, struct error *err)
{
    if (root->n_layers == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "field root.layers is empty");
    if (!check_paths("root.layers", root->layers, root->n_layers, PLAN_MAX_LAYERS, err) ||
        !check_path("root.mount_point", root->mount_point, err))
        return false;
    if (!root->upper[0] && !root->work[0])
        return true;
    return check_path("root.upper", root->upper, err) && check_path("root.work", root->work, err);
}

static bool check_capabilities(const Eos__Executor__V1__ContainerPlan *container, struct error *err)
{
    for (size_t i = 0; i < container->n_capabilities; i++) {
        cap_value_t value;
        if (cap_from_name(container->capabilities[i], &value) != 0)
            return error_set(err, ERROR_INVALID_ARGUMENT, "capability %zu is not known", i + 1);
    }
    return true;
}

static bool check_container(const Eos__Executor__V1__ContainerPlan *container, struct error *err)
{
    if (container->root && !check_root(container->root, err))
        return false;
    if (container->cgroup && !check_cgroup(container->cgroup, err))
        return false;
    if (!check_mounts(container, err) || !check_capabilities(container, err))
        return false;
    if (!check_paths("masked_paths", container->masked_paths, container->n_masked_paths,
                     PLAN_MAX_PATHS, err) ||
        !check_paths("readonly_paths", container->readonly_paths, container->n_readonly_paths,
                     PLAN_MAX_PATHS, err))
        return false;
    for (size_t i = 0; i < container->n_devices; i++)
        if (!check_path("devices.path", container->devices[i]->path, err))
            return false;
    if (!container->unshare_mount &&
        (container->root || container->n_mounts || container->n_devices ||
         container->n_masked_paths || container->n_readonly_paths))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "a root, mounts, devices, masked and read-only paths need unshare_mount");
    if (container->hostname[0] && (!container->unshare_uts || strlen(container->hostname) > 64))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "a hostname needs unshare_uts and has at most 64 bytes");
    return true;
}

static bool check_user(const Eos__Executor__V1__UserPlan *user, struct error *err)
{
    if (user->n_groups > 65536)
        return error_set(err, ERROR_INVALID_ARGUMENT, "field user.groups is too long");
    if (user->name[0] && (!is_name(user->name) || strpbrk(user->name, ":\n")))
        return error_set(err, ERROR_INVALID_ARGUMENT, "field user.name is no user name");
    if (strpbrk(user->home, ":\n"))
        return error_set(err, ERROR_INVALID_ARGUMENT, "field user.home is no path");
    return true;
}

static bool check_processes(const Eos__Executor__V1__TaskPlan *plan, struct error *err)
{
    if (plan->n_processes == 0 || plan->n_processes > PLAN_MAX_PROCESSES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "a plan must have 1 to %u processes, not %zu",
                         PLAN_MAX_PROCESSES, plan->n_processes);
    for (size_t i = 0; i < plan->n_processes; i++)
        if (!check_process(plan->processes[i], err))
            return false;
    size_t ordered = 0;
    for (size_t i = 0; i < plan->n_constraints; i++)
        ordered += plan->constraints[i]->n_names;
    if (ordered > PLAN_MAX_ORDERED || plan->n_constraints > PLAN_MAX_ORDERED)
        return error_set(err, ERROR_INVALID_ARGUMENT, "the constraints have more than %u names",
                         PLAN_MAX_ORDERED);
    return true;
}

bool plan_check(const Eos__Executor__V1__TaskPlan *plan, struct error *err)
{
    if (!is_name(plan->task_id))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "field task_id must be 1 to %u bytes of UTF-8 without \"/\"",
                         PLAN_MAX_NAME);
    if (!check_path("run_directory", plan->run_directory, err) ||
        !check_path("sandbox", plan->sandbox, err) ||
        !check_path("log_directory", plan->log_directory, err) ||
        !check_count("max_failures", plan->max_failures, err) ||
        !check_count("max_concurrency", plan->max_concurrency, err) ||
        !check_count("finalization_wait_secs", plan->finalization_wait_secs, err) ||
        !check_count("kill_grace_ms", plan->kill_grace_ms, err))
        return false;
    if (!check_processes(plan, err) || !check_environment(plan, err))
        return false;
    if (plan->user && !check_user(plan->user, err))
        return false;
    return !plan->container || check_container(plan->container, err);
}

bool plan_decode(struct slice bytes, Eos__Executor__V1__TaskPlan **ret_plan, struct error *err)
{
    if (bytes.len > PLAN_MAX_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "the plan is larger than %u bytes",
                         PLAN_MAX_BYTES);
    Eos__Executor__V1__TaskPlan *plan =
        eos__executor__v1__task_plan__unpack(NULL, bytes.len, (const uint8_t *)bytes.ptr);
    if (!plan)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "the plan is no eos.executor.v1.TaskPlan in binary form");
    *ret_plan = plan;
    return true;
}

void plan_free(Eos__Executor__V1__TaskPlan *plan)
{
    if (plan)
        eos__executor__v1__task_plan__free_unpacked(plan, NULL);
}
