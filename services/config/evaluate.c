#include "config/evaluate.h"

#include "config/class.h"
#include "config/format.h"
#include "config/modules.h"
#include "config/origin.h"
#include "config/template.h"

/* Expressions.  One function per kind of node, in a table. */

#define FEW_ARGUMENTS  8
#define MAX_TRACE      30
#define STRINGS_JOINED 64

bool note_place(struct vm *vm, const struct frame *frame, const struct node *node)
{
    if (frame->code->source->globals) /* of a module: the place of its caller says more */
        return false;
    if (!vm->has_place && vm->exception.kind != K_UNBOUND) {
        vm->has_place = true;
        vm->at = (struct span){ frame->code->source, node->start, node->end };
    }
    return false;
}

void note_call(struct vm *vm, const struct frame *frame, const struct node *node,
               const char *description)
{
    if (frame->code->source->globals)
        return;
    if (vm->exception.kind == K_UNBOUND || vm->trace_count++ >= MAX_TRACE)
        return;
    struct trace_frame *line = arena_alloc(vm->arena, sizeof *line);
    line->description = description;
    line->at = (struct span){ frame->code->source, node->start, node->end };
    *vm->trace_end = line;
    vm->trace_end = &line->next;
}

struct frame *frame_new(struct vm *vm, const struct code *code, struct frame *outer)
{
    struct frame *frame = arena_alloc(vm->arena, sizeof *frame);
    frame->code = code;
    frame->outer = outer;
    frame->slots = arena_array(vm->arena, code->slot_count, sizeof *frame->slots);
    return frame;
}

/* --- names --- */

static bool undefined(struct vm *vm, const struct node *node)
{
    return raise_error(vm, &class_NameError, "name '%s' is not defined", node->value.s->data);
}

static bool load_global(struct vm *vm, const struct frame *frame, const struct node *node,
                        struct value *ret)
{
    *ret = dict_get_text(frame_globals(vm, frame), node->value.s);
    if (ret->kind == K_UNBOUND)
        *ret = builtin_find(vm, node->value.s);
    return ret->kind != K_UNBOUND || undefined(vm, node);
}

static struct frame *outer_frame(struct frame *frame, int32_t hops)
{
    while (hops-- > 0)
        frame = frame->outer;
    return frame;
}

static bool load_slot(struct vm *vm, struct frame *frame, const struct node *node, int32_t hops,
                      int32_t slot, struct value *ret)
{
    *ret = outer_frame(frame, hops)->slots[slot];
    if (ret->kind != K_UNBOUND)
        return true;
    return raise_error(
        vm, &class_UnboundLocalError,
        hops == 0 ? "cannot access local variable '%s' where it is not associated with a value"
                  : "cannot access free variable '%s' where it is not associated with a value in "
                    "enclosing scope",
        node->value.s->data);
}

bool evaluate_target_name(struct vm *vm, struct frame *frame, const struct node *node,
                          struct value *ret)
{
    if (node->hops >= 0)
        return load_slot(vm, frame, node, node->hops, node->slot, ret);
    if (node->hops == HOPS_GLOBAL)
        return load_global(vm, frame, node, ret);
    *ret = dict_get_text(frame->names, node->value.s);
    if (ret->kind != K_UNBOUND)
        return true;
    if (node->outer_hops >= 0)
        return load_slot(vm, frame, node, node->outer_hops, node->outer_slot, ret);
    return load_global(vm, frame, node, ret);
}

static bool evaluate_name(struct vm *vm, struct frame *frame, const struct node *node,
                          struct value *ret)
{
    if (!evaluate_target_name(vm, frame, node, ret))
        return false;
    if (ret->kind == K_STR && ret->s->room)
        ret->s->room = 0; /* who asks may keep it */
    return true;
}

/* --- literals --- */

static bool evaluate_constant(struct vm *vm, struct frame *frame, const struct node *node,
                              struct value *ret)
{
    (void)vm;
    (void)frame;
    *ret = node->value;
    return true;
}

static bool push_all(struct vm *vm, struct list *list, struct value v)
{
    struct value items;
    if (!value_to_list(vm, v, K_LIST, &items))
        return false;
    for (size_t i = 0; i < items.list->count; i++)
        list_push(vm->arena, list, items.list->items[i]);
    return true;
}

