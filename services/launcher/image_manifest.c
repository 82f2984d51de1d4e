#include "launcher/image_manifest.h"

#include "launcher/image_limits.h"
#include "launcher/image_path.h"

#include "plan/limits.h"

#define DOCKER "application/vnd.docker.image.rootfs."
#define OCI    "application/vnd.oci.image.layer."

/* How a layer is compressed is seen in its first bytes, so these names only say that it is a tar. */
static const char *const layer_types[] = {
    DOCKER "diff.tar",
    DOCKER "diff.tar.gzip",
    DOCKER "diff.tar.zstd",
    DOCKER "foreign.diff.tar",
    DOCKER "foreign.diff.tar.gzip",
    OCI "v1.tar",
    OCI "v1.tar+gzip",
    OCI "v1.tar+zstd",
    OCI "nondistributable.v1.tar",
    OCI "nondistributable.v1.tar+gzip",
    OCI "nondistributable.v1.tar+zstd",
};

static bool is_layer_type(const char *type)
{
    for (size_t i = 0; i < sizeof layer_types / sizeof layer_types[0]; i++)
        if (strcmp(layer_types[i], type) == 0)
            return true;
    return false;
}

static bool check_layer(const struct descriptor *layer, struct error *err)
{
    char shown[IMAGE_SHOWN_BYTES];
    if (!is_layer_type(layer->media_type))
        return error_set(err, ERROR_UNIMPLEMENTED,
                         "it has media type \"%s\", which is no layer that can be unpacked",
                         image_show(layer->media_type, shown));
    if (layer->size > IMAGE_MAX_BLOB_BYTES)
        return error_set(err, ERROR_OUT_OF_RANGE, "it has %lld bytes, more than %lld",
                         (long long)layer->size, IMAGE_MAX_BLOB_BYTES);
    return true;
}

static bool check_layers(const struct manifest *manifest, struct error *err)
{
    if (manifest->layer_count == 0)
        return error_set(err, ERROR_FAILED_PRECONDITION, "the image has no layers");
    if (manifest->layer_count > PLAN_MAX_LAYERS)
        return error_set(err, ERROR_OUT_OF_RANGE, "the image has %zu layers, more than %u",
                         manifest->layer_count, PLAN_MAX_LAYERS);
    for (size_t i = 0; i < manifest->layer_count; i++)
        if (!check_layer(&manifest->layers[i], err))
            return error_prefix(err, "layer %zu of the manifest", i + 1);
    return true;
}

bool image_manifest_parse(struct slice json, const char *media_type, struct arena *arena,
                          struct manifest *ret_manifest, struct error *err)
{
    struct manifest manifest = { 0 };
    if (!manifest_parse(json, slice_of(media_type), arena, &manifest, err))
        return false;
    if (manifest.kind != MANIFEST_IMAGE)
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "the manifest is an index of several images");
    if (manifest.config.size > IMAGE_MAX_CONFIG_BYTES)
        return error_set(err, ERROR_OUT_OF_RANGE, "the config has %lld bytes, more than %u",
                         (long long)manifest.config.size, IMAGE_MAX_CONFIG_BYTES);
    if (!check_layers(&manifest, err))
        return false;
    *ret_manifest = manifest;
    return true;
}
