#include "config/class.h"
#include "config/encoding.h"
#include "config/format.h"
#include "config/integer.h"
#include "config/moment.h"
#include "config/template.h"
#include "config/vm.h"

#include <math.h>

/* Binary operators. */

static const char *const OP_TEXTS[OP_COUNT] = {
    [OP_ADD] = "+",    [OP_SUBTRACT] = "-", [OP_MULTIPLY] = "*", [OP_DIVIDE] = "/",
    [OP_FLOOR] = "//", [OP_MODULO] = "%",   [OP_POWER] = "**",   [OP_LEFT] = "<<",
    [OP_RIGHT] = ">>", [OP_AND] = "&",      [OP_OR] = "|",       [OP_XOR] = "^",
    [OP_MATRIX] = "@",
};

static bool unsupported(struct vm *vm, enum binary_op op, struct value a, struct value b)
{
    return raise_error(vm, &class_TypeError, "unsupported operand type(s) for %s%s: '%s' and '%s'",
                       OP_TEXTS[op], op == OP_POWER ? " or pow()" : "", value_type_name(a),
                       value_type_name(b));
}

static bool too_large(struct vm *vm)
{
    return raise_limit(vm, "a whole number has more than %d bits", LIMIT_INTEGER_BITS);
}

/* --- whole numbers --- */

static bool divide_integers(struct vm *vm, struct value a, struct value b, struct value *ret)
{
    double divisor = integer_to_double(b), dividend = integer_to_double(a);
    if (isinf(divisor) || isinf(dividend)) {
        struct value quotient;
        integer_divide(vm->arena, a, b, &quotient, NULL);
        double d = integer_to_double(quotient);
        if (isinf(d))
            return raise_error(vm, &class_OverflowError,
                               "integer division result too large for a float");
        *ret = V_FLOAT(d);
        return true;
    }
    *ret = V_FLOAT(dividend / divisor);
    return true;
}

static bool shift_integers(struct vm *vm, enum binary_op op, struct value a, struct value b,
                           struct value *ret)
{
    int64_t bits;
    if (integer_sign(b) < 0)
        return raise_error(vm, &class_ValueError, "negative shift count");
    if (!integer_to_i64(b, &bits))
        bits = INT64_MAX;
    if (op == OP_LEFT)
        return integer_shift_left(vm->arena, a, (uint64_t)bits, ret) || too_large(vm);
    *ret = integer_shift_right(vm->arena, a, (uint64_t)bits);
    return true;
}

static bool power_floats(struct vm *vm, double a, double b, struct value *ret)
{
    if (a == 0 && b < 0)
        return raise_error(vm, &class_ZeroDivisionError,
                           "0.0 cannot be raised to a negative power");
    double d = pow(a, b);
    if (isinf(d) && !isinf(a) && !isinf(b))
        return raise_error(vm, &class_OverflowError, "(34, 'Numerical result out of range')");
    if (isnan(d) && !isnan(a) && !isnan(b))
        return raise_error(vm, &class_ValueError,
                           "complex numbers are not part of the configuration language");
    *ret = V_FLOAT(d);
    return true;
}

static bool both_bool(struct value a, struct value b)
{
    return a.kind == K_BOOL && b.kind == K_BOOL;
}

/* Products and quotients take the product of the lengths; a power takes about what its result does. */
static bool work_on_integers(struct vm *vm, enum binary_op op, struct value a, struct value b)
{
    uint64_t left = integer_bits(a) / 32 + 1, right = integer_bits(b) / 32 + 1;
    if (op == OP_POWER) {
        int64_t times;
        bool fits = integer_to_i64(b, &times) && times >= 0 && times <= LIMIT_INTEGER_BITS;
        left = right = fits ? left * (uint64_t)times : 1;
        if (left > LIMIT_INTEGER_BITS / 32 || integer_bits(a) <= 1)
            return vm_step(vm); /* refused, or 0 or 1 */
    }
    bool is_product =
        op == OP_MULTIPLY || op == OP_DIVIDE || op == OP_FLOOR || op == OP_MODULO || op == OP_POWER;
    return vm_work(vm, is_product ? left * right * 4 : (left + right) * 4);
}

bool value_digits(struct vm *vm, struct value v, int base, struct string **ret)
{
    uint64_t words = integer_bits(v) / 32;
    if (words && !vm_work(vm, words * words * 4))
        return false;
    *ret = integer_text(vm->arena, v, base);
    return true;
}