static bool evaluate_items(struct vm *vm, struct frame *frame, const struct node *node,
                           struct list *list)
{
    for (uint32_t i = 0; i < node->count; i++) {
        const struct node *item = node->items[i];
        struct value v;
        if (!evaluate(vm, frame, item->kind == N_STARRED ? item->a : item, &v))
            return false;
        if (item->kind != N_STARRED)
            list_push(vm->arena, list, v);
        else if (!push_all(vm, list, v))
            return false;
    }
    return true;
}

static bool evaluate_sequence(struct vm *vm, struct frame *frame, const struct node *node,
                              struct value *ret)
{
    struct value list = list_new(vm->arena, node->kind == N_TUPLE ? K_TUPLE : K_LIST, node->count);
    if (!evaluate_items(vm, frame, node, list.list))
        return false;
    *ret = list;
    return true;
}

static bool evaluate_set(struct vm *vm, struct frame *frame, const struct node *node,
                         struct value *ret)
{
    struct value list = list_new(vm->arena, K_LIST, node->count),
                 set = dict_value(vm->arena, K_SET);
    if (!evaluate_items(vm, frame, node, list.list))
        return false;
    for (size_t i = 0; i < list.list->count; i++)
        if (!dict_set(vm, set.dict, list.list->items[i], V_NONE))
            return false;
    *ret = set;
    return true;
}

static bool merge_into(struct vm *vm, struct dict *dict, struct value v)
{
    size_t cursor = 0;
    struct value mapping;
    if (!value_to_mapping(vm, v, &mapping))
        return false;
    if (mapping.kind == K_UNBOUND)
        return raise_error(vm, &class_TypeError, "'%s' object is not a mapping",
                           value_type_name(v));
    for (struct dict_entry *entry; (entry = dict_next(mapping.dict, &cursor));)
        if (!dict_set(vm, dict, entry->key, entry->value))
            return false;
    return true;
}

static bool evaluate_dict(struct vm *vm, struct frame *frame, const struct node *node,
                          struct value *ret)
{
    struct value dict = dict_value(vm->arena, K_DICT), key, v;
    for (uint32_t i = 0; i + 1 < node->count; i += 2) {
        if (node->items[i] && !evaluate(vm, frame, node->items[i], &key))
            return false;
        if (!evaluate(vm, frame, node->items[i + 1], &v))
            return false;
        if (!(node->items[i] ? dict_set(vm, dict.dict, key, v) : merge_into(vm, dict.dict, v)))
            return false;
    }
    *ret = dict;
    return true;
}

static bool add_format(struct vm *vm, struct frame *frame, const struct node *field,
                       struct buffer *buffer)
{
    struct value v, specification = V_STR(string_from(vm->arena, ""));
    struct string *text;
    if (!evaluate(vm, frame, field->a, &v) || !format_convert(vm, v, (char)field->op, &v) ||
        (field->b && !evaluate(vm, frame, field->b, &specification)) ||
        !format_value(vm, v, specification.s, &text))
        return false;
    buffer_string(buffer, text);
    return true;
}

static bool evaluate_format_string(struct vm *vm, struct frame *frame, const struct node *node,
                                   struct value *ret)
{
    struct buffer buffer = buffer_new(vm);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct node *part = node->items[i];
        if (part->kind == N_CONSTANT)
            buffer_string(&buffer, part->value.s);
        else if (!add_format(vm, frame, part, &buffer))
            return note_place(vm, frame, part);
    }
    return buffer_value(vm, &buffer, ret);
}

/* --- operators --- */

