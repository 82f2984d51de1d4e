#include "config/class.h"
#include "config/compile.h"
#include "config/evaluate.h"
#include "config/format.h"
#include "config/integer.h"
#include "config/modules.h"
#include "config/number_text.h"
#include "config/schema.h"
#include "config/sort.h"

#include <math.h>

/* Builtin functions, and the table of all names that need no import. */

#define BUILTIN(name)                                                                              \
    static bool name(struct vm *vm, struct value self, const struct args *args, struct value *ret)

/* --- output --- */

bool print_values(struct vm *vm, const struct value *items, size_t count, const char *separator,
                  const char *end)
{
    struct string *text;
    for (size_t i = 0; i < count; i++) {
        if (!value_str(vm, items[i], &text))
            return false;
        if (i)
            buffer_text(vm->printed, separator);
        buffer_string(vm->printed, text);
    }
    buffer_text(vm->printed, end);
    if (vm->printed->len > LIMIT_PRINTED_BYTES)
        return raise_limit(vm, "print() wrote more than %d bytes", LIMIT_PRINTED_BYTES);
    return true;
}

static bool print_option(struct vm *vm, struct value v, const char *fallback, const char **ret)
{
    *ret = fallback;
    if (v.kind == K_NONE)
        return true;
    if (v.kind != K_STR)
        return raise_error(vm, &class_TypeError, "sep and end must be None or a string, not %s",
                           value_type_name(v));
    *ret = v.s->data;
    return true;
}

BUILTIN(builtin_print)
{
    (void)self;
    const char *separator = " ", *end = "\n";
    bool is_elsewhere = false;
    *ret = V_NONE;
    for (size_t i = 0; i < args->keyword_count; i++) {
        const struct keyword *keyword = &args->keywords[i];
        if (string_is(keyword->name, "sep")) {
            if (!print_option(vm, keyword->value, " ", &separator))
                return false;
        } else if (string_is(keyword->name, "end")) {
            if (!print_option(vm, keyword->value, "\n", &end))
                return false;
        } else if (string_is(keyword->name, "file")) {
            is_elsewhere =
                keyword->value.kind != K_NONE &&
                !(keyword->value.kind == K_STR && string_is(keyword->value.s, "<stdout>"));
        } else if (!string_is(keyword->name, "flush")) {
            return raise_error(vm, &class_TypeError,
                               "'%s' is an invalid keyword argument for print()",
                               keyword->name->data);
        }
    }
    return is_elsewhere || print_values(vm, args->items, args->count, separator, end);
}

/* --- numbers --- */

BUILTIN(builtin_abs)
{
    (void)self;
    struct value v = args->items[0];
    bool found;
    if (v.kind == K_FLOAT) {
        *ret = V_FLOAT(fabs(v.f));
        return true;
    }
    if (value_is_integer(v))
        return integer_sign(v) < 0 ? value_negate(vm, v, ret)
                                   : value_binary(vm, OP_ADD, v, V_INT(0), ret);
    if (!value_call_special(vm, v, "__abs__", NULL, 0, ret, &found))
        return false;
    return found || raise_error(vm, &class_TypeError, "bad operand type for abs(): '%s'",
                                value_type_name(v));
}

BUILTIN(builtin_divmod)
{
    (void)self;
    struct value pair[2];
    bool found;
    if (!value_call_special(vm, args->items[0], "__divmod__", args->items + 1, 1, ret, &found))
        return false;
    if (found)
        return true;
    bool is_float = args->items[0].kind == K_FLOAT || args->items[1].kind == K_FLOAT;
    if (is_float && value_is_number(args->items[1]) && value_is_number(args->items[0]) &&
        integer_sign(args->items[1].kind == K_FLOAT ? V_INT(args->items[1].f != 0)
                                                    : args->items[1]) == 0)
        return raise_error(vm, &class_ZeroDivisionError, "float divmod()");
    if (!value_binary(vm, OP_FLOOR, args->items[0], args->items[1], &pair[0]) ||
        !value_binary(vm, OP_MODULO, args->items[0], args->items[1], &pair[1]))
        return false;
    *ret = tuple_of(vm->arena, pair, 2);
    return true;
}

