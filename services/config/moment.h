#pragma once

#include "config/vm.h"

/* Dates and differences of dates, for the operators.  `is_moment` values are those of the classes of
 * the module datetime. */
bool value_is_moment(struct value v);
/* A timedelta of no length: it counts as false. */
bool moment_is_zero(struct value v);
struct value moment_part(struct value self, const struct string *name);
bool moment_binary(struct vm *vm, enum binary_op op, struct value a, struct value b,
                   struct value *ret, bool *ret_done);
bool moment_compare(struct value a, struct value b, int *ret);
bool moment_repr(struct vm *vm, struct value v, struct string **ret);
bool moment_text(struct vm *vm, struct value v, struct string **ret);
