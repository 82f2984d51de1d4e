#include "config/class.h"
#include "config/evaluate.h"
#include "config/modules.h"
#include "config/origin.h"
#include "config/template.h"

/* Statements.  One function per kind of node, in a table. */

static enum flow execute(struct vm *vm, struct frame *frame, const struct node *node);

static enum flow failed(struct vm *vm, struct frame *frame, const struct node *node)
{
    note_place(vm, frame, node);
    return FLOW_RAISE;
}

/* --- assignment --- */

static void store_name(struct vm *vm, struct frame *frame, const struct node *node, struct value v)
{
    if (node->hops == HOPS_CLASS) {
        dict_set_text(vm->arena, frame->names, node->value.s, v);
    } else if (node->hops == HOPS_GLOBAL) {
        dict_set_text(vm->arena, frame_globals(vm, frame), node->value.s, v);
    } else {
        for (int32_t hops = node->hops; hops > 0; hops--)
            frame = frame->outer;
        frame->slots[node->slot] = v;
    }
}

static bool assign_starred(struct vm *vm, struct frame *frame, const struct node *target,
                           const struct list *items, uint32_t star)
{
    uint32_t behind = target->count - star - 1;
    if (items->count < target->count - 1)
        return raise_error(vm, &class_ValueError,
                           "not enough values to unpack (expected at least %u, got %zu)",
                           target->count - 1, items->count);
    size_t taken = items->count - star - behind;
    for (uint32_t i = 0; i < star; i++)
        if (!assign(vm, frame, target->items[i], items->items[i]))
            return false;
    struct value rest = tuple_of(vm->arena, items->items + star, taken);
    rest.kind = K_LIST;
    if (!assign(vm, frame, target->items[star]->a, rest))
        return false;
    for (uint32_t i = 0; i < behind; i++)
        if (!assign(vm, frame, target->items[star + 1 + i], items->items[star + taken + i]))
            return false;
    return true;
}

/* Takes no more items than are needed to see that there are too many.  Of a list a copy: what is
 * assigned to may change it. */
static bool unpack(struct vm *vm, struct value v, size_t most, struct list **ret)
{
    struct iterator *iterator;
    if (v.kind == K_LIST || v.kind == K_TUPLE) {
        *ret = v.kind == K_TUPLE ? v.list : tuple_of(vm->arena, v.list->items, v.list->count).list;
        return true;
    }
    if (!value_iterate(vm, v, &iterator)) {
        if (exception_is(vm, &class_TypeError))
            raise_error(vm, &class_TypeError, "cannot unpack non-iterable %s object",
                        value_type_name(v));
        return false;
    }
    *ret = list_new(vm->arena, K_LIST, 0).list;
    for (struct value item; (*ret)->count <= most;) {
        if (!iterator_next(vm, iterator, &item))
            return false;
        if (item.kind == K_UNBOUND)
            break;
        if ((*ret)->count == LIMIT_ITEMS)
            return raise_limit(vm, "a list has more than %d items", LIMIT_ITEMS);
        list_push(vm->arena, *ret, item);
    }
    return true;
}

static bool assign_items(struct vm *vm, struct frame *frame, const struct node *target,
                         struct value v)
{
    struct list *items;
    uint32_t star = 0;
    while (star < target->count && target->items[star]->kind != N_STARRED)
        star++;
    if (!unpack(vm, v, star < target->count ? LIMIT_ITEMS : target->count, &items))
        return false;
    if (star < target->count)
        return assign_starred(vm, frame, target, items, star);
    if (items->count > target->count)
        return raise_error(vm, &class_ValueError, "too many values to unpack (expected %u)",
                           target->count);
    if (items->count < target->count)
        return raise_error(vm, &class_ValueError,
                           "not enough values to unpack (expected %u, got %zu)", target->count,
                           items->count);
    for (uint32_t i = 0; i < target->count; i++)
        if (!assign(vm, frame, target->items[i], items->items[i]))
            return false;
    return true;
}

