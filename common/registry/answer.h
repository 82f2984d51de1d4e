#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "registry/credentials.h"

#include <stdint.h>

/* What registries, token servers and credential helpers say in JSON. */
#define ANSWER_MAX_BYTES (64u << 10)

/* `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"…"}]}` as "MANIFEST_UNKNOWN: manifest unknown", in
 * `arena`; "" when the body is anything else.  What comes back is printable ASCII of at most 120
 * bytes: it may be shown. */
const char *answer_error(struct slice body, struct arena *arena);

/* Printable ASCII of at most `most` bytes, with '?' for everything else. */
char *answer_printable(struct slice text, size_t most, struct arena *arena);

struct answer_token {
    const char *token;
    int64_t expires_in_s; /* 60 when not said; from 1 to a day */
};

/* `{"token":"…"}` or `{"access_token":"…"}`, with `expires_in`.  UNAUTHENTICATED when there is none or
 * it could not be sent in a header. */
bool answer_token_parse(struct slice body, struct arena *arena, struct answer_token *ret_token,
                        struct error *err) MUST_CHECK;

/* `{"Username":"…","Secret":"…"}` of a credential helper; for the user "<token>" the secret is an identity
 * token.  False when it is anything else. */
bool answer_credential_parse(struct slice answer, struct arena *arena,
                             struct credential *ret_credential) MUST_CHECK;
