#include "config/encoding.h"

#include <ctype.h>

/* UTF-8, ASCII and Latin-1, with Python's messages and ways to go on behind what does not fit. */

enum handler { HANDLER_STRICT, HANDLER_IGNORE, HANDLER_REPLACE, HANDLER_XML, HANDLER_BACKSLASH };

struct encoding {
    const char *name;
    uint32_t limit; /* of the characters that it has; 0: it has all */
};

static bool find_encoding(struct vm *vm, struct value name, struct encoding *ret)
{
    static const struct {
        const char *name;
        struct encoding encoding;
    } rows[] = {
        { "utf8", { "utf-8", 0 } },         { "u8", { "utf-8", 0 } },
        { "ascii", { "ascii", 128 } },      { "usascii", { "ascii", 128 } },
        { "latin1", { "latin-1", 256 } },   { "latin", { "latin-1", 256 } },
        { "iso88591", { "latin-1", 256 } }, { "l1", { "latin-1", 256 } },
    };
    char plain[16];
    size_t len = 0;
    *ret = rows[0].encoding;
    if (name.kind != K_STR)
        return true;
    for (size_t i = 0; i < name.s->len && len + 1 < sizeof plain; i++)
        if (isalnum((unsigned char)name.s->data[i]))
            plain[len++] = (char)tolower((unsigned char)name.s->data[i]);
    plain[len] = '\0';
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].name, plain) == 0) {
            *ret = rows[i].encoding;
            return true;
        }
    return raise_error(vm, &class_LookupError, "unknown encoding: %s", name.s->data);
}

static bool find_handler(struct vm *vm, struct value name, enum handler *ret)
{
    static const struct {
        const char *name;
        enum handler handler;
    } rows[] = {
        { "strict", HANDLER_STRICT },
        { "ignore", HANDLER_IGNORE },
        { "replace", HANDLER_REPLACE },
        { "xmlcharrefreplace", HANDLER_XML },
        { "backslashreplace", HANDLER_BACKSLASH },
    };
    *ret = HANDLER_STRICT;
    if (name.kind != K_STR)
        return true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (string_is(name.s, rows[i].name)) {
            *ret = rows[i].handler;
            return true;
        }
    return raise_error(vm, &class_LookupError, "unknown error handler name '%s'", name.s->data);
}

static void add_escape(struct buffer *buffer, uint32_t code)
{
    buffer_printf(buffer, code < 0x100 ? "\\x%02x" : code < 0x10000 ? "\\u%04x" : "\\U%08x", code);
}

/* --- to bytes --- */

static bool cannot_encode(struct vm *vm, const struct encoding *encoding, const struct string *text,
                          size_t at)
{
    size_t first = utf8_count(text->data, at), count = 0, length;
    uint32_t code = utf8_decode(text->data + at, &length);
    for (; at < text->len && utf8_decode(text->data + at, &length) >= encoding->limit; at += length)
        count++;
    if (count > 1)
        return raise_error(vm, &class_UnicodeEncodeError,
                           "'%s' codec can't encode characters in position %zu-%zu: ordinal not in "
                           "range(%u)",
                           encoding->name, first, first + count - 1, encoding->limit);
    struct buffer shown = buffer_new(vm);
    add_escape(&shown, code);
    return raise_error(vm, &class_UnicodeEncodeError,
                       "'%s' codec can't encode character '%.*s' in position %zu: ordinal not in "
                       "range(%u)",
                       encoding->name, (int)shown.len, shown.bytes, first, encoding->limit);
}

static void add_substitute(struct buffer *buffer, enum handler handler, uint32_t code)
{
    if (handler == HANDLER_REPLACE)
        buffer_char(buffer, '?');
    else if (handler == HANDLER_XML)
        buffer_printf(buffer, "&#%u;", code);
    else if (handler == HANDLER_BACKSLASH)
        add_escape(buffer, code);
}

static struct value to_bytes(struct vm *vm, const struct buffer *buffer)
{
    return (struct value){ .kind = K_BYTES,
                           .s = string_new_bytes(vm->arena, buffer->bytes ? buffer->bytes : "",
                                                 buffer->len) };
}

