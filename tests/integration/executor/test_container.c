/* Containers on this kernel, and what is left when something in them or of them dies. */

#include "bed.h"

#include "plan/limits.h"
#include "unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define STATE(name) EOS__EXECUTOR__V1__TASK_STATE__##name
#define MIB         (1ll << 20)

static Eos__Executor__V1__CgroupPlan *cgroup_of(struct bed *bed)
{
    return bed->plan->container->cgroup;
}

/* Runs one command in the container; returns its output. */
static const char *output_of(struct bed *bed, const char *cmdline)
{
    bed_add_process(bed, "p", cmdline);
    int status = bed_run(bed);
    const char *complaint = bed_read_log(bed, "p", 0, "stderr");
    if (status != 0)
        fail_msg("the task failed: %s", complaint);
    return bed_read_log(bed, "p", 0, "stdout");
}

/* ---- what is inside ------------------------------------------------------------------------- */

static void has_its_own_world(void **state)
{
    struct bed *bed = *state;
    bed_contain(bed);
    bed_use_user(bed, "www-data", 33);
    const char *out = output_of(bed, "cat /proc/sys/kernel/hostname; ps -o pid,comm; id; pwd; "
                                     "grep -o :memory:/.* /proc/self/cgroup; ls /");
    assert_non_null(strstr(out, "    1 eos-first\n"));
    assert_null(strstr(out, "eos-executor"));
    assert_non_null(strstr(out, "uid=33(www-data) gid=33(www-data)\n/sandbox\n"
                                ":memory:/\nbin\ndev\netc\nproc\nsandbox\nsys\n"));
    assert_int_equal(strncmp(out, "box\n", 4), 0);
}

static void is_restricted(void **state)
{
    struct bed *bed = *state;
    bed_contain(bed);
    const char *out =
        output_of(bed, "grep -E '^(CapEff|CapBnd|CapInh|NoNewPrivs|Seccomp):' /proc/self/status");
    assert_string_equal(out, "CapInh:\t0000000000000000\nCapEff:\t0000000000000021\n"
                             "CapBnd:\t0000000000000021\nNoNewPrivs:\t1\nSeccomp:\t2\n");
}

static void gives_users_no_capabilities(void **state)
{
    struct bed *bed = *state;
    bed_contain(bed);
    bed_use_user(bed, "www-data", 33);
    const char *out = output_of(bed, "grep -E '^(CapEff|CapPrm|CapBnd|Groups):' /proc/self/status");
    assert_string_equal(out, "Groups:\t \nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
                             "CapBnd:\t0000000000000021\n");
}

/* As root inside, with the capabilities that engines give: every one of these must fail. */
static const char *const forbidden[] = {
    "mount -t tmpfs tmpfs /bin",
    "unshare -m true",
    "unshare -U true",
    "mknod /dev/x b 8 0",
    "mknod /x c 1 3 && cat /x",
    "cat /proc/1/environ",
    "ls /proc/1/root/",
    "readlink /proc/1/fd/0",
    "readlink /proc/1/exe",
    "cat /sys/firmware/x",
    "ls /sys/firmware | grep .",
    "head -c 1 /proc/kcore | grep .",
    "echo 1 > /proc/sys/kernel/panic",
    "echo h > /proc/sysrq-trigger",
    "echo 1 > /sys/fs/cgroup/memory/memory.limit_in_bytes",
    "kill -9 1; ps -o pid | grep -q '^ *1$' && exit 1",
};

static void forbids(void **state)
{
    struct bed *bed = *state;
    struct text script = { 0 };
    bed_contain(bed);
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
        text_printf(&script, "(%s) >/dev/null 2>&1 && echo '%zu was allowed'\n", forbidden[i], i);
    text_add(&script, "echo checked");
    const char *out = output_of(bed, text_string(&script));
    text_done(&script);
    assert_string_equal(out, "checked\n");
}

