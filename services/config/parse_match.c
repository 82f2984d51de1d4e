#include "config/class.h"
#include "config/limits.h"
#include "config/parse.h"

/* `match` says nothing that `if` could not: each case becomes a condition, in which the parts of the
 * subject get names that no configuration can use, and captures are assignments. */

struct match {
    struct parser *parser;
    uint32_t start, parts; /* of the statement; parts that have got a name */
};

/* --- what the conditions ask --- */

#define NATIVE(name)                                                                               \
    static bool name(struct vm *vm, struct value self, const struct args *args, struct value *ret)

NATIVE(match_always)
{
    (void)vm, (void)self, (void)args;
    *ret = V_BOOL(true);
    return true;
}

/* (subject, patterns, has a star) */
NATIVE(match_sequence)
{
    (void)self;
    struct value v = value_contents(args->items[0]);
    size_t count, wanted = (size_t)args->items[1].i;
    *ret = V_BOOL(false);
    if (v.kind != K_LIST && v.kind != K_TUPLE && v.kind != K_RANGE)
        return true;
    if (!value_length(vm, v, &count))
        return false;
    ret->b = args->items[2].b ? count + 1 >= wanted : count == wanted;
    return true;
}

NATIVE(match_list)
{
    (void)self;
    return value_to_list(vm, args->items[0], K_LIST, ret);
}

/* (subject, keys...) */
NATIVE(match_mapping)
{
    (void)self;
    struct value v = value_contents(args->items[0]);
    *ret = V_BOOL(v.kind == K_DICT || v.kind == K_FROZENDICT);
    for (size_t i = 1; ret->b && i < args->count; i++)
        if (!value_contains(vm, v, args->items[i], &ret->b))
            return false;
    return true;
}

NATIVE(match_rest)
{
    (void)self;
    *ret = (struct value){ .kind = K_DICT,
                           .dict = dict_copy(vm->arena, value_contents(args->items[0]).dict) };
    for (size_t i = 1; i < args->count; i++)
        if (!value_delete_item(vm, *ret, args->items[i]))
            return false;
    return true;
}

NATIVE(match_class)
{
    (void)self;
    *ret = V_BOOL(false);
    return value_is_instance(vm, args->items[0], args->items[1], &ret->b);
}

/* (subject, name): a tuple with the attribute, or without anything. */
NATIVE(match_attribute)
{
    (void)self;
    struct value v;
    *ret = list_new(vm->arena, K_TUPLE, 1);
    if (!value_find_attribute(vm, args->items[0], args->items[1].s, &v))
        return false;
    if (v.kind != K_UNBOUND)
        list_push(vm->arena, ret->list, v);
    return true;
}

/* (subject, class, position): the same for the class's __match_args__; plain classes hold themselves. */
NATIVE(match_position)
{
    struct value names, class = args->items[1];
    if (class.kind == K_CLASS && !class.class->attributes && args->items[2].i == 0) {
        *ret = tuple_of(vm->arena, args->items, 1);
        return true;
    }
    if (!value_find_attribute(vm, class, string_from(vm->arena, "__match_args__"), &names))
        return false;
    if (names.kind != K_TUPLE || (size_t)args->items[2].i >= names.list->count)
        return raise_error(vm, &class_TypeError, "%s() accepts %zu positional sub-patterns",
                           class.kind == K_CLASS ? class.class->name : "a type",
                           names.kind == K_TUPLE ? names.list->count : 0);
    const struct value pair[] = { args->items[0], names.list->items[args->items[2].i] };
    return match_attribute(vm, self, &(struct args){ .items = pair, .count = 2 }, ret);
}

static const struct native ALWAYS = { "match", match_always, NULL },
                           SEQUENCE = { "match", match_sequence, NULL },
                           LIST = { "match", match_list, NULL },
                           MAPPING = { "match", match_mapping, NULL },
                           REST = { "match", match_rest, NULL },
                           CLASS = { "match", match_class, NULL },
                           ATTRIBUTE = { "match", match_attribute, NULL },
                           POSITION = { "match", match_position, NULL };

/* --- nodes --- */

static struct node *make(struct match *match, enum node_kind kind, struct node *a, struct node *b)
{
    struct node *node = node_new(match->parser, kind, match->start);
    node->a = a;
    node->b = b;
    return node_finish(match->parser, node);
}

static struct node *constant(struct match *match, struct value v)
{
    return node_constant(match->parser, match->start, v);
}

