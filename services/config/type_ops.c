#include "config/class.h"
#include "config/modules.h"
#include "config/schema.h"
#include "config/template.h"

/* Types in the hands of the configuration: making new ones, their attributes, and the library's
 * other classes. */

const struct type *type_new_list(struct vm *vm, const struct type *item)
{
    struct type *type = arena_alloc(vm->arena, sizeof *type);
    *type = (struct type){ .kind = TYPE_LIST,
                           .item = item,
                           .name = arena_printf(vm->arena, "%sList", item->name) };
    return type;
}

const struct type *type_new_map(struct vm *vm, const struct type *key, const struct type *item)
{
    struct type *type = arena_alloc(vm->arena, sizeof *type);
    *type = (struct type){ .kind = TYPE_MAP,
                           .key = key,
                           .item = item,
                           .name = arena_printf(vm->arena, "%s%sMap", key->name, item->name) };
    return type;
}

static bool expect_type(struct vm *vm, struct value v, const char *where, const struct type **ret)
{
    struct string *text;
    if (v.kind == K_TYPE) {
        *ret = v.type;
        return true;
    }
    return value_repr(vm, v, &text) &&
           raise_error(vm, &class_AttributeError, "%s expects a type such as String, got %s", where,
                       text->data);
}

static bool make_list(struct vm *vm, struct value self, const struct args *args, struct value *ret)
{
    (void)self;
    const struct type *item;
    if (!expect_type(vm, args->items[0], "List()", &item))
        return false;
    *ret = type_value(type_new_list(vm, item));
    return true;
}

static bool make_map(struct vm *vm, struct value self, const struct args *args, struct value *ret)
{
    (void)self;
    const struct type *key, *item;
    if (!expect_type(vm, args->items[0], "Map()", &key) ||
        !expect_type(vm, args->items[1], "Map()", &item))
        return false;
    *ret = type_value(type_new_map(vm, key, item));
    return true;
}

/* The name and the rest, from `(name, [..])` or from the values alone. */
static bool named_parts(struct vm *vm, const struct args *args, bool has_list_only,
                        struct string **ret_name, struct list *ret_parts)
{
    bool is_named = args->count == 2 && args->items[0].kind == K_STR &&
                    (args->items[1].kind == K_LIST || args->items[1].kind == K_TUPLE);
    *ret_name = is_named ? args->items[0].s : NULL;
    if (is_named || (has_list_only && args->count == 1)) {
        struct value list;
        if (!value_to_list(vm, args->items[args->count - 1], K_LIST, &list))
            return false;
        *ret_parts = *list.list;
        return true;
    }
    *ret_parts = *tuple_of(vm->arena, args->items, args->count).list;
    return true;
}

static bool make_enum(struct vm *vm, struct value self, const struct args *args, struct value *ret)
{
    (void)self;
    struct string *name;
    struct list parts;
    if (!NO_KEYWORDS(args, "Enum()") || !named_parts(vm, args, false, &name, &parts))
        return false;
    struct type *type = arena_alloc(vm->arena, sizeof *type);
    const char **names = arena_array(vm->arena, parts.count, sizeof *names);
    struct buffer joined = buffer_new(vm);
    buffer_text(&joined, "Enum");
    for (size_t i = 0; i < parts.count; i++) {
        if (parts.items[i].kind != K_STR)
            return raise_error(vm, &class_AssertionError, "the values of an Enum must be texts");
        names[i] = parts.items[i].s->data;
        buffer_char(&joined, '_');
        buffer_string(&joined, parts.items[i].s);
    }
    if (!name && !buffer_finish(vm, &joined, &name))
        return false;
    *type = (struct type){
        .kind = TYPE_ENUM, .name = name->data, .names = names, .name_count = parts.count
    };
    *ret = type_value(type);
    return true;
}

