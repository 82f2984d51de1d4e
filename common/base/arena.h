#pragma once

#include <stdarg.h>
#include <stddef.h>

/* Memory for what dies together: one request, one compilation.  Blocks double from 4 KiB to 1 MiB,
 * nothing is freed alone, and everything goes with arena_free() or arena_reset().  Not thread-safe.
 * Aborts when the system is out of memory; a caller that must stop earlier sets a limit. */
struct arena;

struct arena *arena_new(void) __attribute__((returns_nonnull));
void arena_free(struct arena *arena); /* NULL is a no-op */

/* Frees everything but the largest block, so that the next use starts warm. */
void arena_reset(struct arena *arena);

/* Zeroed and aligned for any type.  `size` 0 gives a valid unique pointer. */
void *arena_alloc(struct arena *arena, size_t size)
    __attribute__((returns_nonnull, malloc, alloc_size(2)));

/* As arena_alloc() for `count * size`; aborts on overflow. */
void *arena_array(struct arena *arena, size_t count, size_t size) __attribute__((returns_nonnull));

/* A copy grown from `old_size` to `new_size`; in place when `p` was the last allocation.  The new
 * part is zeroed. */
void *arena_grow(struct arena *arena, void *p, size_t old_size, size_t new_size)
    __attribute__((returns_nonnull));

char *arena_strdup(struct arena *arena, const char *text) __attribute__((returns_nonnull));
char *arena_memdup0(struct arena *arena, const void *bytes, size_t len)
    __attribute__((returns_nonnull));
char *arena_printf(struct arena *arena, const char *fmt, ...)
    __attribute__((returns_nonnull, format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *fmt, va_list ap)
    __attribute__((returns_nonnull, format(printf, 2, 0)));

/* Bytes handed out since arena_new() or arena_reset(), for limits on what one request may use. */
size_t arena_used(const struct arena *arena);
