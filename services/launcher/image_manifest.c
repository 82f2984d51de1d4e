#include "launcher/image_manifest.h"

#include "launcher/image_digest.h"
#include "launcher/image_json.h"
#include "launcher/image_limits.h"
#include "launcher/image_path.h"

#define DOCKER "application/vnd.docker."
#define OCI    "application/vnd.oci.image."

static const char *const manifest_types[] = {
    DOCKER "distribution.manifest.v2+json",
    OCI "manifest.v1+json",
    NULL,
};

static const char *const config_types[] = {
    DOCKER "container.image.v1+json",
    OCI "config.v1+json",
    NULL,
};

/* How a layer is compressed is seen in its first bytes, so these names only say that it is a tar. */
static const char *const layer_types[] = {
    DOCKER "image.rootfs.diff.tar",
    DOCKER "image.rootfs.diff.tar.gzip",
    DOCKER "image.rootfs.diff.tar.zstd",
    DOCKER "image.rootfs.foreign.diff.tar",
    DOCKER "image.rootfs.foreign.diff.tar.gzip",
    OCI "layer.v1.tar",
    OCI "layer.v1.tar+gzip",
    OCI "layer.v1.tar+zstd",
    OCI "layer.nondistributable.v1.tar",
    OCI "layer.nondistributable.v1.tar+gzip",
    OCI "layer.nondistributable.v1.tar+zstd",
    NULL,
};

static bool is_one_of(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static bool check_type(const char *what, const char *const *known, const char *type,
                       struct error *err)
{
    char shown[IMAGE_SHOWN_BYTES];
    if (is_one_of(known, type))
        return true;
    if (!*type)
        return error_set(err, ERROR_INVALID_ARGUMENT, "%s has no media type", what);
    return error_set(err, ERROR_UNIMPLEMENTED, "%s has media type \"%s\", which cannot be run",
                     what, image_show(type, shown));
}

/* A document that two readers could take for different kinds is refused (CVE-2021-41190). */
static bool check_kind(const json_t *manifest, const char *media_type, struct error *err)
{
    const char *own = "";
    if (!image_json_string(manifest, "mediaType", &own, err))
        return false;
    if (*own && *media_type && strcmp(own, media_type) != 0)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "the manifest calls itself another media type than the registry");
    if (json_integer_value(json_object_get(manifest, "schemaVersion")) != 2)
        return error_set(err, ERROR_UNIMPLEMENTED, "the manifest is not of schema version 2");
    if (json_object_get(manifest, "manifests"))
        return error_set(err, ERROR_INVALID_ARGUMENT, "the manifest is an index as well");
    if (!*own && !*media_type)
        return true; /* OCI does not insist */
    return check_type("the manifest", manifest_types, *own ? own : media_type, err);
}

static bool read_blob(const json_t *descriptor, int64_t max_bytes, struct arena *arena,
                      struct image_blob *ret_blob, struct error *err)
{
    const char *digest = "";
    if (!image_json_string(descriptor, "digest", &digest, err))
        return false;
    if (!image_digest_is(IMAGE_SHA256, slice_of(digest)))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "the digest is not \"sha256:\" and 64 hexadecimal digits");

    const json_t *size = json_object_get(descriptor, "size");
    if (!json_is_integer(size) || json_integer_value(size) < 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "the size is not a number of bytes");
    if (json_integer_value(size) > max_bytes)
        return error_set(err, ERROR_OUT_OF_RANGE, "the size is over %lld bytes",
                         (long long)max_bytes);
    *ret_blob = (struct image_blob){ arena_strdup(arena, digest), json_integer_value(size) };
    return true;
}

static bool read_config(const json_t *manifest, struct arena *arena, struct image_blob *ret_config,
                        struct error *err)
{
    const json_t *config = NULL;
    const char *type = "";
    if (!image_json_object(manifest, "config", &config, err))
        return false;
    if (!config)
        return error_set(err, ERROR_INVALID_ARGUMENT, "the manifest has no config");
    if (!image_json_string(config, "mediaType", &type, err) ||
        !check_type("the config", config_types, type, err))
        return false;
    return read_blob(config, IMAGE_MAX_CONFIG_BYTES, arena, ret_config, err) ||
           error_prefix(err, "the config");
}

static bool read_layer(const json_t *layer, struct arena *arena, struct image_blob *ret_blob,
                       struct error *err)
{
    const char *type = "";
    if (!json_is_object(layer))
        return error_set(err, ERROR_INVALID_ARGUMENT, "it is not an object");
    return image_json_string(layer, "mediaType", &type, err) &&
           check_type("it", layer_types, type, err) &&
           read_blob(layer, IMAGE_MAX_BLOB_BYTES, arena, ret_blob, err);
}

static bool read_layers(const json_t *manifest, struct arena *arena, struct image_manifest *result,
                        struct error *err)
{
    const json_t *layers = NULL;
    if (!image_json_array(manifest, "layers", &layers, err))
        return false;
    size_t count = json_array_size(layers);
    if (count == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "the image has no layers");
    if (count > IMAGE_MAX_LAYERS)
        return error_set(err, ERROR_OUT_OF_RANGE, "the image has %zu layers, more than %d", count,
                         IMAGE_MAX_LAYERS);

    struct image_blob *blobs = arena_array(arena, count, sizeof *blobs);
    for (size_t i = 0; i < count; i++)
        if (!read_layer(json_array_get(layers, i), arena, &blobs[i], err))
            return error_prefix(err, "layer %zu of the manifest", i + 1);
    result->layers = blobs;
    result->layer_count = count;
    return true;
}

bool image_manifest_parse(struct slice json, const char *media_type, struct arena *arena,
                          struct image_manifest *ret_manifest, struct error *err)
{
    cleanup_json json_t *manifest = NULL;
    struct image_manifest result = { 0 };
    if (!image_json_parse(json, IMAGE_MAX_MANIFEST_BYTES, &manifest, err))
        return error_prefix(err, "the manifest cannot be read");
    if (!check_kind(manifest, media_type, err) ||
        !read_config(manifest, arena, &result.config, err) ||
        !read_layers(manifest, arena, &result, err))
        return false;
    *ret_manifest = result;
    return true;
}
