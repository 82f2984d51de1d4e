#include "config/class.h"
#include "config/evaluate.h"
#include "config/modules.h"
#include "config/moment.h"
#include "config/template.h"

/* Types of values, and `v.name`. */

static const struct class *const CLASSES[K_KIND_COUNT] = {
    [K_NONE] = &class_NoneType,
    [K_BOOL] = &class_bool,
    [K_INT] = &class_int,
    [K_BIG] = &class_int,
    [K_FLOAT] = &class_float,
    [K_STR] = &class_str,
    [K_BYTES] = &class_bytes,
    [K_LIST] = &class_list,
    [K_TUPLE] = &class_tuple,
    [K_DICT] = &class_dict,
    [K_SET] = &class_set,
    [K_FROZENSET] = &class_frozenset,
    [K_RANGE] = &class_range,
    [K_SLICE] = &class_slice,
    [K_ELLIPSIS] = &class_ellipsis,
    [K_FUNCTION] = &class_function,
    [K_NATIVE] = &class_builtin,
    [K_BOUND] = &class_method,
    [K_CLASS] = &class_type,
    [K_MODULE] = &class_module,
    [K_ITERATOR] = &class_iterator,
    [K_PARTIAL] = &class_partial,
    [K_FROZENDICT] = &class_frozendict,
    [K_REF] = &class_Ref,
    [K_ENVIRONMENT] = &class_Environment,
    [K_TYPECHECK] = &class_TypeCheck,
    [K_TYPE] = &class_type,
    [K_EMPTY] = &class_type,
    [K_NOT_IMPLEMENTED] = &class_ellipsis,
};

const struct class *value_class(struct value v)
{
    if (v.kind == K_INSTANCE)
        return v.instance->class;
    if (v.kind == K_DICT && v.dict->type_name)
        return strcmp(v.dict->type_name, "defaultdict") == 0 ? &class_defaultdict
               : strcmp(v.dict->type_name, "Counter") == 0   ? &class_Counter
                                                             : &class_OrderedDict;
    if (v.kind == K_PROPERTY)
        return v.property->kind == PROPERTY_GETTER   ? &class_property
               : v.property->kind == PROPERTY_STATIC ? &class_staticmethod
                                                     : &class_classmethod;
    return CLASSES[v.kind];
}

struct value value_type(struct value v)
{
    if (v.kind == K_OBJECT)
        return type_value(v.object->type);
    const struct class *class = value_class(v);
    return (struct value){ .kind = K_CLASS, .class = class ? class : &class_object };
}

const char *value_type_name(struct value v)
{
    if (v.kind == K_OBJECT)
        return v.object->type->name;
    if (v.kind == K_ITERATOR)
        return v.iterator->type_name;
    if (v.kind == K_FIELD)
        return "TypeSignature";
    const struct class *class = value_class(v);
    return class ? class->name : "object";
}

/* --- looking up --- */

/* An object in a class that has __get__() decides itself what it gives; `self` is None for the class. */
static bool get_by_descriptor(struct vm *vm, struct value self, const struct class *class,
                              struct value found, struct value *ret)
{
    const struct value items[] = { self, { .kind = K_CLASS, .class = class } };
    bool is_descriptor;
    if (!value_call_special(vm, found, "__get__", items, 2, ret, &is_descriptor))
        return false;
    if (!is_descriptor)
        *ret = found;
    return true;
}

static bool has_special(struct vm *vm, struct value v, const char *name)
{
    return v.kind == K_INSTANCE &&
           class_find(v.instance->class, string_from(vm->arena, name)).kind == K_FUNCTION;
}

