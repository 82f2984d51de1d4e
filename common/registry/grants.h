#pragma once

#include "registry/www_authenticate.h"

#include <stdint.h>

/* What opened which repository last time, so that the next request brings it along at once. */
struct grants;

#define GRANTS_MAX 1024u

struct grant {
    enum auth_scheme scheme;
    const char *header; /* "Authorization: …" */
    uint64_t serial;    /* from 1; no two are the same */
};

struct grants *grants_new(void) __attribute__((returns_nonnull));
void grants_free(struct grants *grants); /* wipes; NULL is a no-op */

/* NULL when there is none, or it has expired.  Valid until the next change. */
const struct grant *grants_find(const struct grants *grants, const char *base_url,
                                const char *repository, uint64_t now_ms);

/* Takes the place of an earlier one.  With GRANTS_MAX of them, all others are forgotten. */
void grants_put(struct grants *grants, const char *base_url, const char *repository,
                enum auth_scheme scheme, const char *header, uint64_t expires_at_ms);
void grants_forget(struct grants *grants, const char *base_url, const char *repository);
