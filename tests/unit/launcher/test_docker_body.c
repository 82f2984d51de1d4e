#include "launcher/docker_body.h"

#include "base/cleanup.h"
#include "unit/test.h"

#include <jansson.h>

static void a_container_has_the_executor_and_the_limits(void **state)
{
    Eos__Job__V1__Resource cpus = EOS__JOB__V1__RESOURCE__INIT, ram = EOS__JOB__V1__RESOURCE__INIT;
    Eos__Job__V1__Resource *resources[] = { &cpus, &ram };
    Eos__Job__V1__DockerParameter label = EOS__JOB__V1__DOCKER_PARAMETER__INIT;
    Eos__Job__V1__DockerParameter *parameters[] = { &label };
    Eos__Job__V1__DockerContainer docker = EOS__JOB__V1__DOCKER_CONTAINER__INIT;
    Eos__Job__V1__Container container = EOS__JOB__V1__CONTAINER__INIT;
    Eos__Job__V1__TaskConfig task = EOS__JOB__V1__TASK_CONFIG__INIT;
    cleanup_text struct text text = TEXT_INIT;
    struct error err;
    (void)state;

    cpus.resource_case = EOS__JOB__V1__RESOURCE__RESOURCE_NUM_CPUS;
    cpus.num_cpus = 0.5;
    ram.resource_case = EOS__JOB__V1__RESOURCE__RESOURCE_RAM_MB;
    ram.ram_mb = 1; /* less than any shell needs */
    task.resources = resources;
    task.n_resources = 2;
    label.name = "label";
    label.value = "org.eos.task-id=forged";
    docker.image = "a/b:1";
    docker.parameters = parameters;
    docker.n_parameters = 1;
    container.container_case = EOS__JOB__V1__CONTAINER__CONTAINER_DOCKER;
    container.docker = &docker;
    task.container = &container;
    struct docker_run run = { .task_id = "t",
                              .host_id = "h",
                              .task = &task,
                              .executor = "/x/executor",
                              .run_directory = "/s/run",
                              .plan = "/s/run/plan",
                              .sandbox = "/s/box",
                              .sandbox_target = "/mnt/mesos/sandbox" };

    assert_true(docker_body_make(&run, &text, &err));

    json_t *body = json_loads(text_string(&text), 0, NULL);
    const char *image, *entrypoint, *plan_flag, *plan, *network, *source, *target, *label_text;
    int shares, is_readonly;
    json_int_t memory;
    assert_int_equal(
        json_unpack(body, "{s:s, s:[s], s:[s, s], s:{s:s}, s:{s:s, s:i, s:I, s:[{s:s, s:s, s:b}]}}",
                    "Image", &image, "Entrypoint", &entrypoint, "Cmd", &plan_flag, &plan, "Labels",
                    DOCKER_LABEL_TASK, &label_text, "HostConfig", "NetworkMode", &network,
                    "CpuShares", &shares, "Memory", &memory, "Mounts", "Source", &source, "Target",
                    &target, "ReadOnly", &is_readonly),
        0);
    assert_string_equal(image, "a/b:1");
    assert_string_equal(entrypoint, DOCKER_EXECUTOR_TARGET);
    assert_string_equal(plan, "/s/run/plan");
    assert_string_equal(network, "host");
    assert_string_equal(label_text, "t");
    assert_string_equal(source, "/x/executor");
    assert_int_equal(shares, 512);
    assert_int_equal(memory, 32 << 20);
    assert_true(is_readonly);
    json_decref(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_container_has_the_executor_and_the_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
