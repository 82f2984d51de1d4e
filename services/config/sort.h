#pragma once

#include "config/vm.h"

/* Stable sorting; `key` may be None or absent. */
bool sort_list(struct vm *vm, struct list *list, struct value key, bool is_reversed);

/* Sorts `list` by the values beside its items. */
bool sort_by(struct vm *vm, struct list *list, struct list *keys, bool is_reversed);
