#include "config/class.h"
#include "config/integer.h"
#include "config/template.h"
#include "config/vm.h"

/* `v[key]`, `key in v`, len(). */

bool value_to_i64(struct vm *vm, struct value v, int64_t *ret)
{
    bool found = false;
    v = value_contents(v);
    if (v.kind == K_INSTANCE && !value_call_special(vm, v, "__index__", NULL, 0, &v, &found))
        return false;
    if (!value_is_integer(v))
        return raise_error(vm, &class_TypeError, "'%s' object cannot be interpreted as an integer",
                           value_type_name(v));
    if (!integer_to_i64(v, ret))
        return raise_error(vm, &class_OverflowError,
                           "Python int too large to convert to C ssize_t");
    return true;
}

bool value_to_size(struct vm *vm, struct value v, size_t *ret)
{
    int64_t i;
    if (!value_to_i64(vm, v, &i))
        return false;
    *ret = i < 0 ? 0 : (size_t)i;
    return true;
}

static bool is_set(struct value v)
{
    return v.kind == K_SET || v.kind == K_FROZENSET;
}

static bool is_dict(struct value v)
{
    return v.kind == K_DICT || v.kind == K_FROZENDICT;
}

/* --- length --- */

bool length_of_result(struct vm *vm, struct value v, size_t *ret)
{
    if (value_is_integer(v) && integer_sign(v) < 0)
        return raise_error(vm, &class_ValueError, "__len__() should return >= 0");
    return value_to_size(vm, v, ret);
}

static bool instance_length(struct vm *vm, struct value v, size_t *ret)
{
    struct value result;
    bool found;
    if (view_dict(v)) {
        *ret = view_dict(v)->count;
        return true;
    }
    if (!value_call_special(vm, v, "__len__", NULL, 0, &result, &found))
        return false;
    if (found)
        return length_of_result(vm, result, ret);
    struct value inner = value_contents(v);
    if (inner.kind != K_INSTANCE)
        return value_length(vm, inner, ret);
    return raise_error(vm, &class_TypeError, "object of type '%s' has no len()",
                       value_type_name(v));
}

static bool class_length(struct vm *vm, struct value v, size_t *ret)
{
    static const struct args none;
    struct value made;
    bool found;
    if (!class_call_hook(vm, v, "__class_len__", &none, &made, &found))
        return false;
    return found ? length_of_result(vm, made, ret)
                 : raise_error(vm, &class_TypeError, "object of type '%s' has no len()",
                               value_type_name(v));
}

bool value_length(struct vm *vm, struct value v, size_t *ret)
{
    switch (v.kind) {
    case K_STR:
    case K_BYTES:
        *ret = v.s->chars;
        return true;
    case K_LIST:
    case K_TUPLE:
        *ret = v.list->count;
        return true;
    case K_DICT:
    case K_FROZENDICT:
    case K_SET:
    case K_FROZENSET:
        *ret = v.dict->count;
        return true;
    case K_RANGE:
        *ret = v.range->count;
        return true;
    case K_INSTANCE:
        return instance_length(vm, v, ret);
    default:
        return class_length(vm, v, ret);
    }
}

/* --- slices --- */

/* The positions that a slice takes out of a sequence: `count` of them, from `start` on. */
struct indices {
    int64_t start, stop, step;
    size_t count;
};

#define FAR (INT64_MAX / 4) /* behind the end of everything, and can be added to */

static int64_t within(int64_t i, int64_t least, int64_t most)
{
    return i < least ? least : i > most ? most : i;
}

/* One of the three numbers; None leaves what is there. */
static bool slice_number(struct vm *vm, struct value v, int64_t *ret)
{
    bool found;
    v = value_contents(v);
    if (v.kind == K_NONE)
        return true;
    if (v.kind == K_INSTANCE && !value_call_special(vm, v, "__index__", NULL, 0, &v, &found))
        return false;
    if (!value_is_integer(v))
        return raise_error(vm, &class_TypeError,
                           "slice indices must be integers or None or have an __index__ method");
    if (!integer_to_i64(v, ret))
        *ret = integer_sign(v) < 0 ? -FAR : FAR;
    *ret = within(*ret, -FAR, FAR);
    return true;
}

