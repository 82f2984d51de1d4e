#include "config/integer.h"
#include "config/number_text.h"
#include "config/origin.h"
#include "config/schema.h"
#include "config/template.h"

#include <math.h>

/* Making values of types, and what is asked of them. */

const struct type type_String = { .kind = TYPE_STRING, .name = "String" };
const struct type type_Integer = { .kind = TYPE_INTEGER, .name = "Integer" };
const struct type type_Float = { .kind = TYPE_FLOAT, .name = "Float" };
const struct type type_Boolean = { .kind = TYPE_BOOLEAN, .name = "Boolean" };
const struct type type_Struct = { .kind = TYPE_BASE, .name = "Struct" };

/* --- types --- */

const struct field *type_field(const struct type *type, struct slice name, size_t *ret_index)
{
    for (size_t i = 0; i < type->field_count; i++)
        if (slice_is(name, type->fields[i].name)) {
            *ret_index = i;
            return &type->fields[i];
        }
    return NULL;
}

static bool same_fallback(struct vm *vm, const struct type *a, const struct type *b, size_t index,
                          size_t other, bool *ret)
{
    const struct object *x, *y;
    struct value left, right;
    if (!schema_fallback(vm, a, index, &x) || !schema_fallback(vm, b, other, &y))
        return false;
    *ret = !x == !y;
    if (!x || !y)
        return true;
    return object_get(vm, x, &left) && object_get(vm, y, &right) &&
           value_equal(vm, left, right, ret);
}

static bool equal_structs(struct vm *vm, const struct type *a, const struct type *b, bool *ret)
{
    *ret = a->field_count == b->field_count;
    for (size_t i = 0; *ret && i < a->field_count; i++) {
        size_t other;
        const struct field *field = &a->fields[i],
                           *twin = type_field(b, slice_of(field->name), &other);
        *ret = twin && twin->is_required == field->is_required;
        if (*ret && !type_equal(vm, field->type, twin->type, ret))
            return false;
        if (*ret && !same_fallback(vm, a, b, i, other, ret))
            return false;
    }
    return true;
}

static bool equal_parameters(struct vm *vm, const struct type *a, const struct type *b, bool *ret)
{
    switch (a->kind) {
    case TYPE_STRUCT:
        return equal_structs(vm, a, b, ret);
    case TYPE_MAP:
        if (!type_equal(vm, a->key, b->key, ret))
            return false;
        return !*ret || type_equal(vm, a->item, b->item, ret);
    case TYPE_LIST:
        return type_equal(vm, a->item, b->item, ret);
    case TYPE_CHOICE:
        *ret = a->choice_count == b->choice_count;
        for (size_t i = 0; *ret && i < a->choice_count; i++)
            if (!type_equal(vm, a->choices[i], b->choices[i], ret))
                return false;
        return true;
    case TYPE_ENUM:
        *ret = a->name_count == b->name_count;
        for (size_t i = 0; *ret && i < a->name_count; i++)
            *ret = strcmp(a->names[i], b->names[i]) == 0;
        return true;
    default:
        *ret = true;
        return true;
    }
}

bool type_equal(struct vm *vm, const struct type *a, const struct type *b, bool *ret)
{
    *ret = a == b;
    if (*ret || a->kind != b->kind || strcmp(a->name, b->name) != 0)
        return true;
    if (!vm_enter(vm))
        return false;
    bool is_done = equal_parameters(vm, a, b, ret);
    vm_leave(vm);
    return is_done;
}

bool type_is_instance(struct vm *vm, const struct type *type, struct value v, bool *ret)
{
    *ret = false;
    if (v.kind != K_OBJECT)
        return true;
    if (type->kind == TYPE_BASE) {
        *ret = v.object->type->kind == TYPE_STRUCT;
        return true;
    }
    return type_equal(vm, v.object->type, type, ret);
}

/* --- construction --- */

