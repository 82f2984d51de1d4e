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

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* AppC's identifiers: runs of lower-case letters and digits with one of "-._~/" between. */
static bool check_identifier(const char *name, struct error *err)
{
    size_t len = strlen(name);
    bool may_separate = false;
    for (size_t i = 0; i < len; i++) {
        bool is_separator = strchr("-._~/", name[i]) && may_separate && i + 1 < len;
        if (!is_separator && !is_lower_or_digit(name[i]))
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "image name: byte %zu is not part of lower-case letters and digits "
                             "with one of \"-._~/\" between them",
                             i + 1);
        may_separate = !is_separator;
    }
    if (len == 0 || len > MAX_NAME_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "image name is not of 1 to %d bytes",
                         MAX_NAME_BYTES);
    return true;
}

static bool find_file(const char *prefix, const char *file, struct arena *arena,
                      struct image_aci_place *ret_place, struct error *err)
{
    struct slice p = slice_of(prefix);
    if (slice_starts_with(p, SLICE("http://")) || slice_starts_with(p, SLICE("https://"))) {
        *ret_place = (struct image_aci_place){ .url = arena_printf(arena, "%s%s", prefix, file) };
        return true;
    }
    if (slice_starts_with(p, SLICE("file://")))
        prefix += sizeof "file://" - 1;
    if (*prefix != '/')
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "--appc-simple-discovery-uri-prefix is neither an absolute directory nor "
                         "a file:, http: or https: URL");
    const char *slash = prefix[strlen(prefix) - 1] == '/' ? "" : "/";
    *ret_place =
        (struct image_aci_place){ .path = arena_printf(arena, "%s%s%s", prefix, slash, file) };
    return true;
}

bool image_aci_find(const struct image_request *request, const char *prefix, struct arena *arena,
                    struct image_aci_place *ret_place, struct error *err)
{
    const char *name = request->name ? request->name : "", *id = request->id ? request->id : "";
    if (!check_identifier(name, err))
        return false;
    if (*id && !image_digest_is(IMAGE_SHA512, slice_of(id)))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "image id is not \"sha512-\" and 128 hexadecimal digits");
    if (!prefix || !*prefix)
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "AppC images need --appc-simple-discovery-uri-prefix");
    const char *file = arena_printf(arena, "%s-latest-linux-%s.aci", name, image_appc_architecture);
    return find_file(prefix, file, arena, ret_place, err);
}