static bool slice_numbers(struct vm *vm, const struct list *slice, struct indices *ret)
{
    ret->step = 1;
    if (!slice_number(vm, slice->items[2], &ret->step))
        return false;
    if (ret->step == 0)
        return raise_error(vm, &class_ValueError, "slice step cannot be zero");
    ret->start = ret->step < 0 ? FAR : 0;
    ret->stop = ret->step < 0 ? -FAR - 1 : FAR;
    return slice_number(vm, slice->items[0], &ret->start) &&
           slice_number(vm, slice->items[1], &ret->stop);
}

static int64_t from_end(int64_t i, int64_t count)
{
    return i < 0 && i >= -FAR ? i + count : i;
}

static void fit_indices(struct indices *at, int64_t count)
{
    bool is_back = at->step < 0;
    int64_t least = is_back ? -1 : 0, most = is_back ? count - 1 : count;
    at->start = within(from_end(at->start, count), least, most);
    at->stop = within(from_end(at->stop, count), least, most);
    int64_t distance = is_back ? at->start - at->stop : at->stop - at->start;
    int64_t step = is_back ? -at->step : at->step;
    at->count = distance > 0 ? (size_t)((distance - 1) / step + 1) : 0;
}

/* The length is asked for last: code of the configuration, which the numbers may run, can change it. */
static bool slice_indices(struct vm *vm, struct value v, const struct list *slice,
                          struct indices *ret)
{
    size_t length;
    if (!slice_numbers(vm, slice, ret) || !value_length(vm, v, &length))
        return false;
    fit_indices(ret, length > FAR ? FAR : (int64_t)length);
    return true;
}

static bool slice_text(struct vm *vm, struct value text, const struct indices *at,
                       struct value *ret)
{
    struct buffer buffer = buffer_new(vm);
    if (at->step == 1 && text.kind == K_STR) {
        size_t start = string_offset(text.s, (size_t)at->start);
        size_t end = string_offset(text.s, (size_t)at->start + at->count);
        *ret = V_STR(string_new(vm->arena, text.s->data + start, end - start));
        return vm_work(vm, text.s->chars == text.s->len ? end - start : end);
    }
    for (size_t i = 0; i < at->count; i++) {
        size_t index = (size_t)(at->start + (int64_t)i * at->step);
        size_t start = text.kind == K_BYTES ? index : string_offset(text.s, index);
        size_t length = 1;
        if (text.kind == K_STR)
            utf8_decode(text.s->data + start, &length);
        buffer_add(&buffer, text.s->data + start, length);
        if (!vm_work(vm, text.s->chars == text.s->len ? 1 : start))
            return false;
    }
    if (text.kind == K_STR)
        return buffer_value(vm, &buffer, ret);
    *ret = (struct value){ .kind = K_BYTES,
                           .s = string_new_bytes(vm->arena, buffer.bytes ? buffer.bytes : "",
                                                 buffer.len) };
    return true;
}

static bool slice_list(struct vm *vm, struct value list, const struct indices *at,
                       struct value *ret)
{
    if (!vm_work(vm, at->count * sizeof(struct value)))
        return false;
    *ret = list_new(vm->arena, list.kind, at->count);
    for (size_t i = 0; i < at->count; i++)
        list_push(vm->arena, ret->list, list.list->items[at->start + (int64_t)i * at->step]);
    return true;
}

static bool slice_range(struct vm *vm, const struct range *range, const struct indices *at,
                        struct value *ret)
{
    struct range *part = arena_alloc(vm->arena, sizeof *part);
    part->start = range_at(range, (size_t)at->start);
    part->stop = range_at(range, (size_t)at->stop);
    part->step = (int64_t)((uint64_t)range->step * (uint64_t)at->step);
    part->count = at->count;
    *ret = (struct value){ .kind = K_RANGE, .range = part };
    return true;
}

static bool get_slice(struct vm *vm, struct value v, const struct list *slice, struct value *ret)
{
    struct indices at;
    if (!slice_indices(vm, v, slice, &at))
        return false;
    if (v.kind == K_RANGE)
        return slice_range(vm, v.range, &at, ret);
    return v.kind == K_STR || v.kind == K_BYTES ? slice_text(vm, v, &at, ret)
                                                : slice_list(vm, v, &at, ret);
}

/* --- one item --- */

