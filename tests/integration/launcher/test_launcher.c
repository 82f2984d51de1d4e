#include "base/alloc.h"
#include "base/cleanup.h"
#include "harness.h"
#include "unit/test.h"

#include <signal.h>
#include <sys/stat.h>

#define ASSIGNED EOS__JOB__V1__SCHEDULE_STATUS__ASSIGNED
#define STARTING EOS__JOB__V1__SCHEDULE_STATUS__STARTING
#define RUNNING  EOS__JOB__V1__SCHEDULE_STATUS__RUNNING
#define FINISHED EOS__JOB__V1__SCHEDULE_STATUS__FINISHED
#define FAILED   EOS__JOB__V1__SCHEDULE_STATUS__FAILED
#define KILLED   EOS__JOB__V1__SCHEDULE_STATUS__KILLED
#define LOST     EOS__JOB__V1__SCHEDULE_STATUS__LOST

#define FOREVER "while true; do sleep 0.1; done"

static int set_up(void **state)
{
    struct harness *harness = harness_make();
    *state = harness;
    return harness_start(harness) ? 0 : -1;
}

static int set_up_only(void **state)
{
    *state = harness_make();
    return 0;
}

/* However it stands, the launcher comes to a clean end. */
static int tear_down(void **state)
{
    struct harness *harness = *state;
    int status = harness->pid > 0 ? harness_terminate(harness) : 0;
    harness_done(harness);
    return status;
}

static void launch(struct harness *h, const char *id, const char *cmdline)
{
    harness_launch(h, &(struct task_spec){ .id = id, .cmdline = cmdline });
}

static void launch_and_wait(struct harness *h, const char *id, const char *cmdline)
{
    launch(h, id, cmdline);
    assert_non_null(harness_wait_for(h, id, RUNNING));
}

static int executor_pid(struct harness *h, const char *id)
{
    Eos__Launcher__V1__DescribeTaskRequest request = EOS__LAUNCHER__V1__DESCRIBE_TASK_REQUEST__INIT;
    struct error err = { 0 };
    request.task_id = (char *)harness_id(h, id);
    Eos__Launcher__V1__DescribeTaskResponse *response =
        (void *)harness_ask(h, "DescribeTask", &request.base, &err);
    assert_string_equal(err.message, "");
    int pid = response->executor_pid;
    protobuf_c_message_free_unpacked(&response->base, NULL);
    return pid;
}

/* A file in the sandbox of a task. */
static void read_sandbox(struct harness *h, const char *id, const char *file, struct text *out)
{
    cleanup_free char *path = xasprintf("state/sandboxes/%s/%s", harness_id(h, id), file);
    harness_read_file(h, path, out);
}

/* -- a life --------------------------------------------------------------------------------------- */

static void the_host_is_described(void **state)
{
    struct harness *h = *state;
    assert_int_equal(h->pictures, 1);
    assert_int_equal(map_count(h->picture), 0);
    assert_int_equal(strlen(h->host_id), 32);
    assert_true(h->total->num_cpus >= 1 && h->total->ram_mb > 0 && h->total->disk_mb > 0);
    assert_int_equal(h->attribute_count, 1);
}

static void a_task_runs_to_its_end(void **state)
{
    struct harness *h = *state;
    cleanup_text struct text log = TEXT_INIT;
    launch(h, "t1",
           "echo \"i={{mesos.instance}} h={{mesos.hostname}} $USER $(id -un) $HOME\"; pwd; umask");
    assert_non_null(harness_wait_for(h, "t1", STARTING));
    assert_non_null(harness_wait_for(h, "t1", FINISHED));
    read_sandbox(h, "t1", ".logs/main/0/stdout", &log);
    cleanup_free char *expected =
        xasprintf("i=0 h=h1 nobody nobody %s/sandboxes/%s\n%s/sandboxes/%s\n0022\n", h->state_dir,
                  harness_id(h, "t1"), h->state_dir, harness_id(h, "t1"));
    assert_string_equal(text_string(&log), expected);
    assert_true(harness_wait(h, harness_nothing_left, NULL));
}

