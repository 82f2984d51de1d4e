#include "config/class.h"

#include "config/modules.h"
#include "config/template.h"

/* Classes: the order in which attributes are looked up, class statements, new instances. */

const struct class *class_next(const struct class *class, size_t *cursor)
{
    size_t at = (*cursor)++;
    if (class->mro)
        return at < class->mro_count ? class->mro[at] : NULL;
    for (; at > 0 && class; at--)
        class = class->base;
    return class;
}

bool class_is_subclass(const struct class *class, const struct class *base)
{
    size_t cursor = 0;
    for (const struct class *at; (at = class_next(class, &cursor));)
        if (at == base)
            return true;
    return false;
}

bool native_find(const struct native *rows, struct string *name, struct value *ret)
{
    for (; rows && rows->name; rows++)
        if (string_is(name, rows->name)) {
            *ret = (struct value){ .kind = K_NATIVE, .native = rows };
            return true;
        }
    return false;
}

struct value class_find(const struct class *class, struct string *name)
{
    size_t cursor = 0;
    struct value v;
    for (const struct class *at; (at = class_next(class, &cursor));) {
        if (at->attributes && (v = dict_get_text(at->attributes, name)).kind != K_UNBOUND)
            return v;
        if (native_find(at->methods, name, &v) || native_find(at->statics, name, &v))
            return v;
    }
    return V_UNBOUND;
}

struct value bind_method(struct vm *vm, struct value self, struct value function)
{
    struct bound *bound = arena_alloc(vm->arena, sizeof *bound);
    *bound = (struct bound){ self, function };
    return (struct value){ .kind = K_BOUND, .bound = bound };
}

struct value super_new(struct vm *vm, const struct class *owner, struct value self)
{
    struct super *super = arena_alloc(vm->arena, sizeof *super);
    *super = (struct super){ owner, self };
    struct instance *instance = arena_alloc(vm->arena, sizeof *instance);
    instance->class = &class_super;
    instance->payload = (struct value){ .kind = K_NODE, .p = super };
    return (struct value){ .kind = K_INSTANCE, .instance = instance };
}

/* --- int | str --- */

const struct class class_UnionType = { .name = "types.UnionType",
                                       .base = &class_object,
                                       .layout = K_TUPLE };

static bool add_to_union(struct vm *vm, struct list *parts, struct value v)
{
    if (v.kind == K_INSTANCE && v.instance->class == &class_UnionType) {
        const struct list *more = v.instance->payload.list;
        for (size_t i = 0; i < more->count; i++)
            (void)add_to_union(vm, parts, more->items[i]);
        return true;
    }
    if (v.kind == K_NONE)
        v = (struct value){ .kind = K_CLASS, .class = &class_NoneType };
    for (size_t i = 0; i < parts->count; i++)
        if (value_is(parts->items[i], v))
            return true;
    list_push(vm->arena, parts, v);
    return v.kind == K_CLASS;
}

bool class_union(struct vm *vm, struct value a, struct value b, struct value *ret)
{
    struct value parts = list_new(vm->arena, K_TUPLE, 2);
    if (!add_to_union(vm, parts.list, a) || !add_to_union(vm, parts.list, b))
        return false;
    struct instance *instance = arena_alloc(vm->arena, sizeof *instance);
    instance->class = &class_UnionType;
    instance->payload = parts;
    *ret = (struct value){ .kind = K_INSTANCE, .instance = instance };
    return true;
}

/* --- class statements --- */

static bool in_tail(const struct class *class, const struct list *order)
{
    for (size_t i = 1; i < order->count; i++)
        if (order->items[i].class == class)
            return true;
    return false;
}

static struct value class_order(struct vm *vm, const struct class *class)
{
    struct value order = list_new(vm->arena, K_LIST, 4);
    size_t cursor = 0;
    for (const struct class *at; (at = class_next(class, &cursor));)
        list_push(vm->arena, order.list, (struct value){ .kind = K_CLASS, .class = at });
    return order;
}

static void drop_first(struct list *order)
{
    memmove(order->items, order->items + 1, (order->count - 1) * sizeof *order->items);
    order->count--;
}