static struct node *load(struct match *match, struct value name)
{
    struct node *node = make(match, N_NAME, NULL, NULL);
    node->value = name;
    return node;
}

static struct node *store(struct match *match, struct value name)
{
    struct node *node = load(match, name);
    node->is_store = true;
    return node;
}

static struct node *ask(struct match *match, const struct native *native, struct node *a,
                        struct node *b)
{
    struct node *call =
        make(match, N_CALL, constant(match, (struct value){ .kind = K_NATIVE, .native = native }),
             NULL);
    node_add(match->parser, call, a);
    if (b)
        node_add(match->parser, call, b);
    return call;
}

/* An assignment that is always true. */
static struct node *bind(struct match *match, struct value name, struct node *v)
{
    return ask(match, &ALWAYS, make(match, N_WALRUS, store(match, name), v), NULL);
}

static struct value part_name(struct match *match)
{
    struct arena *arena = match->parser->arena;
    return value_text(arena, arena_printf(arena, "match.%u.%u", match->start, match->parts++));
}

static struct node *compare(struct match *match, struct value subject, enum compare_op op,
                            struct node *with)
{
    struct node *node = make(match, N_COMPARE, load(match, subject), NULL);
    struct node *step = make(match, N_COMPARE_STEP, with, NULL);
    step->op = (uint8_t)op;
    node_add(match->parser, node, step);
    return node;
}

/* --- patterns: the condition under which `subject` fits --- */

static struct node *parse_pattern(struct match *match, struct value subject);

/* Names what `v` gives, and goes on with the pattern there. */
static struct node *parse_inner(struct match *match, struct node *v)
{
    struct value name = part_name(match);
    struct node *named = bind(match, name, v);
    return make(match, N_AND, named, parse_pattern(match, name));
}

static struct node *index_of(struct match *match, struct value subject, int64_t at)
{
    return make(match, N_INDEX, load(match, subject), constant(match, V_INT(at)));
}

static size_t count_items(struct match *match, enum token_kind end, bool *ret_star, size_t *ret_at)
{
    size_t count = 0, depth = 0;
    bool is_empty = true;
    *ret_star = false;
    *ret_at = SIZE_MAX;
    for (const struct token *token = token_now(match->parser);; token++) {
        bool is_end = token->kind == end || token->kind == T_IF || token->kind == T_NEWLINE;
        if ((depth == 0 && is_end) || token->kind == T_END)
            return count + !is_empty;
        depth += token->kind == T_OPEN_PAREN || token->kind == T_OPEN_BRACKET ||
                 token->kind == T_OPEN_BRACE;
        depth -= depth && (token->kind == T_CLOSE_PAREN || token->kind == T_CLOSE_BRACKET ||
                           token->kind == T_CLOSE_BRACE);
        if (depth == 0 && token->kind == T_COMMA) {
            count++;
            is_empty = true;
            continue;
        }
        if (is_empty && depth == 0 && token->kind == T_TIMES) {
            *ret_star = true;
            *ret_at = count;
        }
        is_empty = false;
    }
}

static struct node *parse_star(struct match *match, struct value subject, size_t at, size_t behind)
{
    struct parser *parser = match->parser;
    token_expect(parser, T_TIMES);
    struct value name = parse_identifier(parser);
    if (string_is(name.s, "_"))
        return NULL;
    struct node *slice = make(match, N_SLICE, constant(match, V_INT((int64_t)at)),
                              behind ? constant(match, V_INT(-(int64_t)behind)) : NULL);
    struct node *rest = make(match, N_INDEX, load(match, subject), slice);
    return bind(match, name, ask(match, &LIST, rest, NULL));
}

/* The items of a sequence up to `end`, which is not consumed. */
static struct node *parse_items(struct match *match, struct value subject, enum token_kind end)
{
    bool has_star;
    size_t star, count = count_items(match, end, &has_star, &star);
    struct node *condition =
        ask(match, &SEQUENCE, load(match, subject), constant(match, V_INT((int64_t)count)));
    node_add(match->parser, condition, constant(match, V_BOOL(has_star)));
    for (size_t i = 0; i < count; i++) {
        bool is_behind = has_star && i > star;
        int64_t at = is_behind ? -(int64_t)(count - i) : (int64_t)i;
        struct node *item = i == star ? parse_star(match, subject, i, count - i - 1)
                                      : parse_inner(match, index_of(match, subject, at));
        condition = item ? make(match, N_AND, condition, item) : condition;
        if (i + 1 < count)
            token_expect(match->parser, T_COMMA);
    }
    (void)token_accept(match->parser, T_COMMA);
    return condition;
}