/* What an attribute found in a class gives for an instance of it. */
static bool bind_found(struct vm *vm, struct value self, struct value found, struct value *ret)
{
    switch (found.kind) {
    case K_FUNCTION:
    case K_NATIVE:
        *ret = bind_method(vm, self, found);
        return true;
    case K_PROPERTY:
        if (found.property->kind == PROPERTY_GETTER)
            return value_call1(vm, found.property->function, self, ret);
        *ret = found.property->kind == PROPERTY_STATIC
                   ? found.property->function
                   : bind_method(vm, (struct value){ .kind = K_CLASS, .class = value_class(self) },
                                 found.property->function);
        return true;
    case K_INSTANCE:
        return get_by_descriptor(vm, self, value_class(self), found, ret);
    default:
        *ret = found;
        return true;
    }
}

static bool is_static(const struct class *class, struct string *name)
{
    size_t cursor = 0;
    struct value found;
    for (const struct class *at; (at = class_next(class, &cursor));)
        if (native_find(at->statics, name, &found))
            return true;
    return false;
}

/* A method written in C that a class was asked for: its object is the first argument. */
static struct value native_of_class(struct vm *vm, const struct class *class, struct string *name,
                                    struct value found)
{
    return is_static(class, name)
               ? found
               : bind_method(vm, (struct value){ .kind = K_UNBOUND, .class = class }, found);
}

static bool find_in_super(struct vm *vm, const struct super *super, struct string *name,
                          struct value *ret)
{
    const struct class *start =
        super->self.kind == K_CLASS ? super->self.class : value_class(super->self);
    size_t cursor = 0;
    const struct class *at;
    while ((at = class_next(start, &cursor)) && at != super->owner)
        ;
    while ((at = class_next(start, &cursor))) {
        struct value found = at->attributes ? dict_get_text(at->attributes, name) : V_UNBOUND;
        if (found.kind == K_UNBOUND && !native_find(at->methods, name, &found) &&
            !native_find(at->statics, name, &found))
            found = at->attributes || at->layout == K_INSTANCE ? V_UNBOUND
                                                               : special_find(at->layout, name);
        if (found.kind == K_UNBOUND)
            continue;
        if (string_is(name, "__new__")) {
            *ret = found;
            return true;
        }
        if (super->self.kind == K_CLASS && found.kind == K_PROPERTY &&
            found.property->kind == PROPERTY_CLASS) {
            *ret = bind_method(vm, super->self, found.property->function);
            return true;
        }
        if (super->self.kind == K_CLASS && found.kind == K_NATIVE) {
            *ret = native_of_class(vm, at, name, found);
            return true;
        }
        return bind_found(vm, super->self, found, ret);
    }
    *ret = V_UNBOUND;
    return true;
}

static bool find_getattr(struct vm *vm, struct value v, struct string *name, struct value *ret)
{
    struct value argument = V_STR(name);
    bool found;
    if (!value_call_special(vm, v, "__getattr__", &argument, 1, ret, &found))
        return false;
    if (!found)
        *ret = V_UNBOUND;
    return true;
}

static bool find_special_name(struct vm *vm, struct value v, struct string *name, struct value *ret)
{
    if (string_is(name, "__class__")) {
        *ret = value_type(v);
        return true;
    }
    if (string_is(name, "__dict__")) {
        struct instance *instance = v.instance;
        if (!instance->attributes)
            instance->attributes = dict_new(vm->arena);
        *ret = (struct value){ .kind = K_DICT, .dict = instance->attributes };
        return true;
    }
    return false;
}

static struct value exception_or_none(struct value v)
{
    return v.kind == K_INSTANCE ? v : V_NONE;
}

/* The name that a message of ours quotes first, as in "name 'x' is not defined". */
static struct value quoted_name(struct vm *vm, const struct list *items)
{
    if (items->count == 0 || items->items[0].kind != K_STR)
        return V_NONE;
    const char *start = strchr(items->items[0].s->data, '\''), *end = NULL;
    end = start ? strchr(start + 1, '\'') : NULL;
    return end ? V_STR(string_new(vm->arena, start + 1, (size_t)(end - start - 1))) : V_NONE;
}

