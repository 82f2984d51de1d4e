#include "config/number_text.h"

#include "config/integer.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define FLOAT_LITERAL_BYTES 400

/* The shortest digits that read back, as "d.ddde[+-]xx". */
static void shortest_digits(double d, char out[FLOAT_TEXT_BYTES])
{
    for (int precision = 0; precision <= 16; precision++) {

        snprintf(out, FLOAT_TEXT_BYTES, "%.*e", precision, d);
        if (strtod(out, NULL) == d)
            return;
    }
}

void float_repr(double d, char out[FLOAT_TEXT_BYTES])
{
    if (isnan(d) || isinf(d)) {
        snprintf(out, FLOAT_TEXT_BYTES, "%s", isnan(d) ? "nan" : d < 0 ? "-inf" : "inf");
        return;
    }
    if (d == trunc(d) && fabs(d) < 1e15) {
        snprintf(out, FLOAT_TEXT_BYTES, "%.1f", d);
        return;
    }
    char text[FLOAT_TEXT_BYTES], digits[20];
    shortest_digits(d, text);
    const char *at = text, *exponent_text = strchr(text, 'e');
    size_t count = 0;
    for (; at < exponent_text; at++)
        if (isdigit((unsigned char)*at))
            digits[count++] = *at;
    while (count > 1 && digits[count - 1] == '0')
        count--;
    digits[count] = '\0';
    int exponent = (int)strtol(exponent_text + 1, NULL, 10);
    const char *sign = signbit(d) ? "-" : "";
    if (exponent < -4 || exponent >= 16)
        snprintf(out, FLOAT_TEXT_BYTES, "%s%c%s%se%c%02d", sign, digits[0], count > 1 ? "." : "",
                 digits + 1, exponent < 0 ? '-' : '+', abs(exponent));
    else if (exponent < 0)
        snprintf(out, FLOAT_TEXT_BYTES, "%s0.%.*s%s", sign, -exponent - 1, "0000", digits);
    else if ((size_t)exponent + 1 >= count)
        snprintf(out, FLOAT_TEXT_BYTES, "%s%s%.*s.0", sign, digits, exponent + 1 - (int)count,
                 "0000000000000000");
    else
        snprintf(out, FLOAT_TEXT_BYTES, "%s%.*s.%s", sign, exponent + 1, digits,
                 digits + exponent + 1);
}

/* Copies digits without their underscores; false when one stands wrong. */
static bool copy_number(struct slice text, char out[FLOAT_LITERAL_BYTES])
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '_') {
            if (i == 0 || i + 1 == text.len || !isdigit((unsigned char)text.ptr[i - 1]) ||
                !isdigit((unsigned char)text.ptr[i + 1]))
                return false;
            continue;
        }
        if (len + 1 >= FLOAT_LITERAL_BYTES || !strchr("0123456789.eE+-", text.ptr[i]) ||
            !text.ptr[i])
            return false;
        out[len++] = text.ptr[i];
    }
    out[len] = '\0';
    return len > 0;
}

bool float_parse_literal(struct slice text, double *ret)
{
    char number[FLOAT_LITERAL_BYTES];
    if (!text.len || !copy_number(text, number) || number[0] == '+' || number[0] == '-' ||
        (!isdigit((unsigned char)number[0]) && !isdigit((unsigned char)number[1])))
        return false;
    char *end;
    double d = strtod(number, &end);
    if (*end)
        return false;
    *ret = d;
    return true;
}

static struct slice trim_space(struct slice text)
{
    while (text.len && isspace((unsigned char)text.ptr[0]))
        text = (struct slice){ text.ptr + 1, text.len - 1 };
    while (text.len && isspace((unsigned char)text.ptr[text.len - 1]))
        text.len--;
    return text;
}

static bool take_sign(struct slice *text)
{
    if (!text->len || (text->ptr[0] != '-' && text->ptr[0] != '+'))
        return false;
    bool is_negative = text->ptr[0] == '-';
    *text = (struct slice){ text->ptr + 1, text->len - 1 };
    return is_negative;
}

static bool is_word(struct slice text, const char *word)
{
    if (text.len != strlen(word))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (tolower((unsigned char)text.ptr[i]) != word[i])
            return false;
    return true;
}

bool float_parse(struct slice text, double *ret)
{
    text = trim_space(text);
    bool is_negative = take_sign(&text);
    double d;
    if (is_word(text, "inf") || is_word(text, "infinity"))
        d = INFINITY;
    else if (is_word(text, "nan"))
        d = NAN;
    else if (!float_parse_literal(text, &d))
        return false;
    *ret = is_negative ? -d : d;
    return true;
}

static bool take_prefix(struct slice *text, int *base)
{
    static const struct {
        char letter;
        int base;
    } prefixes[] = { { 'x', 16 }, { 'o', 8 }, { 'b', 2 } };
    for (size_t i = 0; i < 3; i++)
        if (text->len > 2 && text->ptr[0] == '0' &&
            tolower((unsigned char)text->ptr[1]) == prefixes[i].letter &&
            (*base == 0 || *base == prefixes[i].base)) {
            *base = prefixes[i].base;
            *text = (struct slice){ text->ptr + 2, text->len - 2 };
            if (text->ptr[0] == '_')
                *text = (struct slice){ text->ptr + 1, text->len - 1 };
            return true;
        }
    return false;
}

static bool are_digits(struct slice text, int base)
{
    bool was_digit = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        int digit = isdigit((unsigned char)c)   ? c - '0'
                    : isalpha((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
                                                : 99;
        if (digit >= base && (c != '_' || !was_digit))
            return false;
        was_digit = c != '_';
    }
    return was_digit;
}

bool integer_parse_text(struct arena *arena, struct slice text, int base, struct value *ret)
{
    text = trim_space(text);
    bool is_negative = take_sign(&text);
    bool is_prefixed = take_prefix(&text, &base);
    if (base == 0) {
        base = 10;
        if (text.len > 1 && text.ptr[0] == '0' && !is_prefixed)
            for (size_t i = 0; i < text.len; i++)
                if (text.ptr[i] != '0' && text.ptr[i] != '_')
                    return false;
    }
    struct value v;
    if (!are_digits(text, base) || !integer_parse(arena, text, base, &v))
        return false;
    *ret = is_negative ? integer_negate(arena, v) : v;
    return true;
}
