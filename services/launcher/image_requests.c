#include "launcher/image_requests.h"

#include "launcher/image_upload.h"
#include "launcher/service.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include "eos/launcher/v1/launcher.pb-c.h"

#include <assert.h>

#define PULL_DEADLINE_MS (3600u * 1000u) /* a caller who goes away ends it before */
#define PROGRESS_MS      500
#define SIGN_OF_LIFE_MS  5000u
#define PRUNE_MAX_NAMES  1000u
#define CHECK_MAX_BLOBS  1000u

typedef Eos__Launcher__V1__Image image_message;
typedef Eos__Launcher__V1__ImageName name_message;

/* -- lists ---------------------------------------------------------------------------------------- */

static name_message **describe_names(const struct image_entry *entry, struct arena *arena)
{
    name_message **names = arena_array(arena, entry->name_count, sizeof *names);
    for (size_t i = 0; i < entry->name_count; i++) {
        names[i] = arena_alloc(arena, sizeof *names[i]);
        eos__launcher__v1__image_name__init(names[i]);
        names[i]->name = (char *)entry->names[i].name;
        names[i]->is_imported = entry->names[i].is_imported;
    }
    return names;
}

static image_message *describe_image(const struct image_entry *entry, struct arena *arena)
{
    image_message *image = arena_alloc(arena, sizeof *image);
    eos__launcher__v1__image__init(image);
    image->digest = (char *)entry->digest;
    image->names = describe_names(entry, arena);
    image->n_names = entry->name_count;
    image->kind = (char *)(entry->is_appc ? "appc" : "docker");
    image->layers = (int32_t)entry->layer_count;
    image->size_bytes = entry->bytes;
    image->shared_bytes = entry->shared_bytes;
    image->created_at_ms = entry->created_ms;
    image->last_used_at_ms = entry->used_ms;
    image->is_used = entry->is_used;
    image->is_imported = entry->is_imported;
    image->origin = (char *)entry->origin;
    return image;
}

static size_t describe_images(const struct image_collection *result, bool only_removed,
                              struct arena *arena, image_message ***ret_images)
{
    size_t count = 0;
    image_message **images = arena_array(arena, result->image_count, sizeof *images);
    for (size_t i = 0; i < result->image_count; i++)
        if (!only_removed || result->images[i].is_removed)
            images[count++] = describe_image(&result->images[i], arena);
    *ret_images = images;
    return count;
}

/* One request that the keeper answers. */
struct keeping {
    struct service *service;
    struct rpc_request *request;
};

static void on_listed(void *user, const struct image_collection *result, const struct error *err)
{
    struct keeping *keeping = user;
    Eos__Launcher__V1__ListImagesResponse response = EOS__LAUNCHER__V1__LIST_IMAGES_RESPONSE__INIT;
    if (err) {
        rpc_fail(keeping->request, err);
        free(keeping);
        return;
    }
    const struct service_options *options = keeping->service->options;
    response.n_images =
        describe_images(result, false, rpc_request_arena(keeping->request), &response.images);
    response.total_bytes = result->bytes;
    response.gc_size_bytes = keeping->service->image_gc_bytes;
    response.gc_age_ms = options->image_gc_age_ms;
    rpc_reply(keeping->request, &response.base);
    free(keeping);
}

static void ask_keeper(struct service *service, struct rpc_request *request,
                       const struct image_keeper_wish *wish, image_keeper_fn *done)
{
    struct error err;
    struct keeping *keeping = xcalloc(1, sizeof *keeping);
    *keeping = (struct keeping){ service, request };
    if (image_keeper_ask(image_store_keeper(service->images), wish, done, keeping, &err))
        return;
    rpc_fail(request, &err);
    free(keeping);
}

void image_requests_list(void *ctx, struct rpc_request *request)
{
    const struct image_keeper_wish wish = { .is_list = true };
    ask_keeper(ctx, request, &wish, on_listed);
}

/* -- pruning -------------------------------------------------------------------------------------- */

static bool names_of(const struct service *service,
                     const Eos__Launcher__V1__PruneImagesRequest *message, struct arena *arena,
                     const char ***ret_names, struct error *err)
{
    const char **names = arena_array(arena, message->n_images, sizeof *names);
    if (message->n_images > PRUNE_MAX_NAMES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "field images: more than %u",
                         PRUNE_MAX_NAMES);
    if (message->unused_ms < 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "field unused_ms: expected 0 or more");
    if (message->keep_bytes < 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "field keep_bytes: expected 0 or more");
    for (size_t i = 0; i < message->n_images; i++)
        if (!image_store_local_name(service->images, message->images[i], arena, &names[i], err))
            return false;
    *ret_names = names;
    return true;
}

