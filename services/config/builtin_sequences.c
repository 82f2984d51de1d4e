#include "config/class.h"
#include "config/evaluate.h"
#include "config/sort.h"

/* Builtin functions about what can be iterated. */

#define BUILTIN(name)                                                                              \
    static bool name(struct vm *vm, struct value self, const struct args *args, struct value *ret)

/* --- aggregates --- */

static bool sum_step(struct vm *vm, struct value v, struct value *total)
{
    return value_binary(vm, OP_ADD, *total, v, total);
}

BUILTIN(builtin_sum)
{
    (void)self;
    struct iterator *iterator;
    struct value v;
    *ret = value_is_unset(args->items[1]) ? V_INT(0) : args->items[1];
    if (ret->kind == K_STR)
        return raise_error(vm, &class_TypeError,
                           "sum() can't sum strings [use ''.join(seq) instead]");
    if (!value_iterate(vm, args->items[0], &iterator))
        return false;
    for (;;) {
        if (!iterator_next(vm, iterator, &v))
            return false;
        if (v.kind == K_UNBOUND)
            return true;
        if (!sum_step(vm, v, ret))
            return false;
    }
}

static bool any_or_all(struct vm *vm, struct value v, bool wanted, struct value *ret)
{
    struct iterator *iterator;
    bool truth;
    if (!value_iterate(vm, v, &iterator))
        return false;
    for (;;) {
        if (!iterator_next(vm, iterator, &v))
            return false;
        if (v.kind == K_UNBOUND)
            break;
        if (!value_truth(vm, v, &truth))
            return false;
        if (truth == wanted) {
            *ret = V_BOOL(wanted);
            return true;
        }
    }
    *ret = V_BOOL(!wanted);
    return true;
}

BUILTIN(builtin_any)
{
    (void)self;
    return any_or_all(vm, args->items[0], true, ret);
}

BUILTIN(builtin_all)
{
    (void)self;
    return any_or_all(vm, args->items[0], false, ret);
}

static bool take_keyword(struct vm *vm, const struct args *args, const char *name,
                         struct value *ret)
{
    (void)vm;
    for (size_t i = 0; i < args->keyword_count; i++)
        if (string_is(args->keywords[i].name, name)) {
            *ret = args->keywords[i].value;
            return true;
        }
    return false;
}

static bool extreme(struct vm *vm, const struct args *args, bool is_max, struct value *ret)
{
    struct value items, key = V_NONE, fallback = V_UNBOUND, best_key = V_NONE, v, answer;
    const char *name = is_max ? "max" : "min";
    take_keyword(vm, args, "key", &key);
    take_keyword(vm, args, "default", &fallback);
    if (args->count == 0)
        return raise_error(vm, &class_TypeError, "%s expected at least 1 argument, got 0", name);
    if (args->count > 1 && fallback.kind != K_UNBOUND)
        return raise_error(vm, &class_TypeError,
                           "Cannot specify a default for %s() with multiple positional arguments",
                           name);
    for (size_t i = 0; i < args->keyword_count; i++)
        if (!string_is(args->keywords[i].name, "key") &&
            !string_is(args->keywords[i].name, "default"))
            return raise_error(vm, &class_TypeError, "%s() got an unexpected keyword argument '%s'",
                               name, args->keywords[i].name->data);
    if (args->count > 1)
        items = tuple_of(vm->arena, args->items, args->count);
    else if (!value_to_list(vm, args->items[0], K_LIST, &items))
        return false;
    if (items.list->count == 0) {
        *ret = fallback;
        return fallback.kind != K_UNBOUND ||
               raise_error(vm, &class_ValueError, "%s() arg is an empty sequence", name);
    }
    for (size_t i = 0; i < items.list->count; i++) {
        bool is_better = i == 0;
        v = items.list->items[i];
        if (key.kind != K_NONE && !value_call1(vm, key, v, &v))
            return false;
        if (i && (!value_compare(vm, is_max ? CMP_MORE : CMP_LESS, v, best_key, &answer) ||
                  !value_truth(vm, answer, &is_better)))
            return false;
        if (is_better) {
            best_key = v;
            *ret = items.list->items[i];
        }
    }
    return true;
}

BUILTIN(builtin_min)
{
    (void)self;
    return extreme(vm, args, false, ret);
}

BUILTIN(builtin_max)
{
    (void)self;
    return extreme(vm, args, true, ret);
}

BUILTIN(builtin_len)
{
    (void)self;
    size_t length;
    if (!value_length(vm, args->items[0], &length))
        return false;
    *ret = V_INT((int64_t)length);
    return true;
}

