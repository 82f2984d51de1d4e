#include "config/format.h"

#include "config/integer.h"
#include "config/moment.h"
#include "config/number_text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>

#define NUMBER_BYTES (LIMIT_PRECISION + 360)
#define MOST         2000000000 /* is over every limit */

/* How one value is to be written, from either kind of format. */
struct specification {
    char fill[5];
    char align; /* '<', '>', '^', '=', or 0 */
    char sign;  /* '+', ' ', '-', or 0: none is given */
    bool is_alternate, is_zero_padded;
    bool hides_zero_sign; /* what is rounded to zero has no minus */
    char grouping;        /* ',', '_', or 0 */
    size_t width;
    int precision; /* -1: not given */
    char type;     /* 0: not given */
};

static void pad(struct buffer *buffer, const struct specification *spec, struct string *body,
                size_t prefix_len, char default_align)
{
    char align = spec->align ? spec->align : default_align;
    size_t missing = spec->width > body->chars ? spec->width - body->chars : 0;
    size_t before = align == '>' ? missing : align == '^' ? missing / 2 : 0;
    if (align == '=') {
        buffer_add(buffer, body->data, prefix_len);
        buffer_repeat(buffer, spec->fill, missing);
        buffer_add(buffer, body->data + prefix_len, body->len - prefix_len);
        return;
    }
    buffer_repeat(buffer, spec->fill, before);
    buffer_string(buffer, body);
    buffer_repeat(buffer, spec->fill, missing - before);
}

/* Puts separators between groups of digits of the whole part. */
static struct string *group_digits(struct arena *arena, const struct string *digits, char separator,
                                   size_t size)
{
    size_t whole = 0;
    while (whole < digits->len && isxdigit((unsigned char)digits->data[whole]) &&
           !(size == 3 && digits->data[whole] == 'e'))
        whole++;
    char *out = arena_alloc(arena, digits->len * 2 + 1);
    size_t len = 0;
    for (size_t i = 0; i < whole; i++) {
        if (i && (whole - i) % size == 0)
            out[len++] = separator;
        out[len++] = digits->data[i];
    }
    memcpy(out + len, digits->data + whole, digits->len - whole);
    return string_new(arena, out, len + digits->len - whole);
}

/* Zeros in front of digits that are to be grouped, so many that the groups are `width` wide. */
static struct string *fill_groups(struct arena *arena, struct string *digits, size_t group,
                                  size_t width, size_t taken)
{
    size_t whole = 0, zeros = 0;
    while (whole < digits->len && isxdigit((unsigned char)digits->data[whole]) &&
           !(group == 3 && digits->data[whole] == 'e'))
        whole++;
    if (whole == 0) /* inf, nan */
        return digits;
    size_t rest = digits->len - whole + taken;
    while ((whole + zeros) + (whole + zeros - 1) / group + rest < width)
        zeros++;
    char *out = arena_alloc(arena, digits->len + zeros + 1);
    memset(out, '0', zeros);
    memcpy(out + zeros, digits->data, digits->len);
    return string_new(arena, out, digits->len + zeros);
}

/* Sign, prefix and digits of a number, padded. */
static void add_number(struct vm *vm, struct buffer *buffer, const struct specification *spec,
                       bool is_negative, const char *prefix, struct string *digits)
{
    const char *sign = is_negative ? "-" : spec->sign == '+' ? "+" : spec->sign == ' ' ? " " : "";
    bool is_filled = spec->is_zero_padded && (!spec->align || spec->align == '=');
    size_t group = spec->type && strchr("xXbo", spec->type) ? 4 : 3;
    if (spec->grouping && is_filled)
        digits = fill_groups(vm->arena, digits, group, spec->width, strlen(sign) + strlen(prefix));
    if (spec->grouping)
        digits = group_digits(vm->arena, digits, spec->grouping, group);
    struct string *body = string_printf(vm->arena, "%s%s%s", sign, prefix, digits->data);
    struct specification padded = *spec;
    if (is_filled && !spec->align)
        padded.align = '=';
    pad(buffer, &padded, body, strlen(sign) + strlen(prefix), '>');
}