static struct value doc_of(const struct class *class)
{
    return class->doc ? V_STR((struct string *)(uintptr_t) class->doc) : V_NONE;
}

/* Arguments of exceptions that have names. */
static bool find_argument(struct vm *vm, struct value v, struct string *name, struct value *ret)
{
    static const struct {
        const struct class *class;
        const char *name;
        size_t index;
    } rows[] = {
        { &class_StopIteration, "value", 0 }, { &class_SystemExit, "code", 0 },
        { &class_OSError, "errno", 0 },       { &class_OSError, "strerror", 1 },
        { &class_OSError, "filename", 2 },    { &class_ImportError, "msg", 0 },
        { &class_SyntaxError, "msg", 0 },
    };
    const struct list *items = v.instance->payload.list;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!string_is(name, rows[i].name) || !class_is_subclass(v.instance->class, rows[i].class))
            continue;
        bool is_given =
            rows[i].index < items->count && (rows[i].class != &class_OSError || items->count > 1);
        *ret = is_given ? items->items[rows[i].index] : V_NONE;
        return true;
    }
    bool is_name = class_is_subclass(v.instance->class, &class_NameError) ||
                   class_is_subclass(v.instance->class, &class_ImportError);
    if (!is_name || !string_is(name, "name"))
        return false;
    *ret = quoted_name(vm, items);
    return true;
}

static bool find_in_exception(struct vm *vm, struct value v, struct string *name, struct value *ret)
{
    if (!class_is_subclass(v.instance->class, &class_BaseException))
        return false;
    if (string_is(name, "args")) {
        *ret = v.instance->payload;
        return true;
    }
    if (string_is(name, "message") && v.instance->payload.list->count == 1) {
        *ret = v.instance->payload.list->items[0];
        return true;
    }
    if (string_is(name, "__traceback__"))
        *ret = V_NONE;
    else if (string_is(name, "__context__"))
        *ret = exception_or_none(v.instance->context);
    else if (string_is(name, "__cause__"))
        *ret = exception_or_none(v.instance->cause);
    else if (string_is(name, "__suppress_context__"))
        *ret = V_BOOL(v.instance->is_context_hidden);
    else
        return find_argument(vm, v, name, ret);
    return true;
}

/* The methods of builtin classes that are written in the language have no special names. */
static bool is_plain_name(const struct string *name)
{
    return name->len < 2 || name->data[0] != '_' || name->data[1] != '_';
}

static bool find_in_instance(struct vm *vm, struct value v, struct string *name, struct value *ret)
{
    struct instance *instance = v.instance;
    if (instance->class == &class_super)
        return find_in_super(vm, instance->payload.p, name, ret);
    struct value found = class_find(instance->class, name);
    if ((found.kind == K_PROPERTY && found.property->kind == PROPERTY_GETTER) ||
        has_special(vm, found, "__set__"))
        return bind_found(vm, v, found, ret);
    if (instance->attributes &&
        (*ret = dict_get_text(instance->attributes, name)).kind != K_UNBOUND)
        return true;
    if (found.kind != K_UNBOUND)
        return bind_found(vm, v, found, ret);
    if ((*ret = regex_part(vm, v, name)).kind != K_UNBOUND)
        return true;
    if (value_is_moment(v) && (*ret = moment_part(v, name)).kind != K_UNBOUND)
        return true;
    if (string_is(name, "__doc__")) {
        *ret = doc_of(v.instance->class);
        return true;
    }
    if (find_special_name(vm, v, name, ret) || find_in_exception(vm, v, name, ret))
        return true;
    enum kind layout = instance->class->layout;
    found = layout == K_INSTANCE ? V_UNBOUND : special_find(layout, name);
    bool is_builtin = layout != K_INSTANCE || !instance->class->attributes;
    if (found.kind == K_UNBOUND && is_builtin && is_plain_name(name) &&
        !module_builtin_method(vm, instance->class, name, &found))
        return false;
    if (found.kind != K_UNBOUND)
        return bind_found(vm, v, found, ret);
    return find_getattr(vm, v, name, ret);
}

