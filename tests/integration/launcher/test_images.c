#include "base/alloc.h"
#include "base/cleanup.h"
#include "harness.h"
#include "unit/test.h"

#include <signal.h>

#define RUNNING  EOS__JOB__V1__SCHEDULE_STATUS__RUNNING
#define FINISHED EOS__JOB__V1__SCHEDULE_STATUS__FINISHED
#define FAILED   EOS__JOB__V1__SCHEDULE_STATUS__FAILED
#define KILLED   EOS__JOB__V1__SCHEDULE_STATUS__KILLED
#define LOST     EOS__JOB__V1__SCHEDULE_STATUS__LOST

/* Images, with a real registry and a real Docker engine: see with-peers.sh. */

#define FOREVER "while true; do sleep 0.1; done"

static int set_up(void **state)
{
    struct harness *h = harness_make();
    cleanup_free char *path = xasprintf("%s/clusters.json", h->folder);
    FILE *file = fopen(path, "w");
    fprintf(file, "[{\"name\": \"testcluster\", \"docker_registry\": \"http://%s\"}]",
            getenv("TEST_REGISTRY"));
    fclose(file);
    harness_add_flag(h, "--clusters", path);
    harness_add_flag(h, "--docker-socket", getenv("TEST_DOCKER_SOCKET"));
    harness_add_flag(h, "--appc-simple-discovery-uri-prefix", getenv("TEST_APPC_PREFIX"));
    *state = h;
    return harness_start(h) ? 0 : -1;
}

/* However it stands, the launcher comes to a clean end. */
static int tear_down(void **state)
{
    struct harness *harness = *state;
    int status = harness->pid > 0 ? harness_terminate(harness) : 0;
    harness_done(harness);
    return status;
}

/* -- containers ----------------------------------------------------------------------------------- */

static Eos__Job__V1__Container *docker_image(struct harness *h, const char *name, const char *tag)
{
    Eos__Job__V1__Container *container = arena_alloc(h->arena, sizeof *container);
    Eos__Job__V1__MesosContainer *mesos = arena_alloc(h->arena, sizeof *mesos);
    Eos__Job__V1__Image *image = arena_alloc(h->arena, sizeof *image);
    Eos__Job__V1__DockerImage *docker = arena_alloc(h->arena, sizeof *docker);
    eos__job__v1__container__init(container);
    eos__job__v1__mesos_container__init(mesos);
    eos__job__v1__image__init(image);
    eos__job__v1__docker_image__init(docker);
    docker->name = (char *)name;
    docker->tag = (char *)tag;
    image->image_case = EOS__JOB__V1__IMAGE__IMAGE_DOCKER;
    image->docker = docker;
    mesos->image = image;
    container->container_case = EOS__JOB__V1__CONTAINER__CONTAINER_MESOS;
    container->mesos = mesos;
    return container;
}

static Eos__Job__V1__Container *appc_image(struct harness *h, const char *name, const char *id)
{
    Eos__Job__V1__Container *container = docker_image(h, "", "");
    Eos__Job__V1__AppcImage *appc = arena_alloc(h->arena, sizeof *appc);
    eos__job__v1__appc_image__init(appc);
    appc->name = (char *)name;
    appc->image_id = (char *)id;
    container->mesos->image->image_case = EOS__JOB__V1__IMAGE__IMAGE_APPC;
    container->mesos->image->appc = appc;
    return container;
}

static Eos__Job__V1__Container *engine(struct harness *h, const char *image, const char *parameter,
                                       const char *value)
{
    Eos__Job__V1__Container *container = arena_alloc(h->arena, sizeof *container);
    Eos__Job__V1__DockerContainer *docker = arena_alloc(h->arena, sizeof *docker);
    eos__job__v1__container__init(container);
    eos__job__v1__docker_container__init(docker);
    docker->image = arena_printf(h->arena, "%s/%s", getenv("TEST_REGISTRY"), image);
    if (parameter) {
        Eos__Job__V1__DockerParameter *added = arena_alloc(h->arena, sizeof *added);
        eos__job__v1__docker_parameter__init(added);
        added->name = (char *)parameter;
        added->value = (char *)value;
        docker->parameters = arena_array(h->arena, 1, sizeof added);
        docker->parameters[docker->n_parameters++] = added;
    }
    container->container_case = EOS__JOB__V1__CONTAINER__CONTAINER_DOCKER;
    container->docker = docker;
    return container;
}

