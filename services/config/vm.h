#pragma once

#include "base/error.h"
#include "config/ast.h"
#include "config/diagnostic.h"
#include "config/dict.h"
#include "config/limits.h"
#include "config/value.h"

/* The state of one compilation while the configuration runs, and the operations on values.
 *
 * Functions that return bool fail with an exception in the vm.  Memory is the arena's only: code of
 * a generator may be left in the middle, so nothing here may hold what needs a release. */

struct frame {
    struct frame *outer; /* the scope around, for variables */
    const struct code *code;
    struct value *slots;
    struct dict *names; /* of a module or class body */
    struct function *function;
    struct value result; /* of `return` */
    struct generator *generator;
};

struct function {
    struct string *name;
    const struct code *code;
    struct frame *closure;
    struct value *defaults;
    const struct class *owner; /* the class whose body defines it */
    struct dict *attributes;
    struct dict *cache; /* of functools.lru_cache: results by arguments; else NULL */
};

struct iterator {
    /* Gives K_UNBOUND at the end. */
    bool (*next)(struct vm *vm, struct iterator *iterator, struct value *ret);
    const char *type_name;
    struct value a, b;
    size_t index;
    int64_t number, step;
    void *state;
    bool is_done;
};

struct include_frame {
    const struct source *source;
    struct include_frame *outer;
};

struct compile_input;
struct origins;

struct vm {
    struct arena *arena;   /* of what is being worked on: the file, then one job after the other */
    struct arena *scratch; /* for jobs */
    struct arena *home;    /* of what stays to the end */
    bool has_run_code;     /* of the configuration, since the flag was cleared */
    uint64_t step_limit;
    const struct compile_input *input;
    struct dict *globals;
    struct dict *builtins; /* that have been used */
    struct dict *modules;
    struct value exception; /* on its way; K_UNBOUND: none */
    struct value handled;   /* by the `except` under way */
    struct span at;         /* of the exception */
    bool has_place;
    const struct string *blamed; /* keyword whose value the exception is about; may be NULL */
    struct trace_frame *trace, **trace_end;
    size_t trace_count;
    bool names_are_public; /* globals() or the like has been called: variables are read unseen */
    bool is_stopped;       /* by a limit or a missing file: nothing catches it */
    uint64_t steps, steps_to_check;
    int depth;
    size_t generator_count;
    char *stack_floor;            /* machine stack must not grow below it */
    struct generator *generators; /* whose stacks are to be released */
    struct frame *frame;
    struct value *stack; /* for the variables of calls */
    size_t stack_used;
    struct include_frame *include;
    size_t include_count, include_depth;
    struct buffer *printed;
    struct diagnostics *errors, *warnings;
    struct list *needed; /* paths of files that the caller shall send */
    struct schema *schema;
    uint64_t next_id;
    struct origins *origins; /* NULL unless an explanation is wanted */
};

/* --- exceptions --- */

extern const struct class class_BaseException;
#define EXCEPTION(name, base)         extern const struct class class_##name;
#define LIBRARY_EXCEPTION(name, base) extern const struct class class_##name;
#include "config/exceptions.def"

