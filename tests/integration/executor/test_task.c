/* A task's processes on the host, and the conversation with launchers. */

#include "bed.h"

#include "unit/test.h"

#include <signal.h>
#include <sys/stat.h>

#define STATE(name) EOS__EXECUTOR__V1__TASK_STATE__##name

/* ---- processes ------------------------------------------------------------------------------ */

static void runs_in_order(void **state)
{
    struct bed *bed = *state;
    bed_add_process(bed, "second", "cat first; echo two >&2");
    bed_add_process(bed, "first", "echo one > first; echo started");
    bed_add_order(bed, "first", "second");

    assert_int_equal(bed_run(bed), 0);

    bed_assert_ended(bed, STATE(FINISHED), "all processes have finished");
    assert_string_equal(bed_read_log(bed, "first", 0, "stdout"), "started\n");
    assert_string_equal(bed_read_log(bed, "second", 0, "stdout"), "one\n");
    assert_string_equal(bed_read_log(bed, "second", 0, "stderr"), "two\n");
    assert_int_equal(bed->state->n_runs, 2);
    assert_string_equal(bed->state->runs[0]->state, "SUCCESS");
    assert_true(bed->state->runs[0]->start_ms >= bed->state->runs[1]->stop_ms);
    assert_false(bed_has(bed, "run/executor.sock"));
}

static void repeats_what_fails(void **state)
{
    struct bed *bed = *state;
    bed_add_process(bed, "third-time", "echo x >> tries; [ $(wc -l < tries) = 3 ]")->max_failures =
        3;
    assert_int_equal(bed_run(bed), 0);
    bed_assert_ended(bed, STATE(FINISHED), "");
    assert_int_equal(bed->state->runs[0]->run, 2);
    assert_true(bed_has(bed, "sandbox/.logs/third-time/2/stdout"));
}

static void fails_with_a_reason(void **state)
{
    struct bed *bed = *state;
    bed_add_process(bed, "bad", "exit 7");
    bed_add_process(bed, "other",
                    "trap 'echo ended > ended; exit' TERM; while :; do read x < <(:); done");
    bed_start(bed);
    bed_connect(bed);
    bed_hello(bed);
    bed_await(bed, STATE(FAILED));
    bed_acknowledge(bed);
    assert_int_equal(bed_wait(bed), 1);
    bed_assert_ended(bed, STATE(FAILED), "process \"bad\" exited with status 7");
    assert_non_null(strstr(bed_read(bed, "output"), "process \"bad\" exited with status 7"));
}

/* What a command leaves in its process group goes with it; what it detached goes with the task. */
static void leaves_no_children(void **state)
{
    struct bed *bed = *state;
    bed_add_process(bed, "leaver", "sleep 1000 & echo done");
    bed_add_process(bed, "detacher",
                    "setsid sh -c 'echo > detached; sleep 1000' & "
                    "while ! [ -e detached ]; do :; done");
    assert_int_equal(bed_run(bed), 0);
    bed_await_no_process(bed);
    bed_assert_ended(bed, STATE(FINISHED), "");
}

static void runs_final_processes(void **state)
{
    struct bed *bed = *state;
    bed_add_process(bed, "work", "exit 1");
    bed_add_process(bed, "last", "echo cleaned")->final = true;
    assert_int_equal(bed_run(bed), 1);
    bed_assert_ended(bed, STATE(FAILED), "process \"work\"");
    assert_string_equal(bed_read_log(bed, "last", 0, "stdout"), "cleaned\n");
}

static void has_the_environment(void **state)
{
    struct bed *bed = *state;
    bed_use_user(bed, "www-data", 33);
    bed_set_variable(bed, "COLOUR", "green");
    bed_add_process(bed, "show",
                    "echo $HOME $LOGNAME $USER $COLOUR $(pwd) $(id -u) $(id -g); "
                    "echo ${EOS_BIN-clean}; umask");
    assert_int_equal(bed_run(bed), 0);
    const char *sandbox = bed_path(bed, "sandbox");
    assert_string_equal(bed_read_log(bed, "show", 0, "stdout"),
                        arena_printf(bed->arena,
                                     "%s www-data www-data green %s 33 33\nclean\n0022\n", sandbox,
                                     sandbox));
    struct stat log;
    assert_int_equal(stat(bed_path(bed, "sandbox/.logs/show/0/stdout"), &log), 0);
    assert_int_equal(log.st_uid, 33);
    assert_int_equal(stat(bed_path(bed, "sandbox/.logs"), &log), 0);
    assert_int_equal(log.st_uid, 33);
}