static bool construct_enum(struct vm *vm, const struct type *type, struct value v)
{
    struct object text = { .type = &type_String, .raw = v };
    const struct object *filled;
    struct references references = { 0 };
    if (!object_interpolate(vm, &text, &references, &filled))
        return false;
    if (references.count)
        return true;
    for (size_t i = 0; v.kind == K_STR && i < type->name_count; i++)
        if (string_is(v.s, type->names[i]))
            return true;
    struct buffer names = buffer_new(vm);
    for (size_t i = 0; i < type->name_count; i++)
        buffer_printf(&names, "%s%s", i ? ", " : "", type->names[i]);
    return raise_library(vm, &class_ValueError, ERROR_TYPE,
                         "%s only accepts the following values: %.*s", type->name, (int)names.len,
                         names.bytes);
}

static bool construct_list(struct vm *vm, const struct type *type, struct value v,
                           struct object *object)
{
    struct value items;
    struct string *text;
    if (v.kind != K_LIST && v.kind != K_TUPLE && v.kind != K_RANGE) {
        if (!value_repr(vm, v, &text))
            return false;
        raise_library(vm, &class_ValueError, ERROR_TYPE,
                      "ListContainer expects an iterable, got %s", text->data);
        return hint(vm, "a list is wanted: [value, …]");
    }
    if (!value_to_list(vm, v, K_LIST, &items))
        return false;
    object->count = items.list->count;
    const struct object **made = arena_array(vm->arena, object->count, sizeof *made);
    for (size_t i = 0; i < object->count; i++)
        if (!type_convert(vm, type->item, items.list->items[i], &made[i]))
            return false;
    object->items = made;
    return true;
}

static bool make_pair(struct vm *vm, const struct type *type, struct value key, struct value v,
                      struct pair *ret)
{
    return type_convert(vm, type->key, key, &ret->key) &&
           type_convert(vm, type->item, v, &ret->value);
}

static bool is_mapping(struct value v)
{
    return v.kind == K_DICT || v.kind == K_FROZENDICT;
}

#define FEW_PAIRS 8 /* are looked at one by one */

void object_index_pairs(struct vm *vm, struct object *object)
{
    object->index = NULL;
    if (object->count <= FEW_PAIRS)
        return;
    struct dict *index = dict_new(vm->arena);
    for (size_t i = 0; i < object->count; i++) {
        const struct object *key = object->pairs[i].key;
        if (key->raw.kind != K_STR || !key->is_final)
            return;
        if (dict_get_text(index, key->raw.s).kind == K_UNBOUND)
            dict_set_text(vm->arena, index, key->raw.s, V_INT((int64_t)i));
    }
    object->index = index;
}

static bool map_from_dict(struct vm *vm, const struct type *type, const struct dict *dict,
                          struct object *object)
{
    size_t cursor = 0, room = dict->count;
    struct pair *pairs = arena_array(vm->arena, room, sizeof *pairs);
    /* Comparing types may run code of the configuration, which can add entries. */
    for (struct dict_entry *entry; object->count < room && (entry = dict_next(dict, &cursor));)
        if (!make_pair(vm, type, entry->key, entry->value, &pairs[object->count++]))
            return false;
    object->pairs = pairs;
    object_index_pairs(vm, object);
    return true;
}

static bool construct_map(struct vm *vm, const struct type *type, const struct args *args,
                          struct object *object)
{
    struct value first = args->count == 1 ? value_as(args->items[0], K_DICT) : V_UNBOUND;
    if (is_mapping(first))
        return map_from_dict(vm, type, first.dict, object);
    struct pair *pairs = arena_array(vm->arena, args->count, sizeof *pairs);
    for (size_t i = 0; i < args->count; i++) {
        struct value v = args->items[i], items;
        size_t length = 0;
        struct string *text;
        if (v.kind == K_LIST || v.kind == K_TUPLE || v.kind == K_STR)
            if (!value_length(vm, v, &length) || !value_to_list(vm, v, K_LIST, &items))
                return false;
        if (length != 2) {
            if (!value_repr(vm, tuple_of(vm->arena, args->items, args->count), &text))
                return false;
            return raise_library(vm, &class_ValueError, ERROR_TYPE,
                                 "Unexpected input to MapContainer: %s", text->data);
        }
        if (!make_pair(vm, type, items.list->items[0], items.list->items[1], &pairs[i]))
            return false;
    }
    object->pairs = pairs;
    object->count = args->count;
    object_index_pairs(vm, object);
    return true;
}

