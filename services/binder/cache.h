#pragma once

#include "binder/image.h"

/* What registries said lately.  Answers live for a stated time; that an image is not there is
 * remembered for a shorter one, so that a mistake which is repeated does not cost the registry more. */
struct cache;

struct cache_limits {
    size_t count; /* beyond it the oldest answers go */
    int64_t ttl_ms, negative_ttl_ms;
};

struct cache *cache_new(const struct cache_limits *limits) __attribute__((returns_nonnull));
void cache_free(struct cache *cache); /* NULL is a no-op */

enum cache_answer { CACHE_MISS, CACHE_FOUND, CACHE_NOT_FOUND };

/* CACHE_FOUND fills the finding, CACHE_NOT_FOUND the error; both are valid until the next put. */
enum cache_answer cache_find(const struct cache *cache, const char *key, int64_t now_ms,
                             struct finding *ret_finding, struct error *err);

/* What was found the last time, however long ago; false when that is not known any more.  Valid until the
 * next put. */
bool cache_last(const struct cache *cache, const char *key, struct finding *ret_finding);

void cache_put(struct cache *cache, const char *key, const struct finding *finding, int64_t now_ms);

/* Only NOT_FOUND is remembered; any other error just forgets what was known. */
void cache_put_error(struct cache *cache, const char *key, const struct error *err, int64_t now_ms);

size_t cache_count(const struct cache *cache);
