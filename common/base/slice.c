#include "base/slice.h"

bool slice_starts_with(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && slice_equal((struct slice){ s.ptr, prefix.len }, prefix);
}

bool slice_ends_with(struct slice s, struct slice suffix)
{
    return s.len >= suffix.len &&
           slice_equal((struct slice){ s.ptr + s.len - suffix.len, suffix.len }, suffix);
}

int slice_compare(struct slice a, struct slice b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.ptr, b.ptr, shorter) : 0;
    if (order)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice s)
{
    while (s.len && is_space(s.ptr[0]))
        s.ptr++, s.len--;
    while (s.len && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

struct slice slice_split(struct slice *rest, char separator)
{
    struct slice part = *rest;
    const char *at = rest->len ? memchr(rest->ptr, separator, rest->len) : NULL;
    if (!at) {
        *rest = (struct slice){ NULL, 0 };
        return part;
    }
    part.len = (size_t)(at - rest->ptr);
    *rest = (struct slice){ at + 1, rest->len - part.len - 1 };
    return part;
}

bool slice_to_u64(struct slice s, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.ptr[i] - '0'), &value))
            return false;
    }
    if (value > max)
        return false;
    *ret_value = value;
    return true;
}

bool slice_to_i64(struct slice s, int64_t *ret_value)
{
    bool negative = s.len && s.ptr[0] == '-';
    if (negative)
        s.ptr++, s.len--;
    uint64_t magnitude;
    if (!slice_to_u64(s, (uint64_t)INT64_MAX + negative, &magnitude))
        return false;
    *ret_value = negative ? (int64_t)-magnitude : (int64_t)magnitude;
    return true;
}

/* Length of the sequence that starts at `p`, or 0 when it is not valid. */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
    static const struct {
        unsigned char lead_min, lead_max, second_min, second_max, len;
    } forms[] = {
        { 0x00, 0x7f, 0x00, 0xff, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
        { 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
        { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
    };
    for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++) {
        if (p[0] < forms[f].lead_min || p[0] > forms[f].lead_max)
            continue;
        if (left < forms[f].len)
            return 0;
        if (forms[f].len > 1 && (p[1] < forms[f].second_min || p[1] > forms[f].second_max))
            return 0;
        for (size_t i = 2; i < forms[f].len; i++)
            if ((p[i] & 0xc0) != 0x80)
                return 0;
        return forms[f].len;
    }
    return 0;
}

/* Bytes from the start that are ASCII, in steps of a word; what is left over is looked at one by one. */
static size_t ascii_words(struct slice s)
{
    size_t i = 0;
    for (uint64_t word; i + sizeof word <= s.len; i += sizeof word) {
        memcpy(&word, s.ptr + i, sizeof word);
        if (word & 0x8080808080808080u)
            break;
    }
    return i;
}

bool slice_is_utf8(struct slice s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    for (size_t i = ascii_words(s); i < s.len;) {
        size_t len = utf8_sequence(p + i, s.len - i);
        if (!len)
            return false;
        i += len;
    }
    return true;
}