static bool evaluate_unary(struct vm *vm, struct frame *frame, const struct node *node,
                           struct value *ret)
{
    struct value v;
    if (!evaluate(vm, frame, node->a, &v))
        return false;
    if (node->kind == N_NEGATE)
        return value_negate(vm, v, ret);
    bool is_integer = value_is_integer(v);
    if (node->kind == N_PLUS && (is_integer || v.kind == K_FLOAT))
        return is_integer ? value_binary(vm, OP_ADD, v, V_INT(0), ret) : (*ret = v, true);
    if (node->kind == N_INVERT && is_integer)
        return value_negate(vm, v, ret) && value_binary(vm, OP_SUBTRACT, *ret, V_INT(1), ret);
    if (value_is_counter(v) && node->kind == N_PLUS)
        return value_binary(vm, OP_ADD, v, counter_new(vm), ret);
    bool found;
    if (!value_call_special(vm, v, node->kind == N_PLUS ? "__pos__" : "__invert__", NULL, 0, ret,
                            &found))
        return false;
    return found || raise_error(vm, &class_TypeError, "bad operand type for unary %s: '%s'",
                                node->kind == N_PLUS ? "+" : "~", value_type_name(v));
}

static bool evaluate_not(struct vm *vm, struct frame *frame, const struct node *node,
                         struct value *ret)
{
    struct value v;
    bool truth;
    if (!evaluate(vm, frame, node->a, &v) || !value_truth(vm, v, &truth))
        return false;
    *ret = V_BOOL(!truth);
    return true;
}

static bool evaluate_binary(struct vm *vm, struct frame *frame, const struct node *node,
                            struct value *ret)
{
    struct value a, b;
    return evaluate(vm, frame, node->a, &a) && evaluate(vm, frame, node->b, &b) &&
           value_binary(vm, node->op, a, b, ret);
}

static bool evaluate_compare(struct vm *vm, struct frame *frame, const struct node *node,
                             struct value *ret)
{
    struct value a, b;
    bool truth;
    if (!evaluate(vm, frame, node->a, &a))
        return false;
    for (uint32_t i = 0; i < node->count; i++) {
        if (!evaluate(vm, frame, node->items[i]->a, &b) ||
            !value_compare(vm, node->items[i]->op, a, b, ret))
            return false;
        if (i + 1 == node->count)
            break;
        if (!value_truth(vm, *ret, &truth))
            return false;
        if (!truth)
            return true;
        a = b;
    }
    return true;
}

static bool evaluate_logic(struct vm *vm, struct frame *frame, const struct node *node,
                           struct value *ret)
{
    bool truth;
    if (!evaluate(vm, frame, node->a, ret) || !value_truth(vm, *ret, &truth))
        return false;
    return truth == (node->kind == N_OR) || evaluate(vm, frame, node->b, ret);
}

static bool evaluate_conditional(struct vm *vm, struct frame *frame, const struct node *node,
                                 struct value *ret)
{
    struct value v;
    bool truth;
    if (!evaluate(vm, frame, node->b, &v) || !value_truth(vm, v, &truth))
        return false;
    return evaluate(vm, frame, truth ? node->a : node->c, ret);
}

static bool evaluate_walrus(struct vm *vm, struct frame *frame, const struct node *node,
                            struct value *ret)
{
    return evaluate(vm, frame, node->b, ret) && assign(vm, frame, node->a, *ret);
}

/* --- attributes and items --- */

static bool evaluate_attribute(struct vm *vm, struct frame *frame, const struct node *node,
                               struct value *ret)
{
    struct value v;
    return evaluate(vm, frame, node->a, &v) && value_get_attribute(vm, v, node->value.s, ret);
}

static bool evaluate_index(struct vm *vm, struct frame *frame, const struct node *node,
                           struct value *ret)
{
    struct value v, key;
    return evaluate(vm, frame, node->a, &v) && evaluate(vm, frame, node->b, &key) &&
           value_get_item(vm, v, key, ret);
}

static bool evaluate_slice(struct vm *vm, struct frame *frame, const struct node *node,
                           struct value *ret)
{
    struct node *parts[] = { node->a, node->b, node->c };
    struct value slice = list_new(vm->arena, K_SLICE, 3), v;
    for (size_t i = 0; i < 3; i++) {
        v = V_NONE;
        if (parts[i] && !evaluate(vm, frame, parts[i], &v))
            return false;
        list_push(vm->arena, slice.list, v);
    }
    *ret = slice;
    return true;
}

/* --- calls --- */

struct arguments {
    struct vm *vm;
    struct value callee;
    struct value few_items[FEW_ARGUMENTS];
    struct keyword few_keywords[FEW_ARGUMENTS];
    struct value *items;
    struct keyword *keywords;
    size_t count, capacity, keyword_count, keyword_capacity;
};

