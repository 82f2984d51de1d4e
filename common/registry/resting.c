#include "registry/resting.h"

#include "base/alloc.h"
#include "base/map.h"

struct resting {
    struct map *ends; /* base_url -> uint64_t */
};

static void forget_all(struct resting *resting)
{
    size_t cursor = 0;
    struct slice key;
    void *end;
    while (map_next(resting->ends, &cursor, &key, &end))
        free(end);
    map_free(resting->ends);
}

struct resting *resting_new(void)
{
    struct resting *resting = xcalloc(1, sizeof *resting);
    resting->ends = map_new();
    return resting;
}

void resting_free(struct resting *resting)
{
    if (!resting)
        return;
    forget_all(resting);
    free(resting);
}

void resting_put(struct resting *resting, const char *base_url, uint64_t until_ms)
{
    uint64_t *end = map_get(resting->ends, slice_of(base_url));
    if (!end && map_count(resting->ends) >= RESTING_MAX) {
        forget_all(resting);
        resting->ends = map_new();
    }
    if (!end) {
        end = xcalloc(1, sizeof *end);
        map_put(resting->ends, slice_of(base_url), end);
    }
    if (until_ms > *end)
        *end = until_ms;
}

bool resting_has(const struct resting *resting, const char *base_url, uint64_t now_ms)
{
    const uint64_t *end = map_get(resting->ends, slice_of(base_url));
    return end && now_ms < *end;
}
