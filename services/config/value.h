#pragma once

#include "base/arena.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The values of the configuration language.  A value is two words and is passed by copy; what it
 * points to lives in the arena of the compilation and is never freed alone. */

struct vm;
struct value;
struct list;
struct dict;
struct big;
struct class;
struct instance;
struct function;
struct bound;
struct module;
struct iterator;
struct range;
struct type;
struct object;
struct field;
struct environment;
struct typecheck;
struct native;
struct property;
struct partial;

enum kind {
    K_UNBOUND, /* no value: an unset variable, a missing argument */
    K_NONE,
    K_BOOL,
    K_INT, /* fits 64 bits */
    K_BIG, /* does not */
    K_FLOAT,
    K_STR,
    K_BYTES,
    K_LIST,
    K_TUPLE,
    K_DICT,
    K_SET,
    K_FROZENSET,
    K_RANGE,
    K_SLICE, /* a list of three values */
    K_ELLIPSIS,
    K_NOT_IMPLEMENTED,
    K_FUNCTION,
    K_NATIVE,
    K_BOUND, /* a function or native with its `self` */
    K_CLASS,
    K_INSTANCE,
    K_MODULE,
    K_ITERATOR,
    K_PROPERTY, /* also staticmethod and classmethod */
    K_PARTIAL,
    K_FROZENDICT, /* what get() of a struct gives */
    K_TYPE,       /* of the template library: String, Job, List(Integer) ... */
    K_OBJECT,     /* a value of such a type */
    K_FIELD,      /* Required(T) or Default(T, v) */
    K_EMPTY,
    K_REF,
    K_ENVIRONMENT,
    K_TYPECHECK,
    K_NODE, /* an expression that is not evaluated yet; inside the compiler only */
    K_KIND_COUNT
};

/* Text and bytes.  `data` is followed by a NUL. */
struct string {
    uint64_t hash;  /* 0: not computed */
    uint32_t len;   /* bytes */
    uint32_t chars; /* code points; equal to `len` for ASCII, and for bytes */
    uint32_t
        room; /* more bytes that fit, while only the variable that += has set refers to it; else 0 */
    char data[];
};

struct value {
    enum kind kind;
    union {
        bool b;
        int64_t i;
        double f;
        struct string *s; /* also K_REF: the canonical address with its leading '.' or '[' */
        struct list *list;
        struct dict *dict;
        const struct big *big;
        const struct class *class;
        struct instance *instance;
        struct function *function;
        struct bound *bound;
        const struct native *native;
        struct module *module;
        struct iterator *iterator;
        struct range *range;
        struct property *property;
        struct partial *partial;
        const struct type *type;
        const struct object *object;
        const struct field *field;
        const struct environment *environment;
        const struct typecheck *typecheck;
        const void *p;
    };
};

/* Lists and tuples. */
struct list {
    struct value *items;
    size_t count, capacity;
    bool is_shown; /* repr() is in it */
};

struct range {
    int64_t start, stop, step;
    size_t count;
};

/* The steps up to an item may be more than 63 bits apart where the items are not. */
static inline int64_t range_at(const struct range *range, size_t index)
{
    return (int64_t)((uint64_t)range->start + index * (uint64_t)range->step);
}

struct keyword {
    struct string *name;
    struct value value;
};

struct args {
    const struct value *items;
    size_t count;
    const struct keyword *keywords;
    size_t keyword_count;
};

/* A function written in C.  With `params`, arguments come in the order of the names there, absent
 * ones as K_UNBOUND: names are separated by spaces, optional ones stand behind a "|".  Without it,
 * they come as they were given. */
struct native {
    const char *name;
    bool (*call)(struct vm *vm, struct value self, const struct args *args, struct value *ret);
    const char *params;
};

/* A method taken from a builtin class has no `self` yet: its kind is K_UNBOUND, and `class` says
 * what the first argument must be. */
struct bound {
    struct value self, function;
};

enum property_kind {
    PROPERTY_GETTER,
    PROPERTY_STATIC,
    PROPERTY_CLASS,
};

struct property {
    enum property_kind kind;
    struct value function;
    struct value setter, deleter; /* of a PROPERTY_GETTER, or K_UNBOUND */
};