/* The number that `base` is to be multiplied with to leave 1: Euclid's algorithm. */
static bool invert(struct vm *vm, struct value base, struct value modulus, struct value *ret)
{
    struct value a = modulus, b, x = V_INT(0), y = V_INT(1);
    integer_divide(vm->arena, base, modulus, NULL, &b);
    while (integer_sign(b) != 0) {
        struct value quotient, rest, product, next;
        integer_divide(vm->arena, a, b, &quotient, &rest);
        if (!vm_step(vm) || !value_binary(vm, OP_MULTIPLY, quotient, y, &product) ||
            !value_binary(vm, OP_SUBTRACT, x, product, &next))
            return false;
        x = y;
        y = next;
        a = b;
        b = rest;
    }
    bool is_one = integer_compare(a, V_INT(1)) == 0 || integer_compare(a, V_INT(-1)) == 0;
    if (!is_one)
        return raise_error(vm, &class_ValueError, "base is not invertible for the given modulus");
    if (integer_sign(a) < 0)
        x = integer_negate(vm->arena, x);
    integer_divide(vm->arena, x, modulus, NULL, ret);
    return true;
}

static bool power_modulo(struct vm *vm, struct value base, struct value exponent,
                         struct value modulus, struct value *ret)
{
    if (!value_is_integer(base) || !value_is_integer(exponent) || !value_is_integer(modulus))
        return raise_error(vm, &class_TypeError,
                           "pow() 3rd argument not allowed unless all arguments are integers");
    if (integer_sign(modulus) == 0)
        return raise_error(vm, &class_ValueError, "pow() 3rd argument cannot be 0");
    if (integer_sign(exponent) < 0) {
        if (!invert(vm, base, modulus, &base))
            return false;
        exponent = integer_negate(vm->arena, exponent);
    }
    struct value result = V_INT(1);
    integer_divide(vm->arena, base, modulus, NULL, &base);
    integer_divide(vm->arena, result, modulus, NULL, &result);
    while (integer_sign(exponent) > 0) {
        struct value bit;
        integer_divide(vm->arena, exponent, V_INT(2), &exponent, &bit);
        if (!vm_step(vm))
            return false;
        if (bit.i && (!value_binary(vm, OP_MULTIPLY, result, base, &result) ||
                      !value_binary(vm, OP_MODULO, result, modulus, &result)))
            return false;
        if (!value_binary(vm, OP_MULTIPLY, base, base, &base) ||
            !value_binary(vm, OP_MODULO, base, modulus, &base))
            return false;
    }
    *ret = result;
    return true;
}

BUILTIN(builtin_pow)
{
    (void)self;
    if (args->items[2].kind > K_NONE)
        return power_modulo(vm, args->items[0], args->items[1], args->items[2], ret);
    return value_binary(vm, OP_POWER, args->items[0], args->items[1], ret);
}

static double round_digits(double d, int64_t digits)
{
    char text[400];
    if (digits > 300 || isnan(d) || isinf(d))
        return d;
    if (digits < -308)
        return copysign(0, d);
    if (digits < 0) {
        double unit = pow(10, (double)-digits);
        return nearbyint(d / unit) * unit;
    }
    snprintf(text, sizeof text, "%.*f", (int)digits, d);
    double result = d;
    return float_parse(slice_of(text), &result) ? result : d;
}

/* To a multiple of a power of ten; halves go to the even side. */
static bool round_integer(struct vm *vm, struct value v, int64_t digits, struct value *ret)
{
    struct value unit, quotient, rest, twice, one;
    if (digits >= 0)
        return value_binary(vm, OP_ADD, v, V_INT(0), ret);
    if (digits < -LIMIT_INTEGER_BITS / 3) { /* more digits than any number has */
        *ret = V_INT(0);
        return true;
    }
    if (!value_binary(vm, OP_POWER, V_INT(10), V_INT(-digits), &unit))
        return false;
    integer_divide(vm->arena, v, unit, &quotient, &rest);
    if (!integer_add(vm->arena, rest, rest, &twice))
        return false;
    int order = integer_compare(twice, unit);
    integer_divide(vm->arena, quotient, V_INT(2), NULL, &one);
    if (order > 0 || (order == 0 && integer_sign(one) != 0))
        if (!integer_add(vm->arena, quotient, V_INT(1), &quotient))
            return false;
    return value_binary(vm, OP_MULTIPLY, quotient, unit, ret);
}

