#include "config/integer.h"

#include "config/limits.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>

#define DIGIT_BITS 32
#define MAX_PART   (UINT32_MAX / 36 / 36) /* times a base, still fits 32 bits */
#define MAX_DIGITS (LIMIT_INTEGER_BITS / DIGIT_BITS + 2)

/* --- magnitudes --- */

static struct big *big_new(struct arena *arena, uint32_t count)
{
    struct big *big = arena_alloc(arena, sizeof *big);
    big->digits = arena_array(arena, count, sizeof *big->digits);
    big->count = count;
    return big;
}

static void big_trim(struct big *big)
{
    while (big->count > 0 && big->digits[big->count - 1] == 0)
        big->count--;
}

/* As K_INT if it fits. */
static struct value big_value(struct big *big)
{
    big_trim(big);
    if (big->count > 2)
        return (struct value){ .kind = K_BIG, .big = big };
    uint64_t magnitude = 0;
    for (uint32_t i = big->count; i > 0; i--)
        magnitude = magnitude << DIGIT_BITS | big->digits[i - 1];
    if (big->is_negative && magnitude <= (uint64_t)1 << 63)
        return V_INT((int64_t)(0 - magnitude));
    if (!big->is_negative && magnitude <= INT64_MAX)
        return V_INT((int64_t)magnitude);
    return (struct value){ .kind = K_BIG, .big = big };
}

/* Room for one small number, so that both kinds are handled alike. */
struct small {
    struct big big;
    uint32_t digits[2];
};

static const struct big *big_of(struct value v, struct small *room)
{
    if (v.kind == K_BIG)
        return v.big;
    int64_t i = v.kind == K_BOOL ? v.b : v.i;
    uint64_t magnitude = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    room->big.is_negative = i < 0;
    room->big.count = magnitude >> DIGIT_BITS ? 2 : magnitude ? 1 : 0;
    room->big.digits = room->digits;
    room->digits[0] = (uint32_t)magnitude;
    room->digits[1] = (uint32_t)(magnitude >> DIGIT_BITS);
    return &room->big;
}

static int compare_magnitude(const struct big *a, const struct big *b)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (uint32_t i = a->count; i > 0; i--)
        if (a->digits[i - 1] != b->digits[i - 1])
            return a->digits[i - 1] < b->digits[i - 1] ? -1 : 1;
    return 0;
}

static struct big *add_magnitude(struct arena *arena, const struct big *a, const struct big *b)
{
    if (a->count < b->count)
        return add_magnitude(arena, b, a);
    struct big *sum = big_new(arena, a->count + 1);
    uint64_t carry = 0;
    for (uint32_t i = 0; i < a->count; i++) {
        carry += (uint64_t)a->digits[i] + (i < b->count ? b->digits[i] : 0);
        sum->digits[i] = (uint32_t)carry;
        carry >>= DIGIT_BITS;
    }
    sum->digits[a->count] = (uint32_t)carry;
    return sum;
}

/* `a` is not smaller than `b`. */
static struct big *subtract_magnitude(struct arena *arena, const struct big *a, const struct big *b)
{
    struct big *difference = big_new(arena, a->count);
    int64_t borrow = 0;
    for (uint32_t i = 0; i < a->count; i++) {
        int64_t digit = (int64_t)a->digits[i] - (i < b->count ? b->digits[i] : 0) + borrow;
        difference->digits[i] = (uint32_t)digit;
        borrow = digit < 0 ? -1 : 0;
    }
    return difference;
}

static struct big *add_signed(struct arena *arena, const struct big *a, const struct big *b,
                              bool is_b_negative)
{
    struct big *result;
    if (a->is_negative == is_b_negative) {
        result = add_magnitude(arena, a, b);
        result->is_negative = a->is_negative;
    } else if (compare_magnitude(a, b) >= 0) {
        result = subtract_magnitude(arena, a, b);
        result->is_negative = a->is_negative;
    } else {
        result = subtract_magnitude(arena, b, a);
        result->is_negative = is_b_negative;
    }
    return result;
}

