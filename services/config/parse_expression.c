#include "config/dict.h"
#include "config/limits.h"
#include "config/parse.h"

/* Expressions by operator precedence: for each token one row says how it starts an expression, how
 * it continues one, and how strongly it binds. */

enum precedence {
    P_NONE,
    P_CONDITIONAL,
    P_OR,
    P_AND,
    P_NOT,
    P_COMPARE,
    P_BIT_OR,
    P_BIT_XOR,
    P_BIT_AND,
    P_SHIFT,
    P_SUM,
    P_TERM,
    P_UNARY,
    P_POWER,
    P_POSTFIX,
};

struct rule {
    struct node *(*prefix)(struct parser *parser);
    struct node *(*infix)(struct parser *parser, struct node *left);
    enum precedence precedence;
    uint8_t op;
};

static const struct rule RULES[T_COUNT];

static struct node *parse_precedence(struct parser *parser, enum precedence least)
{
    parse_enter(parser);
    const struct rule *rule = &RULES[token_kind_now(parser)];
    if (!rule->prefix)
        parse_fail_here(parser);
    struct node *left = rule->prefix(parser);
    for (int length = 0;; length++) {
        rule = &RULES[token_kind_now(parser)];
        if (!rule->infix || rule->precedence < least)
            break;
        if (length == LIMIT_OPERATORS)
            parse_fail(parser, left->start, token_now(parser)->end,
                       "an expression has more than %d operators", LIMIT_OPERATORS);
        left = rule->infix(parser, left);
    }
    parser->depth--;
    return left;
}

struct node *parse_expression(struct parser *parser)
{
    return parse_precedence(parser, P_CONDITIONAL);
}

struct node *parse_named_expression(struct parser *parser)
{
    struct node *left = parse_expression(parser);
    if (token_kind_now(parser) != T_WALRUS)
        return left;
    if (left->kind != N_NAME)
        parse_fail(parser, left->start, left->end, "cannot use assignment expressions with this");
    token_take(parser);
    struct node *node = node_new(parser, N_WALRUS, left->start);
    parse_mark_store(parser, left);
    node->a = left;
    node->b = parse_expression(parser);
    return node_finish(parser, node);
}

static struct node *parse_star_expression(struct parser *parser)
{
    if (token_kind_now(parser) != T_TIMES)
        return parse_named_expression(parser);
    struct node *node = node_new(parser, N_STARRED, token_take(parser)->start);
    node->a = parse_precedence(parser, P_BIT_OR);
    return node_finish(parser, node);
}

static bool ends_expressions(enum token_kind kind)
{
    switch (kind) {
    case T_NEWLINE:
    case T_END:
    case T_CLOSE_PAREN:
    case T_CLOSE_BRACKET:
    case T_CLOSE_BRACE:
    case T_ASSIGN:
    case T_COLON:
    case T_SEMICOLON:
    case T_IN:
        return true;
    default:
        return kind >= T_POWER_ASSIGN && kind <= T_MATRIX_ASSIGN && !RULES[kind].prefix &&
               !RULES[kind].infix;
    }
}

/* The rest of a tuple after its first item; without a comma the item is all. */
static struct node *parse_sequence_rest(struct parser *parser, struct node *first,
                                        struct node *(*parse_item)(struct parser *))
{
    if (token_kind_now(parser) != T_COMMA)
        return first;
    struct node *tuple = node_new(parser, N_TUPLE, first->start);
    node_add(parser, tuple, first);
    while (token_accept(parser, T_COMMA) && !ends_expressions(token_kind_now(parser)))
        node_add(parser, tuple, parse_item(parser));
    return node_finish(parser, tuple);
}

static struct node *parse_sequence(struct parser *parser,
                                   struct node *(*parse_item)(struct parser *))
{
    return parse_sequence_rest(parser, parse_item(parser), parse_item);
}

struct node *parse_expressions(struct parser *parser)
{
    return parse_sequence(parser, parse_star_expression);
}

struct node *parse_target(struct parser *parser)
{
    if (token_kind_now(parser) == T_TIMES)
        return parse_star_expression(parser);
    return parse_precedence(parser, P_BIT_OR);
}