static bool make_choice(struct vm *vm, struct value self, const struct args *args,
                        struct value *ret)
{
    (void)self;
    struct string *name;
    struct list parts;
    if (!NO_KEYWORDS(args, "Choice()") || !named_parts(vm, args, true, &name, &parts))
        return false;
    struct type *type = arena_alloc(vm->arena, sizeof *type);
    const struct type **choices = arena_array(vm->arena, parts.count, sizeof *choices);
    struct buffer joined = buffer_new(vm);
    buffer_text(&joined, "Choice");
    for (size_t i = 0; i < parts.count; i++) {
        if (!expect_type(vm, parts.items[i], "Choice()", &choices[i]))
            return false;
        buffer_char(&joined, '_');
        buffer_text(&joined, choices[i]->name);
    }
    if (!name && !buffer_finish(vm, &joined, &name))
        return false;
    *type = (struct type){
        .kind = TYPE_CHOICE, .name = name->data, .choices = choices, .choice_count = parts.count
    };
    *ret = type_value(type);
    return true;
}

static struct value field_value(struct vm *vm, struct field field)
{
    struct field *copy = arena_alloc(vm->arena, sizeof *copy);
    *copy = field;
    return (struct value){ .kind = K_FIELD, .field = copy };
}

static bool make_required(struct vm *vm, struct value self, const struct args *args,
                          struct value *ret)
{
    (void)self;
    struct field field = { .is_required = true };
    if (!expect_type(vm, args->items[0], "Required()", &field.type))
        return false;
    *ret = field_value(vm, field);
    return true;
}

static bool make_default(struct vm *vm, struct value self, const struct args *args,
                         struct value *ret)
{
    (void)self;
    struct field field = { .fallback = FALLBACK_OBJECT };
    if (!expect_type(vm, args->items[0], "Default()", &field.type))
        return false;
    if (args->items[1].kind == K_EMPTY)
        field.fallback = FALLBACK_NONE;
    else if (!type_convert(vm, field.type, args->items[1], &field.object))
        return false;
    *ret = field_value(vm, field);
    return true;
}

/* --- class Name(Struct) --- */

/* A default is kept as its plain content: what was bound to it is lost, as in the reference. */
static bool plain_fallback(struct vm *vm, struct field *field)
{
    struct value plain;
    if (field->fallback != FALLBACK_OBJECT)
        return true;
    return object_get(vm, field->object, &plain) &&
           type_construct1(vm, field->type, plain, &field->object);
}

bool type_define_struct(struct vm *vm, const char *name, const struct type *base,
                        const struct dict *body, struct value *ret)
{
    struct type *type = arena_alloc(vm->arena, sizeof *type);
    if (base->kind != TYPE_BASE) {
        *type = *base;
        type->name = name;
        *ret = type_value(type);
        return true;
    }
    struct field *fields = arena_array(vm->arena, body->count, sizeof *fields);
    *type = (struct type){ .kind = TYPE_STRUCT, .name = name, .fields = fields };
    size_t cursor = 0;
    body = dict_copy(vm->arena, body); /* locals() gave it away, perhaps */
    for (struct dict_entry *entry; (entry = dict_next(body, &cursor));) {
        struct field field = { .type = entry->value.type };
        if (entry->key.kind != K_STR)
            continue;
        if (entry->value.kind == K_FIELD)
            field = *entry->value.field;
        else if (entry->value.kind != K_TYPE)
            continue;
        field.name = entry->key.s->data;
        if (!plain_fallback(vm, &field))
            return false;
        fields[type->field_count++] = field;
    }
    *ret = type_value(type);
    return true;
}

/* --- attributes of types --- */

/* Without the fields that the schema does not know. */
static bool filter_fields(struct vm *vm, const struct type *type, struct value v, struct value *ret)
{
    size_t cursor = 0, index;
    v = value_as(v, K_DICT);
    if (v.kind != K_DICT) {
        *ret = v;
        return true;
    }
    struct value kept = dict_value(vm->arena, K_DICT);
    for (struct dict_entry *entry; (entry = dict_next(v.dict, &cursor));) {
        const struct field *field =
            entry->key.kind == K_STR ? type_field(type, string_slice(entry->key.s), &index) : NULL;
        struct value item = entry->value;
        if (!field)
            continue;
        if (field->type->kind == TYPE_STRUCT && !filter_fields(vm, field->type, item, &item))
            return false;
        dict_set_text(vm->arena, kept.dict, entry->key.s, item);
    }
    *ret = kept;
    return true;
}