/* Logs are opened as the user: a link in the log directory gets the user nowhere. */
static void does_not_follow_log_links(void **state)
{
    struct bed *bed = *state;
    bed_use_user(bed, "www-data", 33);
    bed_make_directory(bed, "secret");
    bed_add_process(bed, "a",
                    arena_printf(bed->arena, "ln -s %s .logs/b", bed_path(bed, "secret")));
    bed_add_process(bed, "b", "echo written");
    bed_add_order(bed, "a", "b");
    assert_int_equal(bed_run(bed), 1);
    bed_assert_ended(bed, STATE(FAILED),
                     "process \"b\" could not be started: could not open log directory \"b\"");
    assert_false(bed_has(bed, "secret/0"));
}

static void does_not_wait_for_a_pipe(void **state)
{
    struct bed *bed = *state;
    bed_add_process(bed, "a", "mkdir -p .logs/b/0; mkfifo .logs/b/0/stdout");
    bed_add_process(bed, "b", "echo written");
    bed_add_order(bed, "a", "b");
    assert_int_equal(bed_run(bed), 1);
    bed_assert_ended(bed, STATE(FAILED), "process \"b\" could not be started: could not open log");
}

static void reads_the_profile(void **state)
{
    struct bed *bed = *state;
    bed_add_process(bed, "write", "echo 'export FROM_PROFILE=yes' > .thermos_profile");
    bed_add_process(bed, "read", "echo $FROM_PROFILE");
    bed_add_order(bed, "write", "read");
    assert_int_equal(bed_run(bed), 0);
    assert_string_equal(bed_read_log(bed, "read", 0, "stdout"), "yes\n");
}

static Eos__Executor__V1__LoggerPlan *log_to(struct bed *bed,
                                             Eos__Executor__V1__ProcessPlan *process,
                                             Eos__Executor__V1__LoggerPlan__Destination destination)
{
    Eos__Executor__V1__LoggerPlan *logger = arena_alloc(bed->arena, sizeof *logger);
    eos__executor__v1__logger_plan__init(logger);
    logger->destination = destination;
    process->logger = logger;
    return logger;
}

#define TO(name) EOS__EXECUTOR__V1__LOGGER_PLAN__DESTINATION__##name

static void logs_where_it_is_told(void **state)
{
    struct bed *bed = *state;
    bed_use_user(bed, "www-data", 33);
    log_to(bed, bed_add_process(bed, "console", "echo to-console"), TO(CONSOLE));
    log_to(bed, bed_add_process(bed, "both", "echo to-both"), TO(BOTH));
    log_to(bed, bed_add_process(bed, "none", "echo to-none"), TO(NONE));
    assert_int_equal(bed_run(bed), 0);
    const char *output = bed_read(bed, "output");
    assert_non_null(strstr(output, "to-console\n"));
    assert_non_null(strstr(output, "to-both\n"));
    assert_null(strstr(output, "to-none"));
    assert_string_equal(bed_read_log(bed, "both", 0, "stdout"), "to-both\n");
    assert_false(bed_has(bed, "sandbox/.logs/none"));
    assert_false(bed_has(bed, "sandbox/.logs/console"));
}

static void rotates_logs(void **state)
{
    struct bed *bed = *state;
    bed_use_user(bed, "www-data", 33);
    Eos__Executor__V1__LoggerPlan *logger =
        log_to(bed, bed_add_process(bed, "much", "head -c 400000 /dev/zero; echo end"), TO(FILE));
    logger->rotate_bytes = 1000;
    logger->rotate_backups = 2;
    assert_int_equal(bed_run(bed), 0);
    struct stat log;
    assert_int_equal(stat(bed_path(bed, "sandbox/.logs/much/0/stdout.2"), &log), 0);
    assert_int_equal(log.st_uid, 33);
    assert_true(log.st_size >= 1000 && log.st_size <= 1000 + 65536);
    assert_true(bed_has(bed, "sandbox/.logs/much/0/stdout.1"));
    assert_false(bed_has(bed, "sandbox/.logs/much/0/stdout.3"));
    assert_true(bed_has(bed, "sandbox/.logs/much/0/stderr"));
}

/* ---- launchers ------------------------------------------------------------------------------ */

static void waits_for_the_acknowledgement(void **state)
{
    struct bed *bed = *state;
    bed_add_process(bed, "quick", "true");
    bed_start(bed);
    bed_connect(bed);
    bed_hello(bed);
    bed_await(bed, STATE(FINISHED));
    assert_true(bed_has(bed, "run/exit"));
    bed_connect(bed); /* another one comes later and learns the same */
    bed_hello(bed);
    bed_await(bed, STATE(FINISHED));
    bed_acknowledge(bed);
    assert_int_equal(bed_wait(bed), 0);
    assert_false(bed_has(bed, "run/executor.sock"));
}

