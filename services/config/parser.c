#include "config/parser.h"

#include "config/limits.h"
#include "config/parse.h"
#include "config/resolve.h"

#include <stdlib.h>

/* Statements, and what all of the parser uses. */

enum token_kind token_kind_ahead(struct parser *parser, size_t ahead)
{
    for (size_t i = 0; i < ahead; i++)
        if (parser->tokens[parser->at + i].kind == T_END)
            return T_END;
    return parser->tokens[parser->at + ahead].kind;
}

struct token *token_take(struct parser *parser)
{
    struct token *token = token_now(parser);
    if (token->kind != T_END)
        parser->at++;
    return token;
}

bool token_accept(struct parser *parser, enum token_kind kind)
{
    if (token_kind_now(parser) != kind)
        return false;
    token_take(parser);
    return true;
}

struct token *token_expect(struct parser *parser, enum token_kind kind)
{
    struct token *token = token_now(parser);
    if (token->kind == kind)
        return token_take(parser);
    if (token->kind == T_ERROR || kind == T_NEWLINE)
        parse_fail_here(parser);
    if (kind == T_NAME)
        parse_fail(parser, token->start, token->end, "invalid syntax");
    if (kind == T_COLON && token->kind == T_ASSIGN)
        parse_fail(parser, token->start, token->end,
                   "invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
    if (kind == T_CLOSE_PAREN && token->kind == T_ASSIGN)
        parse_fail(parser, token->start, token->end,
                   "expression cannot contain assignment, perhaps you meant \"==\"?");
    if (kind == T_CLOSE_PAREN || kind == T_CLOSE_BRACKET || kind == T_CLOSE_BRACE)
        parse_fail(parser, token->start, token->end,
                   "invalid syntax. Perhaps you forgot a comma or '%s'?", token_text(kind));
    parse_fail(parser, token->start, token->end, "expected '%s'", token_text(kind));
}

void parse_fail(struct parser *parser, uint32_t start, uint32_t end, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *message = arena_vprintf(parser->arena, fmt, ap);
    va_end(ap);
    diagnostics_add(parser->errors, ERROR_SYNTAX, (struct span){ parser->source, start, end }, "%s",
                    message);
    longjmp(*parser->recover, 1);
}

void parse_fail_here(struct parser *parser)
{
    struct token *token = token_now(parser);
    switch (token->kind) {
    case T_ERROR: /* the lexer has reported it */
        longjmp(*parser->recover, 1);
    case T_INDENT:
        parse_fail(parser, token->start, token->end, "unexpected indent");
    case T_DEDENT:
        parse_fail(parser, token->start, token->end, "unexpected end of the block");
    case T_END:
        parse_fail(parser, token->start, token->end, "unexpected end of the file");
    case T_MORE:
        if (parser->at && parser->tokens[parser->at - 1].kind == T_LESS &&
            parser->tokens[parser->at - 1].end == token->start)
            parse_fail(parser, token->start - 1, token->end,
                       "invalid syntax. Python 2's '<>' is written '!='");
        __attribute__((fallthrough));
    default:
        parse_fail(parser, token->start, token->end, "invalid syntax");
    }
}

void parse_enter(struct parser *parser)
{
    if (++parser->depth > LIMIT_PARSER_DEPTH)
        parse_fail(parser, token_now(parser)->start, token_now(parser)->end,
                   "more than %d expressions or blocks inside each other", LIMIT_PARSER_DEPTH);
}

static bool check_memory(struct parser *parser)
{
    return arena_used(parser->arena) <= LIMIT_MEMORY_BYTES ||
           diagnostics_add(parser->errors, ERROR_SYNTAX, (struct span){ parser->source, 0, 0 },
                           "the file takes more than %d bytes of memory to read",
                           LIMIT_MEMORY_BYTES);
}

struct node *node_new(struct parser *parser, enum node_kind kind, uint32_t start)
{
    if (parser->recover && !check_memory(parser)) {
        while (token_kind_now(parser) != T_END) /* nothing will be parsed behind this */
            parser->at++;
        longjmp(*parser->recover, 1);
    }
    struct node *node = arena_alloc(parser->arena, sizeof *node);
    node->kind = (uint8_t)kind;
    node->start = node->end = start;
    return node;
}

struct node *node_finish(struct parser *parser, struct node *node)
{
    if (parser->at > 0)
        node->end = parser->tokens[parser->at - 1].end;
    return node;
}

void node_add(struct parser *parser, struct node *node, struct node *item)
{
    /* The capacity is the next power of two, from 4 on. */
    if (node->count == 0)
        node->items = arena_array(parser->arena, 4, sizeof item);
    else if (node->count >= 4 && (node->count & (node->count - 1)) == 0)
        node->items = arena_grow(parser->arena, node->items, node->count * sizeof item,
                                 node->count * 2 * sizeof item);
    node->items[node->count++] = item;
}

struct node *node_constant(struct parser *parser, uint32_t start, struct value v)
{
    struct node *node = node_new(parser, N_CONSTANT, start);
    node->value = v;
    return node_finish(parser, node);
}

struct value parse_identifier(struct parser *parser)
{
    struct token *token = token_expect(parser, T_NAME);
    return V_STR(string_new(parser->arena, parser->source->text.ptr + token->start,
                            token->end - token->start));
}

struct node *parse_name(struct parser *parser)
{
    struct node *node = node_new(parser, N_NAME, token_now(parser)->start);
    node->value = parse_identifier(parser);
    return node_finish(parser, node);
}

struct code *code_new(struct parser *parser, enum code_kind kind, struct string *name)
{
    struct code *code = arena_alloc(parser->arena, sizeof *code);
    code->kind = kind;
    code->source = parser->source;
    code->name = name;
    return code;
}

/* --- parameters --- */

struct parameter {
    struct string *name;
    struct node *value;
};

struct parameters {
    struct parameter *items;
    size_t count, capacity;
};

static void parameters_add(struct parser *parser, struct parameters *list,
                           struct parameter parameter)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 4;
        list->items = arena_grow(parser->arena, list->items, list->count * sizeof parameter,
                                 capacity * sizeof parameter);
        list->capacity = capacity;
    }
    list->items[list->count++] = parameter;
}