static struct string *upper(struct string *s)
{
    for (size_t i = 0; i < s->len; i++)
        s->data[i] = (char)toupper((unsigned char)s->data[i]);
    return s;
}

static bool check_precision(struct vm *vm, const struct specification *spec)
{
    return spec->precision <= LIMIT_PRECISION ||
           raise_limit(vm, "the precision in the format of a number is larger than %d",
                       LIMIT_PRECISION);
}

static bool add_integer(struct vm *vm, struct buffer *buffer, const struct specification *spec,
                        struct value v)
{
    int base = spec->type == 'x' || spec->type == 'X' ? 16
               : spec->type == 'o'                    ? 8
               : spec->type == 'b'                    ? 2
                                                      : 10;
    const char *prefix = !spec->is_alternate ? ""
                         : spec->type == 'x' ? "0x"
                         : spec->type == 'X' ? "0X"
                         : base == 8         ? "0o"
                         : base == 2         ? "0b"
                                             : "";
    struct string *digits;
    if (!check_precision(vm, spec) || !value_digits(vm, v, base, &digits))
        return false;
    bool is_negative = digits->data[0] == '-';
    if (is_negative)
        digits = string_new(vm->arena, digits->data + 1, digits->len - 1);
    if (spec->type == 'X')
        upper(digits);
    if (spec->precision > 0 && digits->len < (size_t)spec->precision) {
        struct buffer zeros = buffer_new(vm);
        buffer_repeat(&zeros, "0", (size_t)spec->precision - digits->len);
        buffer_string(&zeros, digits);
        digits = string_new(vm->arena, zeros.bytes, zeros.len);
    }
    add_number(vm, buffer, spec, is_negative, prefix, digits);
    return true;
}

/* The digits of a finite or special float without its sign. */
static struct string *float_digits(struct vm *vm, const struct specification *spec, double d)
{
    char text[NUMBER_BYTES];
    int precision = spec->precision < 0 ? 6 : spec->precision;
    if (isnan(d) || isinf(d))
        return string_from(vm->arena, isnan(d) ? "nan" : "inf");
    switch (spec->type) {
    case 'e':
        snprintf(text, sizeof text, spec->is_alternate ? "%#.*e" : "%.*e", precision, d);
        break;
    case 'f':
        snprintf(text, sizeof text, spec->is_alternate ? "%#.*f" : "%.*f", precision, d);
        break;
    case 'g':
        snprintf(text, sizeof text, spec->is_alternate ? "%#.*g" : "%.*g",
                 precision ? precision : 1, d);
        break;
    default: /* like repr(), or like 'g' with at least one digit behind the point */
        if (spec->precision < 0) {
            float_repr(d, text);
        } else {
            snprintf(text, sizeof text, "%.*g", precision ? precision : 1, d);
            if (!strpbrk(text, ".e"))
                snprintf(text, sizeof text, "%.1f", d);
        }
    }
    return string_from(vm->arena, text);
}

static bool add_float(struct vm *vm, struct buffer *buffer, const struct specification *spec,
                      double d)
{
    if (!check_precision(vm, spec))
        return false;
    struct specification lower = *spec;
    bool is_percent = spec->type == '%',
         is_upper = spec->type && isupper((unsigned char)spec->type);
    lower.type = is_percent ? 'f' : (char)tolower((unsigned char)spec->type);
    if (lower.type == 'n')
        lower.type = 'g';
    bool is_negative = signbit(d) && !isnan(d);
    struct string *digits = float_digits(vm, &lower, fabs(is_percent ? d * 100 : d));
    if (spec->hides_zero_sign && strspn(digits->data, "0.e+-") == digits->len)
        is_negative = false;
    if (is_upper)
        upper(digits);
    if (is_percent)
        digits = string_printf(vm->arena, "%s%%", digits->data);
    add_number(vm, buffer, &lower, is_negative, "", digits);
    return true;
}

