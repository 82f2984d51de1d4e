#pragma once

#include "base/error.h"
#include "base/slice.h"

#include <stdint.h>

/* Content addresses: "sha256:" and 64 lower-case hexadecimal digits, or "sha512:" and 128. */
#define DIGEST_MAX_LEN 136 /* with the NUL */

/* INVALID_ARGUMENT points at the byte that is wrong. */
bool digest_check(struct slice digest, struct error *err) MUST_CHECK;

/* The same for one that stands at `offset` in what the user wrote: bytes are counted from there. */
bool digest_check_at(struct slice digest, size_t offset, struct error *err) MUST_CHECK;

/* The digest of `bytes` with SHA-256, as text with its NUL. */
void digest_of(const void *bytes, size_t len, char ret_digest[DIGEST_MAX_LEN]);

/* The same as `digest` says, with the algorithm that it names.  `digest` has been checked. */
bool digest_matches(struct slice digest, const void *bytes, size_t len);

/* Computes while bytes stream.  `digest` names what is expected, and has been checked. */
struct digest_stream;
struct digest_stream *digest_stream_new(struct slice digest) __attribute__((returns_nonnull));
void digest_stream_free(struct digest_stream *stream); /* NULL is a no-op */
void digest_stream_add(struct digest_stream *stream, const void *bytes, size_t len);

/* Ends the stream: whether its bytes have the expected digest.  `ret_digest` gets the real one. */
bool digest_stream_end(struct digest_stream *stream, char ret_digest[DIGEST_MAX_LEN]);
