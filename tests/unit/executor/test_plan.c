#include "executor/plan.h"

#include "fixture.h"
#include "unit/test.h"

#include <math.h>

/* Each row spoils one thing of a good plan. */
typedef Eos__Executor__V1__TaskPlan task_plan;

static char long_text[PLAN_MAX_ARGUMENT + 2];

static Eos__Executor__V1__ContainerPlan *container(task_plan *plan)
{
    return plan->container;
}

#define SPOIL(name, statement)                                                                     \
    static void name(task_plan *plan)                                                              \
    {                                                                                              \
        statement;                                                                                 \
    }

SPOIL(nothing, (void)plan)
SPOIL(no_task_id, plan->task_id = "")
SPOIL(task_id_path, plan->task_id = "../x")
SPOIL(task_id_slash, plan->task_id = "a/b")
SPOIL(task_id_bytes, plan->task_id = "\377")
SPOIL(relative_run, plan->run_directory = "run")
SPOIL(relative_sandbox, plan->sandbox = "")
SPOIL(relative_logs, plan->log_directory = "logs")
SPOIL(no_process, plan->n_processes = 0)
SPOIL(many_processes, plan->n_processes = PLAN_MAX_PROCESSES + 1)
SPOIL(dot_process, plan->processes[0]->name = ".logs")
SPOIL(control_process, plan->processes[0]->name = "a\nb")
SPOIL(no_command, plan->processes[0]->cmdline = "")
SPOIL(long_command, plan->processes[0]->cmdline = long_text)
SPOIL(negative_failures, plan->processes[0]->max_failures = -1)
SPOIL(negative_wait, plan->finalization_wait_secs = -1)
SPOIL(negative_grace, plan->kill_grace_ms = -1)
SPOIL(bad_variable, plan->environment[0]->name = "a=b")
SPOIL(empty_variable, plan->environment[0]->name = "")
SPOIL(long_variable, plan->environment[0]->value = long_text)
SPOIL(no_backups, plan->processes[0]->logger->rotate_bytes = 10)
SPOIL(good_rotation, plan->processes[0]->logger->rotate_bytes = 10;
      plan->processes[0]->logger->rotate_backups = 2)
SPOIL(bad_user, plan->user->name = "a:b")
SPOIL(no_layers, container(plan)->root->n_layers = 0)
SPOIL(relative_layer, container(plan)->root->layers[0] = "x")
SPOIL(upper_alone, container(plan)->root->upper = "/upper")
SPOIL(bad_mount_type, container(plan)->mounts[0]->type = "nfs")
SPOIL(relative_source, container(plan)->mounts[0]->source = "x")
SPOIL(relative_target, container(plan)->mounts[0]->target = "x")
SPOIL(bad_capability, container(plan)->capabilities[0] = "CAP_EVERYTHING")
SPOIL(relative_mask, container(plan)->masked_paths[0] = "x")
SPOIL(no_mount_namespace, container(plan)->unshare_mount = false)
SPOIL(host_name, container(plan)->hostname = "box")
SPOIL(cgroup_dots, container(plan)->cgroup->path = "eos/../x")
SPOIL(cgroup_absolute, container(plan)->cgroup->path = "/eos")
SPOIL(cgroup_empty, container(plan)->cgroup->path = "")
SPOIL(cgroup_negative, container(plan)->cgroup->memory_bytes = -1)
SPOIL(cgroup_nan, container(plan)->cgroup->cpus = NAN)
SPOIL(cgroup_version, container(plan)->cgroup->version = 9)

static const struct plan_case {
    const char *name;
    void (*spoil)(task_plan *plan);
    const char *message; /* NULL when the plan is good */
} cases[] = {
    { "good", nothing, NULL },
    { "no task id", no_task_id, "task_id" },
    { "task id that leads out", task_id_path, "task_id" },
    { "task id with a slash", task_id_slash, "task_id" },
    { "task id that is no text", task_id_bytes, "task_id" },
    { "relative run directory", relative_run, "run_directory" },
    { "no sandbox", relative_sandbox, "sandbox" },
    { "relative log directory", relative_logs, "log_directory" },
    { "no process", no_process, "1 to 1000 processes" },
    { "too many processes", many_processes, "1 to 1000 processes" },
    { "process name with a dot", dot_process, "process name" },
    { "process name with a line end", control_process, "process name" },
    { "no command line", no_command, "process \"a\" has no command line" },
    { "command line that execve() refuses", long_command, "longer than 131071" },
    { "negative max_failures", negative_failures, "must not be negative" },
    { "negative finalization wait", negative_wait, "finalization_wait_secs" },
    { "negative grace", negative_grace, "kill_grace_ms" },
    { "variable with an equals sign", bad_variable, "variable 1" },
    { "variable without a name", empty_variable, "variable 1" },
    { "variable that execve() refuses", long_variable, "variable 1 is longer" },
    { "rotation without backups", no_backups, "logger" },
    { "rotation", good_rotation, NULL },
    { "user name with a colon", bad_user, "user.name" },
    { "root without layers", no_layers, "root.layers" },
    { "relative layer", relative_layer, "root.layers" },
    { "upper without work", upper_alone, "root.work" },
    { "unknown type of mount", bad_mount_type, "type of mount 1" },
    { "relative source", relative_source, "mounts.source" },
    { "relative target", relative_target, "mounts.target" },
    { "unknown capability", bad_capability, "capability 1" },
    { "relative mask", relative_mask, "masked_paths" },
    { "mounts on the host", no_mount_namespace, "need unshare_mount" },
    { "host name on the host", host_name, "needs unshare_uts" },
    { "cgroup path that leads out", cgroup_dots, "cgroup.path" },
    { "absolute cgroup path", cgroup_absolute, "cgroup.path" },
    { "empty cgroup path", cgroup_empty, "cgroup.path" },
    { "negative limit", cgroup_negative, "limits of field cgroup" },
    { "cpus that are no number", cgroup_nan, "limits of field cgroup" },
    { "unknown cgroup version", cgroup_version, "cgroup.version" },
};

