#include "launcher/isolators.h"

#include "launcher/launch.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "folder.h"
#include "unit/test.h"

typedef Eos__Executor__V1__TaskPlan task_plan;

/* -- choosing ------------------------------------------------------------------------------------- */

static const struct choose_case {
    const char *name, *names;
    size_t count;
    const char *message; /* "": chosen */
} choices[] = {
    { "the default", ISOLATORS_DEFAULT, 15, "" },
    { "none", "", 0, "" },
    { "spaces", " linux/nnp , cgroups/cpu", 2, "" },
    { "unknown", "cgroups/quantum", 0, "flag --isolation: expected names out of filesystem/linux" },
    { "twice", "linux/nnp,linux/nnp", 0, "linux/nnp is there twice" },
    { "an empty name", "linux/nnp,,cgroups/cpu", 0, "flag --isolation" },
};

static void chooses(void **state)
{
    const struct choose_case *c = *state;
    struct isolators isolators = { .count = 0 };
    struct error err = { 0 };
    bool ok = isolators_choose(c->names, &isolators, &err);
    assert_int_equal(ok, c->message[0] == 0);
    assert_non_null(strstr(err.message, c->message));
    assert_int_equal(isolators.count, c->count);
}

/* -- preparing ------------------------------------------------------------------------------------ */

struct fixture {
    struct folder folder;
    struct arena *arena;
    Eos__Job__V1__AssignedTask assigned;
    Eos__Job__V1__TaskConfig config;
    Eos__Job__V1__Container message;
    Eos__Job__V1__MesosContainer mesos;
    Eos__Job__V1__Volume volume, *volumes[1];
    Eos__Job__V1__Resource cpus, *resources[1];
    struct account account;
    struct image image;
    struct container container;
    struct isolators isolators;
    task_plan plan;
    struct error err;
};

static void make(struct fixture *f, const char *isolation)
{
    static const char *const layers[] = { "/layers/a", "/layers/b" };
    static const char *const environment[] = { "LANG=C" };
    memset(f, 0, sizeof *f);
    f->folder = folder_make();
    f->arena = arena_new();
    eos__job__v1__assigned_task__init(&f->assigned);
    eos__job__v1__task_config__init(&f->config);
    eos__job__v1__container__init(&f->message);
    eos__job__v1__mesos_container__init(&f->mesos);
    eos__job__v1__volume__init(&f->volume);
    eos__job__v1__resource__init(&f->cpus);
    eos__executor__v1__task_plan__init(&f->plan);
    f->cpus.resource_case = EOS__JOB__V1__RESOURCE__RESOURCE_NUM_CPUS;
    f->cpus.num_cpus = 1.5;
    f->resources[0] = &f->cpus;
    f->config.resources = f->resources;
    f->config.n_resources = 1;
    f->assigned.task = &f->config;
    f->volumes[0] = &f->volume;
    f->mesos.volumes = f->volumes;
    f->message.container_case = EOS__JOB__V1__CONTAINER__CONTAINER_MESOS;
    f->message.mesos = &f->mesos;
    f->config.container = &f->message;
    f->image = (struct image){ .digest = "sha256:00",
                               .layers = layers,
                               .layer_count = 2,
                               .environment = environment,
                               .environment_count = 1,
                               .working_directory = "" };
    f->container = (struct container){
        .task_id = "t",
        .task = &f->assigned,
        .account = &f->account,
        .directory = f->folder.path,
        .state_directory = "/nowhere/state",
        .sandbox = "/nowhere/state/sandboxes/t",
        .sandbox_target = LAUNCH_SANDBOX_TARGET,
        .arena = f->arena,
    };
    assert_true(isolators_choose(isolation, &f->isolators, &f->err));
}

static bool prepare(struct fixture *f)
{
    return isolators_prepare(&f->isolators, &f->container, &f->plan, &f->err);
}

static void done(struct fixture *f)
{
    arena_free(f->arena);
    folder_remove(&f->folder);
}

static const Eos__Executor__V1__MountPlan *find_mount(const task_plan *plan, const char *target)
{
    const Eos__Executor__V1__MountPlan *found = NULL;
    for (size_t i = 0; i < plan->container->n_mounts; i++)
        if (strcmp(plan->container->mounts[i]->target, target) == 0)
            found = plan->container->mounts[i];
    return found;
}

static void the_host_itself_is_shown_with_its_own_processes(void **state)
{
    struct fixture f;
    (void)state;
    make(&f, ISOLATORS_DEFAULT);
    assert_true(prepare(&f));
    const Eos__Executor__V1__ContainerPlan *container = f.plan.container;
    assert_null(container->root);
    assert_true(container->unshare_mount && container->unshare_pid && container->unshare_ipc &&
                container->unshare_uts && container->unshare_cgroup);
    assert_non_null(find_mount(&f.plan, "/proc"));
    assert_null(find_mount(&f.plan, "/dev"));
    assert_null(find_mount(&f.plan, LAUNCH_SANDBOX_TARGET));
    assert_true(container->no_new_privileges && container->default_seccomp);
    assert_true(container->n_capabilities > 0 && container->n_masked_paths > 0);
    assert_string_equal(container->cgroup->path, "eos/t");
    assert_true(container->cgroup->cpus == 1.5);
    assert_true(container->cgroup->pids > 0);
    done(&f);
}

