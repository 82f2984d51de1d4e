#include "launcher/isolators.h"

#include "launcher/container_plan.h"

static const struct isolator *const known[] = {
    &isolator_filesystem_linux,  &isolator_docker_runtime,     &isolator_appc_runtime,
    &isolator_cgroups_cpu,       &isolator_cgroups_mem,        &isolator_cgroups_pids,
    &isolator_namespaces_pid,    &isolator_namespaces_ipc,     &isolator_namespaces_uts,
    &isolator_namespaces_cgroup, &isolator_linux_capabilities, &isolator_linux_nnp,
    &isolator_linux_seccomp,     &isolator_linux_devices,      &isolator_volume_host_path,
};

static const struct isolator *find(struct slice name)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (slice_is(name, known[i]->name))
            return known[i];
    return NULL;
}

static bool is_chosen(const struct isolators *isolators, const struct isolator *isolator)
{
    for (size_t i = 0; i < isolators->count; i++)
        if (isolators->list[i] == isolator)
            return true;
    return false;
}

static bool refuse_unknown(struct error *err)
{
    char names[200];
    size_t len = 0;
    names[0] = 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0] && len + 30 < sizeof names; i++)
        len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", i > 0 ? ", " : "",
                                known[i]->name);
    return error_set(err, ERROR_INVALID_ARGUMENT, "flag --isolation: expected names out of %s, …",
                     names);
}

bool isolators_choose(const char *names, struct isolators *ret_isolators, struct error *err)
{
    struct isolators isolators = { .count = 0 };
    struct slice rest = slice_of(names);

    while (rest.ptr && rest.len > 0) {
        const struct isolator *isolator = find(slice_trim(slice_split(&rest, ',')));
        if (!isolator)
            return refuse_unknown(err);
        if (is_chosen(&isolators, isolator))
            return error_set(err, ERROR_INVALID_ARGUMENT, "flag --isolation: %s is there twice",
                             isolator->name);
        isolators.list[isolators.count++] = isolator; /* not more than there are known ones */
    }
    *ret_isolators = isolators;
    return true;
}

bool isolators_prepare(const struct isolators *isolators, const struct container *container,
                       Eos__Executor__V1__TaskPlan *plan, struct error *err)
{
    plan->container = arena_alloc(container->arena, sizeof *plan->container);
    eos__executor__v1__container_plan__init(plan->container);
    if (container->image && !is_chosen(isolators, &isolator_filesystem_linux))
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "this host runs no images: its launcher has no filesystem/linux isolator");
    for (size_t i = 0; i < isolators->count; i++) {
        const struct isolator *isolator = isolators->list[i];
        if (isolator->prepare && !isolator->prepare(container, plan, err))
            return false;
    }
    if (container->image)
        container_plan_add_mount(plan, container->arena,
                                 &(struct container_mount){ .type = "bind",
                                                            .source = container->sandbox,
                                                            .target = container->sandbox_target,
                                                            .flags = MOUNT_NOSUID | MOUNT_NODEV });
    return true;
}

bool isolators_isolate(const struct isolators *isolators, const char *task_id, pid_t pid,
                       struct error *err)
{
    bool ok = true;
    struct error other;
    for (size_t i = 0; i < isolators->count; i++)
        if (isolators->list[i]->isolate &&
            !isolators->list[i]->isolate(task_id, pid, ok ? err : &other))
            ok = false;
    return ok;
}

bool isolators_recover(const struct isolators *isolators, const char *task_id, pid_t pid,
                       struct error *err)
{
    bool ok = true;
    struct error other;
    for (size_t i = 0; i < isolators->count; i++)
        if (isolators->list[i]->recover &&
            !isolators->list[i]->recover(task_id, pid, ok ? err : &other))
            ok = false;
    return ok;
}

void isolators_usage(const struct isolators *isolators, const char *task_id,
                     struct isolator_usage *usage)
{
    for (size_t i = 0; i < isolators->count; i++)
        if (isolators->list[i]->usage)
            isolators->list[i]->usage(task_id, usage);
}

bool isolators_watch(const struct isolators *isolators, const char *task_id, struct error *err)
{
    for (size_t i = 0; i < isolators->count; i++)
        if (isolators->list[i]->watch && !isolators->list[i]->watch(task_id, err))
            return false;
    return true;
}

bool isolators_cleanup(const struct isolators *isolators, const char *task_id,
                       const char *directory, struct error *err)
{
    bool ok = true;
    struct error first = { 0 }, other;
    for (size_t i = isolators->count; i > 0; i--) {
        const struct isolator *isolator = isolators->list[i - 1];
        if (isolator->cleanup && !isolator->cleanup(task_id, directory, ok ? &first : &other))
            ok = false;
    }
    if (!ok)
        *err = first;
    return ok;
}
