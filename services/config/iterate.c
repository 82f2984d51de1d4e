#include "config/class.h"
#include "config/template.h"
#include "config/vm.h"

/* Iterators over builtin values. */

struct iterator *iterator_new(struct vm *vm, const char *type_name,
                              bool (*next)(struct vm *, struct iterator *, struct value *))
{
    struct iterator *iterator = arena_alloc(vm->arena, sizeof *iterator);
    iterator->type_name = type_name;
    iterator->next = next;
    return iterator;
}

struct value iterator_value(struct iterator *iterator)
{
    return (struct value){ .kind = K_ITERATOR, .iterator = iterator };
}

bool iterator_next(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    if (iterator->is_done) {
        *ret = V_UNBOUND;
        return true;
    }
    if (!vm_step(vm) || !vm_check_stack(vm) || !iterator->next(vm, iterator, ret))
        return false;
    iterator->is_done = ret->kind == K_UNBOUND;
    return true;
}

static bool next_of_list(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    (void)vm;
    const struct list *list = iterator->a.list;
    *ret = iterator->index < list->count ? list->items[iterator->index++] : V_UNBOUND;
    return true;
}

static bool next_of_text(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    const struct string *s = iterator->a.s;
    size_t length;
    *ret = V_UNBOUND;
    if (iterator->index >= s->len)
        return true;
    utf8_decode(s->data + iterator->index, &length);
    *ret = V_STR(string_new(vm->arena, s->data + iterator->index, length));
    iterator->index += length;
    return true;
}

static bool next_of_bytes(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    (void)vm;
    const struct string *s = iterator->a.s;
    *ret = iterator->index < s->len ? V_INT((unsigned char)s->data[iterator->index++]) : V_UNBOUND;
    return true;
}

static bool next_of_keys(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    if ((size_t)iterator->number != iterator->a.dict->count)
        return raise_error(vm, &class_RuntimeError, "%s changed size during iteration",
                           iterator->a.kind == K_SET ? "Set" : "dictionary");
    struct dict_entry *entry = dict_next(iterator->a.dict, &iterator->index);
    *ret = entry ? entry->key : V_UNBOUND;
    return true;
}

static bool next_of_range(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    (void)vm;
    const struct range *range = iterator->a.range;
    *ret = iterator->index < range->count ? V_INT(range_at(range, iterator->index)) : V_UNBOUND;
    iterator->index++;
    return true;
}

/* An object whose class has __next__. */
static bool next_of_instance(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    bool found;
    if (value_call_special(vm, iterator->a, "__next__", NULL, 0, ret, &found))
        return found || raise_error(vm, &class_TypeError, "'%s' object is not an iterator",
                                    value_type_name(iterator->a));
    if (!exception_is(vm, &class_StopIteration))
        return false;
    exception_take(vm);
    *ret = V_UNBOUND;
    return true;
}

/* An object whose class has __getitem__ only. */
static bool next_of_items(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    if (value_get_item(vm, iterator->a, V_INT((int64_t)iterator->index++), ret))
        return true;
    if (!exception_is(vm, &class_IndexError))
        return false;
    exception_take(vm);
    *ret = V_UNBOUND;
    return true;
}

static bool not_iterable(struct vm *vm, struct value v)
{
    return raise_error(vm, &class_TypeError, "'%s' object is not iterable",
                       v.kind == K_EMPTY ? "type" : value_type_name(v));
}

static bool has_method(struct vm *vm, struct value v, const char *name)
{
    return class_find(v.instance->class, string_from(vm->arena, name)).kind != K_UNBOUND;
}

