#pragma once

#include "launcher/image_appc.h"
#include "launcher/image_config.h"
#include "launcher/image_fill.h"
#include "launcher/image_manifest.h"
#include "launcher/image_name.h"

/* What is known of one image on the way to having all of it.
 *
 * Examining tells what is missing; when that has been fetched it is added here and all is examined
 * again, until nothing is missing.  So a pull begins at any state that the disk is in. */
enum image_missing {
    IMAGE_MISSING_NOTHING,
    IMAGE_MISSING_MANIFEST,
    IMAGE_MISSING_CONFIG,
    IMAGE_MISSING_ARCHIVES, /* `needs` */
};

struct image_parts {
    struct arena *arena; /* borrowed; everything here lives in it */
    enum image_kind kind;
    uint64_t owner;     /* of pins: everything of the image is pinned as soon as it is known */
    const char *origin; /* for the index */

    /* Docker */
    struct registry_target target;
    bool is_by_digest;
    const char *local_name;      /* what the store's index calls it */
    bool is_fresh;               /* an imported image of that name is not meant */
    bool is_local;               /* no registry is asked */
    bool is_import;              /* it comes from what was uploaded, and gets the name */
    const char *manifest_digest; /* NULL: not known yet */
    const char *media_type;      /* "" when from the disk */
    struct slice manifest_bytes; /* ptr NULL: not there yet */
    struct slice config_bytes;   /* the same */
    struct manifest manifest;
    struct image_config config;
    bool has_manifest, has_config; /* read and stored */

    struct image_appc appc;

    /* What examining gives */
    enum image_missing missing;
    const struct image_need *needs;
    size_t need_count;
    struct image image; /* when nothing is missing */
};

/* Reads and writes the store's directory: runs in a worker thread. */
bool image_parts_examine(struct image_parts *parts, const struct image_directory *directory,
                         struct error *err) MUST_CHECK;
