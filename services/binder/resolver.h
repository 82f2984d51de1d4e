#pragma once

#include "binder/cache.h"
#include "registry/registry.h"

/* Asks registries for images: one flight per image however many wait for it, a bound on flights at
 * once, and a cache of their answers. */
struct resolver;
struct resolver_ticket;

struct resolver_options {
    struct registry_client *registry; /* borrowed; closed before the resolver is */
    struct cache_limits cache;
    uint32_t concurrency; /* flights that ask a registry at the same time */
    uint32_t timeout_ms;  /* of one flight */
};

#define RESOLVER_MAX_WAITING 16384u /* tickets */

struct resolver *resolver_new(const struct resolver_options *options)
    __attribute__((returns_nonnull));

/* Call after registry_client_close(): what is in flight fails from the loop, and with the last of it the
 * resolver is freed.  NULL is a no-op. */
void resolver_close(struct resolver *resolver);

/* What the cache has; the results are valid until the loop turns. */
enum cache_answer resolver_recall(const struct resolver *resolver, const struct image *image,
                                  struct finding *ret_finding, struct error *err);

/* `finding` is NULL when `err` is set; both are valid until the callback returns. */
typedef void resolver_fn(void *user, const struct finding *finding, const struct error *err);

/* Asks the registry, or joins those who are asking it for the same at this moment.  Calls back exactly
 * once, later.  RESOURCE_EXHAUSTED: RESOLVER_MAX_WAITING tickets are out. */
struct resolver_ticket *resolver_ask(struct resolver *resolver, const struct image *image,
                                     resolver_fn *done, void *user, struct error *err) MUST_CHECK;

/* No callback any more.  The last one who waits for a flight ends it. */
void resolver_cancel(struct resolver_ticket *ticket);
