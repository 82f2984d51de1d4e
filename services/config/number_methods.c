#include "config/class.h"
#include "config/integer.h"
#include "config/number_text.h"
#include "config/template.h"

#include <math.h>

/* int, float, bool, and the classes that have nothing but a name. */

#define SHOWN_BYTES 200 /* of a text that is no number */

#define METHOD(name)                                                                               \
    static bool name(struct vm *vm, struct value self, const struct args *args, struct value *ret)

static bool invalid_literal(struct vm *vm, struct value v, int base)
{
    struct string *text;
    return value_repr(vm, v, &text) &&
           raise_error(vm, &class_ValueError, "invalid literal for int() with base %d: %.*s", base,
                       SHOWN_BYTES, text->data);
}

/* Every digit is added to those before it, several at a time. */
static bool integer_of_text(struct vm *vm, struct value v, int base, struct value *ret)
{
    size_t len = v.s->len;
    if (len > LIMIT_INTEGER_BITS)
        return raise_limit(vm, "the text of a whole number is longer than %d bytes",
                           LIMIT_INTEGER_BITS);
    return vm_work(vm, len + len * len / 20) &&
           (integer_parse_text(vm->arena, string_slice(v.s), base, ret) ||
            invalid_literal(vm, v, base));
}

static bool integer_of(struct vm *vm, struct value v, struct value *ret)
{
    struct value result;
    bool found;
    if (v.kind == K_STR || v.kind == K_BYTES)
        return integer_of_text(vm, v, 10, ret);
    if (v.kind == K_FLOAT) {
        if (isnan(v.f))
            return raise_error(vm, &class_ValueError, "cannot convert float NaN to integer");
        if (isinf(v.f))
            return raise_error(vm, &class_OverflowError,
                               "cannot convert float infinity to integer");
        *ret = integer_from_double(vm->arena, v.f);
        return true;
    }
    if (value_is_integer(v)) {
        *ret = v.kind == K_BOOL ? V_INT(v.b) : v;
        return true;
    }
    if (!value_call_special(vm, v, "__int__", NULL, 0, &result, &found))
        return false;
    if (found && !value_is_integer(result))
        return raise_error(vm, &class_TypeError, "__int__ returned non-int (type %s)",
                           value_type_name(result));
    if (found) {
        *ret = result.kind == K_BOOL ? V_INT(result.b) : result;
        return true;
    }
    return raise_error(
        vm, &class_TypeError,
        "int() argument must be a string, a bytes-like object or a real number, not '%s'",
        value_type_name(v));
}

static struct value argument(const struct args *args, size_t index)
{
    struct value v = index < args->count ? args->items[index] : V_UNBOUND;
    return value_contents(v);
}

static bool construct_int(struct vm *vm, const struct class *class, const struct args *args,
                          struct value *ret)
{
    (void)class;
    int64_t base = 10;
    struct value base_value = argument(args, 1);
    for (size_t i = 0; i < args->keyword_count; i++)
        if (string_is(args->keywords[i].name, "base"))
            base_value = args->keywords[i].value;
    *ret = V_INT(0);
    if (args->count == 0)
        return true;
    if (base_value.kind == K_UNBOUND)
        return integer_of(vm, argument(args, 0), ret);
    if (!value_to_i64(vm, base_value, &base))
        return false;
    if (base != 0 && (base < 2 || base > 36))
        return raise_error(vm, &class_ValueError, "int() base must be >= 2 and <= 36, or 0");
    if (args->items[0].kind != K_STR)
        return raise_error(vm, &class_TypeError,
                           "int() can't convert non-string with explicit base");
    return integer_of_text(vm, args->items[0], (int)base, ret);
}

static bool construct_float(struct vm *vm, const struct class *class, const struct args *args,
                            struct value *ret)
{
    (void)class;
    struct value v = argument(args, 0), result;
    struct string *text;
    bool found;
    *ret = V_FLOAT(0);
    if (v.kind == K_UNBOUND)
        return true;
    if (v.kind == K_STR) {
        if (!vm_work(vm, v.s->len))
            return false;
        if (float_parse(string_slice(v.s), &ret->f))
            return true;
        return value_repr(vm, v, &text) &&
               raise_error(vm, &class_ValueError, "could not convert string to float: %.*s",
                           SHOWN_BYTES, text->data);
    }
    if (value_is_integer(v)) {
        ret->f = integer_to_double(v);
        return !isinf(ret->f) ||
               raise_error(vm, &class_OverflowError, "int too large to convert to float");
    }
    if (v.kind == K_FLOAT) {
        *ret = v;
        return true;
    }
    if (!value_call_special(vm, v, "__float__", NULL, 0, &result, &found))
        return false;
    if (found && result.kind != K_FLOAT)
        return raise_error(vm, &class_TypeError, "%s.__float__ returned non-float (type %s)",
                           value_type_name(v), value_type_name(result));
    if (found) {
        *ret = result;
        return true;
    }
    return raise_error(vm, &class_TypeError,
                       "float() argument must be a string or a real number, not '%s'",
                       value_type_name(v));
}