struct node *parse_targets(struct parser *parser)
{
    return parse_sequence(parser, parse_target);
}

struct node *parse_embedded(struct parser *parser, uint32_t start, uint32_t end)
{
    size_t errors_before = parser->errors->count;
    struct tokens tokens =
        lexer_run_expression(parser->arena, parser->source, start, end, parser->errors);
    struct parser inner = *parser;
    inner.tokens = tokens.items;
    inner.at = 0;
    if (parser->errors->count > errors_before)
        longjmp(*parser->recover, 1);
    if (tokens.count == 1)
        parse_fail(parser, start, end, "f-string: empty expression not allowed");
    parse_enter(&inner);
    struct node *node =
        token_kind_now(&inner) == T_YIELD ? parse_expression(&inner) : parse_expressions(&inner);
    if (token_kind_now(&inner) != T_END)
        parse_fail_here(&inner);
    return node;
}

/* --- what starts an expression --- */

static struct node *prefix_name(struct parser *parser)
{
    return parse_name(parser);
}

static struct node *prefix_constant(struct parser *parser)
{
    struct token *token = token_take(parser);
    struct value v = token->kind == T_NONE   ? V_NONE
                     : token->kind == T_DOTS ? (struct value){ .kind = K_ELLIPSIS }
                                             : V_BOOL(token->kind == T_TRUE);
    return node_constant(parser, token->start, v);
}

static struct node *prefix_unary(struct parser *parser)
{
    struct token *token = token_take(parser);
    const struct rule *rule = &RULES[token->kind];
    enum node_kind kind = token->kind == T_MINUS    ? N_NEGATE
                          : token->kind == T_PLUS   ? N_PLUS
                          : token->kind == T_INVERT ? N_INVERT
                                                    : N_NOT;
    struct node *node = node_new(parser, kind, token->start);
    (void)rule;
    node->a = parse_precedence(parser, kind == N_NOT ? P_NOT : P_UNARY);
    return node_finish(parser, node);
}

static void parse_clauses(struct parser *parser, struct code *code)
{
    struct node *list = node_new(parser, N_BLOCK, token_now(parser)->start);
    while (token_kind_now(parser) == T_FOR) {
        struct node *clause = node_new(parser, N_CLAUSE, token_take(parser)->start);
        clause->a = parse_targets(parser);
        parse_mark_store(parser, clause->a);
        token_expect(parser, T_IN);
        clause->b = parse_precedence(parser, P_OR);
        while (token_accept(parser, T_IF)) {
            struct node *condition = parse_precedence(parser, P_OR);
            if (token_kind_now(parser) == T_WALRUS)
                parse_fail_here(parser);
            node_add(parser, clause, condition);
        }
        node_add(parser, list, node_finish(parser, clause));
    }
    code->clauses = list->items;
    code->clause_count = list->count;
}

static struct node *parse_comprehension(struct parser *parser, enum comprehension kind,
                                        struct node *element, struct node *value)
{
    static const char *const names[] = { "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>" };
    if (element->kind == N_STARRED)
        parse_fail(parser, element->start, element->end,
                   "iterable unpacking cannot be used in comprehension");
    struct node *node = node_new(parser, N_COMPREHENSION, element->start);
    node->op = (uint8_t)kind;
    node->code = code_new(parser, CODE_COMPREHENSION, string_from(parser->arena, names[kind]));
    node->code->body = element;
    node->code->body_value = value;
    node->code->is_generator = kind == COMPREHENSION_GENERATOR;
    parse_clauses(parser, node->code);
    node->a = node->code->clauses[0]->b;
    node->code->clauses[0]->b = NULL;
    return node_finish(parser, node);
}

static struct node *prefix_yield(struct parser *parser)
{
    struct token *token = token_take(parser);
    bool is_from = token_accept(parser, T_FROM);
    struct node *node = node_new(parser, is_from ? N_YIELD_FROM : N_YIELD, token->start);
    if (is_from)
        node->a = parse_expression(parser);
    else if (!ends_expressions(token_kind_now(parser)))
        node->a = parse_expressions(parser);
    if (parser->code->kind != CODE_FUNCTION && parser->code->kind != CODE_LAMBDA)
        parse_fail(parser, token->start, token->end, "'yield' outside function");
    parser->code->is_generator = true;
    return node_finish(parser, node);
}

