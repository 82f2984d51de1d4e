#include "config/unicode.h"

#include <ctype.h>

/* Letters outside of ASCII: Latin-1, Latin Extended-A, Greek and Cyrillic change their case; other
 * scripts count as letters without case. */

bool unicode_by_name(struct slice name, uint32_t *ret_code)
{
    static const struct {
        const char *name;
        uint32_t code;
    } rows[] = {
        { "BULLET", 0x2022 },
        { "CHECK MARK", 0x2713 },
        { "COPYRIGHT SIGN", 0xa9 },
        { "DEGREE SIGN", 0xb0 },
        { "EM DASH", 0x2014 },
        { "EN DASH", 0x2013 },
        { "EURO SIGN", 0x20ac },
        { "GREEK SMALL LETTER MU", 0x3bc },
        { "HORIZONTAL ELLIPSIS", 0x2026 },
        { "LATIN SMALL LETTER E WITH ACUTE", 0xe9 },
        { "LEFT CURLY BRACKET", 0x7b },
        { "LEFTWARDS ARROW", 0x2190 },
        { "MICRO SIGN", 0xb5 },
        { "MIDDLE DOT", 0xb7 },
        { "MULTIPLICATION SIGN", 0xd7 },
        { "NO-BREAK SPACE", 0xa0 },
        { "RIGHT CURLY BRACKET", 0x7d },
        { "RIGHTWARDS ARROW", 0x2192 },
        { "SECTION SIGN", 0xa7 },
        { "SNOWMAN", 0x2603 },
        { "SPACE", 0x20 },
        { "TRADE MARK SIGN", 0x2122 },
        { "ZERO WIDTH SPACE", 0x200b },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (slice_is(name, rows[i].name)) {
            *ret_code = rows[i].code;
            return true;
        }
    return false;
}

bool unicode_is_alpha(uint32_t code)
{
    if (code < 0x80)
        return isalpha((int)code);
    if (code < 0xc0)
        return code == 0xaa || code == 0xb5 || code == 0xba;
    if (code >= 0x2000 && code < 0x2c00)
        return code >= 0x2c00;
    if (code >= 0x3000 && code < 0x3005)
        return false;
    return code != 0xd7 && code != 0xf7 &&
           (code < 0xd800 || (code >= 0xf900 && code < 0xfe00) ||
            (code >= 0xff21 && code < 0xffe0) || (code >= 0x20000 && code < 0x40000));
}

bool unicode_is_space(uint32_t code)
{
    return (code >= 9 && code <= 13) || (code >= 0x1c && code <= 0x20) || code == 0x85 ||
           code == 0xa0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 ||
           code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000;
}

bool unicode_is_printable(uint32_t code)
{
    if (code < 0x20 || (code >= 0x7f && code < 0xa1) || code == 0xad)
        return false;
    if (unicode_is_space(code))
        return code == 0x20;
    return !(code >= 0x200b && code <= 0x200f) && !(code >= 0x202a && code <= 0x202e) &&
           !(code >= 0xd800 && code < 0xf900) && code != 0xfeff && code < 0xf0000;
}

static bool has_case_pairs(uint32_t code)
{
    return (code >= 0x100 && code <= 0x137) || (code >= 0x14a && code <= 0x177) ||
           (code >= 0x460 && code <= 0x481);
}

uint32_t unicode_lower(uint32_t code)
{
    if (code < 0x80)
        return (uint32_t)tolower((int)code);
    if ((code >= 0xc0 && code <= 0xde && code != 0xd7) || (code >= 0x391 && code <= 0x3a9) ||
        (code >= 0x410 && code <= 0x42f))
        return code + 32;
    if (code >= 0x400 && code <= 0x40f)
        return code + 80;
    return has_case_pairs(code) ? code | 1 : code;
}

uint32_t unicode_upper(uint32_t code)
{
    if (code < 0x80)
        return (uint32_t)toupper((int)code);
    if ((code >= 0xe0 && code <= 0xfe && code != 0xf7) ||
        (code >= 0x3b1 && code <= 0x3c9 && code != 0x3c2) || (code >= 0x430 && code <= 0x44f))
        return code - 32;
    if (code >= 0x450 && code <= 0x45f)
        return code - 80;
    return has_case_pairs(code) ? code & ~1u : code;
}
