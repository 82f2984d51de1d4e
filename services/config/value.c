#include "config/value.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

size_t utf8_count(const char *bytes, size_t len)
{
    size_t count = 0, i = 0;
    for (uint64_t word; len - i >= sizeof word; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        if (word & 0x8080808080808080)
            break; /* not only ASCII */
        count += sizeof word;
    }
    for (; i < len; i++)
        count += ((unsigned char)bytes[i] & 0xc0) != 0x80;
    return count;
}

size_t utf8_encode(uint32_t code, char *out)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | (code >> 6));
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | (code >> 12));
        out[1] = (char)(0x80 | ((code >> 6) & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | (code >> 18));
    out[1] = (char)(0x80 | ((code >> 12) & 0x3f));
    out[2] = (char)(0x80 | ((code >> 6) & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

uint32_t utf8_decode(const char *bytes, size_t *ret_length)
{
    const unsigned char *p = (const unsigned char *)bytes;
    if (p[0] < 0x80) {
        *ret_length = 1;
        return p[0];
    }
    if (p[0] < 0xe0) {
        *ret_length = 2;
        return (uint32_t)((p[0] & 0x1f) << 6 | (p[1] & 0x3f));
    }
    if (p[0] < 0xf0) {
        *ret_length = 3;
        return (uint32_t)((p[0] & 0x0f) << 12 | (p[1] & 0x3f) << 6 | (p[2] & 0x3f));
    }
    *ret_length = 4;
    return (uint32_t)((p[0] & 0x07) << 18 | (p[1] & 0x3f) << 12 | (p[2] & 0x3f) << 6 |
                      (p[3] & 0x3f));
}

struct string *string_alloc(struct arena *arena, size_t len)
{
    assert(len < UINT32_MAX);
    struct string *s = arena_alloc(arena, sizeof *s + len + 1);
    s->len = (uint32_t)len;
    return s;
}

struct string *string_finish(struct string *s)
{
    s->chars = (uint32_t)utf8_count(s->data, s->len);
    return s;
}

struct string *string_new(struct arena *arena, const char *bytes, size_t len)
{
    struct string *s = string_alloc(arena, len);
    if (len)
        memcpy(s->data, bytes, len);
    return string_finish(s);
}

struct string *string_new_bytes(struct arena *arena, const char *bytes, size_t len)
{
    struct string *s = string_new(arena, bytes, len);
    s->chars = s->len;
    return s;
}

struct string *string_from(struct arena *arena, const char *text)
{
    return string_new(arena, text, strlen(text));
}

struct string *string_printf(struct arena *arena, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = arena_vprintf(arena, fmt, ap);
    va_end(ap);
    return string_from(arena, text);
}

bool string_equal(const struct string *a, const struct string *b)
{
    return a == b || (a->len == b->len && memcmp(a->data, b->data, a->len) == 0);
}

bool string_is(const struct string *s, const char *text)
{
    return slice_is(string_slice(s), text);
}

uint64_t string_hash(struct string *s)
{
    if (s->hash)
        return s->hash;
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < s->len; i++)
        h = (h ^ (unsigned char)s->data[i]) * 0x100000001b3u;
    h ^= h >> 32;
    s->hash = h ? h : 1;
    return s->hash;
}

size_t string_offset(const struct string *s, size_t index)
{
    if (s->chars == s->len)
        return index;
    size_t at = 0;
    while (index > 0 && at < s->len) {
        at++;
        while (at < s->len && ((unsigned char)s->data[at] & 0xc0) == 0x80)
            at++;
        index--;
    }
    return at;
}

struct value list_new(struct arena *arena, enum kind kind, size_t capacity)
{
    struct list *list = arena_alloc(arena, sizeof *list);
    if (capacity) {
        list->items = arena_array(arena, capacity, sizeof *list->items);
        list->capacity = capacity;
    }
    return (struct value){ .kind = kind, .list = list };
}

void list_push(struct arena *arena, struct list *list, struct value v)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 4;
        list->items =
            arena_grow(arena, list->items, list->capacity * sizeof v, capacity * sizeof v);
        list->capacity = capacity;
    }
    list->items[list->count++] = v;
}

struct value tuple_of(struct arena *arena, const struct value *items, size_t count)
{
    struct value tuple = list_new(arena, K_TUPLE, count);
    for (size_t i = 0; i < count; i++)
        list_push(arena, tuple.list, items[i]);
    return tuple;
}
