#include "config/evaluate.h"
#include "config/integer.h"
#include "config/number_text.h"
#include <math.h>

/* Builtin functions about numbers and characters. */

#define BUILTIN(name)                                                                              \
    static bool name(struct vm *vm, struct value self, const struct args *args, struct value *ret)

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

const struct native number_natives[] = {
    { "abs", builtin_abs, "x" },
    { "bin", builtin_bin, "number" },
    { "chr", builtin_chr, "i" },
    { "divmod", builtin_divmod, "x y" },
    { "hex", builtin_hex, "number" },
    { "oct", builtin_oct, "number" },
    { "ord", builtin_ord, "c" },
    { "pow", builtin_pow, "base exp | mod" },
    { "round", builtin_round, "number | ndigits" },
    { NULL, NULL, NULL },
};