/* C3: the first class that stands in no other order's tail goes next. */
static const struct class *next_merged(struct list *orders, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (orders[i].count == 0)
            continue;
        const struct class *candidate = orders[i].items[0].class;
        bool is_blocked = false;
        for (size_t j = 0; j < count; j++)
            is_blocked |= in_tail(candidate, &orders[j]);
        if (!is_blocked)
            return candidate;
    }
    return NULL;
}

static bool no_order(struct vm *vm, const struct class *const *bases, size_t count)
{
    struct buffer names = buffer_new(vm);
    for (size_t i = 0; i < count; i++)
        buffer_printf(&names, "%s%s", i ? ", " : "", bases[i]->name);
    return raise_error(vm, &class_TypeError,
                       "Cannot create a consistent method resolution order (MRO) for bases %.*s",
                       (int)names.len, names.bytes);
}

static bool merge_orders(struct vm *vm, struct class *class, const struct class *const *bases,
                         size_t count)
{
    struct list *orders = arena_array(vm->arena, count + 1, sizeof *orders);
    size_t total = 1, left = 0;
    for (size_t i = 0; i < count; i++) {
        orders[i] = *class_order(vm, bases[i]).list;
        total += orders[i].count;
        list_push(vm->arena, &orders[count], (struct value){ .kind = K_CLASS, .class = bases[i] });
    }
    if (total > LIMIT_CLASS_LINE)
        return raise_limit(vm, "a class has more than %d classes above it", LIMIT_CLASS_LINE);
    const struct class **mro = arena_array(vm->arena, total, sizeof *mro);
    mro[0] = class;
    class->mro_count = 1;
    for (const struct class *next; (next = next_merged(orders, count + 1));) {
        mro[class->mro_count++] = next;
        for (size_t i = 0; i <= count; i++)
            if (orders[i].count && orders[i].items[0].class == next)
                drop_first(&orders[i]);
    }
    for (size_t i = 0; i <= count; i++)
        left += orders[i].count;
    class->mro = mro;
    return left == 0 || no_order(vm, bases, count);
}

/* Functions learn which class they belong to, for super(). */
static void adopt_functions(struct class *class)
{
    size_t cursor = 0;
    for (struct dict_entry *entry; (entry = dict_next(class->attributes, &cursor));) {
        struct value v = entry->value;
        if (v.kind == K_PROPERTY)
            v = v.property->function;
        if (v.kind == K_FUNCTION && !v.function->owner)
            v.function->owner = class;
    }
}

