#pragma once

#include <stddef.h>

/* For sizes this program chose: these abort instead of returning NULL.  A size chosen by a peer is
 * checked against a limit first.  Release with free(). */
void *xcalloc(size_t count, size_t size) __attribute__((returns_nonnull, malloc, alloc_size(1, 2)));

/* Grows or shrinks `p` to `count` elements of `size` bytes; new bytes are not initialised. */
void *xreallocarray(void *p, size_t count, size_t size) __attribute__((returns_nonnull));

char *xstrdup(const char *text) __attribute__((returns_nonnull, malloc));

/* Copies `len` bytes and adds a NUL. */
char *xmemdup0(const void *bytes, size_t len) __attribute__((returns_nonnull, malloc));

char *xasprintf(const char *fmt, ...)
    __attribute__((returns_nonnull, malloc, format(printf, 1, 2)));