/* The order of classes, or the direct ones. */
static struct value class_line(struct vm *vm, const struct class *class, bool wants_base)
{
    struct value line = list_new(vm->arena, K_TUPLE, 4);
    size_t cursor = 0;
    for (const struct class *at; !wants_base && (at = class_next(class, &cursor));)
        list_push(vm->arena, line.list, (struct value){ .kind = K_CLASS, .class = at });
    for (size_t i = 0; wants_base && i < class->base_count; i++)
        list_push(vm->arena, line.list,
                  (struct value){ .kind = K_CLASS, .class = class->bases[i] });
    if (wants_base && !class->base_count && class->base)
        list_push(vm->arena, line.list, (struct value){ .kind = K_CLASS, .class = class->base });
    return line;
}

static bool find_in_class(struct vm *vm, struct value v, struct string *name, struct value *ret)
{
    const struct class *class = v.class;
    struct value found = class_find(class, name);
    if (found.kind == K_UNBOUND && class->layout != K_INSTANCE)
        found = special_find(class->layout, name);
    bool is_builtin = class->layout != K_INSTANCE || !class->attributes;
    if (found.kind == K_UNBOUND && is_builtin && is_plain_name(name) &&
        !module_builtin_method(vm, class, name, &found))
        return false;
    if (found.kind == K_PROPERTY && found.property->kind != PROPERTY_GETTER) {
        *ret = found.property->kind == PROPERTY_STATIC
                   ? found.property->function
                   : bind_method(vm, v, found.property->function);
        return true;
    }
    if (found.kind == K_INSTANCE)
        return get_by_descriptor(vm, V_NONE, class, found, ret);
    if (found.kind == K_NATIVE)
        found = native_of_class(vm, class, name, found);
    if (found.kind == K_UNBOUND && (string_is(name, "__name__") || string_is(name, "__qualname__")))
        found = value_text(vm->arena, class->name);
    if (found.kind == K_UNBOUND && (string_is(name, "__mro__") || string_is(name, "__bases__")))
        found = class_line(vm, class, string_is(name, "__bases__"));
    if (found.kind == K_UNBOUND && string_is(name, "__members__")) {
        static const struct args none;
        bool has_members;
        if (!class_call_hook(vm, v, "__class_members__", &none, &found, &has_members))
            return false;
    }
    if (found.kind == K_UNBOUND && string_is(name, "__doc__"))
        found = doc_of(class);
    if (found.kind == K_UNBOUND && string_is(name, "__module__"))
        found = value_text(vm->arena, "builtins");
    if (found.kind == K_UNBOUND && string_is(name, "__dict__"))
        found =
            (struct value){ .kind = K_DICT,
                            .dict = class->attributes ? class->attributes : dict_new(vm->arena) };
    if (found.kind == K_UNBOUND && string_is(name, "InvalidRefError") && class == &class_Ref)
        found = (struct value){ .kind = K_CLASS, .class = &class_InvalidRefError };
    if (found.kind == K_UNBOUND && string_is(name, "Uninterpolatable") &&
        class == &class_MustacheParser)
        found = (struct value){ .kind = K_CLASS, .class = &class_Uninterpolatable };
    if (found.kind == K_UNBOUND && string_is(name, "Error"))
        found = class == &class_Namable
                    ? (struct value){ .kind = K_CLASS, .class = &class_NamableError }
                : class == &class_MustacheParser
                    ? (struct value){ .kind = K_CLASS, .class = &class_ParserError }
                    : V_UNBOUND;
    *ret = found;
    return true;
}

static struct value function_defaults(struct vm *vm, const struct function *function)
{
    struct value found = list_new(vm->arena, K_TUPLE, 0);
    for (uint32_t i = 0; function->defaults && i < function->code->positional_count; i++)
        if (function->defaults[i].kind != K_UNBOUND)
            list_push(vm->arena, found.list, function->defaults[i]);
    return found.list->count ? found : V_NONE;
}

