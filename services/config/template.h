#pragma once

#include "config/vm.h"

/* The template library: types, values of them, references, scopes.  The behaviour, down to the
 * messages, is that of the reference's library. */

enum type_kind {
    TYPE_STRING,
    TYPE_INTEGER,
    TYPE_FLOAT,
    TYPE_BOOLEAN,
    TYPE_ENUM,
    TYPE_STRUCT,
    TYPE_LIST,
    TYPE_MAP,
    TYPE_CHOICE,
    TYPE_BASE, /* `Struct`, to derive from */
    TYPE_KIND_COUNT
};

/* What a field has when it is not given.  The kinds behind FALLBACK_OBJECT are for tables: the
 * value is made of them when it is first needed. */
enum fallback_kind {
    FALLBACK_NONE,
    FALLBACK_OBJECT,
    FALLBACK_TEXT,
    FALLBACK_INTEGER,
    FALLBACK_FLOAT,
    FALLBACK_BOOLEAN,
    FALLBACK_LIST,    /* an empty one */
    FALLBACK_STRUCT,  /* with its own defaults */
    FALLBACK_HTTP,    /* a struct whose field `http` is set to its defaults */
    FALLBACK_PORTMAP, /* aurora => {{primary_port}} */
};

/* A field of a struct type, or Required(T) and Default(T, v) on their way there. */
struct field {
    const char *name;
    const struct type *type;
    bool is_required;
    enum fallback_kind fallback;
    const char *text;
    double number;
    const struct object *object;
};

struct type {
    enum type_kind kind;
    const char *name;
    const struct field *fields; /* of structs */
    size_t field_count;
    const struct type *item; /* of lists; of maps: the values */
    const struct type *key;  /* of maps */
    const struct type *const *choices;
    size_t choice_count;
    const char *const *names; /* of enumerations */
    size_t name_count;
    uint16_t id; /* of schema types, from 1: where their defaults are kept */
};

extern const struct type type_String, type_Integer, type_Float, type_Boolean, type_Struct;

/* --- scopes: where references are looked up --- */

struct scopes; /* NULL: none */

struct pair {
    const struct object *key, *value;
};

/* A value of a type.  Never changes. */
struct object {
    const struct type *type;
    const struct scopes *scopes;
    union {
        struct value raw;                   /* simple types, choices */
        const struct object *const *fields; /* structs; NULL: not set */
        const struct object *const *items;  /* lists */
        const struct pair *pairs;           /* maps */
    };
    size_t count; /* of items or pairs */
    struct dict
        *index; /* of maps: keys to pairs, when there are many and all are plain texts; or NULL */
    bool is_final; /* holds nothing to fill in or to convert: no scope can change it */
    struct span
        made_at; /* the call of the configuration that made it, for what is found out later */
};

struct binding {
    struct string *reference; /* canonical */
    struct value value;       /* K_STR or K_OBJECT */
};

struct environment {
    struct binding *items;
    size_t count, capacity;
    struct dict *index; /* of references to places in `items`; NULL while there are few */
};

struct typecheck {
    bool is_ok;
    const char *message;
    const char *error_class; /* what kind of failure it is */
};

/* Open references that an interpolation met. */
struct references {
    struct string **items;
    size_t count, capacity;
};

static inline struct value object_value(const struct object *object)
{
    return object ? (struct value){ .kind = K_OBJECT, .object = object } : V_EMPTY;
}

static inline struct value type_value(const struct type *type)
{
    return (struct value){ .kind = K_TYPE, .type = type };
}

static inline bool type_is_simple(const struct type *type)
{
    return type->kind <= TYPE_ENUM;
}

/* --- reference.c --- */

/* The canonical form: each name with a dot before it.  InvalidRefError when it does not fit. */
bool reference_parse(struct vm *vm, struct slice address, struct string **ret);
bool reference_wrap(struct vm *vm, struct value v, struct string **ret);
/* Without a dot at the start. */
struct slice reference_address(struct slice reference);
/* The first component: a name or an index, and what is behind it. */
struct slice reference_first(struct slice reference, bool *ret_is_index, struct slice *ret_rest);
/* What is behind `prefix`; false if it is no true prefix. */
bool reference_behind(struct slice reference, struct slice prefix, struct slice *ret_rest);

/* --- environment.c --- */

bool environment_add(struct vm *vm, struct environment *environment, struct value source);
bool environment_wrap(struct vm *vm, struct value v, struct value *ret);
struct environment *environment_new(struct vm *vm);
void environment_put(struct vm *vm, struct environment *environment, struct string *reference,
                     struct value v);

/* --- scope.c --- */

/* `first` is stronger. */
const struct scopes *scopes_join(struct vm *vm, const struct scopes *first,
                                 const struct scopes *second);
const struct scopes *scopes_of_value(struct vm *vm, struct value namable);
/* The scopes that the parts of `object` see because they are in it. */
const struct scopes *scopes_of_object(struct vm *vm, const struct object *object);
/* K_UNBOUND when it is not there.  Fails with an exception when a look-up goes wrong. */
bool scopes_find(struct vm *vm, const struct scopes *scopes, struct slice reference,
                 struct value *ret);

