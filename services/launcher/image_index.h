#pragma once

#include "launcher/image_directory.h"

#include "eos/launcher/v1/image_record.pb-c.h"

/* Which images the store has, and by which names: small files, each written whole, so that the index
 * survives whatever happens.  A record is written when all of its image is there; a name may lead
 * nowhere, and then counts as none.  All of this blocks, and runs in worker threads. */

#define IMAGE_RECORD_MAX_BYTES (1u << 20)

/* Writes the record, or adds its layers to those of the one that is there, and notes that the image is used
 * now. */
bool image_index_keep(const struct image_directory *directory,
                      const Eos__Launcher__V1__ImageRecord *record, struct error *err) MUST_CHECK;

/* Lets a name lead to an image. */
bool image_index_name(const struct image_directory *directory, const char *name, const char *digest,
                      bool is_imported, struct error *err) MUST_CHECK;

/* The digest of the image that a name leads to, in `arena`, when it was imported; or NULL. */
const char *image_index_imported(const struct image_directory *directory, const char *name,
                                 struct arena *arena);

/* The file of a name. */
const char *image_name_file(const char *name, struct arena *arena);

/* Everything, in `arena`. */
struct image_index {
    struct indexed_image {
        Eos__Launcher__V1__ImageRecord *record;
        const char *file;
        int64_t used_ms;
    } * images;
    size_t image_count;
    struct indexed_name {
        Eos__Launcher__V1__ImageNameRecord *record;
        const char *file;
    } * names; /* in the order of the alphabet */
    size_t name_count;
    const char **unreadable_images, **unreadable_names; /* files */
    size_t unreadable_image_count, unreadable_name_count;
};
bool image_index_read(const struct image_directory *directory, struct arena *arena,
                      struct image_index *ret_index, struct error *err) MUST_CHECK;