static struct node *parse_group(struct match *match, struct value subject)
{
    struct parser *parser = match->parser;
    size_t before = parser->at;
    bool is_list = token_take(parser)->kind == T_OPEN_BRACKET;
    enum token_kind close = is_list ? T_CLOSE_BRACKET : T_CLOSE_PAREN;
    bool has_star;
    size_t star, count = count_items(match, close, &has_star, &star);
    if (!is_list && count == 1 && !has_star) {
        struct node *inner = parse_pattern(match, subject);
        if (token_accept(parser, close))
            return inner;
        parser->at = before + 1; /* there is a comma behind the only item */
    }
    struct node *condition = parse_items(match, subject, close);
    token_expect(parser, close);
    return condition;
}

/* --- single values --- */

static struct node *parse_value(struct match *match)
{
    struct parser *parser = match->parser;
    if (token_kind_now(parser) == T_STRING)
        return parse_strings(parser);
    bool is_negative = token_accept(parser, T_MINUS);
    if (token_kind_now(parser) != T_NUMBER)
        parse_fail_here(parser);
    struct node *number = parse_number(parser);
    return is_negative ? make(match, N_NEGATE, number, NULL) : number;
}

static bool singleton(enum token_kind kind, struct value *ret)
{
    *ret = kind == T_NONE ? V_NONE : V_BOOL(kind == T_TRUE);
    return kind == T_NONE || kind == T_TRUE || kind == T_FALSE;
}

static struct node *parse_key(struct match *match)
{
    struct value v;
    if (singleton(token_kind_now(match->parser), &v)) {
        token_take(match->parser);
        return constant(match, v);
    }
    if (token_kind_now(match->parser) != T_NAME)
        return parse_value(match);
    struct node *name = parse_name(match->parser);
    while (token_accept(match->parser, T_DOT)) {
        name = make(match, N_ATTRIBUTE, name, NULL);
        name->value = parse_identifier(match->parser);
    }
    return name;
}

static struct node *parse_mapping(struct match *match, struct value subject)
{
    struct parser *parser = match->parser;
    struct node *condition = ask(match, &MAPPING, load(match, subject), NULL);
    struct node *keys = condition, *all = condition;
    token_take(parser);
    while (token_kind_now(parser) != T_CLOSE_BRACE) {
        if (token_accept(parser, T_POWER)) {
            struct node *rest = ask(match, &REST, load(match, subject), NULL);
            for (uint32_t i = 1; i < keys->count; i++)
                node_add(parser, rest, keys->items[i]);
            all = make(match, N_AND, all, bind(match, parse_identifier(parser), rest));
        } else {
            struct node *key = parse_key(match);
            node_add(parser, keys, key);
            token_expect(parser, T_COLON);
            struct node *v = make(match, N_INDEX, load(match, subject), key);
            all = make(match, N_AND, all, parse_inner(match, v));
        }
        if (!token_accept(parser, T_COMMA))
            break;
    }
    token_expect(parser, T_CLOSE_BRACE);
    return all;
}

/* Names the tuple that `question` gives, and goes on with what is in it. */
static struct node *parse_member(struct match *match, struct node *question)
{
    struct value found = part_name(match);
    struct node *has = make(match, N_WALRUS, store(match, found), question);
    return make(match, N_AND, has, parse_inner(match, index_of(match, found, 0)));
}

static struct node *parse_class_pattern(struct match *match, struct value subject,
                                        struct node *class)
{
    struct parser *parser = match->parser;
    struct node *condition = ask(match, &CLASS, load(match, subject), class), *question;
    token_take(parser);
    for (int64_t position = 0; token_kind_now(parser) != T_CLOSE_PAREN;) {
        bool is_keyword =
            token_kind_now(parser) == T_NAME && token_kind_ahead(parser, 1) == T_ASSIGN;
        if (is_keyword) {
            struct value name = parse_identifier(parser);
            token_take(parser);
            question = ask(match, &ATTRIBUTE, load(match, subject), constant(match, name));
        } else {
            question = ask(match, &POSITION, load(match, subject), class);
            node_add(parser, question, constant(match, V_INT(position++)));
        }
        condition = make(match, N_AND, condition, parse_member(match, question));
        if (!token_accept(parser, T_COMMA))
            break;
    }
    token_expect(parser, T_CLOSE_PAREN);
    return condition;
}

