#include "config/modules.h"
#include "config/schema.h"
#include "config/template.h"

/* Values of template types in the hands of the configuration: printing, comparing, methods. */

/* --- text --- */

static bool add_text(struct vm *vm, struct buffer *buffer, const struct object *object);

static bool add_struct_text(struct vm *vm, struct buffer *buffer, const struct object *object)
{
    size_t indent = strlen(object->type->name) + 1, count = 0;
    buffer_text(buffer, object->type->name);
    buffer_char(buffer, '(');
    for (size_t i = 0; i < object->type->field_count; i++) {
        if (!object->fields[i])
            continue;
        if (count++) {
            buffer_text(buffer, ",\n");
            buffer_repeat(buffer, " ", indent);
        }
        buffer_printf(buffer, "%s=", object->type->fields[i].name);
        if (!add_text(vm, buffer, object->fields[i]))
            return false;
    }
    buffer_char(buffer, ')');
    return true;
}

static bool add_list_text(struct vm *vm, struct buffer *buffer, const struct object *object)
{
    buffer_text(buffer, object->type->name);
    buffer_char(buffer, '(');
    for (size_t i = 0; i < object->count; i++) {
        if (i)
            buffer_text(buffer, ", ");
        if (!add_text(vm, buffer, object->items[i]))
            return false;
    }
    buffer_char(buffer, ')');
    return true;
}

static bool add_map_text(struct vm *vm, struct buffer *buffer, const struct object *object)
{
    buffer_text(buffer, object->type->name);
    buffer_char(buffer, '(');
    for (size_t i = 0; i < object->count; i++) {
        if (i)
            buffer_text(buffer, ", ");
        if (!add_text(vm, buffer, object->pairs[i].key))
            return false;
        buffer_text(buffer, " => ");
        if (!add_text(vm, buffer, object->pairs[i].value))
            return false;
    }
    buffer_char(buffer, ')');
    return true;
}

/* Fills the object in and writes it. */
static bool add_filled(struct vm *vm, struct buffer *buffer, const struct object *object)
{
    const struct object *filled;
    struct string *text;
    if (!object_interpolate(vm, object, NULL, &filled))
        return false;
    switch (object->type->kind) {
    case TYPE_STRUCT:
        return add_struct_text(vm, buffer, filled);
    case TYPE_LIST:
        return add_list_text(vm, buffer, filled);
    case TYPE_MAP:
        return add_map_text(vm, buffer, filled);
    case TYPE_CHOICE:
        return add_text(vm, buffer, filled);
    default:
        if (!value_str(vm, filled->raw, &text))
            return false;
        buffer_string(buffer, text);
        return true;
    }
}

static bool add_text(struct vm *vm, struct buffer *buffer, const struct object *object)
{
    if (!vm_enter(vm))
        return false;
    bool is_done = add_filled(vm, buffer, object);
    vm_leave(vm);
    return is_done;
}

bool object_text(struct vm *vm, const struct object *object, struct string **ret)
{
    struct buffer buffer = buffer_new(vm);
    return add_text(vm, &buffer, object) && buffer_finish(vm, &buffer, ret);
}

bool object_repr(struct vm *vm, const struct object *object, struct string **ret)
{
    struct string *text;
    if (object->type->kind == TYPE_CHOICE) {
        if (!value_repr(vm, object->raw, &text))
            return false;
    } else if (!object_text(vm, object, &text)) {
        return false;
    }
    bool is_wrapped = type_is_simple(object->type) || object->type->kind == TYPE_CHOICE;
    struct buffer buffer = buffer_new(vm);
    if (is_wrapped) {
        buffer_text(&buffer, object->type->name);
        buffer_char(&buffer, '(');
    }
    buffer_string(&buffer, text);
    if (is_wrapped)
        buffer_char(&buffer, ')');
    return buffer_finish(vm, &buffer, ret);
}

/* --- equality --- */

static bool equal_filled(struct vm *vm, const struct object *a, const struct object *b, bool *ret);

static bool equal_parts(struct vm *vm, const struct object *a, const struct object *b, bool *ret)
{
    *ret = !a == !b;
    return !a || !b || object_equal(vm, a, object_value(b), ret);
}