static bool assign_any(struct vm *vm, struct frame *frame, const struct node *target,
                       struct value v)
{
    struct value container, key;
    switch (target->kind) {
    case N_NAME:
        store_name(vm, frame, target, v);
        return true;
    case N_ATTRIBUTE:
        return evaluate(vm, frame, target->a, &container) &&
               value_set_attribute(vm, container, target->value.s, v);
    case N_INDEX:
        return evaluate(vm, frame, target->a, &container) && evaluate(vm, frame, target->b, &key) &&
               value_set_item(vm, container, key, v);
    default:
        return assign_items(vm, frame, target, v);
    }
}

bool assign(struct vm *vm, struct frame *frame, const struct node *target, struct value v)
{
    return assign_any(vm, frame, target, v) || note_place(vm, frame, target);
}

/* A class body keeps what its names are annotated with, as text. */
static void note_annotation(struct vm *vm, struct frame *frame, const struct node *node)
{
    struct string *name = string_from(vm->arena, "__annotations__");
    struct value all = dict_get_text(frame->names, name);
    if (all.kind != K_DICT) {
        all = dict_value(vm->arena, K_DICT);
        dict_set_text(vm->arena, frame->names, name, all);
    }
    dict_set_text(vm->arena, all.dict, node->items[0]->value.s, node->value);
}

static enum flow execute_assign(struct vm *vm, struct frame *frame, const struct node *node)
{
    struct value v;
    if (node->value.kind == K_STR && frame->names)
        note_annotation(vm, frame, node);
    if (!node->a)
        return FLOW_NEXT;
    if (!evaluate(vm, frame, node->a, &v))
        return FLOW_RAISE;
    for (uint32_t i = 0; i < node->count; i++)
        if (!assign(vm, frame, node->items[i], v))
            return FLOW_RAISE;
    for (uint32_t i = 0; vm->origins && i < node->count; i++)
        origins_note_target(vm, frame, node->items[i], frame, node->a, "is set here");
    return FLOW_NEXT;
}

#define ROOM_TAKEN UINT32_MAX

/* A text that is added to again and again is not copied each time: += leaves room behind it, which the next one
 * takes if nobody has asked for the value in between. */
static bool augment_variable(struct vm *vm, struct frame *frame, const struct node *node)
{
    struct value old, more, result;
    uint32_t room = 0;
    if (!evaluate_target_name(vm, frame, node->a, &old))
        return false;
    if (old.kind == K_STR && old.s->room) {
        room = old.s->room == ROOM_TAKEN ? 0 : old.s->room;
        old.s->room = room ? ROOM_TAKEN : 0; /* until it is known what has been added */
    }
    if (!evaluate(vm, frame, node->b, &more))
        return false;
    if (old.kind == K_STR && more.kind == K_STR)
        return text_append(vm, old.s, old.s->room == ROOM_TAKEN ? room : 0, more.s, &result) &&
               assign(vm, frame, node->a, result);
    return value_inplace(vm, OP_ADD, old, more, &result) && assign(vm, frame, node->a, result);
}

static bool augment(struct vm *vm, struct frame *frame, const struct node *node)
{
    const struct node *target = node->a;
    struct value container, key, old, more, result;
    if (target->kind == N_NAME && node->op == OP_ADD && target->hops != HOPS_CLASS &&
        !vm->names_are_public && !vm->origins)
        return augment_variable(vm, frame, node);
    if (target->kind == N_NAME)
        return evaluate(vm, frame, target, &old) && evaluate(vm, frame, node->b, &more) &&
               value_inplace(vm, node->op, old, more, &result) && assign(vm, frame, target, result);
    if (!evaluate(vm, frame, target->a, &container))
        return false;
    if (target->kind == N_ATTRIBUTE)
        return value_get_attribute(vm, container, target->value.s, &old) &&
               evaluate(vm, frame, node->b, &more) &&
               value_inplace(vm, node->op, old, more, &result) &&
               value_set_attribute(vm, container, target->value.s, result);
    return evaluate(vm, frame, target->b, &key) && value_get_item(vm, container, key, &old) &&
           evaluate(vm, frame, node->b, &more) && value_inplace(vm, node->op, old, more, &result) &&
           value_set_item(vm, container, key, result);
}