/* The length is asked for behind the key's __index__(), which may change it. */
static bool to_index(struct vm *vm, struct value v, struct value key, size_t *ret)
{
    int64_t index;
    size_t length;
    bool found = false;
    const char *type_name = value_type_name(key);
    key = value_contents(key);
    if (key.kind == K_INSTANCE && !value_call_special(vm, key, "__index__", NULL, 0, &key, &found))
        return false;
    if (found && !value_is_integer(key))
        return raise_error(vm, &class_TypeError, "__index__ returned non-int (type %s)",
                           value_type_name(key));
    if (!value_is_integer(key))
        return raise_error(vm, &class_TypeError,
                           v.kind == K_STR ? "%s indices must be integers, not '%s'"
                                           : "%s indices must be integers or slices, not %s",
                           v.kind == K_STR ? "string" : value_type_name(v), type_name);
    if (!value_length(vm, v, &length))
        return false;
    if (!integer_to_i64(key, &index))
        index = INT64_MAX;
    if (index < 0)
        index += (int64_t)length;
    if (index < 0 || index >= (int64_t)length)
        return raise_error(vm, &class_IndexError, "%s index out of range",
                           v.kind == K_STR     ? "string"
                           : v.kind == K_RANGE ? "range object"
                                               : value_type_name(v));
    *ret = (size_t)index;
    return true;
}

static bool get_sequence_item(struct vm *vm, struct value v, struct value key, struct value *ret)
{
    size_t index, bytes = 1;
    if (key.kind == K_SLICE)
        return get_slice(vm, v, key.list, ret);
    if (!to_index(vm, v, key, &index))
        return false;
    switch (v.kind) {
    case K_STR: {
        size_t start = string_offset(v.s, index);
        utf8_decode(v.s->data + start, &bytes);
        *ret = V_STR(string_new(vm->arena, v.s->data + start, bytes));
        return v.s->chars == v.s->len || vm_work(vm, start);
    }
    case K_BYTES:
        *ret = V_INT((unsigned char)v.s->data[index]);
        return true;
    case K_RANGE:
        *ret = V_INT(range_at(v.range, index));
        return true;
    default:
        *ret = v.list->items[index];
        return true;
    }
}

/* A KeyError that says how to give the variable. */
static bool missing_variable(struct vm *vm, struct value name)
{
    struct value exception = exception_new(vm, &class_KeyError, &name, 1);
    if (name.kind == K_STR)
        exception.instance->cause =
            V_STR(string_printf(vm->arena, "give the variable with --env %s=VALUE", name.s->data));
    return raise_value(vm, exception);
}

static bool missing_key(struct vm *vm, struct dict *dict, struct value key, struct value *ret)
{
    static const struct args none;
    if (dict->type_name && strcmp(dict->type_name, "Counter") == 0) {
        *ret = V_INT(0);
        return true;
    }
    if (dict->type_name && strcmp(dict->type_name, "environ") == 0)
        return missing_variable(vm, key);
    if (dict->fallback.kind == K_UNBOUND || dict->fallback.kind == K_NONE)
        return raise_key_error(vm, key);
    return value_call(vm, dict->fallback, &none, ret) && dict_set(vm, dict, key, *ret);
}

static bool get_instance_item(struct vm *vm, struct value v, struct value key, struct value *ret)
{
    bool found;
    if (!value_call_special(vm, v, "__getitem__", &key, 1, ret, &found))
        return false;
    if (found)
        return true;
    if (view_dict(v))
        return raise_error(vm, &class_TypeError, "'%s' object is not subscriptable",
                           value_type_name(v));
    struct value inner = value_contents(v);
    if (inner.kind == K_DICT) {
        if (!dict_get(vm, inner.dict, key, ret))
            return false;
        if (ret->kind != K_UNBOUND)
            return true;
        if (!value_call_special(vm, v, "__missing__", &key, 1, ret, &found))
            return false;
        if (found)
            return true;
    }
    if (inner.kind != K_INSTANCE)
        return value_get_item(vm, inner, key, ret);
    return raise_error(vm, &class_TypeError, "'%s' object is not subscriptable",
                       value_type_name(v));
}

/* list[int] in annotations and the like, or what the class says. */
static bool get_class_item(struct vm *vm, struct value v, struct value key, struct value *ret)
{
    struct value found = class_find(v.class, string_from(vm->arena, "__class_getitem__"));
    if (found.kind == K_PROPERTY)
        found = found.property->function;
    if (found.kind == K_FUNCTION)
        return value_call2(vm, found, v, key, ret);
    *ret = v;
    return true;
}