static struct string *cut(struct arena *arena, struct string *s, int precision)
{
    if (precision < 0 || s->chars <= (size_t)precision)
        return s;
    return string_new(arena, s->data, string_offset(s, (size_t)precision));
}

/* --- format() --- */

static size_t take_number(struct slice *text)
{
    size_t n = 0;
    while (text->len && isdigit((unsigned char)text->ptr[0])) {
        if (n <= MOST / 10 - 1)
            n = n * 10 + (size_t)(text->ptr[0] - '0');
        *text = (struct slice){ text->ptr + 1, text->len - 1 };
    }
    return n;
}

static bool take_char(struct slice *text, const char *set, char *ret)
{
    if (!text->len || !strchr(set, text->ptr[0]) || !text->ptr[0])
        return false;
    *ret = text->ptr[0];
    *text = (struct slice){ text->ptr + 1, text->len - 1 };
    return true;
}

static void take_alignment(struct slice *text, struct specification *spec)
{
    size_t length = 1;
    if (text->len)
        utf8_decode(text->ptr, &length);
    if (text->len > length && strchr("<>=^", text->ptr[length])) {
        memcpy(spec->fill, text->ptr, length);
        spec->fill[length] = '\0';
        spec->align = text->ptr[length];
        *text = (struct slice){ text->ptr + length + 1, text->len - length - 1 };
        return;
    }
    take_char(text, "<>=^", &spec->align);
}

static bool check_width(struct vm *vm, const struct specification *spec)
{
    return spec->width <= LIMIT_WIDTH ||
           raise_limit(vm, "the width in a format is larger than %d", LIMIT_WIDTH);
}

static bool parse_specification(struct vm *vm, struct slice text, struct specification *spec)
{
    char c;
    *spec = (struct specification){ .fill = " ", .precision = -1 };
    struct slice whole = text;
    take_alignment(&text, spec);
    bool has_fill = spec->align && whole.len - text.len > 1;
    take_char(&text, "+- ", &spec->sign);
    spec->hides_zero_sign = take_char(&text, "z", &c);
    spec->is_alternate = take_char(&text, "#", &c);
    spec->is_zero_padded = take_char(&text, "0", &c);
    if (spec->is_zero_padded && !has_fill)
        memcpy(spec->fill, "0", 2);
    spec->width = take_number(&text);
    take_char(&text, ",_", &spec->grouping);
    if (take_char(&text, ".", &c)) {
        if (!text.len || !isdigit((unsigned char)text.ptr[0]))
            return raise_error(vm, &class_ValueError, "Format specifier missing precision");
        spec->precision = (int)take_number(&text);
    }
    if (text.len == 1) {
        spec->type = text.ptr[0];
        text.len = 0;
    }
    if (text.len)
        return raise_error(vm, &class_ValueError, "Invalid format specifier '%.*s'",
                           SLICE_ARG(whole));
    return check_width(vm, spec);
}

static bool unknown_code(struct vm *vm, char type, struct value v)
{
    return raise_error(vm, &class_ValueError, "Unknown format code '%c' for object of type '%s'",
                       type, value_type_name(v));
}

/* Commas are for decimal numbers, underscores also for other bases. */
static bool can_group(struct vm *vm, const struct specification *spec)
{
    const char *types = spec->grouping == '_' ? "deEfFgG%bcoxX" : "deEfFgG%";
    return !spec->grouping || !spec->type || strchr(types, spec->type) ||
           raise_error(vm, &class_ValueError, "Cannot specify '%c' with '%c'.", spec->grouping,
                       spec->type);
}