static struct parameter parse_parameter(struct parser *parser, enum token_kind end)
{
    struct parameter parameter = { .name = parse_identifier(parser).s };
    if (end == T_CLOSE_PAREN && token_accept(parser, T_COLON))
        (void)parse_expression(parser); /* an annotation means nothing here */
    if (token_accept(parser, T_ASSIGN))
        parameter.value = parse_expression(parser);
    return parameter;
}

struct parameter_lists {
    struct parameters positional, keyword_only;
    struct string *star, *double_star;
    bool is_behind_star;
};

/* `/` and `*` in a list of parameters. */
static void check_marker(struct parser *parser, const struct code *code,
                         const struct parameter_lists *lists, const struct token *token)
{
    const char *message = NULL;
    if (token->kind == T_TIMES && lists->is_behind_star)
        message = "* argument may appear only once";
    else if (token->kind == T_DIVIDE && lists->is_behind_star)
        message = "/ must be ahead of *";
    else if (token->kind == T_DIVIDE && code->positional_only_count)
        message = "/ may appear only once";
    else if (token->kind == T_DIVIDE && !lists->positional.count)
        message = "invalid syntax";
    if (message)
        parse_fail(parser, token->start, token->end, "%s", message);
}

static void parse_one_parameter(struct parser *parser, struct code *code,
                                struct parameter_lists *lists, enum token_kind end)
{
    struct token *token = token_now(parser);
    if (lists->double_star)
        parse_fail(parser, token->start, token->end,
                   "arguments cannot follow var-keyword argument");
    check_marker(parser, code, lists, token);
    if (token_accept(parser, T_DIVIDE)) {
        code->positional_only_count = (uint32_t)lists->positional.count;
    } else if (token_accept(parser, T_POWER)) {
        lists->double_star = parse_parameter(parser, end).name;
    } else if (token_accept(parser, T_TIMES)) {
        lists->is_behind_star = true;
        if (token_kind_now(parser) == T_NAME)
            lists->star = parse_parameter(parser, end).name;
    } else {
        struct parameters *list = lists->is_behind_star ? &lists->keyword_only : &lists->positional;
        struct parameter parameter = parse_parameter(parser, end);
        if (!lists->is_behind_star && !parameter.value && list->count &&
            list->items[list->count - 1].value)
            parse_fail(parser, token->start, token->end,
                       "non-default argument follows default argument");
        if (list->count == LIMIT_PARAMETERS)
            parse_fail(parser, token->start, token->end, "a function has more than %d parameters",
                       LIMIT_PARAMETERS);
        parameters_add(parser, list, parameter);
    }
}