BUILTIN(builtin_sorted)
{
    (void)self;
    bool is_reversed = false;
    if (!value_is_unset(args->items[2]) && !value_truth(vm, args->items[2], &is_reversed))
        return false;
    return value_to_list(vm, args->items[0], K_LIST, ret) &&
           sort_list(vm, ret->list, args->items[1], is_reversed);
}

/* --- lazy sequences --- */

static bool next_enumerated(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    struct value pair[2];
    if (!iterator_next(vm, iterator->a.iterator, &pair[1]))
        return false;
    *ret = pair[1];
    if (pair[1].kind == K_UNBOUND)
        return true;
    pair[0] = iterator->b;
    *ret = tuple_of(vm->arena, pair, 2);
    return value_binary(vm, OP_ADD, pair[0], V_INT(1), &iterator->b);
}

static bool start_iterator(struct vm *vm, struct value v, struct value *ret)
{
    struct iterator *iterator;
    if (!value_iterate(vm, v, &iterator))
        return false;
    *ret = iterator_value(iterator);
    return true;
}

BUILTIN(builtin_enumerate)
{
    (void)self;
    struct iterator *iterator = iterator_new(vm, "enumerate", next_enumerated);
    iterator->b = value_is_unset(args->items[1]) ? V_INT(0) : value_contents(args->items[1]);
    if (!value_is_integer(iterator->b))
        return raise_error(vm, &class_TypeError, "'%s' object cannot be interpreted as an integer",
                           value_type_name(iterator->b));
    if (!start_iterator(vm, args->items[0], &iterator->a))
        return false;
    *ret = iterator_value(iterator);
    return true;
}

/* One item of each iterator in `sources`; `*ret_ended` when one has none. */
static bool next_of_each(struct vm *vm, const struct list *sources, struct value *ret,
                         bool *ret_ended)
{
    *ret = list_new(vm->arena, K_TUPLE, sources->count);
    *ret_ended = sources->count == 0;
    for (size_t i = 0; i < sources->count; i++) {
        struct value v;
        if (!iterator_next(vm, sources->items[i].iterator, &v))
            return false;
        if (v.kind == K_UNBOUND) {
            *ret_ended = true;
            return true;
        }
        list_push(vm->arena, ret->list, v);
    }
    return true;
}

static bool start_each(struct vm *vm, const struct value *items, size_t count, struct value *ret)
{
    *ret = list_new(vm->arena, K_LIST, count);
    for (size_t i = 0; i < count; i++) {
        struct value source;
        if (!start_iterator(vm, items[i], &source))
            return false;
        list_push(vm->arena, ret->list, source);
    }
    return true;
}

/* With strict=True: argument `index` (from 0) differs from those before it. */
static bool uneven(struct vm *vm, size_t index, const char *how)
{
    if (index == 1)
        return raise_error(vm, &class_ValueError, "zip() argument 2 is %s than argument 1", how);
    return raise_error(vm, &class_ValueError, "zip() argument %zu is %s than arguments 1-%zu",
                       index + 1, how, index);
}

/* The first has ended: so must the others. */
static bool first_is_shortest(struct vm *vm, const struct list *sources)
{
    for (size_t i = 1; i < sources->count; i++) {
        struct value v;
        if (!iterator_next(vm, sources->items[i].iterator, &v))
            return false;
        if (v.kind != K_UNBOUND)
            return uneven(vm, i, "longer");
    }
    return true;
}

static bool next_zipped(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    bool has_ended;
    if (!next_of_each(vm, iterator->a.list, ret, &has_ended))
        return false;
    if (!has_ended)
        return true;
    size_t taken = ret->list->count;
    *ret = V_UNBOUND;
    if (!iterator->number || iterator->a.list->count == 0)
        return true;
    return taken ? uneven(vm, taken, "shorter") : first_is_shortest(vm, iterator->a.list);
}

BUILTIN(builtin_zip)
{
    (void)self;
    struct iterator *iterator = iterator_new(vm, "zip", next_zipped);
    struct value strict;
    bool is_strict = false;
    if (take_keyword(vm, args, "strict", &strict) && !value_truth(vm, strict, &is_strict))
        return false;
    iterator->number = is_strict;
    if (!start_each(vm, args->items, args->count, &iterator->a))
        return false;
    *ret = iterator_value(iterator);
    return true;
}

static bool next_mapped(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    struct value items;
    bool has_ended;
    if (!next_of_each(vm, iterator->a.list, &items, &has_ended))
        return false;
    *ret = V_UNBOUND;
    if (has_ended)
        return true;
    const struct args args = { .items = items.list->items, .count = items.list->count };
    return value_call(vm, iterator->b, &args, ret);
}