BUILTIN(builtin_round)
{
    (void)self;
    struct value v = args->items[0];
    int64_t digits = 0;
    bool has_digits = args->items[1].kind > K_NONE;
    if (has_digits && !value_to_i64(vm, args->items[1], &digits))
        return false;
    if (value_is_integer(v))
        return round_integer(vm, v, digits, ret);
    bool found;
    if (!value_call_special(vm, v, "__round__", args->items + 1, has_digits, ret, &found))
        return false;
    if (found)
        return true;
    v = value_contents(v);
    if (value_is_integer(v))
        return round_integer(vm, v, digits, ret);
    if (v.kind != K_FLOAT)
        return raise_error(vm, &class_TypeError, "type %s doesn't define __round__ method",
                           value_type_name(v));
    if (has_digits) {
        *ret = V_FLOAT(round_digits(v.f, digits));
        return true;
    }
    if (isnan(v.f) || isinf(v.f))
        return raise_error(vm, isnan(v.f) ? &class_ValueError : &class_OverflowError,
                           "cannot convert float %s to integer", isnan(v.f) ? "NaN" : "infinity");
    *ret = integer_from_double(vm->arena, nearbyint(v.f));
    return true;
}

static bool in_base(struct vm *vm, const struct args *args, int base, const char *prefix,
                    struct value *ret)
{
    struct value v = value_contents(args->items[0]);
    bool found;
    if (v.kind == K_INSTANCE && !value_call_special(vm, v, "__index__", NULL, 0, &v, &found))
        return false;
    if (!value_is_integer(v))
        return raise_error(vm, &class_TypeError, "'%s' object cannot be interpreted as an integer",
                           value_type_name(v));
    struct string *digits;
    if (!value_digits(vm, v, base, &digits))
        return false;
    bool is_negative = digits->data[0] == '-';
    *ret = V_STR(string_printf(vm->arena, "%s%s%s", is_negative ? "-" : "", prefix,
                               digits->data + is_negative));
    return true;
}

BUILTIN(builtin_hex)
{
    (void)self;
    return in_base(vm, args, 16, "0x", ret);
}

BUILTIN(builtin_oct)
{
    (void)self;
    return in_base(vm, args, 8, "0o", ret);
}

BUILTIN(builtin_bin)
{
    (void)self;
    return in_base(vm, args, 2, "0b", ret);
}

BUILTIN(builtin_ord)
{
    (void)self;
    size_t length;
    struct value v = value_contents(args->items[0]);
    if (v.kind == K_BYTES && v.s->len == 1) {
        *ret = V_INT((unsigned char)v.s->data[0]);
        return true;
    }
    if (v.kind != K_STR && v.kind != K_BYTES)
        return raise_error(vm, &class_TypeError, "ord() expected string of length 1, but %s found",
                           value_type_name(v));
    if (v.s->chars != 1)
        return raise_error(vm, &class_TypeError,
                           "ord() expected a character, but string of length %zu found",
                           (size_t)v.s->chars);
    *ret = V_INT((int64_t)utf8_decode(v.s->data, &length));
    return true;
}