/* Those of the named ones that stay because they are used. */
static void add_used(const struct image_collection *result, struct arena *arena,
                     Eos__Launcher__V1__PruneImagesResponse *response)
{
    response->used = arena_array(arena, result->image_count, sizeof *response->used);
    for (size_t i = 0; i < result->image_count; i++) {
        const struct image_entry *entry = &result->images[i];
        if (entry->is_wanted && entry->is_used && !entry->is_removed)
            response->used[response->n_used++] =
                (char *)(entry->name_count > 0 ? entry->names[0].name : entry->digest);
    }
}

static void on_pruned(void *user, const struct image_collection *result, const struct error *err)
{
    struct keeping *keeping = user;
    const Eos__Launcher__V1__PruneImagesRequest *message = rpc_request_message(keeping->request);
    struct arena *arena = rpc_request_arena(keeping->request);
    Eos__Launcher__V1__PruneImagesResponse response =
        EOS__LAUNCHER__V1__PRUNE_IMAGES_RESPONSE__INIT;
    if (err) {
        rpc_fail(keeping->request, err);
        free(keeping);
        return;
    }
    response.n_removed = describe_images(result, true, arena, &response.removed);
    response.freed_bytes = result->freed_bytes;
    response.total_bytes = result->bytes;
    response.unknown = (char **)result->unknown;
    response.n_unknown = result->unknown_count;
    if (message->n_images > 0)
        add_used(result, arena, &response);
    rpc_reply(keeping->request, &response.base);
    free(keeping);
}

void image_requests_prune(void *ctx, struct rpc_request *request)
{
    struct service *service = ctx;
    const Eos__Launcher__V1__PruneImagesRequest *message = rpc_request_message(request);
    struct error err;
    const char **names = NULL;
    if (!names_of(service, message, rpc_request_arena(request), &names, &err)) {
        rpc_fail(request, &err);
        return;
    }
    const struct image_keeper_wish wish = { .wanted = names,
                                            .wanted_count = message->n_images,
                                            .rule = { message->unused_ms, message->keep_bytes },
                                            .with_imported = message->with_imported,
                                            .is_dry = message->dry_run };
    ask_keeper(service, request, &wish, on_pruned);
}

/* -- pulling -------------------------------------------------------------------------------------- */

struct pulling {
    struct rpc_request *request; /* NULL: ended, the timer is closing */
    struct image_fetch *fetch;   /* NULL: it has arrived */
    uv_timer_t timer;
    Eos__Launcher__V1__PullImageProgress told;
    uint64_t told_ms;
    char *digest; /* when it has arrived */
};

static void on_pulling_closed(uv_handle_t *handle)
{
    struct pulling *pulling = handle->data;
    free(pulling->digest);
    free(pulling);
}

static struct rpc_request *end_pulling(struct pulling *pulling)
{
    struct rpc_request *request = TAKE(pulling->request);
    rpc_request_on_cancel(request, NULL, NULL);
    rpc_stream_on_writable(request, NULL, NULL);
    if (pulling->fetch)
        image_store_cancel(TAKE(pulling->fetch));
    uv_close((uv_handle_t *)&pulling->timer, on_pulling_closed);
    return request;
}

static void on_pulling_cancelled(void *user)
{
    struct error err;
    error_set(&err, ERROR_CANCELLED, "the caller has gone");
    rpc_fail(end_pulling(user), &err);
}

static void fill_progress(const struct pulling *pulling,
                          Eos__Launcher__V1__PullImageProgress *message)
{
    struct image_progress progress = image_store_progress(pulling->fetch);
    eos__launcher__v1__pull_image_progress__init(message);
    message->layers = (int32_t)progress.archives;
    message->layers_done = (int32_t)progress.archives_done;
    message->bytes = progress.bytes;
    message->bytes_done = progress.bytes_done;
}

static bool is_same(const Eos__Launcher__V1__PullImageProgress *a,
                    const Eos__Launcher__V1__PullImageProgress *b)
{
    return a->layers == b->layers && a->layers_done == b->layers_done && a->bytes == b->bytes &&
           a->bytes_done == b->bytes_done;
}