static bool construct_bool(struct vm *vm, const struct class *class, const struct args *args,
                           struct value *ret)
{
    (void)class;
    ret->kind = K_BOOL;
    ret->b = false;
    return args->count == 0 || value_truth(vm, args->items[0], &ret->b);
}

METHOD(int_bit_length)
{
    (void)vm;
    (void)args;
    *ret = V_INT((int64_t)integer_bits(self));
    return true;
}

METHOD(float_is_integer)
{
    (void)vm;
    (void)args;
    *ret = V_BOOL(self.f == trunc(self.f) && !isinf(self.f));
    return true;
}

METHOD(number_conjugate)
{
    (void)vm;
    (void)args;
    *ret = self;
    return true;
}

static const struct native INT_METHODS[] = {
    { "bit_length", int_bit_length, "" },
    { "conjugate", number_conjugate, "" },
    { NULL, NULL, NULL },
};

static const struct native FLOAT_METHODS[] = {
    { "is_integer", float_is_integer, "" },
    { "conjugate", number_conjugate, "" },
    { NULL, NULL, NULL },
};

const struct class class_int = { .name = "int",
                                 .base = &class_object,
                                 .layout = K_INT,
                                 .methods = INT_METHODS,
                                 .construct = construct_int };
const struct class class_bool = {
    .name = "bool", .base = &class_int, .layout = K_BOOL, .construct = construct_bool
};
const struct class class_float = { .name = "float",
                                   .base = &class_object,
                                   .layout = K_FLOAT,
                                   .methods = FLOAT_METHODS,
                                   .construct = construct_float };

/* --- range, slice, property and the others --- */

static bool construct_range(struct vm *vm, const struct class *class, const struct args *args,
                            struct value *ret)
{
    (void)class;
    struct range *range = arena_alloc(vm->arena, sizeof *range);
    int64_t numbers[3] = { 0, 0, 1 };
    if (args->count < 1 || args->count > 3)
        return raise_error(vm, &class_TypeError, "range expected at %s, got %zu",
                           args->count ? "most 3 arguments" : "least 1 argument", args->count);
    for (size_t i = 0; i < args->count; i++) {
        if (!value_is_integer(args->items[i]))
            return raise_error(vm, &class_TypeError,
                               "'%s' object cannot be interpreted as an integer",
                               value_type_name(args->items[i]));
        if (!value_to_i64(vm, args->items[i], &numbers[args->count == 1 ? 1 : i]))
            return false;
    }
    *range = (struct range){ .start = numbers[0], .stop = numbers[1], .step = numbers[2] };
    if (range->step == 0)
        return raise_error(vm, &class_ValueError, "range() arg 3 must not be zero");
    __int128 distance = range->step > 0 ? (__int128)range->stop - range->start
                                        : (__int128)range->start - range->stop;
    __int128 step = range->step > 0 ? range->step : -(__int128)range->step;
    range->count = distance > 0 ? (size_t)((distance + step - 1) / step) : 0;
    *ret = (struct value){ .kind = K_RANGE, .range = range };
    return true;
}

static bool construct_slice(struct vm *vm, const struct class *class, const struct args *args,
                            struct value *ret)
{
    (void)class;
    struct value parts[3] = { V_NONE, V_NONE, V_NONE };
    if (args->count < 1 || args->count > 3)
        return raise_error(vm, &class_TypeError, "slice expected at %s, got %zu",
                           args->count ? "most 3 arguments" : "least 1 argument", args->count);
    for (size_t i = 0; i < args->count; i++)
        parts[args->count == 1 ? 1 : i] = args->items[i];
    *ret = tuple_of(vm->arena, parts, 3);
    ret->kind = K_SLICE;
    return true;
}

static struct value property_part(const struct args *args, size_t index, const char *name)
{
    struct value v = index < args->count ? args->items[index] : V_UNBOUND;
    for (size_t i = 0; i < args->keyword_count; i++)
        if (string_is(args->keywords[i].name, name))
            v = args->keywords[i].value;
    return v.kind == K_NONE ? V_UNBOUND : v;
}

