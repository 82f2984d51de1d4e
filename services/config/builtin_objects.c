#include "config/evaluate.h"
#include "config/format.h"
#include "config/schema.h"
#include "config/sort.h"

/* Builtin functions about any object. */

#define BUILTIN(name)                                                                              \
    static bool name(struct vm *vm, struct value self, const struct args *args, struct value *ret)

BUILTIN(builtin_repr)
{
    (void)self;
    ret->kind = K_STR;
    return value_repr(vm, args->items[0], &ret->s);
}

BUILTIN(builtin_ascii)
{
    (void)self;
    return format_convert(vm, args->items[0], 'a', ret);
}

BUILTIN(builtin_format)
{
    (void)self;
    struct string *specification = string_from(vm->arena, "");
    if (args->items[1].kind == K_STR)
        specification = args->items[1].s;
    ret->kind = K_STR;
    return format_value(vm, args->items[0], specification, &ret->s);
}

BUILTIN(builtin_hash)
{
    (void)self;
    uint64_t hash;
    if (!value_hash(vm, args->items[0], &hash))
        return false;
    *ret = V_INT((int64_t)(hash >> 2));
    return true;
}

BUILTIN(builtin_id)
{
    (void)self;
    struct value v = args->items[0];
    bool has_address = v.kind > K_FLOAT && v.kind != K_ELLIPSIS && v.kind != K_EMPTY;
    (void)vm;
    *ret = V_INT(has_address ? (int64_t)((uintptr_t)v.p >> 1)
                             : (int64_t)v.kind * 1000 + (v.kind == K_INT ? v.i / 2 : 0));
    return true;
}

BUILTIN(builtin_callable)
{
    (void)self;
    struct value v = args->items[0];
    *ret = V_BOOL(
        value_is_callable(v) ||
        (v.kind == K_INSTANCE &&
         class_find(v.instance->class, string_from(vm->arena, "__call__")).kind != K_UNBOUND));
    return true;
}

BUILTIN(builtin_isinstance)
{
    (void)self;
    ret->kind = K_BOOL;
    return value_is_instance(vm, args->items[0], args->items[1], &ret->b);
}

static bool is_subclass(struct vm *vm, struct value class, struct value base, bool *ret)
{
    base = value_contents(base); /* of a union the tuple of its parts */
    if (base.kind == K_TUPLE) {
        *ret = false;
        for (size_t i = 0; !*ret && i < base.list->count; i++)
            if (!is_subclass(vm, class, base.list->items[i], ret))
                return false;
        return true;
    }
    if (class.kind == K_TYPE && base.kind == K_TYPE)
        return base.type->kind == TYPE_BASE ? (*ret = class.type->kind == TYPE_STRUCT, true)
                                            : type_equal(vm, class.type, base.type, ret);
    *ret = false;
    if (class.kind == K_TYPE || base.kind == K_TYPE)
        return true;
    if (class.kind != K_CLASS)
        return raise_error(vm, &class_TypeError, "issubclass() arg 1 must be a class");
    if (base.kind != K_CLASS)
        return raise_error(vm, &class_TypeError,
                           "issubclass() arg 2 must be a class, a tuple of classes, or a union");
    *ret = class_is_subclass(class.class, base.class);
    return true;
}

BUILTIN(builtin_issubclass)
{
    (void)self;
    ret->kind = K_BOOL;
    return is_subclass(vm, args->items[0], args->items[1], &ret->b);
}

/* An attribute, or K_UNBOUND, also when the object's code says that there is none. */
static bool probe(struct vm *vm, struct value v, struct value name, struct value *ret)
{
    if (name.kind != K_STR)
        return raise_error(vm, &class_TypeError, "attribute name must be string, not '%s'",
                           value_type_name(name));
    if (value_find_attribute(vm, v, name.s, ret))
        return true;
    if (!exception_is(vm, &class_AttributeError))
        return false;
    exception_take(vm);
    *ret = V_UNBOUND;
    return true;
}

BUILTIN(builtin_hasattr)
{
    (void)self;
    struct value found;
    if (!probe(vm, args->items[0], args->items[1], &found))
        return false;
    *ret = V_BOOL(found.kind != K_UNBOUND);
    return true;
}

BUILTIN(builtin_getattr)
{
    (void)self;
    if (value_is_unset(args->items[2])) {
        if (args->items[1].kind != K_STR)
            return raise_error(vm, &class_TypeError, "attribute name must be string, not '%s'",
                               value_type_name(args->items[1]));
        return value_get_attribute(vm, args->items[0], args->items[1].s, ret);
    }
    if (!probe(vm, args->items[0], args->items[1], ret))
        return false;
    if (ret->kind == K_UNBOUND)
        *ret = args->items[2];
    return true;
}

BUILTIN(builtin_setattr)
{
    (void)self;
    *ret = V_NONE;
    if (args->items[1].kind != K_STR)
        return raise_error(vm, &class_TypeError, "attribute name must be string");
    return value_set_attribute(vm, args->items[0], args->items[1].s, args->items[2]);
}

BUILTIN(builtin_delattr)
{
    (void)self;
    *ret = V_NONE;
    if (args->items[1].kind != K_STR)
        return raise_error(vm, &class_TypeError, "attribute name must be string");
    return value_delete_attribute(vm, args->items[0], args->items[1].s);
}

BUILTIN(builtin_vars)
{
    (void)self;
    return value_get_attribute(vm, args->items[0], string_from(vm->arena, "__dict__"), ret);
}

static void add_names(struct vm *vm, struct dict *names, const struct dict *from)
{
    size_t cursor = 0;
    if (!from)
        return;
    for (struct dict_entry *entry; (entry = dict_next(from, &cursor));)
        if (entry->key.kind == K_STR)
            dict_set_text(vm->arena, names, entry->key.s, V_NONE);
}

BUILTIN(builtin_dir)
{
    (void)self;
    struct dict *names = dict_new(vm->arena);
    struct value v = args->items[0];
    const struct class *class = v.kind == K_CLASS ? v.class : value_class(v);
    size_t cursor = 0, at_entry = 0;
    if (v.kind == K_INSTANCE)
        add_names(vm, names, v.instance->attributes);
    for (const struct class *at; class && (at = class_next(class, &cursor));) {
        add_names(vm, names, at->attributes);
        for (const struct native *row = at->methods; row && row->name; row++)
            dict_set_text(vm->arena, names, string_from(vm->arena, row->name), V_NONE);
    }
    *ret = list_new(vm->arena, K_LIST, names->count);
    for (struct dict_entry *entry; (entry = dict_next(names, &at_entry));)
        list_push(vm->arena, ret->list, entry->key);
    return sort_list(vm, ret->list, V_NONE, false);
}

const struct native object_natives[] = {
    { "ascii", builtin_ascii, "object" },
    { "callable", builtin_callable, "object" },
    { "delattr", builtin_delattr, "object name" },
    { "dir", builtin_dir, "object" },
    { "format", builtin_format, "value | format_spec" },
    { "getattr", builtin_getattr, "object name | default" },
    { "hasattr", builtin_hasattr, "object name" },
    { "hash", builtin_hash, "object" },
    { "id", builtin_id, "object" },
    { "isinstance", builtin_isinstance, "object class" },
    { "issubclass", builtin_issubclass, "class base" },
    { "repr", builtin_repr, "object" },
    { "setattr", builtin_setattr, "object name value" },
    { "vars", builtin_vars, "object" },
    { NULL, NULL, NULL },
};
