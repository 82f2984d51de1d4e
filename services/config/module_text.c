#include "config/class.h"
#include "config/integer.h"
#include "config/modules.h"
#include "config/unicode.h"

#include <ctype.h>
#include <math.h>

/* math, shlex and base64. */

#define FUNCTION(name)                                                                             \
    static bool name(struct vm *vm, struct value self, const struct args *args, struct value *ret)

static void put(struct vm *vm, struct dict *attributes, const char *name, struct value v)
{
    dict_set_text(vm->arena, attributes, string_from(vm->arena, name), v);
}

/* --- math --- */

static bool number_of(struct vm *vm, struct value v, double *ret)
{
    bool found;
    v = value_contents(v);
    if (!value_call_special(vm, v, "__float__", NULL, 0, &v, &found))
        return false;
    if (v.kind == K_FLOAT)
        *ret = v.f;
    else if (value_is_integer(v))
        *ret = integer_to_double(v);
    else
        return raise_error(vm, &class_TypeError, "must be real number, not %s", value_type_name(v));
    return true;
}

static bool whole(struct vm *vm, struct value v, double (*round_by)(double), struct value *ret)
{
    double d;
    const char *method = round_by == ceil    ? "__ceil__"
                         : round_by == floor ? "__floor__"
                                             : "__trunc__";
    bool found;
    if (!value_call_special(vm, v, method, NULL, 0, ret, &found))
        return false;
    if (found)
        return true;
    if (value_is_integer(v))
        return value_binary(vm, OP_ADD, v, V_INT(0), ret);
    if (!number_of(vm, v, &d))
        return false;
    if (isnan(d) || isinf(d))
        return raise_error(vm, isnan(d) ? &class_ValueError : &class_OverflowError,
                           "cannot convert float %s to integer", isnan(d) ? "NaN" : "infinity");
    *ret = integer_from_double(vm->arena, round_by(d));
    return true;
}

FUNCTION(math_ceil)
{
    (void)self;
    return whole(vm, args->items[0], ceil, ret);
}

FUNCTION(math_floor)
{
    (void)self;
    return whole(vm, args->items[0], floor, ret);
}

FUNCTION(math_trunc)
{
    (void)self;
    return whole(vm, args->items[0], trunc, ret);
}

static bool domain_checked(struct vm *vm, double d, bool input_is_finite, struct value *ret)
{
    if (isnan(d) && input_is_finite)
        return raise_error(vm, &class_ValueError, "math domain error");
    if (isinf(d) && input_is_finite)
        return raise_error(vm, &class_OverflowError, "math range error");
    *ret = V_FLOAT(d);
    return true;
}

