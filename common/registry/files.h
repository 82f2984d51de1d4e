#pragma once

#include "registry/certificates.h"
#include "registry/credentials.h"
#include "registry/digest.h"

/* The files that say who we are and whom we trust. */
struct registry_files {
    struct credentials *credentials;
    struct certificates *certificates;
    char digest[DIGEST_MAX_LEN]; /* of all that was read; tells whether something has changed */
};

/* Where they are. */
struct registry_paths {
    const char *docker_config; /* a config.json, or a directory with one; NULL: none */
    const char *netrc;         /* NULL: none */
    const char *certs_dir;
    bool has_defaults; /* what is NULL is the user's own file, if there is one */
};

/* Reads all of them; blocks, and may be called from any thread.  A file that is named must be there.
 * Messages name the file. */
bool registry_files_read(const struct registry_paths *paths, struct registry_files *ret_files,
                         struct error *err) MUST_CHECK;
void registry_files_done(struct registry_files *files); /* wipes; may be empty */

/* Only the credentials, of the files that are named. */
bool credentials_read(struct credentials *credentials, const char *docker_config, const char *netrc,
                      struct error *err) MUST_CHECK;
