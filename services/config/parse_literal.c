#include "config/integer.h"
#include "config/limits.h"
#include "config/number_text.h"
#include "config/parse.h"
#include "config/unicode.h"

#include <ctype.h>

/* Numbers and strings. */

static bool is_digit_of(char c, int base)
{
    int digit = isdigit((unsigned char)c)   ? c - '0'
                : isalpha((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
                                            : 99;
    return digit < base;
}

/* Digits with single underscores between them. */
static bool check_digits(struct slice text, int base)
{
    bool was_digit = false;
    for (size_t i = 0; i < text.len; i++) {
        bool is_digit = is_digit_of(text.ptr[i], base);
        if (!is_digit && (text.ptr[i] != '_' || !was_digit))
            return false;
        was_digit = is_digit;
    }
    return was_digit;
}

static int number_base(struct slice text)
{
    if (text.len < 2 || text.ptr[0] != '0')
        return 10;
    switch (text.ptr[1]) {
    case 'x':
    case 'X':
        return 16;
    case 'o':
    case 'O':
        return 8;
    case 'b':
    case 'B':
        return 2;
    default:
        return 10;
    }
}

static void check_leading_zeros(struct parser *parser, struct token *token, struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '0' && text.ptr[i] != '_' && text.ptr[0] == '0')
            parse_fail(
                parser, token->start, token->end,
                "leading zeros in decimal integer literals are not permitted; use an 0o prefix "
                "for octal integers");
}

static struct slice without_last(struct slice text)
{
    return (struct slice){ text.ptr, text.len - 1 };
}

static bool is_imaginary(struct slice text)
{
    double d;
    struct slice digits = without_last(text);
    return (text.ptr[text.len - 1] | 0x20) == 'j' &&
           (check_digits(digits, 10) || float_parse_literal(digits, &d));
}

struct node *parse_number(struct parser *parser)
{
    struct token *token = token_take(parser);
    struct slice text = { parser->source->text.ptr + token->start, token->end - token->start };
    int base = number_base(text);
    struct slice digits = base == 10 ? text : (struct slice){ text.ptr + 2, text.len - 2 };
    if (base != 10 && digits.len && digits.ptr[0] == '_')
        digits = (struct slice){ digits.ptr + 1, digits.len - 1 };
    struct value v;
    if (check_digits(digits, base)) {
        if (base == 10)
            check_leading_zeros(parser, token, digits);
        if (!integer_parse(parser->arena, digits, base, &v))
            parse_fail(parser, token->start, token->end, "integer literal has more than %d bits",
                       LIMIT_INTEGER_BITS);
    } else if (base != 10 || !float_parse_literal(text, &v.f)) {
        parse_fail(parser, token->start, token->end,
                   is_imaginary(text) ? "complex numbers are not part of the configuration language"
                   : text.ptr[text.len - 1] == 'L' && check_digits(without_last(text), 10)
                       ? "invalid number literal. Python 2's 'L' is not needed"
                       : "invalid number literal");
    } else {
        v.kind = K_FLOAT;
    }
    return node_constant(parser, token->start, v);
}

/* Text that grows in the arena while a literal is decoded. */
struct literal {
    struct parser *parser;
    char *bytes;
    size_t len, capacity;
};

static void literal_add(struct literal *literal, const char *bytes, size_t len)
{
    if (literal->len + len > literal->capacity) {
        size_t capacity = (literal->len + len) * 2 + 16;
        literal->bytes =
            arena_grow(literal->parser->arena, literal->bytes, literal->capacity, capacity);
        literal->capacity = capacity;
    }
    memcpy(literal->bytes + literal->len, bytes, len);
    literal->len += len;
}

static void literal_add_code(struct literal *literal, uint32_t code, bool is_bytes)
{
    char bytes[4];
    if (is_bytes) {
        bytes[0] = (char)code;
        literal_add(literal, bytes, 1);
    } else {
        literal_add(literal, bytes, utf8_encode(code, bytes));
    }
}

static uint32_t parse_hex(struct parser *parser, uint32_t at, uint32_t end, uint32_t digits)
{
    const char *text = parser->source->text.ptr;
    uint32_t code = 0;
    for (uint32_t i = 0; i < digits; i++) {
        if (at + i >= end || !isxdigit((unsigned char)text[at + i]))
            parse_fail(parser, at - 2, at + i,
                       "(unicode error) truncated escape, it takes %u hexadecimal digits", digits);
        char c = text[at + i];
        code =
            code * 16 +
            (uint32_t)(isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10);
    }
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        parse_fail(parser, at - 2, at + digits, "(unicode error) illegal Unicode character");
    return code;
}

static uint32_t parse_octal(struct parser *parser, uint32_t at, uint32_t end, uint32_t *ret_length)
{
    const char *text = parser->source->text.ptr;
    uint32_t code = 0, length = 0;
    while (length < 3 && at + length < end && text[at + length] >= '0' && text[at + length] <= '7')
        code = code * 8 + (uint32_t)(text[at + length++] - '0');
    *ret_length = length;
    return code;
}

static uint32_t add_named(struct literal *literal, uint32_t at, uint32_t end)
{
    struct parser *parser = literal->parser;
    const char *text = parser->source->text.ptr;
    uint32_t close = at;
    while (close < end && text[close] != '}')
        close++;
    struct slice name = { text + at + 1, close > at ? close - at - 1 : 0 };
    uint32_t code;
    if (close == end || text[at] != '{' || !unicode_by_name(name, &code))
        parse_fail(parser, at - 2, close, "(unicode error) unknown Unicode character name");
    literal_add_code(literal, code, false);
    return close + 1;
}

/* At the character behind the backslash; gives where to go on. */
static uint32_t add_escape(struct literal *literal, uint32_t at, uint32_t end, bool is_bytes)
{
    static const char plain[] = "\\'\"abfnrtv", meaning[] = "\\'\"\a\b\f\n\r\t\v";
    struct parser *parser = literal->parser;
    const char *text = parser->source->text.ptr;
    char c = text[at];
    const char *known = c ? strchr(plain, c) : NULL;
    uint32_t length;
    if (known) {
        literal_add(literal, &meaning[known - plain], 1);
    } else if (c == '\n' || c == '\r') {
        return at + 1 + (c == '\r' && at + 1 < end && text[at + 1] == '\n');
    } else if (c >= '0' && c <= '7') {
        uint32_t code = parse_octal(parser, at, end, &length);
        literal_add_code(literal, is_bytes ? code & 0xff : code, is_bytes);
        return at + length;
    } else if (c == 'x') {
        literal_add_code(literal, parse_hex(parser, at + 1, end, 2), is_bytes);
        return at + 3;
    } else if ((c == 'u' || c == 'U') && !is_bytes) {
        length = c == 'u' ? 4 : 8;
        literal_add_code(literal, parse_hex(parser, at + 1, end, length), false);
        return at + 1 + length;
    } else if (c == 'N' && !is_bytes) {
        return add_named(literal, at + 1, end);
    } else {
        literal_add(literal, "\\", 1);
        return at;
    }
    return at + 1;
}

/* The text from `at` to `end` with its escapes; line ends become "\n". */
static void add_text(struct literal *literal, uint32_t at, uint32_t end, const struct token *token)
{
    const char *text = literal->parser->source->text.ptr;
    while (at < end) {
        if (text[at] == '\\' && !token->is_raw && at + 1 < end) {
            at = add_escape(literal, at + 1, end, token->is_bytes);
        } else if (text[at] == '\r') {
            literal_add(literal, "\n", 1);
            at += at + 1 < end && text[at + 1] == '\n' ? 2 : 1;
        } else {
            if (token->is_bytes && (unsigned char)text[at] >= 0x80)
                parse_fail(literal->parser, at, at + 1,
                           "bytes can only contain ASCII literal characters");
            literal_add(literal, text + at++, 1);
        }
    }
}

static struct node *literal_node(struct literal *literal, uint32_t start, bool is_bytes)
{
    struct arena *arena = literal->parser->arena;
    const char *bytes = literal->bytes ? literal->bytes : "";
    struct value v = is_bytes ? (struct value){ .kind = K_BYTES,
                                                .s = string_new_bytes(arena, bytes, literal->len) }
                              : V_STR(string_new(arena, bytes, literal->len));
    return node_constant(literal->parser, start, v);
}

static void flush_literal(struct literal *literal, struct node *into, uint32_t start)
{
    if (literal->len == 0)
        return;
    node_add(literal->parser, into, literal_node(literal, start, false));
    *literal = (struct literal){ .parser = literal->parser };
}

/* From behind the "{": where the expression of a replacement field ends. */
static uint32_t field_expression_end(struct parser *parser, uint32_t at, uint32_t end)
{
    const char *text = parser->source->text.ptr;
    int depth = 0;
    char quote = 0;
    for (; at < end; at++) {
        char c = text[at];
        bool is_unequal = c == '!' && at + 1 < end && text[at + 1] == '=';
        if (quote) {
            quote = c == quote ? 0 : quote;
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else if (depth == 0 && !is_unequal && (c == '!' || c == ':' || c == '}')) {
            return at;
        } else {
            depth += (c == '(' || c == '[' || c == '{') - (c == ')' || c == ']' || c == '}');
            at += is_unequal;
        }
    }
    parse_fail(parser, at, at, "f-string: expecting '}'");
}

/* `{name=}`: true when the text ends in a single "=", which is not part of the expression. */
static bool is_self_documenting(const char *text, uint32_t start, uint32_t *end)
{
    uint32_t at = *end;
    while (at > start && text[at - 1] == ' ')
        at--;
    if (at < start + 2 || text[at - 1] != '=' || strchr("=!<>", text[at - 2]))
        return false;
    *end = at - 1;
    return true;
}

static uint32_t parse_format_text(struct parser *parser, struct node *into, uint32_t at,
                                  uint32_t end, const struct token *token, bool is_specification);

/* An escape counts as one character, so that the braces of \N{...} do not open a field. */
static uint32_t behind_character(const char *text, uint32_t at, uint32_t end,
                                 const struct token *token)
{
    if (text[at] != '\\' || token->is_raw || at + 1 >= end)
        return at + 1;
    if (text[at + 1] != 'N' || at + 2 >= end || text[at + 2] != '{')
        return at + 2;
    while (at < end && text[at] != '}')
        at++;
    return at < end ? at + 1 : end;
}

/* From behind the "{" of a replacement field; gives where to go on. */
static uint32_t parse_field(struct parser *parser, struct literal *literal, struct node *into,
                            uint32_t at, uint32_t end, const struct token *token)
{
    const char *text = parser->source->text.ptr;
    uint32_t stop = field_expression_end(parser, at, end), expression_end = stop;
    bool is_documenting = is_self_documenting(text, at, &expression_end);
    if (is_documenting)
        literal_add(literal, text + at, stop - at);
    flush_literal(literal, into, at);
    for (uint32_t i = at; i < expression_end; i++)
        if (text[i] == '\\')
            parse_fail(parser, i, i + 1, "f-string expression part cannot include a backslash");
    struct node *field = node_new(parser, N_FORMAT, at - 1);
    field->a = parse_embedded(parser, at, expression_end);
    if (text[stop] == '!' && stop + 1 < end) {
        field->op = (uint8_t)text[stop + 1];
        if (!strchr("rsa", text[stop + 1]))
            parse_fail(parser, stop, stop + 2,
                       "f-string: invalid conversion character: expected 's', 'r', or 'a'");
        stop += 2;
    }
    if (stop < end && text[stop] == ':') {
        field->b = node_new(parser, N_FORMAT_STRING, stop + 1);
        stop = parse_format_text(parser, field->b, stop + 1, end, token, true);
    }
    if (stop >= end || text[stop] != '}')
        parse_fail(parser, at - 1, stop, "f-string: expecting '}'");
    if (is_documenting && !field->op && !field->b)
        field->op = 'r';
    field->end = stop + 1;
    node_add(parser, into, field);
    return stop + 1;
}

/* Text with replacement fields, up to `end`, or in a specification up to the "}". */
static uint32_t parse_format_text(struct parser *parser, struct node *into, uint32_t at,
                                  uint32_t end, const struct token *token, bool is_specification)
{
    const char *text = parser->source->text.ptr;
    struct literal literal = { .parser = parser };
    uint32_t start = at;
    parse_enter(parser);
    while (at < end && !(is_specification && text[at] == '}')) {
        bool is_double = at + 1 < end && text[at + 1] == text[at] && !is_specification;
        if (text[at] == '{' && !is_double) {
            at = parse_field(parser, &literal, into, at + 1, end, token);
        } else if (text[at] == '{' || text[at] == '}') {
            if (!is_double)
                parse_fail(parser, at, at + 1, "f-string: single '}' is not allowed");
            literal_add(&literal, text + at, 1);
            at += 2;
        } else {
            uint32_t stop = at;
            while (stop < end && text[stop] != '{' && text[stop] != '}')
                stop = behind_character(text, stop, end, token);
            add_text(&literal, at, stop, token);
            at = stop;
        }
    }
    parser->depth--;
    flush_literal(&literal, into, start);
    return at;
}

static struct node *parse_plain_strings(struct parser *parser, size_t count, uint32_t start)
{
    struct literal literal = { .parser = parser };
    bool is_bytes = token_now(parser)->is_bytes;
    for (size_t i = 0; i < count; i++) {
        struct token *token = token_take(parser);
        if (token->is_bytes != is_bytes)
            parse_fail(parser, token->start, token->end, "cannot mix bytes and nonbytes literals");
        add_text(&literal, token->body_start, token->body_end, token);
    }
    return node_finish(parser, literal_node(&literal, start, is_bytes));
}

struct node *parse_strings(struct parser *parser)
{
    uint32_t start = token_now(parser)->start;
    size_t count = 0;
    bool is_format = false;
    for (; token_now(parser)[count].kind == T_STRING; count++)
        is_format |= token_now(parser)[count].is_format;
    if (!is_format)
        return parse_plain_strings(parser, count, start);
    struct node *node = node_new(parser, N_FORMAT_STRING, start);
    for (size_t i = 0; i < count; i++) {
        struct token *token = token_take(parser);
        if (token->is_format) {
            parse_format_text(parser, node, token->body_start, token->body_end, token, false);
        } else {
            struct literal literal = { .parser = parser };
            add_text(&literal, token->body_start, token->body_end, token);
            flush_literal(&literal, node, token->start);
        }
    }
    return node_finish(parser, node);
}
