#include "config/class.h"
#include "config/sort.h"

/* list, tuple. */

#define METHOD(name)                                                                               \
    static bool name(struct vm *vm, struct value self, const struct args *args, struct value *ret)

METHOD(list_append)
{
    *ret = V_NONE;
    if (self.list->count == LIMIT_ITEMS)
        return raise_limit(vm, "a list has more than %d items", LIMIT_ITEMS);
    list_push(vm->arena, self.list, args->items[0]);
    return true;
}

METHOD(list_extend)
{
    struct value items;
    *ret = V_NONE;
    if (!value_to_list(vm, args->items[0], K_LIST, &items))
        return false;
    if (self.list->count + items.list->count > LIMIT_ITEMS)
        return raise_limit(vm, "a list has more than %d items", LIMIT_ITEMS);
    for (size_t i = 0; i < items.list->count; i++)
        list_push(vm->arena, self.list, items.list->items[i]);
    return true;
}

METHOD(list_insert)
{
    struct list *list = self.list;
    int64_t at;
    *ret = V_NONE;
    if (!value_to_i64(vm, args->items[0], &at))
        return false;
    if (at < 0)
        at += (int64_t)list->count;
    size_t index = at < 0 ? 0 : at > (int64_t)list->count ? list->count : (size_t)at;
    list_push(vm->arena, list, V_NONE);
    memmove(list->items + index + 1, list->items + index,
            (list->count - 1 - index) * sizeof *list->items);
    list->items[index] = args->items[1];
    return vm_work(vm, (list->count - index) * sizeof *list->items);
}

static void remove_at(struct list *list, size_t index)
{
    memmove(list->items + index, list->items + index + 1,
            (list->count - 1 - index) * sizeof *list->items);
    list->count--;
}

METHOD(list_pop)
{
    struct list *list = self.list;
    int64_t at = -1;
    if (!value_is_unset(args->items[0]) && !value_to_i64(vm, args->items[0], &at))
        return false;
    if (list->count == 0)
        return raise_error(vm, &class_IndexError, "pop from empty list");
    if (at < 0)
        at += (int64_t)list->count;
    if (at < 0 || at >= (int64_t)list->count)
        return raise_error(vm, &class_IndexError, "pop index out of range");
    *ret = list->items[at];
    remove_at(list, (size_t)at);
    return vm_work(vm, (list->count - (size_t)at) * sizeof *list->items);
}

static bool find_item(struct vm *vm, const struct list *list, struct value item, size_t from,
                      size_t to, size_t *ret)
{
    for (size_t i = from; i < to && i < list->count; i++) {
        bool is_equal;
        if (!value_equal(vm, list->items[i], item, &is_equal))
            return false;
        if (is_equal) {
            *ret = i;
            return true;
        }
    }
    *ret = SIZE_MAX;
    return true;
}

METHOD(list_remove)
{
    size_t index;
    *ret = V_NONE;
    if (!find_item(vm, self.list, args->items[0], 0, SIZE_MAX, &index))
        return false;
    if (index == SIZE_MAX)
        return raise_error(vm, &class_ValueError, "list.remove(x): x not in list");
    if (index < self.list->count) /* the comparison may have taken items away */
        remove_at(self.list, index);
    return true;
}

METHOD(list_index)
{
    int64_t from = 0, to = (int64_t)self.list->count;
    size_t index;
    struct string *text;
    if ((!value_is_unset(args->items[1]) && !value_to_i64(vm, args->items[1], &from)) ||
        (!value_is_unset(args->items[2]) && !value_to_i64(vm, args->items[2], &to)))
        return false;
    from = from < 0 ? from + (int64_t)self.list->count : from;
    to = to < 0 ? to + (int64_t)self.list->count : to;
    if (!find_item(vm, self.list, args->items[0], from < 0 ? 0 : (size_t)from,
                   to < 0 ? 0 : (size_t)to, &index))
        return false;
    if (index == SIZE_MAX)
        return value_repr(vm, args->items[0], &text) &&
               raise_error(vm, &class_ValueError,
                           self.kind == K_TUPLE ? "tuple.index(x): x not in tuple"
                                                : "%s is not in list",
                           text->data);
    *ret = V_INT((int64_t)index);
    return true;
}

METHOD(list_count)
{
    int64_t count = 0;
    for (size_t i = 0; i < self.list->count; i++) {
        bool is_equal;
        if (!value_equal(vm, self.list->items[i], args->items[0], &is_equal))
            return false;
        count += is_equal;
    }
    *ret = V_INT(count);
    return true;
}

METHOD(list_reverse)
{
    struct list *list = self.list;
    (void)args;
    for (size_t i = 0; i < list->count / 2; i++) {
        struct value v = list->items[i];
        list->items[i] = list->items[list->count - 1 - i];
        list->items[list->count - 1 - i] = v;
    }
    *ret = V_NONE;
    return vm_work(vm, list->count * sizeof *list->items);
}

METHOD(list_sort)
{
    bool is_reversed = false;
    *ret = V_NONE;
    if (!value_is_unset(args->items[1]) && !value_truth(vm, args->items[1], &is_reversed))
        return false;
    return sort_list(vm, self.list, args->items[0], is_reversed);
}

METHOD(list_clear)
{
    (void)vm;
    (void)args;
    self.list->count = 0;
    *ret = V_NONE;
    return true;
}

METHOD(list_init)
{
    self.list->count = 0;
    *ret = V_NONE;
    return value_is_unset(args->items[0]) || list_extend(vm, self, args, ret);
}

METHOD(list_copy)
{
    (void)args;
    *ret = tuple_of(vm->arena, self.list->items, self.list->count);
    ret->kind = K_LIST;
    return true;
}

static const struct native LIST_METHODS[] = {
    { "append", list_append, "object" },
    { "extend", list_extend, "iterable" },
    { "insert", list_insert, "index object" },
    { "pop", list_pop, "| index" },
    { "remove", list_remove, "value" },
    { "index", list_index, "value | start stop" },
    { "count", list_count, "value" },
    { "reverse", list_reverse, "" },
    { "sort", list_sort, "| key reverse" },
    { "clear", list_clear, "" },
    { "copy", list_copy, "" },
    { "__init__", list_init, "| iterable" },
    { NULL, NULL, NULL },
};

static const struct native TUPLE_METHODS[] = {
    { "index", list_index, "value | start stop" },
    { "count", list_count, "value" },
    { NULL, NULL, NULL },
};

static bool construct_sequence(struct vm *vm, const struct args *args, enum kind kind,
                               struct value *ret)
{
    if (args->count > 1 || args->keyword_count)
        return raise_error(vm, &class_TypeError,
                           "list or tuple expected at most 1 argument, got %zu", args->count);
    *ret = list_new(vm->arena, kind, 0);
    return args->count == 0 || value_to_list(vm, args->items[0], kind, ret);
}

static bool construct_list(struct vm *vm, const struct class *class, const struct args *args,
                           struct value *ret)
{
    (void)class;
    return construct_sequence(vm, args, K_LIST, ret);
}

static bool construct_tuple(struct vm *vm, const struct class *class, const struct args *args,
                            struct value *ret)
{
    (void)class;
    return construct_sequence(vm, args, K_TUPLE, ret);
}

const struct class class_list = { .name = "list",
                                  .base = &class_object,
                                  .layout = K_LIST,
                                  .methods = LIST_METHODS,
                                  .construct = construct_list };
const struct class class_tuple = { .name = "tuple",
                                   .base = &class_object,
                                   .layout = K_TUPLE,
                                   .methods = TUPLE_METHODS,
                                   .construct = construct_tuple };