#define FEW_FIELDS 12 /* are told when no name is near */

bool object_hint_field(struct vm *vm, const struct type *type, struct slice name)
{
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < type->field_count; i++)
        suggest(name, type->fields[i].name, &best, &nearest);
    if (nearest)
        return hint(vm, "did you mean '%s'?", nearest);
    if (type->field_count == 0 || type->field_count > FEW_FIELDS)
        return false;
    struct buffer names = buffer_new(vm);
    for (size_t i = 0; i < type->field_count; i++)
        buffer_printf(&names, "%s%s", i ? ", " : "", type->fields[i].name);
    return hint(vm, "%s has %.*s", type->name, (int)names.len, names.bytes);
}

static bool unknown_attribute(struct vm *vm, const struct type *type, struct slice name)
{
    raise_library(vm, &class_AttributeError, ERROR_ATTRIBUTE, "Unknown schema attribute %.*s",
                  SLICE_ARG(name));
    return object_hint_field(vm, type, name);
}

static bool set_field(struct vm *vm, const struct type *type, const struct object **fields,
                      struct string *name, struct value v)
{
    size_t index;
    const struct field *field = type_field(type, string_slice(name), &index);
    if (!field)
        return unknown_attribute(vm, type, string_slice(name));
    if (v.kind != K_EMPTY)
        return type_convert(vm, field->type, v, &fields[index]);
    fields[index] = NULL;
    return true;
}

static bool set_from_mapping(struct vm *vm, const struct type *type, const struct object **fields,
                             struct value v)
{
    struct string *text;
    size_t cursor = 0;
    v = value_as(v, K_DICT);
    if (!is_mapping(v)) {
        if (!value_str(vm, v, &text))
            return false;
        raise_library(vm, &class_ValueError, ERROR_TYPE, "%s", text->data);
        return hint(vm, "a value of type %s is wanted: %s(field = value, …)", type->name,
                    type->name);
    }
    for (struct dict_entry *entry; (entry = dict_next(v.dict, &cursor));) {
        if (entry->key.kind != K_STR)
            return raise_error(vm, &class_TypeError, "keywords must be strings");
        if (!set_field(vm, type, fields, entry->key.s, entry->value))
            return false;
    }
    return true;
}

static bool set_keywords(struct vm *vm, const struct type *type, const struct object **fields,
                         const struct args *args)
{
    for (size_t i = 0; i < args->keyword_count; i++)
        if (!set_field(vm, type, fields, args->keywords[i].name, args->keywords[i].value)) {
            vm->blamed = args->keywords[i].name;
            return false;
        }
    return true;
}

static bool construct_struct(struct vm *vm, const struct type *type, const struct args *args,
                             struct object *object)
{
    const struct object **fields = arena_array(vm->arena, type->field_count, sizeof *fields);
    for (size_t i = 0; i < type->field_count; i++)
        if (!schema_fallback(vm, type, i, &fields[i]))
            return false;
    for (size_t i = 0; i < args->count; i++)
        if (!set_from_mapping(vm, type, fields, args->items[i]))
            return false;
    object->fields = fields;
    return set_keywords(vm, type, fields, args);
}

static bool construct_any(struct vm *vm, const struct type *type, const struct args *args,
                          struct object *object)
{
    if (type->kind == TYPE_STRUCT)
        return construct_struct(vm, type, args, object);
    if (args->keyword_count)
        return raise_error(vm, &class_TypeError, "%s() got an unexpected keyword argument '%s'",
                           type->name, args->keywords[0].name->data);
    if (type->kind == TYPE_MAP)
        return construct_map(vm, type, args, object);
    if (args->count != 1)
        return raise_error(vm, &class_TypeError, "%s() takes 1 argument (%zu given)", type->name,
                           args->count);
    if (type->kind == TYPE_LIST)
        return construct_list(vm, type, args->items[0], object);
    object->raw = args->items[0];
    return type->kind != TYPE_ENUM || construct_enum(vm, type, object->raw);
}

