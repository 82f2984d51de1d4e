#include "config/dict.h"

#include "config/vm.h"

#define FEW 8 /* entries that are searched one by one */

struct dict *dict_new(struct arena *arena)
{
    return arena_alloc(arena, sizeof(struct dict));
}

struct value dict_value(struct arena *arena, enum kind kind)
{
    return (struct value){ .kind = kind, .dict = dict_new(arena) };
}

static void index_add(struct dict *dict, size_t entry)
{
    size_t mask = dict->index_size - 1, at = dict->entries[entry].hash & mask;
    while (dict->index[at])
        at = (at + 1) & mask;
    dict->index[at] = (uint32_t)(entry + 1);
}

static void index_rebuild(struct arena *arena, struct dict *dict)
{
    dict->index_size = dict->capacity * 2;
    dict->index = arena_array(arena, dict->index_size, sizeof *dict->index);
    for (size_t i = 0; i < dict->used; i++)
        index_add(dict, i);
}

static void append(struct arena *arena, struct dict *dict, struct dict_entry entry)
{
    if (dict->used == dict->capacity) {
        size_t capacity = dict->capacity ? dict->capacity * 2 : 4;
        dict->entries = arena_grow(arena, dict->entries, dict->capacity * sizeof entry,
                                   capacity * sizeof entry);
        dict->capacity = capacity;
        if (capacity > FEW)
            index_rebuild(arena, dict);
    }
    dict->entries[dict->used++] = entry;
    dict->count++;
    if (dict->index)
        index_add(dict, dict->used - 1);
}

/* Text against text is decided here; anything else needs the vm. */
static bool same_key(struct vm *vm, struct value a, struct value b, bool *ret)
{
    if (a.kind == K_STR && b.kind == K_STR) {
        *ret = string_equal(a.s, b.s);
        return true;
    }
    if (a.kind == K_UNBOUND) {
        *ret = false;
        return true;
    }
    return value_equal(vm, a, b, ret);
}

/* The comparison may run code of the configuration, which must not change the table meanwhile. */
static bool is_entry_of(struct vm *vm, const struct dict *dict, const struct dict_entry *entry,
                        struct value key, uint64_t hash, bool *ret)
{
    const struct dict_entry *entries = dict->entries;
    const uint32_t *index = dict->index;
    *ret = false;
    if (entry->hash != hash || (!vm && entry->key.kind != K_STR))
        return true;
    if (!same_key(vm, entry->key, key, ret))
        return false;
    *ret = *ret && entry->key.kind != K_UNBOUND;
    return (dict->entries == entries && dict->index == index) ||
           raise_error(vm, &class_RuntimeError, "a dict or set changed while a key was looked up");
}

/* Gives the entry or NULL.  With `vm` NULL, `key` is text. */
static bool find(struct vm *vm, const struct dict *dict, struct value key, uint64_t hash,
                 struct dict_entry **ret)
{
    bool is_found = false;
    size_t mask = dict->index_size - 1, at = dict->index ? hash & mask : 0;
    *ret = NULL;
    while (!is_found && (dict->index ? dict->index[at] != 0 : at < dict->used)) {
        struct dict_entry *entry = &dict->entries[dict->index ? dict->index[at] - 1 : at];
        if (!is_entry_of(vm, dict, entry, key, hash, &is_found))
            return false;
        if (is_found)
            *ret = entry;
        at = dict->index ? (at + 1) & mask : at + 1;
    }
    return true;
}

static void put(struct arena *arena, struct dict *dict, struct dict_entry *found,
                struct dict_entry entry)
{
    if (found)
        found->value = entry.value;
    else
        append(arena, dict, entry);
}

static void remove_entry(struct dict *dict, struct dict_entry *entry)
{
    entry->key = V_UNBOUND;
    entry->value = V_UNBOUND;
    dict->count--;
    while (dict->first < dict->used && dict->entries[dict->first].key.kind == K_UNBOUND)
        dict->first++;
}

bool dict_get(struct vm *vm, const struct dict *dict, struct value key, struct value *ret)
{
    uint64_t hash;
    struct dict_entry *entry;
    if (!value_hash(vm, key, &hash) || !find(vm, dict, key, hash, &entry))
        return false;
    *ret = entry ? entry->value : V_UNBOUND;
    return true;
}

bool dict_set(struct vm *vm, struct dict *dict, struct value key, struct value v)
{
    uint64_t hash;
    struct dict_entry *entry;
    if (!value_hash(vm, key, &hash) || !find(vm, dict, key, hash, &entry))
        return false;
    if (!entry && dict->count >= LIMIT_ITEMS)
        return raise_limit(vm, "a dict or set has more than %d items", LIMIT_ITEMS);
    put(vm->arena, dict, entry, (struct dict_entry){ hash, key, v });
    return true;
}

bool dict_remove(struct vm *vm, struct dict *dict, struct value key, struct value *ret)
{
    uint64_t hash;
    struct dict_entry *entry;
    if (!value_hash(vm, key, &hash) || !find(vm, dict, key, hash, &entry))
        return false;
    *ret = entry ? entry->value : V_UNBOUND;
    if (entry)
        remove_entry(dict, entry);
    return true;
}

struct value dict_get_text(const struct dict *dict, struct string *key)
{
    struct dict_entry *entry;
    if (!find(NULL, dict, V_STR(key), string_hash(key), &entry) || !entry)
        return V_UNBOUND;
    return entry->value;
}

void dict_set_text(struct arena *arena, struct dict *dict, struct string *key, struct value v)
{
    struct dict_entry *entry;
    bool is_done = find(NULL, dict, V_STR(key), string_hash(key), &entry);
    put(arena, dict, is_done ? entry : NULL,
        (struct dict_entry){ string_hash(key), V_STR(key), v });
}

bool dict_remove_text(struct dict *dict, struct string *key)
{
    struct dict_entry *entry;
    if (!find(NULL, dict, V_STR(key), string_hash(key), &entry) || !entry)
        return false;
    remove_entry(dict, entry);
    return true;
}

void dict_clear(struct dict *dict)
{
    dict->entries = NULL;
    dict->index = NULL;
    dict->count = dict->used = dict->first = dict->capacity = dict->index_size = 0;
}

struct dict *dict_copy(struct arena *arena, const struct dict *dict)
{
    struct dict *copy = dict_new(arena);
    size_t cursor = 0;
    for (struct dict_entry *entry; (entry = dict_next(dict, &cursor));)
        append(arena, copy, *entry);
    copy->fallback = dict->fallback;
    copy->type_name = dict->type_name;
    return copy;
}

struct dict_entry *dict_next(const struct dict *dict, size_t *cursor)
{
    if (*cursor < dict->first)
        *cursor = dict->first;
    while (*cursor < dict->used) {
        struct dict_entry *entry = &dict->entries[(*cursor)++];
        if (entry->key.kind != K_UNBOUND)
            return entry;
    }
    return NULL;
}