bool value_get_item(struct vm *vm, struct value v, struct value key, struct value *ret)
{
    switch (v.kind) {
    case K_LIST:
    case K_TUPLE:
    case K_STR:
    case K_BYTES:
    case K_RANGE:
        return get_sequence_item(vm, v, key, ret);
    case K_DICT:
    case K_FROZENDICT:
        if (!dict_get(vm, v.dict, key, ret))
            return false;
        return ret->kind != K_UNBOUND || missing_key(vm, v.dict, key, ret);
    case K_INSTANCE:
        return get_instance_item(vm, v, key, ret);
    case K_OBJECT:
        return object_get_item(vm, v.object, key, ret);
    case K_CLASS:
        return get_class_item(vm, v, key, ret);
    default:
        return raise_error(vm, &class_TypeError, "'%s' object is not subscriptable",
                           value_type_name(v));
    }
}

/* --- changing --- */

static bool replace_range(struct vm *vm, struct list *list, size_t start, size_t count,
                          const struct list *with)
{
    size_t new_count = list->count - count + with->count;
    if (new_count > LIMIT_ITEMS)
        return raise_limit(vm, "a list has more than %d items", LIMIT_ITEMS);
    if (!vm_work(vm, new_count * sizeof(struct value)))
        return false;
    struct value copy = list_new(vm->arena, K_LIST, new_count);
    for (size_t i = 0; i < start; i++)
        list_push(vm->arena, copy.list, list->items[i]);
    for (size_t i = 0; i < with->count; i++)
        list_push(vm->arena, copy.list, with->items[i]);
    for (size_t i = start + count; i < list->count; i++)
        list_push(vm->arena, copy.list, list->items[i]);
    *list = *copy.list;
    return true;
}

static bool set_slice(struct vm *vm, struct value v, const struct list *slice, struct value item)
{
    struct list *list = v.list;
    struct indices at;
    struct value items;
    if (!slice_indices(vm, v, slice, &at))
        return false;
    size_t count = list->count;
    if (!value_to_list(vm, item, K_LIST, &items))
        return false;
    if (list->count != count)
        return raise_error(vm, &class_ValueError, "list modified during assignment to a slice");
    if (at.step == 1)
        return replace_range(vm, list, (size_t)at.start, at.count, items.list);
    if (items.list->count != at.count)
        return raise_error(vm, &class_ValueError,
                           "attempt to assign sequence of size %zu to extended slice of size %zu",
                           items.list->count, at.count);
    for (size_t i = 0; i < at.count; i++)
        list->items[at.start + (int64_t)i * at.step] = items.list->items[i];
    return true;
}

static bool set_instance_item(struct vm *vm, struct value v, struct value key, struct value item)
{
    struct value arguments[] = { key, item }, result;
    bool found;
    if (!value_call_special(vm, v, "__setitem__", arguments, 2, &result, &found))
        return false;
    if (found)
        return true;
    struct value inner = value_contents(v);
    if (inner.kind != K_INSTANCE)
        return value_set_item(vm, inner, key, item);
    return raise_error(vm, &class_TypeError, "'%s' object does not support item assignment",
                       value_type_name(v));
}

bool value_set_item(struct vm *vm, struct value v, struct value key, struct value item)
{
    size_t index;
    switch (v.kind) {
    case K_DICT:
        return dict_set(vm, v.dict, key, item);
    case K_LIST:
        if (key.kind == K_SLICE)
            return set_slice(vm, v, key.list, item);
        if (!to_index(vm, v, key, &index))
            return false;
        v.list->items[index] = item;
        return true;
    case K_INSTANCE:
        return set_instance_item(vm, v, key, item);
    default:
        return raise_error(vm, &class_TypeError, "'%s' object does not support item assignment",
                           value_type_name(v));
    }
}