static bool construct_property(struct vm *vm, const struct class *class, const struct args *args,
                               struct value *ret)
{
    struct property *property = arena_alloc(vm->arena, sizeof *property);
    if (args->count < 1 && class != &class_property)
        return raise_error(vm, &class_TypeError, "%s expected 1 argument, got 0", class->name);
    property->kind = class == &class_property       ? PROPERTY_GETTER
                     : class == &class_staticmethod ? PROPERTY_STATIC
                                                    : PROPERTY_CLASS;
    property->function = args->count ? args->items[0] : V_NONE;
    property->setter = property_part(args, 1, "fset");
    property->deleter = property_part(args, 2, "fdel");
    *ret = (struct value){ .kind = K_PROPERTY, .property = property };
    return true;
}

static bool construct_type(struct vm *vm, const struct class *class, const struct args *args,
                           struct value *ret)
{
    (void)class;
    const struct class *made;
    if (args->count == 1) {
        *ret = value_type(args->items[0]);
        return true;
    }
    if (args->count != 3 || args->items[0].kind != K_STR || args->items[1].kind != K_TUPLE ||
        args->items[2].kind != K_DICT)
        return raise_error(vm, &class_TypeError, "type() takes 1 or 3 arguments");
    if (args->items[1].list->count && args->items[1].list->items[0].kind == K_TYPE)
        return type_define_struct(vm, args->items[0].s->data, args->items[1].list->items[0].type,
                                  args->items[2].dict, ret);
    if (!class_define(vm, args->items[0].s, args->items[1].list->items, args->items[1].list->count,
                      dict_copy(vm->arena, args->items[2].dict), &made) ||
        !class_announce(vm, made, args->keywords, args->keyword_count))
        return false;
    *ret = (struct value){ .kind = K_CLASS, .class = made };
    return true;
}

static bool construct_super(struct vm *vm, const struct class *class, const struct args *args,
                            struct value *ret)
{
    (void)class;
    if (args->count != 2 || args->items[0].kind != K_CLASS)
        return raise_error(vm, &class_TypeError,
                           "super() takes no arguments, or a class and an object");
    *ret = super_new(vm, args->items[0].class, args->items[1]);
    return true;
}

static bool construct_partial(struct vm *vm, const struct class *class, const struct args *args,
                              struct value *ret)
{
    (void)class;
    struct partial *partial = arena_alloc(vm->arena, sizeof *partial);
    if (args->count < 1)
        return raise_error(vm, &class_TypeError, "type 'partial' takes at least one argument");
    if (!value_is_callable(args->items[0]) && args->items[0].kind != K_INSTANCE)
        return raise_error(vm, &class_TypeError, "the first argument must be callable");
    partial->function = args->items[0];
    struct keyword *keywords = arena_array(vm->arena, args->keyword_count, sizeof *keywords);
    if (args->keyword_count)
        memcpy(keywords, args->keywords, args->keyword_count * sizeof *keywords);
    struct value items = tuple_of(vm->arena, args->items + 1, args->count - 1);
    partial->args =
        (struct args){ items.list->items, items.list->count, keywords, args->keyword_count };
    *ret = (struct value){ .kind = K_PARTIAL, .partial = partial };
    return true;
}

/* @name.setter and the like: a new property with one of its functions replaced. */
static struct property *property_copy(struct vm *vm, struct value self, struct value *ret)
{
    struct property *property = arena_alloc(vm->arena, sizeof *property);
    *property = *self.property;
    *ret = (struct value){ .kind = K_PROPERTY, .property = property };
    return property;
}

METHOD(property_setter)
{
    property_copy(vm, self, ret)->setter = args->items[0];
    return true;
}

METHOD(property_getter)
{
    property_copy(vm, self, ret)->function = args->items[0];
    return true;
}

METHOD(property_deleter)
{
    property_copy(vm, self, ret)->deleter = args->items[0];
    return true;
}

static const struct native PROPERTY_METHODS[] = {
    { "deleter", property_deleter, "fdel" },
    { "getter", property_getter, "fget" },
    { "setter", property_setter, "fset" },
    { NULL, NULL, NULL },
};

/* object's own methods, for classes that override them and go on with these. */
static bool expect_attribute(struct vm *vm, struct value self, const struct args *args)
{
    if (args->items[0].kind != K_STR)
        return raise_error(vm, &class_TypeError, "attribute name must be string, not '%s'",
                           value_type_name(args->items[0]));
    return self.kind == K_INSTANCE ||
           raise_error(vm, &class_AttributeError, "'%s' object has no attribute '%s'",
                       value_type_name(self), args->items[0].s->data);
}