static void add_item(struct arguments *list, struct value v)
{
    if (list->count == list->capacity) {
        struct value *items = arena_array(list->vm->arena, list->capacity * 2, sizeof v);
        memcpy(items, list->items, list->count * sizeof v);
        list->items = items;
        list->capacity *= 2;
    }
    list->items[list->count++] = v;
}

/* "f() " for messages; nothing for what has no name. */
static const char *name_of_callee(struct vm *vm, struct value callee)
{
    struct value inner = callee.kind == K_BOUND ? callee.bound->function : callee;
    const char *name = NULL;
    if (inner.kind == K_FUNCTION && inner.function->code->full_name)
        name = inner.function->code->full_name->data;
    else if (inner.kind == K_FUNCTION)
        name = inner.function->name->data;
    else if (inner.kind == K_NATIVE)
        name = inner.native->name;
    else if (inner.kind == K_CLASS)
        name = inner.class->name;
    else if (inner.kind == K_TYPE)
        name = inner.type->name;
    return name ? arena_printf(vm->arena, "%s() ", name) : "";
}

static bool add_keyword(struct arguments *list, struct string *name, struct value v)
{
    for (size_t i = 0; i < list->keyword_count; i++)
        if (string_equal(list->keywords[i].name, name))
            return raise_error(list->vm, &class_TypeError,
                               "%sgot multiple values for keyword argument '%s'",
                               name_of_callee(list->vm, list->callee), name->data);
    if (list->keyword_count == list->keyword_capacity) {
        struct keyword *keywords =
            arena_array(list->vm->arena, list->keyword_capacity * 2, sizeof *keywords);
        memcpy(keywords, list->keywords, list->keyword_count * sizeof *keywords);
        list->keywords = keywords;
        list->keyword_capacity *= 2;
    }
    list->keywords[list->keyword_count++] = (struct keyword){ name, v };
    return true;
}

static bool add_mapping(struct arguments *list, struct value v)
{
    size_t cursor = 0;
    struct value mapping;
    if (!value_to_mapping(list->vm, v, &mapping))
        return false;
    if (mapping.kind == K_UNBOUND)
        return raise_error(list->vm, &class_TypeError,
                           "%sargument after ** must be a mapping, not %s",
                           name_of_callee(list->vm, list->callee), value_type_name(v));
    for (struct dict_entry *entry; (entry = dict_next(mapping.dict, &cursor));) {
        if (entry->key.kind != K_STR)
            return raise_error(list->vm, &class_TypeError, "keywords must be strings");
        if (!add_keyword(list, entry->key.s, entry->value))
            return false;
    }
    return true;
}

static bool add_unpacked(struct arguments *list, struct value v)
{
    struct value items;
    struct iterator *iterator;
    if (!value_iterate(list->vm, v, &iterator))
        return exception_is(list->vm, &class_TypeError) && v.kind != K_INSTANCE
                   ? raise_error(list->vm, &class_TypeError,
                                 "%sargument after * must be an iterable, not %s",
                                 name_of_callee(list->vm, list->callee), value_type_name(v))
                   : false;
    bool is_list = v.kind == K_LIST || v.kind == K_TUPLE;
    if (!value_to_list(list->vm, is_list ? v : iterator_value(iterator), K_LIST, &items))
        return false;
    for (size_t i = 0; i < items.list->count; i++)
        add_item(list, items.list->items[i]);
    return true;
}

static bool evaluate_arguments(struct vm *vm, struct frame *frame, const struct node *call,
                               struct value callee, struct arguments *list)
{
    *list = (struct arguments){
        .vm = vm, .callee = callee, .capacity = FEW_ARGUMENTS, .keyword_capacity = FEW_ARGUMENTS
    };
    list->items = list->few_items;
    list->keywords = list->few_keywords;
    for (uint32_t i = 0; i < call->count; i++) {
        const struct node *argument = call->items[i];
        bool is_wrapped = argument->kind == N_STARRED || argument->kind == N_DOUBLE_STARRED ||
                          argument->kind == N_KEYWORD;
        struct value v;
        if (!evaluate(vm, frame, is_wrapped ? argument->a : argument, &v))
            return false;
        if (!is_wrapped)
            add_item(list, v);
        else if (!(argument->kind == N_STARRED          ? add_unpacked(list, v)
                   : argument->kind == N_DOUBLE_STARRED ? add_mapping(list, v)
                                                        : add_keyword(list, argument->value.s, v)))
            return note_place(vm, frame, argument);
    }
    return true;
}

