#include "launcher/image_name.h"

#include "launcher/image_config.h"
#include "launcher/image_digest.h"

#define MAX_NAME_BYTES 255

bool image_reference_of(const struct image_request *request, struct arena *arena,
                        struct image_reference *ret_reference, struct error *err)
{
    const char *name = request->name ? request->name : "", *tag = request->tag ? request->tag : "";
    const char *separator = strchr(tag, ':') ? "@" : *tag ? ":" : "";
    struct image_reference reference;
    if (strlen(name) > MAX_NAME_BYTES * 2 || strlen(tag) > MAX_NAME_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "image name is over %d bytes",
                         MAX_NAME_BYTES);
    const char *text = arena_printf(arena, "%s%s%s", name, separator, tag);
    if (!reference_parse(slice_of(text), arena, &reference, err))
        return error_prefix(err, "image name");
    *ret_reference = reference;
    return true;
}

static bool is_dockers(struct slice host)
{
    return host.len == 0 || slice_is(host, "docker.io") || slice_is(host, "index.docker.io") ||
           slice_is(host, "registry-1.docker.io");
}

/* "registry.example.org:5000" of "https://registry.example.org:5000/". */
static struct slice host_of(const char *url)
{
    const char *scheme_end = url ? strstr(url, "://") : NULL;
    struct slice rest = slice_of(scheme_end ? scheme_end + 3 : url ? url : "");
    return slice_split(&rest, '/');
}

const char *image_local_name(const struct image_reference *reference, const char *registry_url,
                             struct arena *arena)
{
    struct slice host = slice_of(reference->host), own = host_of(registry_url);
    struct slice repository = slice_of(reference->repository);
    bool is_own = host.len == 0 || slice_equal(host, own) || (is_dockers(own) && is_dockers(host));
    if (is_own && is_dockers(own) && slice_starts_with(repository, SLICE("library/")))
        repository = (struct slice){ repository.ptr + 8, repository.len - 8 };
    return arena_printf(arena, "%.*s%s%.*s%s%s", SLICE_ARG(is_own ? SLICE("") : host),
                        is_own ? "" : "/", SLICE_ARG(repository), *reference->digest ? "@" : ":",
                        reference_version(reference));
}

bool image_aci_name_of(const struct image_request *request, struct arena *arena,
                       struct image_aci_name *ret_name, struct error *err)
{
    const char *name = request->name ? request->name : "", *id = request->id ? request->id : "";
    if (*id && !image_digest_is(IMAGE_SHA512, slice_of(id)))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "image id is not \"sha512-\" and 128 hexadecimal digits");
    return image_aci_name_parse(slice_of(name), arena, ret_name, err);
}