static void has_devices(void **state)
{
    struct bed *bed = *state;
    bed_contain(bed);
    bed_use_user(bed, "www-data", 33);
    const char *out = output_of(
        bed, "echo x > /dev/null; head -c 3 /dev/zero | wc -c; head -c 5 /dev/urandom | wc -c; "
             "echo to-stderr > /dev/stderr; [ -c /dev/ptmx ] && stat -c '%a %t %T' /dev/null; ls "
             "-d /dev/fd/0");
    assert_string_equal(out, "3\n5\n666 1 3\n/dev/fd/0\n");
    assert_string_equal(bed_read_log(bed, "p", 0, "stderr"), "to-stderr\n");
}

static void shows_nothing_of_the_host(void **state)
{
    struct bed *bed = *state;
    bed_contain(bed);
    const char *out = output_of(bed, "cat /proc/mounts");
    assert_null(strstr(out, bed_path(bed, "rootfs")));
    assert_null(strstr(out, "/etc/")); /* no mount that was not asked for */
    assert_non_null(strstr(out, "overlay / overlay rw"));
    assert_non_null(strstr(out, " /sys sysfs ro"));
    assert_non_null(strstr(out, " /proc/interrupts devtmpfs ro")); /* the host's /dev/null */
}

/* ---- roots ---------------------------------------------------------------------------------- */

static void set_layers(struct bed *bed, const char *lower, const char *upper)
{
    Eos__Executor__V1__RootPlan *root = bed->plan->container->root;
    root->layers[0] = bed_path(bed, lower);
    root->layers[1] = bed_path(bed, upper);
    root->n_layers = 2;
}

static void stacks_layers(void **state)
{
    struct bed *bed = *state;
    bed_contain(bed);
    bed_make_directory(bed, "top/etc");
    bed_write(bed, "rootfs/etc/both", "lower");
    bed_write(bed, "rootfs/etc/gone", "lower");
    bed_write(bed, "rootfs/etc/lower", "lower");
    bed_write(bed, "top/etc/both", "upper");
    assert_int_equal(mknod(bed_path(bed, "top/etc/gone"), S_IFCHR, makedev(0, 0)), 0);
    set_layers(bed, "rootfs", "top");
    const char *out = output_of(bed, "cd /etc; ls; cat both lower; echo new > /etc/both");
    assert_string_equal(out, "both\nlower\nupperlower");
    assert_string_equal(bed_read(bed, "rootfs/etc/both"), "lower");
    assert_string_equal(bed_read(bed, "top/etc/both"), "upper");
    assert_string_equal(bed_read(bed, "upper/etc/both"), "new\n");
}

/* Without an upper directory all mount points must be in the image. */
static void make_readonly(struct bed *bed)
{
    static const char *const points[] = { "proc", "dev", "sys", "sandbox" };
    Eos__Executor__V1__RootPlan *root = bed->plan->container->root;
    root->upper = root->work = "";
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++)
        bed_make_directory(bed, arena_printf(bed->arena, "rootfs/%s", points[i]));
}

static void one_readonly_layer(void **state)
{
    struct bed *bed = *state;
    bed_contain(bed);
    make_readonly(bed);
    assert_string_equal(output_of(bed, "touch /x || echo refused; echo y > y; cat y"),
                        "refused\ny\n");
}

static void two_readonly_layers(void **state)
{
    struct bed *bed = *state;
    bed_contain(bed);
    make_readonly(bed);
    bed_make_directory(bed, "top/added");
    set_layers(bed, "rootfs", "top");
    assert_string_equal(output_of(bed, "touch /x || echo refused; ls -d /added"),
                        "refused\n/added\n");
}

