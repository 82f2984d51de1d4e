#include "config/class.h"
#include "config/integer.h"
#include "config/moment.h"
#include "config/template.h"
#include "config/vm.h"

#include <math.h>

/* Truth, identity, equality, order and hashes. */

struct value value_as(struct value v, enum kind kind)
{
    return v.kind == K_INSTANCE && v.instance->payload.kind == kind &&
                   v.instance->class->layout == kind
               ? v.instance->payload
               : v;
}

struct value value_contents(struct value v)
{
    return v.kind == K_INSTANCE && v.instance->class->layout != K_INSTANCE ? v.instance->payload
                                                                           : v;
}

static bool instance_truth(struct vm *vm, struct value v, bool *ret)
{
    struct value result;
    bool found;
    if (!value_call_special(vm, v, "__bool__", NULL, 0, &result, &found))
        return false;
    if (found && result.kind != K_BOOL)
        return raise_error(vm, &class_TypeError, "__bool__ should return bool, returned %s",
                           value_type_name(result));
    *ret = found && result.b;
    if (found)
        return true;
    if (!value_call_special(vm, v, "__len__", NULL, 0, &result, &found))
        return false;
    size_t length = 0;
    if (found) {
        if (!length_of_result(vm, result, &length))
            return false;
        *ret = length > 0;
        return true;
    }
    if (moment_is_zero(v)) {
        *ret = false;
        return true;
    }
    v = value_contents(v);
    if (v.kind != K_INSTANCE)
        return value_truth(vm, v, ret);
    *ret = true;
    return true;
}

bool value_truth(struct vm *vm, struct value v, bool *ret)
{
    switch (v.kind) {
    case K_NONE:
        *ret = false;
        return true;
    case K_BOOL:
        *ret = v.b;
        return true;
    case K_INT:
        *ret = v.i != 0;
        return true;
    case K_FLOAT:
        *ret = v.f != 0;
        return true;
    case K_STR:
    case K_BYTES:
        *ret = v.s->len > 0;
        return true;
    case K_LIST:
    case K_TUPLE:
        *ret = v.list->count > 0;
        return true;
    case K_DICT:
    case K_FROZENDICT:
    case K_SET:
    case K_FROZENSET:
        *ret = v.dict->count > 0;
        return true;
    case K_RANGE:
        *ret = v.range->count > 0;
        return true;
    case K_INSTANCE:
        return instance_truth(vm, v, ret);
    default:
        *ret = true;
        return true;
    }
}

bool value_is(struct value a, struct value b)
{
    if (a.kind != b.kind)
        return false;
    switch (a.kind) {
    case K_NONE:
    case K_EMPTY:
    case K_ELLIPSIS:
    case K_NOT_IMPLEMENTED:
    case K_UNBOUND:
        return true;
    case K_BOOL:
        return a.b == b.b;
    case K_INT:
        return a.i == b.i;
    case K_FLOAT:
        return a.f == b.f;
    case K_STR: /* constants are shared in the reference; text compares by content */
        return string_equal(a.s, b.s);
    case K_TUPLE:
        return a.list == b.list || (a.list->count == 0 && b.list->count == 0);
    default:
        return a.p == b.p;
    }
}

/* --- equality --- */

/* Exact, also where a float cannot hold the whole number.  `d` is finite. */
static int compare_exactly(struct vm *vm, struct value integer, double d)
{
    int order = integer_compare(integer, integer_from_double(vm->arena, d));
    double fraction = d - trunc(d);
    return order ? order : (fraction < 0) - (fraction > 0);
}

static int compare_numbers(struct vm *vm, struct value a, struct value b, bool *ret_unordered)
{
    *ret_unordered = false;
    if (a.kind != K_FLOAT && b.kind != K_FLOAT)
        return integer_compare(a, b);
    if (a.kind != K_FLOAT && isfinite(b.f))
        return compare_exactly(vm, a, b.f);
    if (b.kind != K_FLOAT && isfinite(a.f))
        return -compare_exactly(vm, b, a.f);
    double x = a.kind == K_FLOAT ? a.f : 0, y = b.kind == K_FLOAT ? b.f : 0;
    if (isnan(x) || isnan(y)) {
        *ret_unordered = true;
        return 1;
    }
    return (x > y) - (x < y);
}

