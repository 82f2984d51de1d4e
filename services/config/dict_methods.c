#include "config/class.h"
#include "config/sort.h"

/* dict, and the classes of collections that are dicts. */

#define METHOD(name)                                                                               \
    static bool name(struct vm *vm, struct value self, const struct args *args, struct value *ret)

static bool merge_pairs(struct vm *vm, struct dict *dict, struct value v)
{
    struct iterator *iterator;
    struct value pair, items;
    if (!value_iterate(vm, v, &iterator))
        return false;
    for (size_t i = 0;; i++) {
        if (!iterator_next(vm, iterator, &pair))
            return false;
        if (pair.kind == K_UNBOUND)
            return true;
        if (!value_to_list(vm, pair, K_LIST, &items))
            return exception_is(vm, &class_TypeError)
                       ? raise_error(
                             vm, &class_TypeError,
                             "cannot convert dictionary update sequence element #%zu to a sequence",
                             i)
                       : false;
        if (items.list->count != 2)
            return raise_error(
                vm, &class_ValueError,
                "dictionary update sequence element #%zu has length %zu; 2 is required", i,
                items.list->count);
        if (!dict_set(vm, dict, items.list->items[0], items.list->items[1]))
            return false;
    }
}

/* What an object with keys() and [] holds. */
static bool collect_mapping(struct vm *vm, struct value v, struct value keys, struct value *ret)
{
    struct value list, item;
    const struct args none = { 0 };
    *ret = dict_value(vm->arena, K_DICT);
    if (!value_call(vm, keys, &none, &list) || !value_to_list(vm, list, K_LIST, &list))
        return false;
    for (size_t i = 0; i < list.list->count; i++)
        if (!value_get_item(vm, v, list.list->items[i], &item) ||
            !dict_set(vm, ret->dict, list.list->items[i], item))
            return false;
    return true;
}

bool value_to_mapping(struct vm *vm, struct value v, struct value *ret)
{
    struct value keys;
    *ret = value_as(v, K_DICT);
    if (ret->kind == K_DICT || ret->kind == K_FROZENDICT)
        return true;
    *ret = V_UNBOUND;
    if (v.kind != K_INSTANCE)
        return true;
    keys = class_find(v.instance->class, string_from(vm->arena, "keys"));
    return keys.kind == K_UNBOUND || collect_mapping(vm, v, bind_method(vm, v, keys), ret);
}

static bool merge(struct vm *vm, struct dict *dict, const struct args *args)
{
    size_t cursor = 0;
    if (args->count > 1)
        return raise_error(vm, &class_TypeError, "dict expected at most 1 argument, got %zu",
                           args->count);
    struct value v = V_UNBOUND;
    if (args->count && !value_to_mapping(vm, args->items[0], &v))
        return false;
    if (v.kind != K_UNBOUND) {
        for (struct dict_entry *entry; (entry = dict_next(v.dict, &cursor));)
            if (!dict_set(vm, dict, entry->key, entry->value))
                return false;
    } else if (args->count && !merge_pairs(vm, dict, args->items[0])) {
        return false;
    }
    for (size_t i = 0; i < args->keyword_count; i++)
        dict_set_text(vm->arena, dict, args->keywords[i].name, args->keywords[i].value);
    return true;
}

METHOD(dict_update)
{
    *ret = V_NONE;
    return merge(vm, self.dict, args);
}

METHOD(dict_get_method)
{
    if (!dict_get(vm, self.dict, args->items[0], ret))
        return false;
    if (ret->kind == K_UNBOUND)
        *ret = value_is_unset(args->items[1]) ? V_NONE : args->items[1];
    return true;
}

METHOD(dict_pop)
{
    if (!dict_remove(vm, self.dict, args->items[0], ret))
        return false;
    if (ret->kind == K_UNBOUND)
        *ret = args->items[1];
    return ret->kind != K_UNBOUND || raise_key_error(vm, args->items[0]);
}