static void an_image_has_a_root_of_its_own(void **state)
{
    struct fixture f;
    (void)state;
    make(&f, ISOLATORS_DEFAULT);
    f.container.image = &f.image;
    assert_true(prepare(&f));
    const Eos__Executor__V1__RootPlan *root = f.plan.container->root;
    assert_int_equal(root->n_layers, 2);
    assert_string_equal(root->layers[0], "/layers/a");
    assert_non_null(strstr(root->upper, "/upper"));
    assert_non_null(find_mount(&f.plan, "/dev"));
    assert_true(find_mount(&f.plan, "/sys")->readonly);
    assert_int_equal(f.plan.container->n_devices, 6);
    const Eos__Executor__V1__MountPlan *sandbox = find_mount(&f.plan, LAUNCH_SANDBOX_TARGET);
    assert_string_equal(sandbox->source, "/nowhere/state/sandboxes/t");
    assert_true(sandbox->nosuid && sandbox->nodev && !sandbox->readonly);
    assert_int_equal(f.plan.n_environment, 1);
    assert_true(isolators_cleanup(&f.isolators, "t-that-never-was", f.folder.path, &f.err));
    cleanup_free char *upper = xasprintf("%s/upper", f.folder.path);
    assert_int_not_equal(access(upper, F_OK), 0);
    done(&f);
}

static void an_image_needs_the_isolator_for_it(void **state)
{
    struct fixture f;
    (void)state;
    make(&f, "linux/nnp");
    f.container.image = &f.image;
    assert_false(prepare(&f));
    assert_non_null(strstr(f.err.message, "filesystem/linux"));
    done(&f);
}

static const struct volume_case {
    const char *name, *container_path, *host_path; /* "FOLDER/…" is in a directory of the test */
    int mode;
    const char *target; /* NULL: refused */
    const char *message;
} volumes[] = {
    { "a directory", "/data", "FOLDER/data", EOS__JOB__V1__VOLUME_MODE__RW, "/data", "" },
    { "read only", "/data", "FOLDER/data", EOS__JOB__V1__VOLUME_MODE__RO, "/data", "" },
    { "no mode is read only", "/data", "FOLDER/data", 0, "/data", "" },
    { "a file", "/data", "FOLDER/data/file", EOS__JOB__V1__VOLUME_MODE__RW, "/data", "" },
    { "in the sandbox", "data", "FOLDER/data", EOS__JOB__V1__VOLUME_MODE__RW,
      LAUNCH_SANDBOX_TARGET "/data", "" },
    { "not there", "/data", "FOLDER/none", EOS__JOB__V1__VOLUME_MODE__RW, NULL,
      "could not mount the volume" },
    { "a relative host path", "/data", "data", EOS__JOB__V1__VOLUME_MODE__RW, NULL,
      "host path must be absolute" },
    { "a parent on the host", "/data", "/tmp/../etc", EOS__JOB__V1__VOLUME_MODE__RW, NULL,
      "host path must be absolute" },
    { "a parent in the container", "/data/..", "FOLDER/data", EOS__JOB__V1__VOLUME_MODE__RW, NULL,
      "container path" },
    { "no container path", "", "FOLDER/data", EOS__JOB__V1__VOLUME_MODE__RW, NULL,
      "container path" },
    { "a device", "/data", "/dev/null", EOS__JOB__V1__VOLUME_MODE__RW, NULL, "neither" },
    { "the launcher's own state", "/data", "FOLDER", EOS__JOB__V1__VOLUME_MODE__RW, NULL,
      "state of the host's launcher" },
    { "a way to the launcher's state", "/data", "FOLDER/link", EOS__JOB__V1__VOLUME_MODE__RW, NULL,
      "state of the host's launcher" },
};

static void mounts_or_explains(void **state)
{
    const struct volume_case *c = *state;
    struct fixture f;
    make(&f, "volume/host_path");
    folder_add_file(&f.folder, "data/file", "x");
    folder_add_file(&f.folder, "state/x", "x");
    cleanup_free char *link = xasprintf("%s/link", f.folder.path);
    assert_int_equal(symlink("state", link), 0);
    f.container.state_directory = arena_printf(f.arena, "%s/state", f.folder.path);
    f.mesos.n_volumes = 1;
    f.volume.container_path = (char *)c->container_path;
    f.volume.host_path = strncmp(c->host_path, "FOLDER", 6) == 0
                             ? arena_printf(f.arena, "%s%s", f.folder.path, c->host_path + 6)
                             : (char *)c->host_path;
    f.volume.mode = (Eos__Job__V1__VolumeMode)c->mode;

    bool ok = prepare(&f);
    assert_non_null(strstr(f.err.message, c->message));
    assert_int_equal(ok, c->target != NULL);
    if (ok) {
        const Eos__Executor__V1__MountPlan *mount = find_mount(&f.plan, c->target);
        assert_non_null(mount);
        assert_int_equal(mount->readonly, c->mode != EOS__JOB__V1__VOLUME_MODE__RW);
        assert_int_equal(mount->is_file, strstr(c->host_path, "file") != NULL);
        assert_true(mount->nosuid && mount->nodev);
    }
    done(&f);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(the_host_itself_is_shown_with_its_own_processes),
        cmocka_unit_test(an_image_has_a_root_of_its_own),
        cmocka_unit_test(an_image_needs_the_isolator_for_it),
    };
    return RUN_CASES(choices, chooses) + RUN_CASES(volumes, mounts_or_explains) +
           cmocka_run_group_tests(others, NULL, NULL);
}