static bool format_number(struct vm *vm, struct buffer *buffer, struct specification *spec,
                          struct value v)
{
    bool is_for_integers = spec->type && strchr("bcdoxXn", spec->type);
    bool is_for_floats = spec->type && strchr("eEfFgG%n", spec->type);
    if (spec->type && !is_for_integers && !is_for_floats)
        return unknown_code(vm, spec->type, v);
    if (!can_group(vm, spec))
        return false;
    if (v.kind == K_FLOAT) {
        if (spec->type && !is_for_floats)
            return unknown_code(vm, spec->type, v);
        return add_float(vm, buffer, spec, v.f);
    }
    if (spec->type == 'c') {
        char bytes[5] = { 0 };
        int64_t code;
        if (!integer_to_i64(v, &code) || code < 0 || code > 0x10ffff)
            return raise_error(vm, &class_OverflowError, "%%c arg not in range(0x110000)");
        utf8_encode((uint32_t)code, bytes);
        pad(buffer, spec, string_from(vm->arena, bytes), 0, '<');
        return true;
    }
    if (is_for_floats && !is_for_integers) {
        return add_float(vm, buffer, spec, integer_to_double(v));
    }
    if (spec->precision >= 0)
        return raise_error(vm, &class_ValueError,
                           "Precision not allowed in integer format specifier");
    return add_integer(vm, buffer, spec, v);
}

static bool format_text(struct vm *vm, struct buffer *buffer, struct specification *spec,
                        struct value v)
{
    struct string *s;
    if (spec->type && spec->type != 's')
        return unknown_code(vm, spec->type, v);
    if (spec->grouping)
        return raise_error(vm, &class_ValueError, "Cannot specify '%c' with 's'.", spec->grouping);
    if (spec->align == '=')
        return raise_error(vm, &class_ValueError,
                           "'=' alignment not allowed in string format specifier");
    if (spec->sign)
        return raise_error(vm, &class_ValueError, "%s not allowed in string format specifier",
                           spec->sign == ' ' ? "Space" : "Sign");
    if (!value_str(vm, v, &s))
        return false;
    pad(buffer, spec, cut(vm->arena, s, spec->precision), 0, '<');
    return true;
}

bool format_value(struct vm *vm, struct value v, const struct string *specification,
                  struct string **ret)
{
    struct value result;
    bool found = false;
    struct value argument = V_STR(string_new(vm->arena, specification->data, specification->len));
    if (v.kind == K_INSTANCE &&
        !value_call_special(vm, v, "__format__", &argument, 1, &result, &found))
        return false;
    if (found)
        return value_str(vm, result, ret);
    if (specification->len == 0)
        return value_str(vm, v, ret);
    if (value_is_moment(v)) {
        if (!value_find_attribute(vm, v, string_from(vm->arena, "strftime"), &result))
            return false;
        if (result.kind != K_UNBOUND)
            return value_call1(vm, result, argument, &result) && value_str(vm, result, ret);
    }
    v = value_contents(v);
    bool is_number = value_is_number(v);
    if (!is_number && v.kind != K_STR)
        return raise_error(vm, &class_TypeError,
                           "unsupported format string passed to %s.__format__", value_type_name(v));
    struct specification spec;
    struct buffer buffer = buffer_new(vm);
    if (!parse_specification(vm, string_slice(specification), &spec))
        return false;
    if (!(is_number ? format_number(vm, &buffer, &spec, v) : format_text(vm, &buffer, &spec, v)))
        return false;
    return buffer_finish(vm, &buffer, ret);
}

static bool to_ascii(struct vm *vm, const struct string *s, struct value *ret)
{
    struct buffer buffer = buffer_new(vm);
    for (size_t at = 0, length; at < s->len; at += length) {
        uint32_t code = utf8_decode(s->data + at, &length);
        if (code < 0x80)
            buffer_char(&buffer, (char)code);
        else
            buffer_printf(&buffer,
                          code < 0x100     ? "\\x%02x"
                          : code < 0x10000 ? "\\u%04x"
                                           : "\\U%08x",
                          code);
    }
    return buffer_value(vm, &buffer, ret);
}

