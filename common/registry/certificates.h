#pragma once

#include "base/error.h"
#include "base/slice.h"
#include "registry/digest.h"

/* Which certificates belong to which registry: Docker's layout,
 *
 *     DIRECTORY/HOST[:PORT]/NAME.crt     authorities that are trusted for this registry
 *     DIRECTORY/HOST[:PORT]/NAME.cert    who we are, with its key in NAME.key
 *
 * Authorities count besides those that the system knows.  Of several client certificates the first by
 * name is used. */
struct certificates;

#define CERTIFICATES_MAX_HOSTS      1000u
#define CERTIFICATES_MAX_FILES      64u /* in one directory */
#define CERTIFICATES_MAX_FILE_BYTES (1u << 20)
#define CERTIFICATES_DEFAULT        "/etc/docker/certs.d"

/* PEM; what is absent is empty. */
struct certificate_set {
    struct slice authorities;
    struct slice client_certificate;
    struct slice client_key;
};

/* Reads the whole of it; blocks.  A directory that is not there is empty.  Messages name the file:
 * INVALID_ARGUMENT for one that is no certificate or key, and for a certificate without a key or a key
 * without a certificate. */
struct certificates *certificates_read(const char *directory, struct error *err) MUST_CHECK;
void certificates_free(struct certificates *certificates); /* wipes; NULL is a no-op */

/* For "host[:port]" as it stands in a URL; "host" and "host:443" are the same.  NULL when there are none.
 * Valid until the certificates are freed. */
const struct certificate_set *certificates_find(const struct certificates *certificates,
                                                struct slice authority);

/* Adds everything that was read to a digest that tells whether something has changed. */
void certificates_add_to(const struct certificates *certificates, struct digest_stream *digest);
