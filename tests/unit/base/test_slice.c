#include "base/slice.h"

#include "unit/test.h"

#include <stdio.h>

#define BYTES(literal)                                                                             \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

/* -- numbers -------------------------------------------------------------------------------------- */

static const struct number_case {
    const char *name, *text;
    uint64_t max, value;
    bool is_number;
} numbers[] = {
    // clang-format off
    { "zero",               "0",                    UINT64_MAX, 0,          true },
    { "leading zeros",      "007",                  UINT64_MAX, 7,          true },
    { "up to the limit",    "255",                  255,        255,        true },
    { "over the limit",     "256",                  255,        0,          false },
    { "the largest",        "18446744073709551615", UINT64_MAX, UINT64_MAX, true },
    { "one more",           "18446744073709551616", UINT64_MAX, 0,          false },
    { "ten times as large", "99999999999999999999", UINT64_MAX, 0,          false },
    { "empty",              "",                     UINT64_MAX, 0,          false },
    { "a sign",             "+1",                   UINT64_MAX, 0,          false },
    { "a minus",            "-1",                   UINT64_MAX, 0,          false },
    { "a space before",     " 1",                   UINT64_MAX, 0,          false },
    { "a space behind",     "1 ",                   UINT64_MAX, 0,          false },
    { "hexadecimal",        "0x1",                  UINT64_MAX, 0,          false },
    { "a digit of another script", "\xd9\xa1",      UINT64_MAX, 0,          false },
    // clang-format on
};

static void is_read_or_left_alone(void **state)
{
    const struct number_case *c = *state;
    uint64_t value = 0xdead;
    assert_int_equal(slice_to_u64(slice_of(c->text), c->max, &value), c->is_number);
    assert_int_equal(value, c->is_number ? c->value : 0xdead);
}

static const struct signed_case {
    const char *name, *text;
    int64_t value;
    bool is_number;
} signed_numbers[] = {
    // clang-format off
    { "positive",          "12",                   12,        true },
    { "negative",          "-12",                  -12,       true },
    { "minus zero",        "-0",                   0,         true },
    { "the largest",       "9223372036854775807",  INT64_MAX, true },
    { "one more",          "9223372036854775808",  0,         false },
    { "the smallest",      "-9223372036854775808", INT64_MIN, true },
    { "one less",          "-9223372036854775809", 0,         false },
    { "two minus signs",   "--1",                  0,         false },
    { "only a minus sign", "-",                    0,         false },
    { "empty",             "",                     0,         false },
    // clang-format on
};

static void is_read_with_its_sign(void **state)
{
    const struct signed_case *c = *state;
    int64_t value = 0xdead;
    assert_int_equal(slice_to_i64(slice_of(c->text), &value), c->is_number);
    assert_int_equal(value, c->is_number ? c->value : 0xdead);
}

/* -- UTF-8 ---------------------------------------------------------------------------------------- */

static const struct utf8_case {
    const char *name;
    struct slice bytes;
    bool is_utf8;
} characters[] = {
    // clang-format off
    { "nothing",                     BYTES(""),                 true },
    { "plain",                       BYTES("abc"),              true },
    { "NUL",                         BYTES("a\0b"),             true },
    { "the smallest of two bytes",   BYTES("\xc2\x80"),         true },
    { "the largest of two bytes",    BYTES("\xdf\xbf"),         true },
    { "the smallest of three bytes", BYTES("\xe0\xa0\x80"),     true },
    { "before the surrogates",       BYTES("\xed\x9f\xbf"),     true },
    { "behind the surrogates",       BYTES("\xee\x80\x80"),     true },
    { "the largest of three bytes",  BYTES("\xef\xbf\xbf"),     true },
    { "the smallest of four bytes",  BYTES("\xf0\x90\x80\x80"), true },
    { "the largest of all",          BYTES("\xf4\x8f\xbf\xbf"), true },
    { "among others",                BYTES("a\xc3\xa4z"),       true },
    { "a continuation alone",        BYTES("\x80"),             false },
    { "two bytes, overlong",         BYTES("\xc1\xbf"),         false },
    { "three bytes, overlong",       BYTES("\xe0\x9f\xbf"),     false },
    { "four bytes, overlong",        BYTES("\xf0\x8f\xbf\xbf"), false },
    { "the first surrogate",         BYTES("\xed\xa0\x80"),     false },
    { "the last surrogate",          BYTES("\xed\xbf\xbf"),     false },
    { "larger than all",             BYTES("\xf4\x90\x80\x80"), false },
    { "a lead that is none",         BYTES("\xf5\x80\x80\x80"), false },
    { "the byte ff",                 BYTES("\xff"),             false },
    { "two bytes, cut",              BYTES("a\xc3"),            false },
    { "three bytes, cut",            BYTES("\xe2\x82"),         false },
    { "four bytes, cut",             BYTES("\xf0\x9f\x98"),     false },
    { "a wrong third byte",          BYTES("\xe2\x82\x41"),     false },
    { "a wrong fourth byte",         BYTES("\xf0\x9f\x98\xc0"), false },
    // clang-format on
};