static struct node *prefix_paren(struct parser *parser)
{
    uint32_t start = token_take(parser)->start;
    if (token_accept(parser, T_CLOSE_PAREN))
        return node_finish(parser, node_new(parser, N_TUPLE, start));
    struct node *inner = parse_star_expression(parser);
    if (token_kind_now(parser) == T_FOR)
        inner = parse_comprehension(parser, COMPREHENSION_GENERATOR, inner, NULL);
    inner = parse_sequence_rest(parser, inner, parse_star_expression);
    if (inner->kind == N_STARRED)
        parse_fail(parser, inner->start, inner->end, "cannot use starred expression here");
    token_expect(parser, T_CLOSE_PAREN);
    if (inner->kind == N_TUPLE || inner->kind == N_COMPREHENSION) {
        inner->start = start;
        node_finish(parser, inner);
    }
    return inner;
}

static struct node *prefix_list(struct parser *parser)
{
    uint32_t start = token_take(parser)->start;
    struct node *list = node_new(parser, N_LIST, start);
    while (token_kind_now(parser) != T_CLOSE_BRACKET) {
        struct node *item = parse_star_expression(parser);
        if (token_kind_now(parser) == T_FOR && list->count == 0) {
            list = parse_comprehension(parser, COMPREHENSION_LIST, item, NULL);
            break;
        }
        node_add(parser, list, item);
        if (!token_accept(parser, T_COMMA))
            break;
    }
    token_expect(parser, T_CLOSE_BRACKET);
    list->start = start;
    return node_finish(parser, list);
}

/* An entry of a dict, or an item of a set: then `*ret_value` is NULL. */
static struct node *parse_entry(struct parser *parser, struct node **ret_value)
{
    *ret_value = NULL;
    if (token_accept(parser, T_POWER)) {
        *ret_value = parse_precedence(parser, P_BIT_OR);
        return NULL;
    }
    struct node *key = parse_star_expression(parser);
    if (key->kind != N_STARRED && token_accept(parser, T_COLON))
        *ret_value = parse_expression(parser);
    return key;
}

static struct node *prefix_brace(struct parser *parser)
{
    uint32_t start = token_take(parser)->start;
    struct node *node = node_new(parser, N_DICT, start);
    for (bool is_first = true; token_kind_now(parser) != T_CLOSE_BRACE; is_first = false) {
        struct node *value, *key = parse_entry(parser, &value);
        if (is_first && !value)
            node->kind = N_SET;
        if (is_first && key && token_kind_now(parser) == T_FOR) {
            node = parse_comprehension(parser, value ? COMPREHENSION_DICT : COMPREHENSION_SET, key,
                                       value);
            break;
        }
        if ((node->kind == N_DICT) != (value != NULL))
            parse_fail_here(parser);
        node_add(parser, node, key);
        if (value)
            node_add(parser, node, value);
        if (!token_accept(parser, T_COMMA))
            break;
    }
    token_expect(parser, T_CLOSE_BRACE);
    node->start = start;
    return node_finish(parser, node);
}

static struct node *prefix_lambda(struct parser *parser)
{
    struct node *node = node_new(parser, N_LAMBDA, token_take(parser)->start);
    struct code *outer = parser->code;
    node->code = code_new(parser, CODE_LAMBDA, string_from(parser->arena, "<lambda>"));
    parse_parameters(parser, node->code, T_COLON);
    token_expect(parser, T_COLON);
    if (token_kind_now(parser) == T_YIELD)
        parse_fail_here(parser);
    parser->code = node->code;
    node->code->body = parse_expression(parser);
    parser->code = outer;
    return node_finish(parser, node);
}

/* --- what continues an expression --- */

static struct node *infix_binary(struct parser *parser, struct node *left)
{
    const struct rule *rule = &RULES[token_take(parser)->kind];
    struct node *node = node_new(parser, N_BINARY, left->start);
    node->op = rule->op;
    node->a = left;
    node->b = parse_precedence(parser, rule->precedence + 1);
    return node_finish(parser, node);
}