static struct args as_args(const struct arguments *list)
{
    return (struct args){ list->items, list->count, list->keywords, list->keyword_count };
}

/* The keyword that the exception is about, or the whole call. */
static const struct node *blamed_argument(const struct vm *vm, const struct node *call)
{
    for (uint32_t i = 0; vm->blamed && i < call->count; i++)
        if (call->items[i]->kind == N_KEYWORD && string_equal(call->items[i]->value.s, vm->blamed))
            return call->items[i];
    return call;
}

static void note_failed_call(struct vm *vm, struct frame *frame, const struct node *node,
                             struct value callee)
{
    note_place(vm, frame, blamed_argument(vm, node));
    struct value inner = callee.kind == K_BOUND ? callee.bound->function : callee;
    if (inner.kind == K_FUNCTION && vm->at.source)
        note_call(vm, frame, node,
                  arena_printf(vm->arena, "in call to %s", inner.function->name->data));
    else if (inner.kind == K_NATIVE && strcmp(inner.native->name, "include") == 0)
        note_call(vm, frame, node, "included");
}

/* super() without arguments knows its class from the function that it stands in. */
static bool call_super(struct vm *vm, struct frame *frame, struct value *ret)
{
    while (frame && !frame->function)
        frame = frame->outer;
    if (!frame || !frame->function->owner || frame->code->slot_count == 0)
        return raise_error(vm, &class_RuntimeError, "super(): no arguments");
    *ret = super_new(vm, frame->function->owner, frame->slots[0]);
    return true;
}

/* locals() and the like need the frame of their caller. */
static bool call_with_frame(struct vm *vm, struct frame *frame, const struct args *args,
                            const char *name, struct value *ret)
{
    vm->names_are_public = true;
    while (frame->code->kind == CODE_COMPREHENSION && frame->outer)
        frame = frame->outer;
    if (args->count && strcmp(name, "locals") != 0)
        return raise_error(vm, &class_TypeError, "%s() takes no arguments here", name);
    if (frame->code->kind == CODE_MODULE || frame->names) {
        if (!frame->names)
            return value_call(vm, builtin_find(vm, string_from(vm->arena, "globals")), args, ret);
        *ret = (struct value){ .kind = K_DICT, .dict = frame->names };
        return true;
    }
    *ret = dict_value(vm->arena, K_DICT);
    for (uint32_t i = 0; i < frame->code->slot_count; i++)
        if (frame->slots[i].kind != K_UNBOUND)
            dict_set_text(vm->arena, ret->dict, frame->code->slots[i], frame->slots[i]);
    return true;
}

/* Just made, so that nobody else has it yet. */
static void note_maker(const struct frame *frame, const struct node *node, struct value callee,
                       struct value made)
{
    if (made.kind != K_OBJECT || (callee.kind != K_TYPE && callee.kind != K_OBJECT))
        return;
    struct object *object = (struct object *)(uintptr_t)made.object;
    object->made_at = (struct span){ frame->code->source, node->start, node->end };
}