static bool equal_fields(struct vm *vm, const struct object *a, const struct object *b, bool *ret)
{
    *ret = true;
    for (size_t i = 0; *ret && i < a->type->field_count; i++) {
        size_t other;
        if (!type_field(b->type, slice_of(a->type->fields[i].name), &other)) {
            *ret = false;
            return true;
        }
        if (!equal_parts(vm, a->fields[i], b->fields[other], ret))
            return false;
    }
    return true;
}

static bool equal_items(struct vm *vm, const struct object *a, const struct object *b, bool *ret)
{
    *ret = a->count == b->count;
    for (size_t i = 0; *ret && i < a->count; i++)
        if (!equal_parts(vm, a->items[i], b->items[i], ret))
            return false;
    return true;
}

static bool equal_pairs(struct vm *vm, const struct object *a, const struct object *b, bool *ret)
{
    *ret = a->count == b->count;
    for (size_t i = 0; *ret && i < a->count; i++) {
        if (!equal_parts(vm, a->pairs[i].key, b->pairs[i].key, ret))
            return false;
        if (*ret && !equal_parts(vm, a->pairs[i].value, b->pairs[i].value, ret))
            return false;
    }
    return true;
}

static bool equal_filled(struct vm *vm, const struct object *a, const struct object *b, bool *ret)
{
    switch (a->type->kind) {
    case TYPE_STRUCT:
        return equal_fields(vm, a, b, ret);
    case TYPE_LIST:
        return equal_items(vm, a, b, ret);
    case TYPE_MAP:
        return equal_pairs(vm, a, b, ret);
    default:
        return value_equal(vm, a->raw, b->raw, ret);
    }
}

/* Structs are alike when their fields are, whatever their names. */
static bool comparable(struct vm *vm, const struct type *a, const struct type *b, bool *ret)
{
    struct type renamed = *b;
    if (a->kind == TYPE_STRUCT && b->kind == TYPE_STRUCT)
        renamed.name = a->name;
    return type_equal(vm, a, a == b ? b : &renamed, ret);
}

bool object_equal(struct vm *vm, const struct object *a, struct value b, bool *ret)
{
    const struct object *x, *y;
    *ret = false;
    if (b.kind != K_OBJECT)
        return true;
    if (!comparable(vm, a->type, b.object->type, ret) || !vm_enter(vm))
        return false;
    bool is_done = true;
    if (*ret) {
        is_done = object_interpolate(vm, a, NULL, &x) && object_interpolate(vm, b.object, NULL, &y);
        if (is_done && a->type->kind == TYPE_CHOICE && x->type != y->type)
            is_done = object_equal(vm, x, object_value(y), ret);
        else if (is_done)
            is_done = equal_filled(vm, x, y, ret);
    }
    vm_leave(vm);
    return is_done;
}

bool object_compare(struct vm *vm, enum compare_op op, const struct object *a, struct value b,
                    bool *ret)
{
    const struct object *x, *y;
    struct value answer;
    bool is_same = false;
    if (b.kind == K_OBJECT && !type_equal(vm, a->type, b.object->type, &is_same))
        return false;
    if (!is_same) { /* values of other types are greater */
        *ret = op == CMP_LESS || op == CMP_AT_MOST;
        return true;
    }
    return object_interpolate(vm, a, NULL, &x) && object_interpolate(vm, b.object, NULL, &y) &&
           value_compare(vm, op, x->raw, y->raw, &answer) && value_truth(vm, answer, ret);
}

bool object_hash(struct vm *vm, const struct object *object, uint64_t *ret)
{
    struct value plain;
    return object_get(vm, object, &plain) && value_hash(vm, plain, ret);
}

/* --- containers --- */

static bool fill(struct vm *vm, const struct object *object, const struct object **ret)
{
    return object_interpolate(vm, object, NULL, ret);
}

bool object_iterate(struct vm *vm, const struct object *object, struct value *ret)
{
    const struct object *filled;
    if (object->type->kind != TYPE_LIST && object->type->kind != TYPE_MAP)
        return raise_error(vm, &class_TypeError, "'%s' object is not iterable", object->type->name);
    if (!fill(vm, object, &filled))
        return false;
    *ret = list_new(vm->arena, K_LIST, filled->count);
    for (size_t i = 0; i < filled->count; i++)
        list_push(vm->arena, ret->list,
                  object_value(object->type->kind == TYPE_LIST ? filled->items[i]
                                                               : filled->pairs[i].key));
    return true;
}

