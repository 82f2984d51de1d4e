#include "launcher/image_parts.h"

#include "base/cleanup.h"
#include "io/wall_clock.h"
#include "launcher/image_index.h"
#include "launcher/image_writer.h"
#include "registry/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

/* From now on until the pull has ended it is not removed. */
static const char *pin(const struct image_parts *parts, const struct image_directory *directory,
                       enum image_folder folder, const char *digest)
{
    const char *name = image_file_name(digest, parts->arena);
    image_pins_add(directory->pins, parts->owner, (int)folder, name);
    return name;
}

/* A blob that is not what its name says counts as missing, and is fetched again. */
static bool load_from(const struct image_parts *parts, const struct image_directory *directory,
                      enum image_folder folder, const char *digest, struct slice *ret_bytes)
{
    struct error ignored;
    cleanup_text struct text bytes = TEXT_INIT;
    if (!image_directory_read(directory, folder, pin(parts, directory, folder, digest),
                              IMAGE_MAX_CONFIG_BYTES, &bytes, &ignored) ||
        !digest_matches(slice_of(digest), text_string(&bytes), bytes.len))
        return false;
    ret_bytes->ptr = arena_memdup0(parts->arena, text_string(&bytes), bytes.len);
    ret_bytes->len = bytes.len;
    return true;
}

static bool load_blob(const struct image_parts *parts, const struct image_directory *directory,
                      const char *digest, struct slice *ret_bytes)
{
    return load_from(parts, directory, IMAGE_FOLDER_BLOBS, digest, ret_bytes);
}

static bool keep_blob(struct image_parts *parts, const struct image_directory *directory,
                      const char *digest, struct slice bytes, struct error *err)
{
    return image_directory_write(directory, IMAGE_FOLDER_BLOBS,
                                 image_file_name(digest, parts->arena), bytes, err);
}

static bool load_manifest_of(struct image_parts *parts, const struct image_directory *directory,
                             const char *digest)
{
    if (!load_blob(parts, directory, digest, &parts->manifest_bytes))
        return false;
    parts->manifest_digest = arena_strdup(parts->arena, digest);
    parts->media_type = "";
    return true;
}

/* A digest may be that of an index, so what it led to is written down. */
static bool load_by_digest(struct image_parts *parts, const struct image_directory *directory)
{
    struct error ignored;
    cleanup_text struct text digest = TEXT_INIT;
    const char *wanted = parts->target.reference;
    if (image_directory_read(directory, IMAGE_FOLDER_REFERENCES,
                             pin(parts, directory, IMAGE_FOLDER_REFERENCES, wanted), DIGEST_MAX_LEN,
                             &digest, &ignored) &&
        digest_check(text_slice(&digest), &ignored) &&
        load_manifest_of(parts, directory, text_string(&digest)))
        return true;
    return load_manifest_of(parts, directory, wanted);
}

/* The name of an image that was imported here leads to it, whatever a registry has. */
static void load_imported(struct image_parts *parts, const struct image_directory *directory)
{
    const char *digest = image_index_imported(directory, parts->local_name, parts->arena);
    parts->is_local = digest && load_manifest_of(parts, directory, digest);
}

