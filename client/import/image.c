#include "client/import/image.h"

#include "base/cleanup.h"
#include "registry/digest.h"
#include "registry/manifest.h"
#include "registry/reference.h"

#include <stdlib.h>

#define MAX_INDEX_DEPTH 4
#define HASH_BYTES      (256u << 10)

struct finder {
    struct import_source *source;
    struct arena *arena;
    struct platform host;
};

static const char *blob_path(const char *digest, struct arena *arena)
{
    char *path = arena_printf(arena, "blobs/%s", digest);
    *strchr(path, ':') = '/';
    return path;
}

static struct slice keep(const struct text *text, struct arena *arena)
{
    return (struct slice){ arena_memdup0(arena, text->ptr ? text->ptr : "", text->len), text->len };
}

static void set_diff_ids(struct import_image *image, const char *const *diff_ids, size_t count)
{
    for (size_t i = 0; i < count && i + 1 < image->blob_count; i++)
        image->blobs[i + 1].diff_id = diff_ids[i];
}

static bool read_diff_ids(const struct finder *finder, struct import_image *image,
                          struct error *err)
{
    cleanup_text struct text config = TEXT_INIT;
    const char *const *diff_ids;
    size_t count;
    if (!import_source_read(finder->source, image->blobs[0].path, LAYOUT_MAX_DOCUMENT_BYTES,
                            &config, err) ||
        !layout_parse_config(text_slice(&config), finder->arena, &diff_ids, &count, err))
        return false;
    set_diff_ids(image, diff_ids, count);
    return true;
}

/* -- OCI ------------------------------------------------------------------------------------------ */

static bool read_document(const struct finder *finder, const char *digest, struct slice *ret_bytes,
                          struct error *err)
{
    cleanup_text struct text bytes = TEXT_INIT;
    if (!import_source_read(finder->source, blob_path(digest, finder->arena), MANIFEST_MAX_BYTES,
                            &bytes, err))
        return false;
    if (!digest_matches(slice_of(digest), text_string(&bytes), bytes.len))
        return error_set(err, ERROR_DATA_LOSS, "manifest %.19s has another content than its digest",
                         digest);
    *ret_bytes = keep(&bytes, finder->arena);
    return true;
}

/* Through indexes to the image for this machine. */
static bool find_manifest(const struct finder *finder, const char *digest, struct slice *ret_bytes,
                          struct manifest *ret_manifest, struct error *err)
{
    const struct descriptor *entry;
    for (int depth = 0; depth < MAX_INDEX_DEPTH; depth++) {
        if (!read_document(finder, digest, ret_bytes, err) ||
            !manifest_parse(*ret_bytes, SLICE(""), finder->arena, ret_manifest, err))
            return false;
        if (ret_manifest->kind == MANIFEST_IMAGE)
            return true;
        if (!manifest_choose(ret_manifest, &finder->host, &entry, err))
            return false;
        digest = entry->digest;
    }
    return error_set(err, ERROR_OUT_OF_RANGE, "indexes are over %d deep", MAX_INDEX_DEPTH);
}

static struct import_blob describe(const struct finder *finder, const struct descriptor *descriptor)
{
    return (struct import_blob){ descriptor->digest, "", descriptor->size,
                                 blob_path(descriptor->digest, finder->arena) };
}

static bool find_oci(const struct finder *finder, const struct layout_image *from,
                     struct import_image *image, struct error *err)
{
    struct manifest manifest;
    if (!find_manifest(finder, from->digest, &image->manifest, &manifest, err))
        return false;
    image->blob_count = manifest.layer_count + 1;
    image->blobs = arena_array(finder->arena, image->blob_count, sizeof *image->blobs);
    image->blobs[0] = describe(finder, &manifest.config);
    for (size_t i = 0; i < manifest.layer_count; i++)
        image->blobs[i + 1] = describe(finder, &manifest.layers[i]);
    return read_diff_ids(finder, image, err);
}

/* -- docker save ---------------------------------------------------------------------------------- */

