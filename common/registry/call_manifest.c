#include "registry/call.h"

#include "registry/manifest.h"

#define MAX_INDEX_DEPTH 3u /* an index in an index in an index */

static bool start_manifest(struct registry_call *call, struct error *err);

static const char *image_of(const struct registry_call *call, const char *reference)
{
    return arena_printf(call->arena, "image %s%s%s", call_source(call)->repository,
                        call_is_digest(reference) ? "@" : ":", reference);
}

/* -- checks --------------------------------------------------------------------------------------- */

/* Sets the digest of the bytes, after having compared it with everything that names it. */
static bool check_manifest(struct registry_call *call, struct slice bytes,
                           char ret_digest[DIGEST_MAX_LEN], struct error *err)
{
    const struct source *source = call_source(call);
    struct slice header = slice_of(fetch_digest_header(call->fetch));
    struct error ignored;

    digest_of(bytes.ptr, bytes.len, ret_digest);
    if (call_is_digest(call->reference) &&
        !digest_matches(slice_of(call->reference), bytes.ptr, bytes.len))
        return error_set(err, ERROR_DATA_LOSS,
                         "registry %s sent wrong bytes for %s: %s was expected", source->base_url,
                         source->repository, call->reference);
    if (header.len > 0 && digest_check(header, &ignored) &&
        !digest_matches(header, bytes.ptr, bytes.len))
        return error_set(err, ERROR_DATA_LOSS,
                         "registry %s says %s for %s:%s, but its bytes have the digest %s",
                         source->base_url, header.ptr, source->repository, call->target.reference,
                         ret_digest);
    if (call->expected_size >= 0 && (uint64_t)call->expected_size != bytes.len)
        return error_set(err, ERROR_DATA_LOSS, "registry %s sent %zu bytes instead of %lld for %s",
                         source->base_url, bytes.len, (long long)call->expected_size,
                         call->reference);
    if (call_is_digest(call->reference))
        memcpy(ret_digest, call->reference, strlen(call->reference) + 1);
    return true;
}

/* -- indexes -------------------------------------------------------------------------------------- */

/* Goes on from an index to the manifest for this machine. */
static bool descend(struct registry_call *call, const struct manifest *index, const char *digest,
                    struct error *err)
{
    const struct platform host = platform_host();
    const struct descriptor *entry;
    if (++call->depth > MAX_INDEX_DEPTH)
        return error_set(err, ERROR_FAILED_PRECONDITION, "the index is nested over %u deep",
                         MAX_INDEX_DEPTH);
    if (!manifest_choose(index, &host, &entry, err))
        return false;
    if (!call->index_digest[0])
        call->index_digest = arena_strdup(call->arena, digest);
    if (entry->has_platform)
        call->platform = platform_format(&entry->platform, call->arena);
    call->reference = entry->digest;
    call->expected_size = entry->size;
    return start_manifest(call, err);
}

static void deliver(struct registry_call *call, const struct registry_manifest *manifest)
{
    struct registry_manifest complete = *manifest;
    complete.platform = call->platform;
    complete.index_digest = call->index_digest;
    complete.authentication = auth_scheme_name(fetch_authentication(call->fetch));
    complete.source = call_source(call)->base_url;
    call->on_manifest(call->user, &complete, NULL);
    call_free(call);
}

/* What the bytes say is the image's fault and not the source's: another has the same. */
static void use_manifest(struct registry_call *call, struct slice bytes, const char *digest)
{
    struct manifest parsed;
    struct error err;
    bool ok = manifest_parse(bytes, slice_of(fetch_content_type(call->fetch)), call->arena, &parsed,
                             &err);
    if (ok && (parsed.kind == MANIFEST_IMAGE || !call->choose_platform)) {
        const struct registry_manifest manifest = {
            .digest = digest,
            .media_type = parsed.media_type,
            .bytes = bytes.ptr,
            .len = bytes.len,
        };
        deliver(call, &manifest);
        return;
    }
    if (ok && descend(call, &parsed, digest, &err))
        return;
    error_prefix(&err, "registry %s: %s", call_source(call)->base_url,
                 image_of(call, call->target.reference));
    if (!ok && call_source(call)->kind == SOURCE_MIRROR)
        call_try_next(call, &err);
    else
        call_fail(call, &err);
}

/* -- fetches -------------------------------------------------------------------------------------- */