static struct value keyword_defaults(struct vm *vm, const struct function *function)
{
    struct value dict = dict_value(vm->arena, K_DICT);
    const struct code *code = function->code;
    uint32_t end = code->positional_count + code->keyword_only_count;
    for (uint32_t i = code->positional_count; function->defaults && i < end; i++)
        if (function->defaults[i].kind != K_UNBOUND)
            dict_set_text(vm->arena, dict.dict, code->slots[i], function->defaults[i]);
    return dict.dict->count ? dict : V_NONE;
}

static struct value keywords_of(struct vm *vm, const struct args *args)
{
    struct value dict = dict_value(vm->arena, K_DICT);
    for (size_t i = 0; i < args->keyword_count; i++)
        dict_set_text(vm->arena, dict.dict, args->keywords[i].name, args->keywords[i].value);
    return dict;
}

static struct value find_in_function(struct vm *vm, struct value v, struct string *name)
{
    if (v.kind == K_FUNCTION && v.function->attributes) {
        struct value found = dict_get_text(v.function->attributes, name);
        if (found.kind != K_UNBOUND)
            return found;
    }
    bool is_name = string_is(name, "__name__") || string_is(name, "__qualname__");
    if (v.kind == K_BOUND && v.bound->self.kind != K_UNBOUND && string_is(name, "__self__"))
        return v.bound->self;
    if (v.kind == K_BOUND && v.bound->function.kind == K_FUNCTION && string_is(name, "__func__"))
        return v.bound->function;
    if (v.kind == K_BOUND)
        return find_in_function(vm, v.bound->function, name);
    if (v.kind == K_FUNCTION && string_is(name, "__qualname__") && v.function->code->full_name &&
        v.function->name == v.function->code->name)
        return V_STR(v.function->code->full_name);
    if (is_name && v.kind == K_FUNCTION)
        return V_STR(v.function->name);
    if (is_name && v.kind == K_NATIVE)
        return value_text(vm->arena, v.native->name);
    if (v.kind == K_FUNCTION && string_is(name, "__doc__"))
        return v.function->code->doc ? V_STR(v.function->code->doc) : V_NONE;
    if (v.kind == K_FUNCTION && string_is(name, "__defaults__"))
        return function_defaults(vm, v.function);
    if (v.kind == K_FUNCTION && string_is(name, "__kwdefaults__"))
        return keyword_defaults(vm, v.function);
    if (v.kind == K_FUNCTION && string_is(name, "__module__"))
        return value_text(vm->arena, "builtins");
    if (v.kind == K_NATIVE && string_is(name, "__doc__"))
        return V_NONE;
    if (v.kind == K_PARTIAL && string_is(name, "func"))
        return v.partial->function;
    if (v.kind == K_PARTIAL && string_is(name, "args"))
        return tuple_of(vm->arena, v.partial->args.items, v.partial->args.count);
    if (v.kind == K_PARTIAL && string_is(name, "keywords"))
        return keywords_of(vm, &v.partial->args);
    return V_UNBOUND;
}

/* Every number has the parts of a complex one, whole numbers those of a fraction. */
static struct value find_in_number(struct value v, const struct string *name)
{
    bool is_whole = value_is_integer(v);
    if (string_is(name, "real") || (is_whole && string_is(name, "numerator")))
        return v.kind == K_BOOL ? V_INT(v.b) : v;
    if (string_is(name, "imag"))
        return is_whole ? V_INT(0) : V_FLOAT(0);
    return is_whole && string_is(name, "denominator") ? V_INT(1) : V_UNBOUND;
}