bool type_construct(struct vm *vm, const struct type *type, const struct args *args,
                    const struct object **ret)
{
    struct object *object = arena_alloc(vm->arena, sizeof *object);
    object->type = type;
    if (type->kind == TYPE_BASE)
        return raise_error(vm, &class_TypeError,
                           "Struct is there to derive from: class Name(Struct)");
    if (!vm_step(vm) || !vm_enter(vm))
        return false;
    bool is_done = construct_any(vm, type, args, object);
    vm_leave(vm);
    if (is_done) {
        object_note_final(object);
        *ret = object;
    }
    return is_done;
}

bool type_construct1(struct vm *vm, const struct type *type, struct value v,
                     const struct object **ret)
{
    const struct args args = { .items = &v, .count = 1 };
    return type_construct(vm, type, &args, ret);
}

bool type_convert(struct vm *vm, const struct type *type, struct value v, const struct object **ret)
{
    bool is_instance;
    if (!type_is_instance(vm, type, v, &is_instance))
        return false;
    if (!is_instance)
        return type_construct1(vm, type, v, ret);
    *ret = v.object;
    return true;
}

const struct object *simple_new(struct vm *vm, const struct type *type, struct value raw)
{
    struct object *object = arena_alloc(vm->arena, sizeof *object);
    object->type = type;
    object->raw = raw;
    object_note_final(object);
    return object;
}

/* --- scopes --- */

static bool is_final_simple(const struct type *type, struct value raw)
{
    switch (type->kind) {
    case TYPE_STRING:
        return raw.kind == K_STR && !memmem(raw.s->data, raw.s->len, "{{", 2);
    case TYPE_INTEGER:
        return raw.kind == K_INT || raw.kind == K_BIG;
    case TYPE_FLOAT:
        return raw.kind == K_FLOAT;
    case TYPE_BOOLEAN:
        return raw.kind == K_BOOL;
    default: /* an Enum checks its closed texts when it is made */
        return type->kind == TYPE_ENUM && raw.kind == K_STR &&
               !memmem(raw.s->data, raw.s->len, "{{", 2);
    }
}

void object_note_final(struct object *object)
{
    const struct type *type = object->type;
    object->is_final = true;
    switch (type->kind) {
    case TYPE_STRUCT:
        for (size_t i = 0; object->is_final && i < type->field_count; i++)
            object->is_final = !object->fields[i] || object->fields[i]->is_final;
        return;
    case TYPE_LIST:
        for (size_t i = 0; object->is_final && i < object->count; i++)
            object->is_final = object->items[i]->is_final;
        return;
    case TYPE_MAP:
        for (size_t i = 0; object->is_final && i < object->count; i++)
            object->is_final = object->pairs[i].key->is_final && object->pairs[i].value->is_final;
        return;
    default:
        object->is_final = is_final_simple(type, object->raw);
    }
}

const struct object *object_with_scopes(struct vm *vm, const struct object *object,
                                        const struct scopes *scopes)
{
    if (object->scopes == scopes)
        return object;
    struct object *copy = arena_alloc(vm->arena, sizeof *copy);
    *copy = *object;
    copy->scopes = scopes;
    return copy;
}

const struct object *object_in_scope(struct vm *vm, const struct object *object,
                                     const struct scopes *scopes)
{
    if (object->is_final)
        return object;
    return object_with_scopes(vm, object, scopes_join(vm, object->scopes, scopes));
}

bool object_bind_environment(struct vm *vm, const struct object *object,
                             const struct environment *environment, const struct object **ret)
{
    const struct value v = { .kind = K_ENVIRONMENT, .environment = environment };
    *ret = object_with_scopes(vm, object, scopes_join(vm, scopes_of_value(vm, v), object->scopes));
    return true;
}