static enum flow execute_augmented(struct vm *vm, struct frame *frame, const struct node *node)
{
    if (!augment(vm, frame, node))
        return failed(vm, frame, node);
    if (vm->origins)
        origins_note_added(vm, frame, node->a, node->b);
    return FLOW_NEXT;
}

static bool delete_name(struct vm *vm, struct frame *frame, const struct node *node)
{
    struct value old;
    if (!evaluate(vm, frame, node, &old))
        return false;
    if (node->hops >= 0)
        store_name(vm, frame, node, V_UNBOUND);
    else
        dict_remove_text(node->hops == HOPS_CLASS ? frame->names : vm->globals, node->value.s);
    return true;
}

static bool delete_target(struct vm *vm, struct frame *frame, const struct node *node)
{
    struct value container, key;
    switch (node->kind) {
    case N_NAME:
        return delete_name(vm, frame, node);
    case N_ATTRIBUTE:
        return evaluate(vm, frame, node->a, &container) &&
               value_delete_attribute(vm, container, node->value.s);
    case N_INDEX:
        return evaluate(vm, frame, node->a, &container) && evaluate(vm, frame, node->b, &key) &&
               value_delete_item(vm, container, key);
    default:
        for (uint32_t i = 0; i < node->count; i++)
            if (!delete_target(vm, frame, node->items[i]))
                return false;
        return true;
    }
}

static enum flow execute_delete(struct vm *vm, struct frame *frame, const struct node *node)
{
    for (uint32_t i = 0; i < node->count; i++)
        if (!delete_target(vm, frame, node->items[i]))
            return failed(vm, frame, node);
    return FLOW_NEXT;
}

/* --- control --- */

static bool holds(struct vm *vm, struct frame *frame, const struct node *condition, bool *ret)
{
    struct value v;
    return evaluate(vm, frame, condition, &v) &&
           (value_truth(vm, v, ret) || note_place(vm, frame, condition));
}

static enum flow execute_if(struct vm *vm, struct frame *frame, const struct node *node)
{
    bool truth;
    for (; node && node->kind == N_IF; node = node->c) {
        if (!holds(vm, frame, node->a, &truth))
            return FLOW_RAISE;
        if (truth)
            return execute_block(vm, frame, node->b);
    }
    return node ? execute_block(vm, frame, node) : FLOW_NEXT;
}

static enum flow execute_while(struct vm *vm, struct frame *frame, const struct node *node)
{
    for (bool truth;;) {
        if (!holds(vm, frame, node->a, &truth))
            return FLOW_RAISE;
        if (!truth)
            break;
        enum flow flow = execute_block(vm, frame, node->b);
        if (flow == FLOW_BREAK)
            return FLOW_NEXT;
        if (flow != FLOW_NEXT && flow != FLOW_CONTINUE)
            return flow;
    }
    return node->c ? execute_block(vm, frame, node->c) : FLOW_NEXT;
}