static void survives_its_launchers(void **state)
{
    struct bed *bed = *state;
    bed_add_process(bed, "long", "while ! [ -e go ]; do sleep 0.01; done");
    bed_start(bed);
    for (int i = 0; i < 40; i++) { /* more than it serves at a time */
        bed_connect(bed);
        bed_hello(bed);
        bed_await(bed, STATE(RUNNING));
    }
    bed_acknowledge(bed); /* too early: it is not over */
    bed_write(bed, "sandbox/go", "");
    bed_await(bed, STATE(FINISHED));
    bed_acknowledge(bed);
    assert_int_equal(bed_wait(bed), 0);
}

static void is_killed(void **state)
{
    struct bed *bed = *state;
    bed_add_process(bed, "polite",
                    "trap 'echo bye; exit 0' TERM; echo ready > ready; "
                    "while :; do sleep 0.01; done");
    bed_start(bed);
    bed_connect(bed);
    bed_hello(bed);
    bed_read(bed, "sandbox/ready");
    bed_kill(bed, "enough");
    bed_await(bed, STATE(KILLED));
    assert_string_equal(bed->state->message, "enough");
    bed_acknowledge(bed);
    assert_int_equal(bed_wait(bed), 1);
    bed_assert_ended(bed, STATE(KILLED), "enough");
    assert_string_equal(bed_read_log(bed, "polite", 0, "stdout"), "bye\n");
}

static void is_killed_with_force(void **state)
{
    struct bed *bed = *state;
    bed->plan->kill_grace_ms = 100;
    bed_add_process(bed, "deaf",
                    "trap '' TERM; echo ready > ready; (trap '' TERM; sleep 1000) & "
                    "while :; do sleep 0.01; done");
    bed_start(bed);
    bed_connect(bed);
    bed_hello(bed);
    bed_read(bed, "sandbox/ready");
    bed_kill(bed, "now");
    bed_await(bed, STATE(KILLED));
    bed_await_run(bed, "deaf", "KILLED");
    bed_acknowledge(bed);
    assert_int_equal(bed_wait(bed), 1);
    bed_await_no_process(bed);
}

static void is_killed_by_a_signal(void **state)
{
    struct bed *bed = *state;
    bed_add_process(bed, "long", "echo ready > ready; sleep 1000");
    bed_start(bed);
    bed_read(bed, "sandbox/ready");
    kill(bed->pid, SIGTERM);
    bed_connect(bed);
    bed_hello(bed);
    bed_await(bed, STATE(KILLED));
    bed_acknowledge(bed);
    assert_int_equal(bed_wait(bed), 1);
}

static const struct garbage_case {
    const char *name, *bytes;
    size_t len;
} garbage[] = {
    { "text", "GET / HTTP/1.1\r\n\r\n", 18 },
    { "the largest length", "\377\377\377\377abc", 7 },
    { "no message", "\0\0\0\3\377\377\377", 7 },
    { "an empty message", "\0\0\0\0", 4 },
    { "a message of a later version", "\0\0\0\3\172\1x", 7 },
};

static void garbage_costs_the_connection(void **state)
{
    struct bed *bed = *state;
    bed_add_process(bed, "long", "while ! [ -e go ]; do sleep 0.01; done");
    bed_start(bed);
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        bed_connect(bed);
        bed_send_bytes(bed, garbage[i].bytes, garbage[i].len);
        bed_await_hangup(bed);
    }
    bed_connect(bed);
    bed_send_bytes(bed, "\0\0", 2); /* half a frame, and gone */
    bed_connect(bed);
    bed_hello(bed);
    bed_await(bed, STATE(RUNNING));
    bed_write(bed, "sandbox/go", "");
    bed_await(bed, STATE(FINISHED));
    bed_acknowledge(bed);
    assert_int_equal(bed_wait(bed), 0);
}

/* A launcher that never reads does not hold up the task or the others. */
static void a_deaf_launcher_costs_nothing(void **state)
{
    struct bed *bed = *state;
    for (int i = 0; i < 20; i++)
        bed_add_process(bed, arena_printf(bed->arena, "p%d", i), "true")->daemon = true;
    bed->plan->max_failures = 0;
    bed_start(bed);
    bed_connect(bed);
    bed_hello(bed);
    int deaf = bed->socket;
    bed->socket = -1;
    bed_connect(bed);
    bed_hello(bed);
    bed_await(bed, STATE(FINISHED)); /* each daemon reaches its limit of runs */
    bed_acknowledge(bed);
    assert_int_equal(bed_wait(bed), 0);
    close(deaf);
}

/* ---- refusals ------------------------------------------------------------------------------- */