static bool equal_lists(struct vm *vm, const struct list *a, const struct list *b, bool *ret)
{
    *ret = a->count == b->count;
    for (size_t i = 0; *ret && i < a->count && i < b->count; i++)
        if (!value_equal(vm, a->items[i], b->items[i], ret))
            return false;
    return true;
}

static bool equal_dicts(struct vm *vm, const struct dict *a, const struct dict *b, bool *ret)
{
    size_t cursor = 0;
    *ret = a->count == b->count;
    for (struct dict_entry *entry; *ret && (entry = dict_next(a, &cursor));) {
        struct value other;
        if (!dict_get(vm, b, entry->key, &other))
            return false;
        *ret = other.kind != K_UNBOUND;
        if (*ret && !value_equal(vm, entry->value, other, ret))
            return false;
    }
    return true;
}

static bool is_ordered(const struct dict *dict)
{
    return dict->type_name && strcmp(dict->type_name, "OrderedDict") == 0;
}

/* The same entries in the same order. */
static bool equal_entries(struct vm *vm, const struct dict *a, const struct dict *b, bool *ret)
{
    size_t at = 0, other_at = 0;
    *ret = a->count == b->count;
    for (struct dict_entry *x, *y;
         *ret && (x = dict_next(a, &at)) && (y = dict_next(b, &other_at));) {
        struct value left = x->value, right = y->value; /* comparing keys may change the dicts */
        if (!value_equal(vm, x->key, y->key, ret) || (*ret && !value_equal(vm, left, right, ret)))
            return false;
    }
    return true;
}

/* A Counter is less than another one when no count is more. */
static bool compare_counters(struct vm *vm, enum compare_op op, struct value a, struct value b,
                             struct value *ret)
{
    bool is_less = op == CMP_LESS || op == CMP_AT_MOST, fits, is_equal = false;
    const struct dict *small = is_less ? a.dict : b.dict, *big = is_less ? b.dict : a.dict;
    struct value keys, left, right;
    if (!value_to_list(vm, a, K_LIST, &keys))
        return false;
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < keys.list->count; i++) {
            if (!dict_get(vm, small, keys.list->items[i], &left) ||
                !dict_get(vm, big, keys.list->items[i], &right))
                return false;
            left = left.kind == K_UNBOUND ? V_INT(0) : left;
            right = right.kind == K_UNBOUND ? V_INT(0) : right;
            if (!value_less(vm, right, left, &fits))
                return false;
            *ret = V_BOOL(false);
            if (fits)
                return true;
        }
        if (!value_to_list(vm, b, K_LIST, &keys))
            return false;
    }
    if ((op == CMP_LESS || op == CMP_MORE) && !value_equal(vm, a, b, &is_equal))
        return false;
    *ret = V_BOOL(!is_equal);
    return true;
}

static bool is_superset(struct vm *vm, const struct dict *big, const struct dict *small, bool *ret)
{
    size_t cursor = 0;
    *ret = big->count >= small->count;
    for (struct dict_entry *entry; *ret && (entry = dict_next(small, &cursor));) {
        struct value found;
        if (!vm_step(vm) || !dict_get(vm, big, entry->key, &found))
            return false;
        *ret = found.kind != K_UNBOUND;
    }
    return true;
}

static bool equal_instances(struct vm *vm, struct value a, struct value b, bool *ret)
{
    struct value result;
    bool found;
    int order;
    if (moment_compare(a, b, &order)) {
        *ret = order == 0;
        return true;
    }
    if (!value_call_special(vm, a, "__eq__", &b, 1, &result, &found))
        return false;
    if (!found || result.kind == K_NOT_IMPLEMENTED) {
        if (!value_call_special(vm, b, "__eq__", &a, 1, &result, &found))
            return false;
        if (!found || result.kind == K_NOT_IMPLEMENTED) {
            a = value_contents(a);
            b = value_contents(b);
            if (a.kind != K_INSTANCE && b.kind != K_INSTANCE)
                return value_equal(vm, a, b, ret);
            *ret = value_is(a, b);
            return true;
        }
    }
    return value_truth(vm, result, ret);
}

