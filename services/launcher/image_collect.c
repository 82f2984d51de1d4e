#include "launcher/image_collect.h"

#include "base/cleanup.h"
#include "base/map.h"
#include "launcher/image_index.h"
#include "launcher/image_sizes.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#define UPLOAD_AGE_MS       (24ll * 3600 * 1000) /* of an import that nobody goes on with */
#define PREFIX_MIN_LEN      19                   /* of a digest: "sha256:" and 12 digits */
#define REFERENCE_MAX_BYTES 8192u

/* A directory that an image consists of. */
struct tree {
    enum image_folder folder;
    const char *name;
};

struct upload {
    const char *file;
    int64_t bytes, changed_ms;
    bool goes;
};

struct collector {
    const struct image_collect *wish;
    struct arena *arena;
    struct image_index index;
    struct image_sizes *sizes;
    struct map *tree_numbers; /* name to a pointer into `trees` */
    struct tree *trees;       /* as gc.layers */
    struct gc gc;             /* gc.images as index.images */
    struct image_entry *entries;
    struct map *records; /* digest to its entry */
    struct upload *uploads;
    size_t upload_count;
    bool *is_known; /* of `wanted` */
    bool has_unknown_use;
};

static bool is_same(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* -- what there is -------------------------------------------------------------------------------- */

static int64_t time_of(const struct stat *status)
{
    return status->st_ctim.tv_sec * 1000 + status->st_ctim.tv_nsec / 1000000;
}

static int64_t changed_ms(const struct collector *c, enum image_folder folder, const char *name)
{
    struct stat status;
    if (fstatat(c->wish->directory->folder_fds[folder], name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return c->wish->now_ms;
    return time_of(&status);
}

static void add_trees(struct collector *c, enum image_folder folder, const char *const *names,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct tree *tree = &c->trees[c->gc.layer_count];
        *tree = (struct tree){ folder, names[i] };
        c->gc.layers[c->gc.layer_count++] =
            (struct gc_layer){ .bytes = image_sizes_get(c->sizes, folder, names[i]),
                               .changed_ms = changed_ms(c, folder, names[i]) };
        map_put(c->tree_numbers, slice_of(names[i]), tree);
    }
}

static bool read_trees(struct collector *c, struct error *err)
{
    const char **layers, **appc;
    size_t layer_count, appc_count;
    const struct image_directory *directory = c->wish->directory;
    if (!image_directory_list(directory, IMAGE_FOLDER_LAYERS, c->arena, &layers, &layer_count,
                              err) ||
        !image_directory_list(directory, IMAGE_FOLDER_APPC, c->arena, &appc, &appc_count, err))
        return false;
    c->trees = arena_array(c->arena, layer_count + appc_count, sizeof *c->trees);
    c->gc.layers = arena_array(c->arena, layer_count + appc_count, sizeof *c->gc.layers);
    add_trees(c, IMAGE_FOLDER_LAYERS, layers, layer_count);
    add_trees(c, IMAGE_FOLDER_APPC, appc, appc_count);
    return true;
}

static void read_uploads(struct collector *c)
{
    const char **files;
    size_t count;
    struct stat status;
    struct error ignored;
    int folder = c->wish->directory->folder_fds[IMAGE_FOLDER_UPLOADS];
    if (!image_directory_list(c->wish->directory, IMAGE_FOLDER_UPLOADS, c->arena, &files, &count,
                              &ignored))
        return;
    c->uploads = arena_array(c->arena, count, sizeof *c->uploads);
    for (size_t i = 0; i < count; i++)
        if (fstatat(folder, files[i], &status, AT_SYMLINK_NOFOLLOW) == 0)
            c->uploads[c->upload_count++] =
                (struct upload){ .file = files[i],
                                 .bytes = (int64_t)status.st_blocks * 512,
                                 .changed_ms = time_of(&status) };
}

static void add_layer(struct collector *c, struct gc_image *image, size_t *layers,
                      const char *digest)
{
    const struct tree *tree = map_get(c->tree_numbers, slice_of(image_file_name(digest, c->arena)));
    if (tree)
        layers[image->layer_count++] = (size_t)(tree - c->trees);
    else
        image->is_broken = true;
}

static void find_layers(struct collector *c, struct gc_image *image,
                        const Eos__Launcher__V1__ImageRecord *record)
{
    size_t *layers = arena_array(c->arena, record->n_layers, sizeof *layers);
    for (size_t i = 0; i < record->n_layers; i++)
        add_layer(c, image, layers, record->layers[i]);
    image->layers = layers;
}

static void find_names(struct collector *c, struct image_entry *entry)
{
    const struct image_index *index = &c->index;
    struct image_entry_name *names = arena_array(c->arena, index->name_count, sizeof *names);
    for (size_t i = 0; i < index->name_count; i++) {
        const Eos__Launcher__V1__ImageNameRecord *record = index->names[i].record;
        if (!is_same(record->digest, entry->digest))
            continue;
        names[entry->name_count++] = (struct image_entry_name){ record->name, record->is_imported };
        entry->is_imported |= record->is_imported;
    }
    entry->names = names;
}

static void describe(struct collector *c, size_t i)
{
    const struct indexed_image *indexed = &c->index.images[i];
    struct image_entry *entry = &c->entries[i];
    *entry = (struct image_entry){ .digest = indexed->record->digest,
                                   .is_appc = indexed->record->is_appc,
                                   .created_ms = indexed->record->created_at_ms,
                                   .used_ms = indexed->used_ms,
                                   .origin = indexed->record->origin };
    c->gc.images[i].used_ms = indexed->used_ms;
    find_layers(c, &c->gc.images[i], indexed->record);
    entry->layer_count = c->gc.images[i].layer_count;
    find_names(c, entry);
    map_put(c->records, slice_of(entry->digest), entry);
}

static void find_users(struct collector *c)
{
    const struct image_collect *wish = c->wish;
    for (size_t i = 0; i < wish->used_count; i++) {
        struct image_entry *entry = map_get(c->records, slice_of(wish->used[i]));
        if (entry)
            entry->is_used = true;
        else
            c->has_unknown_use = true;
    }
    for (size_t i = 0; i < c->index.image_count; i++)
        c->entries[i].is_used |=
            image_pins_has(wish->directory->pins, IMAGE_FOLDER_IMAGES, c->index.images[i].file);
}

static void add_up(struct collector *c)
{
    size_t *users = arena_array(c->arena, c->gc.layer_count, sizeof *users);
    for (size_t i = 0; i < c->gc.image_count; i++)
        for (size_t k = 0; k < c->gc.images[i].layer_count; k++)
            users[c->gc.images[i].layers[k]]++;
    for (size_t i = 0; i < c->gc.image_count; i++)
        for (size_t k = 0; k < c->gc.images[i].layer_count; k++) {
            size_t layer = c->gc.images[i].layers[k];
            c->entries[i].bytes += c->gc.layers[layer].bytes;
            c->entries[i].shared_bytes += users[layer] > 1 ? c->gc.layers[layer].bytes : 0;
        }
}

static bool look(struct collector *c, struct error *err)
{
    if (!image_index_read(c->wish->directory, c->arena, &c->index, err) || !read_trees(c, err))
        return false;
    c->gc.image_count = c->index.image_count;
    c->gc.images = arena_array(c->arena, c->gc.image_count, sizeof *c->gc.images);
    c->entries = arena_array(c->arena, c->gc.image_count, sizeof *c->entries);
    for (size_t i = 0; i < c->gc.image_count; i++)
        describe(c, i);
    find_users(c);
    add_up(c);
    read_uploads(c);
    return true;
}

/* -- what is to go -------------------------------------------------------------------------------- */

static bool is_called(const struct image_entry *entry, const char *wanted)
{
    size_t len = strlen(wanted);
    if (is_same(entry->digest, wanted) ||
        (len >= PREFIX_MIN_LEN && strncmp(entry->digest, wanted, len) == 0))
        return true;
    for (size_t i = 0; i < entry->name_count; i++)
        if (is_same(entry->names[i].name, wanted))
            return true;
    return false;
}

static bool is_wanted(struct collector *c, const struct image_entry *entry)
{
    bool is_found = c->wish->wanted_count == 0;
    for (size_t i = 0; i < c->wish->wanted_count; i++)
        if (is_called(entry, c->wish->wanted[i]))
            is_found = c->is_known[i] = true;
    return is_found;
}

static bool is_protected(const struct collector *c, const struct image_entry *entry, bool is_broken)
{
    return entry->is_imported && !is_broken && !c->wish->with_imported &&
           c->wish->wanted_count == 0;
}

/* Those of one import come one after the other, and are of use together. */
static void decide_uploads(struct collector *c)
{
    int64_t last_ms = 0;
    for (size_t i = 0; i < c->upload_count; i++)
        last_ms = c->uploads[i].changed_ms > last_ms ? c->uploads[i].changed_ms : last_ms;
    bool are_quiet = c->wish->now_ms - last_ms >= c->wish->upload_quiet_ms;
    for (size_t i = 0; i < c->upload_count; i++)
        c->uploads[i].goes =
            c->wish->rule_count > 0 && !c->has_unknown_use &&
            (are_quiet || c->wish->now_ms - c->uploads[i].changed_ms >= UPLOAD_AGE_MS);
}

/* A container whose image is not known may use any layer, so everything stays then. */
static void decide(struct collector *c)
{
    for (size_t i = 0; i < c->gc.image_count; i++) {
        struct gc_image *image = &c->gc.images[i];
        c->entries[i].is_wanted = is_wanted(c, &c->entries[i]);
        image->is_held = c->wish->rule_count == 0 || !c->entries[i].is_wanted ||
                         c->entries[i].is_used || c->has_unknown_use ||
                         is_protected(c, &c->entries[i], image->is_broken);
    }
    c->gc.now_ms = c->wish->now_ms;
    c->gc.orphan_age_ms =
        c->has_unknown_use || c->wish->rule_count == 0 ? INT64_MAX : c->wish->tree_age_ms;
    gc_begin(&c->gc, c->arena);
    for (size_t i = 0; i < c->wish->rule_count; i++)
        gc_apply(&c->gc, &c->wish->rules[i], c->arena);
    decide_uploads(c);
}

/* -- taking away ---------------------------------------------------------------------------------- */

static void discard_images(struct collector *c)
{
    for (size_t i = 0; i < c->gc.image_count; i++) {
        struct gc_image *image = &c->gc.images[i];
        if (!image->goes || image_directory_discard(c->wish->directory, IMAGE_FOLDER_IMAGES,
                                                    c->index.images[i].file))
            continue;
        image->goes = false; /* somebody has begun to pull it */
        c->entries[i].is_used = true;
    }
    gc_settle(&c->gc, c->arena);
}

static void discard_trees(struct collector *c)
{
    for (size_t i = 0; i < c->gc.layer_count; i++) {
        struct gc_layer *layer = &c->gc.layers[i];
        if (!layer->goes ||
            image_directory_discard(c->wish->directory, c->trees[i].folder, c->trees[i].name))
            continue;
        layer->goes = false;
        c->gc.total_bytes += layer->bytes;
    }
}

static bool stays(const struct collector *c, const char *digest)
{
    const struct image_entry *entry = map_get(c->records, slice_of(digest));
    return entry && !c->gc.images[entry - c->entries].goes;
}

static bool went(const struct collector *c, const char *digest)
{
    const struct image_entry *entry = map_get(c->records, slice_of(digest));
    return entry && c->gc.images[entry - c->entries].goes;
}

static bool is_old(const struct collector *c, enum image_folder folder, const char *file,
                   int64_t age_ms)
{
    return c->wish->now_ms - changed_ms(c, folder, file) >= age_ms;
}

static void discard_names(const struct collector *c)
{
    for (size_t i = 0; i < c->index.name_count; i++) {
        const struct indexed_name *name = &c->index.names[i];
        if (went(c, name->record->digest) ||
            (!stays(c, name->record->digest) &&
             is_old(c, IMAGE_FOLDER_NAMES, name->file, c->wish->orphan_age_ms)))
            image_directory_discard(c->wish->directory, IMAGE_FOLDER_NAMES, name->file);
    }
}

/* The files of manifests and configs: to true when an image that stays has it, to false when only
 * those have it that go. */
static void sort_blobs(const struct collector *c, struct map *needed, struct map *doomed)
{
    for (size_t i = 0; i < c->index.image_count; i++) {
        Eos__Launcher__V1__ImageRecord *record = c->index.images[i].record;
        struct map *map = c->gc.images[i].goes ? doomed : needed;
        map_put(map, slice_of(image_file_name(record->digest, c->arena)), record);
        map_put(map, slice_of(image_file_name(record->config_digest, c->arena)), record);
    }
}

static void discard_blobs(const struct collector *c)
{
    const char **files;
    size_t count;
    struct error ignored;
    struct map *needed = map_new(), *doomed = map_new();
    sort_blobs(c, needed, doomed);
    if (!image_directory_list(c->wish->directory, IMAGE_FOLDER_BLOBS, c->arena, &files, &count,
                              &ignored))
        count = 0;
    for (size_t i = 0; i < count; i++) {
        struct slice file = slice_of(files[i]);
        if (!map_get(needed, file) &&
            (map_get(doomed, file) ||
             is_old(c, IMAGE_FOLDER_BLOBS, files[i], c->wish->orphan_age_ms)))
            image_directory_discard(c->wish->directory, IMAGE_FOLDER_BLOBS, files[i]);
    }
    map_free(needed);
    map_free(doomed);
}

/* An image that another AppC image depends on has no record of its own. */
static bool is_left(const struct collector *c, const char *digest)
{
    const struct tree *tree = map_get(c->tree_numbers, slice_of(digest));
    return stays(c, digest) || (tree && !c->gc.layers[tree - c->trees].goes);
}

/* The first line is a digest, whatever follows. */
static void discard_reference(const struct collector *c, const char *file)
{
    struct error ignored;
    cleanup_text struct text content = TEXT_INIT;
    bool can_read = image_directory_read(c->wish->directory, IMAGE_FOLDER_REFERENCES, file,
                                         REFERENCE_MAX_BYTES, &content, &ignored);
    struct slice rest = can_read ? text_slice(&content) : SLICE("");
    struct slice line = slice_split(&rest, '\n');
    const char *target = arena_memdup0(c->arena, line.ptr ? line.ptr : "", line.len);
    if (went(c, target) ||
        (!is_left(c, target) && is_old(c, IMAGE_FOLDER_REFERENCES, file, c->wish->orphan_age_ms)))
        image_directory_discard(c->wish->directory, IMAGE_FOLDER_REFERENCES, file);
}

static void discard_references(const struct collector *c)
{
    const char **files;
    size_t count;
    struct error ignored;
    if (!image_directory_list(c->wish->directory, IMAGE_FOLDER_REFERENCES, c->arena, &files, &count,
                              &ignored))
        return;
    for (size_t i = 0; i < count; i++)
        discard_reference(c, files[i]);
}

static void discard_old(const struct collector *c, enum image_folder folder,
                        const char *const *files, size_t count, int64_t age_ms)
{
    for (size_t i = 0; i < count; i++)
        if (is_old(c, folder, files[i], age_ms))
            image_directory_discard(c->wish->directory, folder, files[i]);
}

static void discard_unreadable(const struct collector *c)
{
    const struct image_index *index = &c->index;
    discard_old(c, IMAGE_FOLDER_IMAGES, index->unreadable_images, index->unreadable_image_count,
                c->wish->orphan_age_ms);
    discard_old(c, IMAGE_FOLDER_NAMES, index->unreadable_names, index->unreadable_name_count,
                c->wish->orphan_age_ms);
}

static void discard_uploads(const struct collector *c)
{
    for (size_t i = 0; i < c->upload_count; i++)
        c->uploads[i].goes =
            c->uploads[i].goes &&
            image_directory_discard(c->wish->directory, IMAGE_FOLDER_UPLOADS, c->uploads[i].file);
}

static bool carry_out(struct collector *c, struct error *err)
{
    discard_images(c);
    discard_names(c);
    discard_blobs(c);
    discard_trees(c);
    discard_references(c);
    discard_unreadable(c);
    discard_uploads(c);
    return image_directory_empty_trash(c->wish->directory, err);
}

/* -- the result ----------------------------------------------------------------------------------- */

static int compare_use(const void *a, const void *b)
{
    const struct image_entry *left = a, *right = b;
    if (left->used_ms != right->used_ms)
        return left->used_ms > right->used_ms ? -1 : 1;
    return strcmp(left->digest, right->digest);
}

static void tell(struct collector *c, int64_t before_bytes, struct image_collection *result)
{
    for (size_t i = 0; i < c->gc.image_count; i++)
        c->entries[i].is_removed = c->gc.images[i].goes;
    qsort(c->entries, c->gc.image_count, sizeof *c->entries, compare_use);
    *result = (struct image_collection){ .images = c->entries,
                                         .image_count = c->gc.image_count,
                                         .bytes = c->gc.total_bytes,
                                         .freed_bytes = before_bytes - c->gc.total_bytes };
    for (size_t i = 0; i < c->upload_count; i++)
        result->freed_bytes += c->uploads[i].goes ? c->uploads[i].bytes : 0;
    result->unknown = arena_array(c->arena, c->wish->wanted_count, sizeof *result->unknown);
    for (size_t i = 0; i < c->wish->wanted_count; i++)
        if (!c->is_known[i])
            result->unknown[result->unknown_count++] = c->wish->wanted[i];
}

static int64_t sum(const struct gc *gc)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < gc->layer_count; i++)
        bytes += gc->layers[i].bytes;
    return bytes;
}

static bool run(struct collector *c, struct image_collection *result, struct error *err)
{
    if (!look(c, err))
        return false;
    decide(c);
    if (c->wish->rule_count > 0 && !c->wish->is_dry && !c->has_unknown_use && !carry_out(c, err))
        return false;
    tell(c, sum(&c->gc), result);
    return true;
}

bool image_collect(const struct image_collect *wish, struct arena *arena,
                   struct image_collection *ret_result, struct error *err)
{
    struct collector c = { .wish = wish,
                           .arena = arena,
                           .sizes = image_sizes_open(wish->directory),
                           .tree_numbers = map_new(),
                           .records = map_new(),
                           .is_known = arena_array(arena, wish->wanted_count, sizeof(bool)) };
    bool ok = run(&c, ret_result, err);
    image_sizes_close(c.sizes);
    map_free(c.tree_numbers);
    map_free(c.records);
    return ok;
}
