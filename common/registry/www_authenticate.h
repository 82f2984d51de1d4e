#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

/* What a registry answers with 401: RFC 9110's challenges, several of them in one header or in
 * several. */
enum auth_scheme { AUTH_NONE, AUTH_BASIC, AUTH_BEARER, AUTH_SCHEME_COUNT };

/* "anonymous", "basic", "bearer" */
const char *auth_scheme_name(enum auth_scheme scheme);

/* What is absent is "". */
struct auth_challenge {
    enum auth_scheme scheme;
    const char *realm; /* of Bearer: the URL of the token server */
    const char *service;
    const char *scope; /* several scopes are separated by spaces */
    const char *error; /* such as "insufficient_scope" */
};

#define AUTH_MAX_HEADER_BYTES 8192

/* Takes the strongest challenge of one header's value that we can answer: Bearer, then Basic; other
 * schemes are passed over.  Scheme and parameter names in any case, values as tokens or quoted, with
 * commas and equals signs inside of quotes.
 * UNAUTHENTICATED when there is none, or when the header is malformed: the message says which. */
bool auth_challenge_parse(struct slice header, struct arena *arena,
                          struct auth_challenge *ret_challenge, struct error *err) MUST_CHECK;
