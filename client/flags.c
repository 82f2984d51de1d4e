#include "client/flags.h"

#include <assert.h>
#include <stddef.h>

#define SECOND 1000
#define HOUR   (3600 * SECOND)

struct flag {
    struct option option;
    size_t offset; /* of the target in struct flags */
    const char *choices;
    enum flag_completion completes;
};

#define TO(field) .offset = offsetof(struct flags, field)
#define NOENV     .no_environment = true
#define STRING    .type = OPTION_STRING
#define LIST      .type = OPTION_LIST
#define SWITCH    .type = OPTION_SWITCH, NOENV
#define INTEGER   .type = OPTION_INTEGER, NOENV
#define DURATION  .type = OPTION_DURATION, NOENV
#define BYTES     .type = OPTION_BYTES, NOENV

// clang-format off
static const struct flag table[FLAG_COUNT] = {
    [FLAG_HELP] = { { .name = "help", .short_name = 'h', SWITCH, .help = "show this help" }, TO(help) },
    [FLAG_VERBOSE] = { { .name = "verbose", .short_name = 'v', SWITCH, .help = "tell on stderr what is asked of the gateway" }, TO(verbose) },
    [FLAG_OUTPUT] = { { .name = "output", .short_name = 'o', STRING, NOENV, .value = "FORMAT", .help = "text, or json with a stable shape" }, TO(output), .choices = "text json" },
    [FLAG_WRITE_JSON] = { { .name = "write-json", SWITCH, .help = "the same as --output json" }, TO(write_json) },
    [FLAG_GATEWAY] = { { .name = "gateway", STRING, .value = "URL", .help = "talk to this gateway instead of the one that clusters.json names" }, TO(gateway) },
    [FLAG_TOKEN_FILE] = { { .name = "token-file", STRING, .value = "FILE", .help = "file with the bearer token; EOS_TOKEN may hold the token itself" }, TO(token_file), .completes = COMPLETE_FILE },
    [FLAG_CA_FILE] = { { .name = "ca-file", STRING, .value = "FILE", .help = "certificates of the authorities that may vouch for an https gateway" }, TO(ca_file), .completes = COMPLETE_FILE },
    [FLAG_ON_CLUSTER] = { { .name = "cluster", STRING, .value = "NAME", .help = "the cluster to ask; needed when clusters.json names several" }, TO(cluster) },
    [FLAG_BIND] = { { .name = "bind", LIST, NOENV, .value = "NAME=VALUE", .help = "bind a template variable; may be repeated" }, TO(bind) },
    [FLAG_ENV] = { { .name = "env", LIST, NOENV, .value = "NAME[=VALUE]", .help = "environment variable that the configuration sees; without a value, the caller's; may be repeated" }, TO(env) },
    [FLAG_USER] = { { .name = "user", STRING, NOENV, .value = "NAME", .help = "owner of the job; the caller unless given" }, TO(user) },
    [FLAG_SELECT] = { { .name = "select", STRING, NOENV, .value = "CLUSTER/ROLE/ENV/NAME", .help = "compile this job only; an empty part matches all" }, TO(select) },
    [FLAG_INSTANCES] = { { .name = "instances", STRING, NOENV, .value = "LIST", .help = "instances that an update is about, such as 0,2-5" }, TO(instances) },
    [FLAG_NO_TIER_BACKFILL] = { { .name = "no-tier-backfill", SWITCH, .help = "do not complete tier and production from each other" }, TO(no_tier_backfill) },
    [FLAG_JSON] = { { .name = "json", SWITCH, .help = "the configuration is JSON" }, TO(is_json) },
    [FLAG_READ_JSON] = { { .name = "read-json", SWITCH, .help = "the same as --json" }, TO(is_json) },
    [FLAG_ALLOW_READ] = { { .name = "allow-read", LIST, NOENV, .value = "DIR", .help = "let the configuration open() files below this directory; may be repeated" }, TO(allow_read), .completes = COMPLETE_DIRECTORY },
    [FLAG_CHECK] = { { .name = "check", SWITCH, .help = "change nothing; name the files that would change, and end with 4 if there is one" }, TO(check) },
    [FLAG_COMPILER] = { { .name = "compiler", STRING, NOENV, .value = "WHERE", .help = "local, or cluster to send the files to the gateway; local when eos-config is installed" }, TO(compiler), .choices = "local cluster" },
    [FLAG_PIN] = { { .name = "pin", SWITCH, .help = "resolve plain image tags to digests as well" }, TO(pin) },
    [FLAG_NO_PIN] = { { .name = "no-pin", SWITCH, .help = "leave plain image tags as they are, also where the cluster pins by default" }, TO(no_pin) },
    [FLAG_WAIT_UNTIL] = { { .name = "wait-until", STRING, NOENV, .value = "STATE", .help = "PENDING returns at once, RUNNING and FINISHED wait for all instances" }, TO(wait_until), .choices = "PENDING RUNNING FINISHED" },
    [FLAG_TIMEOUT] = { { .name = "timeout", DURATION, .min = 0, .max = 30 * 24 * (int64_t)HOUR, .value = "TIME", .help = "wait no longer than this; 0 is as long as it takes, or 254s for a kill" }, TO(timeout_ms) },
    [FLAG_RAW] = { { .name = "raw", SWITCH, .help = "the job as it is sent to the scheduler, as JSON" }, TO(raw) },
    [FLAG_BATCH_SIZE] = { { .name = "batch-size", INTEGER, .min = 1, .max = 1000, .value = "N", .help = "so many instances at a time" }, TO(batch_size) },
    [FLAG_NO_BATCHING] = { { .name = "no-batching", SWITCH, .help = "all instances at once" }, TO(no_batching) },
    [FLAG_MAX_TOTAL_FAILURES] = { { .name = "max-total-failures", INTEGER, .min = 0, .max = 1000000, .value = "N", .help = "go on after so many instances that could not be killed" }, TO(max_total_failures) },
    [FLAG_STRICT] = { { .name = "strict", SWITCH, .help = "do nothing unless all instances are active" }, TO(strict) },
    [FLAG_MESSAGE] = { { .name = "message", .short_name = 'm', STRING, NOENV, .value = "TEXT", .help = "why; kept in the events of the tasks" }, TO(message) },
    [FLAG_FOLLOW] = { { .name = "follow", .short_name = 'f', SWITCH, .help = "go on until the task has ended" }, TO(follow) },
    [FLAG_PROCESS] = { { .name = "process", .short_name = 'p', STRING, NOENV, .value = "NAME", .help = "the process to show; the one that ran first unless given" }, TO(process) },
    [FLAG_RUN] = { { .name = "run", INTEGER, .min = -1, .max = 1000000, .value = "N", .help = "which run of the process, from 0; -1 is the newest" }, TO(run) },
    [FLAG_STDERR] = { { .name = "stderr", SWITCH, .help = "what it wrote to stderr instead of stdout" }, TO(want_stderr) },
    [FLAG_BYTES] = { { .name = "bytes", BYTES, .min = 0, .max = (int64_t)1 << 40, .value = "SIZE", .help = "only the last SIZE bytes; 0 for all" }, TO(bytes) },
    [FLAG_LIST] = { { .name = "list", SWITCH, .help = "show which logs there are instead" }, TO(list) },
    [FLAG_SKIP_CACHE] = { { .name = "skip-cache", SWITCH, .help = "ask the registry even if the answer is known" }, TO(skip_cache) },
    [FLAG_IMAGES] = { { .name = "images", SWITCH, .help = "show what images were bound to, too" }, TO(want_images) },
    [FLAG_PLATFORM] = { { .name = "platform", STRING, NOENV, .value = "OS/ARCH[/VARIANT]", .help = "of an index, look at this platform's image; the binder's own unless given" }, TO(platform) },
    [FLAG_KEY] = { { .name = "key", LIST, NOENV, .value = "FILE", .help = "a public key in PEM, any one of which suffices, instead of those of the cluster; may be repeated" }, TO(key), .completes = COMPLETE_FILE },
    [FLAG_ON_HOST] = { { .name = "host", STRING, NOENV, .value = "HOST", .help = "only this host, by its name or id; all of the cluster unless given" }, TO(host) },
    [FLAG_UNUSED_FOR] = { { .name = "unused-for", DURATION, .min = 0, .max = 36500 * 24 * (int64_t)HOUR, .value = "TIME", .help = "only images that no task has used for so long" }, TO(unused_ms) },
    [FLAG_KEEP] = { { .name = "keep", BYTES, .min = 0, .max = INT64_MAX, .value = "SIZE", .help = "remove the longest unused ones until the rest takes no more than this" }, TO(keep_bytes) },
    [FLAG_IMPORTED] = { { .name = "imported", SWITCH, .help = "imported images too, which no registry may have" }, TO(with_imported) },
    [FLAG_DRY_RUN] = { { .name = "dry-run", SWITCH, .help = "remove nothing, and say what would go" }, TO(dry_run) },
    [FLAG_STATE_DIR] = { { .name = "state-dir", STRING, .value = "DIR", .help = "everything that the cluster keeps (default /var/lib/eos-dev for root, ~/.local/share/eos/dev for others)" }, TO(state_dir), .completes = COMPLETE_DIRECTORY },
    [FLAG_HTTP] = { { .name = "http", STRING, .value = "ADDR:PORT", .help = "where the gateway listens (default 127.0.0.1:8081); port 0 takes a free one" }, TO(http) },
    [FLAG_CLUSTER] = { { .name = "cluster", STRING, .value = "NAME", .help = "name of the cluster (default devcluster)" }, TO(cluster) },
    [FLAG_CLUSTERS] = { { .name = "clusters", LIST, .value = "FILE", .help = "a clusters.json that names registries; may be repeated" }, TO(clusters), .completes = COMPLETE_FILE },
    [FLAG_DOCKER_SOCKET] = { { .name = "docker-socket", STRING, .value = "PATH", .help = "socket of the Docker engine" }, TO(docker_socket), .completes = COMPLETE_FILE },
    [FLAG_DOCKER_CONFIG] = { { .name = "docker-config", STRING, .value = "PATH", .help = "a config.json with credentials of registries, or a directory with one" }, TO(docker_config), .completes = COMPLETE_FILE },
    [FLAG_NETRC] = { { .name = "netrc", STRING, .value = "FILE", .help = "a netrc with credentials of registries" }, TO(netrc), .completes = COMPLETE_FILE },
    [FLAG_CERTS_DIR] = { { .name = "certs-dir", STRING, .value = "DIR", .help = "HOST[:PORT]/ca.crt, client.cert and client.key of registries (default /etc/docker/certs.d)" }, TO(certs_dir), .completes = COMPLETE_DIRECTORY },
    [FLAG_INSECURE_REGISTRY] = { { .name = "insecure-registry", LIST, .value = "HOST[:PORT]", .help = "a registry that may speak plain HTTP; may be repeated" }, TO(insecure_registry) },
    [FLAG_APPC_PREFIX] = { { .name = "appc-simple-discovery-uri-prefix", STRING, .value = "PREFIX", .help = "where AppC images lie: a directory or URL, used as it is" }, TO(appc_prefix) },
    [FLAG_ISOLATION] = { { .name = "isolation", STRING, .value = "LIST", .help = "isolators of the launcher, separated by commas" }, TO(isolation) },
    [FLAG_READY_TIMEOUT] = { { .name = "ready-timeout", DURATION, .min = 100, .max = HOUR, .value = "TIME", .help = "give up when the cluster is not ready by then" }, TO(ready_timeout_ms) },
    [FLAG_STOP_TIMEOUT] = { { .name = "stop-timeout", DURATION, .min = 0, .max = HOUR, .value = "TIME", .help = "for the tasks to end at Ctrl-C" }, TO(stop_timeout_ms) },
    [FLAG_TOKENS] = { { .name = "token-file", STRING, .value = "FILE", .help = "bearer tokens that the gateway asks for, one per line, mode 0600; needed when --http is no loopback address" }, TO(token_file), .completes = COMPLETE_FILE },
    [FLAG_LOG_LEVEL] = { { .name = "log-level", STRING, .value = "LEVEL", .help = "of the services: debug, info, warning or error" }, TO(log_level), .choices = "debug info warning error" },
};
// clang-format on