/* Binds tighter than a unary operator on its left, weaker than one on its right. */
static struct node *infix_power(struct parser *parser, struct node *left)
{
    token_take(parser);
    struct node *node = node_new(parser, N_BINARY, left->start);
    node->op = OP_POWER;
    node->a = left;
    node->b = parse_precedence(parser, P_UNARY);
    return node_finish(parser, node);
}

static struct node *infix_logic(struct parser *parser, struct node *left)
{
    struct token *token = token_take(parser);
    struct node *node = node_new(parser, token->kind == T_AND ? N_AND : N_OR, left->start);
    node->a = left;
    node->b = parse_precedence(parser, RULES[token->kind].precedence + 1);
    return node_finish(parser, node);
}

static enum compare_op take_compare(struct parser *parser)
{
    struct token *token = token_take(parser);
    if (token->kind == T_IS)
        return token_accept(parser, T_NOT) ? CMP_IS_NOT : CMP_IS;
    if (token->kind == T_NOT) {
        token_expect(parser, T_IN);
        return CMP_NOT_IN;
    }
    return RULES[token->kind].op;
}

static struct node *infix_compare(struct parser *parser, struct node *left)
{
    struct node *node = node_new(parser, N_COMPARE, left->start);
    node->a = left;
    while (RULES[token_kind_now(parser)].infix == infix_compare) {
        struct node *step = node_new(parser, N_COMPARE_STEP, token_now(parser)->start);
        step->op = (uint8_t)take_compare(parser);
        step->a = parse_precedence(parser, P_COMPARE + 1);
        node_add(parser, node, node_finish(parser, step));
        if (node->count == LIMIT_OPERATORS)
            parse_fail_here(parser);
    }
    return node_finish(parser, node);
}

static struct node *infix_conditional(struct parser *parser, struct node *left)
{
    struct node *node = node_new(parser, N_CONDITIONAL, left->start);
    token_take(parser);
    node->a = left;
    node->b = parse_precedence(parser, P_OR);
    if (token_kind_now(parser) != T_ELSE)
        parse_fail(parser, left->start, node->b->end, "expected 'else' after 'if' expression");
    token_take(parser);
    node->c = parse_expression(parser);
    return node_finish(parser, node);
}

static struct node *parse_argument(struct parser *parser, struct node *call)
{
    struct token *token = token_now(parser);
    if (token_accept(parser, T_POWER)) {
        struct node *node = node_new(parser, N_DOUBLE_STARRED, token->start);
        node->a = parse_expression(parser);
        return node_finish(parser, node);
    }
    if (token->kind == T_NAME && token_kind_ahead(parser, 1) == T_ASSIGN) {
        struct node *node = node_new(parser, N_KEYWORD, token->start);
        node->value = parse_identifier(parser);
        token_take(parser);
        node->a = parse_expression(parser);
        return node_finish(parser, node);
    }
    struct node *node = parse_star_expression(parser);
    if (token_kind_now(parser) == T_FOR) {
        node = parse_comprehension(parser, COMPREHENSION_GENERATOR, node, NULL);
        if (call->count > 0 || token_kind_now(parser) == T_COMMA)
            parse_fail(parser, node->start, node->end,
                       "Generator expression must be parenthesized");
    }
    return node;
}

/* The keywords of a call that have been seen. */
struct keywords {
    struct dict *names;
    bool has_double_star;
};

static void check_argument(struct parser *parser, struct keywords *seen,
                           const struct node *argument)
{
    if (argument->kind == N_KEYWORD) {
        if (!seen->names)
            seen->names = dict_new(parser->arena);
        if (dict_get_text(seen->names, argument->value.s).kind != K_UNBOUND)
            parse_fail(parser, argument->start, argument->end, "keyword argument repeated: %s",
                       argument->value.s->data);
        if (seen->names->count == LIMIT_KEYWORDS)
            parse_fail(parser, argument->start, argument->end, "a call has more than %d keywords",
                       LIMIT_KEYWORDS);
        dict_set_text(parser->arena, seen->names, argument->value.s, V_NONE);
    } else if (argument->kind == N_DOUBLE_STARRED) {
        seen->has_double_star = true;
    } else if (seen->has_double_star) {
        parse_fail(parser, argument->start, argument->end,
                   "%s argument%s follows keyword argument unpacking",
                   argument->kind == N_STARRED ? "iterable" : "positional",
                   argument->kind == N_STARRED ? " unpacking" : "");
    } else if (seen->names && argument->kind != N_STARRED) {
        parse_fail(parser, argument->start, argument->end,
                   "positional argument follows keyword argument");
    }
}