static bool evaluate_call(struct vm *vm, struct frame *frame, const struct node *node,
                          struct value *ret)
{
    struct value callee;
    struct arguments list;
    if (!evaluate(vm, frame, node->a, &callee) ||
        !evaluate_arguments(vm, frame, node, callee, &list))
        return false;
    const struct args args = as_args(&list);
    if (callee.kind == K_CLASS && callee.class == &class_super && args.count == 0)
        return call_super(vm, frame, ret);
    if (callee.kind == K_NATIVE && (strcmp(callee.native->name, "locals") == 0 ||
                                    (args.count == 0 && (strcmp(callee.native->name, "vars") == 0 ||
                                                         strcmp(callee.native->name, "dir") == 0))))
        return call_with_frame(vm, frame, &args, callee.native->name, ret);
    struct expression caller = { 0 };
    bool runs_code = callee.kind == K_FUNCTION || callee.kind == K_CLASS ||
                     (callee.kind == K_BOUND && callee.bound->function.kind == K_FUNCTION);
    if (vm->origins) {
        origins_note_call(vm, frame, node);
        caller = origins_set_caller(vm, frame, runs_code ? node : NULL);
    }
    bool is_done = value_call(vm, callee, &args, ret);
    if (vm->origins)
        origins_put_caller(vm, caller);
    if (is_done) {
        note_maker(frame, node, callee, *ret);
        if (vm->origins)
            origins_note_struct(vm, frame, node, *ret);
        return true;
    }
    note_failed_call(vm, frame, node, callee);
    return false;
}

/* --- functions and comprehensions --- */

bool evaluate_defaults(struct vm *vm, struct frame *frame, const struct code *code,
                       struct value **ret)
{
    uint32_t count = code->positional_count + code->keyword_only_count;
    struct value *values = arena_array(vm->arena, count, sizeof *values);
    for (uint32_t i = 0; i < count; i++)
        if (code->defaults[i] && !evaluate(vm, frame, code->defaults[i], &values[i]))
            return false;
    *ret = values;
    return true;
}

static bool evaluate_lambda(struct vm *vm, struct frame *frame, const struct node *node,
                            struct value *ret)
{
    struct function *function = arena_alloc(vm->arena, sizeof *function);
    function->name = node->code->name;
    function->code = node->code;
    function->closure = frame;
    if (!evaluate_defaults(vm, frame, node->code, &function->defaults))
        return false;
    *ret = (struct value){ .kind = K_FUNCTION, .function = function };
    return true;
}

static bool clause_holds(struct vm *vm, struct frame *frame, const struct node *clause, bool *ret)
{
    *ret = true;
    for (uint32_t i = 0; *ret && i < clause->count; i++) {
        struct value v;
        if (!evaluate(vm, frame, clause->items[i], &v) || !value_truth(vm, v, ret))
            return false;
    }
    return true;
}

static bool run_clause(struct vm *vm, struct frame *frame, uint32_t index,
                       struct iterator *iterator,
                       bool (*collect)(struct vm *, struct frame *, void *), void *context)
{
    const struct code *code = frame->code;
    if (index == code->clause_count)
        return collect(vm, frame, context);
    const struct node *clause = code->clauses[index];
    struct value v;
    bool holds;
    if (!iterator && (!evaluate(vm, frame, clause->b, &v) || !value_iterate(vm, v, &iterator)))
        return note_place(vm, frame, clause);
    for (;;) {
        if (!iterator_next(vm, iterator, &v))
            return note_place(vm, frame, clause);
        if (v.kind == K_UNBOUND)
            return true;
        if (!assign(vm, frame, clause->a, v))
            return false;
        if (vm->origins && clause->b) /* the first one stands outside */
            origins_note_target(vm, frame, clause->a, index == 0 ? frame->outer : frame, clause->b,
                                "takes one of these after the other");
        if (!clause_holds(vm, frame, clause, &holds))
            return false;
        if (holds && !run_clause(vm, frame, index + 1, NULL, collect, context))
            return false;
    }
}

bool run_comprehension(struct vm *vm, struct frame *frame, struct iterator *first,
                       bool (*collect)(struct vm *, struct frame *, void *), void *context)
{
    return run_clause(vm, frame, 0, first, collect, context);
}

static bool collect_element(struct vm *vm, struct frame *frame, void *context)
{
    struct value *into = context, v, element;
    if (!evaluate(vm, frame, frame->code->body, &v))
        return false;
    switch (into->kind) {
    case K_LIST:
        if (into->list->count == LIMIT_ITEMS)
            return raise_limit(vm, "a list has more than %d items", LIMIT_ITEMS);
        list_push(vm->arena, into->list, v);
        return true;
    case K_SET:
        return dict_set(vm, into->dict, v, V_NONE) || note_place(vm, frame, frame->code->body);
    default:
        if (!evaluate(vm, frame, frame->code->body_value, &element))
            return false;
        return dict_set(vm, into->dict, v, element) || note_place(vm, frame, frame->code->body);
    }
}

