#include "config/class.h"
#include "config/modules.h"

/* collections, copy and operator. */

#define FUNCTION(name)                                                                             \
    static bool name(struct vm *vm, struct value self, const struct args *args, struct value *ret)

/* --- namedtuple --- */

FUNCTION(tuple_field_get)
{
    return value_get_item(vm, args->items[0], self, ret);
}

static const struct native TUPLE_FIELD = { "field", tuple_field_get, "self" };

static bool field_names(struct vm *vm, struct value v, struct value *ret)
{
    if (v.kind != K_STR)
        return value_to_list(vm, v, K_LIST, ret);
    *ret = list_new(vm->arena, K_LIST, 4);
    for (size_t at = 0; at < v.s->len;) {
        size_t length = strcspn(v.s->data + at, ", ");
        if (length)
            list_push(vm->arena, ret->list, V_STR(string_new(vm->arena, v.s->data + at, length)));
        at += length + 1;
    }
    return true;
}

/* The values of a named tuple's fields, from positional and keyword arguments. */
FUNCTION(namedtuple_new)
{
    const struct class *class = self.class;
    struct value fields = dict_get_text(class->attributes, string_from(vm->arena, "_fields"));
    struct value defaults = dict_get_text(class->attributes, string_from(vm->arena, "_defaults"));
    struct value items = tuple_of(vm->arena, args->items, args->count);
    if (args->count > fields.list->count)
        return raise_error(vm, &class_TypeError,
                           "%s() takes %zu positional arguments but %zu were given", class->name,
                           fields.list->count, args->count);
    for (size_t i = args->count; i < fields.list->count; i++) {
        struct value v = V_UNBOUND;
        for (size_t j = 0; j < args->keyword_count; j++)
            if (string_equal(args->keywords[j].name, fields.list->items[i].s))
                v = args->keywords[j].value;
        if (v.kind == K_UNBOUND && i + defaults.list->count >= fields.list->count)
            v = defaults.list->items[i + defaults.list->count - fields.list->count];
        if (v.kind == K_UNBOUND)
            return raise_error(vm, &class_TypeError, "%s() missing required argument: '%s'",
                               class->name, fields.list->items[i].s->data);
        list_push(vm->arena, items.list, v);
    }
    struct instance *instance = arena_alloc(vm->arena, sizeof *instance);
    instance->class = class;
    instance->payload = items;
    instance->cause = V_NONE;
    *ret = (struct value){ .kind = K_INSTANCE, .instance = instance };
    return true;
}

FUNCTION(namedtuple_make)
{
    struct value items;
    if (!value_to_list(vm, args->items[0], K_TUPLE, &items))
        return false;
    const struct args all = { .items = items.list->items, .count = items.list->count };
    return namedtuple_new(vm, self, &all, ret);
}

static const struct native NAMEDTUPLE_MAKE = { "_make", namedtuple_make, "iterable" };
static const struct native NAMEDTUPLE_NEW = { "namedtuple", namedtuple_new, NULL };

static struct value fields_of(struct vm *vm, struct value v)
{
    return class_find(v.instance->class, string_from(vm->arena, "_fields"));
}

/* A native method gets what an object of a builtin kind holds; these need the object, in a tuple. */
FUNCTION(namedtuple_asdict)
{
    (void)args;
    self = self.list->items[0];
    struct value fields = fields_of(vm, self);
    *ret = dict_value(vm->arena, K_DICT);
    for (size_t i = 0; i < fields.list->count; i++)
        dict_set_text(vm->arena, ret->dict, fields.list->items[i].s,
                      self.instance->payload.list->items[i]);
    return true;
}

FUNCTION(namedtuple_replace)
{
    self = self.list->items[0];
    struct value fields = fields_of(vm, self);
    const struct list *old = self.instance->payload.list;
    struct value items = tuple_of(vm->arena, old->items, old->count);
    for (size_t i = 0; i < args->keyword_count; i++) {
        size_t at = 0;
        while (at < fields.list->count &&
               !string_equal(fields.list->items[at].s, args->keywords[i].name))
            at++;
        if (at == fields.list->count)
            return raise_error(vm, &class_ValueError, "Got unexpected field names: ['%s']",
                               args->keywords[i].name->data);
        items.list->items[at] = args->keywords[i].value;
    }
    struct instance *instance = arena_alloc(vm->arena, sizeof *instance);
    *instance = *self.instance;
    instance->payload = items;
    *ret = (struct value){ .kind = K_INSTANCE, .instance = instance };
    return true;
}

static const struct native NAMEDTUPLE_METHODS[] = {
    { "_asdict", namedtuple_asdict, "" },
    { "_replace", namedtuple_replace, NULL },
};

FUNCTION(namedtuple_method)
{
    *ret = bind_method(vm, tuple_of(vm->arena, args->items, 1),
                       (struct value){ .kind = K_NATIVE, .native = &NAMEDTUPLE_METHODS[self.i] });
    return true;
}

static const struct native NAMEDTUPLE_METHOD = { "method", namedtuple_method, "self" };

static void add_getter(struct vm *vm, struct dict *attributes, struct string *name,
                       const struct native *getter, size_t number)
{
    struct property *property = arena_alloc(vm->arena, sizeof *property);
    property->kind = PROPERTY_GETTER;
    property->setter = V_UNBOUND;
    property->function = bind_method(vm, V_INT((int64_t)number),
                                     (struct value){ .kind = K_NATIVE, .native = getter });
    dict_set_text(vm->arena, attributes, name,
                  (struct value){ .kind = K_PROPERTY, .property = property });
}