bool object_bind(struct vm *vm, const struct object *object, const struct args *args,
                 const struct object **ret)
{
    const struct scopes *scopes = object->scopes;
    for (size_t i = 0; i < args->count; i++) {
        struct value v;
        if (!environment_wrap(vm, args->items[i], &v))
            return false;
        scopes = scopes_join(vm, scopes_of_value(vm, v), scopes);
    }
    if (args->keyword_count) {
        struct value keywords = dict_value(vm->arena, K_DICT), v;
        for (size_t i = 0; i < args->keyword_count; i++)
            dict_set_text(vm->arena, keywords.dict, args->keywords[i].name,
                          args->keywords[i].value);
        if (!environment_wrap(vm, keywords, &v))
            return false;
        scopes = scopes_join(vm, scopes_of_value(vm, v), scopes);
    }
    *ret = object_with_scopes(vm, object, scopes);
    return true;
}

/* --- fields --- */

bool object_override(struct vm *vm, const struct object *object, const struct args *args,
                     const struct object **ret)
{
    struct object *copy = arena_alloc(vm->arena, sizeof *copy);
    const struct object **fields =
        arena_array(vm->arena, object->type->field_count, sizeof *fields);
    if (args->count)
        return raise_error(vm, &class_TypeError,
                           "%s.__call__() takes 1 positional argument but %zu were given",
                           object->type->name, args->count + 1);
    memcpy(fields, object->fields, object->type->field_count * sizeof *fields);
    if (!set_keywords(vm, object->type, fields, args))
        return false;
    *copy = *object;
    copy->fields = fields;
    object_note_final(copy);
    if (vm->origins)
        origins_note_copy(vm, copy, object);
    *ret = copy;
    return true;
}

bool object_set_field(struct vm *vm, const struct object *object, const char *name, struct value v,
                      const struct object **ret)
{
    const struct keyword keyword = { string_from(vm->arena, name), v };
    const struct args args = { .keywords = &keyword, .keyword_count = 1 };
    return object_override(vm, object, &args, ret);
}

const struct object *object_raw_field(const struct object *object, const char *name)
{
    size_t index;
    return type_field(object->type, slice_of(name), &index) ? object->fields[index] : NULL;
}

bool object_has(const struct object *object, const char *name)
{
    return object_raw_field(object, name) != NULL;
}

bool object_field_at(struct vm *vm, const struct object *object, size_t index,
                     const struct object **ret)
{
    const struct object *filled;
    *ret = NULL;
    if (!object->fields[index])
        return true;
    return object_interpolate(vm,
                              object_in_scope(vm, object->fields[index],
                                              scopes_of_object(vm, object)),
                              NULL, &filled) &&
           type_convert(vm, object->type->fields[index].type, object_value(filled), ret);
}

bool object_field(struct vm *vm, const struct object *object, const char *name,
                  const struct object **ret)
{
    size_t index;
    if (!type_field(object->type, slice_of(name), &index))
        return unknown_attribute(vm, object->type, slice_of(name));
    return object_field_at(vm, object, index, ret);
}

bool object_unwrap(struct vm *vm, const struct object *object, const struct object **ret)
{
    if (object->type->kind == TYPE_CHOICE)
        return object_interpolate(vm, object, NULL, ret);
    *ret = object;
    return true;
}

static bool get_items(struct vm *vm, const struct object *object, struct value *ret)
{
    *ret = list_new(vm->arena, K_TUPLE, object->count);
    for (size_t i = 0; i < object->count; i++) {
        struct value v;
        if (!object_get(vm, object->items[i], &v))
            return false;
        list_push(vm->arena, ret->list, v);
    }
    return true;
}

static bool get_fields(struct vm *vm, const struct object *object, struct value *ret)
{
    *ret = dict_value(vm->arena, K_FROZENDICT);
    for (size_t i = 0; i < object->type->field_count; i++) {
        struct value v;
        if (!object->fields[i])
            continue;
        if (!object_get(vm, object->fields[i], &v))
            return false;
        dict_set_text(vm->arena, ret->dict, string_from(vm->arena, object->type->fields[i].name),
                      v);
    }
    return true;
}

static bool get_pairs(struct vm *vm, const struct object *object, struct value *ret)
{
    *ret = dict_value(vm->arena, K_FROZENDICT);
    for (size_t i = 0; i < object->count; i++) {
        struct value key, v;
        if (!object_get(vm, object->pairs[i].key, &key) ||
            !object_get(vm, object->pairs[i].value, &v) || !dict_set(vm, ret->dict, key, v))
            return false;
    }
    return true;
}

