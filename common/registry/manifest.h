#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "registry/platform.h"

#include <stdint.h>

/* Manifests and indexes: Docker schema 2 and OCI.  Everything is bounded; names follow OCI. */
#define MANIFEST_MAX_BYTES   (4u << 20)
#define MANIFEST_MAX_LAYERS  1000u
#define MANIFEST_MAX_ENTRIES 1000u
#define MANIFEST_MAX_URLS    8u /* of a descriptor; more are passed over */

/* For the Accept header: every type that manifest_parse() takes. */
#define MANIFEST_ACCEPT                                                                            \
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, "        \
    "application/vnd.docker.distribution.manifest.v2+json, "                                       \
    "application/vnd.docker.distribution.manifest.list.v2+json"

enum manifest_kind { MANIFEST_IMAGE, MANIFEST_INDEX };

/* What is absent is "". */
struct descriptor {
    const char *media_type;
    const char *digest; /* checked */
    int64_t size;
    const char *const *urls; /* where a blob is besides its registry */
    size_t url_count;
    struct platform platform; /* of an entry of an index */
    bool has_platform;
    bool is_attestation; /* an entry that describes another one and is no image */
};

struct manifest {
    enum manifest_kind kind;
    const char *media_type;
    struct descriptor config;        /* of an image */
    const struct descriptor *layers; /* of an image, lowest first */
    size_t layer_count;
    const struct descriptor *entries; /* of an index */
    size_t entry_count;
};

/* `content_type` is the header's value ("" when unknown) and must agree with the document's mediaType;
 * everything lives in `arena`.  FAILED_PRECONDITION: not a manifest that can be used, and why;
 * UNIMPLEMENTED: schema 1. */
bool manifest_parse(struct slice bytes, struct slice content_type, struct arena *arena,
                    struct manifest *ret_manifest, struct error *err) MUST_CHECK;

/* The entry of an index that fits `host` best; the first of several.  An entry without a platform
 * counts only when it is alone.  NOT_FOUND names the platform that is missing and those that are there. */
bool manifest_choose(const struct manifest *index, const struct platform *host,
                     const struct descriptor **ret_entry, struct error *err) MUST_CHECK;

/* "linux/amd64,linux/arm64/v8": the platforms of an index, without attestations. */
char *manifest_platforms(const struct manifest *index, struct arena *arena);

/* "linux/amd64" or "linux/arm/v7". */
char *platform_format(const struct platform *platform, struct arena *arena);
