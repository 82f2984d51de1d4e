#include "bed.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "executor/files.h"
#include "executor/loop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "unit/test.h"

#define LIMIT_MS  20000
#define MAX_ITEMS 64

#define MAKE(bed, type, prefix)                                                                    \
    ({                                                                                             \
        type *made_ = arena_alloc((bed)->arena, sizeof *made_);                                    \
        prefix##__init(made_);                                                                     \
        made_;                                                                                     \
    })

static struct error failure;

#define OK(call)                                                                                   \
    do {                                                                                           \
        if (!(call))                                                                               \
            fail_msg("%s", failure.message);                                                       \
    } while (0)

char *bed_path(struct bed *bed, const char *name)
{
    return arena_printf(bed->arena, "%s/%s", bed->directory, name);
}

/* Again and again, because what is waited for has no descriptor to wait on. */
static void pause_briefly(int64_t deadline_ms, const char *what)
{
    if (clock_monotonic_ms() >= deadline_ms)
        fail_msg("waited too long for %s", what);
    (void)poll(NULL, 0, 2);
}

/* ---- files ---------------------------------------------------------------------------------- */

void bed_make_directory(struct bed *bed, const char *name)
{
    OK(make_directories(bed_path(bed, name), 0755, &failure));
}

void bed_link(struct bed *bed, const char *name, const char *target)
{
    assert_int_equal(symlink(target, bed_path(bed, name)), 0);
}

static void write_file(struct bed *bed, const char *name, const void *bytes, size_t len)
{
    cleanup_close int fd =
        open(bed_path(bed, name), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0755);
    assert_true(fd >= 0);
    assert_true(write_all(fd, bytes, len));
}

void bed_write(struct bed *bed, const char *name, const char *contents)
{
    write_file(bed, name, contents, strlen(contents));
}