bool object_get(struct vm *vm, const struct object *object, struct value *ret)
{
    const struct object *inner;
    if (!vm_step(vm))
        return false;
    switch (object->type->kind) {
    case TYPE_STRUCT:
        return get_fields(vm, object, ret);
    case TYPE_LIST:
        return get_items(vm, object, ret);
    case TYPE_MAP:
        return get_pairs(vm, object, ret);
    case TYPE_CHOICE:
        if (!object_unwrap(vm, object, &inner) || !vm_enter(vm))
            return false;
        bool is_done = object_get(vm, inner, ret);
        vm_leave(vm);
        return is_done;
    default:
        *ret = object->raw;
        return true;
    }
}

/* --- coercion --- */

static bool coercion_error(struct vm *vm, const struct type *type, struct value raw,
                           const char *more)
{
    struct string *text;
    static const struct {
        const struct type *type;
        const char *hint;
    } wanted[] = {
        { &type_String, "a text is wanted" },
        { &type_Integer, "a whole number is wanted, such as 3 or 64 * MB" },
        { &type_Float, "a number is wanted" },
        { &type_Boolean, "True or False is wanted" },
    };
    if (!value_str(vm, raw, &text))
        return false;
    raise_library(vm, &class_CoercionError, ERROR_TYPE, "Cannot coerce '%s' to %s%s", text->data,
                  type->name, more);
    if (raw.kind == K_OBJECT)
        return hint(vm, "a %s is not converted: give its plain value", raw.object->type->name);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (type == wanted[i].type)
            return hint(vm, "%s", wanted[i].hint);
    return false;
}

static bool coerce_integer(struct vm *vm, const struct type *type, struct value raw,
                           struct value *ret)
{
    if (raw.kind == K_STR)
        return integer_parse_text(vm->arena, string_slice(raw.s), 10, ret) ||
               coercion_error(vm, type, raw, "");
    if (raw.kind == K_FLOAT) {
        if (isnan(raw.f))
            return coercion_error(vm, type, raw, "");
        if (isinf(raw.f))
            return raise_error(vm, &class_OverflowError,
                               "cannot convert float infinity to integer");
        *ret = integer_from_double(vm->arena, raw.f);
        return true;
    }
    *ret = raw.kind == K_BOOL ? V_INT(raw.b) : raw;
    return true;
}

static bool coerce_float(struct vm *vm, const struct type *type, struct value raw,
                         struct value *ret)
{
    double d;
    if (raw.kind == K_STR) {
        if (!float_parse(string_slice(raw.s), &d))
            return coercion_error(vm, type, raw, "");
    } else {
        d = raw.kind == K_FLOAT ? raw.f : integer_to_double(raw);
        if (isinf(d) && raw.kind != K_FLOAT)
            return raise_error(vm, &class_OverflowError, "int too large to convert to float");
    }
    *ret = V_FLOAT(d);
    return true;
}

static bool is_lower_word(const struct string *s, const char *word)
{
    if (s->len != strlen(word))
        return false;
    for (size_t i = 0; i < s->len; i++)
        if ((s->data[i] | ((s->data[i] >= 'A' && s->data[i] <= 'Z') ? 0x20 : 0)) != word[i])
            return false;
    return true;
}

static bool coerce_boolean(struct vm *vm, const struct type *type, struct value raw,
                           struct value *ret)
{
    bool truth;
    if (raw.kind == K_STR) {
        bool is_true = is_lower_word(raw.s, "true") || is_lower_word(raw.s, "1");
        if (!is_true && !is_lower_word(raw.s, "false") && !is_lower_word(raw.s, "0"))
            return coercion_error(vm, type, raw, "");
        *ret = V_BOOL(is_true);
        return true;
    }
    if (!value_truth(vm, raw, &truth))
        return false;
    *ret = V_BOOL(truth);
    return true;
}