static struct node *parse_named(struct match *match, struct value subject)
{
    struct parser *parser = match->parser;
    struct node *name = parse_key(match);
    if (token_kind_now(parser) == T_OPEN_PAREN)
        return parse_class_pattern(match, subject, name);
    if (name->kind == N_ATTRIBUTE)
        return compare(match, subject, CMP_EQUAL, name);
    if (string_is(name->value.s, "_"))
        return constant(match, V_BOOL(true));
    return bind(match, name->value, load(match, subject));
}

static struct node *parse_closed(struct match *match, struct value subject)
{
    struct value v;
    enum token_kind kind = token_kind_now(match->parser);
    if (kind == T_OPEN_PAREN || kind == T_OPEN_BRACKET)
        return parse_group(match, subject);
    if (kind == T_OPEN_BRACE)
        return parse_mapping(match, subject);
    if (kind == T_NAME)
        return parse_named(match, subject);
    if (singleton(kind, &v))
        return compare(match, subject, CMP_IS, parse_key(match));
    return compare(match, subject, CMP_EQUAL, parse_value(match));
}

static struct node *parse_pattern(struct match *match, struct value subject)
{
    struct parser *parser = match->parser;
    parse_enter(parser);
    struct node *condition = parse_closed(match, subject);
    while (token_accept(parser, T_BIT_OR))
        condition = make(match, N_OR, condition, parse_closed(match, subject));
    if (token_accept(parser, T_AS))
        condition = make(match, N_AND, condition,
                         bind(match, parse_identifier(parser), load(match, subject)));
    parser->depth--;
    return condition;
}

/* --- the statement --- */

static bool is_word(const struct parser *parser, const struct token *token, const char *word)
{
    struct slice text = { parser->source->text.ptr + token->start, token->end - token->start };
    return token->kind == T_NAME && slice_is(text, word);
}

/* `match` is a name like any other unless a `case` stands below its line. */
bool parse_at_match(struct parser *parser)
{
    const struct token *token = token_now(parser);
    if (!is_word(parser, token, "match"))
        return false;
    while (token->kind != T_NEWLINE && token->kind != T_END)
        token++;
    return token->kind == T_NEWLINE && token[-1].kind == T_COLON && token[1].kind == T_INDENT &&
           is_word(parser, &token[2], "case");
}

static struct node *parse_case(struct match *match, struct value subject)
{
    struct parser *parser = match->parser;
    struct token *keyword = token_take(parser);
    struct node *node = node_new(parser, N_IF, keyword->start);
    size_t before = parser->at, star;
    bool has_star;
    bool is_open = count_items(match, T_COLON, &has_star, &star) > 1 || has_star;
    node->a = is_open ? parse_items(match, subject, T_COLON) : parse_pattern(match, subject);
    if (!is_open && token_kind_now(parser) == T_COMMA) {
        parser->at = before;
        node->a = parse_items(match, subject, T_COLON);
    }
    if (token_accept(parser, T_IF))
        node->a = make(match, N_AND, node->a, parse_named_expression(parser));
    node->b = parse_block(parser, "'case' statement", keyword);
    return node_finish(parser, node);
}

struct node *parse_match(struct parser *parser)
{
    struct token *keyword = token_take(parser);
    struct match match = { parser, keyword->start, 0 };
    struct value subject = part_name(&match);
    struct node *block = node_new(parser, N_BLOCK, keyword->start);
    struct node *assignment = node_new(parser, N_ASSIGN, keyword->start);
    assignment->a = parse_expressions(parser);
    node_add(parser, assignment, store(&match, subject));
    node_add(parser, block, node_finish(parser, assignment));
    token_expect(parser, T_COLON);
    token_expect(parser, T_NEWLINE);
    token_expect(parser, T_INDENT);
    struct node **next = NULL;
    while (is_word(parser, token_now(parser), "case")) {
        struct node *node = parse_case(&match, subject);
        if (next)
            *next = node;
        else
            node_add(parser, block, node);
        next = &node->c;
        while (token_accept(parser, T_NEWLINE))
            ; /* at the end of the file one comes before the block ends */
    }
    token_expect(parser, T_DEDENT);
    return node_finish(parser, block);
}