static struct value find_in_property(struct vm *vm, const struct property *property,
                                     struct string *name)
{
    bool is_getter = property->kind == PROPERTY_GETTER;
    struct value setter = property->setter.kind == K_UNBOUND ? V_NONE : property->setter;
    struct value deleter = property->deleter.kind == K_UNBOUND ? V_NONE : property->deleter;
    if (string_is(name, is_getter ? "fget" : "__func__"))
        return property->function;
    if (is_getter && string_is(name, "fset"))
        return setter;
    if (is_getter && string_is(name, "fdel"))
        return deleter;
    return string_is(name, "__doc__") ? find_in_function(vm, property->function, name) : V_UNBOUND;
}

/* A slice or a range. */
static struct value find_in_slice(struct value v, struct string *name)
{
    static const char *const names[] = { "start", "stop", "step" };
    const int64_t numbers[] = { v.kind == K_RANGE ? v.range->start : 0,
                                v.kind == K_RANGE ? v.range->stop : 0,
                                v.kind == K_RANGE ? v.range->step : 0 };
    for (size_t i = 0; i < 3; i++)
        if (string_is(name, names[i]))
            return v.kind == K_RANGE ? V_INT(numbers[i]) : v.list->items[i];
    return V_UNBOUND;
}

bool value_find_attribute(struct vm *vm, struct value v, struct string *name, struct value *ret)
{
    switch (v.kind) {
    case K_INSTANCE:
        return find_in_instance(vm, v, name, ret);
    case K_CLASS:
        return find_in_class(vm, v, name, ret);
    case K_MODULE:
        return module_find(vm, v.module, name, ret);
    case K_OBJECT:
        return object_find_attribute(vm, v.object, name, ret);
    case K_TYPE:
        return type_find_attribute(vm, v.type, name, ret);
    case K_FUNCTION:
    case K_NATIVE:
    case K_BOUND:
    case K_PARTIAL:
        *ret = find_in_function(vm, v, name);
        return true;
    default:
        break;
    }
    struct value found = value_class(v) ? class_find(value_class(v), name) : V_UNBOUND;
    if (found.kind == K_UNBOUND && (v.kind == K_SLICE || v.kind == K_RANGE))
        found = find_in_slice(v, name);
    if (found.kind == K_UNBOUND && value_is_number(v))
        found = find_in_number(v, name);
    if (found.kind == K_UNBOUND && v.kind == K_ITERATOR)
        found = generator_method(v.iterator, name);
    if (found.kind == K_UNBOUND && v.kind == K_DICT && string_is(name, "default_factory"))
        found = v.dict->fallback;
    if (found.kind == K_UNBOUND && v.kind == K_PROPERTY)
        found = find_in_property(vm, v.property, name);
    if (found.kind == K_UNBOUND)
        found = special_find(v.kind, name);
    if (found.kind == K_UNBOUND && is_plain_name(name) && value_class(v)) {
        if (!module_builtin_method(vm, value_class(v), name, &found))
            return false;
        return bind_found(vm, v, found, ret);
    }
    if (found.kind == K_UNBOUND && string_is(name, "__class__"))
        found = value_type(v);
    else if (found.kind == K_UNBOUND && v.kind == K_EMPTY && string_is(name, "__name__"))
        found = value_text(vm->arena, "Empty");
    else if (found.kind == K_NATIVE)
        found = bind_method(vm, v, found);
    *ret = found;
    return true;
}

/* --- the nearest known name, for messages --- */

static bool missing_attribute(struct vm *vm, struct value v, struct string *name)
{
    if (v.kind == K_OBJECT && v.object->type->kind == TYPE_STRUCT) {
        raise_library(vm, &class_AttributeError, ERROR_ATTRIBUTE, "%s has no attribute %s",
                      v.object->type->name, name->data);
        return object_hint_field(vm, v.object->type, string_slice(name));
    }
    if (v.kind == K_MODULE)
        return raise_error(vm, &class_AttributeError, "module '%s' has no attribute '%s'",
                           v.module->name, name->data);
    if (v.kind == K_CLASS || v.kind == K_TYPE || v.kind == K_EMPTY)
        return raise_error(vm, &class_AttributeError, "type object '%s' has no attribute '%s'",
                           v.kind == K_CLASS  ? v.class->name
                           : v.kind == K_TYPE ? v.type->name
                                              : "Empty",
                           name->data);
    return raise_error(vm, &class_AttributeError, "'%s' object has no attribute '%s'",
                       value_type_name(v), name->data);
}