static void many_layers(void **state)
{
    struct bed *bed = *state;
    bed_contain(bed);
    Eos__Executor__V1__RootPlan *root = bed->plan->container->root;
    root->layers = arena_array(bed->arena, PLAN_MAX_LAYERS, sizeof *root->layers);
    root->layers[0] = bed_path(bed, "rootfs");
    for (root->n_layers = 1; root->n_layers < PLAN_MAX_LAYERS; root->n_layers++) {
        char *name = arena_printf(bed->arena, "layers-with-a-long-name-%zu:,=\\", root->n_layers);
        root->layers[root->n_layers] = bed_path(bed, name);
        bed_make_directory(bed, arena_printf(bed->arena, "%s/d%zu", name, root->n_layers));
    }
    const char *expected = arena_printf(bed->arena, "%u\n", PLAN_MAX_LAYERS - 1);
    assert_string_equal(output_of(bed, "ls -d /d?* | grep -v dev | wc -l"), expected);
}

static void runs_on_the_hosts_files(void **state)
{
    struct bed *bed = *state;
    bed_contain(bed);
    bed->plan->container->root = NULL;
    bed->plan->container->n_mounts = 0;
    bed->plan->container->n_devices = 0;
    bed->plan->sandbox = bed_path(bed, "sandbox");
    bed->plan->log_directory = bed_path(bed, "sandbox/.logs");
    bed_add_mount(bed, "proc", "proc", "/proc");
    bed_add_mount(bed, "tmpfs", "tmpfs", bed_path(bed, "sandbox/tmp"));
    const char *out = output_of(bed, "echo $BASH; ps -e -o pid= | grep -c .; echo x > tmp/x; pwd");
    assert_non_null(strstr(out, "/bin/bash\n"));
    assert_non_null(strstr(out, bed_path(bed, "sandbox")));
    assert_false(bed_has(bed, "sandbox/tmp/x"));
}

/* ---- mounts --------------------------------------------------------------------------------- */

static void mounts_stay_inside(void **state)
{
    struct bed *bed = *state;
    bed_contain(bed);
    bed_make_directory(bed, "host");
    bed_make_directory(bed, "data");
    bed_write(bed, "data/file", "data");
    bed_link(bed, "rootfs/absolute", bed_path(bed, "host"));
    bed_link(bed, "rootfs/relative", "../../../../../..");
    bed_link(bed, "rootfs/etc/resolv.conf", "../run/resolved/stub.conf");
    bed_add_mount(bed, "bind", bed_path(bed, "data"),
                  arena_printf(bed->arena, "/relative%s", bed_path(bed, "host")));
    bed_add_mount(bed, "bind", bed_path(bed, "data/file"), "/etc/resolv.conf")->is_file = true;
    const char *out = output_of(
        bed, arena_printf(bed->arena,
                          "cat %s/file; cat /etc/resolv.conf; ls -l /etc/resolv.conf | head -c 1",
                          bed_path(bed, "host")));
    assert_string_equal(out, "datadata-");
    assert_false(bed_has(bed, "host/file"));
}

static void a_link_in_the_way_is_refused(void **state)
{
    struct bed *bed = *state;
    bed_contain(bed);
    bed_link(bed, "rootfs/data", bed_path(bed, "sandbox"));
    bed_add_mount(bed, "bind", bed_path(bed, "sandbox"), "/data/inner");
    bed_add_process(bed, "p", "true");
    assert_int_equal(bed_run(bed), 1);
    bed_assert_ended(bed, STATE(FAILED), "could not mount");
    assert_false(bed_has(bed, "sandbox/inner"));
}

/* On the host's file system: links that the task's user has left in the sandbox, or in a volume. */
static const char *const ways_out[] = { "sandbox/link/new", "sandbox/data/link/new",
                                        "sandbox/data/new" };