bool bed_has(struct bed *bed, const char *name)
{
    return faccessat(AT_FDCWD, bed_path(bed, name), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static struct slice read_file(struct bed *bed, const char *path)
{
    cleanup_text struct text contents = TEXT_INIT;
    struct error ignored;
    if (!file_read(AT_FDCWD, path, 16u << 20, &contents, &ignored))
        return SLICE("");
    char *copy = arena_memdup0(bed->arena, contents.ptr, contents.len);
    return (struct slice){ copy, contents.len };
}

const char *bed_read(struct bed *bed, const char *name)
{
    int64_t deadline_ms = clock_monotonic_ms() + LIMIT_MS;
    for (;;) {
        struct slice contents = read_file(bed, bed_path(bed, name));
        if (contents.len)
            return contents.ptr;
        pause_briefly(deadline_ms, name);
    }
}

const char *bed_read_log(struct bed *bed, const char *process, int run, const char *stream)
{
    char *name = arena_printf(bed->arena, "sandbox/.logs/%s/%d/%s", process, run, stream);
    return read_file(bed, bed_path(bed, name)).ptr;
}

static void make_image(struct bed *bed)
{
    static const char *const tools[] = { "sh",      "cat",      "echo",   "id",     "ls",
                                         "ps",      "mount",    "sleep",  "env",    "touch",
                                         "mkdir",   "grep",     "wc",     "true",   "dd",
                                         "stat",    "kill",     "rm",     "chroot", "mknod",
                                         "unshare", "readlink", "setsid", "head",   "tail" };
    bed_make_directory(bed, "rootfs/bin");
    bed_make_directory(bed, "rootfs/etc");
    assert_int_equal(link("/bin/busybox", bed_path(bed, "rootfs/bin/busybox")) == 0 ||
                         errno == EXDEV,
                     1);
    for (size_t i = 0; i < sizeof tools / sizeof tools[0]; i++)
        bed_link(bed, arena_printf(bed->arena, "rootfs/bin/%s", tools[i]), "busybox");
}

/* ---- the plan ------------------------------------------------------------------------------- */

Eos__Executor__V1__ProcessPlan *bed_add_process(struct bed *bed, const char *name,
                                                const char *cmdline)
{
    Eos__Executor__V1__ProcessPlan *process =
        MAKE(bed, Eos__Executor__V1__ProcessPlan, eos__executor__v1__process_plan);
    process->name = arena_strdup(bed->arena, name);
    process->cmdline = arena_strdup(bed->arena, cmdline);
    process->max_failures = 1;
    assert_true(bed->plan->n_processes < MAX_ITEMS);
    bed->plan->processes[bed->plan->n_processes++] = process;
    return process;
}

void bed_add_order(struct bed *bed, const char *first, const char *second)
{
    Eos__Executor__V1__OrderPlan *order =
        MAKE(bed, Eos__Executor__V1__OrderPlan, eos__executor__v1__order_plan);
    order->names = arena_array(bed->arena, 2, sizeof *order->names);
    order->names[0] = arena_strdup(bed->arena, first);
    order->names[1] = arena_strdup(bed->arena, second);
    order->n_names = 2;
    assert_true(bed->plan->n_constraints < MAX_ITEMS);
    bed->plan->constraints[bed->plan->n_constraints++] = order;
}

void bed_set_variable(struct bed *bed, const char *name, const char *value)
{
    Eos__Executor__V1__Variable *variable =
        MAKE(bed, Eos__Executor__V1__Variable, eos__executor__v1__variable);
    variable->name = arena_strdup(bed->arena, name);
    variable->value = arena_strdup(bed->arena, value);
    assert_true(bed->plan->n_environment < MAX_ITEMS);
    bed->plan->environment[bed->plan->n_environment++] = variable;
}

void bed_use_user(struct bed *bed, const char *name, unsigned uid)
{
    Eos__Executor__V1__UserPlan *user =
        MAKE(bed, Eos__Executor__V1__UserPlan, eos__executor__v1__user_plan);
    user->name = arena_strdup(bed->arena, name);
    user->home = "/nowhere";
    user->uid = user->gid = uid;
    bed->plan->user = user;
    assert_int_equal(chown(bed_path(bed, "sandbox"), uid, uid), 0);
}

Eos__Executor__V1__MountPlan *bed_add_mount(struct bed *bed, const char *type, const char *source,
                                            const char *target)
{
    Eos__Executor__V1__ContainerPlan *container = bed->plan->container;
    Eos__Executor__V1__MountPlan *mount =
        MAKE(bed, Eos__Executor__V1__MountPlan, eos__executor__v1__mount_plan);
    mount->type = arena_strdup(bed->arena, type);
    mount->source = arena_strdup(bed->arena, source);
    mount->target = arena_strdup(bed->arena, target);
    mount->nosuid = true;
    assert_true(container->n_mounts < MAX_ITEMS);
    container->mounts[container->n_mounts++] = mount;
    return mount;
}

static void set_strings(struct bed *bed, char ***field, size_t *count, const char *const *values)
{
    *field = arena_array(bed->arena, MAX_ITEMS, sizeof **field);
    for (*count = 0; values[*count]; ++*count)
        (*field)[*count] = arena_strdup(bed->arena, values[*count]);
}

static void add_devices(struct bed *bed)
{
    static const char *const paths[] = { "/dev/null", "/dev/zero", "/dev/urandom" };
    Eos__Executor__V1__ContainerPlan *container = bed->plan->container;
    container->devices = arena_array(bed->arena, 3, sizeof *container->devices);
    for (size_t i = 0; i < 3; i++) {
        container->devices[i] =
            MAKE(bed, Eos__Executor__V1__DevicePlan, eos__executor__v1__device_plan);
        container->devices[i]->path = (char *)paths[i];
    }
    container->n_devices = 3;
}

static void add_usual_mounts(struct bed *bed)
{
    bed_add_mount(bed, "proc", "proc", "/proc");
    bed_add_mount(bed, "tmpfs", "tmpfs", "/dev")->data = "mode=755,size=64k";
    bed_add_mount(bed, "devpts", "devpts", "/dev/pts")->data =
        "newinstance,ptmxmode=0666,mode=0620,gid=5";
    bed_add_mount(bed, "mqueue", "mqueue", "/dev/mqueue");
    bed_add_mount(bed, "sysfs", "sysfs", "/sys")->readonly = true;
    bed_add_mount(bed, "cgroup", "cgroup", "/sys/fs/cgroup")->readonly = true;
    bed_add_mount(bed, "bind", bed_path(bed, "sandbox"), "/sandbox");
}

void bed_contain(struct bed *bed)
{
    static const char *const masked[] = { "/proc/kcore", "/proc/interrupts", "/sys/firmware",
                                          "/no/such/path", NULL };
    static const char *const readonly[] = { "/proc/sys", "/proc/sysrq-trigger", NULL };
    static const char *const capabilities[] = { "CAP_CHOWN", "CAP_KILL", NULL };
    const char *layers[] = { bed_path(bed, "rootfs"), NULL };
    Eos__Executor__V1__ContainerPlan *container =
        MAKE(bed, Eos__Executor__V1__ContainerPlan, eos__executor__v1__container_plan);
    bed->plan->container = container;
    bed->plan->sandbox = "/sandbox";
    bed->plan->log_directory = "/sandbox/.logs";
    make_image(bed);
    container->root = MAKE(bed, Eos__Executor__V1__RootPlan, eos__executor__v1__root_plan);
    set_strings(bed, &container->root->layers, &container->root->n_layers, layers);
    container->root->upper = bed_path(bed, "upper");
    container->root->work = bed_path(bed, "work");
    container->root->mount_point = bed_path(bed, "root");
    container->mounts = arena_array(bed->arena, MAX_ITEMS, sizeof *container->mounts);
    container->unshare_mount = container->unshare_pid = container->unshare_ipc =
        container->unshare_uts = container->unshare_cgroup = true;
    container->hostname = "box";
    container->cgroup = MAKE(bed, Eos__Executor__V1__CgroupPlan, eos__executor__v1__cgroup_plan);
    container->cgroup->version = EOS__EXECUTOR__V1__CGROUP_PLAN__VERSION__V1;
    container->cgroup->path = arena_printf(bed->arena, "eos-test/%s", bed->plan->task_id);
    container->no_new_privileges = container->default_seccomp = true;
    set_strings(bed, &container->masked_paths, &container->n_masked_paths, masked);
    set_strings(bed, &container->readonly_paths, &container->n_readonly_paths, readonly);
    set_strings(bed, &container->capabilities, &container->n_capabilities, capabilities);
    add_devices(bed);
    add_usual_mounts(bed);
}

/* ---- the executor --------------------------------------------------------------------------- */

static char *program(struct bed *bed)
{
    const char *bin = getenv("EOS_BIN");
    return arena_printf(bed->arena, "%s/eos-executor", bin ? bin : "build/bin");
}

static size_t add_wrapper(struct bed *bed, char **argv)
{
    size_t count = 0;
    struct slice rest = slice_of(bed->wrapper);
    while (rest.ptr) {
        struct slice word = slice_split(&rest, ' ');
        argv[count++] = arena_memdup0(bed->arena, word.ptr, word.len);
    }
    return count;
}

static pid_t spawn(struct bed *bed, const char *flag)
{
    char *argv[MAX_ITEMS] = { NULL };
    size_t count = add_wrapper(bed, argv);
    argv[count++] = program(bed);
    argv[count++] = "--plan";
    argv[count++] = bed_path(bed, "plan");
    argv[count++] = (char *)flag;
    char *output = bed_path(bed, "output");
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    int fd = open(output, O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0644);
    dup2(fd, 1);
    dup2(fd, 2);
    execvp(argv[0], argv);
    _exit(126);
}

static void write_plan(struct bed *bed)
{
    size_t len = eos__executor__v1__task_plan__get_packed_size(bed->plan);
    uint8_t *bytes = arena_alloc(bed->arena, len + 1);
    eos__executor__v1__task_plan__pack(bed->plan, bytes);
    write_file(bed, "plan", bytes, len);
}

static int open_pid(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

void bed_start(struct bed *bed)
{
    write_plan(bed);
    bed->pid = spawn(bed, NULL);
    bed->pid_fd = open_pid(bed->pid);
    assert_true(bed->pid_fd >= 0);
}

static int wait_for(struct bed *bed, pid_t pid, int pid_fd)
{
    struct pollfd poller = { .fd = pid_fd, .events = POLLIN };
    int status;
    if (poll(&poller, 1, LIMIT_MS) != 1)
        fail_msg("the executor does not end: %s", read_file(bed, bed_path(bed, "output")).ptr);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int bed_wait(struct bed *bed)
{
    int status = wait_for(bed, bed->pid, bed->pid_fd);
    close(bed->pid_fd);
    bed->pid = 0;
    bed->pid_fd = -1;
    return status;
}

int bed_run_beside(struct bed *bed, const char *flag)
{
    write_plan(bed);
    pid_t pid = spawn(bed, flag);
    cleanup_close int pid_fd = open_pid(pid);
    return wait_for(bed, pid, pid_fd);
}

int bed_run(struct bed *bed)
{
    return bed_run_beside(bed, "--linger=0s");
}

/* ---- the launcher's side -------------------------------------------------------------------- */

static int try_connect(struct bed *bed)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    cleanup_close int directory = open(bed->plan->run_directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/executor.sock",
             directory);
    cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return -1;
    return TAKE_FD(fd);
}

static void disconnect(struct bed *bed)
{
    if (bed->socket >= 0)
        close(bed->socket);
    bed->socket = -1;
    frame_reader_done(&bed->reader);
    bed->reader = (struct frame_reader){ .max = 4u << 20 };
}

void bed_connect(struct bed *bed)
{
    int64_t deadline_ms = clock_monotonic_ms() + LIMIT_MS;
    disconnect(bed);
    while ((bed->socket = try_connect(bed)) < 0)
        pause_briefly(deadline_ms, "the executor's socket");
}

void bed_send_bytes(struct bed *bed, const void *bytes, size_t len)
{
    (void)send(bed->socket, bytes, len, MSG_NOSIGNAL);
}

static void send_message(struct bed *bed, const Eos__Executor__V1__ToExecutor *to)
{
    cleanup_text struct text frame = TEXT_INIT;
    frame_add(&frame, &to->base);
    bed_send_bytes(bed, frame.ptr, frame.len);
}

void bed_hello(struct bed *bed)
{
    Eos__Executor__V1__ToExecutor to = EOS__EXECUTOR__V1__TO_EXECUTOR__INIT;
    Eos__Executor__V1__Hello hello = EOS__EXECUTOR__V1__HELLO__INIT;
    to.message_case = EOS__EXECUTOR__V1__TO_EXECUTOR__MESSAGE_HELLO;
    to.hello = &hello;
    send_message(bed, &to);
}

void bed_kill(struct bed *bed, const char *message)
{
    Eos__Executor__V1__ToExecutor to = EOS__EXECUTOR__V1__TO_EXECUTOR__INIT;
    Eos__Executor__V1__Kill body = EOS__EXECUTOR__V1__KILL__INIT;
    to.message_case = EOS__EXECUTOR__V1__TO_EXECUTOR__MESSAGE_KILL;
    to.kill = &body;
    body.message = (char *)message;
    send_message(bed, &to);
}

void bed_acknowledge(struct bed *bed)
{
    Eos__Executor__V1__ToExecutor to = EOS__EXECUTOR__V1__TO_EXECUTOR__INIT;
    Eos__Executor__V1__Acknowledge body = EOS__EXECUTOR__V1__ACKNOWLEDGE__INIT;
    to.message_case = EOS__EXECUTOR__V1__TO_EXECUTOR__MESSAGE_ACKNOWLEDGE;
    to.acknowledge = &body;
    send_message(bed, &to);
}

static void keep_state(struct bed *bed, struct slice message)
{
    Eos__Executor__V1__FromExecutor *from =
        eos__executor__v1__from_executor__unpack(NULL, message.len, (const uint8_t *)message.ptr);
    assert_non_null(from);
    if (bed->state) {
        assert_true(from->state->revision >= bed->state->revision);
        eos__executor__v1__state__free_unpacked(bed->state, NULL);
    }
    bed->state = from->state;
    from->message_case = EOS__EXECUTOR__V1__FROM_EXECUTOR__MESSAGE__NOT_SET;
    from->state = NULL;
    eos__executor__v1__from_executor__free_unpacked(from, NULL);
    assert_string_equal(bed->state->task_id, bed->plan->task_id);
}

/* False at the end of the connection. */
static bool receive(struct bed *bed)
{
    struct pollfd poller = { .fd = bed->socket, .events = POLLIN };
    char bytes[4096];
    struct slice message;
    if (poll(&poller, 1, LIMIT_MS) != 1)
        fail_msg("the executor says nothing");
    ssize_t count = recv(bed->socket, bytes, sizeof bytes, 0);
    if (count <= 0)
        return false;
    frame_feed(&bed->reader, bytes, (size_t)count);
    while (frame_take(&bed->reader, &message) == FRAME_READY)
        keep_state(bed, message);
    return true;
}

void bed_await(struct bed *bed, Eos__Executor__V1__TaskState state)
{
    while (!bed->state || bed->state->state != state)
        if (!receive(bed))
            fail_msg("the executor hung up");
}

static const Eos__Executor__V1__ProcessRun *find_run(const struct bed *bed, const char *name)
{
    for (size_t i = 0; bed->state && i < bed->state->n_runs; i++)
        if (strcmp(bed->state->runs[i]->name, name) == 0)
            return bed->state->runs[i];
    return NULL;
}

int bed_await_run(struct bed *bed, const char *name, const char *run_state)
{
    const Eos__Executor__V1__ProcessRun *run;
    while (!(run = find_run(bed, name)) || strcmp(run->state, run_state) != 0)
        if (!receive(bed))
            fail_msg("the executor hung up");
    return run->pid;
}

void bed_await_hangup(struct bed *bed)
{
    while (receive(bed))
        ;
}

void bed_assert_ended(struct bed *bed, Eos__Executor__V1__TaskState state, const char *message)
{
    struct slice bytes = read_file(bed, bed_path(bed, "run/exit"));
    struct slice record = read_file(bed, bed_path(bed, "run/record"));
    assert_true(bytes.len > 0);
    assert_true(slice_equal(bytes, record));
    if (bed->state)
        eos__executor__v1__state__free_unpacked(bed->state, NULL);
    bed->state = eos__executor__v1__state__unpack(NULL, bytes.len, (const uint8_t *)bytes.ptr);
    assert_non_null(bed->state);
    if (bed->state->state != state || !strstr(bed->state->message, message))
        fail_msg("the task ended in state %d: %s", (int)bed->state->state, bed->state->message);
    assert_true(bed->state->timestamp_ms > 0);
}

/* ---- what is left --------------------------------------------------------------------------- */

/* Whether the process's command line or working directory lies in the bed. */
static bool is_in_bed(struct bed *bed, const char *pid)
{
    char link[512];
    char *path = arena_printf(bed->arena, "/proc/%s/cwd", pid);
    ssize_t len = readlink(path, link, sizeof link - 1);
    if (len > 0) {
        link[len] = '\0';
        if (strstr(link, bed->directory))
            return true;
    }
    struct slice line = read_file(bed, arena_printf(bed->arena, "/proc/%s/cmdline", pid));
    return line.len && memmem(line.ptr, line.len, bed->directory, strlen(bed->directory));
}

static pid_t find_process(struct bed *bed, pid_t other_than)
{
    DIR *proc = opendir("/proc");
    assert_non_null(proc);
    pid_t found = 0;
    for (struct dirent *entry; !found && (entry = readdir(proc));) {
        uint64_t pid;
        if (slice_to_u64(slice_of(entry->d_name), INT32_MAX, &pid) && (pid_t)pid != getpid() &&
            (pid_t)pid != other_than && is_in_bed(bed, entry->d_name))
            found = (pid_t)pid;
    }
    closedir(proc);
    return found;
}

pid_t bed_inner(struct bed *bed)
{
    struct slice list =
        read_file(bed, arena_printf(bed->arena, "/proc/%d/task/%d/children", bed->pid, bed->pid));
    uint64_t pid = 0;
    (void)slice_to_u64(slice_split(&list, ' '), INT32_MAX, &pid);
    return (pid_t)pid;
}

void bed_await_no_process(struct bed *bed)
{
    int64_t deadline_ms = clock_monotonic_ms() + LIMIT_MS;
    while (find_process(bed, 0))
        pause_briefly(deadline_ms, "the processes to end");
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

static bool has_cgroup(struct bed *bed)
{
    static const char *const roots[] = { "memory", "cpu", "cpuacct", "pids", "freezer", "unified" };
    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++)
        if (access(arena_printf(bed->arena, "/sys/fs/cgroup/%s/eos-test/%s", roots[i],
                                bed->plan->task_id),
                   F_OK) == 0)
            return true;
    return false;
}

int bed_open(void **state)
{
    struct bed *bed = xcalloc(1, sizeof *bed);
    char name[] = "/tmp/eos-executor-test.XXXXXX";
    bed->arena = arena_new();
    bed->socket = bed->pid_fd = -1;
    assert_non_null(mkdtemp(name));
    assert_int_equal(chmod(name, 0755), 0);
    bed->directory = arena_strdup(bed->arena, name);
    static const char *const parts[] = { "run", "sandbox", "upper", "work", "root" };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        bed_make_directory(bed, parts[i]);
    bed->plan = MAKE(bed, Eos__Executor__V1__TaskPlan, eos__executor__v1__task_plan);
    bed->plan->task_id = arena_strdup(bed->arena, strrchr(name, '.') + 1);
    bed->plan->run_directory = bed_path(bed, "run");
    bed->plan->sandbox = bed_path(bed, "sandbox");
    bed->plan->log_directory = bed_path(bed, "sandbox/.logs");
    bed->plan->max_failures = 1;
    bed->plan->finalization_wait_secs = 5;
    bed->plan->kill_grace_ms = 5000;
    bed->plan->processes = arena_array(bed->arena, MAX_ITEMS, sizeof(void *));
    bed->plan->constraints = arena_array(bed->arena, MAX_ITEMS, sizeof(void *));
    bed->plan->environment = arena_array(bed->arena, MAX_ITEMS, sizeof(void *));
    *state = bed;
    return 0;
}

int bed_close(void **state)
{
    struct bed *bed = *state;
    bool has_failed = false;
    disconnect(bed);
    if (bed->pid) { /* the test has failed */
        kill(bed->pid, SIGKILL);
        waitpid(bed->pid, NULL, 0);
        bed->pid = 0;
        (void)bed_run_beside(bed, "--clean");
        has_failed = true;
    }
    pid_t left = find_process(bed, 0);
    if (left || has_cgroup(bed) ||
        strstr(read_file(bed, "/proc/self/mounts").ptr, bed->directory)) {
        print_error("the executor left something behind (process %d)\n", left);
        has_failed = true;
    }
    if (has_failed)
        print_error("%s", read_file(bed, bed_path(bed, "output")).ptr);
    nftw(bed->directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    if (bed->state)
        eos__executor__v1__state__free_unpacked(bed->state, NULL);
    arena_free(bed->arena);
    free(bed);
    return has_failed ? -1 : 0;
}