bool format_convert(struct vm *vm, struct value v, char conversion, struct value *ret)
{
    struct string *s;
    *ret = v;
    if (conversion == 0)
        return true;
    if (!(conversion == 's' ? value_str(vm, v, &s) : value_repr(vm, v, &s)))
        return false;
    *ret = V_STR(s);
    return conversion != 'a' || to_ascii(vm, s, ret);
}

/* --- str.format() --- */

struct braces {
    struct vm *vm;
    const struct args *args;
    size_t next; /* automatic number */
    bool has_automatic, has_numbered;
    int depth;
};

static bool braces_add(struct braces *braces, struct buffer *buffer, struct slice text);

static bool find_keyword(const struct args *args, struct slice name, struct value *ret)
{
    for (size_t i = 0; i < args->keyword_count; i++)
        if (slice_equal(string_slice(args->keywords[i].name), name)) {
            *ret = args->keywords[i].value;
            return true;
        }
    return false;
}

static bool first_part(struct braces *braces, struct slice name, struct value *ret)
{
    struct vm *vm = braces->vm;
    uint64_t index;
    bool is_automatic = name.len == 0;
    if (is_automatic) {
        index = braces->next++;
        braces->has_automatic = true;
    } else if (slice_to_u64(name, LIMIT_ITEMS, &index)) {
        braces->has_numbered = true;
    } else {
        return find_keyword(braces->args, name, ret) ||
               raise_key_error(vm, V_STR(string_new(vm->arena, name.ptr, name.len)));
    }
    if (braces->has_automatic && braces->has_numbered)
        return raise_error(vm, &class_ValueError, "cannot switch from %s to %s",
                           is_automatic ? "manual field specification"
                                        : "automatic field numbering",
                           is_automatic ? "automatic field numbering"
                                        : "manual field specification");
    if (index >= braces->args->count)
        return raise_error(vm, &class_IndexError,
                           "Replacement index %llu out of range for positional args tuple",
                           (unsigned long long)index);
    *ret = braces->args->items[index];
    return true;
}

/* `name.attribute[key]` */
static bool field_value(struct braces *braces, struct slice field, struct value *ret)
{
    struct vm *vm = braces->vm;
    size_t at = 0;
    while (at < field.len && field.ptr[at] != '.' && field.ptr[at] != '[')
        at++;
    if (!first_part(braces, (struct slice){ field.ptr, at }, ret))
        return false;
    while (at < field.len) {
        bool is_index = field.ptr[at] == '[';
        size_t start = ++at;
        while (at < field.len &&
               (is_index ? field.ptr[at] != ']' : field.ptr[at] != '.' && field.ptr[at] != '['))
            at++;
        struct slice part = { field.ptr + start, at - start };
        struct string *name = string_new(vm->arena, part.ptr, part.len);
        uint64_t index;
        if (is_index) {
            struct value key =
                slice_to_u64(part, LIMIT_ITEMS, &index) ? V_INT((int64_t)index) : V_STR(name);
            if (at == field.len)
                return raise_error(vm, &class_ValueError, "Missing ']' in format string");
            at++;
            if (!value_get_item(vm, *ret, key, ret))
                return false;
        } else if (!value_get_attribute(vm, *ret, name, ret)) {
            return false;
        }
    }
    return true;
}