BUILTIN(builtin_chr)
{
    (void)self;
    int64_t code;
    char bytes[4];
    if (!value_to_i64(vm, args->items[0], &code))
        return false;
    if (code < 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return raise_error(vm, &class_ValueError, "chr() arg not in range(0x110000)");
    *ret = V_STR(string_new(vm->arena, bytes, utf8_encode((uint32_t)code, bytes)));
    return true;
}

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

/* --- objects --- */

BUILTIN(builtin_repr)
{
    (void)self;
    ret->kind = K_STR;
    return value_repr(vm, args->items[0], &ret->s);
}

BUILTIN(builtin_ascii)
{
    (void)self;
    return format_convert(vm, args->items[0], 'a', ret);
}

BUILTIN(builtin_format)
{
    (void)self;
    struct string *specification = string_from(vm->arena, "");
    if (args->items[1].kind == K_STR)
        specification = args->items[1].s;
    ret->kind = K_STR;
    return format_value(vm, args->items[0], specification, &ret->s);
}

BUILTIN(builtin_hash)
{
    (void)self;
    uint64_t hash;
    if (!value_hash(vm, args->items[0], &hash))
        return false;
    *ret = V_INT((int64_t)(hash >> 2));
    return true;
}

BUILTIN(builtin_id)
{
    (void)self;
    struct value v = args->items[0];
    bool has_address = v.kind > K_FLOAT && v.kind != K_ELLIPSIS && v.kind != K_EMPTY;
    (void)vm;
    *ret = V_INT(has_address ? (int64_t)((uintptr_t)v.p >> 1)
                             : (int64_t)v.kind * 1000 + (v.kind == K_INT ? v.i / 2 : 0));
    return true;
}

BUILTIN(builtin_callable)
{
    (void)self;
    struct value v = args->items[0];
    *ret = V_BOOL(
        value_is_callable(v) ||
        (v.kind == K_INSTANCE &&
         class_find(v.instance->class, string_from(vm->arena, "__call__")).kind != K_UNBOUND));
    return true;
}

BUILTIN(builtin_isinstance)
{
    (void)self;
    ret->kind = K_BOOL;
    return value_is_instance(vm, args->items[0], args->items[1], &ret->b);
}

static bool is_subclass(struct vm *vm, struct value class, struct value base, bool *ret)
{
    base = value_contents(base); /* of a union the tuple of its parts */
    if (base.kind == K_TUPLE) {
        *ret = false;
        for (size_t i = 0; !*ret && i < base.list->count; i++)
            if (!is_subclass(vm, class, base.list->items[i], ret))
                return false;
        return true;
    }
    if (class.kind == K_TYPE && base.kind == K_TYPE)
        return base.type->kind == TYPE_BASE ? (*ret = class.type->kind == TYPE_STRUCT, true)
                                            : type_equal(vm, class.type, base.type, ret);
    *ret = false;
    if (class.kind == K_TYPE || base.kind == K_TYPE)
        return true;
    if (class.kind != K_CLASS)
        return raise_error(vm, &class_TypeError, "issubclass() arg 1 must be a class");
    if (base.kind != K_CLASS)
        return raise_error(vm, &class_TypeError,
                           "issubclass() arg 2 must be a class, a tuple of classes, or a union");
    *ret = class_is_subclass(class.class, base.class);
    return true;
}

BUILTIN(builtin_issubclass)
{
    (void)self;
    ret->kind = K_BOOL;
    return is_subclass(vm, args->items[0], args->items[1], &ret->b);
}

/* An attribute, or K_UNBOUND, also when the object's code says that there is none. */
static bool probe(struct vm *vm, struct value v, struct value name, struct value *ret)
{
    if (name.kind != K_STR)
        return raise_error(vm, &class_TypeError, "attribute name must be string, not '%s'",
                           value_type_name(name));
    if (value_find_attribute(vm, v, name.s, ret))
        return true;
    if (!exception_is(vm, &class_AttributeError))
        return false;
    exception_take(vm);
    *ret = V_UNBOUND;
    return true;
}

BUILTIN(builtin_hasattr)
{
    (void)self;
    struct value found;
    if (!probe(vm, args->items[0], args->items[1], &found))
        return false;
    *ret = V_BOOL(found.kind != K_UNBOUND);
    return true;
}

BUILTIN(builtin_getattr)
{
    (void)self;
    if (value_is_unset(args->items[2])) {
        if (args->items[1].kind != K_STR)
            return raise_error(vm, &class_TypeError, "attribute name must be string, not '%s'",
                               value_type_name(args->items[1]));
        return value_get_attribute(vm, args->items[0], args->items[1].s, ret);
    }
    if (!probe(vm, args->items[0], args->items[1], ret))
        return false;
    if (ret->kind == K_UNBOUND)
        *ret = args->items[2];
    return true;
}

BUILTIN(builtin_setattr)
{
    (void)self;
    *ret = V_NONE;
    if (args->items[1].kind != K_STR)
        return raise_error(vm, &class_TypeError, "attribute name must be string");
    return value_set_attribute(vm, args->items[0], args->items[1].s, args->items[2]);
}

BUILTIN(builtin_delattr)
{
    (void)self;
    *ret = V_NONE;
    if (args->items[1].kind != K_STR)
        return raise_error(vm, &class_TypeError, "attribute name must be string");
    return value_delete_attribute(vm, args->items[0], args->items[1].s);
}

BUILTIN(builtin_vars)
{
    (void)self;
    return value_get_attribute(vm, args->items[0], string_from(vm->arena, "__dict__"), ret);
}

static void add_names(struct vm *vm, struct dict *names, const struct dict *from)
{
    size_t cursor = 0;
    if (!from)
        return;
    for (struct dict_entry *entry; (entry = dict_next(from, &cursor));)
        if (entry->key.kind == K_STR)
            dict_set_text(vm->arena, names, entry->key.s, V_NONE);
}

BUILTIN(builtin_dir)
{
    (void)self;
    struct dict *names = dict_new(vm->arena);
    struct value v = args->items[0];
    const struct class *class = v.kind == K_CLASS ? v.class : value_class(v);
    size_t cursor = 0, at_entry = 0;
    if (v.kind == K_INSTANCE)
        add_names(vm, names, v.instance->attributes);
    for (const struct class *at; class && (at = class_next(class, &cursor));) {
        add_names(vm, names, at->attributes);
        for (const struct native *row = at->methods; row && row->name; row++)
            dict_set_text(vm->arena, names, string_from(vm->arena, row->name), V_NONE);
    }
    *ret = list_new(vm->arena, K_LIST, names->count);
    for (struct dict_entry *entry; (entry = dict_next(names, &at_entry));)
        list_push(vm->arena, ret->list, entry->key);
    return sort_list(vm, ret->list, V_NONE, false);
}

static void publish_names(struct vm *vm);

BUILTIN(builtin_globals)
{
    (void)self;
    (void)args;
    publish_names(vm);
    *ret = (struct value){ .kind = K_DICT, .dict = vm->globals };
    return true;
}

/* The evaluator answers these, as they need the frame of their caller. */
BUILTIN(builtin_locals)
{
    return builtin_globals(vm, self, args, ret);
}

BUILTIN(builtin_include)
{
    (void)self;
    *ret = V_NONE;
    if (args->items[0].kind != K_STR)
        return raise_error(vm, &class_TypeError, "include() expects the path of a file, got %s",
                           value_type_name(args->items[0]));
    return compile_include(vm, args->items[0].s);
}

BUILTIN(builtin_open)
{
    (void)self;
    if (args->items[1].kind == K_STR && strpbrk(args->items[1].s->data, "wax+"))
        return raise_error(vm, &class_PermissionError,
                           "files cannot be written by a configuration");
    return file_open(vm, args->items[0], ret);
}

BUILTIN(builtin_forbidden)
{
    (void)self;
    (void)args;
    (void)ret;
    return raise_error(vm, &class_RuntimeError,
                       "eval(), exec(), compile() and input() are not part of the "
                       "configuration language");
}

BUILTIN(builtin_missing)
{
    (void)self;
    (void)args;
    (void)ret;
    return raise_error(vm, &class_NotImplementedError,
                       "complex, bytearray and memoryview are not part of the configuration "
                       "language");
}

static const struct native FUNCTIONS[] = {
    { "abs", builtin_abs, "x" },
    { "all", builtin_all, "iterable" },
    { "any", builtin_any, "iterable" },
    { "ascii", builtin_ascii, "object" },
    { "bin", builtin_bin, "number" },
    { "bytearray", builtin_missing, NULL },
    { "callable", builtin_callable, "object" },
    { "chr", builtin_chr, "i" },
    { "compile", builtin_forbidden, NULL },
    { "complex", builtin_missing, NULL },
    { "delattr", builtin_delattr, "object name" },
    { "dir", builtin_dir, "object" },
    { "divmod", builtin_divmod, "x y" },
    { "enumerate", builtin_enumerate, "iterable | start" },
    { "eval", builtin_forbidden, NULL },
    { "exec", builtin_forbidden, NULL },
    { "filter", builtin_filter, "function iterable" },
    { "format", builtin_format, "value | format_spec" },
    { "getattr", builtin_getattr, "object name | default" },
    { "globals", builtin_globals, "" },
    { "hasattr", builtin_hasattr, "object name" },
    { "hash", builtin_hash, "object" },
    { "hex", builtin_hex, "number" },
    { "id", builtin_id, "object" },
    { "include", builtin_include, "path" },
    { "input", builtin_forbidden, NULL },
    { "isinstance", builtin_isinstance, "object class" },
    { "issubclass", builtin_issubclass, "class base" },
    { "iter", builtin_iter, "object | sentinel" },
    { "len", builtin_len, "object" },
    { "locals", builtin_locals, "" },
    { "map", builtin_map, NULL },
    { "max", builtin_max, NULL },
    { "memoryview", builtin_missing, NULL },
    { "min", builtin_min, NULL },
    { "next", builtin_next, "iterator | default" },
    { "oct", builtin_oct, "number" },
    { "open", builtin_open, "file | mode buffering encoding errors newline" },
    { "ord", builtin_ord, "c" },
    { "pow", builtin_pow, "base exp | mod" },
    { "print", builtin_print, NULL },
    { "repr", builtin_repr, "object" },
    { "reversed", builtin_reversed, "sequence" },
    { "round", builtin_round, "number | ndigits" },
    { "setattr", builtin_setattr, "object name value" },
    { "sorted", builtin_sorted, "iterable | key reverse" },
    { "sum", builtin_sum, "iterable | start" },
    { "vars", builtin_vars, "object" },
    { "zip", builtin_zip, NULL },
    { NULL, NULL, NULL },
};

static const struct class *const BUILTIN_CLASSES[] = {
    &class_bool,        &class_bytes,         &class_classmethod, &class_dict,
    &class_float,       &class_frozenset,     &class_int,         &class_list,
    &class_object,      &class_property,      &class_range,       &class_set,
    &class_slice,       &class_staticmethod,  &class_str,         &class_super,
    &class_tuple,       &class_type,          &class_Environment, &class_MustacheParser,
    &class_Namable,     &class_Ref,           &class_Type,        &class_TypeCheck,
    &class_TypeFactory, &class_BaseException,
#define EXCEPTION(name, base) &class_##name,
#include "config/exceptions.def"
};

static const struct {
    const char *name;
    const struct native *natives;
} HELPER_CLASSES[] = {
    { "Options", options_natives },
    { "Processes", processes_natives },
    { "Tasks", tasks_natives },
    { "Units", units_natives },
};

#define COUNT(table) (sizeof table / sizeof *table)

/* `Tasks` and its like: a class with static functions. */
static struct value helper_class(struct vm *vm, size_t index)
{
    struct class *class = arena_alloc(vm->arena, sizeof *class);
    *class = (struct class){ .name = HELPER_CLASSES[index].name,
                             .base = &class_object,
                             .layout = K_INSTANCE,
                             .statics = HELPER_CLASSES[index].natives,
                             .attributes = dict_new(vm->arena) };
    if (strcmp(class->name, "Tasks") == 0) {
        dict_set_text(vm->arena, class->attributes, string_from(vm->arena, "SIMPLE_CPU"),
                      V_FLOAT(1));
        dict_set_text(vm->arena, class->attributes, string_from(vm->arena, "SIMPLE_RAM"),
                      V_INT(1073741824));
        dict_set_text(vm->arena, class->attributes, string_from(vm->arena, "SIMPLE_DISK"),
                      V_INT(1073741824));
    }
    return (struct value){ .kind = K_CLASS, .class = class };
}

static struct value find_class(struct vm *vm, struct string *name)
{
    for (size_t i = 0; i < COUNT(BUILTIN_CLASSES); i++)
        if (string_is(name, BUILTIN_CLASSES[i]->name))
            return (struct value){ .kind = K_CLASS, .class = BUILTIN_CLASSES[i] };
    for (size_t i = 0; i < COUNT(HELPER_CLASSES); i++)
        if (string_is(name, HELPER_CLASSES[i].name))
            return helper_class(vm, i);
    return V_UNBOUND;
}

/* Python 2 had these names. */
static struct value find_old_name(struct string *name)
{
    if (string_is(name, "unicode") || string_is(name, "basestring"))
        return (struct value){ .kind = K_CLASS, .class = &class_str };
    if (string_is(name, "long"))
        return (struct value){ .kind = K_CLASS, .class = &class_int };
    if (string_is(name, "IOError") || string_is(name, "EnvironmentError"))
        return (struct value){ .kind = K_CLASS, .class = &class_OSError };
    if (string_is(name, "Ellipsis"))
        return (struct value){ .kind = K_ELLIPSIS };
    if (string_is(name, "NotImplemented"))
        return (struct value){ .kind = K_NOT_IMPLEMENTED };
    return V_UNBOUND;
}

struct value builtin_find(struct vm *vm, struct string *name)
{
    struct value v = dict_get_text(vm->builtins, name);
    if (v.kind != K_UNBOUND)
        return v;
    if (!native_find(FUNCTIONS, name, &v) && !native_find(helper_natives, name, &v) &&
        !native_find(template_natives, name, &v)) {
        if (!schema_name(vm, name, &v))
            return V_UNBOUND;
        if (v.kind == K_UNBOUND)
            v = find_class(vm, name);
        if (v.kind == K_UNBOUND)
            v = find_old_name(name);
    }
    if (v.kind != K_UNBOUND)
        dict_set_text(vm->arena, vm->builtins, name, v);
    return v;
}

static void publish(struct vm *vm, const char *text)
{
    struct string *name = string_from(vm->arena, text);
    if (dict_get_text(vm->globals, name).kind == K_UNBOUND)
        dict_set_text(vm->arena, vm->globals, name, builtin_find(vm, name));
}

/* The names of the library are found without being in the module's table; whoever asks for the table
 * sees them there. */
static void publish_names(struct vm *vm)
{
    static const char *const others[] = { "AURORA_EXECUTOR_NAME",
                                          "Empty",
                                          "Environment",
                                          "MustacheParser",
                                          "Namable",
                                          "Options",
                                          "Processes",
                                          "Ref",
                                          "Tasks",
                                          "Type",
                                          "TypeCheck",
                                          "TypeFactory",
                                          "Units",
                                          "include" };
    vm->names_are_public = true;
    const char *name;
    for (size_t i = 0; (name = schema_name_at(i)); i++)
        publish(vm, name);
    for (size_t i = 0; i < COUNT(others); i++)
        publish(vm, others[i]);
    for (size_t i = 0; helper_natives[i].name; i++)
        publish(vm, helper_natives[i].name);
    for (size_t i = 0; template_natives[i].name; i++)
        publish(vm, template_natives[i].name);
}

/* --- suggestions --- */

#define MAX_SUGGESTED 40 /* bytes of a name that is compared */

static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t row[MAX_SUGGESTED + 1];
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[b_len];
}