static enum flow execute_for(struct vm *vm, struct frame *frame, const struct node *node)
{
    struct value v;
    struct iterator *iterator;
    if (!evaluate(vm, frame, node->b, &v))
        return FLOW_RAISE;
    if (!value_iterate(vm, v, &iterator))
        return failed(vm, frame, node->b);
    for (;;) {
        if (!iterator_next(vm, iterator, &v))
            return failed(vm, frame, node->b);
        if (v.kind == K_UNBOUND)
            break;
        if (!assign(vm, frame, node->a, v))
            return FLOW_RAISE;
        if (vm->origins)
            origins_note_target(vm, frame, node->a, frame, node->b,
                                "takes one of these after the other");
        enum flow flow = execute_block(vm, frame, node->c);
        if (flow == FLOW_BREAK)
            return FLOW_NEXT;
        if (flow != FLOW_NEXT && flow != FLOW_CONTINUE)
            return flow;
    }
    return node->d ? execute_block(vm, frame, node->d) : FLOW_NEXT;
}

static enum flow execute_word(struct vm *vm, struct frame *frame, const struct node *node)
{
    (void)vm;
    (void)frame;
    return node->kind == N_BREAK      ? FLOW_BREAK
           : node->kind == N_CONTINUE ? FLOW_CONTINUE
                                      : FLOW_NEXT;
}

static enum flow execute_return(struct vm *vm, struct frame *frame, const struct node *node)
{
    frame->result = V_NONE;
    if (node->a && !evaluate(vm, frame, node->a, &frame->result))
        return FLOW_RAISE;
    if (vm->origins && node->a)
        origins_note_return(vm, frame, node->a);
    return FLOW_RETURN;
}

static enum flow execute_expression(struct vm *vm, struct frame *frame, const struct node *node)
{
    struct value v;
    return evaluate(vm, frame, node->a, &v) ? FLOW_NEXT : FLOW_RAISE;
}

static enum flow execute_print(struct vm *vm, struct frame *frame, const struct node *node)
{
    struct value items = list_new(vm->arena, K_LIST, node->count), v;
    for (uint32_t i = 0; i < node->count; i++) {
        if (!evaluate(vm, frame, node->items[i], &v))
            return FLOW_RAISE;
        list_push(vm->arena, items.list, v);
    }
    return print_values(vm, items.list->items, items.list->count, " ", node->op ? " " : "\n")
               ? FLOW_NEXT
               : failed(vm, frame, node);
}

static enum flow execute_assert(struct vm *vm, struct frame *frame, const struct node *node)
{
    bool truth;
    struct value message;
    if (!holds(vm, frame, node->a, &truth))
        return FLOW_RAISE;
    if (truth)
        return FLOW_NEXT;
    if (node->b && !evaluate(vm, frame, node->b, &message))
        return FLOW_RAISE;
    raise_value(vm, exception_new(vm, &class_AssertionError, &message, node->b ? 1 : 0));
    return failed(vm, frame, node);
}

/* --- exceptions --- */

static bool is_exception(struct value v)
{
    return v.kind == K_INSTANCE && class_is_subclass(v.instance->class, &class_BaseException);
}

static bool make_exception(struct vm *vm, struct value v, struct value *ret)
{
    static const struct args none;
    bool is_class = v.kind == K_CLASS && class_is_subclass(v.class, &class_BaseException);
    *ret = v;
    if (is_class && !value_call(vm, v, &none, ret))
        return false;
    if (is_exception(*ret))
        return true;
    if (is_class)
        return raise_error(vm, &class_TypeError,
                           "calling <class '%s'> should have returned an instance of "
                           "BaseException, not <class '%s'>",
                           v.class->name, value_type_name(*ret));
    return raise_error(vm, &class_TypeError, "exceptions must derive from BaseException");
}

/* `raise ... from cause`: an exception, or a class that is made one of. */
static bool is_cause(struct vm *vm, struct value v, struct value *ret)
{
    return (is_exception(v) || v.kind == K_CLASS)
               ? make_exception(vm, v, ret)
               : raise_error(vm, &class_TypeError,
                             "exception causes must derive from BaseException");
}

