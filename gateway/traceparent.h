#pragma once

#include "base/slice.h"

#include <stdint.h>

#define TRACEPARENT_SIZE 56 /* "00-<32 digits>-<16 digits>-<2 digits>" and a NUL */

/* Whether `text` is a traceparent of version 00 as of W3C Trace Context: lower-case digits, neither id
 * all zero. */
bool traceparent_is_valid(struct slice text);

/* Makes a new one, sampled, from 24 random bytes. */
void traceparent_make(const uint8_t random[24], char ret_text[TRACEPARENT_SIZE]);
