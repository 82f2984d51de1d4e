#include "launcher/docker_parameters.h"

#include "base/options.h"
#include "base/slice.h"

#include <math.h>
#include <stdlib.h>

typedef Eos__Job__V1__DockerParameter parameter;

/* How a value is put where it belongs. */
typedef bool put_fn(json_t *object, const char *field, const char *value);

/* -- kinds of values ------------------------------------------------------------------------------ */

static bool put_text(json_t *object, const char *field, const char *value)
{
    return json_object_set_new(object, field, json_string(value)) == 0;
}

static json_t *child(json_t *object, const char *field, json_t *(*make)(void))
{
    json_t *value = json_object_get(object, field);
    if (!value) {
        value = make();
        json_object_set_new(object, field, value);
    }
    return value;
}

static bool append(json_t *object, const char *field, json_t *value)
{
    return json_array_append_new(child(object, field, json_array), value) == 0;
}

static bool put_list(json_t *object, const char *field, const char *value)
{
    return append(object, field, json_string(value));
}

static bool put_bool(json_t *object, const char *field, const char *value)
{
    bool is_true = !value[0] || strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
    if (!is_true && strcmp(value, "false") != 0 && strcmp(value, "0") != 0)
        return false;
    return json_object_set_new(object, field, json_boolean(is_true)) == 0;
}

static bool put_integer(json_t *object, const char *field, const char *value)
{
    int64_t number;
    return slice_to_i64(slice_of(value), &number) &&
           json_object_set_new(object, field, json_integer(number)) == 0;
}

/* "512", "64m", "2g", "16kb", "-1". */
static bool put_bytes(json_t *object, const char *field, const char *value)
{
    struct slice text = slice_of(value);
    struct error ignored;
    char upper[32];
    int64_t bytes;

    if (text.len > 1 && (text.ptr[text.len - 1] == 'b' || text.ptr[text.len - 1] == 'B'))
        text.len--;
    if (text.len >= sizeof upper)
        return false;
    for (size_t i = 0; i < text.len; i++)
        upper[i] =
            text.ptr[i] >= 'a' && text.ptr[i] <= 'z' ? (char)(text.ptr[i] - 32) : text.ptr[i];
    bool ok = slice_is(text, "-1")
                  ? (bytes = -1, true)
                  : bytes_parse((struct slice){ upper, text.len }, &bytes, &ignored);
    return ok && json_object_set_new(object, field, json_integer(bytes)) == 0;
}

static bool put_nanos(json_t *object, const char *field, const char *value)
{
    char *end;
    double cpus = strtod(value, &end);
    if (end == value || *end || !(cpus > 0 && cpus < 1e6))
        return false;
    return json_object_set_new(object, field, json_integer(llround(cpus * 1e9))) == 0;
}

static bool put_duration(json_t *object, const char *field, const char *value)
{
    struct error ignored;
    int64_t ms;
    return duration_parse(slice_of(value), &ms, &ignored) && ms < INT64_MAX / 1000000 &&
           json_object_set_new(object, field, json_integer(ms * 1000000)) == 0;
}

/* "key=value" into an object; without "=" an empty value. */
static bool put_pair(json_t *object, const char *field, const char *value)
{
    struct slice rest = slice_of(value), key = slice_split(&rest, '=');
    return key.len > 0 && json_object_setn_new(child(object, field, json_object), key.ptr, key.len,
                                               json_string(rest.ptr ? rest.ptr : "")) == 0;
}

/* "/path:options" */
static bool put_tmpfs(json_t *object, const char *field, const char *value)
{
    struct slice rest = slice_of(value), path = slice_split(&rest, ':');
    return path.len > 1 && path.ptr[0] == '/' &&
           json_object_setn_new(child(object, field, json_object), path.ptr, path.len,
                                json_string(rest.ptr ? rest.ptr : "")) == 0;
}

/* "/dev/x", "/dev/x:/dev/y", "/dev/x:/dev/y:rwm" */
static bool put_device(json_t *object, const char *field, const char *value)
{
    struct slice rest = slice_of(value), host = slice_split(&rest, ':'), inside = host;
    struct slice permissions = SLICE("rwm");
    if (rest.ptr)
        inside = slice_split(&rest, ':');
    if (rest.ptr)
        permissions = rest;
    if (host.len < 2 || host.ptr[0] != '/' || inside.len < 2 || inside.ptr[0] != '/' ||
        permissions.len == 0 || permissions.len > 3)
        return false;
    return append(object, field,
                  json_pack("{s:s%, s:s%, s:s%}", "PathOnHost", host.ptr, host.len,
                            "PathInContainer", inside.ptr, inside.len, "CgroupPermissions",
                            permissions.ptr, permissions.len));
}

/* "nofile=1024:2048", "nproc=100" */
static bool put_ulimit(json_t *object, const char *field, const char *value)
{
    struct slice rest = slice_of(value), name = slice_split(&rest, '=');
    if (!rest.ptr || name.len == 0)
        return false;
    struct slice soft = slice_split(&rest, ':'), hard = rest.ptr ? rest : soft;
    int64_t soft_value, hard_value;
    if (!slice_to_i64(soft, &soft_value) || !slice_to_i64(hard, &hard_value))
        return false;
    return append(object, field,
                  json_pack("{s:s%, s:I, s:I}", "Name", name.ptr, name.len, "Soft",
                            (json_int_t)soft_value, "Hard", (json_int_t)hard_value));
}

