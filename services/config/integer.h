#pragma once

#include "config/value.h"

/* Whole numbers of any size up to LIMIT_INTEGER_BITS.  Arguments are K_BOOL, K_INT or K_BIG; results
 * are K_INT when they fit.  A function that can grow a number returns false when it would pass the
 * limit. */

struct big {
    bool is_negative;
    uint32_t count;
    uint32_t *digits; /* base 2^32, lowest first; the highest is not 0 */
};

bool integer_add(struct arena *arena, struct value a, struct value b, struct value *ret);
bool integer_subtract(struct arena *arena, struct value a, struct value b, struct value *ret);
bool integer_multiply(struct arena *arena, struct value a, struct value b, struct value *ret);

/* Towards minus infinity; `b` is not 0.  Either result may be NULL. */
void integer_divide(struct arena *arena, struct value a, struct value b, struct value *ret_quotient,
                    struct value *ret_remainder);

/* `exponent` is not negative. */
bool integer_power(struct arena *arena, struct value base, struct value exponent,
                   struct value *ret);
bool integer_shift_left(struct arena *arena, struct value a, uint64_t bits, struct value *ret);
struct value integer_shift_right(struct arena *arena, struct value a, uint64_t bits);

/* `op` is '&', '|' or '^'. */
struct value integer_bitwise(struct arena *arena, struct value a, struct value b, char op);
struct value integer_negate(struct arena *arena, struct value a);

int integer_compare(struct value a, struct value b);
int integer_sign(struct value a);
uint64_t integer_bits(struct value a);                           /* of the magnitude */
double integer_to_double(struct value a);                        /* infinite when it is too large */
struct value integer_from_double(struct arena *arena, double d); /* cut towards zero; finite */

/* False when it does not fit. */
bool integer_to_i64(struct value a, int64_t *ret);

/* Digits of `base` with optional underscores between them; no sign.  False beyond the limit. */
bool integer_parse(struct arena *arena, struct slice digits, int base, struct value *ret);
struct string *integer_text(struct arena *arena, struct value a, int base);
