#include "config/class.h"
#include "config/modules.h"

/* collections, copy and operator. */

#define FUNCTION(name)                                                                             \
    static bool name(struct vm *vm, struct value self, const struct args *args, struct value *ret)

/* --- the module --- */

bool prepare_collections(struct vm *vm, struct dict *attributes)
{
    static const struct class *const classes[] = { &class_OrderedDict, &class_defaultdict,
                                                   &class_Counter };
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        dict_set_text(vm->arena, attributes, string_from(vm->arena, classes[i]->name),
                      (struct value){ .kind = K_CLASS, .class = classes[i] });
    return true;
}

/* --- copy --- */

static struct value copy_shallow(struct vm *vm, struct value v)
{
    switch (v.kind) {
    case K_LIST: {
        struct value list = tuple_of(vm->arena, v.list->items, v.list->count);
        list.kind = K_LIST;
        return list;
    }
    case K_DICT:
    case K_SET:
        return (struct value){ .kind = v.kind, .dict = dict_copy(vm->arena, v.dict) };
    case K_INSTANCE: {
        struct instance *instance = arena_alloc(vm->arena, sizeof *instance);
        *instance = *v.instance;
        if (instance->attributes)
            instance->attributes = dict_copy(vm->arena, instance->attributes);
        if (instance->class->layout != K_INSTANCE)
            instance->payload = copy_shallow(vm, instance->payload);
        return (struct value){ .kind = K_INSTANCE, .instance = instance };
    }
    default:
        return v;
    }
}

/* Values met before are copied once; the list holds pairs of the old and the new. */
static bool copy_deep(struct vm *vm, struct value v, struct list *known, struct value *ret);

static bool copy_entries(struct vm *vm, struct dict *dict, struct list *known)
{
    size_t cursor = 0;
    for (struct dict_entry *entry; (entry = dict_next(dict, &cursor));) {
        struct value copy;
        if (!copy_deep(vm, entry->value, known, &copy))
            return false;
        if (dict->entries && cursor <= dict->used) /* the copying may have changed the table */
            dict->entries[cursor - 1].value = copy;
    }
    return true;
}

static bool copy_inside(struct vm *vm, struct value copy, struct list *known)
{
    switch (copy.kind) {
    case K_LIST:
    case K_TUPLE:
        for (size_t i = 0; i < copy.list->count; i++) {
            struct value item;
            if (!copy_deep(vm, copy.list->items[i], known, &item))
                return false;
            if (i < copy.list->count)
                copy.list->items[i] = item;
        }
        return true;
    case K_DICT:
        return copy_entries(vm, copy.dict, known);
    case K_INSTANCE:
        if (copy.instance->attributes && !copy_entries(vm, copy.instance->attributes, known))
            return false;
        return copy.instance->class->layout == K_INSTANCE ||
               copy_inside(vm, copy.instance->payload, known);
    default:
        return true;
    }
}

static bool copy_deep(struct vm *vm, struct value v, struct list *known, struct value *ret)
{
    bool is_plain = v.kind != K_LIST && v.kind != K_TUPLE && v.kind != K_DICT && v.kind != K_SET &&
                    v.kind != K_INSTANCE;
    if (is_plain || (v.kind == K_INSTANCE && !v.instance->class->attributes)) {
        *ret = v;
        return true;
    }
    bool found;
    struct value memo = dict_value(vm->arena, K_DICT);
    if (!vm_step(vm))
        return false;
    vm->steps += known->count / 32;
    for (size_t i = 0; i + 1 < known->count; i += 2)
        if (known->items[i].kind == v.kind && known->items[i].p == v.p) {
            *ret = known->items[i + 1];
            return true;
        }
    if (!value_call_special(vm, v, "__deepcopy__", &memo, 1, ret, &found))
        return false;
    if (found) {
        list_push(vm->arena, known, v);
        list_push(vm->arena, known, *ret);
        return true;
    }
    if (!vm_enter(vm))
        return false;
    struct value copy =
        v.kind == K_TUPLE ? tuple_of(vm->arena, v.list->items, v.list->count) : copy_shallow(vm, v);
    list_push(vm->arena, known, v);
    list_push(vm->arena, known, copy);
    bool is_done = copy_inside(vm, copy, known);
    vm_leave(vm);
    *ret = copy;
    return is_done;
}

FUNCTION(copy_copy)
{
    (void)self;
    bool found;
    if (!value_call_special(vm, args->items[0], "__copy__", NULL, 0, ret, &found))
        return false;
    if (!found)
        *ret = copy_shallow(vm, args->items[0]);
    return true;
}

FUNCTION(copy_deepcopy)
{
    (void)self;
    struct list known = { 0 };
    return copy_deep(vm, args->items[0], &known, ret);
}

const struct native copy_natives[] = {
    { "copy", copy_copy, "x" },
    { "deepcopy", copy_deepcopy, "x | memo" },
    { NULL, NULL, NULL },
};

/* --- operator --- */

static bool get_keys(struct vm *vm, struct value keys, struct value from, struct value *ret)
{
    struct value tuple = list_new(vm->arena, K_TUPLE, keys.list->count);
    for (size_t i = 0; i < keys.list->count; i++) {
        struct value v;
        if (!value_get_item(vm, from, keys.list->items[i], &v))
            return false;
        list_push(vm->arena, tuple.list, v);
    }
    *ret = keys.list->count == 1 ? tuple.list->items[0] : tuple;
    return true;
}

FUNCTION(getter_item)
{
    return get_keys(vm, self, args->items[0], ret);
}

static const struct native ITEM_GETTER = { "itemgetter", getter_item, "obj" };

FUNCTION(operator_itemgetter)
{
    (void)self;
    *ret = bind_method(vm, tuple_of(vm->arena, args->items, args->count),
                       (struct value){ .kind = K_NATIVE, .native = &ITEM_GETTER });
    return true;
}

#define BINARY(name, op)                                                                           \
    FUNCTION(operator_##name)                                                                      \
    {                                                                                              \
        (void)self;                                                                                \
        return value_binary(vm, op, args->items[0], args->items[1], ret);                          \
    }
BINARY(add, OP_ADD)
BINARY(sub, OP_SUBTRACT)
BINARY(mul, OP_MULTIPLY)
BINARY(truediv, OP_DIVIDE)
BINARY(floordiv, OP_FLOOR)
BINARY(mod, OP_MODULO)
#undef BINARY

const struct native operator_natives[] = {
    { "add", operator_add, "a b" },
    { "floordiv", operator_floordiv, "a b" },
    { "itemgetter", operator_itemgetter, NULL },
    { "mod", operator_mod, "a b" },
    { "mul", operator_mul, "a b" },
    { "sub", operator_sub, "a b" },
    { "truediv", operator_truediv, "a b" },
    { NULL, NULL, NULL },
};
