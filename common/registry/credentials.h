#pragma once

#include "base/error.h"
#include "base/slice.h"

/* User names and passwords for registries, from Docker's config.json and from a .netrc file. */
struct credentials;

#define CREDENTIALS_MAX_FILE_BYTES (1u << 20)

struct credential {
    const char *user;
    const char *password;
    const char *identity_token; /* instead of a password, for token servers only; or "" */
};

struct credentials *credentials_new(void) __attribute__((returns_nonnull));
void credentials_free(struct credentials *credentials); /* wipes; NULL is a no-op */

/* `auths` (and the old form without it): "auth" as base64 of "user:password", or "username" and
 * "password", "identitytoken"; `credsStore` and `credHelpers`.  Keys may have a scheme and a path.
 * INVALID_ARGUMENT when the file is not of that form; nothing of its content is shown. */
bool credentials_add_docker(struct credentials *credentials, struct slice json,
                            struct error *err) MUST_CHECK;

/* machine, default, login, password, account, macdef; quoted words. */
bool credentials_add_netrc(struct credentials *credentials, struct slice text,
                           struct error *err) MUST_CHECK;

/* For "host[:port]": the exact one, else the host without its port for netrc; every name of Docker's
 * registry stands for all of them.  The docker config is asked first, and netrc's default last.  NULL when
 * there is none.  Valid until the credentials are freed. */
const struct credential *credentials_find(const struct credentials *credentials, struct slice host);

/* The name of the helper program ("docker-credential-<name>") that knows about the host, or NULL. */
const char *credentials_helper(const struct credentials *credentials, struct slice host);