static void nothing_is_made_outside_of_the_sandbox(void **state)
{
    struct bed *bed = NULL;
    (void)state;
    for (size_t i = 0; i < 2 * sizeof ways_out / sizeof ways_out[0]; i++) {
        assert_int_equal(bed_open((void **)&bed), 0);
        bed_contain(bed);
        bed->plan->container->root = NULL;
        bed->plan->container->n_mounts = bed->plan->container->n_devices = 0;
        bed->plan->sandbox = bed_path(bed, "sandbox");
        bed->plan->log_directory = bed_path(bed, "sandbox/.logs");
        bed_make_directory(bed, "host");
        bed_make_directory(bed, "data");
        bed_link(bed, "sandbox/link", bed_path(bed, "host"));
        bed_link(bed, "data/link", bed_path(bed, "host"));
        bed_write(bed, "file", "file");
        bed_add_mount(bed, "bind", bed_path(bed, "data"), bed_path(bed, "sandbox/data"));
        bed_add_mount(bed, "bind", bed_path(bed, i % 2 ? "file" : "run"),
                      bed_path(bed, ways_out[i / 2]))
            ->is_file = i % 2;
        bed_add_process(bed, "p", "true");
        assert_int_equal(bed_run(bed), 1);
        bed_assert_ended(bed, STATE(FAILED), "could not mount");
        assert_false(bed_has(bed, "host/new"));
        assert_false(bed_has(bed, "data/new"));
        assert_int_equal(bed_close((void **)&bed), 0);
    }
}

static void readonly_means_all_below(void **state)
{
    struct bed *bed = *state;
    bed_contain(bed);
    bed_make_directory(bed, "data/sub");
    Eos__Executor__V1__MountPlan *mount =
        bed_add_mount(bed, "bind", bed_path(bed, "data"), "/data");
    mount->readonly = mount->nodev = mount->noexec = true;
    assert_string_equal(output_of(bed, "touch /data/x || touch /data/sub/x || echo refused"),
                        "refused\n");
}

static const struct broken_case {
    const char *name, *type, *source, *target, *data, *message;
} broken[] = {
    { "no source", "bind", "/no/such/source", "/data", "",
      "could not mount /no/such/source on \"/data\": could not open \"/no/such/source\": No such "
      "file" },
    { "a target below a file", "tmpfs", "tmpfs", "/bin/busybox/x", "",
      "could not mount tmpfs on \"/bin/busybox/x\": could not open" },
    { "an option that tmpfs does not know", "tmpfs", "tmpfs", "/data", "colour=green",
      "tmpfs does not take the mount option \"colour=green\"" },
};

static void explains_what_cannot_be_mounted(void **state)
{
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct bed *bed;
        (void)state;
        assert_int_equal(bed_open((void **)&bed), 0);
        bed_contain(bed);
        bed_add_process(bed, "p", "true");
        bed_add_mount(bed, broken[i].type, broken[i].source, broken[i].target)->data =
            (char *)broken[i].data;
        assert_int_equal(bed_run(bed), 1);
        bed_assert_ended(bed, STATE(FAILED), broken[i].message);
        assert_int_equal(bed->state->n_runs, 0);
        assert_int_equal(bed_close((void **)&bed), 0);
    }
}

static void explains_other_failures(void **state)
{
    struct bed *bed = *state;
    bed_contain(bed);
    bed_add_process(bed, "p", "true");
    bed->plan->container->root->layers[0] = bed_path(bed, "no-layer");
    assert_int_equal(bed_run(bed), 1);
    bed_assert_ended(bed, STATE(FAILED), "could not mount the root: could not");
}

static void needs_a_shell(void **state)
{
    struct bed *bed = *state;
    bed_contain(bed);
    assert_int_equal(unlink(bed_path(bed, "rootfs/bin/sh")), 0);
    bed_add_process(bed, "p", "true");
    assert_int_equal(bed_run(bed), 1);
    bed_assert_ended(bed, STATE(FAILED),
                     "could not execute \"/bin/bash\" or \"/bin/sh\": No such file or directory");
}