static bool find_key(struct vm *vm, const struct object *map, struct value key,
                     const struct object **ret)
{
    const struct object *wanted, *filled;
    *ret = NULL;
    if (!type_convert(vm, map->type->key, key, &wanted) || !fill(vm, map, &filled))
        return false;
    for (size_t i = 0; i < filled->count; i++) {
        bool is_equal;
        if (!object_equal(vm, wanted, object_value(filled->pairs[i].key), &is_equal))
            return false;
        if (is_equal) {
            *ret = filled->pairs[i].value;
            return true;
        }
    }
    return true;
}

bool object_get_item(struct vm *vm, const struct object *object, struct value key,
                     struct value *ret)
{
    const struct object *found;
    struct string *text;
    if (object->type->kind == TYPE_LIST) {
        struct value items;
        if (!object_iterate(vm, object, &items))
            return false;
        items.kind = K_TUPLE;
        return value_get_item(vm, items, key, ret);
    }
    if (object->type->kind != TYPE_MAP)
        return raise_error(vm, &class_TypeError, "'%s' object is not subscriptable",
                           object->type->name);
    if (!find_key(vm, object, key, &found))
        return false;
    if (!found)
        return value_str(vm, key, &text) &&
               raise_key_error(vm, V_STR(string_printf(vm->arena, "%s not found", text->data)));
    *ret = object_value(found);
    return true;
}

bool object_contains(struct vm *vm, const struct object *object, struct value item, bool *ret)
{
    const struct object *found, *filled;
    struct value plain;
    bool is_typed;
    if (object->type->kind == TYPE_MAP) {
        if (!find_key(vm, object, item, &found))
            return false;
        *ret = found != NULL;
        return true;
    }
    if (object->type->kind != TYPE_LIST)
        return raise_error(vm, &class_TypeError, "argument of type '%s' is not iterable",
                           object->type->name);
    if (!type_is_instance(vm, object->type->item, item, &is_typed) || !fill(vm, object, &filled))
        return false;
    if (!is_typed)
        return object_get(vm, filled, &plain) && value_contains(vm, plain, item, ret);
    *ret = false;
    for (size_t i = 0; !*ret && i < filled->count; i++)
        if (!object_equal(vm, filled->items[i], item, ret))
            return false;
    return true;
}

/* --- methods --- */

static bool method_bind(struct vm *vm, struct value self, const struct args *args,
                        struct value *ret)
{
    const struct object *bound;
    if (!object_bind(vm, self.object, args, &bound))
        return false;
    *ret = object_value(bound);
    return true;
}

static bool method_in_scope(struct vm *vm, struct value self, const struct args *args,
                            struct value *ret)
{
    const struct object *object = self.object;
    const struct scopes *added = NULL;
    for (size_t i = 0; i < args->count; i++) {
        struct value v;
        if (!environment_wrap(vm, args->items[i], &v))
            return false;
        added = scopes_join(vm, added, scopes_of_value(vm, v));
    }
    const struct args keywords = { .keywords = args->keywords,
                                   .keyword_count = args->keyword_count };
    const struct object empty = { .type = object->type }, *bound;
    if (!object_bind(vm, &empty, &keywords, &bound))
        return false;
    added = scopes_join(vm, added, bound->scopes);
    *ret = object_value(object_with_scopes(vm, object, scopes_join(vm, object->scopes, added)));
    return true;
}

static bool method_check(struct vm *vm, struct value self, const struct args *args,
                         struct value *ret)
{
    (void)args;
    struct typecheck *check = arena_alloc(vm->arena, sizeof *check);
    if (!object_check(vm, self.object, check))
        return false;
    *ret = (struct value){ .kind = K_TYPECHECK, .typecheck = check };
    return true;
}

static bool method_interpolate(struct vm *vm, struct value self, const struct args *args,
                               struct value *ret)
{
    (void)args;
    struct references references = { 0 };
    const struct object *filled;
    if (!object_interpolate(vm, self.object, &references, &filled))
        return false;
    if (!type_is_simple(self.object->type))
        references_sort(&references);
    struct value list = list_new(vm->arena, K_LIST, references.count);
    for (size_t i = 0; i < references.count; i++)
        list_push(vm->arena, list.list, (struct value){ .kind = K_REF, .s = references.items[i] });
    struct value pair[] = { object_value(filled), list };
    *ret = tuple_of(vm->arena, pair, 2);
    return true;
}

