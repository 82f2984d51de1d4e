#pragma once

#include "config/vm.h"

/* Builtin classes, which the tables of builtins name, and those of the configuration. */

extern const struct class class_object, class_type, class_NoneType, class_bool, class_int,
    class_float, class_str, class_bytes, class_list, class_tuple, class_dict, class_set,
    class_frozenset, class_range, class_slice, class_function, class_builtin, class_method,
    class_module, class_iterator, class_property, class_staticmethod, class_classmethod,
    class_partial, class_frozendict, class_Ref, class_Environment, class_TypeCheck, class_ellipsis,
    class_super, class_enumerate, class_zip, class_map, class_filter, class_reversed,
    class_dict_keys, class_dict_values, class_dict_items, class_defaultdict, class_OrderedDict,
    class_Counter, class_UnionType, class_MustacheParser, class_Namable, class_Type,
    class_TypeFactory;

/* The special method of builtin values of a kind, such as `__len__`; K_UNBOUND: it has none. */
struct value special_find(enum kind kind, const struct string *name);

/* The dict that keys(), values() or items() show; NULL for all other values. */
struct dict *view_dict(struct value v);
/* Puts what is in the dict now into the list that the view holds. */
void view_refresh(struct vm *vm, struct value v);
struct iterator *view_iterate(struct vm *vm, struct value v);

/* The keys and items of a dict work as sets; other values stay as they are. */
bool view_to_set(struct vm *vm, struct value v, struct value *ret);

/* `int | str`: false, without an exception, when these are no classes. */
bool class_union(struct vm *vm, struct value a, struct value b, struct value *ret);

/* One of the methods that all objects have. */
bool native_is_of_object(const struct native *native);

/* What a class says about itself with a class method such as __class_iter__(); Python has metaclasses for
 * it, the language's own library this. */
bool class_call_hook(struct vm *vm, struct value v, const char *name, const struct args *args,
                     struct value *ret, bool *ret_found);

/* Tells a new class's attributes their names, and its bases that it is there, with the keywords of its
 * statement. */
bool class_announce(struct vm *vm, const struct class *class, const struct keyword *keywords,
                    size_t keyword_count);

/* A class statement: `bases` may be empty. */
bool class_define(struct vm *vm, struct string *name, const struct value *bases, size_t base_count,
                  struct dict *attributes, const struct class **ret);
bool class_instantiate(struct vm *vm, const struct class *class, const struct args *args,
                       struct value *ret);

/* A new object that is not initialised; the arguments fill what a builtin base holds. */
bool class_allocate(struct vm *vm, const struct class *class, const struct args *args,
                    struct value *ret);

/* What super() gives: the attributes of the classes behind `owner` in the order of `self`. */
struct super {
    const struct class *owner;
    struct value self;
};
struct value super_new(struct vm *vm, const struct class *owner, struct value self);