static void refuses_another_user_of_the_name(void **state)
{
    struct bed *bed = *state;
    bed_contain(bed);
    bed_write(bed, "rootfs/etc/passwd", "www-data:x:82:82::/:/bin/sh\n");
    bed_use_user(bed, "www-data", 33);
    bed_add_process(bed, "p", "true");
    assert_int_equal(bed_run(bed), 1);
    bed_assert_ended(bed, STATE(FAILED), "the image has a user \"www-data\" with uid 82");
}

/* ---- limits --------------------------------------------------------------------------------- */

static void sets_limits(void **state)
{
    struct bed *bed = *state;
    bed_contain(bed);
    cgroup_of(bed)->memory_bytes = 64 * MIB;
    cgroup_of(bed)->cpus = 0.5;
    cgroup_of(bed)->cpu_hard_limit = true;
    cgroup_of(bed)->pids = 20;
    const char *out =
        output_of(bed, "cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes cpu/cpu.shares "
                       "cpu/cpu.cfs_quota_us pids/pids.max; grep -c . memory/cgroup.procs "
                       "freezer/cgroup.procs; echo");
    assert_string_equal(
        out, "67108864\n512\n50000\n20\nmemory/cgroup.procs:3\nfreezer/cgroup.procs:3\n\n");
}

static void memory_runs_out(void **state)
{
    struct bed *bed = *state;
    bed_contain(bed);
    cgroup_of(bed)->memory_bytes = 32 * MIB;
    bed_add_process(bed, "hog", "dd if=/dev/zero of=/dev/null bs=200M count=1; sleep 1000");
    assert_int_equal(bed_run(bed), 1);
    bed_assert_ended(bed, STATE(FAILED), "memory limit of 32 MiB exceeded");
    assert_string_equal(bed->state->runs[0]->state, "KILLED");
}

/* tmpfs counts, too, and no process of the task is large: the kernel takes what it gets. */
static void memory_runs_out_in_a_file_system(void **state)
{
    struct bed *bed = *state;
    bed_contain(bed);
    bed_add_mount(bed, "tmpfs", "tmpfs", "/tmp")->data = "size=200m";
    cgroup_of(bed)->memory_bytes = 32 * MIB;
    bed_add_process(bed, "hog", "head -c 100000000 /dev/zero > /tmp/x; sleep 1000");
    assert_int_equal(bed_run(bed), 1);
    bed_assert_ended(bed, STATE(FAILED), "memory limit of 32 MiB exceeded");
}

static void processes_run_out(void **state)
{
    struct bed *bed = *state;
    bed_contain(bed);
    cgroup_of(bed)->pids = 10;
    bed_add_process(bed, "many", "for i in 1 2 3 4 5 6 7 8 9 10 11; do sleep 1000 & done; exit 4");
    assert_int_equal(bed_run(bed), 1);
    bed_assert_ended(bed, STATE(FAILED), "its limit of 10 processes was reached");
}

/* This kernel's version 2 has no controllers beside version 1's: what needs none works. */
static bool has_v2(void)
{
    return access("/sys/fs/cgroup/unified/cgroup.procs", F_OK) == 0 ||
           access("/sys/fs/cgroup/cgroup.procs", F_OK) == 0;
}

static void runs_in_version_2(void **state)
{
    struct bed *bed = *state;
    if (!has_v2())
        skip();
    bed_contain(bed);
    cgroup_of(bed)->version = EOS__EXECUTOR__V1__CGROUP_PLAN__VERSION__V2;
    bed_add_process(bed, "a", "sleep 1000")->ephemeral = true;
    const char *out =
        output_of(bed, "grep ^0: /proc/self/cgroup; grep -c . /sys/fs/cgroup/cgroup.procs; [ -e "
                       "/sys/fs/cgroup/cgroup.kill ] && echo own");
    assert_non_null(strstr(out, "0::/\n"));
    assert_non_null(strstr(out, "own\n"));
}