static void add_slot(struct code *code, struct string *name, struct node *value)
{
    code->defaults[code->slot_count] = value;
    code->slots[code->slot_count++] = name;
}

static void check_repeated_parameters(struct parser *parser, const struct code *code,
                                      uint32_t start)
{
    for (uint32_t i = 0; i < code->slot_count; i++)
        for (uint32_t j = 0; j < i; j++)
            if (string_equal(code->slots[i], code->slots[j]))
                parse_fail(parser, start, token_now(parser)->start,
                           "duplicate argument '%s' in function definition", code->slots[i]->data);
}

void parse_parameters(struct parser *parser, struct code *code, enum token_kind end)
{
    uint32_t start = token_now(parser)->start;
    struct parameter_lists lists = { 0 };
    while (token_kind_now(parser) != end) {
        parse_one_parameter(parser, code, &lists, end);
        if (!token_accept(parser, T_COMMA))
            break;
    }
    if (lists.is_behind_star && !lists.star && !lists.keyword_only.count)
        parse_fail(parser, start, token_now(parser)->start, "named arguments must follow bare *");
    size_t count = lists.positional.count + lists.keyword_only.count + 2;
    code->slots = arena_array(parser->arena, count, sizeof *code->slots);
    code->defaults = arena_array(parser->arena, count, sizeof *code->defaults);
    for (size_t i = 0; i < lists.positional.count; i++)
        add_slot(code, lists.positional.items[i].name, lists.positional.items[i].value);
    code->positional_count = code->slot_count;
    for (size_t i = 0; i < lists.keyword_only.count; i++)
        add_slot(code, lists.keyword_only.items[i].name, lists.keyword_only.items[i].value);
    code->keyword_only_count = code->slot_count - code->positional_count;
    code->has_star = lists.star != NULL;
    code->has_double_star = lists.double_star != NULL;
    if (lists.star)
        add_slot(code, lists.star, NULL);
    if (lists.double_star)
        add_slot(code, lists.double_star, NULL);
    check_repeated_parameters(parser, code, start);
}

/* --- blocks --- */

static void parse_line(struct parser *parser, struct node *block);
static void parse_simple_line(struct parser *parser, struct node *block);

/* What a block belongs to, for the message when it is missing. */
struct node *parse_block(struct parser *parser, const char *owner, const struct token *keyword)
{
    token_expect(parser, T_COLON);
    struct node *block = node_new(parser, N_BLOCK, token_now(parser)->start);
    parse_enter(parser);
    if (!token_accept(parser, T_NEWLINE)) {
        parse_simple_line(parser, block);
    } else {
        if (token_kind_now(parser) == T_ERROR)
            parse_fail_here(parser);
        if (!token_accept(parser, T_INDENT))
            parse_fail(parser, token_now(parser)->start, token_now(parser)->end,
                       "expected an indented block after %s on line %d", owner,
                       source_place(parser->source, keyword->start, keyword->end).line);
        while (!token_accept(parser, T_DEDENT))
            parse_line(parser, block);
    }
    parser->depth--;
    return node_finish(parser, block);
}

/* --- simple statements --- */

typedef struct node *parse_fn(struct parser *parser);

static struct node *parse_return(struct parser *parser)
{
    struct token *token = token_take(parser);
    struct node *node = node_new(parser, N_RETURN, token->start);
    if (parser->code->kind != CODE_FUNCTION)
        parse_fail(parser, token->start, token->end, "'return' outside function");
    if (token_kind_now(parser) != T_NEWLINE && token_kind_now(parser) != T_SEMICOLON)
        node->a = parse_expressions(parser);
    return node_finish(parser, node);
}

static struct node *parse_word(struct parser *parser)
{
    struct token *token = token_take(parser);
    enum node_kind kind = token->kind == T_BREAK      ? N_BREAK
                          : token->kind == T_CONTINUE ? N_CONTINUE
                                                      : N_PASS;
    return node_finish(parser, node_new(parser, kind, token->start));
}

