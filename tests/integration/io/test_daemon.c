#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_S 20 /* for anything to happen: other programs run beside us */

/* A daemon, its two outputs in files, and the socket where it tells how it is. */
struct fixture {
    char directory[64];
    int notified;
    char notify[128];
    pid_t pid;
};

static int fixture_open(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct timeval limit = { .tv_sec = LIMIT_S };
    snprintf(f->directory, sizeof f->directory, "/tmp/eos-daemon.XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", f->directory);
    snprintf(f->notify, sizeof f->notify, "NOTIFY_SOCKET=%s", address.sun_path);
    f->notified = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(f->notified, (struct sockaddr *)&address, sizeof address), 0);
    setsockopt(f->notified, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    *state = f;
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status, (void)type, (void)ftw;
    return remove(path);
}

static int fixture_close(void **state)
{
    struct fixture *f = *state;
    if (f->pid > 0) { /* a test that failed */
        kill(f->pid, SIGKILL);
        waitpid(f->pid, NULL, 0);
    }
    close(f->notified);
    nftw(f->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

static void start(struct fixture *f, char *const *args, const char *variable)
{
    char *argv[8] = { "eos-drainer" }, *environment[4] = { f->notify, (char *)variable };
    char path[128];
    posix_spawn_file_actions_t actions;
    for (unsigned i = 0; args[i]; i++)
        argv[i + 1] = args[i];
    posix_spawn_file_actions_init(&actions);
    for (int fd = 1; fd <= 2; fd++) {
        snprintf(path, sizeof path, "%s/%d", f->directory, fd);
        posix_spawn_file_actions_addopen(&actions, fd, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    }
    assert_int_equal(posix_spawn(&f->pid, DRAINER, &actions, NULL, argv, environment), 0);
    posix_spawn_file_actions_destroy(&actions);
}

#define START(f, ...) start(f, (char *[]){ __VA_ARGS__, NULL }, NULL)

/* What it wrote to descriptor 1 or 2. */
static const char *output(const struct fixture *f, int fd)
{
    static char bytes[16384];
    char path[128];
    snprintf(path, sizeof path, "%s/%d", f->directory, fd);
    cleanup_file FILE *file = fopen(path, "re");
    assert_non_null(file);
    bytes[fread(bytes, 1, sizeof bytes - 1, file)] = '\0';
    return bytes;
}

static void expect_notice(struct fixture *f, const char *text)
{
    char bytes[64] = "";
    ssize_t len = recv(f->notified, bytes, sizeof bytes - 1, 0);
    assert_true(len > 0);
    assert_string_equal(bytes, text);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A daemon that hangs is ended by the limit of the whole test. */
static void expect_exit(struct fixture *f, int expected)
{
    int status;
    pid_t pid = f->pid;
    f->pid = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), expected);
}

/* -- flags ---------------------------------------------------------------------------------------- */

static const struct flag_case {
    const char *name, *flag, *variable;
    int status;
    const char *out; /* in its standard output; "" stands for nothing at all */
    const char *err;
} flags[] = {
    { "an unknown flag", "--nonsense", NULL, 2, "", "eos-drainer: unknown flag --nonsense\n" },
    { "a flag without its value", "--drain-timeout", NULL, 2, "",
      "eos-drainer: flag --drain-timeout needs a value (DURATION)\n" },
    { "a value that is none", "--drain-timeout=soon", NULL, 2, "",
      "eos-drainer: flag --drain-timeout: " },
    { "a value out of range", "--drain-timeout=10h", NULL, 2, "",
      "eos-drainer: flag --drain-timeout: " },
    { "a log format there is not", "--log-format=xml", NULL, 2, "",
      "eos-drainer: flag --log-format: unknown format, expected plain or json\n" },
    { "a log level there is not", "--log-level=loud", NULL, 2, "",
      "eos-drainer: flag --log-level: unknown level, expected debug, info, warning or error\n" },
    { "an argument", "now", NULL, 2, "", "eos-drainer: argument 1 is not a flag" },
    { "a wrong value in the environment", NULL, "EOS_DRAIN_TIMEOUT=soon", 2, "",
      "EOS_DRAIN_TIMEOUT" },
    { "help", "--help", NULL, 0, "usage: eos-drainer [FLAG]...", "" },
    { "help, of its own flags", "-h", NULL, 0, "--never-drain", "" },
    { "help, of all daemons' flags", "--help", NULL, 0, "--drain-timeout", "" },
    { "version", "--version", NULL, 0, "eos-drainer " EOS_VERSION "\n", "" },
    { "opening fails", "--fail", NULL, 1, "", "eos-drainer: could not open \"/no/such\"\n" },
};

static void assert_output(const struct fixture *f, int fd, const char *expected)
{
    const char *text = output(f, fd);
    if (!expected[0])
        assert_string_equal(text, "");
    else if (!strstr(text, expected))
        fail_msg("\"%s\" is not in \"%s\"", expected, text);
}

static void exits_at_once(void **state)
{
    const struct flag_case *c = *state;
    void *opened;
    fixture_open(&opened);
    struct fixture *f = opened;
    start(f, (char *[]){ (char *)c->flag, NULL }, c->variable);
    expect_exit(f, c->status);
    assert_output(f, 1, c->out);
    assert_output(f, 2, c->err);
    const char *text = output(f, 2);
    if (c->err[0])
        assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1); /* one sentence */
    fixture_close(&opened);
}

/* -- signals -------------------------------------------------------------------------------------- */

static const struct signal_case {
    const char *name;
    int signal;
    const char *flag;
} signals[] = {
    { "SIGTERM", SIGTERM, "--drain-time=0s" },
    { "SIGINT", SIGINT, "--drain-time=0s" },
    { "SIGTERM, and something to wait for", SIGTERM, "--drain-time=300ms" },
};

static void drains_and_ends_well(void **state)
{
    const struct signal_case *c = *state;
    void *opened;
    fixture_open(&opened);
    struct fixture *f = opened;
    START(f, (char *)c->flag, "--drain-timeout=60s");
    expect_notice(f, "READY=1");
    kill(f->pid, c->signal);
    expect_notice(f, "STOPPING=1");
    expect_exit(f, 0);
    const char *log = output(f, 2);
    const char *draining = strstr(log, "draining");
    assert_non_null(draining);
    assert_non_null(strstr(draining, "stopped"));
    assert_null(strstr(log, "not everything"));
    fixture_close(&opened);
}

static void a_second_signal_ends_it_at_once(void **state)
{
    struct fixture *f = *state;
    START(f, "--never-drain", "--drain-timeout=1h");
    expect_notice(f, "READY=1");
    kill(f->pid, SIGTERM);
    expect_notice(f, "STOPPING=1");
    kill(f->pid, SIGTERM);
    expect_exit(f, 0);
}

static void draining_has_an_end(void **state)
{
    struct fixture *f = *state;
    START(f, "--never-drain", "--drain-timeout=300ms");
    expect_notice(f, "READY=1");
    int64_t start_ms = now_ms();
    kill(f->pid, SIGTERM);
    expect_notice(f, "STOPPING=1");
    expect_exit(f, 0);
    assert_true(now_ms() - start_ms >= 300);
    assert_non_null(strstr(output(f, 2), "not everything ended in time"));
}

static void feeds_the_watchdog(void **state)
{
    struct fixture *f = *state;
    start(f, (char *[]){ NULL }, "WATCHDOG_USEC=200000");
    expect_notice(f, "READY=1");
    expect_notice(f, "WATCHDOG=1");
    expect_notice(f, "WATCHDOG=1");
    kill(f->pid, SIGTERM);
    expect_exit(f, 0);
}

static void keeps_its_files_to_itself(void **state)
{
    struct fixture *f = *state;
    struct stat status;
    char path[128], flag[160];
    snprintf(path, sizeof path, "%s/file", f->directory);
    snprintf(flag, sizeof flag, "--file=%s", path);
    START(f, flag);
    expect_notice(f, "READY=1");
    kill(f->pid, SIGTERM);
    expect_exit(f, 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static const struct parent_case {
    const char *name, *variable;
    bool dies;
} parents[] = {
    { "dies with its parent", "EOS_DIE_WITH_PARENT=1", true },
    { "outlives its parent when nobody asks", "EOS_DIE_WITH_PARENT=0", false },
};

static pid_t start_below(struct fixture *f, const char *variable)
{
    int out[2];
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    pid_t parent = fork();
    if (parent == 0) {
        start(f, (char *[]){ NULL }, variable);
        if (write(out[1], &f->pid, sizeof f->pid) < 0)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(out[0], &f->pid, sizeof f->pid), sizeof f->pid);
    close(out[0]);
    close(out[1]);
    return parent;
}

static void goes_or_stays_when_its_parent_goes(void **state)
{
    const struct parent_case *c = *state;
    void *opened;
    fixture_open(&opened);
    struct fixture *f = opened;
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* so that it becomes ours then */
    pid_t parent = start_below(f, c->variable);
    expect_notice(f, "READY=1");
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    if (!c->dies) {
        struct pollfd notice = { .fd = f->notified, .events = POLLIN };
        assert_int_equal(poll(&notice, 1, 200), 0); /* nothing happens */
        assert_int_equal(kill(f->pid, SIGTERM), 0);
    }
    expect_notice(f, "STOPPING=1");
    expect_exit(f, 0);
    fixture_close(&opened);
}

/* A socket of systemd's may have an abstract name. */
static void tells_an_abstract_socket(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct timeval limit = { .tv_sec = LIMIT_S };
    int len = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s", f->directory);
    snprintf(f->notify, sizeof f->notify, "NOTIFY_SOCKET=@%s", f->directory);
    close(f->notified);
    f->notified = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    setsockopt(f->notified, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(bind(f->notified, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)),
                     0);
    start(f, (char *[]){ NULL }, NULL);
    expect_notice(f, "READY=1");
    kill(f->pid, SIGTERM);
    expect_notice(f, "STOPPING=1");
    expect_exit(f, 0);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(a_second_signal_ends_it_at_once),
        WITH_FIXTURE(draining_has_an_end),
        WITH_FIXTURE(feeds_the_watchdog),
        WITH_FIXTURE(keeps_its_files_to_itself),
        WITH_FIXTURE(tells_an_abstract_socket),
    };
    int failed = RUN_CASES(flags, exits_at_once);
    failed += RUN_CASES(signals, drains_and_ends_well);
    failed += RUN_CASES(parents, goes_or_stays_when_its_parent_goes);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