/* "8080", "8080/udp" */
static bool put_expose(json_t *object, const char *field, const char *value)
{
    struct slice rest = slice_of(value), port = slice_split(&rest, '/');
    char key[32];
    uint64_t number;
    if (!slice_to_u64(port, UINT16_MAX, &number) || number == 0 ||
        (rest.ptr && !slice_is(rest, "tcp") && !slice_is(rest, "udp") && !slice_is(rest, "sctp")))
        return false;
    snprintf(key, sizeof key, "%d/%s", (int)number, rest.ptr ? rest.ptr : "tcp");
    return json_object_set_new(child(object, field, json_object), key, json_object()) == 0;
}

/* "device:number" into a list of objects. */
static bool put_rate(json_t *object, const char *field, const char *value)
{
    const char *colon = strrchr(value, ':');
    json_t *rate = json_object();
    if (!colon || colon == value || !put_bytes(rate, "Rate", colon + 1)) {
        json_decref(rate);
        return false;
    }
    json_object_set_new(rate, "Path", json_stringn(value, (size_t)(colon - value)));
    return append(object, field, rate);
}

static bool put_no_healthcheck(json_t *object, const char *field, const char *value)
{
    return json_object_set_new(object, field, json_pack("[s]", "NONE")) == 0 &&
           (!value[0] || value);
}

static bool put_health_command(json_t *object, const char *field, const char *value)
{
    return json_object_set_new(object, field, json_pack("[ss]", "CMD-SHELL", value)) == 0;
}

/* -- the table ------------------------------------------------------------------------------------ */

enum place { IN_BODY, IN_HOST, IN_LOG, IN_HEALTH, PLACE_COUNT };

