#pragma once

#include "base/text.h"
#include "launcher/image_limits.h"
#include "launcher/image_path.h"

#include <archive.h>
#include <archive_entry.h>

/* Puts entries of an archive into a directory, none of them anywhere else. */
struct image_writer {
    int root_fd;  /* the layer */
    int trash_fd; /* beside it: what an entry replaced */
    const struct image_limits *limits;
    struct text directories; /* whose times are set at the end */
    int64_t bytes, entries;

    /* Of the last entry; opened again when something was replaced, or when it is another. */
    struct text parent;
    int parent_fd;
    bool has_parent, is_parent_known;
};

/* Replaces what stood at `path`, except a directory by a directory.  Reads the entry's data from
 * `archive`; when libarchive fails there, ABORTED stands for its own error. */
bool image_writer_put(struct image_writer *writer, const struct image_path *path,
                      struct archive *archive, struct archive_entry *entry,
                      struct error *err) MUST_CHECK;

/* In overlayfs's form: a character device 0:0, or "trusted.overlay.opaque". */
bool image_writer_whiteout(struct image_writer *writer, const struct image_path *path,
                           struct archive_entry *entry, struct error *err) MUST_CHECK;
bool image_writer_opaque(struct image_writer *writer, const struct image_path *path,
                         struct archive_entry *entry, struct error *err) MUST_CHECK;

/* A hard link to what the layer has at `target`. */
bool image_writer_link(struct image_writer *writer, const struct image_path *path,
                       const struct image_path *target, struct archive_entry *entry,
                       struct error *err) MUST_CHECK;

/* Sets the times of directories. */
bool image_writer_finish(struct image_writer *writer, struct error *err) MUST_CHECK;
void image_writer_done(struct image_writer *writer);

#define IMAGE_OPAQUE_XATTR "trusted.overlay.opaque"
