#include "base/arena.h"

#include "base/alloc.h"
#include "base/sanitizer.h"

#include <assert.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Under the address sanitizer there is a gap behind each allocation, and what was not handed out must
 * not be touched: reading past the end of one is found as it is with malloc(). */
#ifdef HAS_ASAN
#include <sanitizer/asan_interface.h>
#define GAP_BYTES ((size_t)16)
#else
#define GAP_BYTES                             ((size_t)0)
#define ASAN_POISON_MEMORY_REGION(at, size)   ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

#define FIRST_BLOCK_BYTES   ((size_t)4 << 10)
#define LARGEST_BLOCK_BYTES ((size_t)1 << 20)

/* `bytes` starts at an address aligned for any type: the header's size is a multiple of that. */
struct block {
    struct block *next;
    size_t size, used;
    alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    struct block *head; /* the one that allocations come from */
    size_t next_block_bytes;
    size_t used;
};

struct arena *arena_new(void)
{
    struct arena *arena = xcalloc(1, sizeof *arena);
    arena->next_block_bytes = FIRST_BLOCK_BYTES;
    return arena;
}

static void free_block(struct block *block)
{
    ASAN_UNPOISON_MEMORY_REGION(block->bytes, block->size);
    free(block);
}

static void free_blocks(struct block *block)
{
    while (block) {
        struct block *next = block->next;
        free_block(block);
        block = next;
    }
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    free_blocks(arena->head);
    free(arena);
}

void arena_reset(struct arena *arena)
{
    struct block *keep = NULL;
    for (struct block *block = arena->head; block; block = block->next)
        if (block->size <= LARGEST_BLOCK_BYTES && (!keep || block->size > keep->size))
            keep = block;
    for (struct block *block = arena->head, *next; block; block = next) {
        next = block->next;
        if (block != keep)
            free_block(block);
    }
    if (keep) {
        ASAN_UNPOISON_MEMORY_REGION(keep->bytes, keep->size);
        memset(keep->bytes, 0, keep->used);
        ASAN_POISON_MEMORY_REGION(keep->bytes, keep->size);
        keep->used = 0;
        keep->next = NULL;
    }
    arena->head = keep;
    arena->used = 0;
}

static size_t round_up(size_t size)
{
    const size_t align = alignof(max_align_t);
    return (size + align - 1) & ~(align - 1);
}

/* A block larger than the usual size is put behind the head, so that one large allocation does not
 * waste what is left of the current block. */
static struct block *add_block(struct arena *arena, size_t at_least)
{
    size_t size = arena->next_block_bytes;
    bool is_large = at_least > size;
    if (is_large)
        size = at_least;
    else if (arena->next_block_bytes < LARGEST_BLOCK_BYTES)
        arena->next_block_bytes *= 2;

    struct block *block = xcalloc(1, sizeof *block + size);
    block->size = size;
    ASAN_POISON_MEMORY_REGION(block->bytes, size);
    if (is_large && arena->head) {
        block->next = arena->head->next;
        arena->head->next = block;
    } else {
        block->next = arena->head;
        arena->head = block;
    }
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    assert(size <= SIZE_MAX / 2);
    size_t need = round_up(size ? size : 1);
    struct block *block = arena->head;
    if (!block || block->size - block->used < need + GAP_BYTES)
        block = add_block(arena, need + GAP_BYTES);
    void *p = block->bytes + block->used;
    block->used += need + GAP_BYTES;
    arena->used += need;
    ASAN_UNPOISON_MEMORY_REGION(p, size ? size : 1);
    return p;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        abort();
    return arena_alloc(arena, total);
}

void *arena_grow(struct arena *arena, void *p, size_t old_size, size_t new_size)
{
    assert(new_size >= old_size);
    struct block *block = arena->head;
    size_t old_need = round_up(old_size ? old_size : 1);
    size_t new_need = round_up(new_size ? new_size : 1);
    if (p && block && block->used >= old_need + GAP_BYTES &&
        (unsigned char *)p == block->bytes + block->used - old_need - GAP_BYTES &&
        block->size - block->used >= new_need - old_need) {
        block->used += new_need - old_need;
        arena->used += new_need - old_need;
        ASAN_UNPOISON_MEMORY_REGION(p, new_size ? new_size : 1);
        return p;
    }
    void *copy = arena_alloc(arena, new_size);
    if (p && old_size)
        memcpy(copy, p, old_size);
    return copy;
}

char *arena_memdup0(struct arena *arena, const void *bytes, size_t len)
{
    char *copy = arena_alloc(arena, len + 1);
    if (len)
        memcpy(copy, bytes, len);
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_memdup0(arena, text, strlen(text));
}

char *arena_vprintf(struct arena *arena, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    assert(len >= 0);
    char *result = arena_alloc(arena, (size_t)len + 1);
    vsnprintf(result, (size_t)len + 1, fmt, ap);
    return result;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *result = arena_vprintf(arena, fmt, ap);
    va_end(ap);
    return result;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}