/* --- interpolate.c --- */

/* Fills the references of `text`; what stays open is added to `references`, which may be NULL;
 * `*ret_open` tells if there is any. */
bool template_resolve(struct vm *vm, struct string *text, const struct scopes *scopes,
                      struct references *references, struct string **ret, bool *ret_open);
/* The next reference at or behind `*at`, which is moved behind it; escaped ones are no references. */
bool template_next_reference(struct slice text, size_t *at, struct slice *ret_content);
bool object_interpolate(struct vm *vm, const struct object *object, struct references *references,
                        const struct object **ret);
/* The binding of exactly this reference, or NULL. */
const struct binding *environment_find(struct vm *vm, const struct environment *environment,
                                       struct slice reference);
void references_add(struct vm *vm, struct references *references, struct string *reference);
/* Once each, sorted. */
void references_sort(struct references *references);

/* --- object.c --- */

/* For a map whose pairs have just been set: makes ready to look into it. */
void object_index_pairs(struct vm *vm, struct object *object);

bool type_equal(struct vm *vm, const struct type *a, const struct type *b, bool *ret);
bool type_is_instance(struct vm *vm, const struct type *type, struct value v, bool *ret);
/* Calls a type: makes a value of it. */
bool type_construct(struct vm *vm, const struct type *type, const struct args *args,
                    const struct object **ret);
bool type_construct1(struct vm *vm, const struct type *type, struct value v,
                     const struct object **ret);
/* `v` as it is if it has the type, else constructed. */
bool type_convert(struct vm *vm, const struct type *type, struct value v,
                  const struct object **ret);
const struct field *type_field(const struct type *type, struct slice name, size_t *ret_index);

/* Sets `is_final` from what the object holds. */
void object_note_final(struct object *object);
const struct object *object_with_scopes(struct vm *vm, const struct object *object,
                                        const struct scopes *scopes);
/* Before `object` is filled in, checked or searched: it sees `scopes` behind its own. */
const struct object *object_in_scope(struct vm *vm, const struct object *object,
                                     const struct scopes *scopes);
bool object_bind(struct vm *vm, const struct object *object, const struct args *args,
                 const struct object **ret);
bool object_bind_environment(struct vm *vm, const struct object *object,
                             const struct environment *environment, const struct object **ret);
/* Copies a struct with fields replaced. */
bool object_override(struct vm *vm, const struct object *object, const struct args *args,
                     const struct object **ret);
bool object_set_field(struct vm *vm, const struct object *object, const char *name, struct value v,
                      const struct object **ret);
const struct object *simple_new(struct vm *vm, const struct type *type, struct value raw);
/* The interpolated field; NULL when it is not set. */
bool object_field(struct vm *vm, const struct object *object, const char *name,
                  const struct object **ret);
bool object_field_at(struct vm *vm, const struct object *object, size_t index,
                     const struct object **ret);
bool object_has(const struct object *object, const char *name);
/* The field as it was given; NULL when it is not set. */
const struct object *object_raw_field(const struct object *object, const char *name);
/* get(): plain data. */
bool object_get(struct vm *vm, const struct object *object, struct value *ret);

/* Which of the type's fields may be meant.  False, as raising is. */
bool object_hint_field(struct vm *vm, const struct type *type, struct slice name);

bool object_unwrap(struct vm *vm, const struct object *object, const struct object **ret);
bool object_check(struct vm *vm, const struct object *object, struct typecheck *ret);
bool object_coerce(struct vm *vm, const struct type *type, struct value raw, struct value *ret);

/* --- object_ops.c: what the language does with them --- */

bool object_text(struct vm *vm, const struct object *object, struct string **ret);
bool object_repr(struct vm *vm, const struct object *object, struct string **ret);
bool object_equal(struct vm *vm, const struct object *a, struct value b, bool *ret);
bool object_compare(struct vm *vm, enum compare_op op, const struct object *a, struct value b,
                    bool *ret);
bool object_hash(struct vm *vm, const struct object *object, uint64_t *ret);
bool object_find_attribute(struct vm *vm, const struct object *object, struct string *name,
                           struct value *ret);
bool object_iterate(struct vm *vm, const struct object *object, struct value *ret_list);
bool object_get_item(struct vm *vm, const struct object *object, struct value key,
                     struct value *ret);
bool object_contains(struct vm *vm, const struct object *object, struct value item, bool *ret);

/* --- type_ops.c --- */

bool type_find_attribute(struct vm *vm, const struct type *type, struct string *name,
                         struct value *ret);
bool type_define_struct(struct vm *vm, const char *name, const struct type *base,
                        const struct dict *body, struct value *ret);
const struct type *type_new_list(struct vm *vm, const struct type *item);
const struct type *type_new_map(struct vm *vm, const struct type *key, const struct type *item);

extern const struct native template_natives[];