static bool is_set(struct value v)
{
    return v.kind == K_SET || v.kind == K_FROZENSET;
}

/* --- keys and items of dicts compare like sets, also when items cannot be hashed --- */

static bool is_view(struct value v)
{
    return v.kind == K_INSTANCE &&
           (v.instance->class == &class_dict_keys || v.instance->class == &class_dict_items);
}

static bool all_in(struct vm *vm, struct value items, struct value container, bool *ret)
{
    struct value list;
    if (!value_to_list(vm, items, K_LIST, &list))
        return false;
    *ret = true;
    for (size_t i = 0; *ret && i < list.list->count; i++)
        if (!value_contains(vm, container, list.list->items[i], ret))
            return false;
    return true;
}

static bool compare_views(struct vm *vm, enum compare_op op, struct value a, struct value b,
                          bool *ret)
{
    size_t left, right;
    *ret = false;
    if ((!is_view(a) && !is_set(a)) || (!is_view(b) && !is_set(b)))
        return true;
    if (!value_length(vm, a, &left) || !value_length(vm, b, &right))
        return false;
    bool is_less = op == CMP_LESS || op == CMP_AT_MOST;
    bool fits = op == CMP_EQUAL     ? left == right
                : op == CMP_LESS    ? left < right
                : op == CMP_MORE    ? left > right
                : op == CMP_AT_MOST ? left <= right
                                    : left >= right;
    return !fits || all_in(vm, is_less ? a : b, is_less ? b : a, ret);
}

static bool equal_typechecks(struct value a, struct value b)
{
    return a.typecheck == b.typecheck;
}

static bool equal_frozen(struct vm *vm, struct value a, struct value b, bool *ret)
{
    if (a.kind == K_DICT || b.kind == K_DICT)
        return raise_error(vm, &class_AttributeError,
                           "'dict' object has no attribute '_frozendict__key'");
    if (a.kind == K_FROZENDICT && b.kind == K_FROZENDICT)
        return equal_dicts(vm, a.dict, b.dict, ret);
    return raise_error(vm, &class_AttributeError, "'%s' object has no attribute '_frozendict__key'",
                       value_type_name(a.kind == K_FROZENDICT ? b : a));
}

bool value_equal(struct vm *vm, struct value a, struct value b, bool *ret)
{
    if (!vm_step(vm))
        return false;
    if (a.kind == K_STR && b.kind == K_STR) {
        *ret = string_equal(a.s, b.s);
        return a.s->len != b.s->len || vm_work(vm, a.s->len);
    }
    if (value_is_number(a) && value_is_number(b)) {
        bool is_unordered;
        *ret = compare_numbers(vm, a, b, &is_unordered) == 0;
        return true;
    }
    if (a.kind == K_OBJECT)
        return object_equal(vm, a.object, b, ret);
    if (b.kind == K_OBJECT)
        return object_equal(vm, b.object, a, ret);
    if (is_view(a) || is_view(b))
        return compare_views(vm, CMP_EQUAL, a, b, ret);
    if (a.kind == K_INSTANCE || b.kind == K_INSTANCE)
        return equal_instances(vm, a, b, ret);
    if (a.kind == K_FROZENDICT || b.kind == K_FROZENDICT)
        return equal_frozen(vm, a, b, ret);
    if (is_set(a) && is_set(b)) {
        *ret = a.dict->count == b.dict->count;
        return !*ret || is_superset(vm, a.dict, b.dict, ret);
    }
    *ret = false;
    if (a.kind != b.kind)
        return true;
    switch (a.kind) {
    case K_LIST:
    case K_TUPLE:
    case K_SLICE:
        if (a.list == b.list) {
            *ret = true;
            return true;
        }
        if (!vm_enter(vm))
            return false;
        bool is_done = equal_lists(vm, a.list, b.list, ret);
        vm_leave(vm);
        return is_done;
    case K_DICT:
        if (!vm_enter(vm))
            return false;
        is_done = is_ordered(a.dict) && is_ordered(b.dict) ? equal_entries(vm, a.dict, b.dict, ret)
                                                           : equal_dicts(vm, a.dict, b.dict, ret);
        vm_leave(vm);
        return is_done;
    case K_BYTES:
    case K_REF:
        *ret = string_equal(a.s, b.s);
        return true;
    case K_RANGE:
        *ret = a.range->count == b.range->count &&
               (a.range->count == 0 || (a.range->start == b.range->start &&
                                        (a.range->count == 1 || a.range->step == b.range->step)));
        return true;
    case K_TYPECHECK:
        *ret = equal_typechecks(a, b);
        return true;
    case K_BOUND:
        *ret = value_is(a.bound->function, b.bound->function) &&
               value_is(a.bound->self, b.bound->self);
        return true;
    default:
        *ret = value_is(a, b);
        return true;
    }
}

