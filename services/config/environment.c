#include "config/origin.h"
#include "config/template.h"

/* Tables from references to texts and values.  Tables in tables become longer references. */

struct environment *environment_new(struct vm *vm)
{
    return arena_alloc(vm->arena, sizeof(struct environment));
}

#define FEW 8 /* are looked at one by one */

static void index_last(struct vm *vm, struct environment *environment)
{
    size_t first = environment->count - 1;
    if (environment->count <= FEW)
        return;
    if (!environment->index) {
        environment->index = dict_new(vm->arena);
        first = 0;
    }
    for (size_t i = first; i < environment->count; i++)
        dict_set_text(vm->arena, environment->index, environment->items[i].reference,
                      V_INT((int64_t)i));
}

const struct binding *environment_find(struct vm *vm, const struct environment *environment,
                                       struct slice reference)
{
    if (environment->index) {
        struct string *key = string_new(vm->arena, reference.ptr, reference.len);
        struct value at = dict_get_text(environment->index, key);
        return at.kind == K_INT ? &environment->items[at.i] : NULL;
    }
    for (size_t i = 0; i < environment->count; i++)
        if (slice_equal(string_slice(environment->items[i].reference), reference))
            return &environment->items[i];
    return NULL;
}

void environment_put(struct vm *vm, struct environment *environment, struct string *reference,
                     struct value v)
{
    struct binding *known =
        (struct binding *)environment_find(vm, environment, string_slice(reference));
    if (known) {
        known->value = v;
        return;
    }
    if (environment->count == environment->capacity) {
        size_t capacity = environment->capacity ? environment->capacity * 2 : 4;
        environment->items = arena_grow(vm->arena, environment->items,
                                        environment->capacity * sizeof *environment->items,
                                        capacity * sizeof *environment->items);
        environment->capacity = capacity;
    }
    environment->items[environment->count++] = (struct binding){ reference, v };
    index_last(vm, environment);
}

bool environment_wrap(struct vm *vm, struct value v, struct value *ret)
{
    struct string *text;
    v = value_contents(v);
    if (v.kind == K_DICT || v.kind == K_FROZENDICT) {
        struct environment *environment = environment_new(vm);
        if (!vm_enter(vm))
            return false;
        bool is_done = environment_add(vm, environment, v);
        vm_leave(vm);
        *ret = (struct value){ .kind = K_ENVIRONMENT, .environment = environment };
        return is_done;
    }
    if (v.kind == K_ENVIRONMENT || v.kind == K_OBJECT) {
        *ret = v;
        return true;
    }
    if (!value_is_number(v) && v.kind != K_STR)
        return raise_library(
            vm, &class_ValueError, ERROR_TYPE,
            "Environment values must be strings, numbers, Objects or other Environments. Got "
            "<class '%s'> instead.",
            value_type_name(v));
    if (!value_str(vm, v, &text))
        return false;
    if (vm->origins)
        origins_note_made(vm, text);
    *ret = V_STR(text);
    return true;
}

static bool add_entry(struct vm *vm, struct environment *environment, struct value key,
                      struct value v)
{
    struct string *reference;
    if (!vm_step(vm) || !environment_wrap(vm, v, &v) || !reference_wrap(vm, key, &reference))
        return false;
    if (v.kind != K_ENVIRONMENT) {
        environment_put(vm, environment, reference, v);
        return true;
    }
    for (size_t i = 0; i < v.environment->count; i++) {
        const struct binding *binding = &v.environment->items[i];
        struct string *joined =
            string_printf(vm->arena, "%s%s", reference->data, binding->reference->data);
        environment_put(vm, environment, joined, binding->value);
    }
    return true;
}

bool environment_add(struct vm *vm, struct environment *environment, struct value source)
{
    struct string *text;
    source = value_as(source, K_DICT);
    if (source.kind == K_ENVIRONMENT) {
        for (size_t i = 0; i < source.environment->count; i++)
            environment_put(vm, environment, source.environment->items[i].reference,
                            source.environment->items[i].value);
        return true;
    }
    if (source.kind == K_DICT || source.kind == K_FROZENDICT) {
        size_t cursor = 0;
        for (struct dict_entry *entry; (entry = dict_next(source.dict, &cursor));)
            if (!add_entry(vm, environment, entry->key, entry->value))
                return false;
        return true;
    }
    if (!value_repr(vm, source, &text))
        return false;
    return raise_library(vm, &class_ValueError, ERROR_TYPE,
                         "Environment expects dict or Environment, got %s", text->data);
}