static bool type_json_loads(struct vm *vm, struct value self, const struct args *args,
                            struct value *ret)
{
    struct value data;
    const struct object *object;
    bool is_strict = false;
    if (args->items[0].kind != K_STR)
        return raise_error(vm, &class_TypeError, "the JSON object must be str, not %s",
                           value_type_name(args->items[0]));
    if (!value_is_unset(args->items[1]) && !value_truth(vm, args->items[1], &is_strict))
        return false;
    if (!json_read(vm, string_slice(args->items[0].s), &data) ||
        (!is_strict && !filter_fields(vm, self.type, data, &data)) ||
        !type_construct1(vm, self.type, data, &object))
        return false;
    *ret = object_value(object);
    return true;
}

static const struct native TYPE_METHODS[] = {
    { "json_loads", type_json_loads, "text | strict" },
    { NULL, NULL, NULL },
};

bool type_find_attribute(struct vm *vm, const struct type *type, struct string *name,
                         struct value *ret)
{
    *ret = V_UNBOUND;
    if (string_is(name, "__name__"))
        *ret = value_text(vm->arena, type->name);
    else if (string_is(name, "CoercionError"))
        *ret = (struct value){ .kind = K_CLASS, .class = &class_CoercionError };
    else if (type->kind == TYPE_STRUCT && native_find(TYPE_METHODS, name, ret))
        *ret = bind_method(vm, type_value(type), *ret);
    else if (type->kind == TYPE_ENUM && string_is(name, "VALUES")) {
        *ret = list_new(vm->arena, K_TUPLE, type->name_count);
        for (size_t i = 0; i < type->name_count; i++)
            list_push(vm->arena, ret->list, value_text(vm->arena, type->names[i]));
    }
    return true;
}

/* --- Ref --- */

static bool ref_from_address(struct vm *vm, struct value self, const struct args *args,
                             struct value *ret)
{
    (void)self;
    ret->kind = K_REF;
    return reference_wrap(vm, args->items[0], &ret->s);
}

static const struct class class_Component = { .name = "Component",
                                              .base = &class_object,
                                              .layout = K_STR };

static bool ref_components(struct vm *vm, struct value self, const struct args *args,
                           struct value *ret)
{
    (void)args;
    struct slice rest = string_slice(self.s);
    *ret = list_new(vm->arena, K_TUPLE, 4);
    while (rest.len) {
        bool is_index;
        struct slice behind;
        reference_first(rest, &is_index, &behind);
        struct instance *component = arena_alloc(vm->arena, sizeof *component);
        component->class = &class_Component;
        component->payload = V_STR(string_new(vm->arena, rest.ptr, rest.len - behind.len));
        list_push(vm->arena, ret->list,
                  (struct value){ .kind = K_INSTANCE, .instance = component });
        rest = behind;
    }
    return true;
}

static bool ref_address(struct vm *vm, struct value self, const struct args *args,
                        struct value *ret)
{
    (void)args;
    struct slice address = reference_address(string_slice(self.s));
    *ret = V_STR(string_new(vm->arena, address.ptr, address.len));
    return true;
}

static bool ref_is_index(struct vm *vm, struct value self, const struct args *args,
                         struct value *ret)
{
    (void)vm;
    (void)args;
    *ret = V_BOOL(self.s->len && self.s->data[0] == '[');
    return true;
}

static bool ref_is_dereference(struct vm *vm, struct value self, const struct args *args,
                               struct value *ret)
{
    (void)vm;
    (void)args;
    *ret = V_BOOL(self.s->len && self.s->data[0] == '.');
    return true;
}

static const struct native REF_METHODS[] = {
    { "components", ref_components, "" },
    { "address", ref_address, "" },
    { "is_index", ref_is_index, "" },
    { "is_dereference", ref_is_dereference, "" },
    { NULL, NULL, NULL },
};

static const struct native REF_STATICS[] = {
    { "from_address", ref_from_address, "address" },
    { "wrap", ref_from_address, "value" },
    { NULL, NULL, NULL },
};

const struct class class_Ref = { .name = "Ref",
                                 .base = &class_object,
                                 .layout = K_REF,
                                 .methods = REF_METHODS,
                                 .statics = REF_STATICS };

