#pragma once

#include "base/error.h"
#include "base/slice.h"

/* "sha256:<64 hex>" of Docker and OCI, "sha512-<128 hex>" of AppC. */
#define IMAGE_SHA256_CHARS (7 + 64)
#define IMAGE_SHA512_CHARS (7 + 128)
#define IMAGE_DIGEST_BYTES (IMAGE_SHA512_CHARS + 1)

enum image_algorithm { IMAGE_SHA256, IMAGE_SHA512 };

/* Whole and in lower case. */
bool image_digest_is(enum image_algorithm algorithm, struct slice text);

struct image_hash;
struct image_hash *image_hash_new(enum image_algorithm algorithm) __attribute__((returns_nonnull));
void image_hash_free(struct image_hash *hash); /* NULL is a no-op */
void image_hash_add(struct image_hash *hash, const void *bytes, size_t len);

/* Once, at the end. */
void image_hash_finish(struct image_hash *hash, char ret_digest[IMAGE_DIGEST_BYTES]);

void image_digest_of(enum image_algorithm algorithm, struct slice bytes,
                     char ret_digest[IMAGE_DIGEST_BYTES]);