/* When the window is full the next one tells it. */
static void tell_progress(uv_timer_t *timer)
{
    struct pulling *pulling = timer->data;
    Eos__Launcher__V1__PullImageProgress message;
    struct error ignored;
    if (!pulling->fetch)
        return;
    fill_progress(pulling, &message);
    if (is_same(&message, &pulling->told) &&
        uv_now(timer->loop) - pulling->told_ms < SIGN_OF_LIFE_MS)
        return;
    if (!rpc_stream_send(pulling->request, &message.base, &ignored))
        return;
    pulling->told = message;
    pulling->told_ms = uv_now(timer->loop);
}

static void tell_end(void *user)
{
    struct pulling *pulling = user;
    Eos__Launcher__V1__PullImageProgress message = pulling->told;
    struct error ignored;
    message.digest = pulling->digest;
    message.layers_done = message.layers;
    message.bytes_done = message.bytes;
    if (rpc_stream_send(pulling->request, &message.base, &ignored))
        rpc_stream_end(end_pulling(pulling));
}

static void on_pulled(void *user, const struct image *image, const struct error *err)
{
    struct pulling *pulling = user;
    pulling->fetch = NULL;
    if (err) {
        rpc_fail(end_pulling(pulling), err);
        return;
    }
    pulling->digest = xstrdup(image->digest);
    rpc_stream_on_writable(pulling->request, tell_end, pulling);
    tell_end(pulling);
}

static bool parse_reference(const char *text, struct arena *arena,
                            struct image_request *ret_request, struct error *err)
{
    struct image_reference reference;
    if (!reference_parse(slice_of(text), arena, &reference, err))
        return error_prefix(err, "field reference");
    *ret_request = (struct image_request){
        .kind = IMAGE_DOCKER,
        .name = *reference.host ? arena_printf(arena, "%s/%s", reference.host, reference.repository)
                                : reference.repository,
        .tag = reference_version(&reference),
        .id = "",
        .is_fresh = true,
    };
    return true;
}

void image_requests_pull(void *ctx, struct rpc_request *request)
{
    struct service *service = ctx;
    const Eos__Launcher__V1__PullImageRequest *message = rpc_request_message(request);
    struct image_request wanted;
    struct error err;
    if (!parse_reference(message->reference, rpc_request_arena(request), &wanted, &err)) {
        rpc_fail(request, &err);
        return;
    }
    struct pulling *pulling = xcalloc(1, sizeof *pulling);
    pulling->fetch =
        image_store_fetch(service->images, &wanted, PULL_DEADLINE_MS, on_pulled, pulling, &err);
    if (!pulling->fetch) {
        rpc_fail(request, &err);
        free(pulling);
        return;
    }
    pulling->request = request;
    eos__launcher__v1__pull_image_progress__init(&pulling->told);
    pulling->timer.data = pulling;
    uv_timer_init(service->loop, &pulling->timer);
    uv_timer_start(&pulling->timer, tell_progress, PROGRESS_MS, PROGRESS_MS);
    rpc_request_on_cancel(request, on_pulling_cancelled, pulling);
}

/* -- importing ------------------------------------------------------------------------------------ */

struct checking {
    struct rpc_request *request;
    const Eos__Launcher__V1__CheckBlobsRequest *message;
    Eos__Launcher__V1__CheckBlobsResponse response;
};

static struct image_blob blob_of(const Eos__Launcher__V1__BlobDescription *message)
{
    return (struct image_blob){ message->digest, message->size_bytes, message->diff_id };
}

static void check_blobs(const struct image_directory *directory, void *user)
{
    struct checking *checking = user;
    struct arena *arena = rpc_request_arena(checking->request);
    Eos__Launcher__V1__CheckBlobsResponse *response = &checking->response;
    response->missing = arena_array(arena, checking->message->n_blobs, sizeof *response->missing);
    for (size_t i = 0; i < checking->message->n_blobs; i++) {
        struct image_blob blob = blob_of(checking->message->blobs[i]);
        int64_t offset = image_upload_offset(directory, &blob);
        if (offset == blob.bytes && blob.bytes > 0)
            continue;
        Eos__Launcher__V1__MissingBlob *missing = arena_alloc(arena, sizeof *missing);
        eos__launcher__v1__missing_blob__init(missing);
        missing->digest = (char *)blob.digest;
        missing->offset = offset;
        response->missing[response->n_missing++] = missing;
    }
}

static void on_checked(void *user)
{
    struct checking *checking = user;
    rpc_reply(checking->request, &checking->response.base);
    free(checking);
}