bool value_get_attribute(struct vm *vm, struct value v, struct string *name, struct value *ret)
{
    if (!value_find_attribute(vm, v, name, ret))
        return false;
    return ret->kind != K_UNBOUND || missing_attribute(vm, v, name);
}

/* --- changing --- */

/* What an exception keeps elsewhere than among its attributes. */
static bool set_in_exception(struct vm *vm, struct value v, const struct string *name,
                             struct value item, bool *ret_done)
{
    struct value items;
    *ret_done = true;
    if (string_is(name, "args")) {
        if (!value_to_list(vm, item, K_TUPLE, &items))
            return false;
        v.instance->payload = items;
    } else if (string_is(name, "__cause__")) {
        v.instance->cause = exception_or_none(item);
        v.instance->is_context_hidden = true;
    } else if (string_is(name, "__context__")) {
        v.instance->context = exception_or_none(item);
    } else {
        *ret_done = string_is(name, "__traceback__");
    }
    return true;
}

bool attribute_store(struct vm *vm, struct value v, struct string *name, struct value item)
{
    bool is_done = false;
    if (class_is_subclass(v.instance->class, &class_BaseException) &&
        !set_in_exception(vm, v, name, item, &is_done))
        return false;
    if (is_done)
        return true;
    if (!v.instance->attributes)
        v.instance->attributes = dict_new(vm->arena);
    dict_set_text(vm->arena, v.instance->attributes, name, item);
    return true;
}

static bool set_in_instance(struct vm *vm, struct value v, struct string *name, struct value item)
{
    struct value found = class_find(v.instance->class, name), arguments[] = { V_STR(name), item },
                 result;
    bool is_done, is_property = found.kind == K_PROPERTY && found.property->kind == PROPERTY_GETTER;
    if (is_property && found.property->setter.kind != K_UNBOUND) {
        const struct args args = { .items = (const struct value[]){ v, item }, .count = 2 };
        return value_call(vm, found.property->setter, &args, &result);
    }
    if (is_property)
        return raise_error(vm, &class_AttributeError, "property '%s' of '%s' object has no setter",
                           name->data, v.instance->class->name);
    const struct value place[] = { v, item };
    if (!value_call_special(vm, v, "__setattr__", arguments, 2, &result, &is_done) ||
        (!is_done && !value_call_special(vm, found, "__set__", place, 2, &result, &is_done)))
        return false;
    if (is_done)
        return true;
    return attribute_store(vm, v, name, item);
}

bool value_set_attribute(struct vm *vm, struct value v, struct string *name, struct value item)
{
    if (v.kind == K_INSTANCE)
        return set_in_instance(vm, v, name, item);
    if (v.kind == K_CLASS && v.class->attributes) {
        dict_set_text(vm->arena, v.class->attributes, name, item);
        return true;
    }
    if (v.kind == K_FUNCTION) {
        if (!v.function->attributes)
            v.function->attributes = dict_new(vm->arena);
        dict_set_text(vm->arena, v.function->attributes, name, item);
        return true;
    }
    if (v.kind == K_CLASS)
        return raise_error(vm, &class_TypeError, "cannot set '%s' attribute of immutable type '%s'",
                           name->data, v.class->name);
    return raise_error(vm, &class_AttributeError, "'%s' object has no attribute '%s'",
                       value_type_name(v), name->data);
}