/* Makes `type` with its defaults in `arena`. */
#define MAKE(arena, type, prefix)                                                                  \
    ({                                                                                             \
        type *made_ = arena_alloc((arena), sizeof *made_);                                         \
        prefix##__init(made_);                                                                     \
        made_;                                                                                     \
    })
#define LIST_OF(arena, item)                                                                       \
    ({                                                                                             \
        __typeof__(item) *list_ = arena_array((arena), 1, sizeof *list_);                          \
        list_[0] = (item);                                                                         \
        list_;                                                                                     \
    })

static Eos__Executor__V1__ContainerPlan *good_container(struct arena *arena)
{
    Eos__Executor__V1__ContainerPlan *made =
        MAKE(arena, Eos__Executor__V1__ContainerPlan, eos__executor__v1__container_plan);
    Eos__Executor__V1__MountPlan *mount =
        MAKE(arena, Eos__Executor__V1__MountPlan, eos__executor__v1__mount_plan);
    mount->type = "bind";
    mount->source = "/sandboxes/x";
    mount->target = "/sandbox";
    made->n_mounts = 1;
    made->mounts = LIST_OF(arena, mount);
    made->unshare_mount = made->unshare_pid = true;
    made->root = MAKE(arena, Eos__Executor__V1__RootPlan, eos__executor__v1__root_plan);
    made->root->n_layers = 1;
    made->root->layers = LIST_OF(arena, arena_strdup(arena, "/layers/1"));
    made->root->mount_point = "/root";
    made->cgroup = MAKE(arena, Eos__Executor__V1__CgroupPlan, eos__executor__v1__cgroup_plan);
    made->cgroup->version = EOS__EXECUTOR__V1__CGROUP_PLAN__VERSION__V1;
    made->cgroup->path = "eos/x";
    made->n_capabilities = 1;
    made->capabilities = LIST_OF(arena, arena_strdup(arena, "CAP_CHOWN"));
    made->n_masked_paths = 1;
    made->masked_paths = LIST_OF(arena, arena_strdup(arena, "/proc/kcore"));
    return made;
}

static task_plan *good_plan(struct arena *arena)
{
    task_plan *plan = fixture_plan(arena, "a; b");
    Eos__Executor__V1__Variable *variable =
        MAKE(arena, Eos__Executor__V1__Variable, eos__executor__v1__variable);
    variable->name = "A";
    plan->n_environment = 1;
    plan->environment = LIST_OF(arena, variable);
    plan->user = MAKE(arena, Eos__Executor__V1__UserPlan, eos__executor__v1__user_plan);
    plan->user->name = "www-data";
    plan->processes[0]->logger =
        MAKE(arena, Eos__Executor__V1__LoggerPlan, eos__executor__v1__logger_plan);
    plan->container = good_container(arena);
    return plan;
}

static void is_checked(void **state)
{
    const struct plan_case *c = *state;
    struct arena *arena = arena_new();
    struct error err = { 0 };
    task_plan *plan = good_plan(arena);
    c->spoil(plan);

    bool ok = plan_check(plan, &err);

    assert_int_equal(ok, c->message == NULL);
    if (c->message) {
        assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
        assert_non_null(strstr(err.message, c->message));
    }
    arena_free(arena);
}

static const struct bytes_case {
    const char *name;
    struct slice bytes;
    bool is_good;
} bytes_cases[] = {
    { "empty", { "", 0 }, true }, /* decodes; the check refuses it */
    { "an id", { "\12\1x", 3 }, true },
    { "cut short", { "\12\5x", 3 }, false },
    { "no field", { "\377\377\377", 3 }, false },
    { "text", { "task_id: \"x\"\n", 13 }, false },
};

static void is_decoded(void **state)
{
    const struct bytes_case *c = *state;
    struct error err = { 0 };
    task_plan *plan = NULL;
    assert_int_equal(plan_decode(c->bytes, &plan, &err), c->is_good);
    assert_int_equal(plan != NULL, c->is_good);
    plan_free(plan);
}

int main(void)
{
    memset(long_text, 'x', sizeof long_text - 1);
    return RUN_CASES(cases, is_checked) + RUN_CASES(bytes_cases, is_decoded);
}
