#include "config/lexer.h"

#include "config/limits.h"
#include "config/unicode.h"
#include "config/value.h"

#include <ctype.h>

/* Indentation is measured twice, with tabs to multiples of 8 and with tabs as one column: when the
 * two disagree about deeper or not, tabs and spaces are mixed. */

#define TAB_COLUMNS 8

static const char *const TEXTS[T_COUNT] = {
    [T_END] = "end of file",     [T_NEWLINE] = "end of line", [T_INDENT] = "indentation",
    [T_DEDENT] = "end of block", [T_NAME] = "name",           [T_NUMBER] = "number",
    [T_STRING] = "string",       [T_ERROR] = "invalid text",
#define OPERATOR(name, text) [T_##name] = text,
#include "config/tokens.def"
#define KEYWORD(name, text) [T_##name] = text,
#include "config/tokens.def"
};

struct opener {
    char close;
    uint32_t at;
};

struct indent {
    uint32_t wide, narrow;
};

struct lexer {
    struct arena *arena;
    const struct source *source;
    struct diagnostics *errors;
    const char *text;
    uint32_t at, end;
    struct token *items;
    size_t count, capacity;
    struct opener openers[LIMIT_NESTING];
    size_t opener_count;
    struct indent indents[LIMIT_NESTING];
    size_t indent_count;
    bool is_expression;
    uint32_t open_at; /* as in struct tokens */
};

const char *token_text(enum token_kind kind)
{
    return TEXTS[kind];
}

static void push(struct lexer *lexer, struct token token)
{
    if (lexer->count == lexer->capacity) {
        size_t capacity = lexer->capacity ? lexer->capacity * 2 : 64;
        lexer->items = arena_grow(lexer->arena, lexer->items, lexer->capacity * sizeof token,
                                  capacity * sizeof token);
        lexer->capacity = capacity;
    }
    lexer->items[lexer->count++] = token;
}

static void push_plain(struct lexer *lexer, enum token_kind kind, uint32_t start)
{
    push(lexer, (struct token){ .kind = kind, .start = start, .end = lexer->at });
}

static struct span span(const struct lexer *lexer, uint32_t start, uint32_t end)
{
    return (struct span){ lexer->source, start, end };
}

static char peek(const struct lexer *lexer, uint32_t ahead)
{
    return lexer->at + ahead < lexer->end ? lexer->text[lexer->at + ahead] : '\0';
}