static struct node *parse_scope_names(struct parser *parser)
{
    struct token *token = token_take(parser);
    struct node *node =
        node_new(parser, token->kind == T_GLOBAL ? N_GLOBAL : N_NONLOCAL, token->start);
    do
        node_add(parser, node, parse_name(parser));
    while (token_accept(parser, T_COMMA));
    if (token->kind == T_NONLOCAL && parser->code->kind == CODE_MODULE)
        parse_fail(parser, token->start, token->end,
                   "nonlocal declaration not allowed at module level");
    return node_finish(parser, node);
}

static struct value parse_dotted_name(struct parser *parser)
{
    struct token *first = token_expect(parser, T_NAME), *last = first;
    while (token_accept(parser, T_DOT))
        last = token_expect(parser, T_NAME);
    return V_STR(string_new(parser->arena, parser->source->text.ptr + first->start,
                            last->end - first->start));
}

/* The name that an import binds: behind `as`, or the first part. */
static struct node *parse_alias_name(struct parser *parser, const struct token *first)
{
    struct node *name;
    if (token_accept(parser, T_AS)) {
        name = parse_name(parser);
    } else {
        name = node_new(parser, N_NAME, first->start);
        name->end = first->end;
        name->value = V_STR(string_new(parser->arena, parser->source->text.ptr + first->start,
                                       first->end - first->start));
    }
    name->is_store = true;
    return name;
}

static struct node *parse_import(struct parser *parser)
{
    struct node *node = node_new(parser, N_IMPORT, token_take(parser)->start);
    do {
        struct token *first = token_now(parser);
        struct node *alias = node_new(parser, N_ALIAS, first->start);
        alias->value = parse_dotted_name(parser);
        alias->op = token_kind_now(parser) == T_AS;
        alias->a = parse_alias_name(parser, first);
        node_add(parser, node, node_finish(parser, alias));
    } while (token_accept(parser, T_COMMA));
    return node_finish(parser, node);
}

static void parse_from_names(struct parser *parser, struct node *node)
{
    bool is_bracketed = token_accept(parser, T_OPEN_PAREN);
    do {
        if (is_bracketed && token_kind_now(parser) == T_CLOSE_PAREN)
            break;
        struct token *first = token_now(parser);
        struct node *alias = node_new(parser, N_ALIAS, first->start);
        alias->value = parse_identifier(parser);
        alias->a = parse_alias_name(parser, first);
        node_add(parser, node, node_finish(parser, alias));
    } while (token_accept(parser, T_COMMA));
    if (is_bracketed)
        token_expect(parser, T_CLOSE_PAREN);
}

static struct node *parse_from(struct parser *parser)
{
    struct node *node = node_new(parser, N_FROM, token_take(parser)->start);
    if (token_kind_now(parser) == T_DOT)
        parse_fail(parser, node->start, token_now(parser)->end,
                   "relative imports do not exist here; use include('file.aurora')");
    node->value = parse_dotted_name(parser);
    token_expect(parser, T_IMPORT);
    struct token *all = token_now(parser);
    if (!token_accept(parser, T_TIMES))
        parse_from_names(parser, node);
    else if (parser->code->kind != CODE_MODULE)
        parse_fail(parser, all->start, all->end, "import * only allowed at module level");
    return node_finish(parser, node);
}

static struct node *parse_raise(struct parser *parser)
{
    struct node *node = node_new(parser, N_RAISE, token_take(parser)->start);
    if (token_kind_now(parser) != T_NEWLINE && token_kind_now(parser) != T_SEMICOLON)
        node->a = parse_expression(parser);
    if (node->a && token_kind_now(parser) == T_COMMA)
        parse_fail(parser, token_now(parser)->start, token_now(parser)->end,
                   "invalid syntax. Python 2's 'raise E, value' is written raise E(value)");
    if (node->a && token_accept(parser, T_FROM))
        node->b = parse_expression(parser);
    return node_finish(parser, node);
}

static struct node *parse_assert(struct parser *parser)
{
    struct node *node = node_new(parser, N_ASSERT, token_take(parser)->start);
    node->a = parse_expression(parser);
    if (token_accept(parser, T_COMMA))
        node->b = parse_expression(parser);
    return node_finish(parser, node);
}

