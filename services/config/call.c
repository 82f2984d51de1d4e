#include "config/class.h"
#include "config/evaluate.h"
#include "config/modules.h"
#include "config/origin.h"
#include "config/template.h"

/* Calls: arguments to parameters. */

#define MAX_PARAMETERS 12 /* of functions written in C */

static const char *full_name(const struct code *code)
{
    return (code->full_name ? code->full_name : code->name)->data;
}

static size_t total_count(const struct value *self, const struct args *args)
{
    return args->count + (self != NULL);
}

static struct value positional(const struct value *self, const struct args *args, size_t index)
{
    if (!self)
        return args->items[index];
    return index == 0 ? *self : args->items[index - 1];
}

/* Of the keywords given, those that are for keyword-only parameters. */
static size_t keyword_only_given(const struct code *code, const struct args *args)
{
    size_t count = 0;
    uint32_t end = code->positional_count + code->keyword_only_count;
    for (size_t i = 0; i < args->keyword_count; i++)
        for (uint32_t j = code->positional_count; j < end; j++)
            count += string_equal(code->slots[j], args->keywords[i].name);
    return count;
}

static bool too_many(struct vm *vm, const struct code *code, const struct args *args, size_t given)
{
    size_t most = code->positional_count, least = most, extra = keyword_only_given(code, args);
    for (uint32_t i = 0; i < code->positional_count; i++)
        least -= code->defaults[i] != NULL;
    const char *takes = least == most ? arena_printf(vm->arena, "%zu", most)
                                      : arena_printf(vm->arena, "from %zu to %zu", least, most);
    const char *more = "";
    if (extra)
        more = arena_printf(vm->arena, " positional argument%s (and %zu keyword-only argument%s)",
                            given == 1 ? "" : "s", extra, extra == 1 ? "" : "s");
    return raise_error(vm, &class_TypeError,
                       "%s() takes %s positional argument%s but %zu%s %s given", full_name(code),
                       takes, most == 1 ? "" : "s", given, more,
                       given == 1 && !extra ? "was" : "were");
}

static bool unknown_keyword(struct vm *vm, const struct code *code, const struct string *name)
{
    for (uint32_t i = 0; i < code->positional_only_count; i++)
        if (string_equal(code->slots[i], name))
            return raise_error(vm, &class_TypeError,
                               "%s() got some positional-only arguments passed as keyword "
                               "arguments: '%s'",
                               full_name(code), name->data);
    return raise_error(vm, &class_TypeError, "%s() got an unexpected keyword argument '%s'",
                       full_name(code), name->data);
}

static bool bind_keyword(struct vm *vm, const struct code *code, struct value *slots,
                         const struct keyword *keyword, struct dict *rest)
{
    uint32_t named = code->positional_count + code->keyword_only_count;
    for (uint32_t i = code->positional_only_count; i < named; i++) {
        if (!string_equal(code->slots[i], keyword->name))
            continue;
        if (slots[i].kind != K_UNBOUND)
            return raise_error(vm, &class_TypeError, "%s() got multiple values for argument '%s'",
                               full_name(code), keyword->name->data);
        slots[i] = keyword->value;
        return true;
    }
    if (!rest)
        return unknown_keyword(vm, code, keyword->name);
    dict_set_text(vm->arena, rest, keyword->name, keyword->value);
    return true;
}

static bool missing_arguments(struct vm *vm, const struct code *code, const struct value *slots,
                              uint32_t from, uint32_t to, const char *kind)
{
    struct buffer names = buffer_new(vm);
    size_t count = 0, seen = 0;
    for (uint32_t i = from; i < to; i++)
        count += slots[i].kind == K_UNBOUND;
    for (uint32_t i = from; i < to; i++) {
        if (slots[i].kind != K_UNBOUND)
            continue;
        if (seen)
            buffer_text(&names, seen + 1 == count ? count > 2 ? ", and " : " and " : ", ");
        buffer_printf(&names, "'%s'", code->slots[i]->data);
        seen++;
    }
    return raise_error(vm, &class_TypeError, "%s() missing %zu required %s argument%s: %.*s",
                       full_name(code), count, kind, count == 1 ? "" : "s", (int)names.len,
                       names.bytes);
}