static void launch(struct harness *h, const char *id, Eos__Job__V1__Container *container,
                   const char *cmdline)
{
    harness_launch(h, &(struct task_spec){ .id = id, .cmdline = cmdline, .container = container });
}

static void expect_log(struct harness *h, const char *id, const char *content)
{
    cleanup_text struct text log = TEXT_INIT;
    struct error err = { 0 };
    assert_true(harness_read_log(h, &(struct log_wish){ .task_id = id }, &log, &err));
    assert_string_equal(text_string(&log), content);
}

static Eos__Launcher__V1__DescribeTaskResponse *describe(struct harness *h, const char *id)
{
    Eos__Launcher__V1__DescribeTaskRequest request = EOS__LAUNCHER__V1__DESCRIBE_TASK_REQUEST__INIT;
    struct error err = { 0 };
    request.task_id = (char *)harness_id(h, id);
    ProtobufCMessage *response = harness_ask(h, "DescribeTask", &request.base, &err);
    assert_string_equal(err.message, "");
    return (Eos__Launcher__V1__DescribeTaskResponse *)response;
}

/* -- native --------------------------------------------------------------------------------------- */

static void a_docker_image_is_the_root(void **state)
{
    struct harness *h = *state;
    launch(h, "t1", docker_image(h, "eos/hello", "1.0"),
           "grep -c on.the.spot /etc/os-release; id -un; echo $HOME; cat /proc/1/comm; "
           "[ $(ls /proc | grep -c '^[0-9]') -lt 9 ] && echo alone; touch /tmp/x && echo written; "
           "cat /proc/self/cgroup | grep -c eos");
    assert_non_null(harness_wait_for(h, "t1", FAILED)); /* the last grep finds none */
    expect_log(h, "t1", "1\nnobody\n/mnt/mesos/sandbox\neos-first\nalone\nwritten\n0\n");
    Eos__Launcher__V1__DescribeTaskResponse *response = describe(h, "t1");
    assert_string_equal(response->container_kind, "docker image");
    assert_memory_equal(response->image_digest, "sha256:", 7);
    protobuf_c_message_free_unpacked(&response->base, NULL);
    assert_true(harness_wait(h, harness_nothing_left, NULL));
}

static void an_appc_image_is_the_root(void **state)
{
    struct harness *h = *state;
    launch(h, "t1", appc_image(h, "example.org/hello", getenv("TEST_APPC_ID")),
           "grep -c on.the.spot /etc/os-release");
    assert_non_null(harness_wait_for(h, "t1", FINISHED));
    expect_log(h, "t1", "1\n");
}

/* With the image that it depends on beneath it, and of both only what its white list leaves. */
static void an_appc_image_with_dependencies(void **state)
{
    struct harness *h = *state;
    launch(h, "t1", appc_image(h, "example.org/layered:1.0", ""),
           "cat /etc/greeting; echo $COLOUR; [ -e /etc/os-release ] || [ -e /bin/grep ] || echo "
           "hidden");
    assert_non_null(harness_wait_for(h, "t1", FINISHED));
    expect_log(h, "t1", "layered\nblue\nhidden\n");
}

static void an_image_that_is_not_there_fails_the_task(void **state)
{
    struct harness *h = *state;
    launch(h, "t1", docker_image(h, "eos/absent", "9"), "true");
    const char *message = harness_wait_for(h, "t1", FAILED);
    assert_non_null(message);
    assert_non_null(strstr(message, "eos/absent"));
    assert_non_null(strstr(message, getenv("TEST_REGISTRY")));
}