void parse_arguments(struct parser *parser, struct node *call)
{
    struct keywords seen = { 0 };
    while (token_kind_now(parser) != T_CLOSE_PAREN) {
        struct node *argument = parse_argument(parser, call);
        check_argument(parser, &seen, argument);
        node_add(parser, call, argument);
        if (!token_accept(parser, T_COMMA))
            break;
    }
    token_expect(parser, T_CLOSE_PAREN);
}

static struct node *infix_call(struct parser *parser, struct node *left)
{
    struct node *node = node_new(parser, N_CALL, left->start);
    token_take(parser);
    node->a = left;
    parse_arguments(parser, node);
    return node_finish(parser, node);
}

static struct node *infix_attribute(struct parser *parser, struct node *left)
{
    struct node *node = node_new(parser, N_ATTRIBUTE, left->start);
    token_take(parser);
    node->a = left;
    node->value = parse_identifier(parser);
    return node_finish(parser, node);
}

static bool at_slice_part(struct parser *parser)
{
    enum token_kind kind = token_kind_now(parser);
    return kind != T_COLON && kind != T_CLOSE_BRACKET && kind != T_COMMA;
}

static struct node *parse_subscript(struct parser *parser)
{
    uint32_t start = token_now(parser)->start;
    struct node *first = at_slice_part(parser) ? parse_star_expression(parser) : NULL;
    if (token_kind_now(parser) != T_COLON) {
        if (!first)
            parse_fail_here(parser);
        return first;
    }
    struct node *slice = node_new(parser, N_SLICE, start);
    token_take(parser);
    slice->a = first;
    if (at_slice_part(parser))
        slice->b = parse_expression(parser);
    if (token_accept(parser, T_COLON) && at_slice_part(parser))
        slice->c = parse_expression(parser);
    return node_finish(parser, slice);
}

/* With commas they are a tuple, in which a colon begins a slice. */
static struct node *parse_subscripts(struct parser *parser)
{
    struct node *first = parse_subscript(parser);
    if (token_kind_now(parser) != T_COMMA)
        return first;
    struct node *tuple = node_new(parser, N_TUPLE, first->start);
    node_add(parser, tuple, first);
    while (token_accept(parser, T_COMMA) && token_kind_now(parser) != T_CLOSE_BRACKET)
        node_add(parser, tuple, parse_subscript(parser));
    return node_finish(parser, tuple);
}

static struct node *infix_index(struct parser *parser, struct node *left)
{
    struct node *node = node_new(parser, N_INDEX, left->start);
    token_take(parser);
    node->a = left;
    node->b = parse_subscripts(parser);
    token_expect(parser, T_CLOSE_BRACKET);
    return node_finish(parser, node);
}

void parse_mark_store(struct parser *parser, struct node *node)
{
    switch (node->kind) {
    case N_NAME:
    case N_ATTRIBUTE:
    case N_INDEX:
        node->is_store = true;
        return;
    case N_STARRED:
        node->is_store = true;
        parse_mark_store(parser, node->a);
        return;
    case N_TUPLE:
    case N_LIST:
        node->is_store = true;
        for (uint32_t i = 0, stars = 0; i < node->count; i++) {
            stars += node->items[i]->kind == N_STARRED;
            if (stars > 1)
                parse_fail(parser, node->start, node->end,
                           "multiple starred expressions in assignment");
            parse_mark_store(parser, node->items[i]);
        }
        return;
    case N_CALL:
        parse_fail(parser, node->start, node->end,
                   "cannot assign to function call here. Maybe you meant '==' instead of '='?");
    case N_COMPARE:
        parse_fail(parser, node->start, node->end, "cannot assign to comparison");
    case N_CONSTANT:
        if (node->value.kind == K_NONE || node->value.kind == K_BOOL)
            parse_fail(parser, node->start, node->end, "cannot assign to %s",
                       node->value.kind == K_NONE ? "None"
                       : node->value.b            ? "True"
                                                  : "False");
        parse_fail(parser, node->start, node->end,
                   "cannot assign to literal here. Maybe you meant '==' instead of '='?");
    default:
        parse_fail(parser, node->start, node->end,
                   "cannot assign to expression here. Maybe you meant '==' instead of '='?");
    }
}