METHOD(dict_popitem)
{
    bool wants_first =
        !value_is_unset(args->items[0]) && args->items[0].kind == K_BOOL && !args->items[0].b;
    size_t cursor = 0, used = self.dict->used;
    while (used && self.dict->entries[used - 1].key.kind == K_UNBOUND)
        used--;
    if (!used)
        return raise_error(vm, &class_KeyError, "%sdictionary is empty",
                           self.dict->type_name ? "" : "popitem(): ");
    const struct dict_entry *entry =
        wants_first ? dict_next(self.dict, &cursor) : &self.dict->entries[used - 1];
    vm->steps += (self.dict->used - used + cursor) / 32;
    struct value pair[] = { entry->key, entry->value }, old;
    *ret = tuple_of(vm->arena, pair, 2);
    return dict_remove(vm, self.dict, pair[0], &old);
}

METHOD(ordered_move_to_end)
{
    struct value item, key = args->items[0];
    bool is_last = true;
    *ret = V_NONE;
    if (!value_is_unset(args->items[1]) && !value_truth(vm, args->items[1], &is_last))
        return false;
    if (!dict_remove(vm, self.dict, key, &item))
        return false;
    if (item.kind == K_UNBOUND)
        return raise_key_error(vm, key);
    if (is_last)
        return dict_set(vm, self.dict, key, item);
    const struct dict *rest = dict_copy(vm->arena, self.dict);
    size_t cursor = 0;
    dict_clear(self.dict);
    if (!dict_set(vm, self.dict, key, item))
        return false;
    for (struct dict_entry *entry; (entry = dict_next(rest, &cursor));)
        if (!vm_step(vm) || !dict_set(vm, self.dict, entry->key, entry->value))
            return false;
    return true;
}

METHOD(dict_setdefault)
{
    if (!dict_get(vm, self.dict, args->items[0], ret))
        return false;
    if (ret->kind != K_UNBOUND)
        return true;
    *ret = value_is_unset(args->items[1]) ? V_NONE : args->items[1];
    return dict_set(vm, self.dict, args->items[0], *ret);
}

enum view { VIEW_KEYS, VIEW_VALUES, VIEW_ITEMS };

static const struct class *const VIEWS[] = { &class_dict_keys, &class_dict_values,
                                             &class_dict_items };

struct dict *view_dict(struct value v)
{
    for (size_t i = 0; v.kind == K_INSTANCE && i < sizeof VIEWS / sizeof *VIEWS; i++)
        if (v.instance->class == VIEWS[i])
            return v.instance->context.dict;
    return NULL;
}

/* A view holds a list of what is in its dict now; whoever looks at it asks for that anew. */
static struct value list_view(struct vm *vm, const struct dict *dict, enum view view)
{
    struct value list = list_new(vm->arena, K_LIST, dict->count);
    size_t cursor = 0;
    for (struct dict_entry *entry; (entry = dict_next(dict, &cursor));) {
        struct value pair[] = { entry->key, entry->value };
        list_push(vm->arena, list.list,
                  view == VIEW_KEYS     ? entry->key
                  : view == VIEW_VALUES ? entry->value
                                        : tuple_of(vm->arena, pair, 2));
    }
    return list;
}

void view_refresh(struct vm *vm, struct value v)
{
    const struct dict *dict = view_dict(v);
    for (size_t i = 0; dict && i < sizeof VIEWS / sizeof *VIEWS; i++)
        if (v.instance->class == VIEWS[i])
            v.instance->payload = list_view(vm, dict, (enum view)i);
}

static bool next_of_view(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    const struct dict *dict = iterator->a.dict;
    if ((size_t)iterator->number != dict->count)
        return raise_error(vm, &class_RuntimeError, "dictionary changed size during iteration");
    const struct dict_entry *entry = dict_next(dict, &iterator->index);
    struct value pair[] = { entry ? entry->key : V_UNBOUND, entry ? entry->value : V_UNBOUND };
    *ret = iterator->step == VIEW_KEYS ? pair[0] : pair[1];
    if (entry && iterator->step == VIEW_ITEMS)
        *ret = tuple_of(vm->arena, pair, 2);
    return true;
}

