#include "registry/manifest.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "registry/digest.h"

#include <jansson.h>
#include <string.h>

#define MAX_STRING_BYTES 1024
#define MAX_BLOB_BYTES   (1ll << 40)

static const struct media_type {
    const char *name;
    enum manifest_kind kind;
    bool is_old; /* schema 1 */
} media_types[] = {
    { "application/vnd.docker.distribution.manifest.v2+json", MANIFEST_IMAGE, false },
    { "application/vnd.oci.image.manifest.v1+json", MANIFEST_IMAGE, false },
    { "application/vnd.docker.distribution.manifest.list.v2+json", MANIFEST_INDEX, false },
    { "application/vnd.oci.image.index.v1+json", MANIFEST_INDEX, false },
    { "application/vnd.docker.distribution.manifest.v1+json", MANIFEST_IMAGE, true },
    { "application/vnd.docker.distribution.manifest.v1+prettyjws", MANIFEST_IMAGE, true },
};

static const char *const config_types[] = {
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.oci.image.config.v1+json",
};

static const struct media_type *media_type_find(struct slice name)
{
    for (size_t i = 0; i < sizeof media_types / sizeof media_types[0]; i++)
        if (slice_is(name, media_types[i].name))
            return &media_types[i];
    return NULL;
}

static bool check_string(const json_t *value, const char *name, struct error *err)
{
    if (!json_is_string(value) || json_string_length(value) > MAX_STRING_BYTES)
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "\"%s\" of the manifest is no string of up to %d bytes", name,
                         MAX_STRING_BYTES);
    for (const char *c = json_string_value(value); *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            return error_set(err, ERROR_FAILED_PRECONDITION,
                             "\"%s\" of the manifest has a control character", name);
    return true;
}

/* "" when absent; false when it is no string, too long, or has control characters. */
static bool read_string(const json_t *object, const char *name, struct arena *arena,
                        const char **ret_value, struct error *err)
{
    const json_t *value = json_object_get(object, name);
    bool is_absent = !value || json_is_null(value);
    if (!is_absent && !check_string(value, name, err))
        return false;
    *ret_value = is_absent ? "" : arena_strdup(arena, json_string_value(value));
    return true;
}

static bool read_urls(const json_t *object, struct arena *arena, struct descriptor *descriptor,
                      struct error *err)
{
    const json_t *list = json_object_get(object, "urls");
    if (!list || json_is_null(list))
        return true;
    if (!json_is_array(list))
        return error_set(err, ERROR_FAILED_PRECONDITION, "\"urls\" of a descriptor is no list");
    size_t count = json_array_size(list);
    count = count < MANIFEST_MAX_URLS ? count : MANIFEST_MAX_URLS;
    const char **urls = arena_array(arena, count, sizeof *urls);
    for (size_t i = 0; i < count; i++) {
        const json_t *url = json_array_get(list, i);
        if (!check_string(url, "urls", err))
            return false;
        urls[i] = arena_strdup(arena, json_string_value(url));
    }
    descriptor->urls = urls;
    descriptor->url_count = count;
    return true;
}

static bool read_platform(const json_t *object, struct arena *arena, struct descriptor *descriptor,
                          struct error *err)
{
    const json_t *platform = json_object_get(object, "platform");
    struct platform *to = &descriptor->platform;
    *to = (struct platform){ "", "", "" };
    if (!platform || json_is_null(platform))
        return true;
    if (!json_is_object(platform))
        return error_set(err, ERROR_FAILED_PRECONDITION, "\"platform\" of an entry is no object");
    descriptor->has_platform = true;
    return read_string(platform, "os", arena, &to->os, err) &&
           read_string(platform, "architecture", arena, &to->architecture, err) &&
           read_string(platform, "variant", arena, &to->variant, err);
}

/* BuildKit hangs them beside the images: no platform, and a note of what they are about. */
static bool is_attestation(const json_t *object, const struct descriptor *descriptor)
{
    const json_t *annotations = json_object_get(object, "annotations");
    return (descriptor->has_platform && strcmp(descriptor->platform.os, "unknown") == 0) ||
           json_object_get(annotations, "vnd.docker.reference.type");
}

