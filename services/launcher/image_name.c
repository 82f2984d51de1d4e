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

bool image_aci_name_of(const struct image_request *request, struct arena *arena,
                       struct image_aci_name *ret_name, struct error *err)
{
    const char *name = request->name ? request->name : "", *id = request->id ? request->id : "";
    if (*id && !image_digest_is(IMAGE_SHA512, slice_of(id)))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "image id is not \"sha512-\" and 128 hexadecimal digits");
    return image_aci_name_parse(slice_of(name), arena, ret_name, err);
}