static bool binary_integers(struct vm *vm, enum binary_op op, struct value a, struct value b,
                            struct value *ret)
{
    struct arena *arena = vm->arena;
    bool is_zero = integer_sign(b) == 0;
    if ((a.kind == K_BIG || b.kind == K_BIG || op == OP_POWER) && !work_on_integers(vm, op, a, b))
        return false;
    switch (op) {
    case OP_ADD:
        return integer_add(arena, a, b, ret) || too_large(vm);
    case OP_SUBTRACT:
        return integer_subtract(arena, a, b, ret) || too_large(vm);
    case OP_MULTIPLY:
        return integer_multiply(arena, a, b, ret) || too_large(vm);
    case OP_DIVIDE:
        if (is_zero)
            return raise_error(vm, &class_ZeroDivisionError, "division by zero");
        return divide_integers(vm, a, b, ret);
    case OP_FLOOR:
    case OP_MODULO:
        if (is_zero)
            return raise_error(vm, &class_ZeroDivisionError,
                               op == OP_FLOOR ? "integer division or modulo by zero"
                                              : "integer modulo by zero");
        integer_divide(arena, a, b, op == OP_FLOOR ? ret : NULL, op == OP_MODULO ? ret : NULL);
        return true;
    case OP_POWER:
        if (integer_sign(b) < 0)
            return power_floats(vm, integer_to_double(a), integer_to_double(b), ret);
        return integer_power(arena, a, b, ret) || too_large(vm);
    case OP_LEFT:
    case OP_RIGHT:
        return shift_integers(vm, op, a, b, ret);
    case OP_AND:
    case OP_OR:
    case OP_XOR:
        *ret = integer_bitwise(arena, a, b, OP_TEXTS[op][0]);
        if (both_bool(a, b))
            *ret = V_BOOL(ret->i != 0);
        return true;
    default:
        return unsupported(vm, op, a, b);
    }
}

/* --- floats --- */

static double floor_modulo(double a, double b)
{
    double rest = fmod(a, b);
    if (rest != 0 && (rest < 0) != (b < 0))
        rest += b;
    return rest == 0 ? copysign(0, b) : rest;
}

static double floor_divide(double a, double b)
{
    double rest = fmod(a, b), quotient = (a - rest) / b;
    if (rest != 0 && (rest < 0) != (b < 0))
        quotient -= 1;
    if (quotient == 0)
        return copysign(0, a / b);
    double floored = floor(quotient);
    return quotient - floored > 0.5 ? floored + 1 : floored;
}

static bool binary_floats(struct vm *vm, enum binary_op op, struct value x, struct value y,
                          struct value *ret)
{
    double a = x.kind == K_FLOAT ? x.f : integer_to_double(x);
    double b = y.kind == K_FLOAT ? y.f : integer_to_double(y);
    if ((isinf(a) && x.kind == K_BIG) || (isinf(b) && y.kind == K_BIG))
        return raise_error(vm, &class_OverflowError, "int too large to convert to float");
    if ((op == OP_DIVIDE || op == OP_FLOOR || op == OP_MODULO) && b == 0)
        return raise_error(vm, &class_ZeroDivisionError,
                           op == OP_DIVIDE  ? "float division by zero"
                           : op == OP_FLOOR ? "float floor division by zero"
                                            : "float modulo");
    switch (op) {
    case OP_ADD:
        *ret = V_FLOAT(a + b);
        return true;
    case OP_SUBTRACT:
        *ret = V_FLOAT(a - b);
        return true;
    case OP_MULTIPLY:
        *ret = V_FLOAT(a * b);
        return true;
    case OP_DIVIDE:
        *ret = V_FLOAT(a / b);
        return true;
    case OP_FLOOR:
        *ret = V_FLOAT(floor_divide(a, b));
        return true;
    case OP_MODULO:
        *ret = V_FLOAT(floor_modulo(a, b));
        return true;
    case OP_POWER:
        return power_floats(vm, a, b, ret);
    default:
        return unsupported(vm, op, x, y);
    }
}

/* --- sequences --- */

