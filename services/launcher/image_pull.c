#include "launcher/image_pull.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "launcher/image_parts.h"

#include <assert.h>

/* Those who wait have their own, shorter deadlines. */
#define DOCUMENT_DEADLINE_MS (300u * 1000u)

struct wait {
    struct image_pull *pull;
    const struct image_need *need;
    struct image_seat *seat; /* NULL when it has arrived */
};

struct image_pull {
    struct image_pull_context context;
    struct arena *arena;
    const char *label, *origin;
    struct image_parts parts;
    image_pull_fn *done;
    void *user;

    uv_work_t work;
    bool is_examining, is_cancelled;
    void (*on_gone)(void *user);
    void *gone_user;
    bool ok; /* what the worker found */
    struct error error;

    struct registry_call *call;
    struct text config;
    struct wait *waits;
    size_t wait_count, arrived;
    int rounds; /* of archives that were missing */
};

static const char *copy(struct image_pull *pull, const char *text)
{
    return text ? arena_strdup(pull->arena, text) : NULL;
}

static void pull_free(struct image_pull *pull)
{
    text_done(&pull->config);
    arena_free(pull->arena);
    free(pull);
}

static void leave_flights(struct image_pull *pull)
{
    for (size_t i = 0; i < pull->wait_count; i++)
        if (pull->waits[i].seat)
            image_seat_leave(TAKE(pull->waits[i].seat));
}

static void finish(struct image_pull *pull, const struct image *image, const struct error *err)
{
    leave_flights(pull);
    pull->done(pull->user, image, err);
    pull_free(pull);
}

/* The registry's own sentences name it and what was asked for. */
static void fail(struct image_pull *pull, const struct error *why)
{
    struct error err = *why;
    error_prefix(&err, "image %s from %s", pull->label, pull->origin);
    finish(pull, NULL, &err);
}

static void examine(struct image_pull *pull);

static void on_manifest(void *user, const struct registry_manifest *manifest,
                        const struct error *err)
{
    struct image_pull *pull = user;
    pull->call = NULL;
    if (err) {
        finish(pull, NULL, err);
        return;
    }
    pull->parts.manifest_digest = copy(pull, manifest->digest);
    pull->parts.media_type = copy(pull, manifest->media_type);
    pull->parts.manifest_bytes =
        (struct slice){ arena_memdup0(pull->arena, manifest->bytes, manifest->len), manifest->len };
    examine(pull);
}

static void get_manifest(struct image_pull *pull)
{
    struct error err = { 0 };
    pull->call = registry_get_manifest(pull->context.registry, &pull->parts.target, true,
                                       DOCUMENT_DEADLINE_MS, on_manifest, pull, &err);
    if (!pull->call)
        fail(pull, &err);
}

static bool on_config_data(void *user, const char *bytes, size_t len, struct error *err)
{
    struct image_pull *pull = user;
    if (len > IMAGE_MAX_CONFIG_BYTES - pull->config.len)
        return error_set(err, ERROR_OUT_OF_RANGE, "the config is over %u bytes",
                         IMAGE_MAX_CONFIG_BYTES);
    text_add_bytes(&pull->config, bytes, len);
    return true;
}

static void on_config_done(void *user, const struct error *err)
{
    struct image_pull *pull = user;
    pull->call = NULL;
    if (err) {
        struct error prefixed = *err;
        error_prefix(&prefixed, "image %s", pull->label);
        finish(pull, NULL, &prefixed);
        return;
    }
    pull->parts.config_bytes =
        (struct slice){ arena_memdup0(pull->arena, text_string(&pull->config), pull->config.len),
                        pull->config.len };
    examine(pull);
}

static void get_config(struct image_pull *pull)
{
    struct error err = { 0 };
    const struct descriptor *config = &pull->parts.manifest.config;
    pull->call =
        registry_get_blob(pull->context.registry, &pull->parts.target, config->digest, config->size,
                          DOCUMENT_DEADLINE_MS, on_config_data, on_config_done, pull, &err);
    if (!pull->call)
        fail(pull, &err);
}

static void join(struct wait *wait);

static void fail_archive(struct wait *wait, const struct image_flight_result *result)
{
    struct image_pull *pull = wait->pull;
    struct error err = *result->err;
    if (result->is_registrys) {
        error_prefix(&err, "image %s", pull->label);
        finish(pull, NULL, &err);
        return;
    }
    if (wait->need->kind == IMAGE_DOCKER)
        error_prefix(&err, "layer %.19s", wait->need->blob_digest);
    else if (wait->need->is_dependency)
        error_prefix(&err, "dependency %s", wait->need->name.name);
    fail(pull, &err);
}

static void on_archive(void *user, const struct image_flight_result *result)
{
    struct wait *wait = user;
    struct image_pull *pull = wait->pull;
    wait->seat = NULL;
    if (result->err && result->is_of_other_source) {
        join(wait);
        return;
    }
    if (result->err) {
        fail_archive(wait, result);
        return;
    }
    if (wait->need->kind == IMAGE_APPC)
        image_appc_add(&pull->parts.appc, wait->need, result->digest);
    if (++pull->arrived == pull->wait_count)
        examine(pull);
}