/* By a property's deleter, or by __delattr__(). */
static bool delete_by_code(struct vm *vm, struct value v, struct string *name, bool *ret_done)
{
    struct value found = class_find(v.instance->class, name), text = V_STR(name), result;
    *ret_done = true;
    if (found.kind == K_PROPERTY && found.property->kind == PROPERTY_GETTER) {
        if (found.property->deleter.kind != K_UNBOUND)
            return value_call1(vm, found.property->deleter, v, &result);
        return raise_error(vm, &class_AttributeError, "property '%s' of '%s' object has no deleter",
                           name->data, v.instance->class->name);
    }
    return value_call_special(vm, v, "__delattr__", &text, 1, &result, ret_done);
}

bool value_delete_attribute(struct vm *vm, struct value v, struct string *name)
{
    bool is_done = false;
    if (v.kind == K_INSTANCE && !delete_by_code(vm, v, name, &is_done))
        return false;
    return is_done || attribute_remove(vm, v, name);
}

bool attribute_remove(struct vm *vm, struct value v, struct string *name)
{
    struct dict *attributes = v.kind == K_INSTANCE ? v.instance->attributes
                              : v.kind == K_CLASS  ? v.class->attributes
                                                   : NULL;
    if (attributes && dict_remove_text(attributes, name))
        return true;
    return missing_attribute(vm, v, name);
}

/* A special method of a class written in C; what all objects and exceptions have is done elsewhere. */
static bool is_own_native(const struct class *class, struct value found)
{
    return found.kind == K_NATIVE && class->layout == K_INSTANCE && !class->attributes &&
           !class_is_subclass(class, &class_BaseException) &&
           strcmp(found.native->name, "__str__") != 0 &&
           strcmp(found.native->name, "__repr__") != 0 &&
           strcmp(found.native->name, "__init__") != 0;
}

bool value_call_special(struct vm *vm, struct value v, const char *name, const struct value *items,
                        size_t count, struct value *ret, bool *ret_found)
{
    *ret_found = false;
    if (v.kind != K_INSTANCE || v.instance->class == &class_super)
        return true;
    struct value found = class_find(v.instance->class, string_from(vm->arena, name));
    if (found.kind != K_FUNCTION && found.kind != K_PARTIAL && found.kind != K_PROPERTY &&
        !is_own_native(v.instance->class, found))
        return true;
    *ret_found = true;
    if (found.kind == K_PROPERTY && !bind_found(vm, v, found, &found))
        return false;
    if (found.kind == K_FUNCTION || found.kind == K_NATIVE)
        found = bind_method(vm, v, found);
    const struct args args = { .items = items, .count = count };
    return value_call(vm, found, &args, ret);
}

/* --- isinstance() --- */

static bool is_instance_of_class(struct value v, const struct class *class)
{
    if (class == &class_object)
        return true;
    if (v.kind == K_OBJECT)
        return class == &class_Type;
    if (class == &class_int && v.kind == K_BOOL)
        return true;
    if (class == &class_Namable)
        return v.kind == K_ENVIRONMENT;
    const struct class *own = value_class(v);
    return own && class_is_subclass(own, class);
}

bool value_is_instance(struct vm *vm, struct value v, struct value type, bool *ret)
{
    if (type.kind == K_INSTANCE && type.instance->class == &class_UnionType)
        type = type.instance->payload;
    if (type.kind == K_TUPLE) {
        *ret = false;
        for (size_t i = 0; !*ret && i < type.list->count; i++)
            if (!value_is_instance(vm, v, type.list->items[i], ret))
                return false;
        return true;
    }
    if (type.kind == K_TYPE)
        return type_is_instance(vm, type.type, v, ret);
    if (type.kind == K_EMPTY) {
        *ret = false;
        return true;
    }
    if (type.kind != K_CLASS)
        return raise_error(vm, &class_TypeError,
                           "isinstance() arg 2 must be a type, a tuple of types, or a union");
    *ret = is_instance_of_class(v, type.class);
    return true;
}