static bool evaluate_comprehension(struct vm *vm, struct frame *frame, const struct node *node,
                                   struct value *ret)
{
    struct value iterable, result;
    struct iterator *first;
    if (!evaluate(vm, frame, node->a, &iterable))
        return false;
    if (!value_iterate(vm, iterable, &first))
        return note_place(vm, frame, node->a);
    struct frame *inner = frame_new(vm, node->code, frame);
    if (node->op == COMPREHENSION_GENERATOR) {
        *ret = generator_new(vm, inner, first);
        return true;
    }
    result = node->op == COMPREHENSION_LIST
                 ? list_new(vm->arena, K_LIST, 0)
                 : dict_value(vm->arena, node->op == COMPREHENSION_SET ? K_SET : K_DICT);
    if (!run_comprehension(vm, inner, first, collect_element, &result))
        return false;
    *ret = result;
    return true;
}

static bool evaluate_yield(struct vm *vm, struct frame *frame, const struct node *node,
                           struct value *ret)
{
    struct value v = V_NONE;
    if (node->a && !evaluate(vm, frame, node->a, &v))
        return false;
    *ret = V_NONE;
    return generator_yield(vm, frame, v);
}

static bool evaluate_yield_from(struct vm *vm, struct frame *frame, const struct node *node,
                                struct value *ret)
{
    struct value v;
    struct iterator *iterator;
    if (!evaluate(vm, frame, node->a, &v) || !value_iterate(vm, v, &iterator))
        return false;
    for (;;) {
        if (!iterator_next(vm, iterator, &v))
            return false;
        if (v.kind == K_UNBOUND)
            break;
        if (!generator_yield(vm, frame, v))
            return false;
    }
    *ret = generator_result(iterator);
    return true;
}

static bool evaluate_misplaced(struct vm *vm, struct frame *frame, const struct node *node,
                               struct value *ret)
{
    (void)frame;
    (void)node;
    (void)ret;
    return raise_error(vm, &class_SyntaxError, "can't use starred expression here");
}

typedef bool evaluator(struct vm *vm, struct frame *frame, const struct node *node,
                       struct value *ret);

static evaluator *const EVALUATORS[N_COUNT] = {
    [N_CONSTANT] = evaluate_constant,
    [N_NAME] = evaluate_name,
    [N_TUPLE] = evaluate_sequence,
    [N_LIST] = evaluate_sequence,
    [N_SET] = evaluate_set,
    [N_DICT] = evaluate_dict,
    [N_STARRED] = evaluate_misplaced,
    [N_DOUBLE_STARRED] = evaluate_misplaced,
    [N_KEYWORD] = evaluate_misplaced,
    [N_NEGATE] = evaluate_unary,
    [N_PLUS] = evaluate_unary,
    [N_INVERT] = evaluate_unary,
    [N_NOT] = evaluate_not,
    [N_BINARY] = evaluate_binary,
    [N_COMPARE] = evaluate_compare,
    [N_AND] = evaluate_logic,
    [N_OR] = evaluate_logic,
    [N_CONDITIONAL] = evaluate_conditional,
    [N_CALL] = evaluate_call,
    [N_ATTRIBUTE] = evaluate_attribute,
    [N_INDEX] = evaluate_index,
    [N_SLICE] = evaluate_slice,
    [N_LAMBDA] = evaluate_lambda,
    [N_COMPREHENSION] = evaluate_comprehension,
    [N_FORMAT_STRING] = evaluate_format_string,
    [N_WALRUS] = evaluate_walrus,
    [N_YIELD] = evaluate_yield,
    [N_YIELD_FROM] = evaluate_yield_from,
};

bool evaluate(struct vm *vm, struct frame *frame, const struct node *node, struct value *ret)
{
    if (!vm_step(vm) || !vm_check_stack(vm) || !EVALUATORS[node->kind](vm, frame, node, ret))
        return note_place(vm, frame, node);
    if (vm->origins)
        origins_note_value(vm, frame, node, *ret);
    return true;
}
