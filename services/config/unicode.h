#pragma once

#include "base/slice.h"

#include <stdint.h>

/* The character that a name in \N{...} stands for; names of common signs only. */
bool unicode_by_name(struct slice name, uint32_t *ret_code);

bool unicode_is_alpha(uint32_t code);
bool unicode_is_space(uint32_t code);
bool unicode_is_printable(uint32_t code);
uint32_t unicode_lower(uint32_t code);
uint32_t unicode_upper(uint32_t code);
