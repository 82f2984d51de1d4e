#pragma once

#include "base/error.h"
#include "base/slice.h"

#include <stddef.h>

/* Keys that signatures of images are checked with: ECDSA on P-256 with SHA-256, and Ed25519. */
struct public_key;

#define PUBLIC_KEY_MAX_BYTES 16384u /* of a PEM file */

/* `pem` holds one "PUBLIC KEY" block; `name`, which is copied, stands for the key in messages.
 * INVALID_ARGUMENT says what is wrong and names neither key nor file. */
struct public_key *public_key_parse(struct slice pem, const char *name,
                                    struct error *err) MUST_CHECK;
void public_key_free(struct public_key *key); /* NULL is a no-op */

const char *public_key_name(const struct public_key *key);
const char *public_key_algorithm(const struct public_key *key); /* "ecdsa-p256" or "ed25519" */
const char *public_key_id(const struct public_key *key);        /* "sha256:…" of the key in DER */

/* Whether `signature` (DER for ECDSA, 64 bytes for Ed25519) is the key's over `message`. */
bool public_key_verifies(const struct public_key *key, struct slice message,
                         struct slice signature);

/* The same where only the SHA-256 of the message is known; never true for Ed25519, which hashes
 * otherwise. */
bool public_key_verifies_sha256(const struct public_key *key, const unsigned char sha256[32],
                                struct slice signature);

/* Borrowed keys, any one of which suffices. */
struct public_keys {
    struct public_key *const *items;
    size_t count;
};
