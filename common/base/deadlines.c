#include "base/deadlines.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>

static void put(struct deadlines *deadlines, size_t at, struct deadline *item)
{
    deadlines->items[at] = item;
    item->place = at + 1;
}

static void sift_up(struct deadlines *deadlines, size_t at)
{
    struct deadline *item = deadlines->items[at];
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (deadlines->items[parent]->due_ms <= item->due_ms)
            break;
        put(deadlines, at, deadlines->items[parent]);
        at = parent;
    }
    put(deadlines, at, item);
}

static void sift_down(struct deadlines *deadlines, size_t at)
{
    struct deadline *item = deadlines->items[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= deadlines->count)
            break;
        if (child + 1 < deadlines->count &&
            deadlines->items[child + 1]->due_ms < deadlines->items[child]->due_ms)
            child++;
        if (item->due_ms <= deadlines->items[child]->due_ms)
            break;
        put(deadlines, at, deadlines->items[child]);
        at = child;
    }
    put(deadlines, at, item);
}

void deadlines_done(struct deadlines *deadlines)
{
    free(deadlines->items);
    *deadlines = (struct deadlines){ 0 };
}

void deadlines_set(struct deadlines *deadlines, struct deadline *item, int64_t due_ms)
{
    if (item->place == 0) {
        if (deadlines->count == deadlines->capacity) {
            deadlines->capacity = deadlines->capacity ? 2 * deadlines->capacity : 64;
            deadlines->items =
                xreallocarray(deadlines->items, deadlines->capacity, sizeof *deadlines->items);
        }
        put(deadlines, deadlines->count++, item);
    }
    assert(deadlines->items[item->place - 1] == item);
    item->due_ms = due_ms;
    sift_up(deadlines, item->place - 1);
    sift_down(deadlines, item->place - 1);
}

void deadlines_clear(struct deadlines *deadlines, struct deadline *item)
{
    if (item->place == 0)
        return;
    size_t at = item->place - 1;
    struct deadline *last = deadlines->items[--deadlines->count];
    item->place = 0;
    if (last == item)
        return;
    put(deadlines, at, last);
    sift_up(deadlines, at);
    sift_down(deadlines, last->place - 1);
}

struct deadline *deadlines_take(struct deadlines *deadlines, int64_t now_ms)
{
    if (deadlines->count == 0 || deadlines->items[0]->due_ms > now_ms)
        return NULL;
    struct deadline *item = deadlines->items[0];
    deadlines_clear(deadlines, item);
    return item;
}