static bool add_field(struct braces *braces, struct buffer *buffer, struct slice field)
{
    struct vm *vm = braces->vm;
    size_t at = 0, brackets = 0;
    while (at < field.len && (brackets || (field.ptr[at] != '!' && field.ptr[at] != ':'))) {
        brackets = field.ptr[at] == '[' ? 1 : field.ptr[at] == ']' ? 0 : brackets;
        at++;
    }
    struct value v;
    if (!field_value(braces, (struct slice){ field.ptr, at }, &v))
        return false;
    if (at + 1 < field.len && field.ptr[at] == '!') {
        if (!strchr("rsa", field.ptr[at + 1]))
            return raise_error(vm, &class_ValueError, "Unknown conversion specifier %c",
                               field.ptr[at + 1]);
        if (!format_convert(vm, v, field.ptr[at + 1], &v))
            return false;
        at += 2;
    }
    struct string *specification = string_from(vm->arena, ""), *text;
    if (at < field.len) {
        struct buffer inner = buffer_new(vm);
        if (field.ptr[at] != ':')
            return raise_error(vm, &class_ValueError, "expected ':' after conversion specifier");
        if (!braces_add(braces, &inner, (struct slice){ field.ptr + at + 1, field.len - at - 1 }) ||
            !buffer_finish(vm, &inner, &specification))
            return false;
    }
    if (!format_value(vm, v, specification, &text))
        return false;
    buffer_string(buffer, text);
    return true;
}

/* The length of a field whose "{" stands before `text`. */
static bool field_length(struct slice text, size_t *ret)
{
    size_t depth = 1;
    for (size_t at = 0; at < text.len; at++) {
        depth += text.ptr[at] == '{';
        depth -= text.ptr[at] == '}';
        if (depth == 0) {
            *ret = at;
            return true;
        }
    }
    return false;
}

static bool braces_add(struct braces *braces, struct buffer *buffer, struct slice text)
{
    struct vm *vm = braces->vm;
    if (braces->depth++ > 2)
        return raise_error(vm, &class_ValueError, "Max string recursion exceeded");
    for (size_t at = 0; at < text.len;) {
        char c = text.ptr[at];
        bool is_double = at + 1 < text.len && text.ptr[at + 1] == c;
        if ((c != '{' && c != '}') || is_double) {
            buffer_char(buffer, c);
            at += is_double && (c == '{' || c == '}') ? 2 : 1;
            continue;
        }
        size_t length;
        if (c == '}')
            return raise_error(vm, &class_ValueError, "Single '}' encountered in format string");
        if (!field_length((struct slice){ text.ptr + at + 1, text.len - at - 1 }, &length))
            return raise_error(vm, &class_ValueError,
                               at + 1 == text.len ? "Single '{' encountered in format string"
                                                  : "expected '}' before end of string");
        if (!add_field(braces, buffer, (struct slice){ text.ptr + at + 1, length }))
            return false;
        at += length + 2;
    }
    braces->depth--;
    return true;
}

bool format_braces(struct vm *vm, const struct string *text, const struct args *args,
                   struct value *ret)
{
    struct braces braces = { .vm = vm, .args = args };
    struct buffer buffer = buffer_new(vm);
    return braces_add(&braces, &buffer, string_slice(text)) && buffer_value(vm, &buffer, ret);
}

/* --- the % operator --- */

struct percent {
    struct vm *vm;
    struct slice text;
    const char *start;   /* of the whole text */
    struct value source; /* what stands behind the operator */
    size_t next;
};

static bool next_argument(struct percent *percent, struct value *ret)
{
    if (percent->source.kind == K_TUPLE) {
        if (percent->next >= percent->source.list->count)
            return raise_error(percent->vm, &class_TypeError,
                               "not enough arguments for format string");
        *ret = percent->source.list->items[percent->next++];
        return true;
    }
    if (percent->next++ > 0)
        return raise_error(percent->vm, &class_TypeError, "not enough arguments for format string");
    *ret = percent->source;
    return true;
}

/* At "(": the key and its value. */
static bool keyed_argument(struct percent *percent, struct value *ret)
{
    struct vm *vm = percent->vm;
    size_t depth = 0, at = 0;
    for (; at < percent->text.len; at++) {
        depth += percent->text.ptr[at] == '(';
        if (percent->text.ptr[at] == ')' && --depth == 0)
            break;
    }
    if (at == percent->text.len)
        return raise_error(vm, &class_ValueError, "incomplete format key");
    struct value source = value_as(percent->source, K_DICT);
    if (source.kind != K_DICT && source.kind != K_FROZENDICT)
        return raise_error(vm, &class_TypeError, "format requires a mapping");
    struct value key = V_STR(string_new(vm->arena, percent->text.ptr + 1, at - 1));
    percent->text = (struct slice){ percent->text.ptr + at + 1, percent->text.len - at - 1 };
    percent->next = 1;
    return value_get_item(vm, source, key, ret);
}