static void load_manifest(struct image_parts *parts, const struct image_directory *directory)
{
    if (parts->is_by_digest)
        (void)load_by_digest(parts, directory);
    else if (!parts->is_fresh)
        load_imported(parts, directory);
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
    image_pins_add(directory->pins, parts->owner, IMAGE_FOLDER_NAMES,
                   image_name_file(parts->local_name, parts->arena));
    if (!is_new)
        load_manifest(parts, directory);
    if (!parts->manifest_bytes.ptr) {
        parts->missing = IMAGE_MISSING_MANIFEST;
        return true;
    }
    pin(parts, directory, IMAGE_FOLDER_IMAGES, parts->manifest_digest);
    pin(parts, directory, IMAGE_FOLDER_BLOBS, parts->manifest_digest);
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
        is_new = parts->is_local &&
                 load_from(parts, directory, IMAGE_FOLDER_UPLOADS, digest, &parts->config_bytes);
        if (!is_new && parts->is_local)
            return error_set(err, ERROR_FAILED_PRECONDITION, "its config %.19s is not on this host",
                             digest);
        parts->missing = is_new ? parts->missing : IMAGE_MISSING_CONFIG;
        if (!is_new)
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

/* What an import has uploaded lies ready. */
static bool find_upload(struct image_parts *parts, const struct image_directory *directory,
                        struct image_need *need, struct error *err)
{
    const char *file = pin(parts, directory, IMAGE_FOLDER_UPLOADS, need->blob_digest);
    if (!image_directory_has(directory, IMAGE_FOLDER_UPLOADS, file))
        return error_set(err, ERROR_FAILED_PRECONDITION, "its layer %.19s is not on this host",
                         need->blob_digest);
    need->path = arena_printf(parts->arena, "%s/uploads/%s", directory->path, file);
    return true;
}

static bool find_needs(struct image_parts *parts, const struct image_directory *directory,
                       struct error *err)
{
    const struct image_config *config = &parts->config;
    struct image_need *needs = arena_array(parts->arena, config->diff_id_count, sizeof *needs);
    for (size_t i = 0; i < config->diff_id_count; i++) {
        const char *name = pin(parts, directory, IMAGE_FOLDER_LAYERS, config->diff_ids[i]);
        if (has_above(config, i) || image_directory_has(directory, IMAGE_FOLDER_LAYERS, name))
            continue;
        struct image_need *need = &needs[parts->need_count++];
        *need = need_of(parts, i);
        if (parts->is_local && !find_upload(parts, directory, need, err))
            return false;
    }
    parts->needs = needs;
    if (parts->need_count > 0)
        parts->missing = IMAGE_MISSING_ARCHIVES;
    return true;
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

/* -- the index ------------------------------------------------------------------------------------ */

static void describe(const struct image_parts *parts, Eos__Launcher__V1__ImageRecord *record)
{
    const struct image_config *config = &parts->config;
    *record = (Eos__Launcher__V1__ImageRecord)EOS__LAUNCHER__V1__IMAGE_RECORD__INIT;
    record->digest = (char *)parts->image.digest;
    record->origin = (char *)parts->origin;
    record->created_at_ms = wall_clock_ms();
    record->is_appc = parts->kind == IMAGE_APPC;
    if (record->is_appc) {
        record->n_layers = image_appc_trees(&parts->appc, (const char ***)&record->layers);
        return;
    }
    record->config_digest = (char *)parts->manifest.config.digest;
    record->layers = arena_array(parts->arena, config->diff_id_count, sizeof *record->layers);
    for (size_t i = 0; i < config->diff_id_count; i++)
        if (!has_above(config, i))
            record->layers[record->n_layers++] = (char *)config->diff_ids[i];
}

static void drop_upload(const struct image_parts *parts, const struct image_directory *directory,
                        const char *digest)
{
    unlinkat(directory->folder_fds[IMAGE_FOLDER_UPLOADS], image_file_name(digest, parts->arena), 0);
}

static void drop_uploads(const struct image_parts *parts, const struct image_directory *directory)
{
    drop_upload(parts, directory, parts->manifest.config.digest);
    for (size_t i = 0; i < parts->manifest.layer_count; i++)
        drop_upload(parts, directory, parts->manifest.layers[i].digest);
}

/* Nobody can fetch again what was imported, so it has to be on disk before its name is. */
static bool enter(struct image_parts *parts, const struct image_directory *directory,
                  struct error *err)
{
    Eos__Launcher__V1__ImageRecord record;
    describe(parts, &record);
    if (parts->is_import)
        image_directory_sync(directory);
    if (!image_index_keep(directory, &record, err) ||
        !image_index_name(directory, parts->local_name, parts->image.digest,
                          parts->is_import || (parts->is_local && !parts->is_by_digest), err))
        return false;
    if (parts->is_import)
        drop_uploads(parts, directory);
    return true;
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
    if (!find_needs(parts, directory, err))
        return false;
    if (parts->missing != IMAGE_MISSING_NOTHING)
        return true;
    stack_layers(parts, directory);
    take_settings(parts, &parts->config.settings);
    parts->image.digest = parts->manifest_digest;
    return enter(parts, directory, err);
}

/* A tree may have been removed just before it was pinned. */
static bool pin_trees(const struct image_parts *parts, const struct image_directory *directory)
{
    const char **trees;
    size_t count = image_appc_trees(&parts->appc, &trees);
    bool are_there = true;
    pin(parts, directory, IMAGE_FOLDER_IMAGES, parts->appc.image.digest);
    for (size_t i = 0; i < count; i++) {
        image_pins_add(directory->pins, parts->owner, IMAGE_FOLDER_APPC, trees[i]);
        are_there &= image_directory_has(directory, IMAGE_FOLDER_APPC, trees[i]);
    }
    return are_there;
}

static bool find_appc(struct image_parts *parts, const struct image_directory *directory,
                      struct error *err)
{
    do {
        parts->appc.read = NULL;
        if (!image_appc_examine(&parts->appc, directory, err))
            return false;
    } while (parts->appc.need_count == 0 && !pin_trees(parts, directory));
    return true;
}

static bool examine_appc(struct image_parts *parts, const struct image_directory *directory,
                         struct error *err)
{
    if (!find_appc(parts, directory, err))
        return false;
    parts->needs = parts->appc.needs;
    parts->need_count = parts->appc.need_count;
    parts->image = parts->appc.image;
    if (parts->need_count > 0)
        parts->missing = IMAGE_MISSING_ARCHIVES;
    return parts->need_count > 0 || enter(parts, directory, err);
}

bool image_parts_examine(struct image_parts *parts, const struct image_directory *directory,
                         struct error *err)
{
    parts->missing = IMAGE_MISSING_NOTHING;
    parts->need_count = 0;
    return parts->kind == IMAGE_APPC ? examine_appc(parts, directory, err)
                                     : examine_docker(parts, directory, err);
}
