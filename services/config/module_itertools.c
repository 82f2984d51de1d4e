#include "config/class.h"
#include "config/integer.h"
#include "config/modules.h"

/* itertools and functools. */

#define FUNCTION(name)                                                                             \
    static bool name(struct vm *vm, struct value self, const struct args *args, struct value *ret)

static bool start(struct vm *vm, struct value v, struct value *ret)
{
    struct iterator *iterator;
    if (!value_iterate(vm, v, &iterator))
        return false;
    *ret = iterator_value(iterator);
    return true;
}

static bool keyword(const struct args *args, const char *name, struct value *ret)
{
    for (size_t i = 0; i < args->keyword_count; i++)
        if (string_is(args->keywords[i].name, name)) {
            *ret = args->keywords[i].value;
            return true;
        }
    return false;
}

/* --- one after the other --- */

/* `a` gives iterables, `b` is the iterator of the current one. */
static bool next_chained(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    for (;;) {
        struct value source;
        if (iterator->b.kind == K_ITERATOR) {
            if (!iterator_next(vm, iterator->b.iterator, ret))
                return false;
            if (ret->kind != K_UNBOUND)
                return true;
        }
        if (!iterator_next(vm, iterator->a.iterator, &source))
            return false;
        *ret = source;
        if (source.kind == K_UNBOUND)
            return true;
        if (!start(vm, source, &iterator->b))
            return false;
    }
}

static bool make_chain(struct vm *vm, struct value sources, struct value *ret)
{
    struct iterator *iterator = iterator_new(vm, "itertools.chain", next_chained);
    *ret = iterator_value(iterator);
    return start(vm, sources, &iterator->a);
}

FUNCTION(chain_from_iterable)
{
    (void)self;
    return make_chain(vm, args->items[0], ret);
}

static bool construct_chain(struct vm *vm, const struct class *class, const struct args *args,
                            struct value *ret)
{
    (void)class;
    return make_chain(vm, tuple_of(vm->arena, args->items, args->count), ret);
}

static const struct native CHAIN_STATICS[] = {
    { "from_iterable", chain_from_iterable, "iterable" },
    { NULL, NULL, NULL },
};

static const struct class class_chain = { .name = "chain",
                                          .base = &class_object,
                                          .layout = K_ITERATOR,
                                          .statics = CHAIN_STATICS,
                                          .construct = construct_chain };

/* --- counting --- */

static bool next_count(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    *ret = iterator->a;
    return value_binary(vm, OP_ADD, iterator->a, iterator->b, &iterator->a);
}

FUNCTION(itertools_count)
{
    (void)self;
    struct iterator *iterator = iterator_new(vm, "itertools.count", next_count);
    iterator->a = value_is_unset(args->items[0]) ? V_INT(0) : args->items[0];
    iterator->b = value_is_unset(args->items[1]) ? V_INT(1) : args->items[1];
    if (!value_is_number(iterator->a) || !value_is_number(iterator->b))
        return raise_error(vm, &class_TypeError, "a number is required");
    *ret = iterator_value(iterator);
    return true;
}

static bool next_repeat(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    (void)vm;
    *ret = iterator->number == 0 ? V_UNBOUND : iterator->a;
    iterator->number -= iterator->number > 0;
    return true;
}

FUNCTION(itertools_repeat)
{
    (void)self;
    struct iterator *iterator = iterator_new(vm, "itertools.repeat", next_repeat);
    iterator->a = args->items[0];
    iterator->number = -1;
    *ret = iterator_value(iterator);
    if (value_is_unset(args->items[1]))
        return true;
    if (!value_to_i64(vm, args->items[1], &iterator->number))
        return false;
    if (iterator->number < 0)
        iterator->number = 0;
    return true;
}

static bool next_cycle(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    (void)vm;
    const struct list *list = iterator->a.list;
    *ret = list->count ? list->items[iterator->index++ % list->count] : V_UNBOUND;
    return true;
}

