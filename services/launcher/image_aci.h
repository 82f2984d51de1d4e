#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "launcher/image_aci_name.h"
#include "launcher/image_config.h"

/* What must be beneath an image. */
struct image_aci_dependency {
    struct image_aci_name name;
    const char *id;     /* "sha512-…"; "" when any image of that name will do */
    int64_t size_bytes; /* 0: not said */
};

/* The manifest of an AppC image. */
struct image_aci {
    const char *name;
    const struct image_label *labels;
    size_t label_count;
    struct image_settings settings;
    const struct image_aci_dependency *dependencies; /* lowest first */
    size_t dependency_count;
    const char *const
        *whitelist; /* in byte order, "usr/bin/x": all that remains; none: everything */
    size_t whitelist_count;
};

/* The result lives in `arena`. */
bool image_aci_parse(struct slice json, struct arena *arena, struct image_aci *ret_aci,
                     struct error *err) MUST_CHECK;

/* Whether it is what was asked for and can run here: FAILED_PRECONDITION tells what differs.  An image
 * without "os" or "arch" runs everywhere. */
bool image_aci_match(const struct image_aci *aci, const struct image_aci_name *wanted,
                     struct error *err) MUST_CHECK;

/* Whether its white list leaves `path` ("a/b"): what it names, and the directories on the way to that. */
bool image_aci_permits(const struct image_aci *aci, const char *path);

#define IMAGE_MAX_ACI_MANIFEST_BYTES (1u << 20)
