#pragma once

#include "launcher/image_aci_name.h"
#include "launcher/image_directory.h"
#include "launcher/image_source.h"
#include "launcher/image_web.h"

/* Finds the archive of an AppC image and opens it; runs in a worker thread, which waits there. */
struct image_find {
    const struct image_directory *directory;
    const struct image_web *web;
    const char *prefix; /* of simple discovery, which goes first; NULL: none */
    bool asks_host; /* meta discovery, when the prefix does not have the image or there is none */
    struct image_aci_name name;
    int64_t max_bytes;
    bool
        may_be_known; /* an archive that has not changed since image_found_remember() is not read */
    const atomic_bool *cancelled;
};

/* What was found: an archive to read, or the id of the image that it has been before. */
struct image_found;

/* NOT_FOUND when no place has it; else the error of the last place that was tried. */
struct image_found *image_find(const struct image_find *find, struct error *err) MUST_CHECK;
void image_found_close(struct image_found *found); /* NULL is a no-op */

/* NULL when `*ret_id` tells what it is. */
struct image_source *image_found_source(struct image_found *found, const char **ret_id);

/* Writes down that this place has this image, for the next time.  What cannot be written is read again
 * then. */
void image_found_remember(const struct image_found *found, const char *id);