static void a_task_that_fails_says_why(void **state)
{
    struct harness *h = *state;
    launch(h, "t1", "exit 3");
    assert_non_null(harness_wait_for(h, "t1", FAILED));
    assert_true(harness_wait(h, harness_nothing_left, NULL));
}

static void a_role_that_is_no_user_fails_the_task(void **state)
{
    struct harness *h = *state;
    harness_launch(h, &(struct task_spec){ .id = "t1", .role = "no-such-user", .cmdline = "true" });
    const char *message = harness_wait_for(h, "t1", FAILED);
    assert_non_null(message);
    assert_non_null(strstr(message, "role \"no-such-user\" is not a user of the host"));
}

static void what_cannot_be_understood_fails_the_task(void **state)
{
    struct harness *h = *state;
    harness_launch(h, &(struct task_spec){ .id = "t1", .executor_data = "{" });
    harness_launch(h, &(struct task_spec){ .id = "../t2", .cmdline = "true" });
    launch(h, "t3", "echo {{thermos.ports[http]}}");
    assert_non_null(strstr(harness_wait_for(h, "t1", FAILED), "Could not deserialize"));
    assert_non_null(strstr(harness_wait_for(h, "../t2", FAILED), "a task id must be"));
    assert_non_null(strstr(harness_wait_for(h, "t3", FAILED), "missing: thermos.ports[http]"));
}

static void a_task_is_killed(void **state)
{
    struct harness *h = *state;
    launch_and_wait(h, "t1", FOREVER);
    harness_order_kill(h, "t1");
    assert_string_equal(harness_wait_for(h, "t1", KILLED), "Killed by the test.");
    assert_true(harness_wait(h, harness_nothing_left, NULL));
}

static void a_kill_may_come_with_the_launch(void **state)
{
    struct harness *h = *state;
    launch(h, "t1", FOREVER);
    harness_order_kill(h, "t1");
    assert_non_null(harness_wait_for(h, "t1", KILLED));
    assert_true(harness_wait(h, harness_nothing_left, NULL));
}

static void a_kill_of_an_unknown_task_is_passed_over(void **state)
{
    struct harness *h = *state;
    harness_order_kill(h, "never");
    launch(h, "t1", "true");
    assert_non_null(harness_wait_for(h, "t1", FINISHED));
}

static void many_tasks_run_side_by_side(void **state)
{
    struct harness *h = *state;
    for (int i = 0; i < 30; i++) {
        char id[16];
        snprintf(id, sizeof id, "t%d", i);
        launch(h, id, "true");
    }
    for (int i = 0; i < 30; i++) {
        char id[16];
        snprintf(id, sizeof id, "t%d", i);
        assert_non_null(harness_wait_for(h, id, FINISHED));
        assert_int_equal(harness_count(h, id, FINISHED), 1);
    }
    assert_true(harness_wait(h, harness_nothing_left, NULL));
}

static void nothing_of_the_launcher_leaks_into_tasks(void **state)
{
    struct harness *h = *state;
    cleanup_text struct text log = TEXT_INIT;
    launch(
        h, "t1",
        "ls -l /proc/self/fd | grep -v '/proc' | grep -c -- '->'; ulimit -n; env | grep -c EOS_");
    assert_non_null(harness_wait_for(h, "t1", FAILED)); /* grep found none */
    read_sandbox(h, "t1", ".logs/main/0/stdout", &log);
    assert_string_equal(text_string(&log), "3\n1024\n0\n");
}

