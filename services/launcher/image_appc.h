#pragma once

#include "launcher/image_aci.h"
#include "launcher/image_fill.h"

/* What is known of an AppC image and of all that it depends on. */
struct image_appc {
    struct arena *arena; /* borrowed; everything here lives in it */
    struct image_aci_name name;
    const char *id; /* that was asked for; "" for any of that name */

    struct image_appc_found *found; /* ids of what was named only */
    struct image_appc_read *read;   /* manifests */

    /* What examining gives: what has to be fetched, or the image. */
    struct image_need *needs;
    size_t need_count;
    struct image image;
};

/* Goes through the dependencies as far as they are in the store.  Each image is below those that need
 * it, the first dependency lowest.  Runs in a worker thread, and applies white lists there.
 *   FAILED_PRECONDITION  an image depends on itself, or is not the one that was asked for
 *   OUT_OF_RANGE         more than PLAN_MAX_LAYERS of them, or IMAGE_MAX_ACI_DEPTH in a row
 *   INVALID_ARGUMENT     a manifest is malformed */
bool image_appc_examine(struct image_appc *appc, const struct image_directory *directory,
                        struct error *err) MUST_CHECK;

/* What the image consists of in the store: names in its folder of AppC images, in `arena`.  After
 * examining has given the image. */
size_t image_appc_trees(const struct image_appc *appc, const char ***ret_names);

/* `need` turned out to be the image `id`. */
void image_appc_add(struct image_appc *appc, const struct image_need *need, const char *id);
