#include "config/origin.h"

#include "config/template.h"

/* A table from addresses to origins, which grows by doubling; everything lives as long as the
 * compilation. */

struct slot {
    const void *key;
    struct origin origin;
};

struct origins {
    struct slot *slots;
    size_t count, capacity; /* a power of two */
    struct span call;       /* under way */
    struct expression caller;
    uint64_t time;
    size_t definition_count;
    struct dict *globals; /* to definitions, by name */
};

#define MAX_DEFINITIONS 200000 /* of those behind nothing is known */

#define FIRST_CAPACITY 256

struct origins *origins_new(struct vm *vm)
{
    struct origins *origins = arena_alloc(vm->home, sizeof *origins);
    origins->capacity = FIRST_CAPACITY;
    origins->slots = arena_array(vm->home, FIRST_CAPACITY, sizeof *origins->slots);
    origins->globals = dict_new(vm->home);
    return origins;
}

static struct slot *find(const struct origins *origins, const void *key)
{
    uint64_t hash = (uint64_t)(uintptr_t)key * 0x9e3779b97f4a7c15u;
    size_t mask = origins->capacity - 1, at = (size_t)(hash >> 32) & mask;
    while (origins->slots[at].key && origins->slots[at].key != key)
        at = (at + 1) & mask;
    return &origins->slots[at];
}

static void grow(struct vm *vm, struct origins *origins)
{
    struct origins larger = { .capacity = origins->capacity * 2 };
    larger.slots = arena_array(vm->home, larger.capacity, sizeof *larger.slots);
    for (size_t i = 0; i < origins->capacity; i++)
        if (origins->slots[i].key)
            *find(&larger, origins->slots[i].key) = origins->slots[i];
    origins->slots = larger.slots;
    origins->capacity = larger.capacity;
}

/* What is known already stays. */
static struct origin *note(struct vm *vm, const void *key, struct origin origin)
{
    struct origins *origins = vm->origins;
    if (origins->count * 2 >= origins->capacity)
        grow(vm, origins);
    struct slot *slot = find(origins, key);
    if (!slot->key) {
        *slot = (struct slot){ key, origin };
        origins->count++;
    }
    return &slot->origin;
}

static const struct origin *get(const struct vm *vm, const void *key)
{
    const struct slot *slot = find(vm->origins, key);
    return slot->key ? &slot->origin : NULL;
}

/* A field's key is inside of the array, where nothing else begins. */
static const void *field_key(const void *fields, size_t index)
{
    return (const char *)fields + index * sizeof(void *) + 1;
}

static struct span span_of(const struct frame *frame, const struct node *node)
{
    return (struct span){ frame->code->source, node->start, node->end };
}

/* --- definitions --- */

static struct expression expression_at(struct vm *vm, const struct frame *frame,
                                       const struct node *node)
{
    /* Frames may stand on the machine's stack: all that names in it may mean are copied. */
    struct frame *first = NULL, **at = &first;
    for (; frame; frame = frame->outer, at = &(*at)->outer) {
        *at = arena_alloc(vm->home, sizeof **at);
        **at = *frame;
    }
    return (struct expression){ node, first, ++vm->origins->time };
}

static struct value *slot_of(const struct frame *frame, const struct node *name)
{
    if (name->hops < 0)
        return NULL;
    for (int32_t hops = name->hops; hops > 0; hops--)
        frame = frame->outer;
    return &frame->slots[name->slot];
}

static void define(struct vm *vm, const void *key, struct string *global, struct definition value)
{
    struct definition *definition = arena_alloc(vm->home, sizeof *definition);
    *definition = value;
    if (key) {
        struct origin *origin = note(vm, key, (struct origin){ 0 });
        definition->older = origin->latest;
        origin->latest = definition;
        return;
    }
    struct value known = dict_get_text(vm->origins->globals, global);
    definition->older = known.kind == K_NODE ? (struct definition *)(uintptr_t)known.p : NULL;
    dict_set_text(vm->home, vm->origins->globals, global,
                  (struct value){ .kind = K_NODE, .p = definition });
}

static bool has_room(struct vm *vm)
{
    return vm->origins->definition_count++ < MAX_DEFINITIONS;
}

void origins_note_target(struct vm *vm, const struct frame *frame, const struct node *target,
                         const struct frame *of, const struct node *value, const char *how)
{
    bool is_same_shape =
        value && (value->kind == N_TUPLE || value->kind == N_LIST) && value->count == target->count;
    if (target->kind == N_NAME && value && has_room(vm))
        define(vm, slot_of(frame, target), target->value.s,
               (struct definition){ .value = expression_at(vm, of, value), .how = how });
    for (uint32_t i = 0; (target->kind == N_TUPLE || target->kind == N_LIST) && i < target->count;
         i++)
        origins_note_target(vm, frame, target->items[i], of,
                            is_same_shape ? value->items[i] : value, how);
    if (target->kind == N_STARRED)
        origins_note_target(vm, frame, target->a, of, value, how);
}

