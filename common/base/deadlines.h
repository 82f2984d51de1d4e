#pragma once

#include <stddef.h>
#include <stdint.h>

/* A heap of moments, earliest first.  An item is in it at most once and knows its place, so that a
 * deadline is moved or taken back in O(log n). */
struct deadline {
    int64_t due_ms;
    size_t place; /* 1 + index in the heap; 0: not in it */
};

struct deadlines {
    struct deadline **items;
    size_t count, capacity;
};

void deadlines_done(struct deadlines *deadlines);

/* Adds `item`, or moves it. */
void deadlines_set(struct deadlines *deadlines, struct deadline *item, int64_t due_ms);
void deadlines_clear(struct deadlines *deadlines, struct deadline *item); /* may be absent */

/* Removes and returns the earliest item that is due at `now_ms`; NULL when none is. */
struct deadline *deadlines_take(struct deadlines *deadlines, int64_t now_ms);