/* Keeps what stands between the positions, in one pass. */
static bool delete_slice(struct vm *vm, struct value v, const struct list *slice)
{
    struct list *list = v.list;
    struct indices at;
    size_t kept = 0, next = 0;
    if (!slice_indices(vm, v, slice, &at))
        return false;
    if (at.step < 0) { /* the same positions, forwards */
        at.start += at.step * ((int64_t)at.count - 1);
        at.step = -at.step;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (next < at.count && i == (size_t)(at.start + (int64_t)next * at.step))
            next++;
        else
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
    return vm_work(vm, kept * sizeof(struct value));
}

static bool delete_key(struct vm *vm, struct dict *dict, struct value key)
{
    struct value old;
    if (!dict_remove(vm, dict, key, &old))
        return false;
    return old.kind != K_UNBOUND || raise_key_error(vm, key);
}

bool value_delete_item(struct vm *vm, struct value v, struct value key)
{
    static const struct list none;
    struct value result;
    size_t index;
    bool found;
    if (!value_call_special(vm, v, "__delitem__", &key, 1, &result, &found))
        return false;
    if (found)
        return true;
    if (v.kind == K_INSTANCE)
        v = value_contents(v);
    if (v.kind == K_DICT)
        return delete_key(vm, v.dict, key);
    if (v.kind != K_LIST)
        return raise_error(vm, &class_TypeError, "'%s' object doesn't support item deletion",
                           value_type_name(v));
    if (key.kind == K_SLICE)
        return delete_slice(vm, v, key.list);
    return to_index(vm, v, key, &index) && replace_range(vm, v.list, index, 1, &none);
}

/* --- membership --- */

static bool iterate_contains(struct vm *vm, struct value container, struct value item, bool *ret)
{
    struct iterator *iterator;
    if (!value_iterate(vm, container, &iterator))
        return false;
    *ret = false;
    for (struct value v; !*ret;) {
        if (!iterator_next(vm, iterator, &v))
            return false;
        if (v.kind == K_UNBOUND)
            return true;
        *ret = value_is(v, item);
        if (!*ret && !value_equal(vm, v, item, ret))
            return false;
    }
    return true;
}

static bool contains_instance(struct vm *vm, struct value container, struct value item, bool *ret)
{
    struct value result;
    bool found;
    if (!value_call_special(vm, container, "__contains__", &item, 1, &result, &found))
        return false;
    if (found)
        return value_truth(vm, result, ret);
    if (container.instance->class == &class_dict_keys)
        return dict_get(vm, view_dict(container), item, &result) &&
               (*ret = result.kind != K_UNBOUND, true);
    view_refresh(vm, container);
    struct value inner = value_contents(container);
    return inner.kind != K_INSTANCE ? value_contains(vm, inner, item, ret)
                                    : iterate_contains(vm, container, item, ret);
}

static bool contains_bytes(struct vm *vm, const struct string *bytes, struct value item, bool *ret)
{
    int64_t byte;
    if (item.kind == K_BYTES) {
        *ret = item.s->len == 0 || memmem(bytes->data, bytes->len, item.s->data, item.s->len);
        return true;
    }
    if (!value_is_integer(item))
        return raise_error(vm, &class_TypeError, "a bytes-like object is required, not '%s'",
                           value_type_name(item));
    if (!integer_to_i64(item, &byte) || byte < 0 || byte > 255)
        return raise_error(vm, &class_ValueError, "byte must be in range(0, 256)");
    *ret = memchr(bytes->data, (int)byte, bytes->len) != NULL;
    return true;
}

bool value_contains(struct vm *vm, struct value container, struct value item, bool *ret)
{
    struct value found;
    if (container.kind == K_STR) {
        item = value_contents(item);
        if (item.kind != K_STR)
            return raise_error(vm, &class_TypeError,
                               "'in <string>' requires string as left operand, not %s",
                               value_type_name(item));
        *ret = item.s->len == 0 ||
               memmem(container.s->data, container.s->len, item.s->data, item.s->len);
        return vm_work(vm, container.s->len);
    }
    if (container.kind == K_BYTES)
        return contains_bytes(vm, container.s, value_contents(item), ret);
    if (is_dict(container) || is_set(container)) {
        if (!dict_get(vm, container.dict, item, &found))
            return false;
        *ret = found.kind != K_UNBOUND;
        return true;
    }
    if (container.kind == K_OBJECT)
        return object_contains(vm, container.object, item, ret);
    if (container.kind == K_INSTANCE)
        return contains_instance(vm, container, item, ret);
    if (container.kind == K_LIST || container.kind == K_TUPLE || container.kind == K_RANGE ||
        container.kind == K_ITERATOR)
        return iterate_contains(vm, container, item, ret);
    bool has_hook;
    const struct args args = { .items = &item, .count = 1 };
    if (!class_call_hook(vm, container, "__class_contains__", &args, &found, &has_hook))
        return false;
    return has_hook ? value_truth(vm, found, ret)
                    : raise_error(vm, &class_TypeError, "argument of type '%s' is not iterable",
                                  value_type_name(container));
}
