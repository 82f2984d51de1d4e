#include "base/alloc.h"
#include "base/options.h"
#include "base/text.h"
#include "registry/registry.h"

#include <signal.h>
#include <stdio.h>

/* The registry client as a program, for the tests: all one manifest or blob and writes its bytes to
 * stdout.  Its facts, or what went wrong, go to stderr as "name=value" lines. */

static struct {
    const char *docker_config, *netrc, *certs_dir, *blob, *known, *mirrors;
    struct option_list insecure, urls;
    int64_t size, deadline_ms, repeat, rounds, pause_ms;
    bool choose_platform, cancel;
} options = { .certs_dir = "/nowhere", .size = -1, .deadline_ms = 10000, .repeat = 1, .rounds = 1 };

/* clang-format off */
static const struct option rows[] = {
    { .name = "docker-config", .type = OPTION_STRING, .target = &options.docker_config, .value = "FILE", .help = "config.json" },
    { .name = "netrc", .type = OPTION_STRING, .target = &options.netrc, .value = "FILE", .help = ".netrc" },
    { .name = "insecure-registry", .type = OPTION_LIST, .target = &options.insecure, .value = "HOST", .help = "plain HTTP" },
    { .name = "certs-dir", .type = OPTION_STRING, .target = &options.certs_dir, .value = "DIR", .help = "authorities and client certificates" },
    { .name = "mirrors", .type = OPTION_STRING, .target = &options.mirrors, .value = "JSON", .help = "docker_mirrors" },
    { .name = "known", .type = OPTION_STRING, .target = &options.known, .value = "DIGEST", .help = "ask whether the tag still is this" },
    { .name = "url", .type = OPTION_LIST, .target = &options.urls, .value = "URL", .help = "where the blob is too" },
    { .name = "blob", .type = OPTION_STRING, .target = &options.blob, .value = "DIGEST", .help = "a blob, not a manifest" },
    { .name = "size", .type = OPTION_INTEGER, .target = &options.size, .value = "BYTES", .help = "of the blob" },
    { .name = "deadline", .type = OPTION_DURATION, .target = &options.deadline_ms, .value = "DURATION", .help = "of each call" },
    { .name = "repeat", .type = OPTION_INTEGER, .target = &options.repeat, .value = "COUNT", .help = "so many calls at once" },
    { .name = "rounds", .type = OPTION_INTEGER, .target = &options.rounds, .value = "COUNT", .help = "one after the other" },
    { .name = "pause", .type = OPTION_DURATION, .target = &options.pause_ms, .value = "DURATION", .help = "after every part of a blob" },
    { .name = "choose-platform", .type = OPTION_SWITCH, .target = &options.choose_platform, .help = "follow an index" },
    { .name = "cancel", .type = OPTION_SWITCH, .target = &options.cancel, .help = "give up a blob at its first part" },
    { 0 },
};
/* clang-format on */

struct get {
    struct registry_client *client;
    const struct registry_target *target;
    uv_loop_t *loop;
    struct registry_call *call;
    uv_timer_t timer;
    uint64_t received;
    bool is_over;
};

static int64_t in_flight, rounds_left;
static int status;

static void start_round(struct get *get);

static void end(struct get *get, const struct error *err)
{
    if (err) {
        fprintf(stderr, "code=%d\nerror=%s\n", (int)err->code, err->message);
        status = 1;
    }
    get->is_over = true;
    uv_close((uv_handle_t *)&get->timer, NULL);
    if (--in_flight > 0)
        return;
    if (--rounds_left > 0)
        start_round(get);
    else
        registry_client_close(get->client);
}

static void on_manifest(void *user, const struct registry_manifest *manifest,
                        const struct error *err)
{
    if (manifest) {
        fwrite(manifest->bytes, 1, manifest->len, stdout);
        fprintf(stderr, "digest=%s\nmedia_type=%s\nplatform=%s\nindex_digest=%s\n",
                manifest->digest, manifest->media_type, manifest->platform, manifest->index_digest);
        fprintf(stderr, "authentication=%s\nsource=%s\n", manifest->authentication,
                manifest->source);
    }
    end(user, err);
}