/* clang-format off */
static const struct rule RULES[T_COUNT] = {
    [T_NAME]         = { prefix_name, NULL, P_NONE, 0 },
    [T_NUMBER]       = { parse_number, NULL, P_NONE, 0 },
    [T_STRING]       = { parse_strings, NULL, P_NONE, 0 },
    [T_NONE]         = { prefix_constant, NULL, P_NONE, 0 },
    [T_TRUE]         = { prefix_constant, NULL, P_NONE, 0 },
    [T_FALSE]        = { prefix_constant, NULL, P_NONE, 0 },
    [T_DOTS]         = { prefix_constant, NULL, P_NONE, 0 },
    [T_LAMBDA]       = { prefix_lambda, NULL, P_NONE, 0 },
    [T_YIELD]        = { prefix_yield, NULL, P_NONE, 0 },
    [T_OPEN_PAREN]   = { prefix_paren, infix_call, P_POSTFIX, 0 },
    [T_OPEN_BRACKET] = { prefix_list, infix_index, P_POSTFIX, 0 },
    [T_OPEN_BRACE]   = { prefix_brace, NULL, P_NONE, 0 },
    [T_DOT]          = { NULL, infix_attribute, P_POSTFIX, 0 },
    [T_NOT]          = { prefix_unary, infix_compare, P_COMPARE, CMP_NOT_IN },
    [T_INVERT]       = { prefix_unary, NULL, P_NONE, 0 },
    [T_IF]           = { NULL, infix_conditional, P_CONDITIONAL, 0 },
    [T_OR]           = { NULL, infix_logic, P_OR, 0 },
    [T_AND]          = { NULL, infix_logic, P_AND, 0 },
    [T_IN]           = { NULL, infix_compare, P_COMPARE, CMP_IN },
    [T_IS]           = { NULL, infix_compare, P_COMPARE, CMP_IS },
    [T_EQUAL]        = { NULL, infix_compare, P_COMPARE, CMP_EQUAL },
    [T_UNEQUAL]      = { NULL, infix_compare, P_COMPARE, CMP_UNEQUAL },
    [T_LESS]         = { NULL, infix_compare, P_COMPARE, CMP_LESS },
    [T_AT_MOST]      = { NULL, infix_compare, P_COMPARE, CMP_AT_MOST },
    [T_MORE]         = { NULL, infix_compare, P_COMPARE, CMP_MORE },
    [T_AT_LEAST]     = { NULL, infix_compare, P_COMPARE, CMP_AT_LEAST },
    [T_BIT_OR]       = { NULL, infix_binary, P_BIT_OR, OP_OR },
    [T_BIT_XOR]      = { NULL, infix_binary, P_BIT_XOR, OP_XOR },
    [T_BIT_AND]      = { NULL, infix_binary, P_BIT_AND, OP_AND },
    [T_LEFT]         = { NULL, infix_binary, P_SHIFT, OP_LEFT },
    [T_RIGHT]        = { NULL, infix_binary, P_SHIFT, OP_RIGHT },
    [T_PLUS]         = { prefix_unary, infix_binary, P_SUM, OP_ADD },
    [T_MINUS]        = { prefix_unary, infix_binary, P_SUM, OP_SUBTRACT },
    [T_TIMES]        = { NULL, infix_binary, P_TERM, OP_MULTIPLY },
    [T_DIVIDE]       = { NULL, infix_binary, P_TERM, OP_DIVIDE },
    [T_FLOOR]        = { NULL, infix_binary, P_TERM, OP_FLOOR },
    [T_MODULO]       = { NULL, infix_binary, P_TERM, OP_MODULO },
    [T_AT]           = { NULL, infix_binary, P_TERM, OP_MATRIX },
    [T_POWER]        = { NULL, infix_power, P_POWER, OP_POWER },
};
/* clang-format on */