/* --- order --- */

static bool order_answer(enum compare_op op, int order)
{
    switch (op) {
    case CMP_LESS:
        return order < 0;
    case CMP_AT_MOST:
        return order <= 0;
    case CMP_MORE:
        return order > 0;
    default:
        return order >= 0;
    }
}

static int compare_text(const struct string *a, const struct string *b)
{
    return slice_compare(string_slice(a), string_slice(b));
}

static bool compare_lists(struct vm *vm, enum compare_op op, const struct list *a,
                          const struct list *b, struct value *ret)
{
    size_t i = 0;
    for (; i < a->count && i < b->count; i++) {
        struct value x = a->items[i], y = b->items[i]; /* the comparison may change the lists */
        bool is_equal;
        if (!value_equal(vm, x, y, &is_equal))
            return false;
        if (!is_equal)
            return value_compare(vm, op, x, y, ret);
    }
    *ret = V_BOOL(order_answer(op, (a->count > b->count) - (a->count < b->count)));
    return true;
}

static bool compare_sets(struct vm *vm, enum compare_op op, const struct dict *a,
                         const struct dict *b, struct value *ret)
{
    bool is_subset, is_less = op == CMP_LESS || op == CMP_AT_MOST;
    if (!is_superset(vm, is_less ? b : a, is_less ? a : b, &is_subset))
        return false;
    *ret = V_BOOL(is_subset && (op == CMP_AT_MOST || op == CMP_AT_LEAST || a->count != b->count));
    return true;
}

static const char *const ORDER_NAMES[CMP_COUNT] = {
    [CMP_EQUAL] = "==",   [CMP_UNEQUAL] = "!=", [CMP_LESS] = "<",
    [CMP_AT_MOST] = "<=", [CMP_MORE] = ">",     [CMP_AT_LEAST] = ">=",
};

static bool compare_instances(struct vm *vm, enum compare_op op, struct value a, struct value b,
                              struct value *ret)
{
    static const char *const methods[CMP_COUNT] = {
        [CMP_LESS] = "__lt__",
        [CMP_AT_MOST] = "__le__",
        [CMP_MORE] = "__gt__",
        [CMP_AT_LEAST] = "__ge__",
    };
    static const enum compare_op mirrored[CMP_COUNT] = {
        [CMP_LESS] = CMP_MORE,
        [CMP_AT_MOST] = CMP_AT_LEAST,
        [CMP_MORE] = CMP_LESS,
        [CMP_AT_LEAST] = CMP_AT_MOST,
    };
    bool found;
    int order;
    if (view_dict(a) && view_dict(b))
        return raise_error(vm, &class_TypeError,
                           "'%s' not supported between instances of '%s' and '%s'", ORDER_NAMES[op],
                           value_type_name(a), value_type_name(b));
    if (moment_compare(a, b, &order)) {
        *ret = V_BOOL(order_answer(op, order));
        return true;
    }
    if (!value_call_special(vm, a, methods[op], &b, 1, ret, &found))
        return false;
    if (found && ret->kind != K_NOT_IMPLEMENTED)
        return true;
    if (!value_call_special(vm, b, methods[mirrored[op]], &a, 1, ret, &found))
        return false;
    if (found && ret->kind != K_NOT_IMPLEMENTED)
        return true;
    struct value x = value_contents(a), y = value_contents(b);
    if (x.kind != K_INSTANCE && y.kind != K_INSTANCE)
        return value_compare(vm, op, x, y, ret);
    return raise_error(vm, &class_TypeError,
                       "'%s' not supported between instances of '%s' and '%s'", ORDER_NAMES[op],
                       value_type_name(a), value_type_name(b));
}