static void a_volume_of_the_host_is_mounted(void **state)
{
    struct harness *h = *state;
    cleanup_text struct text log = TEXT_INIT;
    Eos__Job__V1__Volume volume = EOS__JOB__V1__VOLUME__INIT, *volumes[] = { &volume };
    Eos__Job__V1__MesosContainer mesos = EOS__JOB__V1__MESOS_CONTAINER__INIT;
    Eos__Job__V1__Container container = EOS__JOB__V1__CONTAINER__INIT;
    cleanup_free char *source = xasprintf("%s/shared", h->folder);

    assert_int_equal(mkdir(source, 0777), 0);
    volume.host_path = source;
    volume.container_path = "/mnt";
    volume.mode = EOS__JOB__V1__VOLUME_MODE__RO;
    mesos.volumes = volumes;
    mesos.n_volumes = 1;
    container.container_case = EOS__JOB__V1__CONTAINER__CONTAINER_MESOS;
    container.mesos = &mesos;
    harness_launch(h,
                   &(struct task_spec){ .id = "t1",
                                        .cmdline = "touch /mnt/x 2>/dev/null || grep -c ' /mnt ' "
                                                   "/proc/self/mounts",
                                        .container = &container });
    assert_non_null(harness_wait_for(h, "t1", FINISHED));
    read_sandbox(h, "t1", ".logs/main/0/stdout", &log);
    assert_string_equal(text_string(&log), "1\n");
}

/* -- the conversation ----------------------------------------------------------------------------- */

static void news_do_not_wait_for_the_held_poll(void **state)
{
    struct harness *h = *state;
    launch(h, "t1", "sleep 0.3");
    assert_non_null(harness_wait_for(h, "t1", RUNNING));
    uint64_t before = uv_hrtime();
    assert_non_null(harness_wait_for(h, "t1", FINISHED));
    assert_true(uv_hrtime() - before < UINT64_C(3000000000)); /* polls are held for 15 s */
}

static void polls_that_nobody_lets_go_do_not_pile_up(void **state)
{
    struct harness *h = *state;
    h->never_lets_go = true;
    uint64_t before = uv_hrtime();
    for (int i = 0; i < 12; i++) {
        char id[8];
        snprintf(id, sizeof id, "t%d", i);
        launch(h, id, "true");
        assert_non_null(harness_wait_for(h, id, FINISHED));
    }
    assert_true(uv_hrtime() - before < UINT64_C(10000000000));
}

static void updates_are_repeated_until_they_are_acknowledged(void **state)
{
    struct harness *h = *state;
    h->keeps_silent = true;
    launch(h, "t1", "true");
    assert_non_null(harness_wait_for(h, "t1", FINISHED));
    harness_kill(h);
    size_t seen = 0;
    for (struct update_seen *update = h->updates; update; update = update->next)
        seen++;
    assert_true(harness_start(h));
    h->keeps_silent = false;
    h->wants_picture = true;
    harness_order_forget(h, "other"); /* so that there is something to say */
    assert_true(harness_wait(h, harness_nothing_left, NULL));
    size_t now = 0;
    for (struct update_seen *update = h->updates; update; update = update->next)
        now++;
    assert_int_equal(now, seen); /* under their old ids */
}

static bool has_second_picture(const struct harness *h, const void *what)
{
    (void)what;
    return h->pictures >= 2;
}

static void all_tasks_are_told_when_asked(void **state)
{
    struct harness *h = *state;
    launch_and_wait(h, "t1", FOREVER);
    h->wants_picture = true;
    harness_order_forget(h, "other");
    assert_true(harness_wait(h, has_second_picture, NULL));
    assert_int_equal((uintptr_t)map_get(h->picture, SLICE("t1")) - 1, RUNNING);
}

static bool is_forgotten(const struct harness *h, const void *what)
{
    cleanup_free char *sandbox = xasprintf("%s/sandboxes/%s", h->state_dir, harness_id(h, what));
    cleanup_free char *task = xasprintf("%s/tasks/%s", h->state_dir, harness_id(h, what));
    return access(sandbox, F_OK) != 0 && access(task, F_OK) != 0;
}