/* All are false: `return raise_error(...);` is a whole failure path. */
void raise_text(struct vm *vm, const struct class *class, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void raise_library_text(struct vm *vm, const struct class *class, const char *error_class,
                        const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void raise_limit_text(struct vm *vm, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void raise_exception(struct vm *vm, struct value exception);

/* What to do about the exception on its way; the first hint stays.  False, as raising is. */
bool hint(struct vm *vm, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define RAISE(call)                                                                                \
    ({                                                                                             \
        call;                                                                                      \
        false;                                                                                     \
    })
#define raise_error(...)           RAISE(raise_text(__VA_ARGS__))
#define raise_library(...)         RAISE(raise_library_text(__VA_ARGS__))
#define raise_limit(...)           RAISE(raise_limit_text(__VA_ARGS__))
#define raise_value(vm, exception) RAISE(raise_exception(vm, exception))
#define raise_key_error(vm, key)                                                                   \
    RAISE(raise_exception(vm, exception_new(vm, &class_KeyError, (const struct value[]){ key }, 1)))

struct value exception_new(struct vm *vm, const struct class *class, const struct value *items,
                           size_t count);
struct string *exception_text(struct vm *vm, struct value exception); /* str() of it; never fails */
/* Clears the exception and gives it. */
struct value exception_take(struct vm *vm);
bool exception_is(struct vm *vm, const struct class *class);

/* `a` with `b` behind it, which may be `a` itself when it has the room. */
bool text_append(struct vm *vm, struct string *a, uint32_t room, const struct string *b,
                 struct value *ret);

/* The digits of a whole number; steps for what that takes. */
bool value_digits(struct vm *vm, struct value v, int base, struct string **ret);

/* --- limits --- */

bool vm_check_limits(struct vm *vm); /* of steps and memory */

static inline bool vm_step(struct vm *vm)
{
    return ++vm->steps < vm->steps_to_check || vm_check_limits(vm);
}

/* For what an operation does to so many bytes at once: they count as steps as well. */
bool vm_work(struct vm *vm, size_t bytes);

bool vm_enter(struct vm *vm); /* one call deeper; pairs with vm_leave() when true */
void vm_leave(struct vm *vm);
bool vm_check_stack(struct vm *vm);

/* --- text under construction --- */

struct buffer {
    struct arena *arena;
    char *bytes;
    size_t len, capacity;
    bool is_over; /* the limit was passed; what is added then is dropped */
};

struct buffer buffer_new(struct vm *vm);
void buffer_add(struct buffer *buffer, const char *bytes, size_t len);
void buffer_text(struct buffer *buffer, const char *text);
void buffer_string(struct buffer *buffer, const struct string *s);
void buffer_char(struct buffer *buffer, char c);
void buffer_repeat(struct buffer *buffer, const char *text, size_t times);
void buffer_printf(struct buffer *buffer, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
bool buffer_finish(struct vm *vm, struct buffer *buffer, struct string **ret);
bool buffer_value(struct vm *vm, struct buffer *buffer, struct value *ret);

/* --- operations on values --- */

const char *value_type_name(struct value v);
struct value value_type(struct value v);               /* type(v): K_CLASS or K_TYPE */
const struct class *value_class(struct value v);       /* NULL for the template library's */
struct value value_as(struct value v, enum kind kind); /* unwraps instances of derived classes */
/* What an object of a class derived from a builtin one holds; other values as they are. */
struct value value_contents(struct value v);

bool value_truth(struct vm *vm, struct value v, bool *ret);
bool value_equal(struct vm *vm, struct value a, struct value b, bool *ret);
bool value_is(struct value a, struct value b);
bool value_compare(struct vm *vm, enum compare_op op, struct value a, struct value b,
                   struct value *ret);
bool value_less(struct vm *vm, struct value a, struct value b, bool *ret);
bool value_hash(struct vm *vm, struct value v, uint64_t *ret);
bool value_contains(struct vm *vm, struct value container, struct value item, bool *ret);
/* What __len__() gave, as a length. */
bool length_of_result(struct vm *vm, struct value v, size_t *ret);
bool value_length(struct vm *vm, struct value v, size_t *ret);
bool value_str(struct vm *vm, struct value v, struct string **ret);
bool value_repr(struct vm *vm, struct value v, struct string **ret);
bool value_repr_inherited(struct vm *vm, struct value v,
                          struct string **ret); /* as super().__repr__() */
bool value_binary(struct vm *vm, enum binary_op op, struct value a, struct value b,
                  struct value *ret);
bool value_inplace(struct vm *vm, enum binary_op op, struct value a, struct value b,
                   struct value *ret);
bool value_is_counter(struct value v);
struct value counter_new(struct vm *vm);
bool value_negate(struct vm *vm, struct value v, struct value *ret);
bool value_get_item(struct vm *vm, struct value v, struct value key, struct value *ret);
bool value_set_item(struct vm *vm, struct value v, struct value key, struct value item);
bool value_delete_item(struct vm *vm, struct value v, struct value key);
bool value_get_attribute(struct vm *vm, struct value v, struct string *name, struct value *ret);
bool value_find_attribute(struct vm *vm, struct value v, struct string *name,
                          struct value *ret); /* K_UNBOUND: none */
bool value_set_attribute(struct vm *vm, struct value v, struct string *name, struct value item);
/* What object's own __setattr__() and __delattr__() do: no code of the configuration runs. */
bool attribute_store(struct vm *vm, struct value v, struct string *name, struct value item);
bool attribute_remove(struct vm *vm, struct value v, struct string *name);
bool value_delete_attribute(struct vm *vm, struct value v, struct string *name);
bool value_call(struct vm *vm, struct value callee, const struct args *args, struct value *ret);
bool value_call1(struct vm *vm, struct value callee, struct value a, struct value *ret);
bool value_call2(struct vm *vm, struct value callee, struct value a, struct value b,
                 struct value *ret);
/* Calls a method that a class of the configuration defines; `*ret_found` tells if it does. */
bool value_call_special(struct vm *vm, struct value v, const char *name, const struct value *items,
                        size_t count, struct value *ret, bool *ret_found);
bool value_is_callable(struct value v);
bool value_is_instance(struct vm *vm, struct value v, struct value type, bool *ret);

bool value_iterate(struct vm *vm, struct value v, struct iterator **ret);
bool iterator_next(struct vm *vm, struct iterator *iterator, struct value *ret);
struct iterator *iterator_new(struct vm *vm, const char *type_name,
                              bool (*next)(struct vm *, struct iterator *, struct value *));
struct value iterator_value(struct iterator *iterator);
/* A dict, or what an object with keys() holds as a dict; K_UNBOUND when it is no mapping. */
bool value_to_mapping(struct vm *vm, struct value v, struct value *ret);
/* All items as a new list or tuple. */
bool value_to_list(struct vm *vm, struct value v, enum kind kind, struct value *ret);

/* A whole number for an index or count; bool counts. */
bool value_to_i64(struct vm *vm, struct value v, int64_t *ret);
bool value_to_size(struct vm *vm, struct value v, size_t *ret);

/* Keeps `candidate` in `*ret` if it is closer to `wanted` than what is there. */
void suggest(struct slice wanted, const char *candidate, size_t *best, const char **ret);

/* --- classes --- */

bool class_is_subclass(const struct class *class, const struct class *base);
struct value class_find(const struct class *class,
                        struct string *name); /* attribute, K_UNBOUND: none */
const struct class *class_next(const struct class *class, size_t *cursor); /* along the mro */
bool native_find(const struct native *rows, struct string *name, struct value *ret);
struct value bind_method(struct vm *vm, struct value self, struct value function);
bool native_call(struct vm *vm, const struct native *native, struct value self,
                 const struct args *args, struct value *ret);

/* Keeps only the given order of rows; the index is into the mro. */
#define NO_KEYWORDS(args, name)                                                                    \
    ((args)->keyword_count == 0 ||                                                                 \
     raise_error(vm, &class_TypeError, "%s takes no keyword arguments", name))
