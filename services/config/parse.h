#pragma once

#include "config/ast.h"
#include "config/lexer.h"

#include <setjmp.h>

/* What the files of the parser share.  A syntax error jumps to the statement level, which skips to
 * the next statement at the left margin; everything is in the arena, so nothing is lost. */

struct parser {
    struct arena *arena;
    const struct source *source;
    struct diagnostics *errors, *warnings;
    struct token *tokens;
    size_t at;
    int depth;
    jmp_buf *recover;
    struct code *code; /* that is being parsed */
};

static inline struct token *token_now(struct parser *parser)
{
    return &parser->tokens[parser->at];
}

static inline enum token_kind token_kind_now(struct parser *parser)
{
    return parser->tokens[parser->at].kind;
}

enum token_kind token_kind_ahead(struct parser *parser, size_t ahead);
struct token *token_take(struct parser *parser);
bool token_accept(struct parser *parser, enum token_kind kind);
struct token *token_expect(struct parser *parser, enum token_kind kind);

__attribute__((noreturn, format(printf, 4, 5))) void parse_fail(struct parser *parser,
                                                                uint32_t start, uint32_t end,
                                                                const char *fmt, ...);
__attribute__((noreturn)) void parse_fail_here(struct parser *parser);

/* One level deeper; pairs with `parser->depth--`. */
void parse_enter(struct parser *parser);

struct node *node_new(struct parser *parser, enum node_kind kind, uint32_t start);
/* Ends `node` behind the token before the current one. */
struct node *node_finish(struct parser *parser, struct node *node);
void node_add(struct parser *parser, struct node *node, struct node *item);
struct node *node_constant(struct parser *parser, uint32_t start, struct value v);
struct value parse_identifier(struct parser *parser);
struct node *parse_name(struct parser *parser);

/* One expression without commas at the top. */
struct node *parse_expression(struct parser *parser);
/* The same, or `name := expression`. */
struct node *parse_named_expression(struct parser *parser);
/* Expressions with commas, and stars: a tuple if there is a comma. */
struct node *parse_expressions(struct parser *parser);
/* The targets of `for`: stops at `in`. */
struct node *parse_target(struct parser *parser); /* one, without commas */
struct node *parse_targets(struct parser *parser);
/* Behind the "(": the arguments and the ")". */
void parse_arguments(struct parser *parser, struct node *call);
/* Makes an expression the target of an assignment, or fails. */
void parse_mark_store(struct parser *parser, struct node *node);

struct code *code_new(struct parser *parser, enum code_kind kind, struct string *name);
/* Up to `end`, which is not consumed. */
void parse_parameters(struct parser *parser, struct code *code, enum token_kind end);

/* The ":" and the statements behind it; `owner` and its `keyword` are named when there are none. */
struct node *parse_block(struct parser *parser, const char *owner, const struct token *keyword);

/* A `match` statement stands here. */
bool parse_at_match(struct parser *parser);
struct node *parse_match(struct parser *parser);

struct node *parse_number(struct parser *parser);
struct node *parse_strings(struct parser *parser);
/* An expression in the text of an f-string. */
struct node *parse_embedded(struct parser *parser, uint32_t start, uint32_t end);