static struct big *multiply_magnitude(struct arena *arena, const struct big *a, const struct big *b)
{
    struct big *product = big_new(arena, a->count + b->count);
    for (uint32_t i = 0; i < a->count; i++) {
        uint64_t carry = 0;
        for (uint32_t j = 0; j < b->count; j++) {
            carry += (uint64_t)a->digits[i] * b->digits[j] + product->digits[i + j];
            product->digits[i + j] = (uint32_t)carry;
            carry >>= DIGIT_BITS;
        }
        product->digits[i + b->count] = (uint32_t)carry;
    }
    return product;
}

/* In place; gives the remainder. */
static uint32_t divide_small(struct big *big, uint32_t divisor)
{
    uint64_t rest = 0;
    for (uint32_t i = big->count; i > 0; i--) {
        rest = rest << DIGIT_BITS | big->digits[i - 1];
        big->digits[i - 1] = (uint32_t)(rest / divisor);
        rest %= divisor;
    }
    big_trim(big);
    return (uint32_t)rest;
}

static struct big *copy_shifted(struct arena *arena, const struct big *a, unsigned bits)
{
    struct big *copy = big_new(arena, a->count + 1);
    uint64_t carry = 0;
    for (uint32_t i = 0; i < a->count; i++) {
        carry |= (uint64_t)a->digits[i] << bits;
        copy->digits[i] = (uint32_t)carry;
        carry >>= DIGIT_BITS;
    }
    copy->digits[a->count] = (uint32_t)carry;
    return copy;
}

/* Knuth's algorithm D: `rest` and `divisor` are shifted so that the divisor's highest bit is set;
 * `rest` has one digit more than the dividend and ends as the shifted remainder. */
static void divide_shifted(struct big *rest, const struct big *divisor, struct big *quotient)
{
    uint32_t n = divisor->count;
    for (uint32_t j = rest->count - n; j > 0; j--) {
        uint32_t *window = rest->digits + j - 1;
        uint64_t top = (uint64_t)window[n] << DIGIT_BITS | window[n - 1];
        uint64_t guess = top / divisor->digits[n - 1], left = top % divisor->digits[n - 1];
        while (guess >> DIGIT_BITS ||
               (n > 1 && guess * divisor->digits[n - 2] > (left << DIGIT_BITS | window[n - 2]))) {
            guess--;
            left += divisor->digits[n - 1];
            if (left >> DIGIT_BITS)
                break;
        }
        int64_t borrow = 0;
        uint64_t carry = 0;
        for (uint32_t i = 0; i < n; i++) {
            carry += guess * divisor->digits[i];
            int64_t digit = (int64_t)window[i] - (int64_t)(uint32_t)carry + borrow;
            window[i] = (uint32_t)digit;
            borrow = digit < 0 ? -1 : 0;
            carry >>= DIGIT_BITS;
        }
        int64_t digit = (int64_t)window[n] - (int64_t)carry + borrow;
        window[n] = (uint32_t)digit;
        if (digit < 0) { /* one too many */
            guess--;
            carry = 0;
            for (uint32_t i = 0; i < n; i++) {
                carry += (uint64_t)window[i] + divisor->digits[i];
                window[i] = (uint32_t)carry;
                carry >>= DIGIT_BITS;
            }
            window[n] += (uint32_t)carry;
        }
        quotient->digits[j - 1] = (uint32_t)guess;
    }
}

static void divide_magnitude(struct arena *arena, const struct big *a, const struct big *b,
                             struct big **ret_quotient, struct big **ret_remainder)
{
    if (compare_magnitude(a, b) < 0) {
        *ret_quotient = big_new(arena, 0);
        *ret_remainder = copy_shifted(arena, a, 0);
        big_trim(*ret_remainder);
        return;
    }
    if (b->count == 1) {
        *ret_quotient = copy_shifted(arena, a, 0);
        *ret_remainder = big_new(arena, 1);
        (*ret_remainder)->digits[0] = divide_small(*ret_quotient, b->digits[0]);
        big_trim(*ret_remainder);
        return;
    }
    unsigned bits = (unsigned)__builtin_clz(b->digits[b->count - 1]);
    struct big *rest = copy_shifted(arena, a, bits), *divisor = copy_shifted(arena, b, bits);
    divisor->count = b->count;
    struct big *quotient = big_new(arena, rest->count - divisor->count);
    divide_shifted(rest, divisor, quotient);
    for (uint32_t i = 0; i < rest->count; i++) {
        uint64_t high = i + 1 < rest->count ? rest->digits[i + 1] : 0;
        rest->digits[i] = (uint32_t)((high << DIGIT_BITS | rest->digits[i]) >> bits);
    }
    big_trim(quotient);
    big_trim(rest);
    *ret_quotient = quotient;
    *ret_remainder = rest;
}