FUNCTION(itertools_cycle)
{
    (void)self;
    struct iterator *iterator = iterator_new(vm, "itertools.cycle", next_cycle);
    *ret = iterator_value(iterator);
    return value_to_list(vm, args->items[0], K_LIST, &iterator->a);
}

/* --- choosing --- */

static bool next_islice(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    int64_t stop = iterator->b.i;
    for (;;) {
        *ret = V_UNBOUND;
        if (stop >= 0 && (int64_t)iterator->index >= stop)
            return true;
        bool is_wanted = (int64_t)iterator->index == iterator->number;
        if (!iterator_next(vm, iterator->a.iterator, ret))
            return false;
        iterator->index++;
        if (ret->kind == K_UNBOUND)
            return true;
        if (is_wanted) {
            if (__builtin_add_overflow(iterator->number, iterator->step, &iterator->number))
                iterator->number = INT64_MAX;
            return true;
        }
    }
}

FUNCTION(itertools_islice)
{
    (void)self;
    struct iterator *iterator = iterator_new(vm, "itertools.islice", next_islice);
    int64_t numbers[3] = { 0, -1, 1 };
    if (args->count < 2 || args->count > 4)
        return raise_error(vm, &class_TypeError, "islice expected 2 to 4 arguments, got %zu",
                           args->count);
    for (size_t i = 1; i < args->count; i++) {
        size_t at = args->count == 2 ? 1 : i - 1;
        if (args->items[i].kind == K_NONE)
            continue;
        if (!value_to_i64(vm, args->items[i], &numbers[at]))
            return false;
        if (numbers[at] < (at == 2))
            return raise_error(
                vm, &class_ValueError,
                at == 2 ? "Step for islice() must be a positive integer or None."
                : args->count == 2
                    ? "Stop argument for islice() must be None or an integer: 0 <= x <= "
                      "sys.maxsize."
                    : "Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.");
    }
    iterator->number = numbers[0];
    iterator->b = V_INT(numbers[1]);
    iterator->step = numbers[2];
    *ret = iterator_value(iterator);
    return start(vm, args->items[0], &iterator->a);
}

/* takewhile, dropwhile and filterfalse: `number` tells which, `index` that dropping is over. */
enum { CHOOSE_TAKE, CHOOSE_DROP, CHOOSE_FALSE };

static bool next_chosen(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    for (;;) {
        struct value verdict;
        bool truth;
        if (!iterator_next(vm, iterator->a.iterator, ret))
            return false;
        if (ret->kind == K_UNBOUND || iterator->index)
            return true;
        verdict = *ret;
        if ((iterator->b.kind != K_NONE && !value_call1(vm, iterator->b, *ret, &verdict)) ||
            !value_truth(vm, verdict, &truth))
            return false;
        if (iterator->number == CHOOSE_TAKE && !truth)
            *ret = V_UNBOUND;
        if (iterator->number == CHOOSE_TAKE || !truth) {
            iterator->index = iterator->number == CHOOSE_DROP;
            return true;
        }
    }
}

static bool make_chosen(struct vm *vm, const struct args *args, int64_t how, struct value *ret)
{
    struct iterator *iterator = iterator_new(vm, "itertools.iterator", next_chosen);
    iterator->number = how;
    iterator->b = args->items[0];
    *ret = iterator_value(iterator);
    return start(vm, args->items[1], &iterator->a);
}

FUNCTION(itertools_takewhile)
{
    (void)self;
    return make_chosen(vm, args, CHOOSE_TAKE, ret);
}

FUNCTION(itertools_dropwhile)
{
    (void)self;
    return make_chosen(vm, args, CHOOSE_DROP, ret);
}

FUNCTION(itertools_filterfalse)
{
    (void)self;
    return make_chosen(vm, args, CHOOSE_FALSE, ret);
}

FUNCTION(itertools_compress)
{
    (void)self;
    struct value data, selectors, list = list_new(vm->arena, K_LIST, 4);
    if (!value_to_list(vm, args->items[0], K_LIST, &data) ||
        !value_to_list(vm, args->items[1], K_LIST, &selectors))
        return false;
    for (size_t i = 0; i < data.list->count && i < selectors.list->count; i++) {
        bool truth;
        if (!value_truth(vm, selectors.list->items[i], &truth))
            return false;
        if (truth)
            list_push(vm->arena, list.list, data.list->items[i]);
    }
    return start(vm, list, ret);
}