static bool raise_statement(struct vm *vm, struct frame *frame, const struct node *node)
{
    struct value v, cause;
    if (!node->a) {
        if (vm->handled.kind == K_UNBOUND)
            return raise_error(vm, &class_RuntimeError, "No active exception to reraise");
        return raise_value(vm, vm->handled);
    }
    if (!evaluate(vm, frame, node->a, &v) || !make_exception(vm, v, &v))
        return false;
    if (node->b) {
        if (!evaluate(vm, frame, node->b, &cause))
            return false;
        if (cause.kind != K_NONE && !is_cause(vm, cause, &cause))
            return false;
        v.instance->cause = cause;
        v.instance->is_context_hidden = true;
    }
    return raise_value(vm, v);
}

static enum flow execute_raise(struct vm *vm, struct frame *frame, const struct node *node)
{
    raise_statement(vm, frame, node);
    return failed(vm, frame, node);
}

static bool matches_one(struct vm *vm, struct value exception, struct value type, bool *ret)
{
    if (type.kind != K_CLASS || !class_is_subclass(type.class, &class_BaseException))
        return raise_error(
            vm, &class_TypeError,
            "catching classes that do not inherit from BaseException is not allowed");
    *ret = class_is_subclass(exception.instance->class, type.class);
    return true;
}

static bool matches(struct vm *vm, struct frame *frame, const struct node *handler,
                    struct value exception, bool *ret)
{
    struct value type;
    *ret = true;
    if (!handler->a)
        return true;
    if (!evaluate(vm, frame, handler->a, &type))
        return false;
    if (type.kind != K_TUPLE)
        return matches_one(vm, exception, type, ret) || note_place(vm, frame, handler->a);
    *ret = false;
    for (size_t i = 0; !*ret && i < type.list->count; i++)
        if (!matches_one(vm, exception, type.list->items[i], ret))
            return note_place(vm, frame, handler->a);
    return true;
}

static enum flow run_handler(struct vm *vm, struct frame *frame, const struct node *handler,
                             struct value exception)
{
    struct value outer = vm->handled;
    if (handler->b)
        store_name(vm, frame, handler->b, exception);
    vm->handled = exception;
    enum flow flow = execute_block(vm, frame, handler->c);
    vm->handled = outer;
    if (handler->b && handler->b->hops >= 0)
        store_name(vm, frame, handler->b, V_UNBOUND);
    else if (handler->b)
        dict_remove_text(handler->b->hops == HOPS_CLASS ? frame->names : vm->globals,
                         handler->b->value.s);
    return flow;
}

/* The exception with what is known about where it comes from. */
struct pending {
    struct value exception;
    struct span at;
    bool has_place;
    struct trace_frame *trace;
};

static struct pending take_pending(struct vm *vm)
{
    struct pending pending = { .at = vm->at, .has_place = vm->has_place, .trace = vm->trace };
    pending.exception = exception_take(vm);
    return pending;
}

static void put_pending(struct vm *vm, const struct pending *pending)
{
    raise_value(vm, pending->exception);
    vm->at = pending->at;
    vm->has_place = pending->has_place;
    vm->trace = pending->trace;
    vm->trace_end = &vm->trace;
    while (*vm->trace_end)
        vm->trace_end = &(*vm->trace_end)->next;
}

static enum flow handle(struct vm *vm, struct frame *frame, const struct node *node)
{
    if (vm->is_stopped)
        return FLOW_RAISE;
    struct pending pending = take_pending(vm);
    for (uint32_t i = 0; i < node->count; i++) {
        bool is_match;
        if (!matches(vm, frame, node->items[i], pending.exception, &is_match))
            return FLOW_RAISE;
        if (is_match)
            return run_handler(vm, frame, node->items[i], pending.exception);
    }
    put_pending(vm, &pending);
    return FLOW_RAISE;
}