void suggest(struct slice wanted, const char *candidate, size_t *best, const char **ret)
{
    size_t len = strlen(candidate);
    if (wanted.len > MAX_SUGGESTED || len > MAX_SUGGESTED)
        return;
    size_t apart = distance(wanted.ptr, wanted.len, candidate, len);
    if (apart < *best && apart * 3 <= wanted.len + 1) {
        *best = apart;
        *ret = candidate;
    }
}

static const char *const CONSTANTS[] = { "True", "False", "None" };

const char *builtin_nearest(struct vm *vm, const struct string *name)
{
    const char *nearest = NULL, *candidate;
    struct slice wanted = string_slice(name);
    size_t best = SIZE_MAX, cursor = 0;
    for (struct dict_entry *entry; (entry = dict_next(vm->globals, &cursor));)
        if (entry->key.kind == K_STR)
            suggest(wanted, entry->key.s->data, &best, &nearest);
    for (size_t i = 0; i < COUNT(CONSTANTS); i++)
        suggest(wanted, CONSTANTS[i], &best, &nearest);
    for (size_t i = 0; FUNCTIONS[i].name; i++)
        suggest(wanted, FUNCTIONS[i].name, &best, &nearest);
    for (size_t i = 0; helper_natives[i].name; i++)
        suggest(wanted, helper_natives[i].name, &best, &nearest);
    for (size_t i = 0; template_natives[i].name; i++)
        suggest(wanted, template_natives[i].name, &best, &nearest);
    for (size_t i = 0; (candidate = schema_name_at(i)); i++)
        suggest(wanted, candidate, &best, &nearest);
    return nearest;
}