/* Methods that Python calls and this language does not: left out in silence they would change jobs. */
static bool check_methods(struct vm *vm, const struct string *class_name,
                          const struct dict *attributes)
{
    static const char *const names[] = { "__getattribute__" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (dict_get_text(attributes, string_from(vm->arena, names[i])).kind != K_UNBOUND)
            return raise_error(vm, &class_NotImplementedError,
                               "class %s: the method %s is not part of the configuration language",
                               class_name->data, names[i]);
    return true;
}

/* What objects of a class without a layout hold, only its own C code can make: dates, matches, files. */
static bool is_base(struct value v)
{
    static const bool layouts[K_KIND_COUNT] = {
        [K_INT] = true,       [K_FLOAT] = true,    [K_STR] = true,  [K_BYTES] = true,
        [K_LIST] = true,      [K_TUPLE] = true,    [K_DICT] = true, [K_SET] = true,
        [K_FROZENSET] = true, [K_INSTANCE] = true,
    };
    const struct class *class = v.class;
    if (v.kind != K_CLASS || class == &class_bool || !layouts[class->layout])
        return false;
    return class->attributes || class->layout != K_INSTANCE || !class->methods ||
           class == &class_object || class == &class_BaseException;
}

/* An object holds one thing: the arguments of an exception, or a value of the one kind that its
 * builtin bases have. */
static bool find_layout(struct vm *vm, const struct class *const *bases, size_t count,
                        enum kind *ret)
{
    bool is_exception = false, is_mixed = false;
    *ret = K_INSTANCE;
    for (size_t i = 0; i < count; i++) {
        is_exception |= class_is_subclass(bases[i], &class_BaseException);
        if (bases[i]->layout == K_INSTANCE)
            continue;
        is_mixed |= *ret != K_INSTANCE && *ret != bases[i]->layout;
        *ret = bases[i]->layout;
    }
    return !(is_mixed || (is_exception && *ret != K_INSTANCE)) ||
           raise_error(vm, &class_TypeError, "multiple bases have instance lay-out conflict");
}

bool class_define(struct vm *vm, struct string *name, const struct value *bases, size_t base_count,
                  struct dict *attributes, const struct class **ret)
{
    struct class *class = arena_alloc(vm->arena, sizeof *class);
    const struct class **list = arena_array(vm->arena, base_count + 1, sizeof *list);
    size_t count = 0;
    if (!check_methods(vm, name, attributes))
        return false;
    class->name = name->data;
    class->attributes = attributes;
    for (size_t i = 0; i < base_count; i++) {
        if (bases[i].kind == K_CLASS && bases[i].class == &class_type)
            return raise_error(vm, &class_TypeError,
                               "metaclasses are not part of the configuration language");
        if (bases[i].kind == K_MODULE && bases[i].module->owner)
            return module_unusable(vm, bases[i].module, "");
        if (!is_base(bases[i]))
            return raise_error(vm, &class_TypeError, "type '%s' is not an acceptable base type",
                               bases[i].kind == K_CLASS ? bases[i].class->name
                                                        : value_type_name(bases[i]));
        list[count++] = bases[i].class;
    }
    if (count == 0)
        list[count++] = &class_object;
    for (size_t i = 1; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (list[i] == list[j])
                return raise_error(vm, &class_TypeError, "duplicate base class %s", list[i]->name);
    if (!find_layout(vm, list, count, &class->layout))
        return false;
    class->has_hooks =
        dict_get_text(attributes, string_from(vm->arena, "__class_call__")).kind != K_UNBOUND;
    for (size_t i = 0; i < count; i++)
        class->has_hooks |= list[i]->has_hooks;
    class->base = list[0];
    class->bases = list;
    class->base_count = count;
    adopt_functions(class);
    if (!merge_orders(vm, class, list, count))
        return false;
    *ret = class;
    return true;
}

bool class_call_hook(struct vm *vm, struct value v, const char *name, const struct args *args,
                     struct value *ret, bool *ret_found)
{
    *ret_found = false;
    if (v.kind != K_CLASS || !v.class->has_hooks)
        return true;
    struct value found = class_find(v.class, string_from(vm->arena, name));
    *ret_found = found.kind == K_PROPERTY && found.property->kind == PROPERTY_CLASS;
    return !*ret_found || value_call(vm, bind_method(vm, v, found.property->function), args, ret);
}

static bool tell_names(struct vm *vm, const struct class *class)
{
    const struct dict *attributes = dict_copy(vm->arena, class->attributes);
    size_t cursor = 0;
    for (struct dict_entry *entry; (entry = dict_next(attributes, &cursor));) {
        const struct value items[] = { { .kind = K_CLASS, .class = class }, entry->key };
        struct value result;
        bool found;
        if (!value_call_special(vm, entry->value, "__set_name__", items, 2, &result, &found))
            return false;
    }
    return true;
}

bool class_announce(struct vm *vm, const struct class *class, const struct keyword *keywords,
                    size_t keyword_count)
{
    struct string *name = string_from(vm->arena, "__init_subclass__");
    struct value found = V_UNBOUND, self = { .kind = K_CLASS, .class = class }, result;
    const struct args args = { .keywords = keywords, .keyword_count = keyword_count };
    if (!tell_names(vm, class))
        return false;
    for (size_t i = 1; i < class->mro_count && found.kind == K_UNBOUND; i++)
        if (class->mro[i]->attributes)
            found = dict_get_text(class->mro[i]->attributes, name);
    if (found.kind == K_PROPERTY)
        found = found.property->function;
    if (found.kind != K_UNBOUND)
        return value_call(vm, bind_method(vm, self, found), &args, &result);
    return keyword_count == 0 ||
           raise_error(vm, &class_TypeError, "%s.__init_subclass__() takes no keyword arguments",
                       class->name);
}

/* --- instances --- */

static bool fill_payload(struct vm *vm, const struct class *class, struct instance *instance,
                         const struct args *args, bool has_init)
{
    size_t cursor = 0;
    const struct class *at;
    while ((at = class_next(class, &cursor)))
        if (!at->attributes && at->layout == class->layout && at->construct)
            break;
    static const struct args none;
    struct value v;
    bool takes_arguments = !has_init || class->layout == K_STR || class->layout == K_INT ||
                           class->layout == K_FLOAT || class->layout == K_TUPLE;
    if (!at)
        return raise_error(vm, &class_TypeError, "cannot create '%s' instances", class->name);
    if (!at->construct(vm, at, takes_arguments ? args : &none, &v))
        return false;
    instance->payload = value_contents(v); /* string.Template makes objects of its own */
    return true;
}

static bool has_own_init(struct vm *vm, const struct class *class, struct value *ret_init)
{
    *ret_init = class_find(class, string_from(vm->arena, "__init__"));
    return ret_init->kind == K_FUNCTION;
}

bool class_allocate(struct vm *vm, const struct class *class, const struct args *args,
                    struct value *ret)
{
    struct instance *instance = arena_alloc(vm->arena, sizeof *instance);
    struct value init;
    instance->class = class;
    instance->cause = V_NONE;
    if (class_is_subclass(class, &class_BaseException))
        instance->payload = tuple_of(vm->arena, args->items, args->count);
    else if (class->layout != K_INSTANCE &&
             !fill_payload(vm, class, instance, args, has_own_init(vm, class, &init)))
        return false;
    *ret = (struct value){ .kind = K_INSTANCE, .instance = instance };
    return true;
}

static bool initialize(struct vm *vm, struct value self, const struct class *class,
                       const struct args *args)
{
    struct value init, result;
    if (!has_own_init(vm, class, &init))
        return true;
    if (!value_call(vm, bind_method(vm, self, init), args, &result))
        return false;
    return result.kind == K_NONE ||
           raise_error(vm, &class_TypeError, "__init__() should return None, not '%s'",
                       value_type_name(result));
}

/* The configuration's own __new__; what it gives is initialised if it is of this class. */
static bool make_and_initialize(struct vm *vm, const struct class *class, struct value maker,
                                const struct args *args, struct value *ret)
{
    struct value *items = arena_array(vm->arena, args->count + 1, sizeof *items);
    struct args all = *args;
    items[0] = (struct value){ .kind = K_CLASS, .class = class };
    if (args->count)
        memcpy(items + 1, args->items, args->count * sizeof *items);
    all.items = items;
    all.count++;
    if (!value_call(vm, maker, &all, ret))
        return false;
    return ret->kind != K_INSTANCE || !class_is_subclass(ret->instance->class, class) ||
           initialize(vm, *ret, ret->instance->class, args);
}

bool class_instantiate(struct vm *vm, const struct class *class, const struct args *args,
                       struct value *ret)
{
    struct value made, self = { .kind = K_CLASS, .class = class };
    bool is_made;
    if (!class_call_hook(vm, self, "__class_call__", args, ret, &is_made))
        return false;
    if (is_made)
        return true;
    if (!class->attributes && class->construct)
        return class->construct(vm, class, args, ret);
    if (!class->attributes && class != &class_object)
        return raise_error(vm, &class_TypeError, "cannot create '%s' instances", class->name);
    struct value maker =
        class->attributes ? class_find(class, string_from(vm->arena, "__new__")) : V_UNBOUND;
    if (maker.kind == K_FUNCTION)
        return make_and_initialize(vm, class, maker, args, ret);
    if (!class_allocate(vm, class, args, &made) || !initialize(vm, made, class, args))
        return false;
    if (made.instance->payload.kind == K_UNBOUND && (args->count || args->keyword_count) &&
        !has_own_init(vm, class, &maker))
        return raise_error(vm, &class_TypeError, "%s() takes no arguments", class->name);
    *ret = made;
    return true;
}
