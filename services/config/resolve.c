#include "config/resolve.h"

#include "config/dict.h"
#include "config/limits.h"

/* Each function, lambda, comprehension and class body is a scope.  A scope's own names are those
 * that it binds anywhere; they are collected before the names in it are looked up. */

#define FEW_SLOTS 16

struct scope {
    struct scope *outer;
    struct code *code;
    struct string **globals;
    size_t global_count;
    struct string **nonlocals;
    size_t nonlocal_count;
    uint32_t slot_capacity;
    int loop_depth;
};

struct resolver {
    struct arena *arena;
    struct diagnostics *errors;
    struct scope *scope;
};

static void collect(struct resolver *resolver, struct node *node);
static void resolve(struct resolver *resolver, struct node *node);

static void add_error(struct resolver *resolver, const struct node *node, const char *message)
{
    diagnostics_add(resolver->errors, ERROR_SYNTAX,
                    (struct span){ resolver->scope->code->source, node->start, node->end }, "%s",
                    message);
}

static bool has_slots(const struct scope *scope)
{
    enum code_kind kind = scope->code->kind;
    return kind == CODE_FUNCTION || kind == CODE_LAMBDA || kind == CODE_COMPREHENSION;
}

static bool has_name(struct string **names, size_t count, const struct string *name)
{
    for (size_t i = 0; i < count; i++)
        if (string_equal(names[i], name))
            return true;
    return false;
}

static int32_t find_slot(const struct code *code, struct string *name)
{
    if (code->slot_index) {
        struct value slot = dict_get_text(code->slot_index, name);
        return slot.kind == K_INT ? (int32_t)slot.i : -1;
    }
    for (uint32_t i = 0; i < code->slot_count; i++)
        if (string_equal(code->slots[i], name))
            return (int32_t)i;
    return -1;
}

/* Names of a long list are not looked for one by one. */
static void index_slot(struct arena *arena, struct code *code)
{
    uint32_t first = code->slot_count - 1;
    if (code->slot_count <= FEW_SLOTS)
        return;
    if (!code->slot_index) {
        code->slot_index = dict_new(arena);
        first = 0;
    }
    for (uint32_t i = first; i < code->slot_count; i++)
        dict_set_text(arena, code->slot_index, code->slots[i], V_INT(i));
}

static void bind_name(struct resolver *resolver, struct scope *scope, struct string *name)
{
    struct code *code = scope->code;
    if (has_name(scope->globals, scope->global_count, name) ||
        has_name(scope->nonlocals, scope->nonlocal_count, name) || find_slot(code, name) >= 0)
        return;
    if (code->slot_count >= scope->slot_capacity) {
        uint32_t capacity = code->slot_count * 2 + 8;
        code->slots =
            arena_grow(resolver->arena, code->slots, code->slot_count * sizeof *code->slots,
                       capacity * sizeof *code->slots);
        scope->slot_capacity = capacity;
    }
    code->slots[code->slot_count++] = name;
    index_slot(resolver->arena, code);
}

static void declare(struct resolver *resolver, struct node *node, struct string ***names,
                    size_t *count)
{
    for (uint32_t i = 0; i < node->count; i++) {
        if (find_slot(resolver->scope->code, node->items[i]->value.s) >= 0)
            add_error(resolver, node->items[i],
                      "name is used or assigned to before its declaration");
        if (*count == LIMIT_PARAMETERS) {
            add_error(resolver, node->items[i], "a function declares too many names");
            return;
        }
        *names = arena_grow(resolver->arena, *names, *count * sizeof **names,
                            (*count + 1) * sizeof **names);
        (*names)[(*count)++] = node->items[i]->value.s;
    }
}

static void visit_children(struct resolver *resolver, struct node *node,
                           void (*visit)(struct resolver *, struct node *))
{
    if (node->a)
        visit(resolver, node->a);
    if (node->b)
        visit(resolver, node->b);
    if (node->c)
        visit(resolver, node->c);
    if (node->d)
        visit(resolver, node->d);
    for (uint32_t i = 0; i < node->count; i++)
        if (node->items[i])
            visit(resolver, node->items[i]);
}

static void visit_defaults(struct resolver *resolver, struct code *code,
                           void (*visit)(struct resolver *, struct node *))
{
    for (uint32_t i = 0; i < code->positional_count + code->keyword_only_count; i++)
        if (code->defaults[i])
            visit(resolver, code->defaults[i]);
}

/* A walrus inside of a comprehension binds in the scope around it. */
static void collect_walrus(struct resolver *resolver, struct node *node)
{
    struct scope *scope = resolver->scope;
    while (scope->code->kind == CODE_COMPREHENSION)
        scope = scope->outer;
    if (has_slots(scope))
        bind_name(resolver, scope, node->a->value.s);
}

/* The walruses in a comprehension: all that it binds outside of itself. */
static void collect_inside(struct resolver *resolver, struct node *node)
{
    if (node->kind == N_WALRUS)
        collect_walrus(resolver, node);
    if (node->kind == N_COMPREHENSION) {
        collect_inside(resolver, node->code->body);
        if (node->code->body_value)
            collect_inside(resolver, node->code->body_value);
        for (uint32_t i = 0; i < node->code->clause_count; i++)
            visit_children(resolver, node->code->clauses[i], collect_inside);
    }
    if (node->kind != N_LAMBDA)
        visit_children(resolver, node, collect_inside);
}

