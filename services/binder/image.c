#include "binder/image.h"

#include "binder/template.h"
#include "registry/reference.h"

#include <assert.h>

struct finding finding_copy(const struct finding *finding, struct arena *arena)
{
    struct finding copy = *finding;
    copy.digest = arena_strdup(arena, finding->digest);
    copy.media_type = arena_strdup(arena, finding->media_type);
    copy.platforms = arena_strdup(arena, finding->platforms);
    copy.authentication = arena_strdup(arena, finding->authentication);
    copy.signed_by = arena_strdup(arena, finding->signed_by);
    copy.signing_key_id = arena_strdup(arena, finding->signing_key_id);
    return copy;
}

/* Shown only when it has no byte that could disturb. */
static const char *shown(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < ' ' || text.ptr[i] > '~')
            return NULL;
    return text.len <= 100 ? text.ptr : NULL;
}

static bool wrong_reference(struct slice text, struct error *err)
{
    if (shown(text))
        return error_prefix(err, "image \"%.*s\"", SLICE_ARG(text));
    return error_prefix(err, "an image reference");
}

static bool check_context(const struct image_context *context, struct error *err)
{
    if (context->registry_url)
        return true;
    *err = *context->unknown;
    return false;
}

/* The host that is written in front of images of a registry; "" for Docker's own. */
static const char *host_prefix(const char *base_url, struct arena *arena)
{
    struct origin origin;
    struct error ignored;
    if (strcmp(base_url, REGISTRY_DEFAULT_URL) == 0)
        return "";
    if (!origin_parse(slice_of(base_url), &origin, &ignored))
        return "";
    return arena_printf(arena, "%.*s/", SLICE_ARG(origin.authority));
}

bool image_from_template(const struct image_context *context, struct slice whole, struct slice name,
                         struct slice tag, struct arena *arena, struct image *ret_image,
                         struct error *err)
{
    struct endpoint endpoint;
    if (!repository_check(name, err)) {
        error_prefix(err, "in its name");
        return wrong_reference(whole, err);
    }
    if (!tag_check(tag, err)) {
        error_prefix(err, "in its tag");
        return wrong_reference(whole, err);
    }
    if (!check_context(context, err))
        return false;
    struct image_reference reference = {
        .host = "",
        .repository = arena_memdup0(arena, name.ptr, name.len),
        .tag = arena_memdup0(arena, tag.ptr, tag.len),
        .digest = "",
    };
    endpoint_find(&reference, context->registry_url, context->insecure, arena, &endpoint);
    *ret_image = (struct image){
        .reference = arena_memdup0(arena, whole.ptr, whole.len),
        .base_url = endpoint.base_url,
        .mirrors = context->mirrors,
        .repository = reference.repository, /* without the "library/" that others would add */
        .version = reference.tag,
        .resolved_name = arena_printf(arena, "%s%s", host_prefix(endpoint.base_url, arena),
                                      reference.repository),
        .rule = policy_find(context->policy, endpoint.base_url, reference.repository),
    };
    return true;
}

static const char *written_name(const struct image_reference *reference, struct arena *arena)
{
    return arena_printf(arena, "%s%s%s", reference->host, reference->host[0] ? "/" : "",
                        reference->repository);
}

static bool find_image(const struct image_context *context, const char *default_url,
                       struct slice text, struct arena *arena, struct image *ret_image,
                       struct error *err)
{
    struct image_reference reference;
    struct endpoint endpoint;
    if (!reference_parse(text, arena, &reference, err))
        return wrong_reference(text, err);
    endpoint_find(&reference, default_url, context->insecure, arena, &endpoint);
    *ret_image = (struct image){
        .reference = arena_memdup0(arena, text.ptr, text.len),
        .base_url = endpoint.base_url,
        .mirrors = context->mirrors,
        .repository = endpoint.repository,
        .version = reference_version(&reference),
        .resolved_name = written_name(&reference, arena),
        .rule = policy_find(context->policy, endpoint.base_url, endpoint.repository),
    };
    return true;
}

static bool has_host(struct slice text, struct arena *arena)
{
    struct image_reference reference;
    struct error ignored;
    return reference_parse(text, arena, &reference, &ignored) && reference.host[0];
}

bool image_from_reference(const struct image_context *context, struct slice text,
                          struct arena *arena, struct image *ret_image, struct error *err)
{
    bool is_elsewhere = has_host(text, arena);
    const char *default_url = context->registry_url ? context->registry_url : REGISTRY_DEFAULT_URL;
    struct image image;
    if (!find_image(context, default_url, text, arena, &image, err) ||
        (!is_elsewhere && !check_context(context, err)))
        return false;
    if (!is_elsewhere)
        image.resolved_name =
            arena_printf(arena, "%s%s", host_prefix(image.base_url, arena), image.resolved_name);
    *ret_image = image;
    return true;
}

bool image_from_engine_reference(const struct image_context *context, struct slice text,
                                 struct arena *arena, struct image *ret_image, struct error *err)
{
    const char *default_url = context->registry_url ? context->registry_url : REGISTRY_DEFAULT_URL;
    if (!has_host(text, arena))
        default_url = REGISTRY_DEFAULT_URL;
    return find_image(context, default_url, text, arena, ret_image, err);
}

bool image_parse(const struct image_context *context, struct slice text, struct arena *arena,
                 struct image *ret_image, struct error *err)
{
    struct image_template template;
    if (template_is(text, &template))
        return image_from_template(context, template.whole, template.name, template.tag, arena,
                                   ret_image, err);
    if (slice_starts_with(text, slice_of("{{"))) {
        error_set(err, ERROR_INVALID_ARGUMENT, "expected {{docker.image[NAME][TAG]}}");
        return wrong_reference(text, err);
    }
    return image_from_reference(context, text, arena, ret_image, err);
}

char *image_resolved(const struct image *image, struct arena *arena)
{
    assert(image->finding.digest);
    return arena_printf(arena, "%s@%s", image->resolved_name, image->finding.digest);
}