struct flags flags_default(void)
{
    return (struct flags){
        .output = "text",
        .wait_until = "PENDING",
        .batch_size = 1,
        .run = -1,
        .cluster = NULL,
        .ready_timeout_ms = 60 * SECOND,
        .stop_timeout_ms = 60 * SECOND,
    };
}

static void *target_of(enum flag_id id, struct flags *flags)
{
    assert(table[id].option.name && id < FLAG_COUNT);
    return (char *)flags + table[id].offset;
}

void flags_rows(uint64_t set, struct flags *flags, struct option *rows)
{
    for (enum flag_id id = 0; id < FLAG_COUNT; id++) {
        if (!(set >> id & 1))
            continue;
        *rows = table[id].option;
        rows->target = target_of(id, flags);
        rows++;
    }
    *rows = (struct option){ 0 };
}

const char *flag_choices(enum flag_id id)
{
    assert(id < FLAG_COUNT);
    return table[id].choices;
}

enum flag_completion flag_completes(enum flag_id id)
{
    assert(id < FLAG_COUNT);
    return table[id].choices ? COMPLETE_CHOICE : table[id].completes;
}

const char *flag_name(enum flag_id id)
{
    assert(id < FLAG_COUNT);
    return table[id].option.name;
}

bool flag_takes_value(enum flag_id id)
{
    assert(id < FLAG_COUNT);
    return table[id].option.type != OPTION_SWITCH;
}

static bool is_choice(const char *choices, const char *value)
{
    struct slice rest = slice_of(choices);
    while (rest.ptr)
        if (slice_is(slice_split(&rest, ' '), value))
            return true;
    return false;
}

bool flags_check(uint64_t set, const struct flags *flags, struct error *err)
{
    for (enum flag_id id = 0; id < FLAG_COUNT; id++) {
        if (!(set >> id & 1) || !table[id].choices)
            continue;
        const char *value = *(const char *const *)((const char *)flags + table[id].offset);
        if (value && !is_choice(table[id].choices, value))
            return error_set(err, ERROR_INVALID_ARGUMENT, "flag --%s: expected one of %s",
                             table[id].option.name, table[id].choices);
    }
    return true;
}

bool flags_want_json(const struct flags *flags)
{
    return flags->write_json || strcmp(flags->output, "json") == 0;
}