static bool compare_order(struct vm *vm, enum compare_op op, struct value a, struct value b,
                          struct value *ret)
{
    bool is_unordered, answer;
    if (is_view(a) || is_view(b)) {
        ret->kind = K_BOOL;
        return compare_views(vm, op, a, b, &ret->b);
    }
    if (value_is_number(a) && value_is_number(b)) {
        int order = compare_numbers(vm, a, b, &is_unordered);
        *ret = V_BOOL(!is_unordered && order_answer(op, order));
        return true;
    }
    if ((a.kind == K_STR && b.kind == K_STR) || (a.kind == K_BYTES && b.kind == K_BYTES)) {
        *ret = V_BOOL(order_answer(op, compare_text(a.s, b.s)));
        return vm_work(vm, a.s->len < b.s->len ? a.s->len : b.s->len);
    }
    if (a.kind == b.kind && (a.kind == K_LIST || a.kind == K_TUPLE)) {
        if (!vm_enter(vm))
            return false;
        bool is_done = compare_lists(vm, op, a.list, b.list, ret);
        vm_leave(vm);
        return is_done;
    }
    if (is_set(a) && is_set(b))
        return compare_sets(vm, op, a.dict, b.dict, ret);
    if (value_is_counter(a) && value_is_counter(b))
        return compare_counters(vm, op, a, b, ret);
    if (a.kind == K_OBJECT && type_is_simple(a.object->type)) {
        if (!object_compare(vm, op, a.object, b, &answer))
            return false;
        *ret = V_BOOL(answer);
        return true;
    }
    if (a.kind == K_REF && b.kind == K_REF) {
        *ret = V_BOOL(order_answer(op, compare_text(a.s, b.s)));
        return true;
    }
    if (a.kind == K_INSTANCE || b.kind == K_INSTANCE)
        return compare_instances(vm, op, a, b, ret);
    return raise_error(vm, &class_TypeError,
                       "'%s' not supported between instances of '%s' and '%s'", ORDER_NAMES[op],
                       value_type_name(a), value_type_name(b));
}

static bool compare_unequal(struct vm *vm, struct value a, struct value b, struct value *ret)
{
    bool found, answer;
    if (a.kind == K_INSTANCE) {
        if (!value_call_special(vm, a, "__ne__", &b, 1, ret, &found))
            return false;
        if (found && ret->kind != K_NOT_IMPLEMENTED)
            return true;
    }
    if (!value_equal(vm, a, b, &answer))
        return false;
    *ret = V_BOOL(!answer);
    return true;
}

bool value_compare(struct vm *vm, enum compare_op op, struct value a, struct value b,
                   struct value *ret)
{
    bool answer;
    switch (op) {
    case CMP_EQUAL:
        if (!value_equal(vm, a, b, &answer))
            return false;
        break;
    case CMP_UNEQUAL:
        return compare_unequal(vm, a, b, ret);
    case CMP_IN:
    case CMP_NOT_IN:
        if (!value_contains(vm, b, a, &answer))
            return false;
        answer ^= op == CMP_NOT_IN;
        break;
    case CMP_IS:
    case CMP_IS_NOT:
        answer = value_is(a, b) ^ (op == CMP_IS_NOT);
        break;
    default:
        return vm_step(vm) && compare_order(vm, op, a, b, ret);
    }
    *ret = V_BOOL(answer);
    return true;
}

bool value_less(struct vm *vm, struct value a, struct value b, bool *ret)
{
    struct value answer;
    return value_compare(vm, CMP_LESS, a, b, &answer) && value_truth(vm, answer, ret);
}

/* --- hashes --- */

static uint64_t mix(uint64_t h)
{
    h ^= h >> 31;
    h *= 0x9e3779b97f4a7c15u;
    h ^= h >> 29;
    return h ? h : 1;
}

static uint64_t hash_float(double d)
{
    if (d == trunc(d) && fabs(d) < 9e18)
        return mix((uint64_t)(int64_t)d);
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    return mix(bits);
}