static void a_native_container_outlives_a_crash(void **state)
{
    struct harness *h = *state;
    launch(h, "t1", docker_image(h, "eos/hello", "1.0"), FOREVER);
    assert_non_null(harness_wait_for(h, "t1", RUNNING));
    harness_kill(h);
    assert_true(harness_start(h));
    assert_non_null(map_get(h->picture, SLICE("t1")));
    harness_order_kill(h, "t1");
    assert_non_null(harness_wait_for(h, "t1", KILLED));
    assert_true(harness_wait(h, harness_nothing_left, NULL));
}

static void a_crash_while_the_image_comes(void **state)
{
    struct harness *h = *state;
    launch(h, "t1", docker_image(h, "eos/hello", "1.0"), "echo here");
    assert_non_null(harness_wait_for(h, "t1", EOS__JOB__V1__SCHEDULE_STATUS__STARTING));
    harness_kill(h);
    assert_true(harness_start(h));
    assert_non_null(harness_wait_for(h, "t1", FINISHED));
    expect_log(h, "t1", "here\n");
}

/* -- the Docker engine ---------------------------------------------------------------------------- */

static void the_engine_runs_a_task(void **state)
{
    struct harness *h = *state;
    launch(h, "e1", engine(h, "eos/hello:1.0", NULL, NULL),
           "grep -c on.the.spot /etc/os-release; id -u; pwd; echo $HOME");
    assert_non_null(harness_wait_for(h, "e1", FINISHED));
    expect_log(h, "e1", "1\n0\n/mnt/mesos/sandbox\n/mnt/mesos/sandbox\n");
    Eos__Launcher__V1__DescribeTaskResponse *response = describe(h, "e1");
    assert_string_equal(response->container_kind, "docker engine");
    assert_memory_equal(response->image_digest, "sha256:", 7);
    protobuf_c_message_free_unpacked(&response->base, NULL);
    assert_true(harness_wait(h, harness_nothing_left, NULL));
}

static void an_image_says_who_runs_it(void **state)
{
    struct harness *h = *state;
    launch(h, "e2", engine(h, "eos/user:1.0", NULL, NULL),
           "id -u; echo $COLOUR; touch mine && echo ok");
    assert_non_null(harness_wait_for(h, "e2", FINISHED));
    expect_log(h, "e2", "12345\ngreen\nok\n");
}

static void parameters_reach_the_engine(void **state)
{
    struct harness *h = *state;
    launch(h, "e3", engine(h, "eos/hello:1.0", "read-only", "true"),
           "touch /x 2>/dev/null || echo read only");
    launch(h, "e3-2", engine(h, "eos/hello:1.0", "rm", ""), "true");
    assert_non_null(harness_wait_for(h, "e3", FINISHED));
    expect_log(h, "e3", "read only\n");
    assert_non_null(strstr(harness_wait_for(h, "e3-2", FAILED), "\"rm\" cannot be used"));
}

static void the_engine_says_what_it_has_not(void **state)
{
    struct harness *h = *state;
    launch(h, "e4", engine(h, "eos/absent:9", NULL, NULL), "true");
    const char *message = harness_wait_for(h, "e4", FAILED);
    assert_non_null(message);
    assert_non_null(strstr(message, "could not pull the image"));
    assert_non_null(strstr(message, "eos/absent:9"));
}

static void a_container_of_the_engine_is_killed(void **state)
{
    struct harness *h = *state;
    launch(h, "e5", engine(h, "eos/hello:1.0", NULL, NULL), FOREVER);
    assert_non_null(harness_wait_for(h, "e5", RUNNING));
    harness_order_kill(h, "e5");
    assert_non_null(harness_wait_for(h, "e5", KILLED));
    assert_true(harness_wait(h, harness_nothing_left, NULL));
}