static bool concatenate_text(struct vm *vm, struct value a, struct value b, struct value *ret)
{
    size_t len = (size_t)a.s->len + b.s->len;
    if (len > LIMIT_STRING_BYTES)
        return raise_limit(vm, "a text is longer than %d bytes", LIMIT_STRING_BYTES);
    struct string *s = string_alloc(vm->arena, len);
    memcpy(s->data, a.s->data, a.s->len);
    memcpy(s->data + a.s->len, b.s->data, b.s->len);
    s->chars = a.s->chars + b.s->chars;
    *ret = (struct value){ .kind = a.kind, .s = s };
    return true;
}

#define ROOM_FROM 256 /* bytes */

bool text_append(struct vm *vm, struct string *a, uint32_t room, const struct string *b,
                 struct value *ret)
{
    size_t len = (size_t)a->len + b->len;
    if (len > LIMIT_STRING_BYTES)
        return raise_limit(vm, "a text is longer than %d bytes", LIMIT_STRING_BYTES);
    struct string *s = a;
    if (b->len > room) {
        room = b->len + (len > ROOM_FROM ? (uint32_t)len / 4 : 0);
        s = string_alloc(vm->arena, a->len + room);
        memcpy(s->data, a->data, a->len);
    }
    memcpy(s->data + a->len, b->data, b->len);
    s->data[len] = '\0';
    s->chars = a->chars + b->chars;
    s->len = (uint32_t)len;
    s->hash = 0;
    s->room = room - b->len;
    *ret = V_STR(s);
    return vm_step(vm);
}

static bool concatenate_lists(struct vm *vm, struct value a, struct value b, struct value *ret)
{
    size_t count = a.list->count + b.list->count;
    if (count > LIMIT_ITEMS)
        return raise_limit(vm, "a list has more than %d items", LIMIT_ITEMS);
    *ret = list_new(vm->arena, a.kind, count);
    for (size_t i = 0; i < a.list->count; i++)
        list_push(vm->arena, ret->list, a.list->items[i]);
    for (size_t i = 0; i < b.list->count; i++)
        list_push(vm->arena, ret->list, b.list->items[i]);
    return true;
}

static bool add_sequences(struct vm *vm, struct value a, struct value b, struct value *ret)
{
    if (a.kind == b.kind && (a.kind == K_STR || a.kind == K_BYTES))
        return concatenate_text(vm, a, b, ret);
    if (a.kind == b.kind && (a.kind == K_LIST || a.kind == K_TUPLE))
        return concatenate_lists(vm, a, b, ret);
    if (a.kind == K_BYTES)
        return raise_error(vm, &class_TypeError, "can't concat %s to bytes", value_type_name(b));
    if (a.kind == K_STR)
        return raise_error(vm, &class_TypeError, "can only concatenate str (not \"%s\") to str",
                           value_type_name(b));
    if (a.kind == K_LIST || a.kind == K_TUPLE)
        return raise_error(vm, &class_TypeError, "can only concatenate %s (not \"%s\") to %s",
                           value_type_name(a), value_type_name(b), value_type_name(a));
    return unsupported(vm, OP_ADD, a, b);
}

static bool repeat_text(struct vm *vm, struct value text, size_t times, struct value *ret)
{
    if (text.s->len && times > LIMIT_STRING_BYTES / text.s->len)
        return raise_limit(vm, "a text is longer than %d bytes", LIMIT_STRING_BYTES);
    struct string *s = string_alloc(vm->arena, text.s->len * times);
    for (size_t i = 0; i < times && text.s->len; i++)
        memcpy(s->data + i * text.s->len, text.s->data, text.s->len);
    s->chars = (uint32_t)(text.s->chars * times);
    *ret = (struct value){ .kind = text.kind, .s = s };
    return true;
}

static bool repeat_list(struct vm *vm, struct value list, size_t times, struct value *ret)
{
    size_t count = list.list->count;
    if (count && times > LIMIT_ITEMS / count)
        return raise_limit(vm, "a list has more than %d items", LIMIT_ITEMS);
    if (!vm_work(vm, count * times * sizeof(struct value)))
        return false;
    *ret = list_new(vm->arena, list.kind, count * times);
    for (size_t i = 0; i < count * times; i++)
        list_push(vm->arena, ret->list, list.list->items[i % count]);
    return true;
}

static bool is_sequence(struct value v)
{
    return v.kind == K_STR || v.kind == K_BYTES || v.kind == K_LIST || v.kind == K_TUPLE;
}