/* --- Environment --- */

static bool construct_environment(struct vm *vm, const struct class *class, const struct args *args,
                                  struct value *ret)
{
    (void)class;
    struct environment *environment = environment_new(vm);
    struct value keywords = dict_value(vm->arena, K_DICT);
    for (size_t i = 0; i < args->count; i++)
        if (!environment_add(vm, environment, args->items[i]))
            return false;
    for (size_t i = 0; i < args->keyword_count; i++)
        dict_set_text(vm->arena, keywords.dict, args->keywords[i].name, args->keywords[i].value);
    if (!environment_add(vm, environment, keywords))
        return false;
    *ret = (struct value){ .kind = K_ENVIRONMENT, .environment = environment };
    return true;
}

const struct class class_Environment = { .name = "Environment",
                                         .base = &class_Namable,
                                         .layout = K_ENVIRONMENT,
                                         .construct = construct_environment };
const struct class class_Namable = { .name = "Namable",
                                     .base = &class_object,
                                     .layout = K_INSTANCE };
const struct class class_Type = { .name = "Type", .base = &class_object, .layout = K_INSTANCE };
const struct class class_TypeFactory = { .name = "TypeFactory",
                                         .base = &class_object,
                                         .layout = K_INSTANCE };
const struct class class_MustacheParser = { .name = "MustacheParser",
                                            .base = &class_object,
                                            .layout = K_INSTANCE };

/* --- TypeCheck --- */

static bool check_ok(struct vm *vm, struct value self, const struct args *args, struct value *ret)
{
    (void)vm;
    (void)args;
    *ret = V_BOOL(self.typecheck->is_ok);
    return true;
}

static bool check_message(struct vm *vm, struct value self, const struct args *args,
                          struct value *ret)
{
    (void)args;
    *ret = value_text(vm->arena, self.typecheck->message);
    return true;
}

static struct value typecheck_new(struct vm *vm, bool is_ok, const char *message)
{
    struct typecheck *check = arena_alloc(vm->arena, sizeof *check);
    *check = (struct typecheck){ is_ok, message, ERROR_TYPE };
    return (struct value){ .kind = K_TYPECHECK, .typecheck = check };
}

static bool check_failure(struct vm *vm, struct value self, const struct args *args,
                          struct value *ret)
{
    (void)self;
    struct string *text;
    if (!value_str(vm, args->items[0], &text))
        return false;
    *ret = typecheck_new(vm, false, text->data);
    return true;
}

static bool check_success(struct vm *vm, struct value self, const struct args *args,
                          struct value *ret)
{
    (void)self;
    (void)args;
    *ret = typecheck_new(vm, true, "");
    return true;
}

static bool construct_check(struct vm *vm, const struct class *class, const struct args *args,
                            struct value *ret)
{
    (void)class;
    bool is_ok;
    struct string *text;
    if (args->count != 2)
        return raise_error(vm, &class_TypeError, "TypeCheck() takes 2 arguments (%zu given)",
                           args->count);
    if (!value_truth(vm, args->items[0], &is_ok) || !value_str(vm, args->items[1], &text))
        return false;
    *ret = typecheck_new(vm, is_ok, text->data);
    return true;
}

static const struct native CHECK_METHODS[] = {
    { "ok", check_ok, "" },
    { "message", check_message, "" },
    { NULL, NULL, NULL },
};

static const struct native CHECK_STATICS[] = {
    { "failure", check_failure, "msg" },
    { "success", check_success, "" },
    { NULL, NULL, NULL },
};

const struct class class_TypeCheck = { .name = "TypeCheck",
                                       .base = &class_object,
                                       .layout = K_TYPECHECK,
                                       .methods = CHECK_METHODS,
                                       .statics = CHECK_STATICS,
                                       .construct = construct_check };

const struct native template_natives[] = {
    { "List", make_list, "type" },
    { "Map", make_map, "key value" },
    { "Enum", make_enum, NULL },
    { "Choice", make_choice, NULL },
    { "Required", make_required, "type" },
    { "Default", make_default, "type default" },
    { NULL, NULL, NULL },
};
