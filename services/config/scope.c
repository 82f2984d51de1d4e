#include "config/template.h"

#include "config/number_text.h"

/* Scopes form a tree that is shared between values: joining two is one node.  The order in which a
 * look-up visits it is the order of strength. */

enum scope_kind {
    SCOPE_JOIN,   /* `a`, then `b` */
    SCOPE_OBJECT, /* the parts of a bound struct, list or map */
    SCOPE_ENVIRONMENT,
    SCOPE_FIELDS, /* a struct's own fields, also as `self` */
    SCOPE_SUPER,  /* `a` under the name `super` */
};

struct scopes {
    enum scope_kind kind;
    const struct scopes *a, *b;
    const struct object *object;
    const struct environment *environment;
};

static const struct scopes *scope_new(struct vm *vm, struct scopes scope)
{
    struct scopes *copy = arena_alloc(vm->arena, sizeof *copy);
    *copy = scope;
    return copy;
}

const struct scopes *scopes_join(struct vm *vm, const struct scopes *first,
                                 const struct scopes *second)
{
    if (!first || !second)
        return first ? first : second;
    return scope_new(vm, (struct scopes){ .kind = SCOPE_JOIN, .a = first, .b = second });
}

static bool is_namable(const struct object *object)
{
    enum type_kind kind = object->type->kind;
    return kind == TYPE_STRUCT || kind == TYPE_LIST || kind == TYPE_MAP;
}

const struct scopes *scopes_of_value(struct vm *vm, struct value namable)
{
    if (namable.kind == K_ENVIRONMENT)
        return scope_new(vm, (struct scopes){ .kind = SCOPE_ENVIRONMENT,
                                              .environment = namable.environment });
    if (namable.kind == K_OBJECT && is_namable(namable.object))
        return scope_new(vm, (struct scopes){ .kind = SCOPE_OBJECT, .object = namable.object });
    return NULL;
}

const struct scopes *scopes_of_object(struct vm *vm, const struct object *object)
{
    if (object->type->kind != TYPE_STRUCT)
        return object->scopes;
    const struct scopes *own =
        scope_new(vm, (struct scopes){ .kind = SCOPE_FIELDS, .object = object });
    if (!object->scopes)
        return own;
    const struct scopes *super =
        scope_new(vm, (struct scopes){ .kind = SCOPE_SUPER, .a = object->scopes });
    return scopes_join(vm, own, scopes_join(vm, object->scopes, super));
}

/* --- looking into one value --- */

static bool find_in_object(struct vm *vm, const struct object *object, struct slice reference,
                           struct value *ret);

/* A part of `container` was found: the result, or where to look further. */
static bool go_on(struct vm *vm, const struct object *container, const struct object *part,
                  struct slice rest, struct value *ret)
{
    if (rest.len && !is_namable(part)) {
        *ret = V_UNBOUND;
        return true;
    }
    const struct object *scoped = object_in_scope(vm, part, scopes_of_object(vm, container));
    *ret = object_value(scoped);
    return rest.len == 0 || find_in_object(vm, scoped, rest, ret);
}

static bool find_in_list(struct vm *vm, const struct object *list, struct slice index,
                         struct slice rest, struct value *ret)
{
    struct value number;
    *ret = V_UNBOUND;
    if (!integer_parse_text(vm->arena, index, 10, &number) || number.kind != K_INT ||
        number.i >= (int64_t)list->count)
        return true;
    if (number.i < 0)
        number.i += (int64_t)list->count;
    if (number.i < 0)
        return raise_error(vm, &class_IndexError, "tuple index out of range");
    return go_on(vm, list, list->items[number.i], rest, ret);
}

static bool find_in_map(struct vm *vm, const struct object *map, struct slice index,
                        struct slice rest, struct value *ret)
{
    const struct object *key;
    *ret = V_UNBOUND;
    if (!type_construct1(vm, map->type->key, V_STR(string_new(vm->arena, index.ptr, index.len)),
                         &key))
        return false;
    if (map->index && key->raw.kind == K_STR && key->is_final) {
        struct value at = dict_get_text(map->index, key->raw.s);
        return at.kind != K_INT || go_on(vm, map, map->pairs[at.i].value, rest, ret);
    }
    for (size_t i = 0; i < map->count; i++) {
        bool is_equal;
        if (!object_equal(vm, key, object_value(map->pairs[i].key), &is_equal))
            return false;
        if (is_equal)
            return go_on(vm, map, map->pairs[i].value, rest, ret);
    }
    return true;
}

