#include "launcher/image_fill.h"

#include "base/cleanup.h"
#include "launcher/image_file.h"
#include "launcher/image_find.h"
#include "launcher/image_unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static const char *copy(const char *text, struct arena *arena)
{
    return text ? arena_strdup(arena, text) : NULL;
}

static const char *const *copy_urls(const struct registry_target *target, struct arena *arena)
{
    const char **urls = arena_array(arena, target->url_count, sizeof *urls);
    for (size_t i = 0; i < target->url_count; i++)
        urls[i] = arena_strdup(arena, target->urls[i]);
    return urls;
}

struct image_need image_need_copy(const struct image_need *need, struct arena *arena)
{
    struct image_need result = *need;
    result.key = copy(need->key, arena);
    result.digest = copy(need->digest, arena);
    result.target.base_url = copy(need->target.base_url, arena);
    result.target.repository = copy(need->target.repository, arena);
    result.target.reference = copy(need->target.reference, arena);
    result.target.urls = copy_urls(&need->target, arena);
    result.blob_digest = copy(need->blob_digest, arena);
    result.path = copy(need->path, arena);
    if (need->kind == IMAGE_APPC)
        result.name = image_aci_name_copy(&need->name, arena);
    return result;
}

static enum image_folder folder_of(enum image_kind kind)
{
    return kind == IMAGE_APPC ? IMAGE_FOLDER_APPC : IMAGE_FOLDER_LAYERS;
}

bool image_is_filled(const struct image_directory *directory, const struct image_need *need)
{
    struct arena *arena = arena_new();
    bool is_there = *need->digest && image_directory_has(directory, folder_of(need->kind),
                                                         image_file_name(need->digest, arena));
    arena_free(arena);
    return is_there;
}

static bool check_digest(const struct image_need *need, const char *digest, struct error *err)
{
    if (!*need->digest || strcmp(need->digest, digest) == 0)
        return true;
    if (need->kind == IMAGE_APPC)
        return error_set(err, ERROR_DATA_LOSS, "its image id is %.19s and not %.19s", digest,
                         need->digest);
    return error_set(err, ERROR_DATA_LOSS, "its content is %.19s and the config tells of %.19s",
                     digest, need->digest);
}

static bool publish(const struct image_fill *fill, struct image_staging *staging,
                    const char *digest, struct error *err)
{
    struct arena *arena = arena_new();
    bool ok = image_staging_publish(staging, fill->directory, folder_of(fill->need->kind),
                                    image_file_name(digest, arena), err);
    arena_free(arena);
    return ok;
}

static bool fill_layer(const struct image_fill *fill, struct image_staging *staging,
                       char ret_digest[IMAGE_DIGEST_BYTES], struct error *err)
{
    cleanup_text struct text unused = TEXT_INIT;
    struct image_unpack unpack = { IMAGE_DOCKER, fill->source, fill->limits, staging->image_fd,
                                   staging->trash_fd };
    return image_unpack(&unpack, ret_digest, &unused, err) &&
           check_digest(fill->need, ret_digest, err) && publish(fill, staging, ret_digest, err);
}

static bool write_manifest(int fd, struct slice manifest, struct error *err)
{
    cleanup_close int file =
        openat(fd, "manifest", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0)
        return error_set_errno(err, errno, "could not store the image's manifest");
    ssize_t written = write(file, manifest.ptr, manifest.len);
    if (written != (ssize_t)manifest.len || fsync(file) < 0)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED,
                         "could not store the image's manifest: the image store's disk is full");
    return true;
}