static void refuses_a_second_executor(void **state)
{
    struct bed *bed = *state;
    bed_add_process(bed, "long", "while ! [ -e go ]; do sleep 0.01; done");
    bed_start(bed);
    bed_connect(bed);
    bed_hello(bed);
    bed_await(bed, STATE(RUNNING));
    assert_int_equal(bed_run(bed), 2);
    assert_non_null(strstr(bed_read(bed, "output"), "another executor holds run directory"));
    assert_int_equal(bed_run_beside(bed, "--clean"), 2);
    bed_write(bed, "sandbox/go", "");
    bed_await(bed, STATE(FINISHED));
    bed_acknowledge(bed);
    assert_int_equal(bed_wait(bed), 0);
    assert_int_equal(bed_run(bed), 2);
    assert_non_null(strstr(bed_read(bed, "output"), "has ended already"));
}

static void refuses_a_plan_that_is_none(void **state)
{
    struct bed *bed = *state;
    bed_add_process(bed, "a", "true");
    bed->plan->run_directory = "relative";
    assert_int_equal(bed_run(bed), 2);
    assert_non_null(
        strstr(bed_read(bed, "output"), "field run_directory must be an absolute path"));
    bed->plan->run_directory = bed_path(bed, "no/such/directory");
    assert_int_equal(bed_run(bed), 2);
    assert_non_null(strstr(bed_read(bed, "output"), "could not open run directory"));
}

static void fails_a_wrong_plan(void **state)
{
    struct bed *bed = *state;
    bed_add_process(bed, "a", "true");
    bed_add_process(bed, "b", "true");
    bed_add_order(bed, "a", "b");
    bed_add_order(bed, "b", "a");
    assert_int_equal(bed_run(bed), 1);
    bed_assert_ended(bed, STATE(FAILED), "the plan is not valid: the constraints make process");
}

static void fails_without_a_sandbox(void **state)
{
    struct bed *bed = *state;
    bed_add_process(bed, "a", "true");
    bed->plan->sandbox = bed_path(bed, "nowhere");
    assert_int_equal(bed_run(bed), 1);
    bed_assert_ended(bed, STATE(FAILED), "could not change to the sandbox");
}

static void serves_a_deep_directory(void **state)
{
    struct bed *bed = *state;
    const char *deep =
        "run/a-directory-whose-name-is-so-long/that-an-address-of-a-socket/cannot-hold-it/"
        "because-there-are-only-108-bytes";
    bed_make_directory(bed, deep);
    bed->plan->run_directory = bed_path(bed, deep);
    bed_add_process(bed, "a", "true");
    bed_start(bed);
    bed_connect(bed);
    bed_hello(bed);
    bed_await(bed, STATE(FINISHED));
    bed_acknowledge(bed);
    assert_int_equal(bed_wait(bed), 0);
}

/* As the entry point of an engine's container: the first of a pid namespace, without a container
 * plan. */
static void is_the_first_process(void **state)
{
    struct bed *bed = *state;
    bed->plan->kill_grace_ms = 200;
    bed->wrapper = "unshare --pid --mount-proc --fork --kill-child";
    bed_add_process(bed, "a",
                    "setsid sleep 1000 & (sleep 1000 &); ps -e -o comm= | head -n 1; "
                    "echo ready > ready; trap '' TERM; while :; do sleep 0.01; done");
    bed_start(bed);
    bed_connect(bed);
    bed_hello(bed);
    bed_read(bed, "sandbox/ready");
    assert_string_equal(bed_read_log(bed, "a", 0, "stdout"), "eos-executor\n");
    bed_kill(bed, "enough");
    bed_await(bed, STATE(KILLED));
    bed_acknowledge(bed);
    assert_int_equal(bed_wait(bed), 1);
    bed_await_no_process(bed);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, bed_open, bed_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(runs_in_order),
        TEST(repeats_what_fails),
        TEST(fails_with_a_reason),
        TEST(leaves_no_children),
        TEST(runs_final_processes),
        TEST(has_the_environment),
        TEST(does_not_follow_log_links),
        TEST(does_not_wait_for_a_pipe),
        TEST(reads_the_profile),
        TEST(logs_where_it_is_told),
        TEST(rotates_logs),
        TEST(waits_for_the_acknowledgement),
        TEST(survives_its_launchers),
        TEST(is_killed),
        TEST(is_killed_with_force),
        TEST(is_killed_by_a_signal),
        TEST(garbage_costs_the_connection),
        TEST(a_deaf_launcher_costs_nothing),
        TEST(refuses_a_second_executor),
        TEST(refuses_a_plan_that_is_none),
        TEST(fails_a_wrong_plan),
        TEST(fails_without_a_sandbox),
        TEST(serves_a_deep_directory),
        TEST(is_the_first_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
