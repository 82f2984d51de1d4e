#include "json/message_json.h"

/* What jansson found, as a sentence that does not repeat what the peer sent. */
static const char *const syntax_errors[] = {
    [json_error_invalid_utf8] = "not valid UTF-8",
    [json_error_premature_end_of_input] = "the text ends too early",
    [json_error_end_of_input_expected] = "expected nothing more behind the value",
    [json_error_null_character] = "a string may not hold the character NUL",
    [json_error_null_byte_in_key] = "a name may not hold the character NUL",
    [json_error_duplicate_key] = "a name is given twice in one object",
    [json_error_numeric_overflow] = "a number is too large; write integers over 2^63 as strings",
    [json_error_stack_overflow] = "too deeply nested",
};

static const char *syntax_error(const json_error_t *problem)
{
    size_t code = (size_t)json_error_code(problem);
    const char *sentence = NULL;
    if (code < sizeof syntax_errors / sizeof syntax_errors[0])
        sentence = syntax_errors[code];
    return sentence ? sentence : "not valid JSON";
}

/* Counts before anything is allocated: a value of three bytes costs the parser a hundred times that.
 * Exact for valid JSON, and never too low for the part of invalid JSON that gets parsed. */
static bool check_limits(struct slice json, struct error *err)
{
    size_t depth = 0, values = 1;
    bool is_in_string = false;

    for (size_t i = 0; i < json.len; i++) {
        char c = json.ptr[i];
        if (is_in_string) {
            i += c == '\\';
            is_in_string = c != '"';
            continue;
        }
        is_in_string = c == '"';
        values += c == ',' || c == '{' || c == '[';
        if ((c == '{' || c == '[') && ++depth > MESSAGE_JSON_MAX_DEPTH)
            return error_set(err, ERROR_INVALID_ARGUMENT, "JSON is nested more than %d levels deep",
                             MESSAGE_JSON_MAX_DEPTH);
        if ((c == '}' || c == ']') && depth > 0)
            depth--;
    }
    if (values > MESSAGE_JSON_MAX_VALUES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "JSON has more than %d values",
                         MESSAGE_JSON_MAX_VALUES);
    return true;
}

bool json_parse(struct slice json, json_t **ret_value, struct error *err)
{
    if (json.len > MESSAGE_JSON_MAX_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "JSON is longer than %u bytes",
                         MESSAGE_JSON_MAX_BYTES);
    if (slice_trim(json).len == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "expected a JSON object, got nothing");
    if (!check_limits(json, err))
        return false;

    json_error_t problem = { 0 };
    json_t *value =
        json_loadb(json.ptr, json.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
    if (!value)
        return error_set(err, ERROR_INVALID_ARGUMENT, "line %d, column %d: %s", problem.line,
                         problem.column, syntax_error(&problem));
    *ret_value = value;
    return true;
}
