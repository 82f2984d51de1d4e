#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A view of bytes that somebody else owns; not NUL-terminated. */
struct slice {
    const char *ptr;
    size_t len;
};

#define SLICE(literal) ((struct slice){ (literal), sizeof(literal) - 1 })
/* Arguments for a "%.*s" conversion; only for bytes that are known to be printable. */
#define SLICE_ARG(s) (int)(s).len, (s).ptr

static inline struct slice slice_of(const char *text)
{
    return (struct slice){ text, text ? strlen(text) : 0 };
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool slice_is(struct slice a, const char *text)
{
    if (text && a.len > 0 && a.ptr[0] != text[0])
        return false; /* decides most of the time */
    return slice_equal(a, slice_of(text));
}

bool slice_starts_with(struct slice s, struct slice prefix);
bool slice_ends_with(struct slice s, struct slice suffix);

/* Byte order; a prefix sorts first. */
int slice_compare(struct slice a, struct slice b);

/* Without white space (space, tab, CR, LF) at both ends. */
struct slice slice_trim(struct slice s);

/* Splits at the first `separator`: gives what is before it and leaves what is behind it in `*rest`.
 * Without one, the whole of `*rest` is given and `rest->ptr` becomes NULL, so
 * `while (rest.ptr) { part = slice_split(&rest, ','); … }` visits every part, empty ones too. */
struct slice slice_split(struct slice *rest, char separator);

/* Decimal digits only, no sign, no space, at most `max`.  False leaves the result untouched. */
bool slice_to_u64(struct slice s, uint64_t max, uint64_t *ret_value);

/* As slice_to_u64() with an optional leading '-'. */
bool slice_to_i64(struct slice s, int64_t *ret_value);

/* Valid UTF-8 as of RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
bool slice_is_utf8(struct slice s);