static struct node *parse_delete(struct parser *parser)
{
    struct node *node = node_new(parser, N_DELETE, token_take(parser)->start);
    struct node *targets = parse_expressions(parser);
    parse_mark_store(parser, targets);
    node_add(parser, node, targets);
    return node_finish(parser, node);
}

/* Python 2's `print a, b`: the name and directly the start of an expression. */
static bool at_print_statement(struct parser *parser)
{
    struct token *token = token_now(parser);
    if (token->kind != T_NAME || token->end - token->start != 5 ||
        memcmp(parser->source->text.ptr + token->start, "print", 5) != 0)
        return false;
    enum token_kind next = token_kind_ahead(parser, 1);
    return next == T_STRING || next == T_NAME || next == T_NUMBER || next == T_TRUE ||
           next == T_FALSE || next == T_NONE;
}

static struct node *parse_print(struct parser *parser)
{
    struct token *token = token_take(parser);
    struct node *node = node_new(parser, N_PRINT, token->start);
    do {
        if (token_kind_now(parser) == T_NEWLINE) {
            node->op = 1;
            break;
        }
        node_add(parser, node, parse_expression(parser));
    } while (token_accept(parser, T_COMMA));
    diagnostics_add(parser->warnings, WARNING_PRINT,
                    (struct span){ parser->source, token->start, token->end },
                    "'print' without parentheses is Python 2; write print(...)");
    return node_finish(parser, node);
}

static struct node *parse_assignment(struct parser *parser, struct node *first)
{
    struct node *node = node_new(parser, N_ASSIGN, first->start);
    struct node *value = first;
    while (token_accept(parser, T_ASSIGN)) {
        parse_mark_store(parser, value);
        if (value->kind == N_STARRED)
            parse_fail(parser, value->start, value->end,
                       "starred assignment target must be in a list or tuple");
        node_add(parser, node, value);
        value = parse_expressions(parser);
    }
    if (value->kind == N_STARRED)
        parse_fail(parser, value->start, value->end, "can't use starred expression here");
    node->a = value;
    return node_finish(parser, node);
}

static struct node *parse_annotated(struct parser *parser, struct node *target)
{
    struct node *node = node_new(parser, N_ASSIGN, target->start);
    token_take(parser);
    uint32_t start = token_now(parser)->start;
    const struct node *annotation = parse_expression(parser);
    if (target->kind == N_NAME)
        node->value = V_STR(
            string_new(parser->arena, parser->source->text.ptr + start, annotation->end - start));
    parse_mark_store(parser, target);
    node_add(parser, node, target);
    if (token_accept(parser, T_ASSIGN))
        node->a = parse_expressions(parser);
    return node_finish(parser, node);
}

static bool augmented_op(enum token_kind kind, uint8_t *ret_op)
{
    static const struct {
        enum token_kind token;
        enum binary_op op;
    } rows[] = {
        { T_PLUS_ASSIGN, OP_ADD },       { T_MINUS_ASSIGN, OP_SUBTRACT },
        { T_TIMES_ASSIGN, OP_MULTIPLY }, { T_DIVIDE_ASSIGN, OP_DIVIDE },
        { T_FLOOR_ASSIGN, OP_FLOOR },    { T_MODULO_ASSIGN, OP_MODULO },
        { T_POWER_ASSIGN, OP_POWER },    { T_LEFT_ASSIGN, OP_LEFT },
        { T_RIGHT_ASSIGN, OP_RIGHT },    { T_AND_ASSIGN, OP_AND },
        { T_OR_ASSIGN, OP_OR },          { T_XOR_ASSIGN, OP_XOR },
        { T_MATRIX_ASSIGN, OP_MATRIX },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].token == kind) {
            *ret_op = (uint8_t)rows[i].op;
            return true;
        }
    return false;
}