struct iterator *view_iterate(struct vm *vm, struct value v)
{
    static const char *const names[] = { "dict_keyiterator", "dict_valueiterator",
                                         "dict_itemiterator" };
    size_t view = 0;
    while (v.instance->class != VIEWS[view])
        view++;
    struct iterator *iterator = iterator_new(vm, names[view], next_of_view);
    iterator->a = v.instance->context;
    iterator->number = (int64_t)iterator->a.dict->count;
    iterator->step = (int64_t)view;
    return iterator;
}

static bool make_view(struct vm *vm, struct dict *dict, enum view view, struct value *ret)
{
    struct instance *instance = arena_alloc(vm->arena, sizeof *instance);
    instance->class = VIEWS[view];
    instance->payload = list_new(vm->arena, K_LIST, 0);
    instance->context = (struct value){ .kind = K_DICT, .dict = dict };
    *ret = (struct value){ .kind = K_INSTANCE, .instance = instance };
    return true;
}

METHOD(dict_keys)
{
    (void)args;
    return make_view(vm, self.dict, VIEW_KEYS, ret);
}

METHOD(dict_values)
{
    (void)args;
    return make_view(vm, self.dict, VIEW_VALUES, ret);
}

METHOD(dict_items)
{
    (void)args;
    return make_view(vm, self.dict, VIEW_ITEMS, ret);
}

METHOD(dict_clear_method)
{
    (void)vm;
    (void)args;
    dict_clear(self.dict);
    *ret = V_NONE;
    return true;
}

METHOD(dict_copy_method)
{
    (void)args;
    *ret = (struct value){ .kind = K_DICT, .dict = dict_copy(vm->arena, self.dict) };
    return true;
}

METHOD(dict_fromkeys)
{
    (void)self;
    struct value keys, v = value_is_unset(args->items[1]) ? V_NONE : args->items[1];
    if (!value_to_list(vm, args->items[0], K_LIST, &keys))
        return false;
    *ret = dict_value(vm->arena, K_DICT);
    for (size_t i = 0; i < keys.list->count; i++)
        if (!dict_set(vm, ret->dict, keys.list->items[i], v))
            return false;
    return true;
}

METHOD(counter_most_common)
{
    struct value items = list_new(vm->arena, K_LIST, self.dict->count);
    size_t cursor = 0, most = self.dict->count;
    if (args->items[0].kind > K_NONE && !value_to_size(vm, args->items[0], &most))
        return false;
    struct list counts = { 0 };
    for (struct dict_entry *entry; (entry = dict_next(self.dict, &cursor));) {
        struct value pair[] = { entry->key, entry->value };
        list_push(vm->arena, items.list, tuple_of(vm->arena, pair, 2));
        list_push(vm->arena, &counts, entry->value);
    }
    if (!sort_by(vm, items.list, &counts, true))
        return false;
    if (items.list->count > most)
        items.list->count = most;
    *ret = items;
    return true;
}

#define DICT_ROWS                                                                                  \
    { "copy", dict_copy_method, "" }, { "get", dict_get_method, "key | default" },                 \
        { "items", dict_items, "" }, { "keys", dict_keys, "" }, { "values", dict_values, "" },     \
        { "iteritems", dict_items, "" }, { "iterkeys", dict_keys, "" },                            \
    {                                                                                              \
        "itervalues", dict_values, ""                                                              \
    }

static const struct native DICT_METHODS[] = {
    DICT_ROWS,
    { "clear", dict_clear_method, "" },
    { "pop", dict_pop, "key | default" },
    { "popitem", dict_popitem, "| last" },
    { "setdefault", dict_setdefault, "key | default" },
    { "update", dict_update, NULL },
    { "__init__", dict_update, NULL },
    { NULL, NULL, NULL },
};