static void a_container_of_the_engine_outlives_a_crash(void **state)
{
    struct harness *h = *state;
    launch(h, "e6", engine(h, "eos/hello:1.0", NULL, NULL), FOREVER);
    assert_non_null(harness_wait_for(h, "e6", RUNNING));
    harness_kill(h);
    assert_true(harness_start(h));
    assert_non_null(map_get(h->picture, SLICE("e6")));
    harness_order_kill(h, "e6");
    assert_non_null(harness_wait_for(h, "e6", KILLED));
    assert_true(harness_wait(h, harness_nothing_left, NULL));
}

static bool runs_again(const struct harness *h, const void *task_id)
{
    return harness_count(h, task_id, RUNNING) == 2;
}

/* By its name, not by what it is called inside. */
static void a_container_that_nobody_noted_is_taken_over(void **state)
{
    struct harness *h = *state;
    cleanup_text struct text begun = TEXT_INIT;
    launch(h, "e12", engine(h, "eos/hello:1.0", NULL, NULL), "echo begun >> begun; " FOREVER);
    assert_non_null(harness_wait_for(h, "e12", RUNNING));
    Eos__Launcher__V1__DescribeTaskResponse *before = describe(h, "e12");
    harness_kill(h);
    harness_forget_executor(h, "e12");
    assert_true(harness_start(h));
    assert_true(harness_wait(h, runs_again, "e12"));
    Eos__Launcher__V1__DescribeTaskResponse *after = describe(h, "e12");
    assert_int_equal(after->executor_pid, before->executor_pid);
    protobuf_c_message_free_unpacked(&before->base, NULL);
    protobuf_c_message_free_unpacked(&after->base, NULL);
    cleanup_free char *path = xasprintf("state/sandboxes/%s/begun", harness_id(h, "e12"));
    harness_read_file(h, path, &begun);
    assert_string_equal(text_string(&begun), "begun\n");
    harness_order_kill(h, "e12");
    assert_non_null(harness_wait_for(h, "e12", KILLED));
    assert_true(harness_wait(h, harness_nothing_left, NULL));
}

static void a_container_that_dies_is_lost(void **state)
{
    struct harness *h = *state;
    launch(h, "e7", engine(h, "eos/hello:1.0", NULL, NULL), FOREVER);
    assert_non_null(harness_wait_for(h, "e7", RUNNING));
    Eos__Launcher__V1__DescribeTaskResponse *response = describe(h, "e7");
    kill(response->executor_pid, SIGKILL);
    protobuf_c_message_free_unpacked(&response->base, NULL);
    const char *message = harness_wait_for(h, "e7", LOST);
    assert_non_null(message);
    assert_non_null(strstr(message, "signal 9"));
    assert_true(harness_wait(h, harness_nothing_left, NULL));
}

static void memory_runs_out_in_the_engine(void **state)
{
    struct harness *h = *state;
    launch(h, "e9", engine(h, "eos/hello:1.0", NULL, NULL),
           "x=$(head -c 200000000 /dev/zero | tr '\\0' x); " FOREVER);
    const char *message = harness_wait_for(h, "e9", FAILED);
    assert_non_null(message);
    assert_string_equal(message, "memory limit of 64 MiB exceeded");
    assert_true(harness_wait(h, harness_nothing_left, NULL));
}

static bool is_past(const struct harness *h, const void *moment)
{
    (void)h;
    return uv_hrtime() >= *(const uint64_t *)moment;
}