static bool read_descriptor(const json_t *object, struct arena *arena,
                            struct descriptor *ret_descriptor, struct error *err)
{
    struct descriptor descriptor = { 0 };
    if (!json_is_object(object))
        return error_set(err, ERROR_FAILED_PRECONDITION, "a descriptor is no object");
    if (!read_string(object, "mediaType", arena, &descriptor.media_type, err) ||
        !read_string(object, "digest", arena, &descriptor.digest, err) ||
        !read_urls(object, arena, &descriptor, err) ||
        !read_platform(object, arena, &descriptor, err))
        return false;
    if (!digest_check(slice_of(descriptor.digest), err)) {
        err->code = ERROR_FAILED_PRECONDITION;
        return error_prefix(err, "a descriptor of the manifest");
    }
    const json_t *size = json_object_get(object, "size");
    if (!json_is_integer(size) || json_integer_value(size) < 0 ||
        json_integer_value(size) > MAX_BLOB_BYTES)
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "\"size\" of a descriptor is no number from 0 to %lld", MAX_BLOB_BYTES);
    descriptor.size = json_integer_value(size);
    descriptor.is_attestation = is_attestation(object, &descriptor);
    *ret_descriptor = descriptor;
    return true;
}

static bool read_descriptors(const json_t *root, const char *name, size_t most, struct arena *arena,
                             const struct descriptor **ret_items, size_t *ret_count,
                             struct error *err)
{
    const json_t *array = json_object_get(root, name);
    if (!json_is_array(array))
        return error_set(err, ERROR_FAILED_PRECONDITION, "\"%s\" of the manifest is no list", name);
    size_t count = json_array_size(array);
    if (count > most)
        return error_set(err, ERROR_FAILED_PRECONDITION, "the manifest has over %zu %s", most,
                         name);
    struct descriptor *items = arena_array(arena, count, sizeof *items);
    for (size_t i = 0; i < count; i++)
        if (!read_descriptor(json_array_get(array, i), arena, &items[i], err))
            return error_prefix(err, "\"%s\" entry %zu", name, i + 1);
    *ret_items = items;
    *ret_count = count;
    return true;
}

static bool is_config_type(const char *name)
{
    for (size_t i = 0; i < sizeof config_types / sizeof config_types[0]; i++)
        if (strcmp(name, config_types[i]) == 0)
            return true;
    return false;
}

static bool read_image(const json_t *root, struct arena *arena, struct manifest *manifest,
                       struct error *err)
{
    if (json_object_get(root, "manifests"))
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "the manifest is both an image and an index");
    if (!json_object_get(root, "config"))
        return error_set(err, ERROR_FAILED_PRECONDITION, "the manifest has no \"config\"");
    if (!read_descriptor(json_object_get(root, "config"), arena, &manifest->config, err))
        return error_prefix(err, "\"config\"");
    if (!is_config_type(manifest->config.media_type))
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "the manifest is of an artifact and not of an image that can run");
    return read_descriptors(root, "layers", MANIFEST_MAX_LAYERS, arena, &manifest->layers,
                            &manifest->layer_count, err);
}

static bool read_index(const json_t *root, struct arena *arena, struct manifest *manifest,
                       struct error *err)
{
    if (json_object_get(root, "layers") || json_object_get(root, "config"))
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "the manifest is both an image and an index");
    return read_descriptors(root, "manifests", MANIFEST_MAX_ENTRIES, arena, &manifest->entries,
                            &manifest->entry_count, err);
}

/* "application/json; charset=utf-8" without its parameters. */
static struct slice without_parameters(struct slice content_type)
{
    struct slice rest = content_type;
    return rest.len > 0 ? slice_trim(slice_split(&rest, ';')) : rest;
}