FUNCTION(collections_namedtuple)
{
    (void)self;
    struct value fields, defaults = list_new(vm->arena, K_TUPLE, 0);
    const struct class *class;
    struct value base = { .kind = K_CLASS, .class = &class_tuple };
    struct dict *attributes = dict_new(vm->arena);
    if (args->items[0].kind != K_STR)
        return raise_error(vm, &class_TypeError, "Type names and field names must be strings");
    if (!field_names(vm, args->items[1], &fields))
        return false;
    if (!value_is_unset(args->items[3]) && args->items[3].kind != K_NONE &&
        !value_to_list(vm, args->items[3], K_TUPLE, &defaults))
        return false;
    if (defaults.list->count > fields.list->count)
        return raise_error(vm, &class_TypeError, "Got more default values than field names");
    for (size_t i = 0; i < fields.list->count; i++) {
        if (fields.list->items[i].kind != K_STR)
            return raise_error(vm, &class_TypeError, "Type names and field names must be strings");
        add_getter(vm, attributes, fields.list->items[i].s, &TUPLE_FIELD, i);
    }
    fields.kind = K_TUPLE;
    dict_set_text(vm->arena, attributes, string_from(vm->arena, "_fields"), fields);
    dict_set_text(vm->arena, attributes, string_from(vm->arena, "_defaults"), defaults);
    for (size_t i = 0; i < sizeof NAMEDTUPLE_METHODS / sizeof *NAMEDTUPLE_METHODS; i++)
        add_getter(vm, attributes, string_from(vm->arena, NAMEDTUPLE_METHODS[i].name),
                   &NAMEDTUPLE_METHOD, i);
    if (!class_define(vm, args->items[0].s, &base, 1, attributes, &class))
        return false;
    dict_set_text(vm->arena, attributes, string_from(vm->arena, "__new__"),
                  bind_method(vm, (struct value){ .kind = K_CLASS, .class = class },
                              (struct value){ .kind = K_NATIVE, .native = &NAMEDTUPLE_NEW }));
    *ret = (struct value){ .kind = K_CLASS, .class = class };
    dict_set_text(vm->arena, attributes, string_from(vm->arena, "_make"),
                  bind_method(vm, *ret,
                              (struct value){ .kind = K_NATIVE, .native = &NAMEDTUPLE_MAKE }));
    return true;
}

/* --- the module --- */

const struct native collections_natives[] = {
    { "namedtuple", collections_namedtuple, "typename field_names | rename defaults" },
    { NULL, NULL, NULL },
};

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
    for (struct dict_entry *entry; (entry = dict_next(dict, &cursor));)
        if (!copy_deep(vm, entry->value, known, &entry->value))
            return false;
    return true;
}

static bool copy_inside(struct vm *vm, struct value copy, struct list *known)
{
    switch (copy.kind) {
    case K_LIST:
    case K_TUPLE:
        for (size_t i = 0; i < copy.list->count; i++)
            if (!copy_deep(vm, copy.list->items[i], known, &copy.list->items[i]))
                return false;
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
    if (!vm_step(vm) || !vm_enter(vm))
        return false;
    vm->steps += known->count / 32;
    for (size_t i = 0; i + 1 < known->count; i += 2)
        if (known->items[i].kind == v.kind && known->items[i].p == v.p) {
            *ret = known->items[i + 1];
            vm_leave(vm);
            return true;
        }
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

static bool get_keys(struct vm *vm, struct value keys, struct value from, bool is_attribute,
                     struct value *ret)
{
    struct value tuple = list_new(vm->arena, K_TUPLE, keys.list->count);
    for (size_t i = 0; i < keys.list->count; i++) {
        struct value v, key = keys.list->items[i];
        if (is_attribute && key.kind != K_STR)
            return raise_error(vm, &class_TypeError, "attribute name must be a string");
        if (!(is_attribute ? value_get_attribute(vm, from, key.s, &v)
                           : value_get_item(vm, from, key, &v)))
            return false;
        list_push(vm->arena, tuple.list, v);
    }
    *ret = keys.list->count == 1 ? tuple.list->items[0] : tuple;
    return true;
}

FUNCTION(getter_item)
{
    return get_keys(vm, self, args->items[0], false, ret);
}

FUNCTION(getter_attribute)
{
    return get_keys(vm, self, args->items[0], true, ret);
}

static const struct native ITEM_GETTER = { "itemgetter", getter_item, "obj" };
static const struct native ATTRIBUTE_GETTER = { "attrgetter", getter_attribute, "obj" };

FUNCTION(operator_itemgetter)
{
    (void)self;
    *ret = bind_method(vm, tuple_of(vm->arena, args->items, args->count),
                       (struct value){ .kind = K_NATIVE, .native = &ITEM_GETTER });
    return true;
}

FUNCTION(operator_attrgetter)
{
    (void)self;
    *ret = bind_method(vm, tuple_of(vm->arena, args->items, args->count),
                       (struct value){ .kind = K_NATIVE, .native = &ATTRIBUTE_GETTER });
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
    { "attrgetter", operator_attrgetter, NULL },
    { "floordiv", operator_floordiv, "a b" },
    { "itemgetter", operator_itemgetter, NULL },
    { "mod", operator_mod, "a b" },
    { "mul", operator_mul, "a b" },
    { "sub", operator_sub, "a b" },
    { "truediv", operator_truediv, "a b" },
    { NULL, NULL, NULL },
};