static struct node *parse_expression_statement(struct parser *parser)
{
    if (at_print_statement(parser))
        return parse_print(parser);
    if (token_kind_now(parser) == T_NAME && token_kind_ahead(parser, 1) == T_WALRUS) {
        token_take(parser);
        parse_fail_here(parser);
    }
    struct node *first = parse_expressions(parser);
    uint8_t op;
    if (token_kind_now(parser) == T_ASSIGN)
        return parse_assignment(parser, first);
    if (token_kind_now(parser) == T_COLON &&
        (first->kind == N_NAME || first->kind == N_ATTRIBUTE || first->kind == N_INDEX))
        return parse_annotated(parser, first);
    if (token_kind_now(parser) == T_COLON && (first->kind == N_TUPLE || first->kind == N_LIST))
        parse_fail(parser, first->start, first->end, "only single target (not %s) can be annotated",
                   first->kind == N_TUPLE ? "tuple" : "list");
    if (augmented_op(token_kind_now(parser), &op)) {
        if (first->kind == N_TUPLE || first->kind == N_LIST)
            parse_fail(parser, first->start, first->end,
                       "'%s' is an illegal expression for augmented assignment",
                       first->kind == N_TUPLE ? "tuple" : "list");
        token_take(parser);
        struct node *node = node_new(parser, N_AUGMENTED, first->start);
        parse_mark_store(parser, first);
        node->op = op;
        node->a = first;
        node->b = parse_expressions(parser);
        return node_finish(parser, node);
    }
    if (first->kind == N_STARRED)
        parse_fail(parser, first->start, first->end, "can't use starred expression here");
    struct node *node = node_new(parser, N_EXPRESSION, first->start);
    node->a = first;
    return node_finish(parser, node);
}

/* --- compound statements --- */

static struct node *parse_else(struct parser *parser)
{
    struct token *keyword = token_now(parser);
    return token_accept(parser, T_ELSE) ? parse_block(parser, "'else' statement", keyword) : NULL;
}

static struct node *parse_if(struct parser *parser)
{
    struct token *keyword = token_take(parser);
    struct node *node = node_new(parser, N_IF, keyword->start);
    parse_enter(parser);
    node->a = parse_named_expression(parser);
    node->b =
        parse_block(parser, keyword->kind == T_IF ? "'if' statement" : "'elif' statement", keyword);
    node->c = token_kind_now(parser) == T_ELIF ? parse_if(parser) : parse_else(parser);
    parser->depth--;
    return node_finish(parser, node);
}

static struct node *parse_while(struct parser *parser)
{
    struct token *keyword = token_take(parser);
    struct node *node = node_new(parser, N_WHILE, keyword->start);
    node->a = parse_named_expression(parser);
    node->b = parse_block(parser, "'while' statement", keyword);
    node->c = parse_else(parser);
    return node_finish(parser, node);
}

static struct node *parse_for(struct parser *parser)
{
    struct token *keyword = token_take(parser);
    struct node *node = node_new(parser, N_FOR, keyword->start);
    node->a = parse_targets(parser);
    parse_mark_store(parser, node->a);
    token_expect(parser, T_IN);
    node->b = parse_expressions(parser);
    node->c = parse_block(parser, "'for' statement", keyword);
    node->d = parse_else(parser);
    return node_finish(parser, node);
}

static struct node *parse_def(struct parser *parser)
{
    struct token *keyword = token_take(parser);
    struct node *node = node_new(parser, N_DEF, keyword->start);
    struct node *name = parse_name(parser);
    name->is_store = true;
    node->a = name;
    node->code = code_new(parser, CODE_FUNCTION, name->value.s);
    token_expect(parser, T_OPEN_PAREN);
    parse_parameters(parser, node->code, T_CLOSE_PAREN);
    token_expect(parser, T_CLOSE_PAREN);
    if (token_accept(parser, T_ARROW))
        (void)parse_expression(parser);
    struct code *outer = parser->code;
    parser->code = node->code;
    node->code->body = parse_block(parser, "function definition", keyword);
    parser->code = outer;
    return node_finish(parser, node);
}

static struct node *parse_class(struct parser *parser)
{
    struct token *keyword = token_take(parser);
    struct node *node = node_new(parser, N_CLASS, keyword->start);
    struct node *name = parse_name(parser);
    name->is_store = true;
    node->a = name;
    node->code = code_new(parser, CODE_CLASS, name->value.s);
    node->b = node_new(parser, N_CALL, token_now(parser)->start);
    if (token_accept(parser, T_OPEN_PAREN))
        parse_arguments(parser, node->b);
    struct code *outer = parser->code;
    parser->code = node->code;
    node->code->body = parse_block(parser, "class definition", keyword);
    parser->code = outer;
    return node_finish(parser, node);
}

