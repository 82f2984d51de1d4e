#include "config/vm.h"

#include <stdio.h>

struct buffer buffer_new(struct vm *vm)
{
    return (struct buffer){ .arena = vm->arena };
}

void buffer_add(struct buffer *buffer, const char *bytes, size_t len)
{
    if (buffer->is_over || len > LIMIT_STRING_BYTES - buffer->len) {
        buffer->is_over = true;
        return;
    }
    if (buffer->len + len > buffer->capacity) {
        size_t capacity = (buffer->len + len) * 2 + 32;
        buffer->bytes = arena_grow(buffer->arena, buffer->bytes, buffer->capacity, capacity);
        buffer->capacity = capacity;
    }
    if (len)
        memcpy(buffer->bytes + buffer->len, bytes, len);
    buffer->len += len;
}

void buffer_text(struct buffer *buffer, const char *text)
{
    buffer_add(buffer, text, strlen(text));
}

void buffer_string(struct buffer *buffer, const struct string *s)
{
    buffer_add(buffer, s->data, s->len);
}

void buffer_char(struct buffer *buffer, char c)
{
    buffer_add(buffer, &c, 1);
}

void buffer_repeat(struct buffer *buffer, const char *text, size_t times)
{
    size_t len = strlen(text);
    if (times > LIMIT_STRING_BYTES)
        buffer->is_over = true;
    for (size_t i = 0; i < times && !buffer->is_over; i++)
        buffer_add(buffer, text, len);
}

void buffer_printf(struct buffer *buffer, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    int len = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    buffer_add(buffer, text, len < (int)sizeof text ? (size_t)len : sizeof text - 1);
}

bool buffer_finish(struct vm *vm, struct buffer *buffer, struct string **ret)
{
    if (buffer->is_over)
        return raise_limit(vm, "a text is longer than %d bytes", LIMIT_STRING_BYTES);
    *ret = string_new(vm->arena, buffer->bytes ? buffer->bytes : "", buffer->len);
    return true;
}

bool buffer_value(struct vm *vm, struct buffer *buffer, struct value *ret)
{
    struct string *s = NULL;
    if (!buffer_finish(vm, buffer, &s))
        return false;
    *ret = V_STR(s);
    return true;
}
