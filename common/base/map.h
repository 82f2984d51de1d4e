#pragma once

#include "base/slice.h"

/* A hash map from byte strings to pointers.  Keys are copied; values are borrowed and may not be
 * NULL.  Iteration follows insertion order, also after removals, so that output is stable.  The
 * hash is seeded at random per map, so that a peer that chooses keys does not know which collide. */
struct map;

struct map *map_new(void) __attribute__((returns_nonnull));
void map_free(struct map *map); /* NULL is a no-op; values are not touched */

/* The key for a number that a map is indexed by, such as `map_get(map, map_key_u64(&id))`. */
static inline struct slice map_key_u64(const uint64_t *number)
{
    return (struct slice){ (const char *)number, sizeof *number };
}

size_t map_count(const struct map *map);
void *map_get(const struct map *map, struct slice key); /* NULL when absent */

/* Returns the value that `key` had before, or NULL. */
void *map_put(struct map *map, struct slice key, void *value);

/* Returns the removed value, or NULL when there was none. */
void *map_remove(struct map *map, struct slice key);

/* Visits all entries: start with `*cursor` 0; false at the end.  The current entry may be removed
 * during the visit; anything else may not be put or removed. */
bool map_next(const struct map *map, size_t *cursor, struct slice *ret_key, void **ret_value);
