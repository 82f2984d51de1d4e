#include "launcher/docker_body.h"

#include "launcher/container_plan.h"
#include "launcher/docker_parameters.h"

#include "base/cleanup.h"

#define MEMORY_MIN_BYTES (INT64_C(32) << 20)
#define SHARES_MIN       2
#define SHARES_PER_CPU   1024
#define PIDS_MAX         4096
#define LOG_MAX          "1m" /* what the executor itself says; tasks write to their sandbox */

DEFINE_CLEANUP(free_json, json_t *, json_decref)

static json_t *bind_mount(const char *source, const char *target, bool is_readonly)
{
    return json_pack("{s:s, s:s, s:s, s:b}", "Type", "bind", "Source", source, "Target", target,
                     "ReadOnly", is_readonly);
}

static json_t *host_config(const struct docker_run *run)
{
    double cpus = task_cpus(run->task);
    int64_t memory = task_ram_bytes(run->task);
    int64_t shares = (int64_t)(cpus * SHARES_PER_CPU);

    json_t *config = json_pack("{s:s, s:i, s:{s:s, s:{s:s, s:s}}, s:[o, o, o]}", "NetworkMode",
                               "host", "PidsLimit", PIDS_MAX, "LogConfig", "Type", "json-file",
                               "Config", "max-size", LOG_MAX, "max-file", "1", "Mounts",
                               bind_mount(run->executor, DOCKER_EXECUTOR_TARGET, true),
                               bind_mount(run->run_directory, run->run_directory, false),
                               bind_mount(run->sandbox, run->sandbox_target, false));
    json_object_set_new(config, "CpuShares",
                        json_integer(shares > SHARES_MIN ? shares : SHARES_MIN));
    if (memory > 0)
        json_object_set_new(config, "Memory",
                            json_integer(memory > MEMORY_MIN_BYTES ? memory : MEMORY_MIN_BYTES));
    return config;
}

bool docker_body_make(const struct docker_run *run, struct text *out, struct error *err)
{
    const Eos__Job__V1__DockerContainer *container = run->task->container->docker;
    CLEANUP(free_json)
    json_t *body = json_pack("{s:s, s:[s], s:[s, s], s:o}", "Image", container->image, "Entrypoint",
                             DOCKER_EXECUTOR_TARGET, "Cmd", "--plan", run->plan, "HostConfig",
                             host_config(run));

    if (!body)
        return error_set(err, ERROR_INVALID_ARGUMENT, "the Docker image has no valid name");
    if (!docker_parameters_add(body, container->parameters, container->n_parameters, err))
        return false;
    json_t *labels = json_object_get(body, "Labels");
    if (!labels) {
        labels = json_object();
        json_object_set_new(body, "Labels", labels);
    }
    json_object_set_new(labels, DOCKER_LABEL_TASK, json_string(run->task_id));
    json_object_set_new(labels, DOCKER_LABEL_HOST, json_string(run->host_id));
    cleanup_free char *text = json_dumps(body, JSON_COMPACT);
    text_add(out, text);
    return true;
}
