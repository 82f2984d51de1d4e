#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "signature/public_key.h"

#include <jansson.h>

/* What a key has said: which images it has signed.
 *
 * The functions verify first; they fail with PERMISSION_DENIED when none of the keys made the signature,
 * or when there is none that could be checked, and say why. */
struct claims {
    const struct public_key *key;
    const char *const *digests; /* of images, "sha256:…" */
    size_t count;               /* 0: the key signed something that is no signature of an image */
};

/* A payload of simple signing. */
bool claims_from_payload(struct slice payload, struct slice signature,
                         const struct public_keys *keys, struct arena *arena,
                         struct claims *ret_claims, struct error *err) MUST_CHECK;

/* A bundle of sigstore: a DSSE envelope with an in-toto statement, or a signature of the bytes with the
 * digest `digest`, ECDSA only. */
bool claims_from_bundle(struct slice bundle, const char *digest, const struct public_keys *keys,
                        struct arena *arena, struct claims *ret_claims,
                        struct error *err) MUST_CHECK;

/* Whether `digest` is among them; FAILED_PRECONDITION tells what was signed instead. */
bool claims_name(const struct claims *claims, const char *digest, struct error *err) MUST_CHECK;
