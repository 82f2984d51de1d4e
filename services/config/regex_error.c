#define PCRE2_CODE_UNIT_WIDTH 8

#include "config/regex_error.h"

#include <pcre2.h>

/* PCRE2's reasons in the words and at the places of Python's re. */

enum error_place {
    PLACE_SAME,   /* where PCRE2 stopped */
    PLACE_BEFORE, /* one character before that */
    PLACE_GROUP,  /* at the bracket of the group that is open */
    PLACE_SET,    /* at the bracket of the character set that is open */
    PLACE_RANGE,  /* at the start of the range that ends there */
    PLACE_COUNT,  /* behind the brace of the count that ends there */
    PLACE_NONE,   /* Python names none */
};

/* The innermost group, or the set, that is open at the end of the text. */
static size_t open_bracket(const struct string *pattern, bool wants_set)
{
    size_t groups[LIMIT_NESTING * 2], depth = 0, set = SIZE_MAX;
    for (size_t i = 0; i < pattern->len; i++) {
        char c = pattern->data[i];
        if (c == '\\')
            i++;
        else if (set != SIZE_MAX)
            set = c == ']' && i > set + 1 ? SIZE_MAX : set;
        else if (c == '[')
            set = i;
        else if (c == '(' && depth < LIMIT_NESTING * 2)
            groups[depth++] = i;
        else if (c == ')' && depth)
            depth--;
    }
    return wants_set && set != SIZE_MAX ? set : depth ? groups[depth - 1] : 0;
}

static size_t find_back(const struct string *pattern, size_t at, char c)
{
    while (at > 0 && pattern->data[at - 1] != c)
        at--;
    return at;
}

static size_t find_place(const struct string *pattern, enum error_place place, size_t at)
{
    switch (place) {
    case PLACE_BEFORE:
        return at ? at - 1 : 0;
    case PLACE_GROUP:
    case PLACE_SET:
        return open_bracket(pattern, place == PLACE_SET);
    case PLACE_RANGE:
        return at > 1 ? at - 2 : 0;
    case PLACE_COUNT:
        return find_back(pattern, at, '{');
    default:
        return at;
    }
}

/* A quantifier behind another one. */
static bool is_multiple(const struct string *pattern, size_t at)
{
    return at > 0 && strchr("*+?}", pattern->data[at - 1]);
}

bool regex_refused(struct vm *vm, const struct string *pattern, int code, size_t at)
{
    static const struct {
        int code;
        enum error_place place;
        const char *text;
        bool shows_rest; /* the text ends with that many characters from there: */
        size_t shown;
    } rows[] = {
        { PCRE2_ERROR_END_BACKSLASH, PLACE_BEFORE, "bad escape (end of pattern)", false, 0 },
        { PCRE2_ERROR_UNKNOWN_ESCAPE, PLACE_RANGE, "bad escape ", true, 2 },
        { PCRE2_ERROR_QUANTIFIER_OUT_OF_ORDER, PLACE_COUNT, "min repeat greater than max repeat",
          false, 0 },
        { PCRE2_ERROR_MISSING_SQUARE_BRACKET, PLACE_SET, "unterminated character set", false, 0 },
        { PCRE2_ERROR_CLASS_RANGE_ORDER, PLACE_RANGE, "bad character range ", true, 3 },
        { PCRE2_ERROR_QUANTIFIER_INVALID, PLACE_SAME, "nothing to repeat", false, 0 },
        { PCRE2_ERROR_INVALID_AFTER_PARENS_QUERY, PLACE_BEFORE, "unknown extension ", true, 2 },
        { PCRE2_ERROR_MISSING_CLOSING_PARENTHESIS, PLACE_GROUP,
          "missing ), unterminated subpattern", false, 0 },
        { PCRE2_ERROR_UNMATCHED_CLOSING_PARENTHESIS, PLACE_SAME, "unbalanced parenthesis", false,
          0 },
        { PCRE2_ERROR_LOOKBEHIND_NOT_FIXED_LENGTH, PLACE_NONE,
          "look-behind requires fixed-width pattern", false, 0 },
        { PCRE2_ERROR_SUBPATTERN_NAME_EXPECTED, PLACE_SAME, "missing group name", false, 0 },
    };
    char message[120];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].code != code)
            continue;
        size_t place = find_place(pattern, rows[i].place, at), left = pattern->len - place;
        const char *text = code == PCRE2_ERROR_QUANTIFIER_INVALID && is_multiple(pattern, place)
                               ? "multiple repeat"
                               : rows[i].text;
        if (rows[i].place == PLACE_NONE)
            return raise_error(vm, &class_error, "%s", text);
        size_t shown = rows[i].shown < left ? rows[i].shown : left;
        return raise_error(vm, &class_error, "%s%.*s at position %zu", text,
                           rows[i].shows_rest ? (int)shown : 0, pattern->data + place,
                           utf8_count(pattern->data, place));
    }
    pcre2_get_error_message(code, (PCRE2_UCHAR *)message, sizeof message);
    return raise_error(vm, &class_error, "%s at position %zu", message, at);
}