static bool repeat_sequence(struct vm *vm, struct value sequence, struct value times,
                            struct value *ret)
{
    int64_t count;
    if (!value_is_integer(times))
        return raise_error(vm, &class_TypeError, "can't multiply sequence by non-int of type '%s'",
                           value_type_name(times));
    if (!integer_to_i64(times, &count))
        count = integer_sign(times) < 0 ? 0 : INT64_MAX;
    size_t repeats = count < 0 ? 0 : (size_t)count;
    return sequence.kind == K_STR || sequence.kind == K_BYTES
               ? repeat_text(vm, sequence, repeats, ret)
               : repeat_list(vm, sequence, repeats, ret);
}

/* --- sets and dicts --- */

static bool is_set(struct value v)
{
    return v.kind == K_SET || v.kind == K_FROZENSET;
}

static bool keep_in_set(enum binary_op op, bool is_in_other)
{
    return op == OP_AND ? is_in_other : !is_in_other;
}

/* Adds those of `from` whose membership in `other` is right for `op`; all of them for OP_OR. */
static bool add_members(struct vm *vm, struct dict *into, const struct dict *from,
                        const struct dict *other, enum binary_op op)
{
    size_t cursor = 0;
    for (struct dict_entry *entry; (entry = dict_next(from, &cursor));) {
        struct value found = V_UNBOUND;
        if (!vm_step(vm) || (op != OP_OR && !dict_get(vm, other, entry->key, &found)))
            return false;
        if (op != OP_OR && !keep_in_set(op, found.kind != K_UNBOUND))
            continue;
        if (!dict_set(vm, into, entry->key, entry->value))
            return false;
    }
    return true;
}

static bool binary_sets(struct vm *vm, enum binary_op op, struct value a, struct value b,
                        struct value *ret)
{
    struct value result = dict_value(vm->arena, a.kind);
    bool is_both = op == OP_OR || op == OP_XOR;
    if (op != OP_OR && op != OP_AND && op != OP_XOR && op != OP_SUBTRACT)
        return unsupported(vm, op, a, b);
    if (!add_members(vm, result.dict, a.dict, b.dict, op) ||
        (is_both && !add_members(vm, result.dict, b.dict, a.dict, op)))
        return false;
    *ret = result;
    return true;
}

static bool merge_dicts(struct vm *vm, struct value a, struct value b, struct value *ret)
{
    struct value result = { .kind = K_DICT, .dict = dict_copy(vm->arena, a.dict) };
    if (!add_members(vm, result.dict, b.dict, NULL, OP_OR))
        return false;
    *ret = result;
    return true;
}

/* --- counters --- */

bool value_is_counter(struct value v)
{
    return v.kind == K_DICT && v.dict->type_name && strcmp(v.dict->type_name, "Counter") == 0;
}

struct value counter_new(struct vm *vm)
{
    struct value counter = dict_value(vm->arena, K_DICT);
    counter.dict->type_name = class_Counter.name;
    return counter;
}

static bool count_of(struct vm *vm, const struct dict *dict, struct value key, struct value *ret)
{
    if (!dict_get(vm, dict, key, ret))
        return false;
    *ret = ret->kind == K_UNBOUND ? V_INT(0) : *ret;
    return true;
}

/* One count from two; only positive ones stay. */
static bool add_count(struct vm *vm, struct dict *into, enum binary_op op, struct value key,
                      struct value a, struct value b)
{
    bool is_less, is_positive;
    struct value count;
    if (op == OP_ADD || op == OP_SUBTRACT) {
        if (!value_binary(vm, op, a, b, &count))
            return false;
    } else {
        if (!value_less(vm, a, b, &is_less))
            return false;
        count = is_less == (op == OP_OR) ? b : a;
    }
    return value_less(vm, V_INT(0), count, &is_positive) &&
           (!is_positive || dict_set(vm, into, key, count));
}

static bool binary_counters(struct vm *vm, enum binary_op op, struct value a, struct value b,
                            struct value *ret)
{
    struct value made = dict_value(vm->arena, K_DICT), other;
    size_t cursor = 0;
    made.dict->type_name = a.dict->type_name;
    for (struct dict_entry *entry; (entry = dict_next(a.dict, &cursor));)
        if (!count_of(vm, b.dict, entry->key, &other) ||
            !add_count(vm, made.dict, op, entry->key, entry->value, other))
            return false;
    cursor = 0;
    for (struct dict_entry *entry; (entry = dict_next(b.dict, &cursor));)
        if (!dict_get(vm, a.dict, entry->key, &other) ||
            (other.kind == K_UNBOUND &&
             !add_count(vm, made.dict, op, entry->key, V_INT(0), entry->value)))
            return false;
    *ret = made;
    return true;
}