static bool next_starmapped(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    struct value items;
    if (!iterator_next(vm, iterator->a.iterator, ret))
        return false;
    if (ret->kind == K_UNBOUND)
        return true;
    if (!value_to_list(vm, *ret, K_TUPLE, &items))
        return false;
    const struct args args = { .items = items.list->items, .count = items.list->count };
    return value_call(vm, iterator->b, &args, ret);
}

FUNCTION(itertools_starmap)
{
    (void)self;
    struct iterator *iterator = iterator_new(vm, "itertools.starmap", next_starmapped);
    iterator->b = args->items[0];
    *ret = iterator_value(iterator);
    return start(vm, args->items[1], &iterator->a);
}

/* --- running totals --- */

static bool next_accumulated(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    struct value *total = iterator->state, item;
    if (iterator->number) { /* the initial value comes first */
        iterator->number = 0;
        *ret = *total;
        return true;
    }
    if (!iterator_next(vm, iterator->a.iterator, &item))
        return false;
    *ret = item;
    if (item.kind == K_UNBOUND)
        return true;
    if (total->kind == K_UNBOUND)
        *total = item;
    else if (!(iterator->b.kind > K_NONE ? value_call2(vm, iterator->b, *total, item, total)
                                         : value_binary(vm, OP_ADD, *total, item, total)))
        return false;
    *ret = *total;
    return true;
}

FUNCTION(itertools_accumulate)
{
    (void)self;
    struct iterator *iterator = iterator_new(vm, "itertools.accumulate", next_accumulated);
    struct value *total = arena_alloc(vm->arena, sizeof *total);
    iterator->b = args->items[1];
    iterator->number = args->items[2].kind > K_NONE;
    if (iterator->number)
        *total = args->items[2];
    iterator->state = total;
    *ret = iterator_value(iterator);
    return start(vm, args->items[0], &iterator->a);
}

/* --- several at once --- */

static bool next_longest(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    struct value tuple = list_new(vm->arena, K_TUPLE, iterator->a.list->count);
    size_t ended = 0;
    for (size_t i = 0; i < iterator->a.list->count; i++) {
        struct value v;
        if (!iterator_next(vm, iterator->a.list->items[i].iterator, &v))
            return false;
        ended += v.kind == K_UNBOUND;
        list_push(vm->arena, tuple.list, v.kind == K_UNBOUND ? iterator->b : v);
    }
    *ret = ended == iterator->a.list->count ? V_UNBOUND : tuple;
    return true;
}

FUNCTION(itertools_zip_longest)
{
    (void)self;
    struct iterator *iterator = iterator_new(vm, "itertools.zip_longest", next_longest);
    iterator->a = list_new(vm->arena, K_LIST, args->count);
    iterator->b = V_NONE;
    keyword(args, "fillvalue", &iterator->b);
    for (size_t i = 0; i < args->count; i++) {
        struct value source;
        if (!start(vm, args->items[i], &source))
            return false;
        list_push(vm->arena, iterator->a.list, source);
    }
    *ret = iterator_value(iterator);
    return true;
}

/* --- arrangements: made at once, within the limit of items --- */

struct arrangement {
    struct vm *vm;
    struct value pool, out;
    size_t *indices, length;
};

static bool emit(struct arrangement *a, const struct list *const *pools)
{
    struct value tuple = list_new(a->vm->arena, K_TUPLE, a->length);
    for (size_t i = 0; i < a->length; i++)
        list_push(a->vm->arena, tuple.list,
                  (pools ? pools[i] : a->pool.list)->items[a->indices[i]]);
    if (a->out.list->count == LIMIT_ITEMS)
        return raise_limit(a->vm, "a list has more than %d items", LIMIT_ITEMS);
    list_push(a->vm->arena, a->out.list, tuple);
    return vm_step(a->vm);
}

