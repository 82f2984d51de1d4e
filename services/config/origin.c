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
};

#define FIRST_CAPACITY 256

struct origins *origins_new(struct vm *vm)
{
    struct origins *origins = arena_alloc(vm->home, sizeof *origins);
    origins->capacity = FIRST_CAPACITY;
    origins->slots = arena_array(vm->home, FIRST_CAPACITY, sizeof *origins->slots);
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
                 (struct origin){ .at = span_of(frame, argument->a) });
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
