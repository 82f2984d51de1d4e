#pragma once

#include "config/vm.h"

/* The positions that a slice takes out of `length` items: `count` of them, from `start` on. */
struct indices {
    int64_t start, step;
    size_t count;
};

bool slice_indices(struct vm *vm, const struct list *slice, size_t length, struct indices *ret);