FUNCTION(itertools_product)
{
    (void)self;
    size_t repeat = 1, total = args->count;
    struct value times = V_INT(1);
    if (keyword(args, "repeat", &times) && !value_to_size(vm, times, &repeat))
        return false;
    if (repeat > LIMIT_NESTING || (total *= repeat) > LIMIT_NESTING)
        return raise_limit(vm, "product() of more than %d sequences", LIMIT_NESTING);
    struct arrangement a = { .vm = vm, .out = list_new(vm->arena, K_LIST, 0), .length = total };
    const struct list **pools = arena_array(vm->arena, total, sizeof *pools);
    a.indices = arena_array(vm->arena, total, sizeof *a.indices);
    for (size_t i = 0; i < total; i++) {
        struct value list;
        if (i < args->count && !value_to_list(vm, args->items[i], K_LIST, &list))
            return false;
        pools[i] = i < args->count ? list.list : pools[i - args->count];
        if (pools[i]->count == 0)
            return start(vm, a.out, ret);
    }
    for (size_t at = 0; at != SIZE_MAX;) {
        if (!emit(&a, pools))
            return false;
        at = total - 1;
        while (at != SIZE_MAX && ++a.indices[at] == pools[at]->count)
            a.indices[at--] = 0;
    }
    return start(vm, a.out, ret);
}

enum choice { CHOICE_COMBINATIONS, CHOICE_REPEATED, CHOICE_PERMUTATIONS };

static bool is_used(const struct arrangement *a, size_t depth, size_t index)
{
    for (size_t i = 0; i < depth; i++)
        if (a->indices[i] == index)
            return true;
    return false;
}

static bool arrange(struct arrangement *a, enum choice choice, size_t depth)
{
    if (depth == a->length)
        return emit(a, NULL);
    size_t from = choice == CHOICE_PERMUTATIONS || depth == 0
                      ? 0
                      : a->indices[depth - 1] + (choice == CHOICE_COMBINATIONS);
    for (size_t i = from; i < a->pool.list->count; i++) {
        if (!vm_step(a->vm))
            return false;
        if (choice == CHOICE_PERMUTATIONS && is_used(a, depth, i))
            continue;
        a->indices[depth] = i;
        if (!arrange(a, choice, depth + 1))
            return false;
    }
    return true;
}

static bool make_arrangement(struct vm *vm, const struct args *args, enum choice choice,
                             struct value *ret)
{
    struct arrangement a = { .vm = vm, .out = list_new(vm->arena, K_LIST, 0) };
    if (!value_to_list(vm, args->items[0], K_LIST, &a.pool))
        return false;
    a.length = a.pool.list->count;
    if (args->items[1].kind > K_NONE && value_is_integer(args->items[1]) &&
        integer_sign(args->items[1]) < 0)
        return raise_error(vm, &class_ValueError, "r must be non-negative");
    if (args->items[1].kind > K_NONE && !value_to_size(vm, args->items[1], &a.length))
        return false;
    if (a.length > LIMIT_NESTING)
        return raise_limit(vm, "arrangements of more than %d items", LIMIT_NESTING);
    a.indices = arena_array(vm->arena, a.length, sizeof *a.indices);
    return arrange(&a, choice, 0) && start(vm, a.out, ret);
}

FUNCTION(itertools_combinations)
{
    (void)self;
    return make_arrangement(vm, args, CHOICE_COMBINATIONS, ret);
}

FUNCTION(itertools_combinations_repeated)
{
    (void)self;
    return make_arrangement(vm, args, CHOICE_REPEATED, ret);
}

FUNCTION(itertools_permutations)
{
    (void)self;
    return make_arrangement(vm, args, CHOICE_PERMUTATIONS, ret);
}

