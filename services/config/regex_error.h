#pragma once

#include "config/vm.h"

/* Raises re.error with what Python would say of a pattern that PCRE2 refused with `code` at byte `at`. */
bool regex_refused(struct vm *vm, const struct string *pattern, int code, size_t at);
