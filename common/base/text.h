#pragma once

#include "base/cleanup.h"
#include "base/slice.h"

#include <stdarg.h>

/* A growable string for output.  `ptr` is always NUL-terminated once anything was added, and the
 * contents may hold NULs.  Start with TEXT_INIT, release with text_done() (or `cleanup_text`). */
struct text {
    char *ptr;
    size_t len, capacity;
};

#define TEXT_INIT                                                                                  \
    {                                                                                              \
        0                                                                                          \
    }
#define cleanup_text CLEANUP(text_done)

void text_done(struct text *text); /* frees, and makes it empty again */

void text_clear(struct text *text); /* empty, keeps the memory */

/* Makes room for `extra` bytes more and a NUL; the caller may write there and then raise `len`. */
void text_reserve(struct text *text, size_t extra);

void text_add(struct text *text, const char *string);
void text_add_char(struct text *text, char c);
void text_add_bytes(struct text *text, const void *bytes, size_t len);
void text_add_slice(struct text *text, struct slice slice);
void text_printf(struct text *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_vprintf(struct text *text, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* Adds what `fd` gives, to its end or until `text` holds more than `max_bytes`, which the caller has to
 * look for.  False with errno set. */
bool text_read(struct text *text, int fd, size_t max_bytes);

/* A JSON string with its quotes.  Bytes that are not UTF-8 come out as U+FFFD. */
void text_add_json_string(struct text *text, struct slice slice);

/* Lower-case hexadecimal. */
void text_add_hex(struct text *text, const void *bytes, size_t len);

/* The contents as a NUL-terminated string that stays valid until the next change; "" if empty. */
const char *text_string(const struct text *text);

struct slice text_slice(const struct text *text);

/* Hands over the memory (release with free()) and leaves `text` empty; never NULL. */
char *text_take(struct text *text) __attribute__((returns_nonnull));