static bool coerce_enum(struct vm *vm, const struct type *type, struct value raw, struct value *ret)
{
    struct string *text;
    for (size_t i = 0; raw.kind == K_STR && i < type->name_count; i++)
        if (string_is(raw.s, type->names[i])) {
            *ret = raw;
            return true;
        }
    if (!value_str(vm, raw, &text))
        return false;
    struct buffer more = buffer_new(vm);
    buffer_text(&more, ": ");
    buffer_string(&more, text);
    buffer_text(&more, " is not one of ");
    for (size_t i = 0; i < type->name_count; i++) {
        buffer_text(&more, i ? ", " : "");
        buffer_text(&more, type->names[i]);
    }
    struct string *rest;
    return buffer_finish(vm, &more, &rest) && coercion_error(vm, type, raw, rest->data);
}

bool object_coerce(struct vm *vm, const struct type *type, struct value raw, struct value *ret)
{
    struct string *text;
    raw = value_contents(raw);
    if (type->kind == TYPE_ENUM)
        return coerce_enum(vm, type, raw, ret);
    if (raw.kind != K_STR && !value_is_number(raw))
        return coercion_error(vm, type, raw, "");
    switch (type->kind) {
    case TYPE_INTEGER:
        return coerce_integer(vm, type, raw, ret);
    case TYPE_FLOAT:
        return coerce_float(vm, type, raw, ret);
    case TYPE_BOOLEAN:
        return coerce_boolean(vm, type, raw, ret);
    default:
        if (!value_str(vm, raw, &text))
            return false;
        *ret = V_STR(text);
        return true;
    }
}

/* --- check --- */

