#include "launcher/host_process.h"

#include "base/cleanup.h"
#include "unit/test.h"

#include <signal.h>
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

static void executors_are_found_by_their_plan(void **state)
{
    int gate[2];
    (void)state;
    assert_int_equal(pipe(gate), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(gate[0], 0);
        close(gate[0]);
        close(gate[1]);
        execl("/bin/sh", "sh", "-c", "echo >&0; read line", "--plan", "/nowhere/state/tasks/t/plan",
              (char *)NULL);
        _exit(127);
    }
    close(gate[0]);
    struct map *found = NULL;
    struct host_process *process = NULL;
    for (int i = 0; i < 10000 && !process; i++) { /* until it has executed the shell */
        if (found)
            host_processes_free(found);
        found = host_processes_find("/nowhere/state/tasks");
        process = map_get(found, SLICE("/nowhere/state/tasks/t/plan"));
    }
    assert_non_null(process);
    assert_int_equal(process->pid, pid);
    assert_int_equal(process->start_ticks, host_process_start(pid));
    assert_int_equal(map_count(found), 1);
    host_processes_free(found);
    close(gate[1]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_has_a_start_until_it_ends),
        cmocka_unit_test(a_boot_has_an_id),
        cmocka_unit_test(executors_are_found_by_their_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