/* Groups are made one by one, each as a list. */
FUNCTION(itertools_groupby)
{
    (void)self;
    struct value items, groups = list_new(vm->arena, K_LIST, 4), last = V_UNBOUND,
                        group = V_UNBOUND;
    if (!value_to_list(vm, args->items[0], K_LIST, &items))
        return false;
    for (size_t i = 0; i < items.list->count; i++) {
        struct value key = items.list->items[i];
        bool is_same = false;
        if (args->items[1].kind > K_NONE && !value_call1(vm, args->items[1], key, &key))
            return false;
        if (i && !value_equal(vm, key, last, &is_same))
            return false;
        if (!is_same) {
            struct value pair[] = { key, V_UNBOUND }, iterator;
            group = list_new(vm->arena, K_LIST, 2);
            if (!start(vm, group, &iterator))
                return false;
            pair[1] = iterator;
            list_push(vm->arena, groups.list, tuple_of(vm->arena, pair, 2));
        }
        list_push(vm->arena, group.list, items.list->items[i]);
        last = key;
    }
    return start(vm, groups, ret);
}

FUNCTION(itertools_tee)
{
    (void)self;
    struct value items, source;
    size_t count = 2;
    if (!value_to_list(vm, args->items[0], K_LIST, &items) ||
        (!value_is_unset(args->items[1]) && !value_to_size(vm, args->items[1], &count)))
        return false;
    if (count > LIMIT_NESTING)
        return raise_limit(vm, "tee() into more than %d iterators", LIMIT_NESTING);
    *ret = list_new(vm->arena, K_TUPLE, count);
    for (size_t i = 0; i < count; i++) {
        if (!start(vm, items, &source))
            return false;
        list_push(vm->arena, ret->list, source);
    }
    return true;
}

FUNCTION(itertools_pairwise)
{
    (void)self;
    struct value items, pairs = list_new(vm->arena, K_LIST, 4);
    if (!value_to_list(vm, args->items[0], K_LIST, &items))
        return false;
    for (size_t i = 1; i < items.list->count; i++)
        list_push(vm->arena, pairs.list, tuple_of(vm->arena, items.list->items + i - 1, 2));
    return start(vm, pairs, ret);
}

const struct native itertools_natives[] = {
    { "accumulate", itertools_accumulate, "iterable | func initial" },
    { "combinations", itertools_combinations, "iterable r" },
    { "combinations_with_replacement", itertools_combinations_repeated, "iterable r" },
    { "compress", itertools_compress, "data selectors" },
    { "count", itertools_count, "| start step" },
    { "cycle", itertools_cycle, "iterable" },
    { "dropwhile", itertools_dropwhile, "predicate iterable" },
    { "filterfalse", itertools_filterfalse, "predicate iterable" },
    { "groupby", itertools_groupby, "iterable | key" },
    { "ifilterfalse", itertools_filterfalse, "predicate iterable" },
    { "islice", itertools_islice, NULL },
    { "izip_longest", itertools_zip_longest, NULL },
    { "pairwise", itertools_pairwise, "iterable" },
    { "permutations", itertools_permutations, "iterable | r" },
    { "product", itertools_product, NULL },
    { "repeat", itertools_repeat, "object | times" },
    { "starmap", itertools_starmap, "function iterable" },
    { "takewhile", itertools_takewhile, "predicate iterable" },
    { "tee", itertools_tee, "iterable | n" },
    { "zip_longest", itertools_zip_longest, NULL },
    { NULL, NULL, NULL },
};

bool prepare_itertools(struct vm *vm, struct dict *attributes)
{
    dict_set_text(vm->arena, attributes, string_from(vm->arena, "chain"),
                  (struct value){ .kind = K_CLASS, .class = &class_chain });
    return true;
}

/* --- functools --- */

FUNCTION(functools_reduce)
{
    (void)self;
    struct iterator *iterator;
    struct value item;
    *ret = args->items[2];
    if (!value_iterate(vm, args->items[1], &iterator))
        return exception_is(vm, &class_TypeError)
                   ? raise_error(vm, &class_TypeError, "reduce() arg 2 must support iteration")
                   : false;
    for (;;) {
        if (!iterator_next(vm, iterator, &item))
            return false;
        if (item.kind == K_UNBOUND)
            break;
        if (ret->kind == K_UNBOUND)
            *ret = item;
        else if (!value_call2(vm, args->items[0], *ret, item, ret))
            return false;
    }
    return ret->kind != K_UNBOUND ||
           raise_error(vm, &class_TypeError, "reduce() of empty iterable with no initial value");
}