static void check_failed(struct vm *vm, struct typecheck *ret, const char *error_class,
                         const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void check_failed(struct vm *vm, struct typecheck *ret, const char *error_class,
                         const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    *ret = (struct typecheck){ .message = arena_vprintf(vm->arena, fmt, ap),
                               .error_class = error_class };
    va_end(ap);
}

/* True when the exception on its way counts as a failed check. */
static bool catch_uninterpolatable(struct vm *vm, struct typecheck *ret)
{
    if (!exception_is(vm, &class_CoercionError) && !exception_is(vm, &class_Uninterpolatable))
        return false;
    bool is_loop = exception_is(vm, &class_Uninterpolatable);
    struct string *text = exception_text(vm, exception_take(vm));
    check_failed(vm, ret, is_loop ? ERROR_LOOP : ERROR_TYPE, "Unable to interpolate: %s",
                 text->data);
    return true;
}

static bool check_simple(struct vm *vm, const struct object *object, struct typecheck *ret)
{
    static const char *const complaints[] = {
        [TYPE_STRING] = "not a string",
        [TYPE_INTEGER] = "not an integer",
        [TYPE_FLOAT] = "not a float",
        [TYPE_BOOLEAN] = "not a boolean",
    };
    const struct object *filled;
    struct references references = { 0 };
    struct string *text;
    if (!object_interpolate(vm, object, &references, &filled))
        return catch_uninterpolatable(vm, ret);
    *ret = (struct typecheck){ .is_ok = true, .message = "" };
    enum type_kind kind = object->type->kind;
    bool is_open = references.count > 0;
    if (!is_open || kind == TYPE_STRING)
        return true;
    if (!value_repr(vm, filled->raw, &text))
        return false;
    if (kind != TYPE_ENUM) {
        check_failed(vm, ret, ERROR_UNBOUND, "%s %s", text->data, complaints[kind]);
        return true;
    }
    struct buffer names = buffer_new(vm);
    for (size_t i = 0; i < object->type->name_count; i++)
        buffer_printf(&names, "%s%s", i ? ", " : "", object->type->names[i]);
    check_failed(vm, ret, ERROR_UNBOUND, "%s not in the enumeration (%.*s)", text->data,
                 (int)names.len, names.bytes);
    return true;
}

static bool check_struct(struct vm *vm, const struct object *object, struct typecheck *ret)
{
    const struct type *type = object->type;
    const struct scopes *scopes = scopes_of_object(vm, object);
    *ret = (struct typecheck){ .is_ok = true, .message = "" };
    for (size_t i = 0; i < type->field_count; i++) {
        struct typecheck inner;
        const char *name = type->fields[i].name;
        if (!object->fields[i] && type->fields[i].is_required) {
            check_failed(vm, ret, ERROR_MISSING, "%s[%s] is required.", type->name, name);
            return true;
        }
        if (!object->fields[i])
            continue;
        if (!object_check(vm, object_in_scope(vm, object->fields[i], scopes), &inner))
            return false;
        if (!inner.is_ok) {
            check_failed(vm, ret, inner.error_class, "%s[%s] failed: %s", type->name, name,
                         inner.message);
            return true;
        }
    }
    return true;
}

static bool check_list(struct vm *vm, const struct object *object, struct typecheck *ret)
{
    *ret = (struct typecheck){ .is_ok = true, .message = "" };
    for (size_t i = 0; i < object->count; i++) {
        struct typecheck inner;
        if (!object_check(vm, object_in_scope(vm, object->items[i], object->scopes), &inner))
            return false;
        if (!inner.is_ok) {
            check_failed(vm, ret, inner.error_class, "Element in %s failed check: %s",
                         object->type->name, inner.message);
            return true;
        }
    }
    return true;
}

static bool check_map(struct vm *vm, const struct object *object, struct typecheck *ret)
{
    *ret = (struct typecheck){ .is_ok = true, .message = "" };
    for (size_t i = 0; i < object->count; i++) {
        const struct pair *pair = &object->pairs[i];
        struct typecheck key, item;
        struct string *key_text, *item_text;
        if (!object_check(vm, object_in_scope(vm, pair->key, object->scopes), &key) ||
            !object_check(vm, object_in_scope(vm, pair->value, object->scopes), &item))
            return false;
        if (key.is_ok && item.is_ok)
            continue;
        if (!object_text(vm, pair->key, &key_text))
            return false;
        if (!key.is_ok) {
            check_failed(vm, ret, key.error_class, "%s key %s failed check: %s", object->type->name,
                         key_text->data, key.message);
            return true;
        }
        if (!object_text(vm, pair->value, &item_text))
            return false;
        check_failed(vm, ret, item.error_class, "%s[%s] value %s failed check: %s",
                     object->type->name, key_text->data, item_text->data, item.message);
        return true;
    }
    return true;
}

/* The reference crashes when a value that is of an alternative's type fails its check; here the
 * crash says why. */
static bool check_chosen(struct vm *vm, const struct object *object, struct typecheck *ret)
{
    if (!object_check(vm, object_in_scope(vm, object->raw.object, object->scopes), ret))
        return false;
    return ret->is_ok ||
           raise_library(vm, &class_AttributeError, ret->error_class, "%s", ret->message);
}

static bool check_choice(struct vm *vm, const struct object *object, struct typecheck *ret)
{
    const struct type *type = object->type;
    struct string *text;
    for (size_t i = 0; i < type->choice_count; i++) {
        const struct object *made;
        bool fits;
        if (!type_is_instance(vm, type->choices[i], object->raw, &fits))
            return false;
        if (fits)
            return check_chosen(vm, object, ret);
        if (type_construct1(vm, type->choices[i], object->raw, &made) &&
            object_check(vm, object_in_scope(vm, made, object->scopes), ret)) {
            if (ret->is_ok)
                return true;
        } else if (!exception_is(vm, &class_ValueError)) {
            return false;
        } else {
            exception_take(vm);
        }
    }
    if (!value_str(vm, object->raw, &text))
        return false;
    check_failed(vm, ret, ERROR_TYPE,
                 "%s typecheck failed: value %s did not match any of its alternatives", type->name,
                 text->data);
    return true;
}

bool object_check(struct vm *vm, const struct object *object, struct typecheck *ret)
{
    if (!vm_step(vm) || !vm_enter(vm))
        return false;
    bool is_done;
    switch (object->type->kind) {
    case TYPE_STRUCT:
        is_done = check_struct(vm, object, ret);
        break;
    case TYPE_LIST:
        is_done = check_list(vm, object, ret);
        break;
    case TYPE_MAP:
        is_done = check_map(vm, object, ret);
        break;
    case TYPE_CHOICE:
        is_done = check_choice(vm, object, ret);
        break;
    default:
        is_done = check_simple(vm, object, ret);
    }
    vm_leave(vm);
    return is_done;
}
