#include "base/text.h"

#include "base/alloc.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FIRST_CAPACITY 64
#define READ_BYTES     ((size_t)1 << 16)

void text_done(struct text *text)
{
    free(text->ptr);
    *text = (struct text)TEXT_INIT;
}

void text_clear(struct text *text)
{
    text->len = 0;
    if (text->ptr)
        text->ptr[0] = '\0';
}

void text_reserve(struct text *text, size_t extra)
{
    assert(extra < SIZE_MAX / 2 - text->len);
    size_t need = text->len + extra + 1;
    if (need <= text->capacity)
        return;
    size_t capacity = text->capacity ? text->capacity : FIRST_CAPACITY;
    while (capacity < need)
        capacity *= 2;
    text->ptr = xreallocarray(text->ptr, capacity, 1);
    text->capacity = capacity;
}

void text_add_bytes(struct text *text, const void *bytes, size_t len)
{
    text_reserve(text, len);
    if (len)
        memcpy(text->ptr + text->len, bytes, len);
    text->len += len;
    text->ptr[text->len] = '\0';
}

void text_add(struct text *text, const char *string)
{
    text_add_bytes(text, string, strlen(string));
}

void text_add_char(struct text *text, char c)
{
    text_add_bytes(text, &c, 1);
}

void text_add_slice(struct text *text, struct slice slice)
{
    text_add_bytes(text, slice.ptr, slice.len);
}

void text_vprintf(struct text *text, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    assert(len >= 0);
    text_reserve(text, (size_t)len);
    vsnprintf(text->ptr + text->len, (size_t)len + 1, fmt, ap);
    text->len += (size_t)len;
}

void text_printf(struct text *text, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    text_vprintf(text, fmt, ap);
    va_end(ap);
}

bool text_read(struct text *text, int fd, size_t max_bytes)
{
    ssize_t len;
    do {
        text_reserve(text, READ_BYTES);
        len = read(fd, text->ptr + text->len, READ_BYTES);
        if (len < 0 && errno != EINTR)
            return false;
        text->len += len > 0 ? (size_t)len : 0;
        text->ptr[text->len] = '\0';
    } while (len != 0 && text->len <= max_bytes);
    return true;
}

static void add_json_escape(struct text *text, unsigned char c)
{
    static const char short_forms[] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'
    };
    if (c == '"' || c == '\\')
        text_printf(text, "\\%c", c);
    else if (c < sizeof short_forms && short_forms[c])
        text_printf(text, "\\%c", short_forms[c]);
    else
        text_printf(text, "\\u%04x", c);
}

static bool needs_json_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\' || c == 0x7f;
}

/* How many bytes from `i` on form one valid UTF-8 character; 0 if they do not. */
static size_t utf8_char_len(struct slice s, size_t i)
{
    for (size_t len = 1; len <= 4 && i + len <= s.len; len++)
        if (slice_is_utf8((struct slice){ s.ptr + i, len }))
            return len;
    return 0;
}

void text_add_json_string(struct text *text, struct slice s)
{
    text_add_char(text, '"');
    for (size_t i = 0; i < s.len;) {
        size_t plain = i;
        while (plain < s.len && !needs_json_escape((unsigned char)s.ptr[plain]) &&
               (unsigned char)s.ptr[plain] < 0x80)
            plain++;
        text_add_bytes(text, s.ptr + i, plain - i);
        i = plain;
        if (i == s.len)
            break;
        unsigned char c = (unsigned char)s.ptr[i];
        size_t len = c < 0x80 ? 1 : utf8_char_len(s, i);
        if (c < 0x80)
            add_json_escape(text, c);
        else if (len)
            text_add_bytes(text, s.ptr + i, len);
        else
            text_add(text, "\xef\xbf\xbd");
        i += len ? len : 1;
    }
    text_add_char(text, '"');
}

void text_add_hex(struct text *text, const void *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = bytes;
    text_reserve(text, 2 * len);
    for (size_t i = 0; i < len; i++) {
        text->ptr[text->len++] = digits[p[i] >> 4];
        text->ptr[text->len++] = digits[p[i] & 15];
    }
    text->ptr[text->len] = '\0';
}

const char *text_string(const struct text *text)
{
    return text->ptr ? text->ptr : "";
}

struct slice text_slice(const struct text *text)
{
    return (struct slice){ text_string(text), text->len };
}

char *text_take(struct text *text)
{
    char *result = text->ptr ? text->ptr : xmemdup0("", 0);
    *text = (struct text)TEXT_INIT;
    return result;
}