static bool fill_rootfs(const struct image_fill *fill, struct image_source *source,
                        struct image_staging *staging, char ret_digest[IMAGE_DIGEST_BYTES],
                        struct error *err)
{
    cleanup_text struct text manifest = TEXT_INIT;
    if (mkdirat(staging->image_fd, "rootfs", 0755) < 0)
        return error_set_errno(err, errno, "could not make the image's root");
    cleanup_close int root =
        openat(staging->image_fd, "rootfs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (root < 0)
        return error_set_errno(err, errno, "could not open the image's root");
    struct image_unpack unpack = { IMAGE_APPC, source, fill->limits, root, staging->trash_fd };
    return image_unpack(&unpack, ret_digest, &manifest, err) &&
           check_digest(fill->need, ret_digest, err) &&
           write_manifest(staging->image_fd, text_slice(&manifest), err) &&
           publish(fill, staging, ret_digest, err);
}

/* The id is known already when the place still has what it had. */
static bool fill_found(const struct image_fill *fill, struct image_found *found,
                       struct image_staging *staging, char ret_digest[IMAGE_DIGEST_BYTES],
                       struct error *err)
{
    const char *id = "";
    struct image_source *source = image_found_source(found, &id);
    if (!source) {
        snprintf(ret_digest, IMAGE_DIGEST_BYTES, "%s", id);
        return true;
    }
    if (!fill_rootfs(fill, source, staging, ret_digest, err))
        return false;
    image_found_remember(found, ret_digest);
    return true;
}

static bool fill_appc(const struct image_fill *fill, struct image_staging *staging,
                      char ret_digest[IMAGE_DIGEST_BYTES], struct error *err)
{
    const struct image_need *need = fill->need;
    const struct image_find find = {
        .directory = fill->directory,
        .web = fill->places->web,
        .prefix = fill->places->prefix,
        .asks_host = fill->places->asks_host,
        .name = need->name,
        .max_bytes = need->max_bytes > 0 ? need->max_bytes : IMAGE_MAX_BLOB_BYTES,
        .may_be_known = !*need->digest,
        .cancelled = fill->cancelled,
    };
    struct image_found *found = image_find(&find, err);
    bool ok = found && fill_found(fill, found, staging, ret_digest, err);
    image_found_close(found);
    return ok;
}

/* A layer that an import has left in a file. */
static bool fill_layer_from_file(const struct image_fill *fill, struct image_staging *staging,
                                 char ret_digest[IMAGE_DIGEST_BYTES], struct error *err)
{
    char unused[IMAGE_FILE_VALIDATOR_BYTES];
    struct image_fill from_file = *fill;
    from_file.source =
        image_file_open(fill->need->path, IMAGE_MAX_BLOB_BYTES, fill->cancelled, unused, err);
    if (!from_file.source)
        return false;
    bool ok = fill_layer(&from_file, staging, ret_digest, err);
    image_file_close(from_file.source);
    return ok;
}

static bool fill_any(const struct image_fill *fill, struct image_staging *staging,
                     char ret_digest[IMAGE_DIGEST_BYTES], struct error *err)
{
    if (fill->need->kind == IMAGE_APPC)
        return fill_appc(fill, staging, ret_digest, err);
    return (fill->source ? fill_layer : fill_layer_from_file)(fill, staging, ret_digest, err);
}

/* Tells how much was wanted, as far as that is known before. */
static void explain_full(const struct image_fill *fill, struct error *err)
{
    char need[64] = "the image needs more";
    if (fill->need->kind == IMAGE_DOCKER)
        snprintf(need, sizeof need, "the layer is %.1f MB packed",
                 (double)fill->need->blob_size / 1e6);
    image_directory_full(fill->directory, need, err);
}

bool image_fill(const struct image_fill *fill, char ret_digest[IMAGE_DIGEST_BYTES],
                struct error *err)
{
    struct image_staging staging = IMAGE_STAGING_INIT;
    bool ok = image_staging_open(&staging, fill->directory, err) &&
              fill_any(fill, &staging, ret_digest, err);
    if (!ok && err->code == ERROR_RESOURCE_EXHAUSTED)
        explain_full(fill, err);
    image_staging_close(&staging, fill->directory);
    return ok;
}
