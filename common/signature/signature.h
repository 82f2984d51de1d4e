#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "signature/public_key.h"

#include <stdint.h>

/* Signatures of images as sigstore's cosign keeps them in a registry, checked with keys alone: no
 * certificates, no transparency log, no network.
 *
 * Everything here was written by whoever may push into the repository, so all of it is bounded, and
 * nothing of it is believed before a key vouches for it. */
#define SIGNATURE_MAX_MANIFEST_BYTES                                                               \
    (1u << 20) /* of a manifest of signatures, a list of referrers */
#define SIGNATURE_MAX_PAYLOAD_BYTES (64u << 10)
#define SIGNATURE_MAX_BUNDLE_BYTES  (1u << 20)
#define SIGNATURE_MAX_COUNT         32u /* that are looked at, of one manifest or list */

/* What a repository has beside an image. */
enum signature_form {
    SIGNATURE_SIMPLE, /* a payload of "simple signing", the signature in an annotation */
    SIGNATURE_BUNDLE, /* a bundle of sigstore */
};

/* One blob that may vouch for an image. */
struct signature_blob {
    enum signature_form form;
    const char *digest;     /* checked */
    int64_t size;           /* within the limit of its form */
    struct slice signature; /* SIGNATURE_SIMPLE: decoded */
};

struct signature_manifest {
    const char *subject; /* digest, checked; "" when there is none */
    struct signature_blob *blobs;
    size_t count;
};

/* A manifest of signatures, in `arena`.  Layers that are something else, too large or malformed are left
 * out, and so are those beyond SIGNATURE_MAX_COUNT.  FAILED_PRECONDITION: it is no such manifest. */
bool signature_manifest_parse(struct slice bytes, struct arena *arena,
                              struct signature_manifest *ret_manifest,
                              struct error *err) MUST_CHECK;

/* A list of referrers: the digests of the manifests that may hold signatures.  Same bounds, same error. */
struct signature_referrers {
    const char **digests;
    size_t count;
};

bool signature_referrers_parse(struct slice bytes, struct arena *arena,
                               struct signature_referrers *ret_referrers,
                               struct error *err) MUST_CHECK;

/* "sha256-<hex>.sig", and "sha256-<hex>" where a registry has no referrers. */
char *signature_tag(const char *digest, struct arena *arena);
char *signature_referrers_tag(const char *digest, struct arena *arena);

/* How a signature stands to an image and the keys that may sign it. */
enum signature_verdict {
    SIGNATURE_GOOD,
    SIGNATURE_BY_ANOTHER, /* none of the keys made it */
    SIGNATURE_FOR_ANOTHER /* one of the keys made it, but not for this image */
};

/* `bytes` are the payload or bundle; `digest` is that of the image.  Good: `*ret_key` made it.
 * Otherwise `err` is the reason, and `*ret_key` is untouched. */
enum signature_verdict signature_check(const struct signature_blob *blob, struct slice bytes,
                                       const char *digest, const struct public_keys *keys,
                                       const struct public_key **ret_key, struct error *err);
