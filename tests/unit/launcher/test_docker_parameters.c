#include "launcher/docker_parameters.h"

#include "unit/test.h"

#include <stdlib.h>

typedef Eos__Job__V1__DockerParameter parameter;

static const struct parameter_case {
    const char *name;
    const char *parameters[6]; /* name, value, … */
    const char *body;          /* NULL: refused */
    const char *message;
} cases[] = {
    { "none", { NULL }, "{}", "" },
    { "a text", { "hostname", "h" }, "{\"HostConfig\":{},\"Hostname\":\"h\"}", "" },
    { "the last text wins", { "user", "a", "u", "b" }, "{\"HostConfig\":{},\"User\":\"b\"}", "" },
    { "a list grows",
      { "env", "A=1", "e", "B" },
      "{\"Env\":[\"A=1\",\"B\"],\"HostConfig\":{}}",
      "" },
    { "volumes",
      { "volume", "/a:/b:ro", "v", "c:/d" },
      "{\"HostConfig\":{\"Binds\":[\"/a:/b:ro\",\"c:/d\"]}}",
      "" },
    { "a switch", { "read-only", "true" }, "{\"HostConfig\":{\"ReadonlyRootfs\":true}}", "" },
    { "a switch without a value", { "init", "" }, "{\"HostConfig\":{\"Init\":true}}", "" },
    { "a switch that is off",
      { "privileged", "0" },
      "{\"HostConfig\":{\"Privileged\":false}}",
      "" },
    { "a switch that is neither", { "init", "maybe" }, NULL, "\"init\" cannot have that value" },
    { "a number", { "pids-limit", "-1" }, "{\"HostConfig\":{\"PidsLimit\":-1}}", "" },
    { "no number", { "cpu-shares", "1k" }, NULL, "\"cpu-shares\"" },
    { "bytes", { "memory", "64m" }, "{\"HostConfig\":{\"Memory\":67108864}}", "" },
    { "bytes with a b", { "shm-size", "1gb" }, "{\"HostConfig\":{\"ShmSize\":1073741824}}", "" },
    { "unlimited bytes", { "memory-swap", "-1" }, "{\"HostConfig\":{\"MemorySwap\":-1}}", "" },
    { "no bytes", { "memory", "much" }, NULL, "\"memory\"" },
    { "cpus", { "cpus", "1.5" }, "{\"HostConfig\":{\"NanoCpus\":1500000000}}", "" },
    { "no cpus", { "cpus", "0" }, NULL, "\"cpus\"" },
    { "pairs",
      { "label", "a=b", "l", "c" },
      "{\"HostConfig\":{},\"Labels\":{\"a\":\"b\",\"c\":\"\"}}",
      "" },
    { "log options",
      { "log-driver", "syslog", "log-opt", "tag=x" },
      "{\"HostConfig\":{\"LogConfig\":{\"Config\":{\"tag\":\"x\"},\"Type\":\"syslog\"}}}",
      "" },
    { "a memory file system",
      { "tmpfs", "/run:size=1m" },
      "{\"HostConfig\":{\"Tmpfs\":{\"/run\":\"size=1m\"}}}",
      "" },
    { "a relative memory file system", { "tmpfs", "run" }, NULL, "\"tmpfs\"" },
    { "a device",
      { "device", "/dev/fuse" },
      "{\"HostConfig\":{\"Devices\":[{\"CgroupPermissions\":\"rwm\",\"PathInContainer\":\"/dev/"
      "fuse\","
      "\"PathOnHost\":\"/dev/fuse\"}]}}",
      "" },
    { "a device elsewhere",
      { "device", "/dev/a:/dev/b:r" },
      "{\"HostConfig\":{\"Devices\":[{\"CgroupPermissions\":\"r\",\"PathInContainer\":\"/dev/b\","
      "\"PathOnHost\":\"/dev/a\"}]}}",
      "" },
    { "a relative device", { "device", "fuse" }, NULL, "\"device\"" },
    { "a limit",
      { "ulimit", "nofile=10:20" },
      "{\"HostConfig\":{\"Ulimits\":[{\"Hard\":20,\"Name\":\"nofile\",\"Soft\":10}]}}",
      "" },
    { "one limit for both",
      { "ulimit", "nproc=5" },
      "{\"HostConfig\":{\"Ulimits\":[{\"Hard\":5,\"Name\":\"nproc\",\"Soft\":5}]}}",
      "" },
    { "no limit", { "ulimit", "nofile" }, NULL, "\"ulimit\"" },
    { "an exposed port",
      { "expose", "80/udp" },
      "{\"ExposedPorts\":{\"80/udp\":{}},\"HostConfig\":{}}",
      "" },
    { "port zero", { "expose", "0" }, NULL, "\"expose\"" },
    { "a rate",
      { "device-read-bps", "/dev/sda:1m" },
      "{\"HostConfig\":{\"BlkioDeviceReadBps\":[{\"Path\":\"/dev/sda\",\"Rate\":1048576}]}}",
      "" },
    { "a duration",
      { "health-interval", "5s" },
      "{\"Healthcheck\":{\"Interval\":5000000000},\"HostConfig\":{}}",
      "" },
    { "a health command",
      { "health-cmd", "true" },
      "{\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"true\"]},\"HostConfig\":{}}",
      "" },
    { "the network", { "net", "bridge" }, "{\"HostConfig\":{\"NetworkMode\":\"bridge\"}}", "" },
    { "what breaks tasks", { "rm", "" }, NULL, "\"rm\" cannot be used" },
    { "our own name", { "name", "x" }, NULL, "\"name\" cannot be used" },
    { "our own entrypoint", { "entrypoint", "x" }, NULL, "\"entrypoint\" cannot be used" },
    { "unknown", { "warp", "9" }, NULL, "\"warp\" is not known" },
};

static void puts_it_where_it_belongs(void **state)
{
    const struct parameter_case *c = *state;
    parameter parameters[3], *list[3];
    size_t count = 0;
    struct error err = { 0 };
    json_t *body = json_object();

    for (; count < 3 && c->parameters[2 * count]; count++) {
        eos__job__v1__docker_parameter__init(&parameters[count]);
        parameters[count].name = (char *)c->parameters[2 * count];
        parameters[count].value = (char *)c->parameters[2 * count + 1];
        list[count] = &parameters[count];
    }
    bool ok = docker_parameters_add(body, list, count, &err);
    assert_non_null(strstr(err.message, c->message));
    assert_int_equal(ok, c->body != NULL);
    if (ok) {
        char *text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
        assert_string_equal(text, c->body);
        free(text);
    }
    json_decref(body);
}

int main(void)
{
    return RUN_CASES(cases, puts_it_where_it_belongs);
}