/* --- values --- */

static bool give(struct big *big, struct value *ret)
{
    big_trim(big);
    if (big->count > MAX_DIGITS)
        return false;
    *ret = big_value(big);
    return true;
}

static int64_t small_of(struct value v)
{
    return v.kind == K_BOOL ? v.b : v.i;
}

bool integer_add(struct arena *arena, struct value a, struct value b, struct value *ret)
{
    int64_t sum;
    if (a.kind != K_BIG && b.kind != K_BIG &&
        !__builtin_add_overflow(small_of(a), small_of(b), &sum)) {
        *ret = V_INT(sum);
        return true;
    }
    struct small x = { 0 }, y = { 0 };
    const struct big *right = big_of(b, &y);
    return give(add_signed(arena, big_of(a, &x), right, right->is_negative), ret);
}

bool integer_subtract(struct arena *arena, struct value a, struct value b, struct value *ret)
{
    int64_t difference;
    if (a.kind != K_BIG && b.kind != K_BIG &&
        !__builtin_sub_overflow(small_of(a), small_of(b), &difference)) {
        *ret = V_INT(difference);
        return true;
    }
    struct small x = { 0 }, y = { 0 };
    const struct big *right = big_of(b, &y);
    return give(add_signed(arena, big_of(a, &x), right, !right->is_negative), ret);
}

bool integer_multiply(struct arena *arena, struct value a, struct value b, struct value *ret)
{
    int64_t product;
    if (a.kind != K_BIG && b.kind != K_BIG &&
        !__builtin_mul_overflow(small_of(a), small_of(b), &product)) {
        *ret = V_INT(product);
        return true;
    }
    struct small x = { 0 }, y = { 0 };
    const struct big *left = big_of(a, &x), *right = big_of(b, &y);
    if (left->count + right->count > MAX_DIGITS + 1)
        return false;
    struct big *big = multiply_magnitude(arena, left, right);
    big->is_negative = left->is_negative != right->is_negative;
    return give(big, ret);
}

static void divide_small_values(int64_t a, int64_t b, struct value *ret_quotient,
                                struct value *ret_remainder)
{
    int64_t quotient = a / b, remainder = a % b;
    if (remainder != 0 && (remainder < 0) != (b < 0)) {
        quotient--;
        remainder += b;
    }
    if (ret_quotient)
        *ret_quotient = V_INT(quotient);
    if (ret_remainder)
        *ret_remainder = V_INT(remainder);
}

void integer_divide(struct arena *arena, struct value a, struct value b, struct value *ret_quotient,
                    struct value *ret_remainder)
{
    if (a.kind != K_BIG && b.kind != K_BIG && !(small_of(a) == INT64_MIN && small_of(b) == -1)) {
        divide_small_values(small_of(a), small_of(b), ret_quotient, ret_remainder);
        return;
    }
    struct small x = { 0 }, y = { 0 };
    const struct big *left = big_of(a, &x), *right = big_of(b, &y);
    assert(right->count > 0);
    struct big *quotient, *remainder;
    divide_magnitude(arena, left, right, &quotient, &remainder);
    quotient->is_negative = left->is_negative != right->is_negative;
    remainder->is_negative = left->is_negative;
    struct value q = big_value(quotient), r = big_value(remainder);
    if (integer_sign(r) != 0 && left->is_negative != right->is_negative) {
        bool fits = integer_subtract(arena, q, V_INT(1), &q) && integer_add(arena, r, b, &r);
        assert(fits);
    }
    if (ret_quotient)
        *ret_quotient = q;
    if (ret_remainder)
        *ret_remainder = r;
}

