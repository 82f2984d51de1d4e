#pragma once

#include "config/vm.h"

/* `text % v` */
bool format_percent(struct vm *vm, const struct string *text, struct value v, struct value *ret);

/* `text.format(...)` */
bool format_braces(struct vm *vm, const struct string *text, const struct args *args,
                   struct value *ret);

/* format(v, specification): the mini-language of format() and f-strings. */
bool format_value(struct vm *vm, struct value v, const struct string *specification,
                  struct string **ret);

/* Conversion of `!r`, `!s`, `!a`; others leave `v` alone. */
bool format_convert(struct vm *vm, struct value v, char conversion, struct value *ret);