FUNCTION(functools_partial)
{
    (void)self;
    return value_call(vm, (struct value){ .kind = K_CLASS, .class = &class_partial }, args, ret);
}

FUNCTION(functools_cache)
{
    (void)self;
    *ret = args->items[0];
    if (ret->kind == K_FUNCTION)
        ret->function->cache = dict_new(vm->arena);
    return true;
}

static const struct native CACHE = { "decorator", functools_cache, "function" };

FUNCTION(functools_lru_cache)
{
    if (args->count == 1 && args->items[0].kind == K_FUNCTION)
        return functools_cache(vm, self, args, ret);
    *ret = (struct value){ .kind = K_NATIVE, .native = &CACHE };
    return true;
}

FUNCTION(wraps_function)
{
    struct value doc;
    *ret = args->items[0];
    if (self.kind != K_FUNCTION || ret->kind != K_FUNCTION)
        return true;
    ret->function->name = self.function->name;
    return value_get_attribute(vm, self, string_from(vm->arena, "__doc__"), &doc) &&
           value_set_attribute(vm, *ret, string_from(vm->arena, "__doc__"), doc);
}

static const struct native WRAPS = { "wraps", wraps_function, "function" };

FUNCTION(functools_wraps)
{
    (void)self;
    *ret = bind_method(vm, args->items[0], (struct value){ .kind = K_NATIVE, .native = &WRAPS });
    return true;
}

/* cmp_to_key: a class whose objects compare by the function. */
FUNCTION(key_less)
{
    struct value items[2], order;
    if (!value_get_attribute(vm, args->items[0], string_from(vm->arena, "obj"), &items[0]) ||
        !value_get_attribute(vm, args->items[1], string_from(vm->arena, "obj"), &items[1]) ||
        !value_call2(vm, self, items[0], items[1], &order))
        return false;
    return value_compare(vm, CMP_LESS, order, V_INT(0), ret);
}

static const struct native KEY_LESS = { "__lt__", key_less, "self other" };

FUNCTION(key_make)
{
    struct instance *instance = arena_alloc(vm->arena, sizeof *instance);
    struct partial *partial = arena_alloc(vm->arena, sizeof *partial);
    struct class *class = arena_alloc(vm->arena, sizeof *class);
    *class = (struct class){
        .name = "K", .base = &class_object, .layout = K_INSTANCE, .attributes = dict_new(vm->arena)
    };
    struct value *bound = arena_array(vm->arena, 1, sizeof *bound);
    instance->class = class;
    instance->attributes = dict_new(vm->arena);
    dict_set_text(vm->arena, instance->attributes, string_from(vm->arena, "obj"), args->items[0]);
    struct value self_value = { .kind = K_INSTANCE, .instance = instance };
    *bound = self_value;
    partial->function =
        bind_method(vm, self, (struct value){ .kind = K_NATIVE, .native = &KEY_LESS });
    partial->args = (struct args){ .items = bound, .count = 1 };
    dict_set_text(vm->arena, class->attributes, string_from(vm->arena, "__lt__"),
                  (struct value){ .kind = K_PARTIAL, .partial = partial });
    *ret = self_value;
    return true;
}

static const struct native KEY_MAKE = { "K", key_make, "obj" };

FUNCTION(functools_cmp_to_key)
{
    (void)self;
    *ret = bind_method(vm, args->items[0], (struct value){ .kind = K_NATIVE, .native = &KEY_MAKE });
    return true;
}

const struct native functools_natives[] = {
    { "cache", functools_cache, "function" },
    { "cmp_to_key", functools_cmp_to_key, "function" },
    { "lru_cache", functools_lru_cache, NULL },
    { "partial", functools_partial, NULL },
    { "reduce", functools_reduce, "function iterable | initial" },
    { "wraps", functools_wraps, "wrapped | assigned updated" },
    { NULL, NULL, NULL },
};