static bool fill_defaults(struct vm *vm, const struct function *function, struct value *slots)
{
    const struct code *code = function->code;
    uint32_t named = code->positional_count + code->keyword_only_count;
    for (uint32_t i = 0; i < named; i++)
        if (slots[i].kind == K_UNBOUND && function->defaults)
            slots[i] = function->defaults[i];
    for (uint32_t i = 0; i < code->positional_count; i++)
        if (slots[i].kind == K_UNBOUND)
            return missing_arguments(vm, code, slots, 0, code->positional_count, "positional");
    for (uint32_t i = code->positional_count; i < named; i++)
        if (slots[i].kind == K_UNBOUND)
            return missing_arguments(vm, code, slots, code->positional_count, named,
                                     "keyword-only");
    return true;
}

static bool bind_arguments(struct vm *vm, const struct function *function, const struct value *self,
                           const struct args *args, struct value *slots)
{
    const struct code *code = function->code;
    size_t given = total_count(self, args),
           taken = given < code->positional_count ? given : code->positional_count;
    uint32_t next = code->positional_count + code->keyword_only_count;
    for (size_t i = 0; i < taken; i++)
        slots[i] = positional(self, args, i);
    if (given > taken && !code->has_star)
        return too_many(vm, code, args, given);
    if (code->has_star) {
        slots[next] = list_new(vm->arena, K_TUPLE, given - taken);
        for (size_t i = taken; i < given; i++)
            list_push(vm->arena, slots[next].list, positional(self, args, i));
        next++;
    }
    struct dict *rest = NULL;
    if (code->has_double_star) {
        slots[next] = dict_value(vm->arena, K_DICT);
        rest = slots[next].dict;
    }
    for (size_t i = 0; i < args->keyword_count; i++)
        if (!bind_keyword(vm, code, slots, &args->keywords[i], rest))
            return false;
    return fill_defaults(vm, function, slots);
}

/* Variables of calls that nothing outlives stand on a stack of values. */
static bool take_slots(struct vm *vm, size_t count, struct value **ret)
{
    if (vm->stack_used + count > LIMIT_VALUE_STACK)
        return raise_error(vm, &class_RecursionError, "maximum recursion depth exceeded");
    if (!vm->stack)
        vm->stack = arena_array(vm->home, LIMIT_VALUE_STACK, sizeof *vm->stack);
    *ret = vm->stack + vm->stack_used;
    memset(*ret, 0, count * sizeof **ret);
    vm->stack_used += count;
    return true;
}

static bool call_plain(struct vm *vm, struct function *function, const struct value *self,
                       const struct args *args, struct value *ret)
{
    const struct code *code = function->code;
    struct frame frame = { .outer = function->closure, .code = code, .function = function };
    size_t mark = vm->stack_used;
    if (!take_slots(vm, code->slot_count, &frame.slots))
        return false;
    bool is_done = bind_arguments(vm, function, self, args, frame.slots);
    if (is_done && vm->origins)
        origins_note_parameters(vm, &frame, self != NULL);
    is_done = is_done && run_function_body(vm, &frame, ret);
    vm->stack_used = mark;
    return is_done;
}

static bool call_captured(struct vm *vm, struct function *function, const struct value *self,
                          const struct args *args, struct value *ret)
{
    struct frame *frame = frame_new(vm, function->code, function->closure);
    frame->function = function;
    if (!bind_arguments(vm, function, self, args, frame->slots))
        return false;
    if (vm->origins)
        origins_note_parameters(vm, frame, self != NULL);
    if (function->code->is_generator) {
        *ret = generator_new(vm, frame, NULL);
        return true;
    }
    return run_function_body(vm, frame, ret);
}