static bool take_size(struct percent *percent, int64_t *ret, bool *ret_given)
{
    char c;
    struct value v;
    *ret_given = true;
    if (take_char(&percent->text, "*", &c)) {
        if (!next_argument(percent, &v))
            return false;
        if (!value_is_integer(v) || !integer_to_i64(v, ret))
            return raise_error(percent->vm, &class_TypeError, "* wants int");
        return true;
    }
    *ret_given = percent->text.len && isdigit((unsigned char)percent->text.ptr[0]);
    *ret = (int64_t)take_number(&percent->text);
    return true;
}

static bool take_percent_sizes(struct percent *percent, struct specification *spec)
{
    int64_t size;
    bool is_given;
    char c;
    if (!take_size(percent, &size, &is_given))
        return false;
    if (size < 0) {
        spec->align = '<';
        spec->is_zero_padded = false;
        memcpy(spec->fill, " ", 2);
        size = size < -MOST ? MOST : -size;
    }
    spec->width = (size_t)size;
    if (!check_width(percent->vm, spec))
        return false;
    if (take_char(&percent->text, ".", &c)) {
        if (!take_size(percent, &size, &is_given))
            return false;
        spec->precision = size < 0 ? 0 : size > MOST ? MOST : (int)size;
    }
    while (take_char(&percent->text, "hlL", &c))
        ;
    return true;
}

static bool percent_integer(struct vm *vm, struct buffer *buffer, struct specification *spec,
                            struct value v)
{
    bool is_decimal = spec->type == 'd' || spec->type == 'i' || spec->type == 'u';
    v = value_contents(v);
    if (v.kind == K_FLOAT && is_decimal) {
        if (isnan(v.f) || isinf(v.f))
            return raise_error(vm, isnan(v.f) ? &class_ValueError : &class_OverflowError,
                               "cannot convert float %s to integer",
                               isnan(v.f) ? "NaN" : "infinity");
        v = integer_from_double(vm->arena, v.f);
    }
    if (!value_is_integer(v))
        return raise_error(vm, &class_TypeError,
                           is_decimal ? "%%%c format: a real number is required, not %s"
                                      : "%%%c format: an integer is required, not %s",
                           spec->type, value_type_name(v));
    if (is_decimal)
        spec->type = 'd';
    return add_integer(vm, buffer, spec, v);
}

static bool percent_float(struct vm *vm, struct buffer *buffer, struct specification *spec,
                          struct value v)
{
    double d;
    if (v.kind == K_FLOAT)
        d = v.f;
    else if (value_is_integer(v))
        d = integer_to_double(v);
    else
        return raise_error(vm, &class_TypeError, "must be real number, not %s", value_type_name(v));
    if (spec->precision < 0)
        spec->precision = 6;
    return add_float(vm, buffer, spec, d);
}

static bool percent_char(struct vm *vm, struct buffer *buffer, struct specification *spec,
                         struct value v)
{
    char bytes[5] = { 0 };
    int64_t code;
    memcpy(spec->fill, " ", 2);
    if (v.kind == K_STR && v.s->chars == 1) {
        pad(buffer, spec, v.s, 0, '>');
        return true;
    }
    v = value_contents(v);
    if (!value_is_integer(v))
        return raise_error(vm, &class_TypeError, "%%c requires int or char");
    if (!integer_to_i64(v, &code) || code < 0 || code > 0x10ffff)
        return raise_error(vm, &class_OverflowError, "%%c arg not in range(0x110000)");
    utf8_encode((uint32_t)code, bytes);
    pad(buffer, spec, string_from(vm->arena, bytes), 0, '>');
    return true;
}