BUILTIN(builtin_map)
{
    (void)self;
    struct iterator *iterator = iterator_new(vm, "map", next_mapped);
    if (args->count < 2)
        return raise_error(vm, &class_TypeError, "map() must have at least two arguments.");
    iterator->b = args->items[0];
    if (!start_each(vm, args->items + 1, args->count - 1, &iterator->a))
        return false;
    *ret = iterator_value(iterator);
    return true;
}

static bool next_filtered(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    for (;;) {
        struct value verdict;
        bool truth;
        if (!iterator_next(vm, iterator->a.iterator, ret))
            return false;
        if (ret->kind == K_UNBOUND)
            return true;
        verdict = *ret;
        if (iterator->b.kind != K_NONE && !value_call1(vm, iterator->b, *ret, &verdict))
            return false;
        if (!value_truth(vm, verdict, &truth))
            return false;
        if (truth)
            return true;
    }
}

BUILTIN(builtin_filter)
{
    (void)self;
    struct iterator *iterator = iterator_new(vm, "filter", next_filtered);
    iterator->b = args->items[0];
    if (!start_iterator(vm, args->items[1], &iterator->a))
        return false;
    *ret = iterator_value(iterator);
    return true;
}

static bool next_reversed(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    (void)vm;
    const struct list *list = iterator->a.list;
    *ret = iterator->index < list->count ? list->items[list->count - 1 - iterator->index++]
                                         : V_UNBOUND;
    return true;
}

BUILTIN(builtin_reversed)
{
    (void)self;
    struct value v = args->items[0];
    bool found;
    if (!value_call_special(vm, v, "__reversed__", NULL, 0, ret, &found))
        return false;
    if (found)
        return true;
    view_refresh(vm, v);
    v = value_contents(v);
    if (v.kind != K_LIST && v.kind != K_TUPLE && v.kind != K_STR && v.kind != K_BYTES &&
        v.kind != K_RANGE && v.kind != K_DICT && v.kind != K_OBJECT && v.kind != K_INSTANCE)
        return raise_error(vm, &class_TypeError, "'%s' object is not reversible",
                           value_type_name(v));
    struct iterator *iterator = iterator_new(vm, "reversed", next_reversed);
    if (!value_to_list(vm, v, K_LIST, &iterator->a))
        return false;
    *ret = iterator_value(iterator);
    return true;
}

static bool next_called(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    static const struct args none;
    bool is_end;
    if (!value_call(vm, iterator->a, &none, ret) || !value_equal(vm, *ret, iterator->b, &is_end))
        return false;
    if (is_end)
        *ret = V_UNBOUND;
    return true;
}

BUILTIN(builtin_iter)
{
    (void)self;
    if (value_is_unset(args->items[1]))
        return start_iterator(vm, args->items[0], ret);
    struct iterator *iterator = iterator_new(vm, "callable_iterator", next_called);
    iterator->a = args->items[0];
    iterator->b = args->items[1];
    *ret = iterator_value(iterator);
    return true;
}

BUILTIN(builtin_next)
{
    (void)self;
    struct value v = args->items[0];
    bool found = false;
    if (v.kind == K_INSTANCE && !value_call_special(vm, v, "__next__", NULL, 0, ret, &found)) {
        if (value_is_unset(args->items[1]) || !exception_is(vm, &class_StopIteration))
            return false;
        exception_take(vm);
        *ret = args->items[1];
        return true;
    }
    if (found)
        return true;
    if (v.kind != K_ITERATOR)
        return raise_error(vm, &class_TypeError, "'%s' object is not an iterator",
                           value_type_name(v));
    if (!iterator_next(vm, v.iterator, ret))
        return false;
    if (ret->kind != K_UNBOUND)
        return true;
    *ret = args->items[1];
    return !value_is_unset(args->items[1]) || generator_stop(vm, v.iterator);
}

const struct native sequence_natives[] = {
    { "all", builtin_all, "iterable" },
    { "any", builtin_any, "iterable" },
    { "enumerate", builtin_enumerate, "iterable | start" },
    { "filter", builtin_filter, "function iterable" },
    { "iter", builtin_iter, "object | sentinel" },
    { "len", builtin_len, "object" },
    { "map", builtin_map, NULL },
    { "max", builtin_max, NULL },
    { "min", builtin_min, NULL },
    { "next", builtin_next, "iterator | default" },
    { "reversed", builtin_reversed, "sequence" },
    { "sorted", builtin_sorted, "iterable | key reverse" },
    { "sum", builtin_sum, "iterable | start" },
    { "zip", builtin_zip, NULL },
    { NULL, NULL, NULL },
};