/* The document's own word must agree with the header, which some servers leave general. */
static bool find_type(const json_t *root, struct slice header, struct arena *arena,
                      const struct media_type **ret_type, struct error *err)
{
    const char *own;
    if (!read_string(root, "mediaType", arena, &own, err))
        return false;
    const struct media_type *by_header = media_type_find(header);
    const struct media_type *by_own = media_type_find(slice_of(own));
    if (own[0] && by_header && by_own != by_header)
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "the manifest's mediaType is not that of the Content-Type header");
    const struct media_type *type = by_header ? by_header : by_own;
    if (!type && !own[0] && json_object_get(root, "manifests"))
        type = media_type_find(SLICE("application/vnd.oci.image.index.v1+json"));
    if (!type && !own[0] && json_object_get(root, "config"))
        type = media_type_find(SLICE("application/vnd.oci.image.manifest.v1+json"));
    if ((type && type->is_old) ||
        (!type && json_integer_value(json_object_get(root, "schemaVersion")) == 1))
        return error_set(err, ERROR_UNIMPLEMENTED,
                         "the image has a manifest of Docker's schema 1, which is not supported: "
                         "push it again with a newer tool");
    if (!type)
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "the answer is no manifest of an image or index");
    *ret_type = type;
    return true;
}

bool manifest_parse(struct slice bytes, struct slice content_type, struct arena *arena,
                    struct manifest *ret_manifest, struct error *err)
{
    const struct media_type *type = NULL;
    struct manifest manifest = { 0 };

    if (bytes.len > MANIFEST_MAX_BYTES)
        return error_set(err, ERROR_FAILED_PRECONDITION, "the manifest is over %u bytes",
                         MANIFEST_MAX_BYTES);
    CLEANUP(json_decrefp)
    json_t *root = json_loadb(bytes.ptr ? bytes.ptr : "", bytes.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(root))
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "the answer is no manifest but something that is not a JSON object");
    if (!find_type(root, without_parameters(content_type), arena, &type, err))
        return false;
    if (json_integer_value(json_object_get(root, "schemaVersion")) != 2)
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "\"schemaVersion\" of the manifest is not 2");
    manifest.kind = type->kind;
    manifest.media_type = type->name;
    if (!(type->kind == MANIFEST_IMAGE ? read_image : read_index)(root, arena, &manifest, err))
        return false;
    *ret_manifest = manifest;
    return true;
}

char *platform_format(const struct platform *platform, struct arena *arena)
{
    return arena_printf(arena, "%s/%s%s%s", platform->os, platform->architecture,
                        platform->variant[0] ? "/" : "", platform->variant);
}

char *manifest_platforms(const struct manifest *index, struct arena *arena)
{
    struct text text = TEXT_INIT;
    for (size_t i = 0; i < index->entry_count; i++) {
        const struct descriptor *entry = &index->entries[i];
        if (entry->is_attestation || !entry->has_platform)
            continue;
        if (text.len > 0)
            text_add_char(&text, ',');
        text_add(&text, platform_format(&entry->platform, arena));
    }
    char *copy = arena_strdup(arena, text_string(&text));
    text_done(&text);
    return copy;
}

static size_t count_images(const struct manifest *index, const struct descriptor **ret_last)
{
    size_t count = 0;
    for (size_t i = 0; i < index->entry_count; i++)
        if (!index->entries[i].is_attestation) {
            *ret_last = &index->entries[i];
            count++;
        }
    return count;
}

static bool no_platform(const struct manifest *index, const struct platform *host,
                        struct error *err)
{
    struct arena *arena = arena_new();
    error_set(err, ERROR_NOT_FOUND, "the image is not there for %s, only for %s",
              platform_format(host, arena), manifest_platforms(index, arena));
    arena_free(arena);
    return false;
}

bool manifest_choose(const struct manifest *index, const struct platform *host,
                     const struct descriptor **ret_entry, struct error *err)
{
    const struct descriptor *best = NULL, *last = NULL;
    unsigned best_fit = 0;

    size_t count = count_images(index, &last);
    if (count == 0)
        return error_set(err, ERROR_NOT_FOUND, "the index has no image");
    if (count == 1 && !last->has_platform)
        best = last;
    for (size_t i = 0; i < index->entry_count; i++) {
        const struct descriptor *entry = &index->entries[i];
        if (entry->is_attestation || !entry->has_platform)
            continue;
        unsigned fit = platform_fit(&entry->platform, host);
        if (fit > best_fit) {
            best = entry;
            best_fit = fit;
        }
    }
    if (!best)
        return no_platform(index, host, err);
    *ret_entry = best;
    return true;
}
