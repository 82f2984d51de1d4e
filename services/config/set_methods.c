#include "config/class.h"

/* set, frozenset. */

#define METHOD(name)                                                                               \
    static bool name(struct vm *vm, struct value self, const struct args *args, struct value *ret)

METHOD(set_add)
{
    *ret = V_NONE;
    return dict_set(vm, self.dict, args->items[0], V_NONE);
}

METHOD(set_discard)
{
    struct value old;
    *ret = V_NONE;
    return dict_remove(vm, self.dict, args->items[0], &old);
}

METHOD(set_remove)
{
    struct value old;
    *ret = V_NONE;
    if (!dict_remove(vm, self.dict, args->items[0], &old))
        return false;
    return old.kind != K_UNBOUND || raise_key_error(vm, args->items[0]);
}

METHOD(set_pop)
{
    size_t cursor = 0;
    struct value old;
    (void)args;
    struct dict_entry *entry = dict_next(self.dict, &cursor);
    if (!entry)
        return raise_error(vm, &class_KeyError, "pop from an empty set");
    *ret = entry->key;
    return dict_remove(vm, self.dict, *ret, &old);
}

static bool add_all(struct vm *vm, struct dict *dict, struct value v)
{
    struct value items;
    if (!value_to_list(vm, v, K_LIST, &items))
        return false;
    for (size_t i = 0; i < items.list->count; i++)
        if (!dict_set(vm, dict, items.list->items[i], V_NONE))
            return false;
    return true;
}

static bool to_set(struct vm *vm, struct value v, enum kind kind, struct value *ret)
{
    *ret = dict_value(vm->arena, kind);
    return add_all(vm, ret->dict, v);
}

bool view_to_set(struct vm *vm, struct value v, struct value *ret)
{
    *ret = v;
    if (v.kind != K_INSTANCE ||
        (v.instance->class != &class_dict_keys && v.instance->class != &class_dict_items))
        return true;
    view_refresh(vm, v);
    return to_set(vm, v.instance->payload, K_SET, ret);
}

METHOD(set_clear)
{
    (void)vm;
    (void)args;
    dict_clear(self.dict);
    *ret = V_NONE;
    return true;
}

METHOD(set_update)
{
    *ret = V_NONE;
    for (size_t i = 0; i < args->count; i++)
        if (!add_all(vm, self.dict, args->items[i]))
            return false;
    return true;
}

static bool combine_all(struct vm *vm, struct value self, const struct args *args,
                        enum binary_op op, struct value *ret)
{
    struct value result = { .kind = self.kind, .dict = dict_copy(vm->arena, self.dict) };
    for (size_t i = 0; i < args->count; i++) {
        struct value other;
        if (!to_set(vm, args->items[i], K_SET, &other) ||
            !value_binary(vm, op, result, other, &result))
            return false;
    }
    *ret = result;
    return true;
}

METHOD(set_union)
{
    return combine_all(vm, self, args, OP_OR, ret);
}

METHOD(set_intersection)
{
    return combine_all(vm, self, args, OP_AND, ret);
}

METHOD(set_difference)
{
    return combine_all(vm, self, args, OP_SUBTRACT, ret);
}

METHOD(set_symmetric_difference)
{
    return combine_all(vm, self, args, OP_XOR, ret);
}

static bool change_all(struct vm *vm, struct value self, const struct args *args, enum binary_op op,
                       struct value *ret)
{
    struct value result;
    if (!combine_all(vm, self, args, op, &result))
        return false;
    *self.dict = *result.dict;
    *ret = V_NONE;
    return true;
}

METHOD(set_intersection_update)
{
    return change_all(vm, self, args, OP_AND, ret);
}

METHOD(set_difference_update)
{
    return change_all(vm, self, args, OP_SUBTRACT, ret);
}

static bool relate(struct vm *vm, struct value self, struct value other, enum compare_op op,
                   struct value *ret)
{
    struct value set;
    return to_set(vm, other, K_SET, &set) && value_compare(vm, op, self, set, ret);
}

METHOD(set_issubset)
{
    return relate(vm, self, args->items[0], CMP_AT_MOST, ret);
}

METHOD(set_issuperset)
{
    return relate(vm, self, args->items[0], CMP_AT_LEAST, ret);
}

METHOD(set_isdisjoint)
{
    struct value both;
    if (!combine_all(vm, self, args, OP_AND, &both))
        return false;
    *ret = V_BOOL(both.dict->count == 0);
    return true;
}

METHOD(set_copy)
{
    (void)args;
    *ret = (struct value){ .kind = self.kind, .dict = dict_copy(vm->arena, self.dict) };
    return true;
}

#define SET_ROWS                                                                                   \
    { "union", set_union, NULL }, { "intersection", set_intersection, NULL },                      \
        { "difference", set_difference, NULL },                                                    \
        { "symmetric_difference", set_symmetric_difference, NULL },                                \
        { "issubset", set_issubset, "other" }, { "issuperset", set_issuperset, "other" },          \
        { "isdisjoint", set_isdisjoint, NULL },                                                    \
    {                                                                                              \
        "copy", set_copy, ""                                                                       \
    }

static const struct native SET_METHODS[] = {
    SET_ROWS,
    { "add", set_add, "element" },
    { "discard", set_discard, "element" },
    { "remove", set_remove, "element" },
    { "pop", set_pop, "" },
    { "clear", set_clear, "" },
    { "update", set_update, NULL },
    { "intersection_update", set_intersection_update, NULL },
    { "difference_update", set_difference_update, NULL },
    { NULL, NULL, NULL },
};

static const struct native FROZENSET_METHODS[] = { SET_ROWS, { NULL, NULL, NULL } };

static bool construct_set(struct vm *vm, const struct class *class, const struct args *args,
                          struct value *ret)
{
    if (args->count > 1)
        return raise_error(vm, &class_TypeError, "%s expected at most 1 argument, got %zu",
                           class->name, args->count);
    *ret = dict_value(vm->arena, class->layout);
    return args->count == 0 || add_all(vm, ret->dict, args->items[0]);
}

const struct class class_set = { .name = "set",
                                 .base = &class_object,
                                 .layout = K_SET,
                                 .methods = SET_METHODS,
                                 .construct = construct_set };
const struct class class_frozenset = { .name = "frozenset",
                                       .base = &class_object,
                                       .layout = K_FROZENSET,
                                       .methods = FROZENSET_METHODS,
                                       .construct = construct_set };