static struct node *parse_decorated(struct parser *parser)
{
    struct node *decorators = node_new(parser, N_BLOCK, token_now(parser)->start);
    while (token_accept(parser, T_AT)) {
        node_add(parser, decorators, parse_named_expression(parser));
        token_expect(parser, T_NEWLINE);
    }
    struct node *node = token_kind_now(parser) == T_CLASS ? parse_class(parser)
                        : token_kind_now(parser) == T_DEF ? parse_def(parser)
                                                          : NULL;
    if (!node)
        parse_fail_here(parser);
    node->items = decorators->items;
    node->count = decorators->count;
    return node;
}

static struct node *parse_handler(struct parser *parser)
{
    struct token *keyword = token_take(parser);
    struct node *handler = node_new(parser, N_HANDLER, keyword->start);
    if (token_kind_now(parser) != T_COLON)
        handler->a = parse_expression(parser);
    if (handler->a && token_kind_now(parser) == T_COMMA)
        parse_fail(parser, handler->a->start, token_now(parser)->end,
                   "multiple exception types must be parenthesized");
    if (handler->a && token_accept(parser, T_AS)) {
        handler->b = parse_name(parser);
        handler->b->is_store = true;
    }
    handler->c = parse_block(parser, "'except' statement", keyword);
    return node_finish(parser, handler);
}

static struct node *parse_try(struct parser *parser)
{
    struct token *keyword = token_take(parser);
    struct node *node = node_new(parser, N_TRY, keyword->start);
    node->a = parse_block(parser, "'try' statement", keyword);
    while (token_kind_now(parser) == T_EXCEPT) {
        if (node->count && !node->items[node->count - 1]->a)
            parse_fail(parser, token_now(parser)->start, token_now(parser)->end,
                       "default 'except:' must be last");
        node_add(parser, node, parse_handler(parser));
    }
    if (node->count)
        node->b = parse_else(parser);
    struct token *last = token_now(parser);
    if (token_accept(parser, T_FINALLY))
        node->c = parse_block(parser, "'finally' statement", last);
    else if (node->count == 0)
        parse_fail(parser, keyword->start, keyword->end, "expected 'except' or 'finally' block");
    return node_finish(parser, node);
}

/* A bracket after `with` opens a list of items when a ":" follows its end. */
static bool at_bracketed_items(struct parser *parser)
{
    if (token_kind_now(parser) != T_OPEN_PAREN)
        return false;
    int depth = 0;
    for (size_t i = parser->at; parser->tokens[i].kind != T_END; i++) {
        enum token_kind kind = parser->tokens[i].kind;
        depth += (kind == T_OPEN_PAREN) - (kind == T_CLOSE_PAREN);
        if (depth == 0)
            return parser->tokens[i + 1].kind == T_COLON;
    }
    return false;
}

static struct node *parse_with(struct parser *parser)
{
    struct token *keyword = token_take(parser);
    struct node *node = node_new(parser, N_WITH, keyword->start);
    bool is_bracketed = at_bracketed_items(parser) && token_accept(parser, T_OPEN_PAREN);
    do {
        struct node *item = node_new(parser, N_WITH_ITEM, token_now(parser)->start);
        item->a = parse_expression(parser);
        if (token_accept(parser, T_AS)) {
            item->b = parse_target(parser);
            parse_mark_store(parser, item->b);
        }
        node_add(parser, node, node_finish(parser, item));
    } while (token_accept(parser, T_COMMA) && token_kind_now(parser) != T_CLOSE_PAREN);
    if (is_bracketed)
        token_expect(parser, T_CLOSE_PAREN);
    node->a = parse_block(parser, "'with' statement", keyword);
    return node_finish(parser, node);
}

static struct node *parse_async(struct parser *parser)
{
    struct token *token = token_now(parser);
    parse_fail(parser, token->start, token->end, "'%s' is not part of the configuration language",
               token_text(token->kind));
}

struct statement_rule {
    parse_fn *parse;
    bool is_compound;
};