METHOD(object_setattr)
{
    *ret = V_NONE;
    return expect_attribute(vm, self, args) &&
           attribute_store(vm, self, args->items[0].s, args->items[1]);
}

METHOD(object_delattr)
{
    *ret = V_NONE;
    return expect_attribute(vm, self, args) && attribute_remove(vm, self, args->items[0].s);
}

METHOD(object_getattribute)
{
    return expect_attribute(vm, self, args) && value_get_attribute(vm, self, args->items[0].s, ret);
}

METHOD(object_init)
{
    (void)vm;
    (void)self;
    (void)args;
    *ret = V_NONE;
    return true;
}

METHOD(object_str)
{
    (void)args;
    ret->kind = K_STR;
    if (self.kind == K_INSTANCE && self.instance->payload.kind == K_STR) {
        ret->s = self.instance->payload.s;
        return true;
    }
    return self.kind == K_INSTANCE ? value_repr(vm, self, &ret->s) : value_str(vm, self, &ret->s);
}

METHOD(inherited_repr)
{
    (void)args;
    ret->kind = K_STR;
    return self.kind == K_INSTANCE ? value_repr_inherited(vm, self, &ret->s)
                                   : value_repr(vm, self, &ret->s);
}

/* __new__(class, ...) */
METHOD(object_new)
{
    (void)self;
    if (args->count == 0 || args->items[0].kind != K_CLASS)
        return raise_error(vm, &class_TypeError, "object.__new__(X): X is not a type object");
    struct args rest = *args;
    rest.items++;
    rest.count--;
    return args->items[0].class->attributes
               ? class_allocate(vm, args->items[0].class, &rest, ret)
               : class_instantiate(vm, args->items[0].class, &rest, ret);
}

METHOD(object_init_subclass)
{
    (void)vm;
    (void)self;
    (void)args;
    *ret = V_NONE;
    return true;
}

static const struct native OBJECT_STATICS[] = {
    { "__new__", object_new, NULL },
    { "__init_subclass__", object_init_subclass, "" },
    { NULL, NULL, NULL },
};

static const struct native OBJECT_METHODS[] = {
    { "__init__", object_init, NULL },
    { "__str__", object_str, "" },
    { "__repr__", inherited_repr, "" },
    { "__delattr__", object_delattr, "name" },
    { "__getattribute__", object_getattribute, "name" },
    { "__setattr__", object_setattr, "name value" },
    { NULL, NULL, NULL },
};

bool native_is_of_object(const struct native *native)
{
    return native >= OBJECT_METHODS &&
           native < OBJECT_METHODS + sizeof OBJECT_METHODS / sizeof *OBJECT_METHODS;
}

#define PLAIN_CLASS(symbol, text, kind)                                                            \
    const struct class class_##symbol = { .name = text, .base = &class_object, .layout = kind };
#define MADE_CLASS(symbol, text, kind, function)                                                   \
    const struct class class_##symbol = {                                                          \
        .name = text, .base = &class_object, .layout = kind, .construct = function                 \
    };

const struct class class_object = {
    .name = "object", .layout = K_INSTANCE, .methods = OBJECT_METHODS, .statics = OBJECT_STATICS
};
PLAIN_CLASS(NoneType, "NoneType", K_NONE)
PLAIN_CLASS(ellipsis, "ellipsis", K_ELLIPSIS)
PLAIN_CLASS(function, "function", K_FUNCTION)
PLAIN_CLASS(builtin, "builtin_function_or_method", K_NATIVE)
PLAIN_CLASS(method, "method", K_BOUND)
PLAIN_CLASS(module, "module", K_MODULE)
PLAIN_CLASS(iterator, "iterator", K_ITERATOR)
MADE_CLASS(type, "type", K_CLASS, construct_type)
MADE_CLASS(range, "range", K_RANGE, construct_range)
MADE_CLASS(slice, "slice", K_SLICE, construct_slice)
const struct class class_property = { .name = "property",
                                      .base = &class_object,
                                      .layout = K_PROPERTY,
                                      .methods = PROPERTY_METHODS,
                                      .construct = construct_property };
MADE_CLASS(staticmethod, "staticmethod", K_PROPERTY, construct_property)
MADE_CLASS(classmethod, "classmethod", K_PROPERTY, construct_property)
MADE_CLASS(super, "super", K_INSTANCE, construct_super)
MADE_CLASS(partial, "partial", K_PARTIAL, construct_partial)
