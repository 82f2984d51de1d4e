#pragma once

#include "registry/registry.h"
#include "signature/signature.h"

/* Looks for a signature of one image in the image's own repository: first where cosign has always put
 * it, at the tag "sha256-<hex>.sig", and then among the image's referrers, by the API of OCI 1.1 or, where
 * a registry has none, by the tag "sha256-<hex>".  The first one that counts ends it. */
struct verifier;

struct verifier_question {
    struct registry_client *registry; /* borrowed */
    const char *base_url, *repository;
    const char *digest;             /* of the image: what is bound */
    const char *what;               /* for messages: the reference */
    const struct public_keys *keys; /* any one of them; borrowed until the end */
    uint32_t timeout_ms;
};

struct verification {
    const struct public_key *key;
    const char *form;   /* "simple-signing" or "bundle" */
    const char *found;  /* "tag" or "referrer" */
    const char *digest; /* of the payload or bundle */
};

/* `verification` is NULL when `err` is set; both are valid until the callback returns. */
typedef void verifier_fn(void *user, const struct verification *verification,
                         const struct error *err);

/* The question is copied.  Calls back exactly once, later:
 *   FAILED_PRECONDITION  there is no signature that counts; names the keys that were expected
 * and what registry_get_manifest() may say when the registry cannot be asked. */
struct verifier *verifier_start(const struct verifier_question *question, verifier_fn *done,
                                void *user, struct error *err) MUST_CHECK;
void verifier_cancel(struct verifier *verifier); /* no callback any more; gone */
