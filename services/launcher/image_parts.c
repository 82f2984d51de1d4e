#include "launcher/image_parts.h"

#include "base/cleanup.h"
#include "launcher/image_writer.h"
#include "registry/digest.h"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

/* A blob that is not what its name says counts as missing, and is fetched again. */
static bool load_blob(struct image_parts *parts, const struct image_directory *directory,
                      const char *digest, struct slice *ret_bytes)
{
    struct error ignored;
    cleanup_text struct text bytes = TEXT_INIT;
    if (!image_directory_read(directory, IMAGE_FOLDER_BLOBS, image_file_name(digest, parts->arena),
                              IMAGE_MAX_CONFIG_BYTES, &bytes, &ignored) ||
        !digest_matches(slice_of(digest), text_string(&bytes), bytes.len))
        return false;
    ret_bytes->ptr = arena_memdup0(parts->arena, text_string(&bytes), bytes.len);
    ret_bytes->len = bytes.len;
    return true;
}

static bool keep_blob(struct image_parts *parts, const struct image_directory *directory,
                      const char *digest, struct slice bytes, struct error *err)
{
    return image_directory_write(directory, IMAGE_FOLDER_BLOBS,
                                 image_file_name(digest, parts->arena), bytes, err);
}

/* A digest may be that of an index, so what it led to is written down. */
static void load_manifest(struct image_parts *parts, const struct image_directory *directory)
{
    struct error ignored;
    cleanup_text struct text digest = TEXT_INIT;
    if (!parts->is_by_digest ||
        !image_directory_read(directory, IMAGE_FOLDER_REFERENCES,
                              image_file_name(parts->target.reference, parts->arena),
                              DIGEST_MAX_LEN, &digest, &ignored) ||
        !digest_check(text_slice(&digest), &ignored) ||
        !load_blob(parts, directory, text_string(&digest), &parts->manifest_bytes))
        return;
    parts->manifest_digest = arena_strdup(parts->arena, text_string(&digest));
    parts->media_type = "";
}

static bool keep_manifest(struct image_parts *parts, const struct image_directory *directory,
                          struct error *err)
{
    if (!keep_blob(parts, directory, parts->manifest_digest, parts->manifest_bytes, err))
        return false;
    return !parts->is_by_digest ||
           image_directory_write(directory, IMAGE_FOLDER_REFERENCES,
                                 image_file_name(parts->target.reference, parts->arena),
                                 slice_of(parts->manifest_digest), err);
}

static bool examine_manifest(struct image_parts *parts, const struct image_directory *directory,
                             struct error *err)
{
    bool is_new = parts->manifest_bytes.ptr;
    if (parts->has_manifest)
        return true;
    if (!is_new)
        load_manifest(parts, directory);
    if (!parts->manifest_bytes.ptr) {
        parts->missing = IMAGE_MISSING_MANIFEST;
        return true;
    }
    parts->has_manifest = image_manifest_parse(parts->manifest_bytes, parts->media_type,
                                               parts->arena, &parts->manifest, err) &&
                          (!is_new || keep_manifest(parts, directory, err));
    return parts->has_manifest;
}

static bool examine_config(struct image_parts *parts, const struct image_directory *directory,
                           struct error *err)
{
    const char *digest = parts->manifest.config.digest;
    bool is_new = parts->config_bytes.ptr;
    if (parts->has_config)
        return true;
    if (!is_new && !load_blob(parts, directory, digest, &parts->config_bytes)) {
        parts->missing = IMAGE_MISSING_CONFIG;
        return true;
    }
    parts->has_config = image_config_parse(parts->config_bytes, parts->manifest.layer_count,
                                           parts->arena, &parts->config, err) &&
                        (!is_new || keep_blob(parts, directory, digest, parts->config_bytes, err));
    return parts->has_config;
}

