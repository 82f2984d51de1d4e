#pragma once

#include "base/options.h"

/* All flags of all verbs, one row each; a verb names those that it takes. */
enum flag_id {
    FLAG_HELP,
    FLAG_VERBOSE,
    FLAG_OUTPUT,
    FLAG_WRITE_JSON,
    FLAG_GATEWAY,
    FLAG_TOKEN_FILE,
    FLAG_CA_FILE,
    FLAG_ON_CLUSTER,
    FLAG_BIND,
    FLAG_ENV,
    FLAG_USER,
    FLAG_SELECT,
    FLAG_INSTANCES,
    FLAG_NO_TIER_BACKFILL,
    FLAG_JSON,
    FLAG_READ_JSON,
    FLAG_ALLOW_READ,
    FLAG_CHECK,
    FLAG_COMPILER,
    FLAG_PIN,
    FLAG_NO_PIN,
    FLAG_WAIT_UNTIL,
    FLAG_TIMEOUT,
    FLAG_RAW,
    FLAG_BATCH_SIZE,
    FLAG_NO_BATCHING,
    FLAG_MAX_TOTAL_FAILURES,
    FLAG_STRICT,
    FLAG_MESSAGE,
    FLAG_FOLLOW,
    FLAG_PROCESS,
    FLAG_RUN,
    FLAG_STDERR,
    FLAG_BYTES,
    FLAG_LIST,
    FLAG_SKIP_CACHE,
    FLAG_IMAGES,
    FLAG_PLATFORM,
    FLAG_KEY,
    FLAG_ON_HOST,
    FLAG_UNUSED_FOR,
    FLAG_KEEP,
    FLAG_IMPORTED,
    FLAG_DRY_RUN,
    FLAG_STATE_DIR,
    FLAG_HTTP,
    FLAG_CLUSTER,
    FLAG_CLUSTERS,
    FLAG_DOCKER_SOCKET,
    FLAG_DOCKER_CONFIG,
    FLAG_NETRC,
    FLAG_CERTS_DIR,
    FLAG_INSECURE_REGISTRY,
    FLAG_APPC_PREFIX,
    FLAG_ISOLATION,
    FLAG_READY_TIMEOUT,
    FLAG_STOP_TIMEOUT,
    FLAG_TOKENS,
    FLAG_LOG_LEVEL,
    FLAG_COUNT
};

#define F(id) (UINT64_C(1) << FLAG_##id)

/* Their values; strings are borrowed from the command line and the environment. */
struct flags {
    bool help, verbose;
    const char *output;
    bool write_json;
    const char *gateway, *token_file, *ca_file, *cluster;
    struct option_list bind, env, allow_read;
    const char *user, *select, *instances, *compiler;
    bool no_tier_backfill, is_json, check, pin, no_pin, raw;
    const char *wait_until;
    int64_t timeout_ms;
    int64_t batch_size, max_total_failures;
    bool no_batching, strict;
    const char *message;
    bool follow, want_stderr, list, skip_cache, want_images;
    struct option_list key;
    const char *platform;
    const char *process;
    int64_t run, bytes;

    const char *host;
    int64_t unused_ms, keep_bytes;
    bool with_imported, dry_run;

    /* of `eos dev` */
    const char *state_dir, *http, *docker_socket, *docker_config, *netrc, *certs_dir, *appc_prefix,
        *isolation, *log_level;
    struct option_list clusters, insecure_registry;
    int64_t ready_timeout_ms, stop_timeout_ms;
};

/* What the shell may offer as the value of a flag. */
enum flag_completion { COMPLETE_NOTHING, COMPLETE_FILE, COMPLETE_DIRECTORY, COMPLETE_CHOICE };

/* The values before any flag is set. */
struct flags flags_default(void);

/* Fills `rows`, which has room for FLAG_COUNT + 1, with the flags of `set` and their targets. */
void flags_rows(uint64_t set, struct flags *flags, struct option *rows);

/* The words that a flag takes, separated by spaces, or NULL. */
const char *flag_choices(enum flag_id id);
enum flag_completion flag_completes(enum flag_id id);
const char *flag_name(enum flag_id id);
bool flag_takes_value(enum flag_id id);

/* Checks the flags that take one of some words.  INVALID_ARGUMENT names the flag and the words. */
bool flags_check(uint64_t set, const struct flags *flags, struct error *err) MUST_CHECK;

bool flags_want_json(const struct flags *flags);