bool integer_power(struct arena *arena, struct value base, struct value exponent, struct value *ret)
{
    struct value result = V_INT(1);
    uint64_t bits = integer_bits(base);
    int64_t left;
    if (!integer_to_i64(exponent, &left))
        left = INT64_MAX;
    if (bits <= 1) { /* -1, 0 and 1 */
        bool is_odd = exponent.kind == K_BIG ? exponent.big->digits[0] & 1 : left & 1;
        *ret =
            left == 0 ? V_INT(1) : V_INT(is_odd ? small_of(base) : small_of(base) * small_of(base));
        return true;
    }
    if (left > LIMIT_INTEGER_BITS || (bits - 1) * (uint64_t)left > LIMIT_INTEGER_BITS)
        return false;
    for (; left > 0; left >>= 1) {
        if ((left & 1) && !integer_multiply(arena, result, base, &result))
            return false;
        if (left > 1 && !integer_multiply(arena, base, base, &base))
            return false;
    }
    *ret = result;
    return true;
}

bool integer_shift_left(struct arena *arena, struct value a, uint64_t bits, struct value *ret)
{
    struct value factor;
    if (integer_sign(a) == 0) {
        *ret = V_INT(0);
        return true;
    }
    return bits <= LIMIT_INTEGER_BITS &&
           integer_power(arena, V_INT(2), V_INT((int64_t)bits), &factor) &&
           integer_multiply(arena, a, factor, ret);
}

struct value integer_shift_right(struct arena *arena, struct value a, uint64_t bits)
{
    struct value factor, quotient;
    if (bits > integer_bits(a) || !integer_power(arena, V_INT(2), V_INT((int64_t)bits), &factor))
        return V_INT(integer_sign(a) < 0 ? -1 : 0);
    integer_divide(arena, a, factor, &quotient, NULL);
    return quotient;
}

/* The digit of the two's complement form. */
static uint32_t complement_digit(const struct big *big, uint32_t i, uint32_t *carry)
{
    uint32_t digit = i < big->count ? big->digits[i] : 0;
    if (!big->is_negative)
        return digit;
    uint32_t sum = ~digit + *carry;
    *carry = *carry && sum == 0;
    return sum;
}

static uint32_t combine(uint32_t a, uint32_t b, char op)
{
    return op == '&' ? a & b : op == '|' ? a | b : a ^ b;
}

struct value integer_bitwise(struct arena *arena, struct value a, struct value b, char op)
{
    struct small x = { 0 }, y = { 0 };
    const struct big *left = big_of(a, &x), *right = big_of(b, &y);
    uint32_t count = (left->count > right->count ? left->count : right->count) + 1;
    struct big *result = big_new(arena, count);
    uint32_t carry_left = 1, carry_right = 1;
    for (uint32_t i = 0; i < count; i++)
        result->digits[i] = combine(complement_digit(left, i, &carry_left),
                                    complement_digit(right, i, &carry_right), op);
    result->is_negative = result->digits[count - 1] >> (DIGIT_BITS - 1);
    uint32_t carry = 1;
    for (uint32_t i = 0; result->is_negative && i < count; i++) {
        result->digits[i] = ~result->digits[i] + carry;
        carry = carry && result->digits[i] == 0;
    }
    return big_value(result);
}

struct value integer_negate(struct arena *arena, struct value a)
{
    struct value result;
    bool fits = integer_subtract(arena, V_INT(0), a, &result);
    assert(fits);
    return result;
}

int integer_sign(struct value a)
{
    if (a.kind == K_BIG)
        return a.big->is_negative ? -1 : 1;
    return (small_of(a) > 0) - (small_of(a) < 0);
}

int integer_compare(struct value a, struct value b)
{
    if (a.kind != K_BIG && b.kind != K_BIG)
        return (small_of(a) > small_of(b)) - (small_of(a) < small_of(b));
    struct small x = { 0 }, y = { 0 };
    const struct big *left = big_of(a, &x), *right = big_of(b, &y);
    if (left->is_negative != right->is_negative)
        return left->is_negative ? -1 : 1;
    int order = compare_magnitude(left, right);
    return left->is_negative ? -order : order;
}

uint64_t integer_bits(struct value a)
{
    struct small room = { 0 };
    const struct big *big = big_of(a, &room);
    if (big->count == 0)
        return 0;
    return (uint64_t)big->count * DIGIT_BITS - (uint64_t)__builtin_clz(big->digits[big->count - 1]);
}