static bool check_descriptions(const Eos__Launcher__V1__CheckBlobsRequest *message,
                               struct error *err)
{
    if (message->n_blobs > CHECK_MAX_BLOBS)
        return error_set(err, ERROR_INVALID_ARGUMENT, "field blobs: more than %u", CHECK_MAX_BLOBS);
    for (size_t i = 0; i < message->n_blobs; i++) {
        struct image_blob blob = blob_of(message->blobs[i]);
        if (!image_blob_check(&blob, err))
            return error_prefix(err, "blob %zu", i + 1);
    }
    return true;
}

void image_requests_check(void *ctx, struct rpc_request *request)
{
    struct service *service = ctx;
    const Eos__Launcher__V1__CheckBlobsRequest *message = rpc_request_message(request);
    struct error err;
    if (!check_descriptions(message, &err)) {
        rpc_fail(request, &err);
        return;
    }
    struct checking *checking = xcalloc(1, sizeof *checking);
    checking->request = request;
    checking->message = message;
    eos__launcher__v1__check_blobs_response__init(&checking->response);
    image_store_run(service->images, check_blobs, on_checked, checking);
}

struct uploading {
    struct rpc_request *request;
    const Eos__Launcher__V1__UploadBlobRequest *message;
    struct image_blob blob;
    int64_t offset;
    bool ok;
    struct error error;
};

static void upload(const struct image_directory *directory, void *user)
{
    struct uploading *uploading = user;
    const Eos__Launcher__V1__UploadBlobRequest *message = uploading->message;
    struct slice bytes = { (const char *)message->data.data, message->data.len };
    uploading->ok = image_upload_add(directory, &uploading->blob, message->offset, bytes,
                                     &uploading->offset, &uploading->error);
}

static void on_uploaded(void *user)
{
    struct uploading *uploading = user;
    Eos__Launcher__V1__UploadBlobResponse response = EOS__LAUNCHER__V1__UPLOAD_BLOB_RESPONSE__INIT;
    response.offset = uploading->offset;
    if (uploading->ok)
        rpc_reply(uploading->request, &response.base);
    else
        rpc_fail(uploading->request, &uploading->error);
    free(uploading);
}

void image_requests_upload(void *ctx, struct rpc_request *request)
{
    struct service *service = ctx;
    const Eos__Launcher__V1__UploadBlobRequest *message = rpc_request_message(request);
    struct image_blob blob = { message->digest, message->size_bytes, "" };
    struct error err;
    if (!image_blob_check(&blob, &err)) {
        rpc_fail(request, &err);
        return;
    }
    struct uploading *uploading = xcalloc(1, sizeof *uploading);
    uploading->request = request;
    uploading->message = message;
    uploading->blob = blob;
    image_store_run(service->images, upload, on_uploaded, uploading);
}

struct committing {
    struct service *service;
    struct rpc_request *request;
    struct image_fetch *fetch;
};

static void on_commit_cancelled(void *user)
{
    struct committing *committing = user;
    struct error err;
    error_set(&err, ERROR_CANCELLED, "the caller has gone");
    image_store_cancel(committing->fetch);
    rpc_fail(committing->request, &err);
    free(committing);
}

static void on_committed(void *user, const struct image *image, const struct error *err)
{
    struct committing *committing = user;
    struct rpc_request *request = committing->request;
    const Eos__Launcher__V1__CommitImageRequest *message = rpc_request_message(request);
    Eos__Launcher__V1__CommitImageResponse response =
        EOS__LAUNCHER__V1__COMMIT_IMAGE_RESPONSE__INIT;
    const char *name = message->name;
    struct error problem;
    rpc_request_on_cancel(request, NULL, NULL);
    if (err) {
        rpc_fail(request, err);
    } else if (image_store_local_name(committing->service->images, message->name,
                                      rpc_request_arena(request), &name, &problem)) {
        response.digest = (char *)image->digest;
        response.name = (char *)name;
        rpc_reply(request, &response.base);
    } else {
        rpc_fail(request, &problem);
    }
    free(committing);
}

void image_requests_commit(void *ctx, struct rpc_request *request)
{
    struct service *service = ctx;
    const Eos__Launcher__V1__CommitImageRequest *message = rpc_request_message(request);
    struct slice manifest = { (const char *)message->manifest.data, message->manifest.len };
    struct error err;
    struct committing *committing = xcalloc(1, sizeof *committing);
    committing->service = service;
    committing->request = request;
    committing->fetch =
        image_store_import(service->images, message->name, manifest,
                           rpc_request_time_left_ms(request), on_committed, committing, &err);
    if (committing->fetch) {
        rpc_request_on_cancel(request, on_commit_cancelled, committing);
        return;
    }
    rpc_fail(request, &err);
    free(committing);
}