static void is_judged(void **state)
{
    const struct utf8_case *c = *state;
    assert_int_equal(slice_is_utf8(c->bytes), c->is_utf8);
}

/* -- parts ---------------------------------------------------------------------------------------- */

static const struct split_case {
    const char *name, *text;
    const char *parts; /* each with a '|' behind it */
} splits[] = {
    { "one part", "a", "a|" },
    { "three parts", "a,bc,d", "a|bc|d|" },
    { "an empty part at the start", ",a", "|a|" },
    { "an empty part at the end", "a,", "a||" },
    { "an empty part in between", "a,,b", "a||b|" },
    { "only the separator", ",", "||" },
    { "empty", "", "|" },
};

static void gives_every_part(void **state)
{
    const struct split_case *c = *state;
    char seen[64] = "";
    struct slice rest = slice_of(c->text);
    while (rest.ptr) {
        struct slice part = slice_split(&rest, ',');
        size_t len = strlen(seen);
        snprintf(seen + len, sizeof seen - len, "%.*s|", SLICE_ARG(part));
    }
    assert_string_equal(seen, c->parts);
}

static const struct trim_case {
    const char *name, *text, *trimmed;
} trims[] = {
    { "nothing to trim", "a b", "a b" },
    { "every kind of space", " \t\r\na b\n\r\t ", "a b" },
    { "only spaces", " \t ", "" },
    { "empty", "", "" },
    { "other control characters stay", "\va\f", "\va\f" },
};

static void is_trimmed(void **state)
{
    const struct trim_case *c = *state;
    assert_true(slice_is(slice_trim(slice_of(c->text)), c->trimmed));
}

/* -- comparisons ---------------------------------------------------------------------------------- */

static const struct order_case {
    const char *name;
    struct slice a, b;
    int order;
} orders[] = {
    { "equal", BYTES("ab"), BYTES("ab"), 0 },
    { "less", BYTES("ab"), BYTES("ac"), -1 },
    { "a prefix is first", BYTES("ab"), BYTES("abc"), -1 },
    { "nothing is first", { NULL, 0 }, BYTES("a"), -1 },
    { "nothing and nothing", { NULL, 0 }, BYTES(""), 0 },
    { "bytes are not signed", BYTES("\x7f"), BYTES("\x80"), -1 },
    { "NUL is a byte", BYTES("a\0b"), BYTES("a\0c"), -1 },
};

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

static void is_ordered_both_ways(void **state)
{
    const struct order_case *c = *state;
    assert_int_equal(sign(slice_compare(c->a, c->b)), c->order);
    assert_int_equal(sign(slice_compare(c->b, c->a)), -c->order);
    assert_int_equal(slice_equal(c->a, c->b), c->order == 0);
}

static const struct affix_case {
    const char *name, *text, *affix;
    bool starts, ends;
} affixes[] = {
    { "at the start", "abc", "ab", true, false }, { "at the end", "abc", "bc", false, true },
    { "all of it", "abc", "abc", true, true },    { "longer than it", "bc", "abc", false, false },
    { "nothing", "abc", "", true, true },         { "nothing of nothing", "", "", true, true },
};

static void is_found_at_its_end(void **state)
{
    const struct affix_case *c = *state;
    assert_int_equal(slice_starts_with(slice_of(c->text), slice_of(c->affix)), c->starts);
    assert_int_equal(slice_ends_with(slice_of(c->text), slice_of(c->affix)), c->ends);
}

int main(void)
{
    return RUN_CASES(numbers, is_read_or_left_alone) +
           RUN_CASES(signed_numbers, is_read_with_its_sign) + RUN_CASES(characters, is_judged) +
           RUN_CASES(splits, gives_every_part) + RUN_CASES(trims, is_trimmed) +
           RUN_CASES(orders, is_ordered_both_ways) + RUN_CASES(affixes, is_found_at_its_end);
}
