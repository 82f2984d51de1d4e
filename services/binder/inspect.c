#include "binder/service.h"

#include "base/alloc.h"
#include "binder/image_details.h"
#include "binder/job_images.h"
#include "io/wall_clock.h"
#include "registry/platform.h"

#define MAX_INDEX_DEPTH 3u

/* Inspect: the manifest that the reference names, from an index on to the one of the platform, and then
 * the configuration.  Each is asked for when the one before it is there; nothing is cached. */
struct inspection {
    struct service *service;
    struct rpc_request *request;
    struct arena *arena; /* the request's */
    struct image image;
    struct registry_call *call;
    uint64_t deadline_at_ms;
    struct platform platform;
    bool is_platform_given;
    unsigned depth;
    Eos__Binder__V1__InspectResponse response;
};

static void inspection_fail(struct inspection *inspection, const struct error *err)
{
    rpc_fail(inspection->request, err);
    free(inspection);
}

static void inspection_reply(struct inspection *inspection)
{
    inspection->response.binding = image_binding(&inspection->image, inspection->arena);
    rpc_reply(inspection->request, &inspection->response.base);
    free(inspection);
}

static void on_cancel(void *user)
{
    struct inspection *inspection = user;
    struct error err;
    if (inspection->call)
        registry_call_cancel(inspection->call);
    error_set(&err, ERROR_CANCELLED, "the caller has given up");
    inspection_fail(inspection, &err);
}

static uint32_t time_left_ms(const struct inspection *inspection)
{
    uint64_t now = uv_hrtime() / 1000000;
    return inspection->deadline_at_ms > now ? (uint32_t)(inspection->deadline_at_ms - now) : 1;
}

static struct registry_target target_of(const struct inspection *inspection, const char *reference)
{
    return (struct registry_target){
        .base_url = inspection->image.base_url,
        .repository = inspection->image.repository,
        .reference = reference,
        .mirrors = inspection->image.mirrors,
    };
}

/* -- the configuration ---------------------------------------------------------------------------- */

/* A plain manifest does not tell its platform, its configuration does. */
static void complete_platform(struct inspection *inspection)
{
    Eos__Binder__V1__InspectResponse *response = &inspection->response;
    const char *platform = config_platform(response->config, inspection->arena);
    if (!response->manifest->platform[0])
        response->manifest->platform = (char *)platform;
    if (response->n_manifests == 0)
        inspection->image.finding.platforms = platform;
}

static void on_config(void *user, const struct registry_document *document, const struct error *err)
{
    struct inspection *inspection = user;
    struct error problem;
    inspection->call = NULL;
    if (err)
        inspection_fail(inspection, err);
    else if (!details_parse_config((struct slice){ document->bytes, document->len },
                                   inspection->arena, &inspection->response.config, &problem))
        inspection_fail(inspection, &problem);
    else {
        complete_platform(inspection);
        inspection_reply(inspection);
    }
}

static bool ask_config(struct inspection *inspection, const struct manifest *manifest,
                       struct error *err)
{
    struct registry_target target = target_of(inspection, "");
    struct registry_document_request request = {
        .path = arena_printf(inspection->arena, "blobs/%s", manifest->config.digest),
        .digest = manifest->config.digest,
        .max_bytes = IMAGE_CONFIG_MAX_BYTES,
    };
    inspection->call = registry_get_document(inspection->service->registry, &target, &request,
                                             time_left_ms(inspection), on_config, inspection, err);
    return inspection->call != NULL;
}

/* -- manifests ------------------------------------------------------------------------------------ */

static bool ask_manifest(struct inspection *inspection, const char *reference, struct error *err);

/* What the reference itself names: this is what it would be bound to. */
static void set_finding(struct inspection *inspection, const struct registry_manifest *manifest,
                        const struct manifest *parsed)
{
    struct finding finding = {
        .digest = manifest->digest,
        .media_type = manifest->media_type,
        .platforms =
            parsed->kind == MANIFEST_INDEX ? manifest_platforms(parsed, inspection->arena) : "",
        .authentication = manifest->authentication,
        .signed_by = "",
        .signing_key_id = "",
        .size_bytes = (int64_t)manifest->len,
        .found_at_ms = wall_clock_ms(),
    };
    inspection->image.finding = finding_copy(&finding, inspection->arena);
}

