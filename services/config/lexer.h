#pragma once

#include "config/diagnostic.h"

/* Source text to tokens.  Errors become diagnostics; the lexer goes on behind them. */

enum token_kind {
    T_END,
    T_NEWLINE,
    T_INDENT,
    T_DEDENT,
    T_NAME,
    T_NUMBER,
    T_STRING,
    T_ERROR, /* is reported already */
#define OPERATOR(name, text) T_##name,
#include "config/tokens.def"
#define KEYWORD(name, text) T_##name,
#include "config/tokens.def"
    T_COUNT
};

struct token {
    enum token_kind kind;
    uint32_t start, end;
    /* of strings: */
    uint32_t body_start, body_end;
    bool is_raw, is_bytes, is_format;
};

struct tokens {
    struct token *items;
    size_t count; /* the last one is T_END */
    /* Where a bracket or a string in brackets begins that is open to the end: what stands behind was read
     * wrongly; UINT32_MAX: nowhere. */
    uint32_t open_at;
};

/* The whole of a file. */
struct tokens lexer_run(struct arena *arena, const struct source *source,
                        struct diagnostics *errors);

/* An expression between `start` and `end`, as inside of brackets: lines do not count. */
struct tokens lexer_run_expression(struct arena *arena, const struct source *source, uint32_t start,
                                   uint32_t end, struct diagnostics *errors);

/* The text of an operator or keyword, or what to call the token in a message. */
const char *token_text(enum token_kind kind);