#define UNARY(name)                                                                                \
    FUNCTION(math_##name)                                                                          \
    {                                                                                              \
        (void)self;                                                                                \
        double d;                                                                                  \
        return number_of(vm, args->items[0], &d) && domain_checked(vm, name(d), isfinite(d), ret); \
    }
UNARY(sqrt)
UNARY(exp)
UNARY(fabs)
UNARY(sin)
UNARY(cos)
UNARY(tan)
UNARY(atan)
UNARY(asin)
UNARY(acos)
UNARY(expm1)
UNARY(log1p)
UNARY(acosh)
UNARY(asinh)
UNARY(atanh)
UNARY(cbrt)
UNARY(cosh)
UNARY(erf)
UNARY(erfc)
UNARY(exp2)
UNARY(lgamma)
UNARY(sinh)
UNARY(tanh)
UNARY(tgamma)
#undef UNARY

static bool logarithm(struct vm *vm, struct value v, double (*log_by)(double), double *ret)
{
    double d;
    if (!number_of(vm, v, &d))
        return false;
    if (d <= 0)
        return raise_error(vm, &class_ValueError, "math domain error");
    *ret = log_by(d);
    return true;
}

FUNCTION(math_log)
{
    (void)self;
    double d, base = 1;
    if (!logarithm(vm, args->items[0], log, &d) ||
        (!value_is_unset(args->items[1]) && !logarithm(vm, args->items[1], log, &base)))
        return false;
    if (base == 0)
        return raise_error(vm, &class_ZeroDivisionError, "float division by zero");
    *ret = V_FLOAT(value_is_unset(args->items[1]) ? d : d / base);
    return true;
}

FUNCTION(math_log2)
{
    (void)self;
    ret->kind = K_FLOAT;
    return logarithm(vm, args->items[0], log2, &ret->f);
}

FUNCTION(math_log10)
{
    (void)self;
    ret->kind = K_FLOAT;
    return logarithm(vm, args->items[0], log10, &ret->f);
}

FUNCTION(math_pow)
{
    (void)self;
    double a, b;
    return number_of(vm, args->items[0], &a) && number_of(vm, args->items[1], &b) &&
           domain_checked(vm, pow(a, b), isfinite(a) && isfinite(b), ret);
}

#define BINARY(name)                                                                               \
    FUNCTION(math_##name)                                                                          \
    {                                                                                              \
        (void)self;                                                                                \
        double a, b;                                                                               \
        return number_of(vm, args->items[0], &a) && number_of(vm, args->items[1], &b) &&           \
               domain_checked(vm, name(a, b), isfinite(a) && isfinite(b), ret);                    \
    }
BINARY(atan2)
BINARY(copysign)
BINARY(fmod)
BINARY(hypot)
#undef BINARY

FUNCTION(math_degrees)
{
    (void)self;
    double d;
    return number_of(vm, args->items[0], &d) &&
           domain_checked(vm, d * (180.0 / M_PI), isfinite(d), ret);
}

FUNCTION(math_radians)
{
    (void)self;
    double d;
    return number_of(vm, args->items[0], &d) &&
           domain_checked(vm, d * (M_PI / 180.0), isfinite(d), ret);
}

FUNCTION(math_isfinite)
{
    (void)self;
    double d;
    if (!number_of(vm, args->items[0], &d))
        return false;
    *ret = V_BOOL(isfinite(d));
    return true;
}

FUNCTION(math_prod)
{
    (void)self;
    struct value list;
    if (!value_to_list(vm, args->items[0], K_LIST, &list))
        return false;
    *ret = value_is_unset(args->items[1]) ? V_INT(1) : args->items[1];
    for (size_t i = 0; i < list.list->count; i++)
        if (!vm_step(vm) || !value_binary(vm, OP_MULTIPLY, *ret, list.list->items[i], ret))
            return false;
    return true;
}

FUNCTION(math_isnan)
{
    (void)self;
    double d;
    if (!number_of(vm, args->items[0], &d))
        return false;
    *ret = V_BOOL(isnan(d));
    return true;
}

FUNCTION(math_isinf)
{
    (void)self;
    double d;
    if (!number_of(vm, args->items[0], &d))
        return false;
    *ret = V_BOOL(isinf(d));
    return true;
}

static bool need_integer(struct vm *vm, struct value v)
{
    return value_is_integer(v) ||
           raise_error(vm, &class_TypeError, "'%s' object cannot be interpreted as an integer",
                       value_type_name(v));
}

FUNCTION(math_gcd)
{
    (void)self;
    *ret = V_INT(0);
    for (size_t i = 0; i < args->count; i++) {
        struct value a = *ret, b = args->items[i], rest;
        if (!need_integer(vm, b))
            return false;
        while (integer_sign(b) != 0) {
            if (!value_binary(vm, OP_MODULO, a, b, &rest))
                return false;
            a = b;
            b = rest;
        }
        *ret = integer_sign(a) < 0 ? integer_negate(vm->arena, a) : a;
    }
    return true;
}

FUNCTION(math_factorial)
{
    (void)self;
    int64_t n;
    if (!need_integer(vm, args->items[0]) || !value_to_i64(vm, args->items[0], &n))
        return false;
    if (n < 0)
        return raise_error(vm, &class_ValueError, "factorial() not defined for negative values");
    *ret = V_INT(1);
    for (int64_t i = 2; i <= n; i++)
        if (!vm_step(vm) || !value_binary(vm, OP_MULTIPLY, *ret, V_INT(i), ret))
            return false;
    return true;
}

const struct native math_natives[] = {
    { "acos", math_acos, "x" },
    { "acosh", math_acosh, "x" },
    { "asinh", math_asinh, "x" },
    { "atanh", math_atanh, "x" },
    { "cbrt", math_cbrt, "x" },
    { "cosh", math_cosh, "x" },
    { "erf", math_erf, "x" },
    { "erfc", math_erfc, "x" },
    { "exp2", math_exp2, "x" },
    { "lgamma", math_lgamma, "x" },
    { "sinh", math_sinh, "x" },
    { "tanh", math_tanh, "x" },
    { "gamma", math_tgamma, "x" },
    { "asin", math_asin, "x" },
    { "atan", math_atan, "x" },
    { "atan2", math_atan2, "y x" },
    { "ceil", math_ceil, "x" },
    { "copysign", math_copysign, "x y" },
    { "cos", math_cos, "x" },
    { "degrees", math_degrees, "x" },
    { "exp", math_exp, "x" },
    { "expm1", math_expm1, "x" },
    { "fabs", math_fabs, "x" },
    { "factorial", math_factorial, "x" },
    { "floor", math_floor, "x" },
    { "fmod", math_fmod, "x y" },
    { "gcd", math_gcd, NULL },
    { "hypot", math_hypot, "x y" },
    { "isfinite", math_isfinite, "x" },
    { "isinf", math_isinf, "x" },
    { "isnan", math_isnan, "x" },
    { "log", math_log, "x | base" },
    { "log1p", math_log1p, "x" },
    { "prod", math_prod, "iterable | start" },
    { "radians", math_radians, "x" },
    { "log10", math_log10, "x" },
    { "log2", math_log2, "x" },
    { "pow", math_pow, "x y" },
    { "sin", math_sin, "x" },
    { "sqrt", math_sqrt, "x" },
    { "tan", math_tan, "x" },
    { "trunc", math_trunc, "x" },
    { NULL, NULL, NULL },
};

bool prepare_math(struct vm *vm, struct dict *attributes)
{
    put(vm, attributes, "pi", V_FLOAT(M_PI));
    put(vm, attributes, "e", V_FLOAT(M_E));
    put(vm, attributes, "inf", V_FLOAT(INFINITY));
    put(vm, attributes, "nan", V_FLOAT(NAN));
    return true;
}

/* --- shlex --- */

static void add_quoted(struct buffer *buffer, const struct string *s)
{
    bool is_safe = s->len > 0;
    for (size_t i = 0; i < s->len; i++)
        is_safe &= isalnum((unsigned char)s->data[i]) || s->data[i] == '_' ||
                   strchr("@%+=:,./-", s->data[i]);
    if (is_safe) {
        buffer_string(buffer, s);
        return;
    }
    buffer_char(buffer, '\'');
    for (size_t i = 0; i < s->len; i++) {
        if (s->data[i] == '\'')
            buffer_text(buffer, "'\"'\"'");
        else
            buffer_char(buffer, s->data[i]);
    }
    buffer_char(buffer, '\'');
}

FUNCTION(shlex_quote)
{
    (void)self;
    struct buffer buffer = buffer_new(vm);
    if (args->items[0].kind != K_STR)
        return raise_error(vm, &class_TypeError, "expected string or bytes-like object");
    add_quoted(&buffer, args->items[0].s);
    return buffer_value(vm, &buffer, ret);
}

FUNCTION(shlex_join)
{
    (void)self;
    struct buffer buffer = buffer_new(vm);
    struct value items;
    if (!value_to_list(vm, args->items[0], K_LIST, &items))
        return false;
    for (size_t i = 0; i < items.list->count; i++) {
        if (items.list->items[i].kind != K_STR)
            return raise_error(vm, &class_TypeError, "expected string or bytes-like object");
        buffer_text(&buffer, i ? " " : "");
        add_quoted(&buffer, items.list->items[i].s);
    }
    return buffer_value(vm, &buffer, ret);
}

const struct native shlex_natives[] = {
    { "join", shlex_join, "split_command" },
    { "quote", shlex_quote, "s" },
    { NULL, NULL, NULL },
};

/* --- base64 --- */

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

FUNCTION(base64_encode)
{
    (void)self;
    struct value v = args->items[0];
    if (v.kind != K_BYTES)
        return raise_error(vm, &class_TypeError, "a bytes-like object is required, not '%s'",
                           value_type_name(v));
    struct buffer buffer = buffer_new(vm);
    for (size_t i = 0; i < v.s->len; i += 3) {
        uint32_t bits = 0;
        size_t left = v.s->len - i;
        for (size_t j = 0; j < 3; j++)
            bits = bits << 8 | (j < left ? (unsigned char)v.s->data[i + j] : 0);
        for (size_t j = 0; j < 4; j++)
            buffer_char(&buffer, j <= left ? ALPHABET[bits >> (18 - 6 * j) & 63] : '=');
    }
    *ret = (struct value){ .kind = K_BYTES,
                           .s = string_new_bytes(vm->arena, buffer.bytes ? buffer.bytes : "",
                                                 buffer.len) };
    return true;
}

FUNCTION(base64_decode)
{
    (void)self;
    struct value v = args->items[0];
    struct buffer buffer = buffer_new(vm);
    uint32_t bits = 0;
    size_t count = 0;
    if (v.kind != K_BYTES && v.kind != K_STR)
        return raise_error(vm, &class_TypeError,
                           "argument should be a bytes-like object or ASCII string");
    for (size_t i = 0; i < v.s->len; i++) {
        const char *found = v.s->data[i] ? strchr(ALPHABET, v.s->data[i]) : NULL;
        if (!found)
            continue;
        bits = bits << 6 | (uint32_t)(found - ALPHABET);
        if (++count % 4 != 1)
            buffer_char(&buffer, (char)(bits >> (6 - 2 * ((count - 1) % 4))));
    }
    if (count % 4 == 1)
        return raise_error(vm, &class_ValueError, "Incorrect padding");
    *ret = (struct value){ .kind = K_BYTES,
                           .s = string_new_bytes(vm->arena, buffer.bytes ? buffer.bytes : "",
                                                 buffer.len) };
    return true;
}

const struct native base64_natives[] = {
    { "b64decode", base64_decode, "s" },
    { "b64encode", base64_encode, "s" },
    { NULL, NULL, NULL },
};
