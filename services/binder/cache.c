#include "binder/cache.h"

#include "base/alloc.h"
#include "base/map.h"

struct entry {
    struct arena *arena;
    struct finding finding;
    struct error error; /* OK: there is a finding */
    int64_t expires_at_ms;
};

struct cache {
    struct cache_limits limits;
    struct map *entries; /* in the order in which they were put */
};

static void entry_free(struct entry *entry)
{
    if (!entry)
        return;
    arena_free(entry->arena);
    free(entry);
}

struct cache *cache_new(const struct cache_limits *limits)
{
    struct cache *cache = xcalloc(1, sizeof *cache);
    cache->limits = *limits;
    cache->entries = map_new();
    return cache;
}

void cache_free(struct cache *cache)
{
    size_t cursor = 0;
    struct slice key;
    void *entry;
    if (!cache)
        return;
    while (map_next(cache->entries, &cursor, &key, &entry))
        entry_free(entry);
    map_free(cache->entries);
    free(cache);
}

enum cache_answer cache_find(const struct cache *cache, const char *key, int64_t now_ms,
                             struct finding *ret_finding, struct error *err)
{
    const struct entry *entry = map_get(cache->entries, slice_of(key));
    if (!entry || now_ms >= entry->expires_at_ms)
        return CACHE_MISS;
    if (entry->error.code != ERROR_OK) {
        *err = entry->error;
        return CACHE_NOT_FOUND;
    }
    *ret_finding = entry->finding;
    return CACHE_FOUND;
}

bool cache_last(const struct cache *cache, const char *key, struct finding *ret_finding)
{
    const struct entry *entry = map_get(cache->entries, slice_of(key));
    if (!entry || entry->error.code != ERROR_OK)
        return false;
    *ret_finding = entry->finding;
    return true;
}

static void forget(struct cache *cache, struct slice key)
{
    entry_free(map_remove(cache->entries, key));
}

static void make_room(struct cache *cache)
{
    size_t cursor = 0;
    struct slice key;
    void *entry;
    while (map_count(cache->entries) >= cache->limits.count &&
           map_next(cache->entries, &cursor, &key, &entry))
        forget(cache, key);
}

/* An entry that is put again becomes the youngest. */
static struct entry *put(struct cache *cache, const char *key, int64_t expires_at_ms)
{
    forget(cache, slice_of(key));
    if (cache->limits.count == 0)
        return NULL;
    make_room(cache);
    struct entry *entry = xcalloc(1, sizeof *entry);
    entry->arena = arena_new();
    entry->expires_at_ms = expires_at_ms;
    map_put(cache->entries, slice_of(key), entry);
    return entry;
}

void cache_put(struct cache *cache, const char *key, const struct finding *finding, int64_t now_ms)
{
    struct entry *entry = put(cache, key, now_ms + cache->limits.ttl_ms);
    if (entry)
        entry->finding = finding_copy(finding, entry->arena);
}

void cache_put_error(struct cache *cache, const char *key, const struct error *err, int64_t now_ms)
{
    if (err->code != ERROR_NOT_FOUND) {
        forget(cache, slice_of(key));
        return;
    }
    struct entry *entry = put(cache, key, now_ms + cache->limits.negative_ttl_ms);
    if (entry)
        entry->error = *err;
}

size_t cache_count(const struct cache *cache)
{
    return map_count(cache->entries);
}