static const struct native DICT_STATICS[] = {
    { "fromkeys", dict_fromkeys, "iterable | value" },
    { NULL, NULL, NULL },
};

static bool construct_counter(struct vm *vm, const struct class *class, const struct args *args,
                              struct value *ret);

static bool change_counts(struct vm *vm, struct dict *counts, const struct args *args,
                          enum binary_op op)
{
    struct value more, old;
    size_t cursor = 0;
    if (!construct_counter(vm, &class_Counter, args, &more))
        return false;
    for (struct dict_entry *entry; (entry = dict_next(more.dict, &cursor));) {
        if (!dict_get(vm, counts, entry->key, &old))
            return false;
        old = old.kind == K_UNBOUND ? V_INT(0) : old;
        if (!value_binary(vm, op, old, entry->value, &old) ||
            !dict_set(vm, counts, entry->key, old))
            return false;
    }
    return true;
}

METHOD(counter_update)
{
    *ret = V_NONE;
    return change_counts(vm, self.dict, args, OP_ADD);
}

METHOD(counter_subtract)
{
    *ret = V_NONE;
    return change_counts(vm, self.dict, args, OP_SUBTRACT);
}

METHOD(counter_elements)
{
    (void)args;
    struct value made = list_new(vm->arena, K_LIST, 8);
    struct iterator *iterator;
    size_t cursor = 0;
    for (struct dict_entry *entry; (entry = dict_next(self.dict, &cursor));)
        for (int64_t i = 0; entry->value.kind == K_INT && i < entry->value.i; i++) {
            if (!vm_step(vm))
                return false;
            list_push(vm->arena, made.list, entry->key);
        }
    if (!value_iterate(vm, made, &iterator))
        return false;
    *ret = iterator_value(iterator);
    return true;
}

METHOD(counter_total)
{
    (void)args;
    size_t cursor = 0;
    *ret = V_INT(0);
    for (struct dict_entry *entry; (entry = dict_next(self.dict, &cursor));)
        if (!value_binary(vm, OP_ADD, *ret, entry->value, ret))
            return false;
    return true;
}

static const struct native COUNTER_METHODS[] = {
    { "elements", counter_elements, "" },
    { "subtract", counter_subtract, NULL },
    { "total", counter_total, "" },
    { "update", counter_update, NULL },
    { "most_common", counter_most_common, "| n" },
    { NULL, NULL, NULL },
};

static const struct native FROZENDICT_METHODS[] = { DICT_ROWS, { NULL, NULL, NULL } };

static bool construct_dict(struct vm *vm, const struct class *class, const struct args *args,
                           struct value *ret)
{
    (void)class;
    *ret = dict_value(vm->arena, K_DICT);
    return merge(vm, ret->dict, args);
}

static bool construct_ordered(struct vm *vm, const struct class *class, const struct args *args,
                              struct value *ret)
{
    *ret = dict_value(vm->arena, K_DICT);
    ret->dict->type_name = class->name;
    return merge(vm, ret->dict, args);
}

static bool fill_defaultdict(struct vm *vm, struct dict *dict, const struct args *args)
{
    struct args rest = *args;
    dict->fallback = args->count ? args->items[0] : V_NONE;
    if (dict->fallback.kind != K_NONE && !value_is_callable(dict->fallback) &&
        dict->fallback.kind != K_INSTANCE)
        return raise_error(vm, &class_TypeError, "first argument must be callable or None");
    rest.items += args->count > 0;
    rest.count -= args->count > 0;
    return merge(vm, dict, &rest);
}

METHOD(defaultdict_init)
{
    *ret = V_NONE;
    return fill_defaultdict(vm, self.dict, args);
}

static const struct native DEFAULTDICT_METHODS[] = {
    { "__init__", defaultdict_init, NULL },
    { NULL, NULL, NULL },
};