static bool call_uncached(struct vm *vm, struct function *function, const struct value *self,
                          const struct args *args, struct value *ret)
{
    if (!vm_step(vm) || !vm_enter(vm))
        return false;
    vm->has_run_code = true;
    bool is_done = function->code->is_captured ? call_captured(vm, function, self, args, ret)
                                               : call_plain(vm, function, self, args, ret);
    vm_leave(vm);
    return is_done;
}

static bool call_cached(struct vm *vm, struct function *function, const struct value *self,
                        const struct args *args, struct value *ret)
{
    struct value key = list_new(vm->arena, K_TUPLE, args->count + 1);
    if (self)
        list_push(vm->arena, key.list, *self);
    for (size_t i = 0; i < args->count; i++)
        list_push(vm->arena, key.list, args->items[i]);
    for (size_t i = 0; i < args->keyword_count; i++) {
        list_push(vm->arena, key.list, V_STR(args->keywords[i].name));
        list_push(vm->arena, key.list, args->keywords[i].value);
    }
    if (!dict_get(vm, function->cache, key, ret))
        return false;
    return ret->kind != K_UNBOUND || (call_uncached(vm, function, self, args, ret) &&
                                      dict_set(vm, function->cache, key, *ret));
}

static bool call_function(struct vm *vm, struct function *function, const struct value *self,
                          const struct args *args, struct value *ret)
{
    return function->cache ? call_cached(vm, function, self, args, ret)
                           : call_uncached(vm, function, self, args, ret);
}

/* --- functions written in C --- */

static size_t parse_params(const char *params, struct slice names[MAX_PARAMETERS],
                           size_t *ret_required)
{
    struct slice rest = slice_of(params);
    size_t count = 0;
    *ret_required = SIZE_MAX;
    while (rest.ptr && rest.len) {
        struct slice name = slice_split(&rest, ' ');
        if (slice_is(name, "|"))
            *ret_required = count;
        else if (name.len)
            names[count++] = name;
    }
    if (*ret_required == SIZE_MAX)
        *ret_required = count;
    return count;
}

static bool bind_native_keyword(struct vm *vm, const struct native *native,
                                const struct slice *names, size_t count,
                                const struct keyword *keyword, struct value *slots)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal(names[i], string_slice(keyword->name))) {
            slots[i] = keyword->value;
            return true;
        }
    return raise_error(vm, &class_TypeError, "%s() got an unexpected keyword argument '%s'",
                       native->name, keyword->name->data);
}

/* Python says it in one of three ways, by how many there may be. */
static bool wrong_count(struct vm *vm, const struct native *native, struct value self, size_t given,
                        size_t most, size_t least)
{
    bool is_method = self.kind != K_UNBOUND && most < 2 && native->name[0] != '_';
    const char *type = is_method ? value_type_name(self) : "", *dot = is_method ? "." : "";
    if (most == 0)
        return raise_error(vm, &class_TypeError, "%s%s%s() takes no arguments (%zu given)", type,
                           dot, native->name, given);
    if (most == 1 && least == 1)
        return raise_error(vm, &class_TypeError, "%s%s%s() takes exactly one argument (%zu given)",
                           type, dot, native->name, given);
    size_t bound = given < least ? least : most;
    return raise_error(vm, &class_TypeError, "%s expected %s%zu argument%s, got %zu", native->name,
                       least == most   ? ""
                       : given < least ? "at least "
                                       : "at most ",
                       bound, bound == 1 ? "" : "s", given);
}

/* What a function may have to read of its arguments.  Those of lists and dicts say so themselves, since most
 * of them look at an item or two. */
static size_t bytes_of(struct value v)
{
    return v.kind == K_STR || v.kind == K_BYTES ? v.s->len : 0;
}

