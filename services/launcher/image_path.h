#pragma once

#include "base/error.h"
#include "base/slice.h"
#include "launcher/image_limits.h"

/* The name of an archive's entry, as it may be used beneath the root of a layer: relative, without
 * empty, "." and ".." components, bounded.  "" is the root itself. */
struct image_path {
    char text[IMAGE_MAX_PATH_BYTES + 1];
    size_t len;
    size_t name; /* where the last component starts */
};

/* Takes "a/b", "./a/b", "a/b/", and ".", "./" and "/" for the root.  INVALID_ARGUMENT for what is not such a name;
 * OUT_OF_RANGE for what is too long or too deep. */
bool image_path_parse(struct slice raw, struct image_path *ret_path, struct error *err) MUST_CHECK;

/* What a regular file's name says in a Docker or OCI layer. */
enum image_marker {
    IMAGE_MARKER_NONE,
    IMAGE_MARKER_WHITEOUT, /* ".wh.x": hides x of the layers below */
    IMAGE_MARKER_OPAQUE,   /* ".wh..wh..opq": hides all of the layers below in this directory */
    IMAGE_MARKER_IGNORED,  /* ".wh..wh.plnk" and the like: another union file system's own */
};

/* For a whiteout `path` becomes the path that is hidden, for an opaque marker its directory. */
bool image_path_take_marker(struct image_path *path, bool is_regular, enum image_marker *ret_marker,
                            struct error *err) MUST_CHECK;

/* Removes the first component when it is `prefix`; false (and no change) when it is another. */
bool image_path_strip(struct image_path *path, const char *prefix);

/* The directory that holds the last component: "" for the root. */
struct slice image_path_parent(const struct image_path *path);

/* A name for messages: what is not printable ASCII becomes '?', and a long one is cut in front. */
#define IMAGE_SHOWN_BYTES 81
const char *image_show(const char *name, char shown[IMAGE_SHOWN_BYTES]);