static const struct statement_rule STATEMENTS[T_COUNT] = {
    [T_RETURN] = { parse_return, false },
    [T_BREAK] = { parse_word, false },
    [T_CONTINUE] = { parse_word, false },
    [T_PASS] = { parse_word, false },
    [T_GLOBAL] = { parse_scope_names, false },
    [T_NONLOCAL] = { parse_scope_names, false },
    [T_IMPORT] = { parse_import, false },
    [T_FROM] = { parse_from, false },
    [T_RAISE] = { parse_raise, false },
    [T_ASSERT] = { parse_assert, false },
    [T_DEL] = { parse_delete, false },
    [T_IF] = { parse_if, true },
    [T_WHILE] = { parse_while, true },
    [T_FOR] = { parse_for, true },
    [T_DEF] = { parse_def, true },
    [T_CLASS] = { parse_class, true },
    [T_AT] = { parse_decorated, true },
    [T_TRY] = { parse_try, true },
    [T_WITH] = { parse_with, true },
    [T_ASYNC] = { parse_async, true },
    [T_AWAIT] = { parse_async, true },
};

/* Simple statements up to the end of the line. */
static void parse_simple_line(struct parser *parser, struct node *block)
{
    do {
        const struct statement_rule *rule = &STATEMENTS[token_kind_now(parser)];
        if (rule->is_compound)
            parse_fail_here(parser);
        node_add(parser, block,
                 rule->parse ? rule->parse(parser) : parse_expression_statement(parser));
    } while (token_accept(parser, T_SEMICOLON) && token_kind_now(parser) != T_NEWLINE);
    token_expect(parser, T_NEWLINE);
}

/* A compound statement, or a line of simple ones. */
static void parse_line(struct parser *parser, struct node *block)
{
    if (token_accept(parser, T_NEWLINE))
        return;
    if (parse_at_match(parser)) {
        node_add(parser, block, parse_match(parser));
        return;
    }
    const struct statement_rule *rule = &STATEMENTS[token_kind_now(parser)];
    if (rule->is_compound)
        node_add(parser, block, rule->parse(parser));
    else
        parse_simple_line(parser, block);
}

/* To the next statement at the left margin. */
static void skip_statement(struct parser *parser)
{
    int depth = 0;
    for (size_t i = 0; i < parser->at; i++)
        depth += (parser->tokens[i].kind == T_INDENT) - (parser->tokens[i].kind == T_DEDENT);
    for (; token_kind_now(parser) != T_END; parser->at++) {
        enum token_kind kind = token_kind_now(parser);
        depth += (kind == T_INDENT) - (kind == T_DEDENT);
        bool ends = kind == T_NEWLINE || kind == T_DEDENT;
        if (ends && depth <= 0 && token_kind_ahead(parser, 1) != T_INDENT) {
            parser->at++;
            return;
        }
    }
}

static void parse_module(struct parser *parser, struct node *block)
{
    jmp_buf recover;
    parser->recover = &recover;
    if (setjmp(recover) != 0) {
        skip_statement(parser);
        parser->depth = 0;
    }
    while (token_kind_now(parser) != T_END && parser->errors->count < LIMIT_SYNTAX_ERRORS)
        parse_line(parser, block);
}

static int compare_diagnostics(const void *a, const void *b)
{
    const struct diagnostic *x = a, *y = b;
    return x->at.start < y->at.start ? -1 : x->at.start > y->at.start;
}

/* What comes behind an open bracket was read wrongly: other errors there say nothing. */
static void drop_followers(struct diagnostics *errors, size_t before, uint32_t open_at)
{
    size_t count = before;
    for (size_t i = before; i < errors->count; i++)
        if (errors->items[i].at.start <= open_at)
            errors->items[count++] = errors->items[i];
    errors->count = count;
}

struct code *parser_run(struct arena *arena, const struct source *source,
                        struct diagnostics *errors, struct diagnostics *warnings)
{
    size_t before = errors->count;
    struct parser parser = {
        .arena = arena, .source = source, .errors = errors, .warnings = warnings
    };
    struct code *code = code_new(&parser, CODE_MODULE, string_from(arena, "<module>"));
    parser.code = code;
    struct tokens tokens = lexer_run(arena, source, errors);
    parser.tokens = tokens.items;
    if (!check_memory(&parser))
        return NULL;
    code->body = node_new(&parser, N_BLOCK, 0);
    parse_module(&parser, code->body);
    drop_followers(errors, before, tokens.open_at);
    if (errors->count == before)
        resolve_run(arena, code, errors);
    if (errors->count > before)
        qsort(errors->items + before, errors->count - before, sizeof *errors->items,
              compare_diagnostics);
    return errors->count == before ? code : NULL;
}
