#include "launcher/image_index.h"

#include "base/cleanup.h"
#include "launcher/image_digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

typedef Eos__Launcher__V1__ImageRecord image_record;
typedef Eos__Launcher__V1__ImageNameRecord name_record;

/* Its memory is the arena's. */
static void *allocate(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void release(void *arena, void *pointer)
{
    (void)arena;
    (void)pointer;
}

static ProtobufCMessage *read_message(const struct image_directory *directory,
                                      enum image_folder folder, const char *file,
                                      const ProtobufCMessageDescriptor *type, struct arena *arena)
{
    struct error ignored;
    ProtobufCAllocator allocator = { allocate, release, arena };
    cleanup_text struct text bytes = TEXT_INIT;
    if (!image_directory_read(directory, folder, file, IMAGE_RECORD_MAX_BYTES, &bytes, &ignored))
        return NULL;
    return protobuf_c_message_unpack(type, &allocator, bytes.len,
                                     (const uint8_t *)text_string(&bytes));
}

static bool write_message(const struct image_directory *directory, enum image_folder folder,
                          const char *file, const ProtobufCMessage *message, struct error *err)
{
    cleanup_text struct text bytes = TEXT_INIT;
    size_t len = protobuf_c_message_get_packed_size(message);
    text_reserve(&bytes, len);
    protobuf_c_message_pack(message, (uint8_t *)bytes.ptr);
    return image_directory_write(directory, folder, file, (struct slice){ bytes.ptr, len }, err);
}

/* -- images --------------------------------------------------------------------------------------- */

static bool read_image(const struct image_directory *directory, const char *file,
                       struct arena *arena, struct indexed_image *ret_image)
{
    struct stat status;
    image_record *record =
        (image_record *)read_message(directory, IMAGE_FOLDER_IMAGES, file,
                                     &eos__launcher__v1__image_record__descriptor, arena);
    if (!record || strcmp(image_file_name(record->digest, arena), file) != 0 ||
        fstatat(directory->folder_fds[IMAGE_FOLDER_IMAGES], file, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    *ret_image =
        (struct indexed_image){ record, file,
                                status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1000000 };
    return true;
}

static bool has_layer(const image_record *record, const char *layer)
{
    for (size_t i = 0; i < record->n_layers; i++)
        if (strcmp(record->layers[i], layer) == 0)
            return true;
    return false;
}

static void add_layers(image_record *record, const image_record *more, struct arena *arena)
{
    char **layers = arena_array(arena, record->n_layers + more->n_layers, sizeof *layers);
    for (size_t i = 0; i < record->n_layers; i++)
        layers[i] = record->layers[i];
    record->layers = layers;
    for (size_t i = 0; i < more->n_layers; i++)
        if (!has_layer(record, more->layers[i]))
            record->layers[record->n_layers++] = more->layers[i];
}

/* An AppC image that names what it depends on may have other layers at another time, and containers may
 * still run on the earlier ones: the record has all of them. */
bool image_index_keep(const struct image_directory *directory, const image_record *record,
                      struct error *err)
{
    struct arena *arena = arena_new();
    const char *file = image_file_name(record->digest, arena);
    struct indexed_image known;
    image_record whole = *record;
    bool is_known = read_image(directory, file, arena, &known);
    if (is_known)
        add_layers(&whole, known.record, arena);
    bool is_touched =
        is_known && whole.n_layers == known.record->n_layers &&
        utimensat(directory->folder_fds[IMAGE_FOLDER_IMAGES], file, NULL, AT_SYMLINK_NOFOLLOW) == 0;
    bool ok = is_touched || write_message(directory, IMAGE_FOLDER_IMAGES, file, &whole.base, err);
    arena_free(arena);
    return ok;
}

/* -- names ---------------------------------------------------------------------------------------- */

const char *image_name_file(const char *name, struct arena *arena)
{
    char digest[IMAGE_DIGEST_BYTES];
    image_digest_of(IMAGE_SHA256, slice_of(name), digest);
    return arena_strdup(arena, digest + sizeof "sha256:" - 1);
}

static name_record *read_name(const struct image_directory *directory, const char *file,
                              struct arena *arena)
{
    name_record *record =
        (name_record *)read_message(directory, IMAGE_FOLDER_NAMES, file,
                                    &eos__launcher__v1__image_name_record__descriptor, arena);
    return record && strcmp(image_name_file(record->name, arena), file) == 0 ? record : NULL;
}

static bool is_same(const name_record *record, const char *digest, bool is_imported)
{
    return record && strcmp(record->digest, digest) == 0 && record->is_imported == is_imported;
}

bool image_index_name(const struct image_directory *directory, const char *name, const char *digest,
                      bool is_imported, struct error *err)
{
    struct arena *arena = arena_new();
    const char *file = image_name_file(name, arena);
    name_record record = EOS__LAUNCHER__V1__IMAGE_NAME_RECORD__INIT;
    record.name = (char *)name;
    record.digest = (char *)digest;
    record.is_imported = is_imported;
    bool ok = is_same(read_name(directory, file, arena), digest, is_imported) ||
              write_message(directory, IMAGE_FOLDER_NAMES, file, &record.base, err);
    arena_free(arena);
    return ok;
}

const char *image_index_imported(const struct image_directory *directory, const char *name,
                                 struct arena *arena)
{
    const name_record *record = read_name(directory, image_name_file(name, arena), arena);
    if (!record || !record->is_imported ||
        !image_directory_has(directory, IMAGE_FOLDER_IMAGES,
                             image_file_name(record->digest, arena)))
        return NULL;
    return record->digest;
}

/* -- all ------------------------------------------------------------------------------------------ */

static int compare_names(const void *a, const void *b)
{
    const struct indexed_name *left = a, *right = b;
    return strcmp(left->record->name, right->record->name);
}

static void read_names(const struct image_directory *directory, const char *const *files,
                       size_t count, struct arena *arena, struct image_index *index)
{
    index->names = arena_array(arena, count, sizeof *index->names);
    index->unreadable_names = arena_array(arena, count, sizeof *index->unreadable_names);
    for (size_t i = 0; i < count; i++) {
        name_record *record = read_name(directory, files[i], arena);
        if (record)
            index->names[index->name_count++] = (struct indexed_name){ record, files[i] };
        else
            index->unreadable_names[index->unreadable_name_count++] = files[i];
    }
    qsort(index->names, index->name_count, sizeof *index->names, compare_names);
}

static void read_images(const struct image_directory *directory, const char *const *files,
                        size_t count, struct arena *arena, struct image_index *index)
{
    index->images = arena_array(arena, count, sizeof *index->images);
    index->unreadable_images = arena_array(arena, count, sizeof *index->unreadable_images);
    for (size_t i = 0; i < count; i++)
        if (read_image(directory, files[i], arena, &index->images[index->image_count]))
            index->image_count++;
        else
            index->unreadable_images[index->unreadable_image_count++] = files[i];
}

bool image_index_read(const struct image_directory *directory, struct arena *arena,
                      struct image_index *ret_index, struct error *err)
{
    struct image_index index = { 0 };
    const char **files, **name_files;
    size_t count, name_count;
    if (!image_directory_list(directory, IMAGE_FOLDER_IMAGES, arena, &files, &count, err) ||
        !image_directory_list(directory, IMAGE_FOLDER_NAMES, arena, &name_files, &name_count, err))
        return false;
    read_images(directory, files, count, arena, &index);
    read_names(directory, name_files, name_count, arena, &index);
    *ret_index = index;
    return true;
}