static void join(struct wait *wait)
{
    wait->seat = image_flight_join(wait->pull->context.flights, wait->need, on_archive, wait);
}

static void get_archives(struct image_pull *pull)
{
    struct error err = { 0 };
    if (pull->rounds++ > (pull->parts.kind == IMAGE_APPC ? IMAGE_MAX_ACI_DEPTH : 0)) {
        error_set(&err, ERROR_INTERNAL, "what was unpacked has vanished from the image store");
        fail(pull, &err);
        return;
    }
    pull->arrived = 0;
    pull->wait_count = pull->parts.need_count;
    pull->waits = arena_array(pull->arena, pull->wait_count, sizeof *pull->waits);
    for (size_t i = 0; i < pull->wait_count; i++) {
        pull->waits[i] = (struct wait){ .pull = pull, .need = &pull->parts.needs[i] };
        join(&pull->waits[i]);
    }
}

static void work(uv_work_t *request)
{
    struct image_pull *pull = request->data;
    pull->ok = image_parts_examine(&pull->parts, pull->context.directory, &pull->error);
}

static void go_on(struct image_pull *pull)
{
    switch (pull->parts.missing) {
    case IMAGE_MISSING_NOTHING:
        finish(pull, &pull->parts.image, NULL);
        break;
    case IMAGE_MISSING_MANIFEST:
        get_manifest(pull);
        break;
    case IMAGE_MISSING_CONFIG:
        get_config(pull);
        break;
    case IMAGE_MISSING_ARCHIVES:
        get_archives(pull);
        break;
    }
}

static void after_work(uv_work_t *request, int status)
{
    struct image_pull *pull = request->data;
    assert(status == 0);
    pull->is_examining = false;
    if (pull->is_cancelled) {
        void (*on_gone)(void *) = pull->on_gone;
        void *user = pull->gone_user;
        pull_free(pull);
        on_gone(user);
        return;
    }
    if (pull->ok)
        go_on(pull);
    else
        fail(pull, &pull->error);
}

static void examine(struct image_pull *pull)
{
    pull->is_examining = true;
    pull->work.data = pull;
    int status = uv_queue_work(pull->context.loop, &pull->work, work, after_work);
    assert(status == 0);
}

static void take_request(struct image_pull *pull, const struct image_pull_request *request)
{
    const char *reference = copy(pull, request->target.reference);
    pull->label = copy(pull, request->label);
    pull->origin = copy(pull, request->origin);
    pull->parts = (struct image_parts){
        .arena = pull->arena,
        .kind = request->kind,
        .target = { .base_url = copy(pull, request->target.base_url),
                    .repository = copy(pull, request->target.repository),
                    .reference = reference,
                    .mirrors = request->target.mirrors },
        .is_by_digest = reference && strchr(reference, ':'),
        .appc = { .arena = pull->arena, .name = request->name, .id = copy(pull, request->id) },
        .owner = request->owner,
        .origin = pull->origin,
        .local_name = copy(pull, request->local_name),
        .is_fresh = request->is_fresh,
        .is_local = request->is_import,
        .is_import = request->is_import,
        .media_type = "",
        .manifest_digest = copy(pull, request->manifest_digest),
    };
    if (request->kind == IMAGE_APPC)
        pull->parts.appc.name = image_aci_name_copy(&request->name, pull->arena);
    if (request->is_import)
        pull->parts.manifest_bytes =
            (struct slice){ arena_memdup0(pull->arena, request->manifest.ptr,
                                          request->manifest.len),
                            request->manifest.len };
}

struct image_pull *image_pull_start(const struct image_pull_context *context,
                                    const struct image_pull_request *request, image_pull_fn *done,
                                    void *user)
{
    struct image_pull *pull = xcalloc(1, sizeof *pull);
    pull->context = *context;
    pull->arena = arena_new();
    pull->done = done;
    pull->user = user;
    take_request(pull, request);
    examine(pull);
    return pull;
}

void image_pull_cancel(struct image_pull *pull, void (*on_gone)(void *user), void *user)
{
    if (pull->call)
        registry_call_cancel(TAKE(pull->call));
    leave_flights(pull);
    if (pull->is_examining) {
        pull->is_cancelled = true;
        pull->on_gone = on_gone;
        pull->gone_user = user;
        return;
    }
    pull_free(pull);
    on_gone(user);
}

struct image_progress image_pull_progress(const struct image_pull *pull)
{
    struct image_progress progress = { .archives = pull->wait_count,
                                       .archives_done = pull->arrived };
    for (size_t i = 0; i < pull->wait_count; i++) {
        const struct wait *wait = &pull->waits[i];
        int64_t size = wait->need->blob_size;
        progress.bytes += size;
        progress.bytes_done += wait->seat ? image_seat_received(wait->seat) : size;
    }
    return progress;
}

void image_pull_tell(const struct image_pull *pull, struct text *out)
{
    if (pull->wait_count > 0)
        text_printf(out, "%zu of %zu archives of image %s from %s had arrived", pull->arrived,
                    pull->wait_count, pull->label, pull->origin);
    else
        text_printf(out, "image %s from %s had not been described yet", pull->label, pull->origin);
}