struct partial {
    struct value function;
    struct args args;
};

struct module {
    const char *name;
    const struct module_entry *entries;
    struct dict *attributes; /* set or computed at run time; may be NULL */
    const char *owner;       /* of a name that was imported from a module that cannot be used */
    const char *library;     /* text in the language that adds attributes, until it has run */
};

/* A class: a builtin type, an exception, or one of the configuration. */
struct class
{
    const char *name;
    const struct class *base;         /* first base; NULL for object */
    const struct class *const *bases; /* of classes made at run time; else NULL */
    size_t base_count;
    const struct class *const *mro; /* of classes made at run time, itself first; else NULL */
    size_t mro_count;
    struct dict *attributes;      /* NULL for builtin classes */
    const struct string *doc;     /* NULL: none */
    bool has_hooks;               /* class methods for class_call_hook() */
    enum kind layout;             /* kind of the values that this builtin type has; K_INSTANCE */
    const struct native *methods; /* of builtin types, ended by a row without a name */
    const struct native *statics; /* those that need no object */
    bool (*construct)(struct vm *vm, const struct class *class, const struct args *args,
                      struct value *ret);
};

/* An object of a class.  `payload` holds what a builtin base stores: the arguments of an exception,
 * the contents of a class derived from dict, list or str. */
struct instance {
    const struct class *class;
    struct dict *attributes;
    struct value payload;
    const char *error_class; /* of exceptions that the template library raises; else NULL */
    struct value cause;      /* of `raise ... from`, or a text: a hint */
    struct value context;    /* the exception that was being handled when this one was raised */
    bool is_context_hidden;  /* by `raise ... from` */
};

#define V_UNBOUND  ((struct value){ .kind = K_UNBOUND })
#define V_NONE     ((struct value){ .kind = K_NONE })
#define V_EMPTY    ((struct value){ .kind = K_EMPTY })
#define V_BOOL(x)  ((struct value){ .kind = K_BOOL, .b = (x) })
#define V_INT(x)   ((struct value){ .kind = K_INT, .i = (x) })
#define V_FLOAT(x) ((struct value){ .kind = K_FLOAT, .f = (x) })
#define V_STR(x)   ((struct value){ .kind = K_STR, .s = (x) })

struct string *string_new(struct arena *arena, const char *bytes, size_t len);
struct string *string_from(struct arena *arena, const char *text);
struct string *string_printf(struct arena *arena, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Bytes: `chars` is `len`. */
struct string *string_new_bytes(struct arena *arena, const char *bytes, size_t len);

/* Room for `len` bytes, to be filled; string_finish() counts the characters. */
struct string *string_alloc(struct arena *arena, size_t len);
struct string *string_finish(struct string *s);

bool string_equal(const struct string *a, const struct string *b);
bool string_is(const struct string *s, const char *text);
uint64_t string_hash(struct string *s);

static inline struct slice string_slice(const struct string *s)
{
    return (struct slice){ s->data, s->len };
}

static inline struct value value_text(struct arena *arena, const char *text)
{
    return V_STR(string_from(arena, text));
}

/* Byte offset of the character with number `index`, up to `chars`. */
size_t string_offset(const struct string *s, size_t index);
size_t utf8_count(const char *bytes, size_t len);
size_t utf8_encode(uint32_t code, char *out);                /* gives 1 to 4 */
uint32_t utf8_decode(const char *bytes, size_t *ret_length); /* of valid text */

struct value list_new(struct arena *arena, enum kind kind, size_t capacity);
void list_push(struct arena *arena, struct list *list, struct value v);
struct value tuple_of(struct arena *arena, const struct value *items, size_t count);

static inline bool value_is_text(struct value v)
{
    return v.kind == K_STR;
}

static inline bool value_is_integer(struct value v)
{
    return v.kind == K_INT || v.kind == K_BIG || v.kind == K_BOOL;
}

static inline bool value_is_number(struct value v)
{
    return value_is_integer(v) || v.kind == K_FLOAT;
}

static inline bool value_is_unset(struct value v)
{
    return v.kind == K_UNBOUND;
}