bool text_encode(struct vm *vm, const struct string *text, struct value encoding_name,
                 struct value errors, struct value *ret)
{
    struct buffer buffer = buffer_new(vm);
    struct encoding encoding;
    enum handler handler;
    if (!find_encoding(vm, encoding_name, &encoding) || !find_handler(vm, errors, &handler))
        return false;
    if (encoding.limit == 0)
        buffer_add(&buffer, text->data, text->len);
    for (size_t at = 0, length; encoding.limit && at < text->len; at += length) {
        uint32_t code = utf8_decode(text->data + at, &length);
        if (code < encoding.limit)
            buffer_char(&buffer, (char)code);
        else if (handler == HANDLER_STRICT)
            return cannot_encode(vm, &encoding, text, at);
        else
            add_substitute(&buffer, handler, code);
    }
    if (buffer.is_over)
        return raise_limit(vm, "bytes are longer than %d", LIMIT_STRING_BYTES);
    *ret = to_bytes(vm, &buffer);
    return true;
}

/* --- from bytes --- */

/* The length of the character at the start, or 0; then `*ret_bad` bytes are wrong, for `*ret_reason`. */
static size_t take_character(struct slice rest, size_t *ret_bad, const char **ret_reason)
{
    unsigned char c = (unsigned char)rest.ptr[0];
    size_t wanted = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    *ret_bad = 1;
    *ret_reason = "invalid start byte";
    if (wanted < 2)
        return wanted;
    for (size_t i = 1; i < wanted; i++) {
        *ret_reason = "unexpected end of data";
        if (i == rest.len)
            return 0;
        unsigned char next = (unsigned char)rest.ptr[i];
        unsigned char least = i > 1 ? 0x80 : c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
        unsigned char most = i > 1 ? 0xbf : c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
        *ret_reason = "invalid continuation byte";
        if (next < least || next > most)
            return 0;
        *ret_bad = i + 1;
    }
    return wanted;
}

static bool cannot_decode(struct vm *vm, const char *name, const struct string *bytes, size_t at,
                          size_t count, const char *reason)
{
    if (count > 1)
        return raise_error(vm, &class_UnicodeDecodeError,
                           "'%s' codec can't decode bytes in position %zu-%zu: %s", name, at,
                           at + count - 1, reason);
    return raise_error(vm, &class_UnicodeDecodeError,
                       "'%s' codec can't decode byte 0x%02x in position %zu: %s", name,
                       (unsigned char)bytes->data[at], at, reason);
}

static void add_replacement(struct buffer *buffer, enum handler handler, struct slice bad)
{
    if (handler == HANDLER_REPLACE)
        buffer_text(buffer, "\xef\xbf\xbd");
    for (size_t i = 0; handler == HANDLER_BACKSLASH && i < bad.len; i++)
        buffer_printf(buffer, "\\x%02x", (unsigned char)bad.ptr[i]);
}

static bool decode_utf8(struct vm *vm, const struct string *bytes, enum handler handler,
                        struct buffer *buffer)
{
    for (size_t at = 0; at < bytes->len;) {
        struct slice rest = { bytes->data + at, bytes->len - at };
        size_t bad;
        const char *reason;
        size_t length = take_character(rest, &bad, &reason);
        if (!length && handler == HANDLER_STRICT)
            return cannot_decode(vm, "utf-8", bytes, at, bad, reason);
        if (length)
            buffer_add(buffer, rest.ptr, length);
        else
            add_replacement(buffer, handler, (struct slice){ rest.ptr, bad });
        at += length ? length : bad;
    }
    return true;
}

static bool decode_single(struct vm *vm, const struct string *bytes,
                          const struct encoding *encoding, enum handler handler,
                          struct buffer *buffer)
{
    for (size_t i = 0; i < bytes->len; i++) {
        char text[4];
        unsigned char c = (unsigned char)bytes->data[i];
        if (c < encoding->limit)
            buffer_add(buffer, text, utf8_encode(c, text));
        else if (handler == HANDLER_STRICT)
            return cannot_decode(vm, encoding->name, bytes, i, 1, "ordinal not in range(128)");
        else
            add_replacement(buffer, handler, (struct slice){ bytes->data + i, 1 });
    }
    return true;
}

bool text_decode(struct vm *vm, const struct string *bytes, struct value encoding_name,
                 struct value errors, struct value *ret)
{
    struct buffer buffer = buffer_new(vm);
    struct encoding encoding;
    enum handler handler;
    if (!find_encoding(vm, encoding_name, &encoding) || !find_handler(vm, errors, &handler))
        return false;
    return (encoding.limit ? decode_single(vm, bytes, &encoding, handler, &buffer)
                           : decode_utf8(vm, bytes, handler, &buffer)) &&
           buffer_value(vm, &buffer, ret);
}