static void on_manifest_bytes(void *user, const struct error *fetch_err)
{
    struct registry_call *call = user;
    char digest[DIGEST_MAX_LEN];
    struct error err;

    if (fetch_err) {
        call_try_next(call, fetch_err);
        return;
    }
    struct slice bytes = fetch_body(call->fetch);
    if (check_manifest(call, bytes, digest, &err))
        use_manifest(call, bytes, digest);
    else
        call_try_next(call, &err);
}

static struct fetch_request manifest_request(struct registry_call *call)
{
    struct fetch_request request = call_request(call);
    request.path = arena_printf(call->arena, "manifests/%s", call->reference);
    request.accept = MANIFEST_ACCEPT;
    request.what = image_of(call, call->reference);
    request.deadline_ms = call_part_of_time_ms(call);
    return request;
}

static bool get(struct registry_call *call, struct error *err)
{
    struct fetch_request request = manifest_request(call);
    request.collect_max = MANIFEST_MAX_BYTES;
    request.on_done = on_manifest_bytes;
    return call_fetch(call, &request, err);
}

static const enum error_code final_codes[] = {
    ERROR_UNAVAILABLE,     ERROR_DEADLINE_EXCEEDED, ERROR_RESOURCE_EXHAUSTED,
    ERROR_UNAUTHENTICATED, ERROR_PERMISSION_DENIED,
};

/* Some registries do not know HEAD, and some leave the digest out: then it is a GET after all. */
static bool needs_get(const struct registry_call *call, const struct error *err)
{
    for (size_t i = 0; err && i < sizeof final_codes / sizeof final_codes[0]; i++)
        if (err->code == final_codes[i])
            return false;
    return err || strcmp(fetch_digest_header(call->fetch), call->known_digest) != 0;
}

static void on_head(void *user, const struct error *fetch_err)
{
    struct registry_call *call = user;
    struct error err;
    if (!needs_get(call, fetch_err)) {
        const struct registry_manifest unchanged = { .digest = call->known_digest,
                                                     .media_type = "",
                                                     .bytes = "" };
        if (fetch_err)
            call_try_next(call, fetch_err);
        else
            deliver(call, &unchanged);
    } else if (!get(call, &err)) {
        call_try_next(call, &err);
    }
}

static bool head(struct registry_call *call, struct error *err)
{
    struct fetch_request request = manifest_request(call);
    request.is_head = true;
    request.on_done = on_head;
    return call_fetch(call, &request, err);
}

/* What was found in an index is looked for at the source that had the index. */
static bool start_manifest(struct registry_call *call, struct error *err)
{
    return call->known_digest ? head(call, err) : get(call, err);
}

/* -- the interface -------------------------------------------------------------------------------- */

static struct registry_call *manifest_call_new(struct registry_client *client,
                                               const struct registry_target *target,
                                               uint32_t deadline_ms, registry_manifest_fn *done,
                                               void *user, struct error *err)
{
    struct slice reference = slice_of(target->reference);
    struct registry_call *call = call_new(client, target, deadline_ms, user, err);
    if (!call)
        return NULL;
    if (!(call_is_digest(target->reference) ? digest_check : tag_check)(reference, err)) {
        error_prefix(err, "image %s", target->repository);
        call_free(call);
        return NULL;
    }
    call->on_manifest = done;
    call->reference = call->target.reference;
    call->platform = call->index_digest = "";
    call->start = start_manifest;
    return call;
}

static struct registry_call *begin(struct registry_call *call, struct error *err)
{
    if (!call || call_begin(call, err))
        return call;
    call_free(call);
    return NULL;
}

struct registry_call *registry_get_manifest(struct registry_client *client,
                                            const struct registry_target *target,
                                            bool choose_platform, uint32_t deadline_ms,
                                            registry_manifest_fn *done, void *user,
                                            struct error *err)
{
    struct registry_call *call = manifest_call_new(client, target, deadline_ms, done, user, err);
    if (call)
        call->choose_platform = choose_platform;
    return begin(call, err);
}

struct registry_call *registry_check_manifest(struct registry_client *client,
                                              const struct registry_target *target,
                                              const char *known_digest, uint32_t deadline_ms,
                                              registry_manifest_fn *done, void *user,
                                              struct error *err)
{
    struct registry_call *call = manifest_call_new(client, target, deadline_ms, done, user, err);
    if (call)
        call->known_digest = arena_strdup(call->arena, known_digest);
    return begin(call, err);
}
