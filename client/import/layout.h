#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "base/text.h"
#include "registry/platform.h"

#include <stdint.h>

/* The documents of an OCI layout and of what `docker save` writes.  Made by a stranger: everything is
 * bounded and checked.  Pure. */
#define LAYOUT_MAX_DOCUMENT_BYTES (8u << 20)
#define LAYOUT_MAX_IMAGES         1000u
#define LAYOUT_MAX_NAMES          1000u
#define LAYOUT_MAX_LAYERS         500u

/* One image as index.json or manifest.json tells of it. */
struct layout_image {
    const char *const *names; /* "eos/hello:1.0", or a tag alone */
    size_t name_count;

    /* index.json */
    const char *digest; /* of a manifest or an index; checked; NULL: the other form */
    struct platform platform;
    bool has_platform;

    /* manifest.json: paths in the archive */
    const char *config_path;
    const char *const *layer_paths;
    size_t layer_count;
};

struct layout {
    struct layout_image *images;
    size_t count;
};

/* INVALID_ARGUMENT says what is wrong with it.  Results live in `arena`. */
bool layout_parse_index(struct slice json, struct arena *arena, struct layout *ret_layout,
                        struct error *err) MUST_CHECK;
bool layout_parse_docker(struct slice json, struct arena *arena, struct layout *ret_layout,
                         struct error *err) MUST_CHECK;

/* The diff_ids of an image's config. */
bool layout_parse_config(struct slice json, struct arena *arena, const char *const **ret_diff_ids,
                         size_t *ret_count, struct error *err) MUST_CHECK;

struct layout_blob {
    const char *digest;
    int64_t size;
};

/* The manifest of an image that came without one. */
void layout_add_manifest(const struct layout_blob *config, const struct layout_blob *layers,
                         size_t count, struct text *out);

/* What is meant by `wanted` ("NAME:TAG", or NULL: every image that has a whole name), in `arena`: pairs of
 * an image and the name that it gets.  INVALID_ARGUMENT tells which names there are. */
struct layout_choice {
    const struct layout_image *image;
    const char *name;
};
bool layout_choose(const struct layout *layout, const char *wanted, const struct platform *host,
                   struct arena *arena, struct layout_choice **ret_choices, size_t *ret_count,
                   struct error *err) MUST_CHECK;