static bool method_get(struct vm *vm, struct value self, const struct args *args, struct value *ret)
{
    (void)args;
    return object_get(vm, self.object, ret);
}

static bool method_copy(struct vm *vm, struct value self, const struct args *args,
                        struct value *ret)
{
    (void)vm;
    (void)args;
    *ret = self;
    return true;
}

static bool method_unwrap(struct vm *vm, struct value self, const struct args *args,
                          struct value *ret)
{
    (void)args;
    const struct object *inner;
    if (!object_unwrap(vm, self.object, &inner))
        return false;
    *ret = object_value(inner);
    return true;
}

static bool method_json_dumps(struct vm *vm, struct value self, const struct args *args,
                              struct value *ret)
{
    (void)args;
    const struct object *filled;
    struct value plain;
    struct string *text;
    if (!fill(vm, self.object, &filled) || !object_get(vm, filled, &plain) ||
        !json_write(vm, plain, &JSON_STYLE_DEFAULT, &text))
        return false;
    *ret = V_STR(text);
    return true;
}

static const struct native METHODS[] = {
    { "bind", method_bind, NULL }, { "in_scope", method_in_scope, NULL },
    { "check", method_check, "" }, { "interpolate", method_interpolate, "" },
    { "get", method_get, "" },     { "copy", method_copy, "" },
    { "dup", method_copy, "" },    { "__copy__", method_copy, "" },
    { NULL, NULL, NULL },
};

static const struct native CHOICE_METHODS[] = {
    { "unwrap", method_unwrap, "" },
    { NULL, NULL, NULL },
};

static const struct native STRUCT_METHODS[] = {
    { "json_dumps", method_json_dumps, "" },
    { NULL, NULL, NULL },
};

/* `value.field()` and `value.has_field()`; the name stands behind the value. */
static bool call_accessor(struct vm *vm, struct value self, const struct args *args,
                          struct value *ret)
{
    (void)self;
    const struct object *field;
    if (!object_field(vm, args->items[0].object, args->items[1].s->data, &field))
        return false;
    *ret = object_value(field);
    return true;
}

static bool call_has(struct vm *vm, struct value self, const struct args *args, struct value *ret)
{
    (void)vm;
    (void)self;
    *ret = V_BOOL(object_has(args->items[0].object, args->items[1].s->data));
    return true;
}

static const struct native ACCESSOR = { "accessor", call_accessor, "value name" };
static const struct native HAS = { "has", call_has, "value name" };

static struct value accessor(struct vm *vm, const struct object *object,
                             const struct native *native, struct slice name)
{
    struct partial *partial = arena_alloc(vm->arena, sizeof *partial);
    struct value *items = arena_array(vm->arena, 2, sizeof *items);
    items[0] = object_value(object);
    items[1] = V_STR(string_new(vm->arena, name.ptr, name.len));
    partial->function = (struct value){ .kind = K_NATIVE, .native = native };
    partial->args = (struct args){ .items = items, .count = 2 };
    return (struct value){ .kind = K_PARTIAL, .partial = partial };
}

bool object_find_attribute(struct vm *vm, const struct object *object, struct string *name,
                           struct value *ret)
{
    const struct type *type = object->type;
    struct slice text = string_slice(name);
    size_t index;
    if (native_find(METHODS, name, ret) ||
        (type->kind == TYPE_CHOICE && native_find(CHOICE_METHODS, name, ret)) ||
        (type->kind == TYPE_STRUCT && native_find(STRUCT_METHODS, name, ret))) {
        *ret = bind_method(vm, object_value(object), *ret);
        return true;
    }
    *ret = V_UNBOUND;
    if (type->kind == TYPE_STRUCT && slice_starts_with(text, SLICE("has_"))) {
        struct slice field = { text.ptr + 4, text.len - 4 };
        if (type_field(type, field, &index)) {
            *ret = accessor(vm, object, &HAS, field);
            return true;
        }
    }
    if (type->kind == TYPE_STRUCT && type_field(type, text, &index))
        *ret = accessor(vm, object, &ACCESSOR, text);
    else if (string_is(name, "__class__"))
        *ret = type_value(type);
    return true;
}