static enum flow run_finally(struct vm *vm, struct frame *frame, const struct node *block,
                             enum flow flow)
{
    struct value result = frame->result;
    struct pending pending = { 0 };
    if (vm->is_stopped)
        return FLOW_RAISE;
    struct value handled = vm->handled;
    if (flow == FLOW_RAISE) {
        pending = take_pending(vm);
        vm->handled = pending.exception;
    }
    enum flow last = execute_block(vm, frame, block);
    vm->handled = handled;
    if (last != FLOW_NEXT)
        return last;
    frame->result = result;
    if (flow == FLOW_RAISE)
        put_pending(vm, &pending);
    return flow;
}

static enum flow execute_try(struct vm *vm, struct frame *frame, const struct node *node)
{
    enum flow flow = execute_block(vm, frame, node->a);
    if (flow == FLOW_RAISE)
        flow = handle(vm, frame, node);
    else if (flow == FLOW_NEXT && node->b)
        flow = execute_block(vm, frame, node->b);
    return node->c ? run_finally(vm, frame, node->c, flow) : flow;
}

static bool call_manager(struct vm *vm, struct value v, const char *name, const struct args *args,
                         struct value *ret)
{
    struct value method;
    if (!value_find_attribute(vm, v, string_from(vm->arena, name), &method))
        return false;
    if (method.kind == K_UNBOUND)
        return raise_error(vm, &class_TypeError,
                           "'%s' object does not support the context manager protocol%s",
                           value_type_name(v),
                           strcmp(name, "__exit__") == 0 ? " (missed __exit__ method)" : "");
    return value_call(vm, method, args, ret);
}

static enum flow leave_with(struct vm *vm, struct frame *frame, const struct node *node,
                            struct value manager, enum flow flow)
{
    struct value items[3] = { V_NONE, V_NONE, V_NONE }, result;
    const struct args args = { .items = items, .count = 3 };
    struct pending pending = { 0 };
    bool is_swallowed = false;
    if (vm->is_stopped)
        return FLOW_RAISE;
    if (flow == FLOW_RAISE) {
        pending = take_pending(vm);
        items[0] = (struct value){ .kind = K_CLASS, .class = pending.exception.instance->class };
        items[1] = pending.exception;
    }
    struct value handled = vm->handled;
    vm->handled = flow == FLOW_RAISE ? pending.exception : handled;
    bool is_done = call_manager(vm, manager, "__exit__", &args, &result) &&
                   (flow != FLOW_RAISE || value_truth(vm, result, &is_swallowed));
    vm->handled = handled;
    if (!is_done)
        return failed(vm, frame, node);
    if (flow != FLOW_RAISE)
        return flow;
    if (is_swallowed)
        return FLOW_NEXT;
    put_pending(vm, &pending);
    return FLOW_RAISE;
}

static enum flow run_with(struct vm *vm, struct frame *frame, const struct node *node,
                          uint32_t index)
{
    static const struct args none;
    struct value manager, entered;
    if (index == node->count)
        return execute_block(vm, frame, node->a);
    const struct node *item = node->items[index];
    if (!evaluate(vm, frame, item->a, &manager))
        return FLOW_RAISE;
    if (!call_manager(vm, manager, "__enter__", &none, &entered) ||
        (item->b && !assign(vm, frame, item->b, entered)))
        return failed(vm, frame, item);
    return leave_with(vm, frame, item, manager, run_with(vm, frame, node, index + 1));
}

static enum flow execute_with(struct vm *vm, struct frame *frame, const struct node *node)
{
    return run_with(vm, frame, node, 0);
}

/* --- definitions --- */

static bool decorate(struct vm *vm, struct frame *frame, const struct node *node, struct value v,
                     struct value *ret)
{
    struct value *decorators = arena_array(vm->arena, node->count, sizeof *decorators);
    for (uint32_t i = 0; i < node->count; i++)
        if (!evaluate(vm, frame, node->items[i], &decorators[i]))
            return false;
    for (uint32_t i = node->count; i > 0; i--)
        if (!value_call1(vm, decorators[i - 1], v, &v))
            return false;
    *ret = v;
    return true;
}