static void collect(struct resolver *resolver, struct node *node)
{
    struct scope *scope = resolver->scope;
    switch (node->kind) {
    case N_NAME:
        if (node->is_store)
            bind_name(resolver, scope, node->value.s);
        return;
    case N_GLOBAL:
        declare(resolver, node, &scope->globals, &scope->global_count);
        return;
    case N_NONLOCAL:
        declare(resolver, node, &scope->nonlocals, &scope->nonlocal_count);
        return;
    case N_COMPREHENSION:
        collect_inside(resolver, node);
        return;
    case N_LAMBDA:
        visit_defaults(resolver, node->code, collect);
        return;
    case N_DEF:
        visit_defaults(resolver, node->code, collect);
        visit_children(resolver, node, collect);
        return;
    default:
        visit_children(resolver, node, collect);
    }
}

/* Looks outwards from `scope`; names of class bodies are not seen from inside. */
static bool find_outer(struct scope *scope, struct string *name, int32_t *ret_hops,
                       int32_t *ret_slot)
{
    int32_t hops = 0;
    for (; scope; scope = scope->outer) {
        if (has_slots(scope)) {
            int32_t slot = find_slot(scope->code, name);
            if (slot >= 0) {
                *ret_hops = hops;
                *ret_slot = slot;
                return true;
            }
            if (has_name(scope->globals, scope->global_count, name))
                return false;
        }
        if (scope->code->kind != CODE_MODULE)
            hops++;
    }
    return false;
}

static void resolve_name(struct resolver *resolver, struct node *node)
{
    struct scope *scope = resolver->scope;
    node->hops = HOPS_GLOBAL;
    if (has_name(scope->globals, scope->global_count, node->value.s))
        return;
    if (scope->code->kind == CODE_CLASS) {
        node->hops = HOPS_CLASS;
        if (!find_outer(scope->outer, node->value.s, &node->outer_hops, &node->outer_slot))
            node->outer_hops = HOPS_GLOBAL;
        else
            node->outer_hops++;
        return;
    }
    find_outer(scope, node->value.s, &node->hops, &node->slot);
}

static void check_nonlocals(struct resolver *resolver, struct node *node)
{
    int32_t hops, slot;
    for (uint32_t i = 0; i < node->count; i++)
        if (!find_outer(resolver->scope->outer, node->items[i]->value.s, &hops, &slot))
            add_error(resolver, node->items[i], "no binding for this nonlocal name was found");
}

static void mark_captured(struct scope *scope)
{
    for (; scope; scope = scope->outer)
        scope->code->is_captured = true;
}

static void enter_code(struct resolver *resolver, struct code *code, bool is_escaping)
{
    if (is_escaping)
        mark_captured(resolver->scope);
    struct scope scope = { .outer = resolver->scope,
                           .code = code,
                           .slot_capacity = code->slot_count };
    resolver->scope = &scope;
    if (code->kind == CODE_COMPREHENSION) {
        for (uint32_t i = 0; i < code->clause_count; i++)
            collect(resolver, code->clauses[i]->a);
        for (uint32_t i = 0; i < code->clause_count; i++)
            visit_children(resolver, code->clauses[i], resolve);
        if (code->body_value)
            resolve(resolver, code->body_value);
    } else if (has_slots(&scope)) {
        collect(resolver, code->body);
    } else if (code->kind == CODE_CLASS) {
        /* Only for the declarations; names stay in the table of the class. */
        uint32_t count = code->slot_count;
        collect(resolver, code->body);
        code->slot_count = count;
    }
    resolve(resolver, code->body);
    code->is_captured |= code->is_generator;
    resolver->scope = scope.outer;
}

static void resolve_loop(struct resolver *resolver, struct node *node)
{
    struct node *body = node->kind == N_FOR ? node->c : node->b;
    struct node *otherwise = node->kind == N_FOR ? node->d : node->c;
    resolve(resolver, node->a);
    if (node->kind == N_FOR)
        resolve(resolver, node->b);
    resolver->scope->loop_depth++;
    resolve(resolver, body);
    resolver->scope->loop_depth--;
    if (otherwise)
        resolve(resolver, otherwise);
}

static void resolve(struct resolver *resolver, struct node *node)
{
    switch (node->kind) {
    case N_NAME:
        resolve_name(resolver, node);
        return;
    case N_NONLOCAL:
        check_nonlocals(resolver, node);
        return;
    case N_GLOBAL:
        return;
    case N_FOR:
    case N_WHILE:
        resolve_loop(resolver, node);
        return;
    case N_BREAK:
    case N_CONTINUE:
        if (resolver->scope->loop_depth == 0)
            add_error(resolver, node,
                      node->kind == N_BREAK ? "'break' outside loop"
                                            : "'continue' not properly in loop");
        return;
    case N_LAMBDA:
    case N_DEF:
        visit_defaults(resolver, node->code, resolve);
        visit_children(resolver, node, resolve);
        enter_code(resolver, node->code, true);
        return;
    case N_CLASS:
        visit_children(resolver, node, resolve);
        enter_code(resolver, node->code, false);
        return;
    case N_COMPREHENSION:
        resolve(resolver, node->a);
        enter_code(resolver, node->code, node->code->is_generator);
        return;
    default:
        visit_children(resolver, node, resolve);
    }
}

void resolve_run(struct arena *arena, struct code *module, struct diagnostics *errors)
{
    struct resolver resolver = { .arena = arena, .errors = errors };
    struct scope scope = { .code = module };
    resolver.scope = &scope;
    resolve(&resolver, module->body);
}