static void a_dead_task_is_kept_until_it_is_forgotten(void **state)
{
    struct harness *h = *state;
    cleanup_text struct text log = TEXT_INIT;
    struct error err = { 0 };
    launch(h, "t1", "echo bye");
    assert_non_null(harness_wait_for(h, "t1", FINISHED));
    assert_true(harness_wait(h, harness_nothing_left, NULL));
    assert_true(harness_read_log(h, &(struct log_wish){ .task_id = "t1" }, &log, &err));
    assert_string_equal(text_string(&log), "bye\n");
    harness_order_forget(h, "t1");
    assert_true(harness_wait(h, is_forgotten, "t1"));
    assert_false(harness_read_log(h, &(struct log_wish){ .task_id = "t1" }, &log, &err));
    assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void a_running_task_is_not_forgotten(void **state)
{
    struct harness *h = *state;
    launch_and_wait(h, "t1", FOREVER);
    harness_order_forget(h, "t1");
    harness_order_kill(h, "t1");
    assert_non_null(harness_wait_for(h, "t1", KILLED));
}

static void dead_tasks_are_bounded(void **state)
{
    struct harness *h = *state;
    harness_add_flag(h, "--dead-tasks", "1");
    assert_true(harness_start(h));
    for (int i = 0; i < 3; i++) {
        char id[8];
        snprintf(id, sizeof id, "t%d", i);
        launch(h, id, "true");
        assert_non_null(harness_wait_for(h, id, FINISHED));
    }
    assert_true(harness_wait(h, is_forgotten, "t0"));
    assert_true(harness_wait(h, is_forgotten, "t1"));
    assert_false(is_forgotten(h, "t2"));
}

/* -- logs ----------------------------------------------------------------------------------------- */

static void a_log_is_read_in_parts(void **state)
{
    struct harness *h = *state;
    struct error err = { 0 };
    launch(h, "t1", "printf 0123456789; printf oops >&2");
    assert_non_null(harness_wait_for(h, "t1", FINISHED));
    static const struct {
        struct log_wish wish;
        const char *content;
    } parts[] = {
        { { .task_id = "t1" }, "0123456789" },
        { { .task_id = "t1", .process = "main", .run = -1 }, "0123456789" },
        { { .task_id = "t1", .offset = 4 }, "456789" },
        { { .task_id = "t1", .offset = -3 }, "789" },
        { { .task_id = "t1", .offset = -30 }, "0123456789" },
        { { .task_id = "t1", .offset = 2, .limit_bytes = 3 }, "234" },
        { { .task_id = "t1", .offset = 99 }, "" },
        { { .task_id = "t1", .stream = EOS__LAUNCHER__V1__LOG_STREAM__STDERR }, "oops" },
        { { .task_id = "t1", .follow = true }, "0123456789" },
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        cleanup_text struct text log = TEXT_INIT;
        assert_true(harness_read_log(h, &parts[i].wish, &log, &err));
        assert_string_equal(text_string(&log), parts[i].content);
    }
}

static void a_large_log_comes_whole(void **state)
{
    struct harness *h = *state;
    cleanup_text struct text log = TEXT_INIT;
    struct error err = { 0 };
    launch(h, "t1", "seq 1 400000");
    assert_non_null(harness_wait_for(h, "t1", FINISHED));
    assert_true(harness_read_log(h, &(struct log_wish){ .task_id = "t1" }, &log, &err));
    assert_int_equal(log.len, 2688895);
    assert_string_equal(text_string(&log) + log.len - 14, "399999\n400000\n");
}

static void a_log_is_followed_to_the_end_of_the_task(void **state)
{
    struct harness *h = *state;
    cleanup_text struct text log = TEXT_INIT;
    struct error err = { 0 };
    launch_and_wait(h, "t1", "for i in 1 2 3; do echo $i; sleep 0.2; done");
    assert_true(
        harness_read_log(h, &(struct log_wish){ .task_id = "t1", .follow = true }, &log, &err));
    assert_string_equal(text_string(&log), "1\n2\n3\n");
}

static void following_goes_on_with_the_next_run(void **state)
{
    struct harness *h = *state;
    cleanup_text struct text log = TEXT_INIT;
    struct error err = { 0 };
    harness_launch(
        h, &(struct task_spec){
               .id = "t1",
               .executor_data =
                   "{\"task\": {\"processes\": [{\"name\": \"p\", \"max_failures\": 8, "
                   "\"min_duration\": 0, \"cmdline\": \"echo run; sleep 0.3; exit 1\"}]}}" });
    assert_non_null(harness_wait_for(h, "t1", RUNNING));
    assert_true(harness_read_log(
        h, &(struct log_wish){ .task_id = "t1", .process = "p", .run = -1, .follow = true }, &log,
        &err));
    assert_int_equal(log.len % 4, 0);
    assert_true(log.len >= 8); /* the run that was the newest, and at least one after it */
    for (size_t i = 0; i < log.len; i += 4)
        assert_memory_equal(log.ptr + i, "run\n", 4);
}

static void following_goes_on_with_a_rotated_log(void **state)
{
    struct harness *h = *state;
    cleanup_text struct text log = TEXT_INIT;
    struct error err = { 0 };
    harness_launch(
        h,
        &(struct task_spec){
            .id = "t1",
            .executor_data =
                "{\"task\": {\"processes\": [{\"name\": \"p\", \"logger\": {\"mode\": \"rotate\", "
                "\"rotate\": {\"log_size\": 10, \"backups\": 2}}, \"cmdline\": \"echo aaaaaaaaaa; "
                "sleep 1.5; echo bbbbbbbbbb; sleep 1.5; echo c\"}]}}" });
    assert_non_null(harness_wait_for(h, "t1", RUNNING));
    assert_true(harness_read_log(
        h, &(struct log_wish){ .task_id = "t1", .process = "p", .run = -1, .follow = true }, &log,
        &err));
    assert_non_null(strstr(text_string(&log), "bbbbbbbbbb\nc\n"));
}

static void a_follower_that_goes_away_is_no_burden(void **state)
{
    struct harness *h = *state;
    cleanup_text struct text log = TEXT_INIT;
    struct error err = { 0 };
    launch_and_wait(h, "t1", "while true; do echo tick; sleep 0.05; done");
    assert_true(harness_read_log(
        h, &(struct log_wish){ .task_id = "t1", .follow = true, .until = "tick\ntick\n" }, &log,
        &err));
    harness_order_kill(h, "t1");
    assert_non_null(harness_wait_for(h, "t1", KILLED));
    assert_int_equal(harness_terminate(h), 0);
}

static void logs_are_listed(void **state)
{
    struct harness *h = *state;
    Eos__Launcher__V1__ListLogsRequest request = EOS__LAUNCHER__V1__LIST_LOGS_REQUEST__INIT;
    struct error err = { 0 };
    launch(h, "t1", "printf 12345");
    assert_non_null(harness_wait_for(h, "t1", FINISHED));
    request.task_id = (char *)harness_id(h, "t1");
    Eos__Launcher__V1__ListLogsResponse *response =
        (void *)harness_ask(h, "ListLogs", &request.base, &err);
    assert_non_null(response);
    assert_int_equal(response->n_files, 2);
    assert_string_equal(response->files[0]->process, "main");
    assert_int_equal(response->files[0]->size_bytes, 5);
    protobuf_c_message_free_unpacked(&response->base, NULL);
}

static void wrong_questions_are_refused(void **state)
{
    struct harness *h = *state;
    cleanup_text struct text log = TEXT_INIT;
    launch_and_wait(h, "t1", FOREVER);
    static const struct {
        struct log_wish wish;
        enum error_code code;
    } wrong[] = {
        { { .task_id = "t2" }, ERROR_NOT_FOUND },
        { { .task_id = "../t1" }, ERROR_NOT_FOUND },
        { { .task_id = "t1", .process = "other" }, ERROR_NOT_FOUND },
        { { .task_id = "t1", .process = "../.." }, ERROR_INVALID_ARGUMENT },
        { { .task_id = "t1", .run = 7 }, ERROR_NOT_FOUND },
        { { .task_id = "t1", .run = -2 }, ERROR_INVALID_ARGUMENT },
        { { .task_id = "t1", .limit_bytes = -1 }, ERROR_INVALID_ARGUMENT },
        { { .task_id = "t1", .stream = (Eos__Launcher__V1__LogStream)5 }, ERROR_INVALID_ARGUMENT },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct error err = { 0 };
        assert_false(harness_read_log(h, &wrong[i].wish, &log, &err));
        assert_int_equal(err.code, wrong[i].code);
    }
}

/* -- restarts and crashes ------------------------------------------------------------------------- */

static void tasks_outlive_a_restart(void **state)
{
    struct harness *h = *state;
    launch_and_wait(h, "t1", FOREVER);
    int pid = executor_pid(h, "t1");
    assert_int_equal(harness_terminate(h), 0);
    assert_true(h->was_draining);
    assert_true(harness_start(h));
    assert_int_equal((uintptr_t)map_get(h->picture, SLICE("t1")) - 1, RUNNING);
    assert_int_equal(executor_pid(h, "t1"), pid);
    harness_order_kill(h, "t1");
    assert_non_null(harness_wait_for(h, "t1", KILLED));
    assert_true(harness_wait(h, harness_nothing_left, NULL));
}

static void tasks_outlive_a_crash(void **state)
{
    struct harness *h = *state;
    char host_id[64];
    snprintf(host_id, sizeof host_id, "%s", h->host_id);
    launch_and_wait(h, "t1", FOREVER);
    int pid = executor_pid(h, "t1");
    harness_kill(h);
    assert_true(harness_start(h));
    assert_string_equal(h->host_id, host_id);
    assert_int_equal(executor_pid(h, "t1"), pid);
    assert_int_equal(harness_count(h, "t1", LOST), 0);
    harness_order_kill(h, "t1");
    assert_non_null(harness_wait_for(h, "t1", KILLED));
}

static void an_executor_that_nobody_noted_is_found(void **state)
{
    struct harness *h = *state;
    launch_and_wait(h, "t1", FOREVER);
    int pid = executor_pid(h, "t1");
    harness_kill(h);
    harness_forget_executor(h, "t1");
    assert_true(harness_start(h));
    assert_int_equal(executor_pid(h, "t1"), pid);
    harness_order_kill(h, "t1");
    assert_non_null(harness_wait_for(h, "t1", KILLED));
}

static bool has_exit(const struct harness *h, const void *what)
{
    cleanup_free char *path = xasprintf("%s/tasks/%s/exit", h->state_dir, harness_id(h, what));
    return access(path, F_OK) == 0;
}

static void an_end_while_nobody_looks_is_told_later(void **state)
{
    struct harness *h = *state;
    launch_and_wait(h, "t1", "sleep 0.5");
    harness_kill(h);
    assert_true(harness_wait(h, has_exit, "t1"));
    assert_true(harness_start(h));
    assert_non_null(harness_wait_for(h, "t1", FINISHED));
    assert_true(harness_wait(h, harness_nothing_left, NULL));
}

static void an_executor_that_dies_takes_its_task_along(void **state)
{
    struct harness *h = *state;
    launch_and_wait(h, "t1", "echo $$; sleep 1000");
    kill(executor_pid(h, "t1"), SIGKILL);
    const char *message = harness_wait_for(h, "t1", LOST);
    assert_non_null(message);
    assert_non_null(strstr(message, "executor of the task died"));
    assert_true(harness_wait(h, harness_nothing_left, NULL));
}

static void an_executor_that_dies_while_nobody_looks(void **state)
{
    struct harness *h = *state;
    launch_and_wait(h, "t1", "sleep 1000");
    int pid = executor_pid(h, "t1");
    harness_kill(h);
    kill(pid, SIGKILL);
    assert_true(harness_start(h));
    assert_non_null(harness_wait_for(h, "t1", LOST));
    assert_true(harness_wait(h, harness_nothing_left, NULL));
}

static bool is_past(const struct harness *h, const void *moment)
{
    (void)h;
    return uv_hrtime() >= *(const uint64_t *)moment;
}

static bool runs_once(const struct harness *h, const void *what)
{
    cleanup_free char *plan = xasprintf("%s/tasks/%s/plan", h->state_dir, harness_id(h, what));
    return harness_count(h, what, RUNNING) >= 1 && harness_processes(plan) > 0;
}

/* At whatever moment of a launch the launcher dies, the task runs afterwards, and once. */
static void a_crash_at_any_moment_of_a_launch(void **state)
{
    struct harness *h = *state;
    for (uint64_t i = 0; i < 24; i++) {
        char id[16];
        snprintf(id, sizeof id, "t%d", (int)i);
        launch(h, id, "echo begun >> begun; sleep 1000");
        uint64_t moment = uv_hrtime() + i * 700000;
        assert_true(harness_wait(h, is_past, &moment));
        harness_kill(h);
        assert_true(harness_start(h));
        assert_true(harness_wait(h, runs_once, id));
        cleanup_text struct text begun = TEXT_INIT;
        cleanup_free char *path = xasprintf("state/sandboxes/%s/begun", harness_id(h, id));
        while (begun.len == 0) {
            uv_run(&h->loop, UV_RUN_ONCE);
            harness_read_file(h, path, &begun);
        }
        assert_string_equal(text_string(&begun), "begun\n");
        assert_int_equal(harness_count(h, id, LOST) + harness_count(h, id, FAILED), 0);
    }
    for (int i = 0; i < 24; i++) {
        char id[16];
        snprintf(id, sizeof id, "t%d", i);
        harness_order_kill(h, id);
    }
    assert_non_null(harness_wait_for(h, "t23", KILLED));
    assert_true(harness_wait(h, harness_nothing_left, NULL));
}

static void a_broken_checkpoint_does_not_stop_the_others(void **state)
{
    struct harness *h = *state;
    launch_and_wait(h, "t1", FOREVER);
    harness_kill(h);
    cleanup_free char *folder = xasprintf("%s/tasks/broken", h->state_dir);
    cleanup_free char *path = xasprintf("%s/checkpoint", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    FILE *file = fopen(path, "w");
    fputs("nonsense", file);
    fclose(file);
    assert_true(harness_start(h));
    assert_non_null(map_get(h->picture, SLICE("t1")));
    assert_null(map_get(h->picture, SLICE("broken")));
}

static void an_end_is_remembered(void **state)
{
    struct harness *h = *state;
    Eos__Launcher__V1__DescribeTaskRequest request = EOS__LAUNCHER__V1__DESCRIBE_TASK_REQUEST__INIT;
    struct error err = { 0 };
    launch(h, "t1", "exit 3");
    assert_non_null(harness_wait_for(h, "t1", FAILED));
    assert_true(harness_wait(h, harness_nothing_left, NULL));
    assert_int_equal(harness_terminate(h), 0);
    assert_true(harness_start(h));
    request.task_id = (char *)harness_id(h, "t1");
    Eos__Launcher__V1__DescribeTaskResponse *response =
        (void *)harness_ask(h, "DescribeTask", &request.base, &err);
    assert_non_null(response);
    assert_int_equal(response->status, FAILED);
    assert_int_equal(response->executor_pid, 0);
    assert_int_equal(response->n_processes, 1);
    assert_int_equal(response->processes[0]->exit_code, 3);
    protobuf_c_message_free_unpacked(&response->base, NULL);
    assert_int_equal(harness_count(h, "t1", FAILED), 1);
}

/* -- taking a host down --------------------------------------------------------------------------- */

static void all_tasks_are_stopped_as_lost(void **state)
{
    struct harness *h = *state;
    Eos__Launcher__V1__StopTasksRequest request = EOS__LAUNCHER__V1__STOP_TASKS_REQUEST__INIT;
    struct error err = { 0 };
    launch_and_wait(h, "t1", FOREVER);
    launch_and_wait(h, "t2", FOREVER);
    request.message = "The host goes away.";
    Eos__Launcher__V1__StopTasksResponse *response =
        (void *)harness_ask(h, "StopTasks", &request.base, &err);
    assert_non_null(response);
    assert_int_equal(response->stopped, 2);
    protobuf_c_message_free_unpacked(&response->base, NULL);
    assert_string_equal(harness_wait_for(h, "t1", LOST), "The host goes away.");
    assert_non_null(harness_wait_for(h, "t2", LOST));
    assert_true(harness_nothing_left(h, NULL));
}

/* -- what stops it from starting ------------------------------------------------------------------ */

static void two_launchers_do_not_share_a_state(void **state)
{
    struct harness *h = *state;
    pid_t first = h->pid;
    cleanup_text struct text log = TEXT_INIT;
    h->pid = 0;
    snprintf(h->launcher_url, sizeof h->launcher_url, "ipc://%s/second.sock", h->folder);
    assert_int_equal(harness_run_to_end(h), 1);
    h->pid = first;
    harness_read_file(h, "log", &log);
    assert_non_null(strstr(text_string(&log), "another launcher uses the state directory"));
}

static const struct flag_case {
    const char *name, *flag, *value, *message;
} flags[] = {
    { "an unknown isolator", "--isolation", "magic", "flag --isolation" },
    { "no executor", "--executor", "/nowhere/eos-executor", "could not find the executor" },
    { "ports", "--ports", "x", "flag --ports" },
    { "attribute", "--attribute", "rack", "flag --attribute" },
    { "cpus", "--cpus", "-1", "flag --cpus" },
    { "no key for a public address", "--listen", "tcp://192.0.2.1:7000", "cluster-key" },
    { "a url that is none", "--scheduler", "nonsense", "nonsense" },
    { "a cluster file that is not there", "--clusters", "/nowhere/clusters.json", "/nowhere" },
};

static void refuses_to_start(void **state)
{
    const struct flag_case *c = *state;
    struct harness *h = harness_make();
    cleanup_text struct text log = TEXT_INIT;
    harness_add_flag(h, c->flag, c->value);
    assert_int_equal(harness_run_to_end(h), 1);
    harness_read_file(h, "log", &log);
    assert_non_null(strstr(text_string(&log), c->message));
    harness_done(h);
}

#define LIVE(test)   cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define UNBORN(test) cmocka_unit_test_setup_teardown(test, set_up_only, tear_down)

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        LIVE(the_host_is_described),
        LIVE(a_task_runs_to_its_end),
        LIVE(a_task_that_fails_says_why),
        LIVE(a_role_that_is_no_user_fails_the_task),
        LIVE(what_cannot_be_understood_fails_the_task),
        LIVE(a_task_is_killed),
        LIVE(a_kill_may_come_with_the_launch),
        LIVE(a_kill_of_an_unknown_task_is_passed_over),
        LIVE(many_tasks_run_side_by_side),
        LIVE(nothing_of_the_launcher_leaks_into_tasks),
        LIVE(a_volume_of_the_host_is_mounted),
        LIVE(news_do_not_wait_for_the_held_poll),
        LIVE(polls_that_nobody_lets_go_do_not_pile_up),
        LIVE(updates_are_repeated_until_they_are_acknowledged),
        LIVE(all_tasks_are_told_when_asked),
        LIVE(a_dead_task_is_kept_until_it_is_forgotten),
        LIVE(a_running_task_is_not_forgotten),
        UNBORN(dead_tasks_are_bounded),
        LIVE(a_log_is_read_in_parts),
        LIVE(a_large_log_comes_whole),
        LIVE(a_log_is_followed_to_the_end_of_the_task),
        LIVE(following_goes_on_with_the_next_run),
        LIVE(following_goes_on_with_a_rotated_log),
        LIVE(a_follower_that_goes_away_is_no_burden),
        LIVE(logs_are_listed),
        LIVE(wrong_questions_are_refused),
        LIVE(tasks_outlive_a_restart),
        LIVE(tasks_outlive_a_crash),
        LIVE(an_executor_that_nobody_noted_is_found),
        LIVE(an_end_while_nobody_looks_is_told_later),
        LIVE(an_executor_that_dies_takes_its_task_along),
        LIVE(an_executor_that_dies_while_nobody_looks),
        LIVE(a_crash_at_any_moment_of_a_launch),
        LIVE(an_end_is_remembered),
        LIVE(a_broken_checkpoint_does_not_stop_the_others),
        LIVE(all_tasks_are_stopped_as_lost),
        LIVE(two_launchers_do_not_share_a_state),
    };
    return RUN_CASES(flags, refuses_to_start) + cmocka_run_group_tests(tests, NULL, NULL);
}
