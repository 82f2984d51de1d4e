#pragma once

#include "config/value.h"

/* Tables with the order of insertion, for dicts, sets and names.  Keys that are no text may run code
 * of the configuration to be hashed or compared: then a function returns false with the exception in
 * the vm. */

struct dict_entry {
    uint64_t hash;
    struct value key, value; /* a deleted entry has a K_UNBOUND key */
};

struct dict {
    struct dict_entry *entries;
    uint32_t *index; /* from hashes to entries, plus one; NULL while there are few */
    size_t count;    /* of live entries */
    size_t used;     /* of all, deleted ones too */
    size_t first;    /* of the live entries; those before it are deleted */
    size_t capacity, index_size;
    bool is_shown;         /* repr() is in it */
    struct value fallback; /* the factory of a defaultdict, else K_UNBOUND */
    const char *type_name; /* of dicts that print differently; else NULL */
};

struct dict *dict_new(struct arena *arena);
struct value dict_value(struct arena *arena, enum kind kind);

/* `ret->kind` is K_UNBOUND when there is none. */
bool dict_get(struct vm *vm, const struct dict *dict, struct value key, struct value *ret);
bool dict_set(struct vm *vm, struct dict *dict, struct value key, struct value v);
bool dict_remove(struct vm *vm, struct dict *dict, struct value key, struct value *ret);

/* With text as key nothing can fail. */
struct value dict_get_text(const struct dict *dict, struct string *key);
void dict_set_text(struct arena *arena, struct dict *dict, struct string *key, struct value v);
bool dict_remove_text(struct dict *dict, struct string *key);

void dict_clear(struct dict *dict);
struct dict *dict_copy(struct arena *arena, const struct dict *dict);

/* Visits live entries: start with `*cursor` 0; NULL at the end. */
struct dict_entry *dict_next(const struct dict *dict, size_t *cursor);