static const struct row {
    const char *name;
    const char *short_name; /* or another name */
    enum place place;
    const char *field;
    put_fn *put;
} rows[] = {
    /* clang-format off */
    { "add-host",              NULL,  IN_HOST, "ExtraHosts",           put_list },
    { "blkio-weight",          NULL,  IN_HOST, "BlkioWeight",          put_integer },
    { "cap-add",               NULL,  IN_HOST, "CapAdd",               put_list },
    { "cap-drop",              NULL,  IN_HOST, "CapDrop",              put_list },
    { "cgroup-parent",         NULL,  IN_HOST, "CgroupParent",         put_text },
    { "cgroupns",              NULL,  IN_HOST, "CgroupnsMode",         put_text },
    { "cpu-period",            NULL,  IN_HOST, "CpuPeriod",            put_integer },
    { "cpu-quota",             NULL,  IN_HOST, "CpuQuota",             put_integer },
    { "cpu-rt-period",         NULL,  IN_HOST, "CpuRealtimePeriod",    put_integer },
    { "cpu-rt-runtime",        NULL,  IN_HOST, "CpuRealtimeRuntime",   put_integer },
    { "cpu-shares",            "c",   IN_HOST, "CpuShares",            put_integer },
    { "cpus",                  NULL,  IN_HOST, "NanoCpus",             put_nanos },
    { "cpuset-cpus",           NULL,  IN_HOST, "CpusetCpus",           put_text },
    { "cpuset-mems",           NULL,  IN_HOST, "CpusetMems",           put_text },
    { "device",                NULL,  IN_HOST, "Devices",              put_device },
    { "device-cgroup-rule",    NULL,  IN_HOST, "DeviceCgroupRules",    put_list },
    { "device-read-bps",       NULL,  IN_HOST, "BlkioDeviceReadBps",   put_rate },
    { "device-read-iops",      NULL,  IN_HOST, "BlkioDeviceReadIOps",  put_rate },
    { "device-write-bps",      NULL,  IN_HOST, "BlkioDeviceWriteBps",  put_rate },
    { "device-write-iops",     NULL,  IN_HOST, "BlkioDeviceWriteIOps", put_rate },
    { "dns",                   NULL,  IN_HOST, "Dns",                  put_list },
    { "dns-option",       "dns-opt",  IN_HOST, "DnsOptions",           put_list },
    { "dns-search",            NULL,  IN_HOST, "DnsSearch",            put_list },
    { "domainname",            NULL,  IN_BODY, "Domainname",           put_text },
    { "env",                   "e",   IN_BODY, "Env",                  put_list },
    { "expose",                NULL,  IN_BODY, "ExposedPorts",         put_expose },
    { "group-add",             NULL,  IN_HOST, "GroupAdd",             put_list },
    { "health-cmd",            NULL,  IN_HEALTH, "Test",               put_health_command },
    { "health-interval",       NULL,  IN_HEALTH, "Interval",           put_duration },
    { "health-retries",        NULL,  IN_HEALTH, "Retries",            put_integer },
    { "health-start-period",   NULL,  IN_HEALTH, "StartPeriod",        put_duration },
    { "health-timeout",        NULL,  IN_HEALTH, "Timeout",            put_duration },
    { "hostname",              "h",   IN_BODY, "Hostname",             put_text },
    { "init",                  NULL,  IN_HOST, "Init",                 put_bool },
    { "ipc",                   NULL,  IN_HOST, "IpcMode",              put_text },
    { "kernel-memory",         NULL,  IN_HOST, "KernelMemory",         put_bytes },
    { "label",                 "l",   IN_BODY, "Labels",               put_pair },
    { "link",                  NULL,  IN_HOST, "Links",                put_list },
    { "log-driver",            NULL,  IN_LOG,  "Type",                 put_text },
    { "log-opt",               NULL,  IN_LOG,  "Config",               put_pair },
    { "mac-address",           NULL,  IN_BODY, "MacAddress",           put_text },
    { "memory",                "m",   IN_HOST, "Memory",               put_bytes },
    { "memory-reservation",    NULL,  IN_HOST, "MemoryReservation",    put_bytes },
    { "memory-swap",           NULL,  IN_HOST, "MemorySwap",           put_bytes },
    { "memory-swappiness",     NULL,  IN_HOST, "MemorySwappiness",     put_integer },
    { "network",               "net", IN_HOST, "NetworkMode",          put_text },
    { "no-healthcheck",        NULL,  IN_HEALTH, "Test",               put_no_healthcheck },
    { "oom-kill-disable",      NULL,  IN_HOST, "OomKillDisable",       put_bool },
    { "oom-score-adj",         NULL,  IN_HOST, "OomScoreAdj",          put_integer },
    { "pid",                   NULL,  IN_HOST, "PidMode",              put_text },
    { "pids-limit",            NULL,  IN_HOST, "PidsLimit",            put_integer },
    { "privileged",            NULL,  IN_HOST, "Privileged",           put_bool },
    { "publish-all",           "P",   IN_HOST, "PublishAllPorts",      put_bool },
    { "read-only",             NULL,  IN_HOST, "ReadonlyRootfs",       put_bool },
    { "runtime",               NULL,  IN_HOST, "Runtime",              put_text },
    { "security-opt",          NULL,  IN_HOST, "SecurityOpt",          put_list },
    { "shm-size",              NULL,  IN_HOST, "ShmSize",              put_bytes },
    { "stop-signal",           NULL,  IN_BODY, "StopSignal",           put_text },
    { "stop-timeout",          NULL,  IN_BODY, "StopTimeout",          put_integer },
    { "storage-opt",           NULL,  IN_HOST, "StorageOpt",           put_pair },
    { "sysctl",                NULL,  IN_HOST, "Sysctls",              put_pair },
    { "tmpfs",                 NULL,  IN_HOST, "Tmpfs",                put_tmpfs },
    { "ulimit",                NULL,  IN_HOST, "Ulimits",              put_ulimit },
    { "user",                  "u",   IN_BODY, "User",                 put_text },
    { "userns",                NULL,  IN_HOST, "UsernsMode",           put_text },
    { "uts",                   NULL,  IN_HOST, "UTSMode",              put_text },
    { "volume",                "v",   IN_HOST, "Binds",                put_list },
    { "volume-driver",         NULL,  IN_HOST, "VolumeDriver",         put_text },
    { "volumes-from",          NULL,  IN_HOST, "VolumesFrom",          put_list },
    { "workdir",               "w",   IN_BODY, "WorkingDir",           put_text },
    /* clang-format on */
};

/* What `docker run` knows and means nothing, or no good, in a task. */
static const char *const refused[] = {
    "attach",     "cidfile", "detach",  "entrypoint", "env-file", "interactive",
    "label-file", "name",    "restart", "rm",         "tty",      "t",
};

static const struct row *find(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(name, rows[i].name) == 0 ||
            (rows[i].short_name && strcmp(name, rows[i].short_name) == 0))
            return &rows[i];
    return NULL;
}

static json_t *object_of(json_t *body, enum place place)
{
    json_t *host = child(body, "HostConfig", json_object);
    switch (place) {
    case IN_HOST:
        return host;
    case IN_LOG:
        return child(host, "LogConfig", json_object);
    case IN_HEALTH:
        return child(body, "Healthcheck", json_object);
    default:
        return body;
    }
}

static bool refuse(const char *name, struct error *err)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (strcmp(name, refused[i]) == 0)
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "the Docker parameter \"%s\" cannot be used for a task", refused[i]);
    return error_set(err, ERROR_INVALID_ARGUMENT, "the Docker parameter \"%.60s\" is not known",
                     name);
}

bool docker_parameters_add(json_t *body, parameter *const *parameters, size_t count,
                           struct error *err)
{
    if (count > DOCKER_PARAMETERS_MAX)
        return error_set(err, ERROR_INVALID_ARGUMENT, "more than %u Docker parameters",
                         DOCKER_PARAMETERS_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct row *row = find(parameters[i]->name);
        if (!row)
            return refuse(parameters[i]->name, err);
        if (!row->put(object_of(body, row->place), row->field, parameters[i]->value))
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "the Docker parameter \"%s\" cannot have that value", row->name);
    }
    return true;
}
