#include "launcher/host_process.h"

#include "base/cleanup.h"
#include "unit/test.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void a_process_has_a_start_until_it_ends(void **state)
{
    int gate[2];
    char byte;
    (void)state;
    assert_int_equal(pipe(gate), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(gate[1]);
        ssize_t len = read(gate[0], &byte, 1); /* until the other end closes */
        _exit((int)len);
    }
    close(gate[0]);
    uint64_t start = host_process_start(pid);
    assert_true(start > 0);
    assert_true(start >= host_process_start(getpid()));
    assert_int_equal(host_process_start(pid), start);
    close(gate[1]);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(host_process_start(pid), 0); /* a zombie */
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(host_process_start(pid), 0);
}

static void a_boot_has_an_id(void **state)
{
    char id[BOOT_ID_BYTES], again[BOOT_ID_BYTES];
    (void)state;
    host_boot_id(id);
    host_boot_id(again);
    assert_int_equal(strlen(id), 36);
    assert_string_equal(id, again);
}

/* -- executors ------------------------------------------------------------------------------------ */

#define TASKS "/nowhere/state/tasks"
#define PLAN  TASKS "/t/plan"

static bool stay(void)
{
    return true;
}

static bool leave_root_directory(void)
{
    return chroot("/proc") == 0;
}

static bool become_other_user(void)
{
    return setresuid(65534, 65534, 65534) == 0 && prctl(PR_SET_DUMPABLE, 1) == 0;
}

/* Its files in /proc belong to root, as those of a program that may not be looked at. */
static bool become_other_user_in_hiding(void)
{
    return setresuid(65534, 65534, 65534) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0;
}

static bool become_other_user_for_now(void)
{
    return setresuid((uid_t)-1, 65534, (uid_t)-1) == 0;
}

static const struct find_case {
    const char *name;
    int flags; /* of clone() */
    bool (*change)(void);
    bool is_found;
} finds[] = {
    { "one of this host", 0, stay, true },
    { "one in a pid namespace", CLONE_NEWPID, stay, false },
    { "one with another root", 0, leave_root_directory, false },
    { "one of another user", 0, become_other_user, false },
    { "one of another user that hides it", 0, become_other_user_in_hiding, false },
    { "one that is another user for now", 0, become_other_user_for_now, false },
};

/* What this program does when it is started with "--plan PATH CASE": it becomes what the case says,
 * tells that on its output, and ends with its input. */
static int be_executor(const char *name)
{
    char byte = 0;
    for (size_t i = 0; i < sizeof finds / sizeof finds[0]; i++)
        if (strcmp(finds[i].name, name) == 0 && finds[i].change() && write(1, &byte, 1) == 1)
            return read(0, &byte, 1) == 0 ? 0 : 1;
    return 1;
}

static pid_t start_executor(const struct find_case *c, int input, int output)
{
    pid_t pid = (pid_t)syscall(SYS_clone, c->flags | SIGCHLD, 0, 0, 0, 0);
    if (pid != 0)
        return pid;
    dup2(input, 0);
    dup2(output, 1);
    close_range(3, ~0u, 0);
    execl("/proc/self/exe", "eos-executor", "--plan", PLAN, c->name, (char *)NULL);
    _exit(127);
}

static void executors_are_found_by_their_plan(void **state)
{
    const struct find_case *c = *state;
    int gate[2], ready[2], wait_status;
    char byte;
    if (geteuid() != 0 && (c->flags || c->change != stay))
        skip();
    assert_int_equal(pipe(gate), 0);
    assert_int_equal(pipe(ready), 0);
    pid_t pid = start_executor(c, gate[0], ready[1]);
    assert_true(pid > 0);
    close(gate[0]);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);

    struct map *found = host_processes_find(TASKS);
    struct host_process *process = map_get(found, SLICE(PLAN));
    assert_int_equal(map_count(found), c->is_found);
    assert_int_equal(process ? process->pid : 0, c->is_found ? pid : 0);
    assert_int_equal(process ? process->start_ticks : 0, c->is_found ? host_process_start(pid) : 0);
    host_processes_free(found);

    close(gate[1]);
    close(ready[0]);
    assert_int_equal(waitpid(pid, &wait_status, 0), pid);
    assert_int_equal(wait_status, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_has_a_start_until_it_ends),
        cmocka_unit_test(a_boot_has_an_id),
    };
    if (argc == 4) /* without the leak check, which cannot look at another user's process */
        _exit(be_executor(argv[3]));
    return RUN_CASES(finds, executors_are_found_by_their_plan) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