void origins_note_added(struct vm *vm, const struct frame *frame, const struct node *target,
                        const struct node *value)
{
    if (target->kind == N_NAME && has_room(vm))
        define(vm, slot_of(frame, target), target->value.s,
               (struct definition){ .value = expression_at(vm, frame, value),
                                    .how = "is added to here",
                                    .is_added = true });
}

static const struct node *argument_for(const struct node *call, const struct string *name,
                                       uint32_t position, uint32_t shift)
{
    uint32_t index = position - shift;
    for (uint32_t i = 0; i < call->count; i++) {
        const struct node *item = call->items[i];
        if (item->kind == N_KEYWORD && string_equal(item->value.s, name))
            return item->a;
        if (item->kind == N_STARRED || item->kind == N_DOUBLE_STARRED)
            return NULL; /* it may be in there */
        if (i == index && position >= shift && item->kind != N_KEYWORD)
            return item;
    }
    return NULL;
}

void origins_note_parameters(struct vm *vm, const struct frame *callee, uint32_t shift)
{
    const struct code *code = callee->code;
    struct expression caller = vm->origins->caller;
    uint32_t named = code->positional_count + code->keyword_only_count;
    for (uint32_t i = shift; caller.node && i < named && has_room(vm); i++) {
        const struct node *given = argument_for(caller.node, code->slots[i], i, shift);
        const struct frame *frame = given ? caller.frame : callee->function->closure;
        const struct node *value = given ? given : code->defaults[i];
        if (value && frame)
            define(vm, &callee->slots[i], NULL,
                   (struct definition){ .value = expression_at(vm, frame, value),
                                        .how = given ? "is given here" : "has this default" });
    }
}

void origins_note_return(struct vm *vm, const struct frame *callee, const struct node *value)
{
    if (vm->origins->caller.node && has_room(vm))
        define(vm, vm->origins->caller.node, NULL,
               (struct definition){ .value = expression_at(vm, callee, value) });
}

struct expression origins_set_caller(struct vm *vm, const struct frame *frame,
                                     const struct node *call)
{
    struct expression before = vm->origins->caller;
    vm->origins->caller = call && vm->origins->definition_count < MAX_DEFINITIONS
                              ? expression_at(vm, frame, call)
                              : (struct expression){ 0 };
    return before;
}

void origins_put_caller(struct vm *vm, struct expression caller)
{
    vm->origins->caller = caller;
}

const struct definition *origins_definition(const struct vm *vm, struct expression of)
{
    const void *key = of.node->kind == N_NAME ? (const void *)slot_of(of.frame, of.node) : of.node;
    const struct definition *definition = NULL;
    if (key) {
        const struct origin *origin = get(vm, key);
        definition = origin ? origin->latest : NULL;
    } else {
        struct value known = dict_get_text(vm->origins->globals, of.node->value.s);
        definition = known.kind == K_NODE ? known.p : NULL;
    }
    while (definition && definition->value.time > of.time)
        definition = definition->older;
    return definition;
}

/* --- values --- */

void origins_note_value(struct vm *vm, const struct frame *frame, const struct node *node,
                        struct value v)
{
    if (v.kind == K_STR && v.s->len)
        note(vm, v.s, (struct origin){ .at = span_of(frame, node) });
}

void origins_note_call(struct vm *vm, const struct frame *frame, const struct node *call)
{
    vm->origins->call = span_of(frame, call);
}

void origins_note_made(struct vm *vm, const struct string *text)
{
    note(vm, text, (struct origin){ .at = vm->origins->call });
}

void origins_note_struct(struct vm *vm, const struct frame *frame, const struct node *call,
                         struct value v)
{
    if (v.kind != K_OBJECT || v.object->type->kind != TYPE_STRUCT)
        return;
    const void *fields = v.object->fields;
    struct origin *origin = note(vm, fields, (struct origin){ 0 });
    if (origin->at.source)
        return; /* an inner call made it */
    origin->at = span_of(frame, call);
    for (uint32_t i = 0; i < call->count; i++) {
        const struct node *argument = call->items[i];
        size_t index;
        if (argument->kind == N_KEYWORD &&
            type_field(v.object->type, string_slice(argument->value.s), &index))
            note(vm, field_key(fields, index),
                 (struct origin){ .at = span_of(frame, argument->a),
                                  .from = expression_at(vm, frame, argument->a) });
    }
}

void origins_note_copy(struct vm *vm, const struct object *copy, const struct object *from)
{
    note(vm, copy->fields, (struct origin){ .base = from->fields });
}

void origins_note_text(struct vm *vm, const struct string *text, const char *what)
{
    note(vm, text, (struct origin){ .what = what });
}

const struct origin *origins_of_text(const struct vm *vm, const struct string *text)
{
    return get(vm, text);
}

const struct origin *origins_of_struct(const struct vm *vm, const void *fields)
{
    return get(vm, fields);
}

const struct origin *origins_of_field(const struct vm *vm, const void *fields, size_t index)
{
    return get(vm, field_key(fields, index));
}