static bool construct_defaultdict(struct vm *vm, const struct class *class, const struct args *args,
                                  struct value *ret)
{
    *ret = dict_value(vm->arena, K_DICT);
    ret->dict->type_name = class->name;
    return fill_defaultdict(vm, ret->dict, args);
}

static bool construct_counter(struct vm *vm, const struct class *class, const struct args *args,
                              struct value *ret)
{
    struct iterator *iterator;
    struct value v, old;
    *ret = dict_value(vm->arena, K_DICT);
    ret->dict->type_name = class->name;
    if (args->count == 0 || args->items[0].kind == K_DICT)
        return merge(vm, ret->dict, args);
    if (!value_iterate(vm, args->items[0], &iterator))
        return false;
    for (;;) {
        if (!iterator_next(vm, iterator, &v))
            return false;
        if (v.kind == K_UNBOUND)
            return true;
        if (!dict_get(vm, ret->dict, v, &old) ||
            !dict_set(vm, ret->dict, v, V_INT(old.kind == K_INT ? old.i + 1 : 1)))
            return false;
    }
}

const struct class class_dict = { .name = "dict",
                                  .base = &class_object,
                                  .layout = K_DICT,
                                  .methods = DICT_METHODS,
                                  .statics = DICT_STATICS,
                                  .construct = construct_dict };
static const struct native ORDERED_METHODS[] = {
    { "move_to_end", ordered_move_to_end, "key | last" },
    { NULL, NULL, NULL },
};

METHOD(ordered_fromkeys)
{
    if (!dict_fromkeys(vm, self, args, ret))
        return false;
    ret->dict->type_name = class_OrderedDict.name;
    return true;
}

static const struct native ORDERED_STATICS[] = {
    { "fromkeys", ordered_fromkeys, "iterable | value" },
    { NULL, NULL, NULL },
};

METHOD(defaultdict_fromkeys)
{
    if (!dict_fromkeys(vm, self, args, ret))
        return false;
    ret->dict->type_name = class_defaultdict.name;
    ret->dict->fallback = V_NONE;
    return true;
}

static const struct native DEFAULTDICT_STATICS[] = {
    { "fromkeys", defaultdict_fromkeys, "iterable | value" },
    { NULL, NULL, NULL },
};

METHOD(counter_fromkeys)
{
    (void)self;
    (void)args;
    (void)ret;
    return raise_error(vm, &class_NotImplementedError,
                       "Counter.fromkeys() is undefined.  Use Counter(iterable) instead.");
}

static const struct native COUNTER_STATICS[] = {
    { "fromkeys", counter_fromkeys, "iterable | value" },
    { NULL, NULL, NULL },
};

const struct class class_OrderedDict = { .name = "OrderedDict",
                                         .base = &class_dict,
                                         .layout = K_DICT,
                                         .methods = ORDERED_METHODS,
                                         .statics = ORDERED_STATICS,
                                         .construct = construct_ordered };
const struct class class_defaultdict = { .name = "defaultdict",
                                         .base = &class_dict,
                                         .layout = K_DICT,
                                         .methods = DEFAULTDICT_METHODS,
                                         .statics = DEFAULTDICT_STATICS,
                                         .construct = construct_defaultdict };
const struct class class_Counter = { .name = "Counter",
                                     .base = &class_dict,
                                     .layout = K_DICT,
                                     .methods = COUNTER_METHODS,
                                     .statics = COUNTER_STATICS,
                                     .construct = construct_counter };
const struct class class_frozendict = { .name = "frozendict",
                                        .base = &class_object,
                                        .layout = K_FROZENDICT,
                                        .methods = FROZENDICT_METHODS };
const struct class class_dict_keys = { .name = "dict_keys",
                                       .base = &class_object,
                                       .layout = K_LIST };
const struct class class_dict_values = { .name = "dict_values",
                                         .base = &class_object,
                                         .layout = K_LIST };
const struct class class_dict_items = { .name = "dict_items",
                                        .base = &class_object,
                                        .layout = K_LIST };