static struct string *doc_of(const struct node *body)
{
    if (body->kind != N_BLOCK || body->count == 0 || body->items[0]->kind != N_EXPRESSION)
        return NULL;
    const struct node *first = body->items[0]->a;
    return first->kind == N_CONSTANT && first->value.kind == K_STR ? first->value.s : NULL;
}

static void name_fully(struct vm *vm, const struct frame *frame, struct code *code)
{
    while (frame && frame->code->kind == CODE_COMPREHENSION)
        frame = frame->outer;
    const struct code *outer = frame ? frame->code : NULL;
    if (code->full_name)
        return;
    code->full_name = code->name;
    if (outer && outer->full_name && outer->kind != CODE_MODULE)
        code->full_name =
            string_printf(vm->arena, "%s.%s%s", outer->full_name->data,
                          outer->kind == CODE_CLASS ? "" : "<locals>.", code->name->data);
}

static enum flow execute_def(struct vm *vm, struct frame *frame, const struct node *node)
{
    struct function *function = arena_alloc(vm->arena, sizeof *function);
    function->name = node->code->name;
    function->code = node->code;
    function->closure = frame;
    node->code->doc = doc_of(node->code->body);
    name_fully(vm, frame, node->code);
    struct value v = { .kind = K_FUNCTION, .function = function };
    if (!evaluate_defaults(vm, frame, node->code, &function->defaults) ||
        !decorate(vm, frame, node, v, &v))
        return failed(vm, frame, node);
    store_name(vm, frame, node->a, v);
    return FLOW_NEXT;
}

static bool evaluate_bases(struct vm *vm, struct frame *frame, const struct node *call,
                           struct list *bases, struct keyword *keywords, size_t *ret_count)
{
    for (uint32_t i = 0; i < call->count; i++) {
        const struct node *item = call->items[i];
        struct value v;
        bool is_keyword = item->kind == N_KEYWORD;
        if (is_keyword && string_is(item->value.s, "metaclass"))
            return raise_error(vm, &class_TypeError,
                               "metaclasses are not part of the configuration language");
        if (!evaluate(vm, frame, is_keyword ? item->a : item, &v))
            return false;
        if (is_keyword) {
            keywords[(*ret_count)++] = (struct keyword){ item->value.s, v };
            continue;
        }
        if (v.kind == K_CLASS && v.class == &class_object && call->count > 1)
            continue;
        list_push(vm->arena, bases, v);
    }
    return true;
}

static bool make_class(struct vm *vm, struct frame *frame, const struct node *node,
                       struct value *ret)
{
    struct list bases = { 0 };
    struct keyword *keywords = arena_array(vm->arena, node->b->count, sizeof *keywords);
    size_t keyword_count = 0;
    if (!evaluate_bases(vm, frame, node->b, &bases, keywords, &keyword_count))
        return false;
    struct frame *body = frame_new(vm, node->code, frame);
    body->names = dict_new(vm->arena);
    name_fully(vm, frame, node->code);
    if (execute_block(vm, body, node->code->body) == FLOW_RAISE)
        return false;
    if (bases.count && bases.items[0].kind == K_TYPE)
        return type_define_struct(vm, node->code->name->data, bases.items[0].type, body->names,
                                  ret);
    ret->kind = K_CLASS;
    if (!class_define(vm, node->code->name, bases.items, bases.count, body->names, &ret->class))
        return false;
    ((struct class *)(uintptr_t)ret->class)->doc = doc_of(node->code->body);
    return class_announce(vm, ret->class, keywords, keyword_count);
}

static enum flow execute_class(struct vm *vm, struct frame *frame, const struct node *node)
{
    struct value v;
    if (!vm_enter(vm))
        return failed(vm, frame, node);
    bool is_done = make_class(vm, frame, node, &v) && decorate(vm, frame, node, v, &v);
    vm_leave(vm);
    if (!is_done)
        return failed(vm, frame, node);
    store_name(vm, frame, node->a, v);
    return FLOW_NEXT;
}