static bool iterate_instance(struct vm *vm, struct value v, struct iterator **ret)
{
    struct value method, result;
    static const struct args none;
    if (view_dict(v)) {
        *ret = view_iterate(vm, v);
        return true;
    }
    if (has_method(vm, v, "__iter__")) {
        if (!value_find_attribute(vm, v, string_from(vm->arena, "__iter__"), &method) ||
            !value_call(vm, method, &none, &result))
            return false;
        if (result.kind != K_INSTANCE && result.kind != K_ITERATOR)
            return raise_error(vm, &class_TypeError, "iter() returned non-iterator of type '%s'",
                               value_type_name(result));
        if (result.kind == K_ITERATOR || !has_method(vm, result, "__next__"))
            return result.kind == K_ITERATOR
                       ? value_iterate(vm, result, ret)
                       : raise_error(vm, &class_TypeError,
                                     "iter() returned non-iterator of type '%s'",
                                     value_type_name(result));
        *ret = iterator_new(vm, "iterator", next_of_instance);
        (*ret)->a = result;
        return true;
    }
    struct value inner = value_contents(v);
    if (inner.kind != K_INSTANCE)
        return value_iterate(vm, inner, ret);
    if (!has_method(vm, v, "__getitem__"))
        return not_iterable(vm, v);
    *ret = iterator_new(vm, "iterator", next_of_items);
    (*ret)->a = v;
    return true;
}

static bool iterate_object(struct vm *vm, const struct object *object, struct iterator **ret)
{
    struct value list;
    if (!object_iterate(vm, object, &list))
        return false;
    return value_iterate(vm, list, ret);
}

bool value_iterate(struct vm *vm, struct value v, struct iterator **ret)
{
    static const struct {
        bool (*next)(struct vm *, struct iterator *, struct value *);
        const char *name;
    } rows[K_KIND_COUNT] = {
        [K_LIST] = { next_of_list, "list_iterator" },
        [K_TUPLE] = { next_of_list, "tuple_iterator" },
        [K_STR] = { next_of_text, "str_iterator" },
        [K_BYTES] = { next_of_bytes, "bytes_iterator" },
        [K_DICT] = { next_of_keys, "dict_keyiterator" },
        [K_FROZENDICT] = { next_of_keys, "dict_keyiterator" },
        [K_SET] = { next_of_keys, "set_iterator" },
        [K_FROZENSET] = { next_of_keys, "set_iterator" },
        [K_RANGE] = { next_of_range, "range_iterator" },
    };
    if (v.kind == K_ITERATOR) {
        *ret = v.iterator;
        return true;
    }
    if (v.kind == K_INSTANCE)
        return iterate_instance(vm, v, ret);
    if (v.kind == K_OBJECT)
        return iterate_object(vm, v.object, ret);
    static const struct args none;
    struct value made;
    bool found;
    if (!class_call_hook(vm, v, "__class_iter__", &none, &made, &found))
        return false;
    if (found)
        return value_iterate(vm, made, ret);
    if (!rows[v.kind].next)
        return not_iterable(vm, v);
    *ret = iterator_new(vm, rows[v.kind].name, rows[v.kind].next);
    (*ret)->a = v;
    if (rows[v.kind].next == next_of_keys)
        (*ret)->number = (int64_t)v.dict->count;
    return true;
}

bool value_to_list(struct vm *vm, struct value v, enum kind kind, struct value *ret)
{
    struct iterator *iterator;
    if (v.kind == K_LIST || v.kind == K_TUPLE) {
        *ret = tuple_of(vm->arena, v.list->items, v.list->count);
        ret->kind = kind;
        return vm_work(vm, v.list->count * sizeof(struct value));
    }
    if (!value_iterate(vm, v, &iterator))
        return false;
    struct value list = list_new(vm->arena, kind, 0);
    for (struct value item;;) {
        if (!iterator_next(vm, iterator, &item))
            return false;
        if (item.kind == K_UNBOUND)
            break;
        if (list.list->count == LIMIT_ITEMS)
            return raise_limit(vm, "a list has more than %d items", LIMIT_ITEMS);
        list_push(vm->arena, list.list, item);
    }
    *ret = list;
    return true;
}