static void add_entries(struct inspection *inspection, const struct manifest *index)
{
    Eos__Binder__V1__InspectResponse *response = &inspection->response;
    response->manifests =
        arena_array(inspection->arena, index->entry_count, sizeof response->manifests[0]);
    response->n_manifests = index->entry_count;
    for (size_t i = 0; i < index->entry_count; i++)
        response->manifests[i] = manifest_entry(&index->entries[i], inspection->arena);
}

/* An index that has nothing for this machine is still told about, unless the platform was asked for. */
static bool follow_index(struct inspection *inspection, const struct manifest *index,
                         struct error *err)
{
    const struct descriptor *entry;
    if (inspection->depth == 1)
        add_entries(inspection, index);
    if (inspection->depth > MAX_INDEX_DEPTH)
        return error_set(err, ERROR_FAILED_PRECONDITION, "the index is nested over %u deep",
                         MAX_INDEX_DEPTH);
    if (!manifest_choose(index, &inspection->platform, &entry, err)) {
        if (inspection->is_platform_given)
            return false;
        inspection_reply(inspection);
        return true;
    }
    inspection->response.manifest = manifest_entry(entry, inspection->arena);
    return ask_manifest(inspection, entry->digest, err);
}

static bool use_image(struct inspection *inspection, const struct registry_manifest *found,
                      const struct manifest *manifest, struct error *err)
{
    Eos__Binder__V1__InspectResponse *response = &inspection->response;
    if (!response->manifest) {
        struct descriptor plain = { .media_type = manifest->media_type,
                                    .digest = inspection->image.finding.digest,
                                    .size = (int64_t)found->len };
        response->manifest = manifest_entry(&plain, inspection->arena);
    }
    details_add_layers(manifest, inspection->arena, response);
    return ask_config(inspection, manifest, err);
}

static void on_manifest(void *user, const struct registry_manifest *found, const struct error *err)
{
    struct inspection *inspection = user;
    struct manifest manifest;
    struct error problem;
    inspection->call = NULL;
    if (err) {
        inspection_fail(inspection, err);
        return;
    }
    inspection->depth++;
    bool ok = manifest_parse((struct slice){ found->bytes, found->len },
                             slice_of(found->media_type), inspection->arena, &manifest, &problem);
    if (ok && inspection->depth == 1)
        set_finding(inspection, found, &manifest);
    if (ok && manifest.kind == MANIFEST_INDEX)
        ok = follow_index(inspection, &manifest, &problem);
    else if (ok)
        ok = use_image(inspection, found, &manifest, &problem);
    if (!ok)
        inspection_fail(inspection, &problem);
}

static bool ask_manifest(struct inspection *inspection, const char *reference, struct error *err)
{
    struct registry_target target = target_of(inspection, reference);
    inspection->call =
        registry_get_manifest(inspection->service->registry, &target, false,
                              time_left_ms(inspection), on_manifest, inspection, err);
    return inspection->call != NULL;
}

/* -- the method ----------------------------------------------------------------------------------- */

static bool inspection_begin(struct inspection *inspection,
                             const Eos__Binder__V1__InspectRequest *req, struct error *err)
{
    struct error unknown;
    struct image_context context =
        service_image_context(inspection->service, req->cluster, &unknown);
    inspection->is_platform_given = req->platform[0];
    inspection->platform = platform_host();
    return (!inspection->is_platform_given ||
            platform_parse(slice_of(req->platform), inspection->arena, &inspection->platform,
                           err)) &&
           image_parse(&context, slice_of(req->reference), inspection->arena, &inspection->image,
                       err) &&
           ask_manifest(inspection, inspection->image.version, err);
}

void start_inspect(void *ctx, struct rpc_request *request)
{
    struct inspection *inspection = xcalloc(1, sizeof *inspection);
    struct error err;
    inspection->service = ctx;
    inspection->request = request;
    inspection->arena = rpc_request_arena(request);
    inspection->deadline_at_ms = uv_hrtime() / 1000000 + inspection->service->timeout_ms;
    eos__binder__v1__inspect_response__init(&inspection->response);
    if (inspection_begin(inspection, rpc_request_message(request), &err))
        rpc_request_on_cancel(request, on_cancel, inspection);
    else
        inspection_fail(inspection, &err);
}