static void on_resume(uv_timer_t *timer)
{
    struct get *get = timer->data;
    registry_call_resume(get->call);
}

static bool on_data(void *user, const char *bytes, size_t len, struct error *err)
{
    struct get *get = user;
    get->received += len;
    fwrite(bytes, 1, len, stdout);
    if (options.cancel) {
        registry_call_cancel(get->call);
        error_set(err, ERROR_CANCELLED, "cancelled");
        end(get, err);
        return false;
    }
    if (options.pause_ms > 0) {
        registry_call_pause(get->call);
        uv_timer_start(&get->timer, on_resume, (uint64_t)options.pause_ms, 0);
    }
    return true;
}

static void on_done(void *user, const struct error *err)
{
    struct get *get = user;
    fprintf(stderr, "received=%llu\n", (unsigned long long)get->received);
    end(get, err);
}

static struct registry_call *begin(struct get *get, const struct registry_target *target,
                                   struct error *err)
{
    uint32_t deadline_ms = (uint32_t)options.deadline_ms;
    if (options.blob)
        return registry_get_blob(get->client, target, options.blob, options.size, deadline_ms,
                                 on_data, on_done, get, err);
    if (options.known)
        return registry_check_manifest(get->client, target, options.known, deadline_ms, on_manifest,
                                       get, err);
    return registry_get_manifest(get->client, target, options.choose_platform, deadline_ms,
                                 on_manifest, get, err);
}

static void start(struct get *get)
{
    struct error err;
    get->call = begin(get, get->target, &err);
    if (!get->call)
        end(get, &err);
}

static struct get *all; /* rounds * repeat */

static void start_round(struct get *last)
{
    struct get *first = last ? all + (options.rounds - rounds_left) * options.repeat : all;
    in_flight = options.repeat;
    for (int64_t i = 0; i < options.repeat; i++) {
        first[i].timer.data = &first[i];
        uv_timer_init(all->loop, &first[i].timer);
        start(&first[i]);
    }
}

static struct mirrors *read_mirrors(struct error *err)
{
    json_t *json = options.mirrors ? json_loads(options.mirrors, 0, NULL) : NULL;
    struct mirrors *mirrors = mirrors_parse(json, err);
    json_decref(json);
    return mirrors;
}

int main(int argc, char **argv)
{
    struct error err;
    int count;
    uv_loop_t loop;
    if (!options_parse(rows, argc, argv, &count, &err) || count != 3) {
        fprintf(stderr, "usage: registry_get [FLAG...] BASE-URL REPOSITORY TAG-OR-DIGEST\n");
        return 2;
    }
    struct registry_options registry = {
        .docker_config = options.docker_config,
        .netrc = options.netrc,
        .certs_dir = options.certs_dir,
        .insecure_registries = options.insecure.items,
        .insecure_registry_count = options.insecure.count,
    };
    signal(SIGPIPE, SIG_IGN); /* as in every daemon */
    uv_loop_init(&loop);
    struct mirrors *mirrors = read_mirrors(&err);
    struct registry_client *client = mirrors ? registry_client_open(&loop, &registry, &err) : NULL;
    if (!client) {
        fprintf(stderr, "code=%d\nerror=%s\n", (int)err.code, err.message);
        return 1;
    }
    struct registry_target target = {
        .base_url = argv[1],
        .repository = argv[2],
        .reference = argv[3],
        .mirrors = mirrors,
        .urls = options.urls.items,
        .url_count = options.urls.count,
    };
    all = xcalloc((size_t)(options.repeat * options.rounds), sizeof *all);
    for (int64_t i = 0; i < options.repeat * options.rounds; i++)
        all[i] = (struct get){ .client = client, .target = &target, .loop = &loop };
    rounds_left = options.rounds;
    start_round(NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    free(all);
    mirrors_free(mirrors);
    options_done(rows);
    if (uv_loop_close(&loop) != 0) {
        fprintf(stderr, "error=handles are left open\n");
        return 3;
    }
    return status;
}