static void explains_a_missing_controller(void **state)
{
    struct bed *bed = *state;
    if (access("/sys/fs/cgroup/unified/cgroup.procs", F_OK) != 0)
        skip();
    bed_contain(bed);
    cgroup_of(bed)->version = EOS__EXECUTOR__V1__CGROUP_PLAN__VERSION__V2;
    cgroup_of(bed)->memory_bytes = 64 * MIB;
    bed_add_process(bed, "p", "true");
    assert_int_equal(bed_run(bed), 1);
    bed_assert_ended(bed, STATE(FAILED),
                     "could not set the memory limit: this host has no memory "
                     "controller in cgroup version 2");
}

/* ---- deaths --------------------------------------------------------------------------------- */

static void start_long(struct bed *bed)
{
    bed_contain(bed);
    bed_add_process(bed, "long", "setsid sleep 1000 & echo ready > ready; sleep 1000");
    bed_start(bed);
    bed_connect(bed);
    bed_hello(bed);
    bed_read(bed, "sandbox/ready");
    bed_await_run(bed, "long", "RUNNING");
}

static void kill_ends_it(void **state)
{
    struct bed *bed = *state;
    start_long(bed);
    bed_kill(bed, "enough");
    bed_await(bed, STATE(KILLED));
    bed_acknowledge(bed);
    assert_int_equal(bed_wait(bed), 1);
    bed_assert_ended(bed, STATE(KILLED), "enough");
}

static void its_first_process_is_killed(void **state)
{
    struct bed *bed = *state;
    start_long(bed);
    pid_t inner = bed_inner(bed);
    assert_true(inner > 1);
    assert_int_equal(kill(inner, SIGKILL), 0);
    bed_await(bed, STATE(LOST));
    assert_non_null(strstr(bed->state->message, "first process was killed by signal 9 (Killed)"));
    bed_await_run(bed, "long", "LOST");
    bed_acknowledge(bed);
    assert_int_equal(bed_wait(bed), 1);
}

static void its_first_process_does_not_answer(void **state)
{
    struct bed *bed = *state;
    bed->plan->kill_grace_ms = 0;
    start_long(bed);
    assert_int_equal(kill(bed_inner(bed), SIGSTOP), 0);
    bed_kill(bed, "enough");
    bed_await(bed, STATE(KILLED));
    bed_acknowledge(bed);
    assert_int_equal(bed_wait(bed), 1);
}

static void a_frozen_one_is_killed(void **state)
{
    struct bed *bed = *state;
    bed->plan->kill_grace_ms = 0;
    start_long(bed);
    int fd = open(arena_printf(bed->arena, "/sys/fs/cgroup/freezer/eos-test/%s/freezer.state",
                               bed->plan->task_id),
                  O_WRONLY);
    assert_int_equal(write(fd, "FROZEN", 6), 6);
    close(fd);
    bed_kill(bed, "enough");
    bed_await(bed, STATE(KILLED));
    bed_acknowledge(bed);
    assert_int_equal(bed_wait(bed), 1);
}

/* Nothing runs unsupervised, and the record tells how far it was. */
static void the_executor_is_killed(void **state)
{
    struct bed *bed = *state;
    start_long(bed);
    assert_int_equal(kill(bed->pid, SIGKILL), 0);
    assert_int_equal(bed_wait(bed), 128 + SIGKILL);
    bed_await_no_process(bed);
    assert_true(bed_has(bed, "run/record"));
    assert_false(bed_has(bed, "run/exit"));
    assert_int_equal(bed_run_beside(bed, "--clean"), 0);
    assert_false(bed_has(bed, "run/executor.sock"));
    assert_int_equal(bed_run_beside(bed, "--clean"), 0);
}