/* --- instances --- */

static bool call_operator(struct vm *vm, enum binary_op op, struct value a, struct value b,
                          struct value *ret, bool *ret_found)
{
    static const char *const methods[OP_COUNT][2] = {
        [OP_ADD] = { "__add__", "__radd__" },
        [OP_SUBTRACT] = { "__sub__", "__rsub__" },
        [OP_MULTIPLY] = { "__mul__", "__rmul__" },
        [OP_DIVIDE] = { "__truediv__", "__rtruediv__" },
        [OP_FLOOR] = { "__floordiv__", "__rfloordiv__" },
        [OP_MODULO] = { "__mod__", "__rmod__" },
        [OP_POWER] = { "__pow__", "__rpow__" },
        [OP_LEFT] = { "__lshift__", "__rlshift__" },
        [OP_RIGHT] = { "__rshift__", "__rrshift__" },
        [OP_AND] = { "__and__", "__rand__" },
        [OP_OR] = { "__or__", "__ror__" },
        [OP_XOR] = { "__xor__", "__rxor__" },
        [OP_MATRIX] = { "__matmul__", "__rmatmul__" },
    };
    if (!value_call_special(vm, a, methods[op][0], &b, 1, ret, ret_found))
        return false;
    if (*ret_found && ret->kind != K_NOT_IMPLEMENTED)
        return true;
    if (!value_call_special(vm, b, methods[op][1], &a, 1, ret, ret_found))
        return false;
    *ret_found = *ret_found && ret->kind != K_NOT_IMPLEMENTED;
    return true;
}

static bool binary_instances(struct vm *vm, enum binary_op op, struct value a, struct value b,
                             struct value *ret)
{
    bool found;
    if (!moment_binary(vm, op, a, b, ret, &found) ||
        (!found && !call_operator(vm, op, a, b, ret, &found)))
        return false;
    if (found)
        return true;
    if (view_dict(a) || view_dict(b))
        return unsupported(vm, op, a, b);
    struct value x = value_contents(a), y = value_contents(b);
    if (op == OP_MULTIPLY && is_sequence(x) &&
        !value_call_special(vm, y, "__index__", NULL, 0, &y, &found))
        return false;
    return x.kind != K_INSTANCE && y.kind != K_INSTANCE ? value_binary(vm, op, x, y, ret)
                                                        : unsupported(vm, op, a, b);
}

/* `object % mapping`: binds and fills in. */
static bool modulo_object(struct vm *vm, struct value a, struct value b, struct value *ret)
{
    const struct args args = { .items = &b, .count = 1 };
    const struct object *bound, *filled;
    if (!object_bind(vm, a.object, &args, &bound) || !object_interpolate(vm, bound, NULL, &filled))
        return false;
    *ret = object_value(filled);
    return true;
}

static struct value latin_text(struct vm *vm, struct value v)
{
    struct value text;
    if (v.kind != K_BYTES || !text_decode(vm, v.s, value_text(vm->arena, "latin-1"), V_NONE, &text))
        return v;
    return text;
}

/* As with text, by way of the characters that bytes are in Latin-1. */
static bool modulo_bytes(struct vm *vm, struct value a, struct value b, struct value *ret)
{
    if (b.kind == K_TUPLE) {
        b = tuple_of(vm->arena, b.list->items, b.list->count);
        for (size_t i = 0; i < b.list->count; i++)
            b.list->items[i] = latin_text(vm, b.list->items[i]);
    }
    return format_percent(vm, latin_text(vm, a).s, latin_text(vm, b), ret) &&
           text_encode(vm, ret->s, value_text(vm->arena, "latin-1"), V_NONE, ret);
}

