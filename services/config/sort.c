#include "config/sort.h"

/* Merge sort, which compares little and keeps the order of equals. */

struct sorted {
    struct value key, item;
};

static bool goes_first(struct vm *vm, const struct sorted *right, const struct sorted *left,
                       bool is_reversed, bool *ret)
{
    /* The right one goes first only if it is really smaller (or greater). */
    return is_reversed ? value_less(vm, left->key, right->key, ret)
                       : value_less(vm, right->key, left->key, ret);
}

static bool merge(struct vm *vm, const struct sorted *from, struct sorted *to, size_t start,
                  size_t middle, size_t end, bool is_reversed)
{
    size_t left = start, right = middle;
    for (size_t i = start; i < end; i++) {
        bool takes_right = left == middle;
        if (left < middle && right < end &&
            !goes_first(vm, &from[right], &from[left], is_reversed, &takes_right))
            return false;
        to[i] = takes_right ? from[right++] : from[left++];
    }
    return true;
}

static bool sort_pairs(struct vm *vm, struct sorted *items, size_t count, bool is_reversed)
{
    struct sorted *from = items, *to = arena_array(vm->arena, count, sizeof *to);
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t start = 0; start < count; start += 2 * width) {
            size_t middle = start + width < count ? start + width : count;
            size_t end = start + 2 * width < count ? start + 2 * width : count;
            if (!merge(vm, from, to, start, middle, end, is_reversed))
                return false;
        }
        struct sorted *swap = from;
        from = to;
        to = swap;
    }
    if (from != items)
        memcpy(items, from, count * sizeof *items);
    return true;
}

static bool changed(struct vm *vm)
{
    return raise_error(vm, &class_ValueError, "list modified during sort");
}

bool sort_by(struct vm *vm, struct list *list, struct list *keys, bool is_reversed)
{
    size_t count = keys->count;
    if (list->count != count) /* by the function that gives the keys */
        return changed(vm);
    struct sorted *items = arena_array(vm->arena, count, sizeof *items);
    for (size_t i = 0; i < count; i++)
        items[i] = (struct sorted){ keys->items[i], list->items[i] };
    if (!sort_pairs(vm, items, count, is_reversed))
        return false;
    if (list->count != count)
        return changed(vm);
    for (size_t i = 0; i < count; i++)
        list->items[i] = items[i].item;
    return true;
}

bool sort_list(struct vm *vm, struct list *list, struct value key, bool is_reversed)
{
    struct value keys = tuple_of(vm->arena, list->items, list->count);
    for (size_t i = 0; key.kind > K_NONE && i < keys.list->count; i++)
        if (!value_call1(vm, key, keys.list->items[i], &keys.list->items[i]))
            return false;
    return sort_by(vm, list, keys.list, is_reversed);
}