static void it_is_killed_while_it_shares_processes(void **state)
{
    struct bed *bed = *state;
    bed_contain(bed);
    bed->plan->container->unshare_pid = false;
    bed->plan->container->n_masked_paths = 0;
    bed_add_process(bed, "long", "setsid sleep 1000 & echo ready > ready; sleep 1000");
    bed_start(bed);
    bed_read(bed, "sandbox/ready");
    assert_int_equal(kill(bed->pid, SIGKILL), 0);
    assert_int_equal(bed_wait(bed), 128 + SIGKILL);
    assert_int_equal(bed_run_beside(bed, "--clean"), 0);
    bed_await_no_process(bed);
}

static void ends_all_without_a_pid_namespace(void **state)
{
    struct bed *bed = *state;
    bed_contain(bed);
    bed->plan->container->unshare_pid = false;
    bed_add_process(
        bed, "leaver",
        "setsid sh -c 'echo ready > ready; sleep 1000' & while ! [ -e ready ]; do :; done");
    assert_int_equal(bed_run(bed), 0);
    bed_assert_ended(bed, STATE(FINISHED), "");
}

static void makes_cgroups_for_itself(void **state)
{
    struct bed *bed = *state;
    bed_contain(bed);
    cgroup_of(bed)->path = arena_printf(bed->arena, "eos-test/%s/deep/down", bed->plan->task_id);
    assert_string_equal(output_of(bed, "echo yes"), "yes\n");
}

/* A container that may make groups leaves none. */
static void its_own_groups_go_with_it(void **state)
{
    struct bed *bed = *state;
    bed_contain(bed);
    bed->plan->container->unshare_pid = false;
    bed->plan->container->n_mounts -= 2;
    bed_add_mount(bed, "cgroup", "cgroup", "/sys/fs/cgroup");
    bed_add_mount(bed, "bind", bed_path(bed, "sandbox"), "/sandbox");
    bed_add_process(
        bed, "a",
        "cd /sys/fs/cgroup; for i in *; do mkdir -p $i/sub/deep; done; "
        "setsid sh -c 'for i in */sub/deep; do echo 0 > $i/cgroup.procs; done; "
        "echo ready > /sandbox/ready; sleep 1000' & while ! [ -e /sandbox/ready ]; do :; done");
    bed_start(bed);
    bed_read(bed, "sandbox/ready");
    assert_int_equal(kill(bed->pid, SIGKILL), 0);
    assert_int_equal(bed_wait(bed), 128 + SIGKILL);
    assert_int_equal(bed_run_beside(bed, "--clean"), 0);
    bed_await_no_process(bed);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, bed_open, bed_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(has_its_own_world),
        TEST(is_restricted),
        TEST(gives_users_no_capabilities),
        TEST(forbids),
        TEST(has_devices),
        TEST(shows_nothing_of_the_host),
        TEST(stacks_layers),
        TEST(one_readonly_layer),
        TEST(two_readonly_layers),
        TEST(many_layers),
        TEST(runs_on_the_hosts_files),
        TEST(mounts_stay_inside),
        TEST(a_link_in_the_way_is_refused),
        cmocka_unit_test(nothing_is_made_outside_of_the_sandbox),
        TEST(readonly_means_all_below),
        cmocka_unit_test(explains_what_cannot_be_mounted),
        TEST(explains_other_failures),
        TEST(needs_a_shell),
        TEST(refuses_another_user_of_the_name),
        TEST(sets_limits),
        TEST(memory_runs_out),
        TEST(memory_runs_out_in_a_file_system),
        TEST(processes_run_out),
        TEST(runs_in_version_2),
        TEST(explains_a_missing_controller),
        TEST(kill_ends_it),
        TEST(its_first_process_is_killed),
        TEST(its_first_process_does_not_answer),
        TEST(a_frozen_one_is_killed),
        TEST(the_executor_is_killed),
        TEST(it_is_killed_while_it_shares_processes),
        TEST(ends_all_without_a_pid_namespace),
        TEST(makes_cgroups_for_itself),
        TEST(its_own_groups_go_with_it),
    };
    if (geteuid() != 0) {
        print_message("containers need root: skipped\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
