#pragma once

#include "config/vm.h"

/* Text to bytes and back.  `encoding` and `errors` are texts, or anything else for the usual ones: UTF-8,
 * and an exception for what does not fit. */
bool text_encode(struct vm *vm, const struct string *text, struct value encoding,
                 struct value errors, struct value *ret);
bool text_decode(struct vm *vm, const struct string *bytes, struct value encoding,
                 struct value errors, struct value *ret);
