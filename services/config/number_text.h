#pragma once

#include "config/value.h"

/* Python's texts for numbers, and back. */

#define FLOAT_TEXT_BYTES 64

/* The shortest text that gives the same number again, as repr() writes it. */
void float_repr(double d, char out[FLOAT_TEXT_BYTES]);

/* Digits, fraction and exponent with underscores between digits; no sign, no space. */
bool float_parse_literal(struct slice text, double *ret);

/* What float() takes: white space around, a sign, "inf", "nan". */
bool float_parse(struct slice text, double *ret);

/* What int() takes with this base; 0 finds the base from a prefix. */
bool integer_parse_text(struct arena *arena, struct slice text, int base, struct value *ret);