static bool is_name_start(char c)
{
    unsigned char lower = (unsigned char)c | 0x20;
    return (lower >= 'a' && lower <= 'z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_name_part(char c)
{
    return is_name_start(c) || (c >= '0' && c <= '9');
}

/* The length of the next character when it may stand in a name, else 0. */
static uint32_t name_character(const struct lexer *lexer)
{
    size_t length;
    char c = peek(lexer, 0);
    if ((unsigned char)c < 0x80)
        return is_name_part(c);
    return unicode_is_alpha(utf8_decode(lexer->text + lexer->at, &length)) ? (uint32_t)length : 0;
}

/* At a line end: behind "\n", "\r\n" or a single "\r". */
static void skip_line_end(struct lexer *lexer)
{
    if (peek(lexer, 0) == '\r')
        lexer->at++;
    if (peek(lexer, 0) == '\n')
        lexer->at++;
}

static bool at_line_end(const struct lexer *lexer)
{
    char c = peek(lexer, 0);
    return lexer->at >= lexer->end || c == '\n' || c == '\r';
}

static void skip_comment(struct lexer *lexer)
{
    while (!at_line_end(lexer))
        lexer->at++;
}

static void add_error(struct lexer *lexer, uint32_t start, const char *message)
{
    diagnostics_add(lexer->errors, ERROR_SYNTAX, span(lexer, start, lexer->at), "%s", message);
    push_plain(lexer, T_ERROR, start);
}

static struct indent measure_indent(struct lexer *lexer)
{
    struct indent indent = { 0, 0 };
    for (;; lexer->at++) {
        char c = peek(lexer, 0);
        if (c == ' ') {
            indent.wide++;
        } else if (c == '\t') {
            indent.wide = (indent.wide / TAB_COLUMNS + 1) * TAB_COLUMNS;
        } else if (c == '\f') {
            indent = (struct indent){ 0, 0 };
            continue;
        } else {
            return indent;
        }
        indent.narrow++;
    }
}

static void push_indent(struct lexer *lexer, struct indent indent)
{
    if (lexer->indent_count == LIMIT_NESTING) {
        add_error(lexer, lexer->at, "too many levels of indentation");
        return;
    }
    lexer->indents[lexer->indent_count++] = indent;
    push_plain(lexer, T_INDENT, lexer->at);
}

static void pop_indents(struct lexer *lexer, struct indent indent)
{
    while (lexer->indents[lexer->indent_count - 1].wide > indent.wide) {
        lexer->indent_count--;
        push_plain(lexer, T_DEDENT, lexer->at);
    }
    if (lexer->indents[lexer->indent_count - 1].wide != indent.wide)
        add_error(lexer, lexer->at, "unindent does not match any outer indentation level");
}

static void apply_indent(struct lexer *lexer, struct indent indent)
{
    struct indent top = lexer->indents[lexer->indent_count - 1];
    bool is_deeper = indent.wide > top.wide;
    bool is_equal = indent.wide == top.wide;
    if (is_deeper ? indent.narrow <= top.narrow : is_equal && indent.narrow != top.narrow) {
        add_error(lexer, lexer->at, "inconsistent use of tabs and spaces in indentation");
        return;
    }
    if (is_deeper)
        push_indent(lexer, indent);
    else if (!is_equal)
        pop_indents(lexer, indent);
}

/* At the start of a logical line: skips empty lines and comments, then turns the indentation into
 * tokens. */
static void start_line(struct lexer *lexer)
{
    for (;;) {
        struct indent indent = measure_indent(lexer);
        if (peek(lexer, 0) == '#')
            skip_comment(lexer);
        if (lexer->at >= lexer->end)
            return;
        if (!at_line_end(lexer)) {
            apply_indent(lexer, indent);
            return;
        }
        skip_line_end(lexer);
    }
}

static void lex_name(struct lexer *lexer, uint32_t start)
{
    static const struct {
        char text[12];
        enum token_kind kind;
    } keywords[] = {
#define KEYWORD(name, text) { text, T_##name },
#include "config/tokens.def"
    };
    for (uint32_t length; (length = name_character(lexer)) > 0;)
        lexer->at += length;
    struct slice name = { lexer->text + start, lexer->at - start };
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (keywords[i].text[0] == name.ptr[0] && slice_is(name, keywords[i].text)) {
            push_plain(lexer, keywords[i].kind, start);
            return;
        }
    push_plain(lexer, T_NAME, start);
}

static void take_digits(struct lexer *lexer)
{
    while (isdigit((unsigned char)peek(lexer, 0)) || peek(lexer, 0) == '_')
        lexer->at++;
}

/* `e5` or `e-5`, but not the `else` of `1else`. */
static void take_exponent(struct lexer *lexer)
{
    char c = peek(lexer, 0), next = peek(lexer, 1);
    bool is_signed = next == '+' || next == '-';
    if ((c == 'e' || c == 'E') && isdigit((unsigned char)peek(lexer, is_signed ? 2 : 1))) {
        lexer->at += is_signed ? 2 : 1;
        take_digits(lexer);
    }
}

/* Takes all that may belong to a number; the parser judges it.  A second point begins an
 * attribute: `1.5.is_integer()`. */
static void lex_number(struct lexer *lexer, uint32_t start)
{
    bool is_prefixed = peek(lexer, 0) == '0' && strchr("xXoObB", peek(lexer, 1)) && peek(lexer, 1);
    if (!is_prefixed) {
        take_digits(lexer);
        if (peek(lexer, 0) == '.') {
            lexer->at++;
            take_digits(lexer);
        }
        take_exponent(lexer);
    }
    static const char *const words[] = { "and", "else", "for", "if", "in", "is", "or", "not" };
    const struct slice rest = { lexer->text + lexer->at, lexer->end - lexer->at };
    for (size_t i = 0; !is_prefixed && i < sizeof words / sizeof *words; i++)
        if (slice_starts_with(rest, slice_of(words[i])) &&
            !is_name_part(peek(lexer, (uint32_t)strlen(words[i])))) {
            push_plain(lexer, T_NUMBER, start);
            return;
        }
    while (is_name_part(peek(lexer, 0)))
        lexer->at++;
    push_plain(lexer, T_NUMBER, start);
}

static bool is_prefix_letter(char c)
{
    char lower = c | 0x20;
    return lower == 'r' || lower == 'b' || lower == 'u' || lower == 'f';
}

/* Of two letters, one is `r`, and the other one `b` or `f`. */
static bool is_raw_pair(int a, int b)
{
    int other = a == 'r' ? b : a;
    return (a == 'r' || b == 'r') && (other == 'b' || other == 'f');
}

/* How many characters of a string prefix such as `rf` stand here, directly before a quote; -1 when
 * this is no string. */
static int string_prefix(const struct lexer *lexer)
{
    uint32_t length = 0;
    while (length < 2 && is_prefix_letter(peek(lexer, length)))
        length++;
    if (length == 2 && !is_raw_pair(peek(lexer, 0) | 0x20, peek(lexer, 1) | 0x20))
        return -1;
    char quote = peek(lexer, length);
    return quote == '\'' || quote == '"' ? (int)length : -1;
}

static bool at_quotes(const struct lexer *lexer, char quote, bool is_triple)
{
    return peek(lexer, 0) == quote &&
           (!is_triple || (peek(lexer, 1) == quote && peek(lexer, 2) == quote));
}

/* Behind the opening quotes: up to the closing ones.  False at the end of the line or file. */
static bool skip_string_body(struct lexer *lexer, char quote, bool is_triple)
{
    while (lexer->at < lexer->end && !at_quotes(lexer, quote, is_triple)) {
        if (peek(lexer, 0) == '\\') {
            lexer->at++;
            if (peek(lexer, 0) == '\r' && peek(lexer, 1) == '\n')
                lexer->at++;
        } else if (!is_triple && at_line_end(lexer)) {
            return false;
        }
        if (lexer->at < lexer->end)
            lexer->at++;
    }
    return lexer->at < lexer->end;
}

static void note_prefix(struct token *token, const char *prefix, int length)
{
    for (int i = 0; i < length; i++) {
        char c = (char)tolower((unsigned char)prefix[i]);
        token->is_raw |= c == 'r';
        token->is_bytes |= c == 'b';
        token->is_format |= c == 'f';
    }
}

static void unterminated(struct lexer *lexer, uint32_t start, bool is_triple)
{
    struct place last = source_place(lexer->source, lexer->at, lexer->at);
    add_error(lexer, start,
              arena_printf(lexer->arena, "unterminated %sstring literal (detected at line %d)",
                           is_triple ? "triple-quoted " : "", last.line));
    if (lexer->opener_count && lexer->open_at == UINT32_MAX)
        lexer->open_at = start;
}

static void lex_string(struct lexer *lexer, uint32_t start, int prefix)
{
    struct token token = { .kind = T_STRING, .start = start };
    note_prefix(&token, lexer->text + start, prefix);
    lexer->at += (uint32_t)prefix;
    char quote = peek(lexer, 0);
    bool is_triple = peek(lexer, 1) == quote && peek(lexer, 2) == quote;
    lexer->at += is_triple ? 3 : 1;
    token.body_start = lexer->at;
    if (!skip_string_body(lexer, quote, is_triple)) {
        unterminated(lexer, start, is_triple);
        return;
    }
    token.body_end = lexer->at;
    lexer->at += is_triple ? 3 : 1;
    token.end = lexer->at;
    push(lexer, token);
}

static void note_open(struct lexer *lexer, char close, uint32_t at)
{
    if (lexer->opener_count == LIMIT_NESTING) {
        add_error(lexer, at, "too many nested parentheses");
        lexer->at = lexer->end;
        lexer->opener_count = 0;
        return;
    }
    lexer->openers[lexer->opener_count++] = (struct opener){ close, at };
}

static void note_close(struct lexer *lexer, char close, uint32_t at)
{
    if (lexer->opener_count == 0) {
        diagnostics_add(lexer->errors, ERROR_SYNTAX, span(lexer, at, at + 1), "unmatched '%c'",
                        close);
        return;
    }
    struct opener opener = lexer->openers[--lexer->opener_count];
    if (opener.close == close)
        return;
    struct place place = source_place(lexer->source, opener.at, opener.at + 1);
    struct place here = source_place(lexer->source, at, at + 1);
    diagnostics_add(lexer->errors, ERROR_SYNTAX, span(lexer, at, at + 1),
                    "closing parenthesis '%c' does not match opening parenthesis '%c'%s", close,
                    lexer->text[opener.at],
                    here.line == place.line
                        ? ""
                        : arena_printf(lexer->arena, " on line %d", place.line));
}

static void track_brackets(struct lexer *lexer, char c, uint32_t at)
{
    static const char opening[] = "([{", closing[] = ")]}";
    const char *open = strchr(opening, c);
    if (open)
        note_open(lexer, closing[open - opening], at);
    else if (strchr(closing, c))
        note_close(lexer, c, at);
}

/* Often a quote or a blank that a word processor has put there. */
static void add_bad_character(struct lexer *lexer, uint32_t start)
{
    size_t length;
    uint32_t code = utf8_decode(lexer->text + start, &length);
    lexer->at += (uint32_t)length;
    if (code < 0x80)
        add_error(lexer, start,
                  code == '`' ? "invalid syntax. Python 2's backquotes are written repr()"
                              : "invalid syntax");
    else if (!unicode_is_printable(code))
        add_error(lexer, start,
                  arena_printf(lexer->arena, "invalid non-printable character U+%04X", code));
    else
        add_error(lexer, start,
                  arena_printf(lexer->arena, "invalid character '%.*s' (U+%04X)", (int)length,
                               lexer->text + start, code));
}

static void lex_operator(struct lexer *lexer, uint32_t start)
{
    static const struct {
        char text[4];
        uint32_t length;
        enum token_kind kind;
    } operators[] = {
#define OPERATOR(name, text) { text, sizeof text - 1, T_##name },
#include "config/tokens.def"
    };
    /* Those of several characters come first; all of them have one of these in the second place. */
    char second = peek(lexer, 1);
    bool is_long = second && strchr("*/<>.=", second);
    size_t first = is_long ? 0 : T_PLUS - T_POWER_ASSIGN;
    for (size_t i = first; i < sizeof operators / sizeof *operators; i++) {
        uint32_t length = operators[i].length;
        if (operators[i].text[0] == lexer->text[lexer->at] && lexer->at + length <= lexer->end &&
            memcmp(lexer->text + lexer->at, operators[i].text, length) == 0) {
            lexer->at += length;
            if (length == 1)
                track_brackets(lexer, operators[i].text[0], start);
            push_plain(lexer, operators[i].kind, start);
            return;
        }
    }
    add_bad_character(lexer, start);
}

static bool skip_space(struct lexer *lexer)
{
    char c = peek(lexer, 0);
    if (c == ' ' || c == '\t' || c == '\f') {
        lexer->at++;
        return true;
    }
    if (c == '#') {
        skip_comment(lexer);
        return true;
    }
    if (c == '\\' && (peek(lexer, 1) == '\n' || peek(lexer, 1) == '\r')) {
        lexer->at++;
        skip_line_end(lexer);
        return true;
    }
    return false;
}

/* True when a line end was consumed. */
static bool lex_line_end(struct lexer *lexer)
{
    if (!at_line_end(lexer) || lexer->at >= lexer->end)
        return false;
    uint32_t start = lexer->at;
    skip_line_end(lexer);
    if (lexer->opener_count > 0 || lexer->is_expression)
        return true;
    push(lexer, (struct token){ .kind = T_NEWLINE, .start = start, .end = start });
    start_line(lexer);
    return true;
}

static void lex_token(struct lexer *lexer)
{
    uint32_t start = lexer->at;
    char c = peek(lexer, 0);
    int prefix = string_prefix(lexer);
    if (prefix >= 0)
        lex_string(lexer, start, prefix);
    else if (is_name_start(c) && name_character(lexer) > 0)
        lex_name(lexer, start);
    else if (isdigit((unsigned char)c) || (c == '.' && isdigit((unsigned char)peek(lexer, 1))))
        lex_number(lexer, start);
    else
        lex_operator(lexer, start);
}

static void lex_all(struct lexer *lexer)
{
    while (lexer->at < lexer->end)
        if (!skip_space(lexer) && !lex_line_end(lexer))
            lex_token(lexer);
}

static void finish_file(struct lexer *lexer)
{
    if (lexer->opener_count > 0 && lexer->open_at == UINT32_MAX) {
        uint32_t at = lexer->openers[lexer->opener_count - 1].at;
        lexer->open_at = at;
        if (lexer->errors->count == LIMIT_SYNTAX_ERRORS)
            lexer->errors->count--; /* this one says more than the last of so many */
        diagnostics_add(lexer->errors, ERROR_SYNTAX, span(lexer, at, at + 1),
                        "'%c' was never closed", lexer->text[at]);
    }
    push_plain(lexer, T_NEWLINE, lexer->at);
    for (; lexer->indent_count > 1; lexer->indent_count--)
        push_plain(lexer, T_DEDENT, lexer->at);
    push_plain(lexer, T_END, lexer->at);
}

struct tokens lexer_run(struct arena *arena, const struct source *source,
                        struct diagnostics *errors)
{
    struct lexer lexer = { .arena = arena,
                           .source = source,
                           .errors = errors,
                           .text = source->text.ptr,
                           .end = (uint32_t)source->text.len,
                           .open_at = UINT32_MAX,
                           .indent_count = 1 };
    if (slice_starts_with(source->text, SLICE("\xef\xbb\xbf")))
        lexer.at = 3;
    start_line(&lexer);
    lex_all(&lexer);
    finish_file(&lexer);
    return (struct tokens){ lexer.items, lexer.count,
                            lexer.opener_count ? lexer.open_at : UINT32_MAX };
}

struct tokens lexer_run_expression(struct arena *arena, const struct source *source, uint32_t start,
                                   uint32_t end, struct diagnostics *errors)
{
    struct lexer lexer = { .arena = arena,
                           .source = source,
                           .errors = errors,
                           .text = source->text.ptr,
                           .at = start,
                           .open_at = UINT32_MAX,
                           .end = end,
                           .is_expression = true };
    lex_all(&lexer);
    push_plain(&lexer, T_END, lexer.at);
    return (struct tokens){ lexer.items, lexer.count, UINT32_MAX };
}