static bool find_in_object(struct vm *vm, const struct object *object, struct slice reference,
                           struct value *ret)
{
    bool is_index;
    struct slice rest, first = reference_first(reference, &is_index, &rest);
    *ret = V_UNBOUND;
    if (!vm_step(vm) || !vm_check_stack(vm))
        return false;
    if (object->type->kind == TYPE_STRUCT) {
        size_t index;
        if (is_index || !type_field(object->type, first, &index) || !object->fields[index])
            return true;
        return go_on(vm, object, object->fields[index], rest, ret);
    }
    if (!is_index)
        return true;
    return object->type->kind == TYPE_LIST ? find_in_list(vm, object, first, rest, ret)
                                           : find_in_map(vm, object, first, rest, ret);
}

/* --- looking into scopes --- */

/* The longest key that is a prefix, is shorter than `limit` and holds something that can be searched. */
static const struct binding *find_prefix(struct vm *vm, const struct environment *environment,
                                         struct slice reference, size_t limit)
{
    while (limit-- > 1) {
        if (reference.ptr[limit] != '.' && reference.ptr[limit] != '[')
            continue;
        const struct binding *binding =
            environment_find(vm, environment, (struct slice){ reference.ptr, limit });
        if (binding && binding->value.kind == K_OBJECT && is_namable(binding->value.object))
            return binding;
    }
    return NULL;
}

static bool find_in_environment(struct vm *vm, const struct environment *environment,
                                struct slice reference, struct value *ret)
{
    const struct binding *binding = environment_find(vm, environment, reference);
    struct slice rest;
    if (binding) {
        *ret = binding->value;
        return true;
    }
    *ret = V_UNBOUND;
    for (size_t limit = reference.len; (binding = find_prefix(vm, environment, reference, limit));
         limit = binding->reference->len) {
        if (!reference_behind(reference, string_slice(binding->reference), &rest) ||
            !find_in_object(vm, binding->value.object, rest, ret))
            return false;
        if (ret->kind != K_UNBOUND)
            return true;
    }
    return true;
}

static bool find_in_own_fields(struct vm *vm, const struct object *object, struct slice reference,
                               struct value *ret)
{
    bool is_index;
    size_t index;
    struct slice rest, first = reference_first(reference, &is_index, &rest);
    *ret = V_UNBOUND;
    if (is_index || !type_field(object->type, first, &index) || !object->fields[index])
        return true;
    const struct object *field = object->fields[index];
    if (rest.len == 0) {
        *ret = object_value(field);
        return true;
    }
    return !is_namable(field) || find_in_object(vm, field, rest, ret);
}

static bool find_in_fields(struct vm *vm, const struct object *object, struct slice reference,
                           struct value *ret)
{
    bool is_index;
    struct slice rest, first = reference_first(reference, &is_index, &rest);
    *ret = V_UNBOUND;
    if (!is_index && slice_is(first, "self") && rest.len &&
        (!find_in_own_fields(vm, object, rest, ret) || ret->kind != K_UNBOUND))
        return ret->kind != K_UNBOUND;
    return find_in_own_fields(vm, object, reference, ret);
}

static bool find_in_super(struct vm *vm, const struct scopes *inner, struct slice reference,
                          struct value *ret)
{
    bool is_index;
    struct slice rest, first = reference_first(reference, &is_index, &rest);
    *ret = V_UNBOUND;
    if (is_index || !slice_is(first, "super") || rest.len == 0)
        return true;
    return scopes_find(vm, inner, rest, ret);
}

static bool find_in_one(struct vm *vm, const struct scopes *scope, struct slice reference,
                        struct value *ret)
{
    switch (scope->kind) {
    case SCOPE_OBJECT:
        return find_in_object(vm, scope->object, reference, ret);
    case SCOPE_ENVIRONMENT:
        return find_in_environment(vm, scope->environment, reference, ret);
    case SCOPE_FIELDS:
        return find_in_fields(vm, scope->object, reference, ret);
    case SCOPE_SUPER:
        return find_in_super(vm, scope->a, reference, ret);
    case SCOPE_JOIN:
        break;
    }
    return scopes_find(vm, scope, reference, ret);
}

bool scopes_find(struct vm *vm, const struct scopes *scopes, struct slice reference,
                 struct value *ret)
{
    *ret = V_UNBOUND;
    if (!vm_check_stack(vm))
        return false;
    for (; scopes && scopes->kind == SCOPE_JOIN; scopes = scopes->b) {
        if (!vm_step(vm) || !find_in_one(vm, scopes->a, reference, ret))
            return false;
        if (ret->kind != K_UNBOUND)
            return true;
    }
    return !scopes || find_in_one(vm, scopes, reference, ret);
}