bool value_binary(struct vm *vm, enum binary_op op, struct value a, struct value b,
                  struct value *ret)
{
    if (value_is_integer(a) && value_is_integer(b))
        return binary_integers(vm, op, a, b, ret);
    if (value_is_number(a) && value_is_number(b))
        return binary_floats(vm, op, a, b, ret);
    if (a.kind == K_STR && op == OP_MODULO)
        return format_percent(vm, a.s, b, ret);
    if (op == OP_OR && (a.kind == K_CLASS || b.kind == K_CLASS) && class_union(vm, a, b, ret))
        return true;
    bool is_for_sets = op == OP_OR || op == OP_AND || op == OP_XOR || op == OP_SUBTRACT;
    if (is_for_sets && (!view_to_set(vm, a, &a) || !view_to_set(vm, b, &b)))
        return false;
    if (a.kind == K_INSTANCE || b.kind == K_INSTANCE)
        return binary_instances(vm, op, a, b, ret);
    if (a.kind == K_OBJECT && op == OP_MODULO)
        return modulo_object(vm, a, b, ret);
    if (value_is_counter(a) && value_is_counter(b) &&
        (op == OP_ADD || op == OP_SUBTRACT || op == OP_AND || op == OP_OR))
        return binary_counters(vm, op, a, b, ret);
    if (op == OP_ADD)
        return add_sequences(vm, a, b, ret);
    if (op == OP_MULTIPLY && is_sequence(a))
        return repeat_sequence(vm, a, b, ret);
    if (op == OP_MULTIPLY && is_sequence(b))
        return repeat_sequence(vm, b, a, ret);
    if (is_set(a) && is_set(b))
        return binary_sets(vm, op, a, b, ret);
    if (a.kind == K_DICT && b.kind == K_DICT && op == OP_OR)
        return merge_dicts(vm, a, b, ret);
    if (a.kind == K_BYTES && op == OP_MODULO)
        return modulo_bytes(vm, a, b, ret);
    return unsupported(vm, op, a, b);
}

static bool extend_list(struct vm *vm, struct value list, struct value more, struct value *ret)
{
    struct value items;
    if (!value_to_list(vm, more, K_LIST, &items))
        return false;
    if (list.list->count + items.list->count > LIMIT_ITEMS)
        return raise_limit(vm, "a list has more than %d items", LIMIT_ITEMS);
    for (size_t i = 0; i < items.list->count; i++)
        list_push(vm->arena, list.list, items.list->items[i]);
    *ret = list;
    return true;
}

/* Lists, dicts and sets change in place. */
bool value_inplace(struct vm *vm, enum binary_op op, struct value a, struct value b,
                   struct value *ret)
{
    static const char *const methods[OP_COUNT] = {
        [OP_ADD] = "__iadd__",        [OP_SUBTRACT] = "__isub__",   [OP_MULTIPLY] = "__imul__",
        [OP_DIVIDE] = "__itruediv__", [OP_FLOOR] = "__ifloordiv__", [OP_MODULO] = "__imod__",
        [OP_POWER] = "__ipow__",      [OP_LEFT] = "__ilshift__",    [OP_RIGHT] = "__irshift__",
        [OP_AND] = "__iand__",        [OP_OR] = "__ior__",          [OP_XOR] = "__ixor__",
        [OP_MATRIX] = "__imatmul__",
    };
    bool found = false;
    if (a.kind == K_INSTANCE && !value_call_special(vm, a, methods[op], &b, 1, ret, &found))
        return false;
    if (found && ret->kind != K_NOT_IMPLEMENTED)
        return true;
    if (a.kind == K_LIST && op == OP_ADD)
        return extend_list(vm, a, b, ret);
    bool changes = (a.kind == K_SET && is_set(b)) ||
                   (a.kind == K_DICT && b.kind == K_DICT && op == OP_OR) ||
                   (a.kind == K_LIST && op == OP_MULTIPLY);
    if (!value_binary(vm, op, a, b, ret))
        return false;
    if (changes && a.kind == K_LIST)
        *a.list = *ret->list;
    else if (changes)
        *a.dict = *ret->dict;
    if (changes)
        *ret = a;
    return true;
}

bool value_negate(struct vm *vm, struct value v, struct value *ret)
{
    bool found;
    if (value_is_integer(v))
        *ret = integer_negate(vm->arena, v);
    else if (v.kind == K_FLOAT)
        *ret = V_FLOAT(-v.f);
    else if (value_is_counter(v))
        return value_binary(vm, OP_SUBTRACT, counter_new(vm), v, ret);
    else if (!value_call_special(vm, v, "__neg__", NULL, 0, ret, &found))
        return false;
    else if (!found)
        return raise_error(vm, &class_TypeError, "bad operand type for unary -: '%s'",
                           value_type_name(v));
    return true;
}
