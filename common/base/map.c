#include "base/map.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>

/* Entries stand in an array in insertion order; `index` is an open-addressed table of positions in
 * it.  A removed entry keeps its place as a hole until the next rebuild. */
struct entry {
    char *key; /* NULL: a hole */
    size_t len;
    uint64_t hash;
    void *value;
};

enum { SLOT_FREE = 0, SLOT_REMOVED = 1, SLOT_FIRST = 2 };

struct map {
    struct entry *entries;
    size_t used, capacity, count;
    uint32_t *index; /* SLOT_FREE, SLOT_REMOVED, or position + SLOT_FIRST */
    size_t index_size, index_used;
    uint64_t seed;
};

#define FIRST_INDEX_SIZE 16

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0xff51afd7ed558ccdu;
    return hash ^ hash >> 32;
}

static uint64_t hash_bytes(uint64_t seed, struct slice key)
{
    uint64_t hash = seed ^ (key.len * 0x9e3779b97f4a7c15u), word = 0;
    size_t i = 0;
    for (; i + sizeof word <= key.len; i += sizeof word) {
        memcpy(&word, key.ptr + i, sizeof word);
        hash = mix(hash, word);
    }
    word = 0;
    if (i < key.len)
        memcpy(&word, key.ptr + i, key.len - i);
    return mix(hash, word);
}

struct map *map_new(void)
{
    struct map *map = xcalloc(1, sizeof *map);
    if (getrandom(&map->seed, sizeof map->seed, GRND_NONBLOCK) != sizeof map->seed)
        map->seed = (uintptr_t)map;
    return map;
}

void map_free(struct map *map)
{
    if (!map)
        return;
    for (size_t i = 0; i < map->used; i++)
        free(map->entries[i].key);
    free(map->entries);
    free(map->index);
    free(map);
}

size_t map_count(const struct map *map)
{
    return map->count;
}

/* The index slot that holds `key`, or index_size when there is none. */
static size_t find_slot(const struct map *map, struct slice key, uint64_t hash)
{
    if (map->index_size == 0)
        return 0;
    for (size_t slot = hash & (map->index_size - 1);; slot = (slot + 1) & (map->index_size - 1)) {
        uint32_t at = map->index[slot];
        if (at == SLOT_FREE)
            return map->index_size;
        if (at == SLOT_REMOVED)
            continue;
        const struct entry *entry = &map->entries[at - SLOT_FIRST];
        if (entry->hash == hash && slice_equal((struct slice){ entry->key, entry->len }, key))
            return slot;
    }
}

static void index_entry(struct map *map, size_t position)
{
    size_t slot = map->entries[position].hash & (map->index_size - 1);
    while (map->index[slot] >= SLOT_FIRST)
        slot = (slot + 1) & (map->index_size - 1);
    if (map->index[slot] == SLOT_FREE)
        map->index_used++;
    map->index[slot] = (uint32_t)position + SLOT_FIRST;
}

/* Closes the holes and makes the index large enough for twice the entries. */
static void rebuild(struct map *map)
{
    size_t kept = 0;
    for (size_t i = 0; i < map->used; i++)
        if (map->entries[i].key)
            map->entries[kept++] = map->entries[i];
    map->used = kept;

    size_t size = FIRST_INDEX_SIZE;
    while (size < (map->count + 1) * 3)
        size *= 2;
    free(map->index);
    map->index = xcalloc(size, sizeof *map->index);
    map->index_size = size;
    map->index_used = 0;
    for (size_t i = 0; i < map->used; i++)
        index_entry(map, i);
}

void *map_get(const struct map *map, struct slice key)
{
    size_t slot = find_slot(map, key, hash_bytes(map->seed, key));
    return slot < map->index_size ? map->entries[map->index[slot] - SLOT_FIRST].value : NULL;
}

void *map_put(struct map *map, struct slice key, void *value)
{
    assert(value);
    uint64_t hash = hash_bytes(map->seed, key);
    size_t slot = find_slot(map, key, hash);
    if (slot < map->index_size) {
        struct entry *entry = &map->entries[map->index[slot] - SLOT_FIRST];
        void *before = entry->value;
        entry->value = value;
        return before;
    }
    if ((map->index_used + 1) * 3 > map->index_size * 2 || map->used > 2 * map->count + 16)
        rebuild(map);
    if (map->used == map->capacity) {
        map->capacity = map->capacity ? 2 * map->capacity : 8;
        map->entries = xreallocarray(map->entries, map->capacity, sizeof *map->entries);
    }
    map->entries[map->used] = (struct entry){ xmemdup0(key.ptr, key.len), key.len, hash, value };
    map->count++;
    index_entry(map, map->used++);
    return NULL;
}

void *map_remove(struct map *map, struct slice key)
{
    size_t slot = find_slot(map, key, hash_bytes(map->seed, key));
    if (slot >= map->index_size)
        return NULL;
    struct entry *entry = &map->entries[map->index[slot] - SLOT_FIRST];
    void *value = entry->value;
    free(entry->key);
    *entry = (struct entry){ 0 };
    map->index[slot] = SLOT_REMOVED;
    map->count--;
    return value;
}

bool map_next(const struct map *map, size_t *cursor, struct slice *ret_key, void **ret_value)
{
    while (*cursor < map->used) {
        const struct entry *entry = &map->entries[(*cursor)++];
        if (!entry->key)
            continue;
        *ret_key = (struct slice){ entry->key, entry->len };
        *ret_value = entry->value;
        return true;
    }
    return false;
}