bool native_call(struct vm *vm, const struct native *native, struct value self,
                 const struct args *args, struct value *ret)
{
    struct slice names[MAX_PARAMETERS];
    struct value slots[MAX_PARAMETERS] = { V_UNBOUND };
    size_t required, bytes = bytes_of(self);
    for (size_t i = 0; i < args->count; i++)
        bytes += bytes_of(args->items[i]);
    if (!vm_work(vm, bytes))
        return false;
    if (!native->params)
        return native->call(vm, self, args, ret);
    size_t count = parse_params(native->params, names, &required);
    if (args->count > count ||
        (count == 1 && required == 1 && args->count + args->keyword_count == 0))
        return wrong_count(vm, native, self, args->count, count, required);
    for (size_t i = 0; i < args->count; i++)
        slots[i] = args->items[i];
    for (size_t i = 0; i < args->keyword_count; i++)
        if (!bind_native_keyword(vm, native, names, count, &args->keywords[i], slots))
            return false;
    for (size_t i = 0; i < required; i++)
        if (slots[i].kind == K_UNBOUND)
            return wrong_count(vm, native, self, args->count, count, required);
    const struct args bound = { .items = slots, .count = count };
    return native->call(vm, self, &bound, ret);
}

/* --- anything --- */

/* Methods of builtin classes work on what an object of a derived class holds; those that all objects
 * have, on the object. */
static struct value self_of_native(const struct native *native, struct value self)
{
    return native_is_of_object(native) ? self : value_contents(self);
}

/* `str.upper('x')`: the first argument is `self`. */
static bool call_unbound_method(struct vm *vm, const struct bound *bound, const struct args *args,
                                struct value *ret)
{
    const struct class *class = bound->self.class;
    bool fits = false;
    if (args->count == 0)
        return raise_error(vm, &class_TypeError, "unbound method %s.%s() needs an argument",
                           class->name, bound->function.native->name);
    if (!value_is_instance(vm, args->items[0], (struct value){ .kind = K_CLASS, .class = class },
                           &fits))
        return false;
    if (!fits)
        return raise_error(vm, &class_TypeError,
                           "descriptor '%s' for '%s' objects doesn't apply to a '%s' object",
                           bound->function.native->name, class->name,
                           value_type_name(args->items[0]));
    struct args rest = *args;
    rest.items++;
    rest.count--;
    return native_call(vm, bound->function.native,
                       self_of_native(bound->function.native, args->items[0]), &rest, ret);
}

static bool call_bound(struct vm *vm, const struct bound *bound, const struct args *args,
                       struct value *ret)
{
    if (bound->function.kind == K_FUNCTION)
        return call_function(vm, bound->function.function, &bound->self, args, ret);
    if (bound->function.kind == K_NATIVE && bound->self.kind == K_UNBOUND)
        return call_unbound_method(vm, bound, args, ret);
    if (bound->function.kind == K_NATIVE)
        return native_call(vm, bound->function.native,
                           self_of_native(bound->function.native, bound->self), args, ret);
    struct value *items = arena_array(vm->arena, args->count + 1, sizeof *items);
    items[0] = bound->self;
    if (args->count)
        memcpy(items + 1, args->items, args->count * sizeof *items);
    struct args all = *args;
    all.items = items;
    all.count = args->count + 1;
    return value_call(vm, bound->function, &all, ret);
}

static bool has_keyword(const struct args *args, const struct string *name)
{
    for (size_t i = 0; i < args->keyword_count; i++)
        if (string_equal(args->keywords[i].name, name))
            return true;
    return false;
}