static bool is_opaque(const struct image_directory *directory, const char *name)
{
    cleanup_close int fd = openat(directory->folder_fds[IMAGE_FOLDER_LAYERS], name,
                                  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    char value;
    return fd >= 0 && fgetxattr(fd, IMAGE_OPAQUE_XATTR, &value, 1) == 1 && value == 'y';
}

static bool has_above(const struct image_config *config, size_t layer)
{
    for (size_t i = layer + 1; i < config->diff_id_count; i++)
        if (strcmp(config->diff_ids[i], config->diff_ids[layer]) == 0)
            return true;
    return false;
}

static struct image_need need_of(struct image_parts *parts, size_t layer)
{
    const char *diff_id = parts->config.diff_ids[layer];
    struct registry_target target = parts->target;
    target.urls = parts->manifest.layers[layer].urls;
    target.url_count = parts->manifest.layers[layer].url_count;
    return (struct image_need){
        .kind = IMAGE_DOCKER,
        .key = diff_id,
        .digest = diff_id,
        .target = target,
        .blob_digest = parts->manifest.layers[layer].digest,
        .blob_size = parts->manifest.layers[layer].size,
    };
}

static void find_needs(struct image_parts *parts, const struct image_directory *directory)
{
    const struct image_config *config = &parts->config;
    struct image_need *needs = arena_array(parts->arena, config->diff_id_count, sizeof *needs);
    for (size_t i = 0; i < config->diff_id_count; i++)
        if (!has_above(config, i) &&
            !image_directory_has(directory, IMAGE_FOLDER_LAYERS,
                                 image_file_name(config->diff_ids[i], parts->arena)))
            needs[parts->need_count++] = need_of(parts, i);
    parts->needs = needs;
    if (parts->need_count > 0)
        parts->missing = IMAGE_MISSING_ARCHIVES;
}

/* From the top down.  overlayfs takes no directory twice; the lower one of two equal layers has
 * nothing that the upper one does not say again.  And it ignores the mark on a layer's own root that
 * hides all below, so the stack ends there. */
static void stack_layers(struct image_parts *parts, const struct image_directory *directory)
{
    const struct image_config *config = &parts->config;
    const char **paths = arena_array(parts->arena, config->diff_id_count, sizeof *paths);
    size_t first = config->diff_id_count;
    for (size_t i = config->diff_id_count; i-- > 0;) {
        const char *name = image_file_name(config->diff_ids[i], parts->arena);
        if (has_above(config, i))
            continue;
        paths[--first] = arena_printf(parts->arena, "%s/layers/%s", directory->path, name);
        if (is_opaque(directory, name))
            break;
    }
    parts->image.layers = paths + first;
    parts->image.layer_count = config->diff_id_count - first;
}

static void take_settings(struct image_parts *parts, const struct image_settings *settings)
{
    parts->image.environment = settings->environment;
    parts->image.environment_count = settings->environment_count;
    parts->image.working_directory = settings->working_directory;
}

static bool examine_docker(struct image_parts *parts, const struct image_directory *directory,
                           struct error *err)
{
    if (!examine_manifest(parts, directory, err))
        return false;
    if (parts->missing != IMAGE_MISSING_NOTHING)
        return true;
    if (!examine_config(parts, directory, err))
        return false;
    if (parts->missing != IMAGE_MISSING_NOTHING)
        return true;
    find_needs(parts, directory);
    if (parts->missing != IMAGE_MISSING_NOTHING)
        return true;
    stack_layers(parts, directory);
    take_settings(parts, &parts->config.settings);
    parts->image.digest = parts->manifest_digest;
    return true;
}

static bool examine_appc(struct image_parts *parts, const struct image_directory *directory,
                         struct error *err)
{
    if (!image_appc_examine(&parts->appc, directory, err))
        return false;
    parts->needs = parts->appc.needs;
    parts->need_count = parts->appc.need_count;
    parts->image = parts->appc.image;
    if (parts->need_count > 0)
        parts->missing = IMAGE_MISSING_ARCHIVES;
    return true;
}

bool image_parts_examine(struct image_parts *parts, const struct image_directory *directory,
                         struct error *err)
{
    parts->missing = IMAGE_MISSING_NOTHING;
    parts->need_count = 0;
    return parts->kind == IMAGE_APPC ? examine_appc(parts, directory, err)
                                     : examine_docker(parts, directory, err);
}