static uint64_t hash_big(const struct big *big)
{
    uint64_t h = big->is_negative;
    for (uint32_t i = 0; i < big->count; i++)
        h = mix(h ^ big->digits[i]);
    return h;
}

static bool hash_items(struct vm *vm, const struct list *list, uint64_t *ret)
{
    uint64_t h = 0x345678;
    for (size_t i = 0; i < list->count; i++) {
        uint64_t item;
        if (!value_hash(vm, list->items[i], &item))
            return false;
        h = mix(h * 31 + item);
    }
    *ret = h;
    return true;
}

static bool hash_unordered(struct vm *vm, const struct dict *dict, uint64_t *ret)
{
    uint64_t h = 0x1234567;
    size_t cursor = 0;
    for (struct dict_entry *entry; (entry = dict_next(dict, &cursor));) {
        uint64_t item = 0;
        if (entry->value.kind != K_UNBOUND && !value_hash(vm, entry->value, &item))
            return false;
        h += mix(entry->hash ^ item);
    }
    *ret = mix(h);
    return true;
}

static bool hash_container(struct vm *vm, struct value v, uint64_t *ret)
{
    if (!vm_step(vm) || !vm_enter(vm))
        return false;
    bool is_done =
        v.kind == K_TUPLE ? hash_items(vm, v.list, ret) : hash_unordered(vm, v.dict, ret);
    vm_leave(vm);
    return is_done;
}

/* A class that says when its objects are equal and not what their hash is, or sets it to None. */
static bool class_is_unhashable(struct vm *vm, const struct class *class)
{
    struct string *hash = string_from(vm->arena, "__hash__"),
                  *equal = string_from(vm->arena, "__eq__");
    size_t cursor = 0;
    for (const struct class *at; (at = class_next(class, &cursor));) {
        if (!at->attributes)
            return false;
        struct value found = dict_get_text(at->attributes, hash);
        if (found.kind != K_UNBOUND)
            return found.kind == K_NONE;
        if (dict_get_text(at->attributes, equal).kind == K_FUNCTION)
            return true;
    }
    return false;
}

static bool hash_instance(struct vm *vm, struct value v, uint64_t *ret)
{
    struct value result;
    bool found;
    if (!value_call_special(vm, v, "__hash__", NULL, 0, &result, &found))
        return false;
    if (found && !value_is_integer(result))
        return raise_error(vm, &class_TypeError, "__hash__ method should return an integer");
    if (found)
        return value_hash(vm, result, ret);
    if (class_is_unhashable(vm, v.instance->class) || view_dict(v))
        return raise_error(vm, &class_TypeError, "unhashable type: '%s'", v.instance->class->name);
    struct value inner = value_contents(v);
    if (inner.kind != K_INSTANCE)
        return value_hash(vm, inner, ret);
    *ret = mix((uint64_t)(uintptr_t)v.p);
    return true;
}

bool value_hash(struct vm *vm, struct value v, uint64_t *ret)
{
    switch (v.kind) {
    case K_STR:
        *ret = string_hash(v.s);
        return true;
    case K_BYTES:
    case K_REF:
        *ret = string_hash(v.s) + 1;
        return true;
    case K_BOOL:
        *ret = mix(v.b);
        return true;
    case K_INT:
        *ret = mix((uint64_t)v.i);
        return true;
    case K_BIG:
        *ret = hash_big(v.big);
        return true;
    case K_FLOAT:
        *ret = hash_float(v.f);
        return true;
    case K_TUPLE:
    case K_FROZENSET:
    case K_FROZENDICT:
        return hash_container(vm, v, ret);
    case K_OBJECT:
        return object_hash(vm, v.object, ret);
    case K_INSTANCE:
        return hash_instance(vm, v, ret);
    case K_LIST:
    case K_DICT:
    case K_SET:
    case K_SLICE:
        return raise_error(vm, &class_TypeError, "unhashable type: '%s'", value_type_name(v));
    case K_NONE:
    case K_EMPTY:
    case K_ELLIPSIS:
    case K_NOT_IMPLEMENTED:
        *ret = mix((uint64_t)v.kind + 1000);
        return true;
    default:
        *ret = mix((uint64_t)(uintptr_t)v.p);
        return true;
    }
}
