#pragma once

#include "base/error.h"

/* The secret that all programs of a cluster share: 32 random bytes.  Messages between hosts are
 * sealed with keys derived from it. */
struct cluster_key;

/* Reads a key file: 64 hexadecimal digits and an optional newline.  INVALID_ARGUMENT when it is
 * anything else, PERMISSION_DENIED when others than the owner may read it.  Release with
 * cluster_key_free(), which wipes it. */
struct cluster_key *cluster_key_read(const char *path, struct error *err) MUST_CHECK;
void cluster_key_free(struct cluster_key *key);