static void an_engine_that_is_restarted_is_waited_for(void **state)
{
    struct harness *h = *state;
    const char *path = arena_printf(h->arena, "%s/docker.sock", h->folder);
    harness_kill(h);
    assert_int_equal(symlink(getenv("TEST_DOCKER_SOCKET"), path), 0);
    harness_add_flag(h, "--docker-socket", path);
    assert_true(harness_start(h));
    launch(h, "e10", engine(h, "eos/hello:1.0", NULL, NULL), "true");
    assert_non_null(harness_wait_for(h, "e10", FINISHED));
    assert_true(harness_wait(h, harness_nothing_left, NULL));

    assert_int_equal(unlink(path), 0);
    launch(h, "e11", engine(h, "eos/hello:1.0", NULL, NULL), "true");
    assert_non_null(harness_wait_for(h, "e11", EOS__JOB__V1__SCHEDULE_STATUS__STARTING));
    uint64_t moment = uv_hrtime() + 200000000;
    assert_true(harness_wait(h, is_past, &moment));
    assert_int_equal(symlink(getenv("TEST_DOCKER_SOCKET"), path), 0);
    assert_non_null(harness_wait_for(h, "e11", FINISHED));
    assert_int_equal(unlink(path), 0);
}

static void a_crash_at_any_moment_of_an_engine_launch(void **state)
{
    struct harness *h = *state;
    for (uint64_t i = 0; i < 8; i++) {
        char id[16];
        snprintf(id, sizeof id, "e8-%d", (int)i);
        launch(h, id, engine(h, "eos/hello:1.0", NULL, NULL), "echo begun >> begun; " FOREVER);
        uint64_t moment = uv_hrtime() + i * 30000000;
        assert_true(harness_wait(h, is_past, &moment));
        harness_kill(h);
        assert_true(harness_start(h));
        assert_non_null(harness_wait_for(h, id, RUNNING));
        cleanup_text struct text begun = TEXT_INIT;
        cleanup_free char *path = xasprintf("state/sandboxes/%s/begun", harness_id(h, id));
        while (begun.len == 0) {
            uv_run(&h->loop, UV_RUN_ONCE);
            harness_read_file(h, path, &begun);
        }
        assert_string_equal(text_string(&begun), "begun\n");
        harness_order_kill(h, id);
        assert_non_null(harness_wait_for(h, id, KILLED));
    }
    assert_true(harness_wait(h, harness_nothing_left, NULL));
}

static void a_host_without_an_engine_says_so(void **state)
{
    struct harness *h = *state;
    harness_kill(h);
    harness_add_flag(h, "--docker-socket", "/nowhere/docker.sock");
    assert_true(harness_start(h));
    launch(h, "e9", engine(h, "eos/hello:1.0", NULL, NULL), "true");
    const char *message = harness_wait_for(h, "e9", FAILED);
    assert_non_null(message);
    assert_non_null(strstr(message, "could not connect to the Docker engine"));

    /* What may be left of it at the engine holds up nobody. */
    Eos__Launcher__V1__StopTasksRequest request = EOS__LAUNCHER__V1__STOP_TASKS_REQUEST__INIT;
    struct error err = { 0 };
    ProtobufCMessage *response = harness_ask(h, "StopTasks", &request.base, &err);
    assert_non_null(response);
    protobuf_c_message_free_unpacked(response, NULL);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        LIVE(a_docker_image_is_the_root),
        LIVE(an_appc_image_is_the_root),
        LIVE(an_appc_image_with_dependencies),
        LIVE(an_image_that_is_not_there_fails_the_task),
        LIVE(a_native_container_outlives_a_crash),
        LIVE(a_crash_while_the_image_comes),
        LIVE(the_engine_runs_a_task),
        LIVE(an_image_says_who_runs_it),
        LIVE(parameters_reach_the_engine),
        LIVE(the_engine_says_what_it_has_not),
        LIVE(a_container_of_the_engine_is_killed),
        LIVE(a_container_of_the_engine_outlives_a_crash),
        LIVE(a_container_that_nobody_noted_is_taken_over),
        LIVE(a_container_that_dies_is_lost),
        LIVE(memory_runs_out_in_the_engine),
        LIVE(an_engine_that_is_restarted_is_waited_for),
        LIVE(a_crash_at_any_moment_of_an_engine_launch),
        LIVE(a_host_without_an_engine_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