static bool call_partial(struct vm *vm, const struct partial *partial, const struct args *args,
                         struct value *ret)
{
    size_t count = partial->args.count + args->count;
    struct value *items = arena_array(vm->arena, count + 1, sizeof *items);
    struct keyword *keywords =
        arena_array(vm->arena, partial->args.keyword_count + args->keyword_count + 1,
                    sizeof *keywords);
    size_t keyword_count = 0;
    for (size_t i = 0; i < count; i++)
        items[i] =
            i < partial->args.count ? partial->args.items[i] : args->items[i - partial->args.count];
    for (size_t i = 0; i < partial->args.keyword_count; i++)
        if (!has_keyword(args, partial->args.keywords[i].name))
            keywords[keyword_count++] = partial->args.keywords[i];
    for (size_t i = 0; i < args->keyword_count; i++)
        keywords[keyword_count++] = args->keywords[i];
    const struct args all = { items, count, keywords, keyword_count };
    return value_call(vm, partial->function, &all, ret);
}

static bool call_type(struct vm *vm, const struct type *type, const struct args *args,
                      struct value *ret)
{
    const struct object *object;
    if (!type_construct(vm, type, args, &object))
        return false;
    *ret = object_value(object);
    return true;
}

static bool call_object(struct vm *vm, const struct object *object, const struct args *args,
                        struct value *ret)
{
    const struct object *copy;
    if (object->type->kind != TYPE_STRUCT)
        return raise_error(vm, &class_TypeError, "'%s' object is not callable", object->type->name);
    if (!object_override(vm, object, args, &copy))
        return false;
    *ret = object_value(copy);
    return true;
}

static bool call_instance(struct vm *vm, struct value v, const struct args *args, struct value *ret)
{
    struct value method = class_find(v.instance->class, string_from(vm->arena, "__call__"));
    if (method.kind != K_FUNCTION)
        return raise_error(vm, &class_TypeError, "'%s' object is not callable", value_type_name(v));
    return value_call(vm, bind_method(vm, v, method), args, ret);
}

static bool call_any(struct vm *vm, struct value callee, const struct args *args, struct value *ret)
{
    switch (callee.kind) {
    case K_BOUND:
        return call_bound(vm, callee.bound, args, ret);
    case K_NATIVE:
        return native_call(vm, callee.native, V_UNBOUND, args, ret);
    case K_CLASS:
        return class_instantiate(vm, callee.class, args, ret);
    case K_TYPE:
        return call_type(vm, callee.type, args, ret);
    case K_OBJECT:
        return call_object(vm, callee.object, args, ret);
    case K_PARTIAL:
        return call_partial(vm, callee.partial, args, ret);
    case K_INSTANCE:
        return call_instance(vm, callee, args, ret);
    case K_MODULE:
        if (callee.module->owner)
            return module_unusable(vm, callee.module, "");
        return raise_error(vm, &class_TypeError, "'module' object is not callable");
    case K_PROPERTY:
        return value_call(vm, callee.property->function, args, ret);
    default:
        return raise_error(vm, &class_TypeError, "'%s' object is not callable",
                           value_type_name(callee));
    }
}

bool value_call(struct vm *vm, struct value callee, const struct args *args, struct value *ret)
{
    if (callee.kind == K_FUNCTION)
        return call_function(vm, callee.function, NULL, args, ret);
    if (!vm_enter(vm))
        return false;
    bool is_done = call_any(vm, callee, args, ret);
    vm_leave(vm);
    return is_done;
}

bool value_call1(struct vm *vm, struct value callee, struct value a, struct value *ret)
{
    const struct args args = { .items = &a, .count = 1 };
    return value_call(vm, callee, &args, ret);
}

bool value_call2(struct vm *vm, struct value callee, struct value a, struct value b,
                 struct value *ret)
{
    struct value items[] = { a, b };
    const struct args args = { .items = items, .count = 2 };
    return value_call(vm, callee, &args, ret);
}

bool value_is_callable(struct value v)
{
    switch (v.kind) {
    case K_FUNCTION:
    case K_NATIVE:
    case K_BOUND:
    case K_CLASS:
    case K_TYPE:
    case K_PARTIAL:
    case K_EMPTY:
        return true;
    case K_OBJECT:
        return v.object->type->kind == TYPE_STRUCT;
    default:
        return false;
    }
}
