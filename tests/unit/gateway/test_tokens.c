#include "gateway/tokens.h"
#include "unit/test.h"

static const struct file_case {
    const char *name, *text, *message; /* NULL: it is accepted */
} files[] = {
    { "two tokens", "# for programs\n0123456789abcdef\n\n  fedcba9876543210 \r\n", NULL },
    { "no line end", "0123456789abcdef", NULL },
    { "too short", "# x\n0123456789abcde\n", "line 2: expected a token of 16" },
    { "a space inside", "0123456789 abcdef\n", "line 1: expected a token of visible" },
    { "not ASCII", "0123456789abcde\xc3\xa4\n", "line 1: expected a token of visible" },
    { "empty", "", "expected at least one token" },
    { "only comments", "# 0123456789abcdef\n\n", "expected at least one token" },
};

static void file_is_judged(void **state)
{
    const struct file_case *c = *state;
    struct error err = { 0 };
    struct tokens *tokens = tokens_parse(slice_of(c->text), &err);
    assert_int_equal(tokens != NULL, c->message == NULL);
    if (c->message)
        assert_non_null(strstr(err.message, c->message));
    tokens_free(tokens);
}

static const struct header_case {
    const char *name;
    bool is_accepted;
} headers[] = {
    { "Bearer 0123456789abcdef", true },
    { "bearer  fedcba9876543210", true },
    { "Bearer 0123456789abcdeF", false },
    { "Bearer 0123456789abcde", false },
    { "Bearer 0123456789abcdef0", false },
    { "Basic 0123456789abcdef", false },
    { "0123456789abcdef", false },
    { "Bearer", false },
    { "Bearer ", false },
    { "", false },
};

static void header_is_judged(void **state)
{
    const struct header_case *c = *state;
    struct error err = { 0 };
    struct tokens *tokens = tokens_parse(SLICE("0123456789abcdef\nfedcba9876543210"), &err);
    assert_non_null(tokens);
    assert_int_equal(tokens_accept(tokens, slice_of(c->name)), c->is_accepted);
    tokens_free(tokens);
}

int main(void)
{
    return RUN_CASES(files, file_is_judged) + RUN_CASES(headers, header_is_judged);
}