double integer_to_double(struct value a)
{
    if (a.kind != K_BIG)
        return (double)small_of(a);
    /* The highest 64 bits, with the lowest of them set when anything is below it. */
    uint64_t bits = integer_bits(a), top = 0;
    bool is_inexact = false;
    for (uint32_t i = 0; i < a.big->count; i++) {
        uint64_t at = (uint64_t)i * DIGIT_BITS;
        if (at + 64 < bits && bits - 64 - at >= DIGIT_BITS)
            is_inexact |= a.big->digits[i] != 0;
        else if (at + 64 < bits) {
            unsigned cut = (unsigned)(bits - 64 - at);
            is_inexact |= (a.big->digits[i] & ((1u << cut) - 1)) != 0;
            top |= a.big->digits[i] >> cut;
        } else {
            top |= (uint64_t)a.big->digits[i] << (at + 64 - bits);
        }
    }
    double d = ldexp((double)(top | is_inexact), (int)bits - 64);
    return a.big->is_negative ? -d : d;
}

struct value integer_from_double(struct arena *arena, double d)
{
    d = trunc(d);
    if (d >= -9223372036854775808.0 && d < 9223372036854775808.0)
        return V_INT((int64_t)d);
    int exponent;
    double fraction = frexp(fabs(d), &exponent);
    uint64_t mantissa = (uint64_t)ldexp(fraction, 63);
    struct value v;
    bool fits = integer_shift_left(arena, V_INT((int64_t)mantissa), (uint64_t)(exponent - 63), &v);
    assert(fits);
    return d < 0 ? integer_negate(arena, v) : v;
}

bool integer_to_i64(struct value a, int64_t *ret)
{
    if (a.kind == K_BIG)
        return false;
    *ret = small_of(a);
    return true;
}

static uint32_t digit_value(char c)
{
    return (uint32_t)(isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10);
}

static void multiply_add(struct big *big, uint32_t factor, uint32_t carried)
{
    uint64_t carry = carried;
    for (uint32_t i = 0; i < big->count; i++) {
        carry += (uint64_t)big->digits[i] * factor;
        big->digits[i] = (uint32_t)carry;
        carry >>= DIGIT_BITS;
    }
    if (carry)
        big->digits[big->count++] = (uint32_t)carry;
}

bool integer_parse(struct arena *arena, struct slice digits, int base, struct value *ret)
{
    uint64_t small = 0;
    size_t i = 0;
    for (; i < digits.len && small < (uint64_t)1 << 56; i++)
        if (digits.ptr[i] != '_')
            small = small * (uint64_t)base + digit_value(digits.ptr[i]);
    if (i == digits.len) {
        *ret = V_INT((int64_t)small);
        return true;
    }
    if (digits.len > LIMIT_INTEGER_BITS / 3)
        return false;
    struct big *big = big_new(arena, (uint32_t)(digits.len / 5 + 4));
    big->count = 0;
    uint32_t power = 1, part = 0; /* of several digits: one pass for all of them */
    for (i = 0; i < digits.len; i++) {
        if (digits.ptr[i] == '_')
            continue;
        part = part * (uint32_t)base + digit_value(digits.ptr[i]);
        power *= (uint32_t)base;
        if (power <= MAX_PART)
            continue;
        multiply_add(big, power, part);
        power = 1;
        part = 0;
    }
    multiply_add(big, power, part);
    return give(big, ret);
}

struct string *integer_text(struct arena *arena, struct value a, int base)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    if (a.kind != K_BIG && base == 10)
        return string_printf(arena, "%lld", (long long)small_of(a));
    struct small room = { 0 };
    const struct big *big = big_of(a, &room);
    struct big *rest = copy_shifted(arena, big, 0);
    big_trim(rest);
    size_t capacity = (size_t)big->count * DIGIT_BITS + 3, at = capacity;
    char *text = arena_alloc(arena, capacity);
    uint32_t power = (uint32_t)base, several = 1; /* digits in one pass */
    for (; power <= MAX_PART; several++)
        power *= (uint32_t)base;
    do {
        uint32_t part = divide_small(rest, power);
        for (uint32_t i = 0; part > 0 || i < (rest->count > 0 ? several : 1); i++) {
            text[--at] = digits[part % (uint32_t)base];
            part /= (uint32_t)base;
        }
    } while (rest->count > 0);
    if (big->is_negative)
        text[--at] = '-';
    return string_new(arena, text + at, capacity - at);
}