static bool percent_text(struct vm *vm, struct buffer *buffer, struct specification *spec,
                         struct value v)
{
    struct value text;
    if (!format_convert(vm, v, spec->type, &text))
        return false;
    memcpy(spec->fill, " ", 2);
    pad(buffer, spec, cut(vm->arena, text.s, spec->precision), 0, '>');
    return true;
}

static bool percent_value(struct vm *vm, struct buffer *buffer, struct specification *spec,
                          struct value v)
{
    if (strchr("diuxXo", spec->type))
        return percent_integer(vm, buffer, spec, v);
    if (strchr("eEfFgG", spec->type))
        return percent_float(vm, buffer, spec, v);
    return spec->type == 'c' ? percent_char(vm, buffer, spec, v)
                             : percent_text(vm, buffer, spec, v);
}

static void take_percent_flags(struct percent *percent, struct specification *spec)
{
    for (char flag; take_char(&percent->text, "-+ #0", &flag);) {
        if (flag == '-')
            spec->align = '<';
        else if (flag == '+' || (flag == ' ' && spec->sign != '+'))
            spec->sign = flag;
        else if (flag == '#')
            spec->is_alternate = true;
        else if (flag == '0')
            spec->is_zero_padded = true;
    }
    if (spec->is_zero_padded && spec->align != '<')
        memcpy(spec->fill, "0", 2);
    if (spec->align == '<') {
        spec->is_zero_padded = false;
    }
}

/* Behind a "%". */
static bool add_conversion(struct percent *percent, struct buffer *buffer)
{
    struct vm *vm = percent->vm;
    struct specification spec = { .fill = " ", .precision = -1 };
    struct value v = V_UNBOUND;
    if (percent->text.len && percent->text.ptr[0] == '(' && !keyed_argument(percent, &v))
        return false;
    take_percent_flags(percent, &spec);
    if (!take_percent_sizes(percent, &spec))
        return false;
    if (percent->text.len == 0)
        return raise_error(vm, &class_ValueError, "incomplete format");
    char c = percent->text.ptr[0];
    if (take_char(&percent->text, "%", &spec.type)) {
        buffer_char(buffer, '%');
        return true;
    }
    if (!take_char(&percent->text, "diuxXoeEfFgGcrsa", &spec.type))
        return raise_error(vm, &class_ValueError,
                           "unsupported format character '%c' (0x%x) at index %zu", c,
                           (unsigned char)c, (size_t)(percent->text.ptr - percent->start));
    if (v.kind == K_UNBOUND && !next_argument(percent, &v))
        return false;
    return percent_value(vm, buffer, &spec, v);
}

bool format_percent(struct vm *vm, const struct string *text, struct value v, struct value *ret)
{
    struct percent percent = {
        .vm = vm, .text = string_slice(text), .start = text->data, .source = value_as(v, K_TUPLE)
    };
    struct buffer buffer = buffer_new(vm);
    while (percent.text.len) {
        const char *sign = memchr(percent.text.ptr, '%', percent.text.len);
        size_t plain = sign ? (size_t)(sign - percent.text.ptr) : percent.text.len;
        buffer_add(&buffer, percent.text.ptr, plain);
        percent.text = (struct slice){ percent.text.ptr + plain, percent.text.len - plain };
        if (!sign)
            break;
        percent.text = (struct slice){ percent.text.ptr + 1, percent.text.len - 1 };
        if (!add_conversion(&percent, &buffer))
            return false;
    }
    bool is_mapping = v.kind == K_DICT || v.kind == K_FROZENDICT || v.kind == K_LIST;
    bool is_used = percent.source.kind == K_TUPLE ? percent.next >= percent.source.list->count
                                                  : percent.next > 0 || is_mapping;
    if (!is_used)
        return raise_error(vm, &class_TypeError,
                           "not all arguments converted during string formatting");
    return buffer_value(vm, &buffer, ret);
}