/* --- imports --- */

static enum flow execute_import(struct vm *vm, struct frame *frame, const struct node *node)
{
    for (uint32_t i = 0; i < node->count; i++) {
        const struct node *alias = node->items[i];
        struct value v;
        if (!module_import(vm, alias->value.s, &v))
            return failed(vm, frame, alias);
        const char *dot = strchr(alias->value.s->data, '.');
        if (dot && !alias->op) { /* `import a.b` binds a */
            struct string *first =
                string_new(vm->arena, alias->value.s->data, (size_t)(dot - alias->value.s->data));
            if (!module_import(vm, first, &v))
                return failed(vm, frame, alias);
        }
        store_name(vm, frame, alias->a, v);
    }
    return FLOW_NEXT;
}

static enum flow execute_from(struct vm *vm, struct frame *frame, const struct node *node)
{
    struct value module, v;
    if (string_is(node->value.s, "__future__"))
        return FLOW_NEXT;
    if (!module_import(vm, node->value.s, &module))
        return failed(vm, frame, node);
    if (node->count == 0)
        return module_import_all(vm, module.module) ? FLOW_NEXT : failed(vm, frame, node);
    for (uint32_t i = 0; i < node->count; i++) {
        struct string *name = node->items[i]->value.s;
        if (!module.module->attributes)
            v = module_unusable_name(vm, module.module, name);
        else if (!module_find(vm, module.module, name, &v))
            return failed(vm, frame, node->items[i]);
        if (v.kind == K_UNBOUND) {
            raise_error(vm, &class_ImportError, "cannot import name '%s' from '%s'", name->data,
                        module.module->name);
            return failed(vm, frame, node->items[i]);
        }
        store_name(vm, frame, node->items[i]->a, v);
    }
    return FLOW_NEXT;
}

typedef enum flow executor(struct vm *vm, struct frame *frame, const struct node *node);

static executor *const EXECUTORS[N_COUNT] = {
    [N_BLOCK] = execute_block,   [N_EXPRESSION] = execute_expression,
    [N_ASSIGN] = execute_assign, [N_AUGMENTED] = execute_augmented,
    [N_IF] = execute_if,         [N_WHILE] = execute_while,
    [N_FOR] = execute_for,       [N_DEF] = execute_def,
    [N_CLASS] = execute_class,   [N_RETURN] = execute_return,
    [N_BREAK] = execute_word,    [N_CONTINUE] = execute_word,
    [N_PASS] = execute_word,     [N_GLOBAL] = execute_word,
    [N_NONLOCAL] = execute_word, [N_IMPORT] = execute_import,
    [N_FROM] = execute_from,     [N_RAISE] = execute_raise,
    [N_TRY] = execute_try,       [N_WITH] = execute_with,
    [N_ASSERT] = execute_assert, [N_DELETE] = execute_delete,
    [N_PRINT] = execute_print,
};

static enum flow execute(struct vm *vm, struct frame *frame, const struct node *node)
{
    if (!vm_step(vm))
        return failed(vm, frame, node);
    return EXECUTORS[node->kind](vm, frame, node);
}

enum flow execute_block(struct vm *vm, struct frame *frame, const struct node *block)
{
    for (uint32_t i = 0; i < block->count; i++) {
        enum flow flow = execute(vm, frame, block->items[i]);
        if (flow != FLOW_NEXT)
            return flow;
    }
    return FLOW_NEXT;
}

bool run_function_body(struct vm *vm, struct frame *frame, struct value *ret)
{
    if (frame->code->kind == CODE_LAMBDA)
        return evaluate(vm, frame, frame->code->body, ret);
    frame->result = V_NONE;
    if (execute_block(vm, frame, frame->code->body) == FLOW_RAISE)
        return false;
    *ret = frame->result;
    return true;
}