static bool hash_file(const struct import_file *file, char ret_digest[DIGEST_MAX_LEN],
                      struct error *err)
{
    static const char any[] = "sha256:"
                              "0000000000000000000000000000000000000000000000000000000000000000";
    struct digest_stream *stream = digest_stream_new(SLICE(any));
    cleanup_free char *bytes = malloc(HASH_BYTES);
    bool ok = bytes || error_set(err, ERROR_RESOURCE_EXHAUSTED, "there is not enough memory");
    for (int64_t at = 0; ok && at < file->size;) {
        size_t len = file->size - at < HASH_BYTES ? (size_t)(file->size - at) : HASH_BYTES;
        ok = import_file_read(file, at, bytes, len, err);
        if (ok)
            digest_stream_add(stream, bytes, len);
        at += (int64_t)len;
    }
    (void)digest_stream_end(stream, ret_digest);
    digest_stream_free(stream);
    return ok;
}

static bool hash_blob(const struct finder *finder, const char *path, struct import_blob *ret_blob,
                      struct error *err)
{
    struct import_file file;
    char digest[DIGEST_MAX_LEN] = "";
    if (!import_file_open(finder->source, path, &file, err))
        return false;
    bool ok = hash_file(&file, digest, err);
    *ret_blob = (struct import_blob){ arena_strdup(finder->arena, digest), "", file.size, path };
    import_file_close(&file);
    return ok;
}

static struct layout_blob layout_blob_of(const struct import_blob *blob)
{
    return (struct layout_blob){ blob->digest, blob->size };
}

static void make_manifest(const struct finder *finder, struct import_image *image)
{
    cleanup_text struct text manifest = TEXT_INIT;
    size_t count = image->blob_count - 1;
    struct layout_blob config = layout_blob_of(&image->blobs[0]);
    struct layout_blob *layers = arena_array(finder->arena, count, sizeof *layers);
    for (size_t i = 0; i < count; i++)
        layers[i] = layout_blob_of(&image->blobs[i + 1]);
    layout_add_manifest(&config, layers, count, &manifest);
    image->manifest = keep(&manifest, finder->arena);
}

static bool find_docker(const struct finder *finder, const struct layout_image *from,
                        struct import_image *image, struct error *err)
{
    image->blob_count = from->layer_count + 1;
    image->blobs = arena_array(finder->arena, image->blob_count, sizeof *image->blobs);
    if (!hash_blob(finder, from->config_path, &image->blobs[0], err))
        return false;
    for (size_t i = 0; i < from->layer_count; i++)
        if (!hash_blob(finder, from->layer_paths[i], &image->blobs[i + 1], err))
            return false;
    make_manifest(finder, image);
    return read_diff_ids(finder, image, err);
}

/* -- all ------------------------------------------------------------------------------------------ */

static bool read_layout(const struct finder *finder, struct layout *ret_layout, struct error *err)
{
    cleanup_text struct text json = TEXT_INIT;
    bool is_oci = import_source_has(finder->source, "index.json");
    const char *file = is_oci ? "index.json" : "manifest.json";
    if (!is_oci && !import_source_has(finder->source, file))
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "it has neither an index.json (OCI layout) nor a manifest.json (docker "
                         "save)");
    if (!import_source_read(finder->source, file, LAYOUT_MAX_DOCUMENT_BYTES, &json, err))
        return false;
    return (is_oci ? layout_parse_index : layout_parse_docker)(text_slice(&json), finder->arena,
                                                               ret_layout, err);
}

static bool find_image(const struct finder *finder, const struct layout_choice *choice,
                       struct import_image *image, struct error *err)
{
    struct image_reference reference;
    if (!reference_parse(slice_of(choice->name), finder->arena, &reference, err))
        return error_prefix(err, "image name");
    if (*reference.digest)
        return error_set(err, ERROR_INVALID_ARGUMENT, "image name: expected NAME:TAG");
    image->name = choice->name;
    if (!(choice->image->digest ? find_oci : find_docker)(finder, choice->image, image, err))
        return error_prefix(err, "image %.80s", choice->name);
    for (size_t i = 0; i < image->blob_count; i++)
        image->bytes += image->blobs[i].size;
    return true;
}

bool import_images_find(struct import_source *source, const char *wanted, struct arena *arena,
                        struct import_image **ret_images, size_t *ret_count, struct error *err)
{
    const struct finder finder = { source, arena, platform_host() };
    struct layout layout;
    struct layout_choice *choices;
    size_t count;
    if (!read_layout(&finder, &layout, err) ||
        !layout_choose(&layout, wanted, &finder.host, arena, &choices, &count, err))
        return false;
    struct import_image *images = arena_array(arena, count, sizeof *images);
    for (size_t i = 0; i < count; i++)
        if (!find_image(&finder, &choices[i], &images[i], err))
            return false;
    *ret_images = images;
    *ret_count = count;
    return true;
}
