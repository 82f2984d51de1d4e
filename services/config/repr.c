#include "config/class.h"
#include "config/integer.h"
#include "config/modules.h"
#include "config/moment.h"
#include "config/number_text.h"
#include "config/sort.h"
#include "config/template.h"
#include "config/unicode.h"
#include "config/vm.h"

/* str() and repr(), exactly as Python writes them. */

static bool add_repr(struct vm *vm, struct buffer *buffer, struct value v);

static void add_escaped(struct buffer *buffer, uint32_t code, const char *bytes, size_t len,
                        char quote)
{
    if (code == '\\' || code == (uint32_t)quote)
        buffer_printf(buffer, "\\%c", (char)code);
    else if (code == '\n')
        buffer_text(buffer, "\\n");
    else if (code == '\r')
        buffer_text(buffer, "\\r");
    else if (code == '\t')
        buffer_text(buffer, "\\t");
    else if (unicode_is_printable(code))
        buffer_add(buffer, bytes, len);
    else
        buffer_printf(buffer,
                      code < 0x100     ? "\\x%02x"
                      : code < 0x10000 ? "\\u%04x"
                                       : "\\U%08x",
                      code);
}

static void add_text_repr(struct buffer *buffer, const struct string *s)
{
    bool has_single = memchr(s->data, '\'', s->len), has_double = memchr(s->data, '"', s->len);
    char quote = has_single && !has_double ? '"' : '\'';
    buffer_char(buffer, quote);
    for (size_t at = 0, length; at < s->len && !buffer->is_over; at += length) {
        uint32_t code = utf8_decode(s->data + at, &length);
        add_escaped(buffer, code, s->data + at, length, quote);
    }
    buffer_char(buffer, quote);
}

static void add_bytes_repr(struct buffer *buffer, const struct string *s)
{
    bool has_single = memchr(s->data, '\'', s->len), has_double = memchr(s->data, '"', s->len);
    char quote = has_single && !has_double ? '"' : '\'';
    buffer_printf(buffer, "b%c", quote);
    for (size_t at = 0; at < s->len && !buffer->is_over; at++) {
        unsigned char c = (unsigned char)s->data[at];
        if (c >= 0x7f)
            buffer_printf(buffer, "\\x%02x", c);
        else
            add_escaped(buffer, c, s->data + at, 1, quote);
    }
    buffer_char(buffer, quote);
}

static bool add_items(struct vm *vm, struct buffer *buffer, const struct list *list,
                      const char *open, const char *close)
{
    buffer_text(buffer, open);
    for (size_t i = 0; i < list->count; i++) {
        if (i)
            buffer_text(buffer, ", ");
        if (!add_repr(vm, buffer, list->items[i]))
            return false;
    }
    buffer_text(buffer, close);
    return true;
}

static bool add_dict(struct vm *vm, struct buffer *buffer, const struct dict *dict)
{
    size_t cursor = 0, count = 0;
    buffer_char(buffer, '{');
    for (struct dict_entry *entry; (entry = dict_next(dict, &cursor)); count++) {
        if (count)
            buffer_text(buffer, ", ");
        if (!add_repr(vm, buffer, entry->key))
            return false;
        buffer_text(buffer, ": ");
        if (!add_repr(vm, buffer, entry->value))
            return false;
    }
    buffer_char(buffer, '}');
    return true;
}

/* OrderedDict([('a', 1)]) */
static bool add_pairs(struct vm *vm, struct buffer *buffer, const struct dict *dict)
{
    size_t cursor = 0, count = 0;
    buffer_text(buffer, dict->count ? "([" : "(");
    for (struct dict_entry *entry; (entry = dict_next(dict, &cursor)); count++) {
        buffer_text(buffer, count ? ", (" : "(");
        if (!add_repr(vm, buffer, entry->key))
            return false;
        buffer_text(buffer, ", ");
        if (!add_repr(vm, buffer, entry->value))
            return false;
        buffer_char(buffer, ')');
    }
    buffer_text(buffer, dict->count ? "])" : ")");
    return true;
}

/* A Counter shows its largest counts first. */
static bool by_count(struct vm *vm, const struct dict *dict, const struct dict **ret)
{
    struct list keys = { 0 }, counts = { 0 };
    struct dict *sorted = dict_new(vm->arena);
    size_t cursor = 0;
    for (struct dict_entry *entry; (entry = dict_next(dict, &cursor));) {
        list_push(vm->arena, &keys, entry->key);
        list_push(vm->arena, &counts, entry->value);
    }
    if (!sort_by(vm, &keys, &counts, true))
        return false;
    for (size_t i = 0; i < keys.count; i++) {
        struct value count;
        if (!dict_get(vm, dict, keys.items[i], &count) ||
            !dict_set(vm, sorted, keys.items[i], count))
            return false;
    }
    *ret = sorted;
    return true;
}

/* The name is that of a derived class, if it is of one. */
static bool add_named_dict(struct vm *vm, struct buffer *buffer, const struct dict *dict,
                           const char *name)
{
    buffer_text(buffer, name);
    if (strcmp(dict->type_name, "OrderedDict") == 0)
        return add_pairs(vm, buffer, dict);
    buffer_char(buffer, '(');
    if (dict->fallback.kind != K_UNBOUND) {
        if (!add_repr(vm, buffer, dict->fallback))
            return false;
        buffer_text(buffer, ", ");
    } else if (dict->count == 0) {
        buffer_char(buffer, ')');
        return true;
    }
    bool is_counter = strcmp(dict->type_name, "Counter") == 0;
    if ((is_counter && !by_count(vm, dict, &dict)) || !add_dict(vm, buffer, dict))
        return false;
    buffer_char(buffer, ')');
    return true;
}

static bool add_set(struct vm *vm, struct buffer *buffer, const struct dict *dict,
                    const char *empty, const char *open, const char *close)
{
    size_t cursor = 0, count = 0;
    if (dict->count == 0) {
        buffer_text(buffer, empty);
        return true;
    }
    buffer_text(buffer, open);
    for (struct dict_entry *entry; (entry = dict_next(dict, &cursor)); count++) {
        if (count)
            buffer_text(buffer, ", ");
        if (!add_repr(vm, buffer, entry->key))
            return false;
    }
    buffer_text(buffer, close);
    return true;
}

static void add_range(struct buffer *buffer, const struct range *range)
{
    buffer_printf(buffer, "range(%lld, %lld", (long long)range->start, (long long)range->stop);
    if (range->step != 1)
        buffer_printf(buffer, ", %lld", (long long)range->step);
    buffer_char(buffer, ')');
}

static void add_address(struct buffer *buffer, const char *what, const char *name)
{
    buffer_printf(buffer, "<%s%s%s at 0x7f0000000000>", what, *name ? " " : "", name);
}

static void add_union(struct buffer *buffer, const struct list *parts)
{
    for (size_t i = 0; i < parts->count; i++) {
        const struct class *class = parts->items[i].class;
        buffer_printf(buffer, "%s%s", i ? " | " : "",
                      class == &class_NoneType ? "None" : class->name);
    }
}

/* Of an instance, apart from a __repr__ of its own class. */
static bool add_inherited(struct vm *vm, struct buffer *buffer, struct value v)
{
    bool found;
    const struct instance *instance = v.instance;
    if (class_is_subclass(instance->class, &class_BaseException)) {
        buffer_text(buffer, instance->class->name);
        const struct list *items = instance->payload.list;
        return add_items(vm, buffer, items, "(", ")");
    }
    if (!regex_repr(vm, v, buffer, &found))
        return false;
    if (found)
        return true;
    if (value_is_moment(v)) {
        struct string *text;
        if (!moment_repr(vm, v, &text))
            return false;
        buffer_string(buffer, text);
        return true;
    }
    if (strcmp(instance->class->name, "Component") == 0 && instance->payload.kind == K_STR) {
        buffer_string(buffer, instance->payload.s);
        return true;
    }
    if (instance->class == &class_UnionType) {
        add_union(buffer, instance->payload.list);
        return true;
    }
    if (instance->class->layout == K_LIST &&
        !instance->class->attributes) { /* dict_keys and the like */
        view_refresh(vm, v);
        buffer_printf(buffer, "%s(", instance->class->name);
        if (!add_repr(vm, buffer, instance->payload))
            return false;
        buffer_char(buffer, ')');
        return true;
    }
    if (instance->payload.kind == K_DICT && instance->payload.dict->type_name)
        return add_named_dict(vm, buffer, instance->payload.dict, instance->class->name);
    if (instance->class->layout != K_INSTANCE)
        return add_repr(vm, buffer, instance->payload);
    buffer_printf(buffer, "<%s object at 0x7f0000000000>", instance->class->name);
    return true;
}

static bool add_instance(struct vm *vm, struct buffer *buffer, struct value v)
{
    struct value result;
    bool found;
    if (!value_call_special(vm, v, "__repr__", NULL, 0, &result, &found))
        return false;
    if (found) {
        if (result.kind != K_STR)
            return raise_error(vm, &class_TypeError, "__repr__ returned non-string (type %s)",
                               value_type_name(result));
        buffer_string(buffer, result.s);
        return true;
    }
    return add_inherited(vm, buffer, v);
}

static bool add_environment(struct vm *vm, struct buffer *buffer,
                            const struct environment *environment)
{
    buffer_text(buffer, "Environment({");
    for (size_t i = 0; i < environment->count; i++) {
        struct slice address = reference_address(string_slice(environment->items[i].reference));
        buffer_text(buffer, i ? ", Ref(" : "Ref(");
        buffer_add(buffer, address.ptr, address.len);
        buffer_text(buffer, "): ");
        if (!add_repr(vm, buffer, environment->items[i].value))
            return false;
    }
    buffer_text(buffer, "})");
    return true;
}

static void add_class_repr(struct buffer *buffer, const char *name)
{
    buffer_printf(buffer, "<class '%s'>", name);
}

static bool add_integer(struct vm *vm, struct buffer *buffer, struct value v)
{
    struct string *digits;
    if (!value_digits(vm, v, 10, &digits))
        return false;
    buffer_string(buffer, digits);
    return true;
}

static bool add_simple_repr(struct vm *vm, struct buffer *buffer, struct value v)
{
    char number[FLOAT_TEXT_BYTES];
    switch (v.kind) {
    case K_BOOL:
        buffer_text(buffer, v.b ? "True" : "False");
        return true;
    case K_INT:
    case K_BIG:
        return add_integer(vm, buffer, v);
    case K_FLOAT:
        float_repr(v.f, number);
        buffer_text(buffer, number);
        return true;
    case K_STR:
        add_text_repr(buffer, v.s);
        return true;
    case K_BYTES:
        add_bytes_repr(buffer, v.s);
        return true;
    case K_RANGE:
        add_range(buffer, v.range);
        return true;
    case K_REF: {
        struct slice address = reference_address(string_slice(v.s));
        buffer_text(buffer, "Ref(");
        buffer_add(buffer, address.ptr, address.len);
        buffer_char(buffer, ')');
        return true;
    }
    case K_TYPECHECK:
        buffer_text(buffer, v.typecheck->is_ok ? "TypeCheck(OK)" : "TypeCheck(FAILED): ");
        buffer_text(buffer, v.typecheck->is_ok ? "" : v.typecheck->message);
        return true;
    case K_ELLIPSIS:
        buffer_text(buffer, "Ellipsis");
        return true;
    case K_NOT_IMPLEMENTED:
        buffer_text(buffer, "NotImplemented");
        return true;
    case K_EMPTY:
        add_class_repr(buffer, "pystachio.composite.Empty");
        return true;
    default:
        buffer_text(buffer, "None");
        return true;
    }
}

static bool add_own_class_repr(struct vm *vm, struct buffer *buffer, struct value v)
{
    static const struct args none;
    struct value text;
    bool found;
    if (!class_call_hook(vm, v, "__class_repr__", &none, &text, &found))
        return false;
    if (found && text.kind == K_STR)
        buffer_string(buffer, text.s);
    else
        add_class_repr(buffer, v.class->name);
    return true;
}

static bool add_callable_repr(struct vm *vm, struct buffer *buffer, struct value v)
{
    switch (v.kind) {
    case K_FUNCTION:
        add_address(buffer, "function", v.function->name->data);
        return true;
    case K_NATIVE:
        buffer_printf(buffer, "<built-in function %s>", v.native->name);
        return true;
    case K_BOUND:
        buffer_text(buffer, "<bound method ");
        buffer_text(buffer, v.bound->function.kind == K_FUNCTION
                                ? v.bound->function.function->name->data
                            : v.bound->function.kind == K_NATIVE ? v.bound->function.native->name
                                                                 : "?");
        buffer_text(buffer, " of ");
        if (!add_repr(vm, buffer, v.bound->self))
            return false;
        buffer_char(buffer, '>');
        return true;
    case K_CLASS:
        return add_own_class_repr(vm, buffer, v);
    case K_TYPE:
        buffer_printf(buffer, "<class 'pystachio.typing.%s'>", v.type->name);
        return true;
    case K_MODULE:
        buffer_printf(buffer, "<module '%s'>", v.module->name);
        return true;
    case K_ITERATOR:
        add_address(buffer, v.iterator->type_name, "object");
        return true;
    default:
        add_address(buffer, value_type_name(v), "object");
        return true;
    }
}

static bool add_container_repr(struct vm *vm, struct buffer *buffer, struct value v)
{
    switch (v.kind) {
    case K_LIST:
        return add_items(vm, buffer, v.list, "[", "]");
    case K_TUPLE:
        return add_items(vm, buffer, v.list, "(", v.list->count == 1 ? ",)" : ")");
    case K_SLICE:
        return add_items(vm, buffer, v.list, "slice(", ")");
    case K_FROZENDICT:
        buffer_text(buffer, "frozendict(");
        if (!add_dict(vm, buffer, v.dict))
            return false;
        buffer_char(buffer, ')');
        return true;
    case K_DICT:
        return v.dict->type_name ? add_named_dict(vm, buffer, v.dict, v.dict->type_name)
                                 : add_dict(vm, buffer, v.dict);
    case K_SET:
        return add_set(vm, buffer, v.dict, "set()", "{", "}");
    case K_FROZENSET:
        return add_set(vm, buffer, v.dict, "frozenset()", "frozenset({", "})");
    case K_INSTANCE:
        return add_instance(vm, buffer, v);
    default:
        return add_environment(vm, buffer, v.environment);
    }
}

static bool add_object_repr(struct vm *vm, struct buffer *buffer, struct value v)
{
    struct string *text;
    if (!object_repr(vm, v.object, &text))
        return false;
    buffer_string(buffer, text);
    return true;
}

static bool is_container(enum kind kind)
{
    return (kind >= K_LIST && kind <= K_FROZENSET) || kind == K_SLICE || kind == K_FROZENDICT ||
           kind == K_INSTANCE || kind == K_ENVIRONMENT;
}

/* A container in itself is shown as dots. */
static bool add_container_once(struct vm *vm, struct buffer *buffer, struct value v)
{
    bool is_dict = v.kind == K_DICT;
    if (!is_dict && v.kind != K_LIST && v.kind != K_TUPLE)
        return add_container_repr(vm, buffer, v);
    bool *is_shown = is_dict ? &v.dict->is_shown : &v.list->is_shown;
    if (*is_shown) {
        buffer_text(buffer, is_dict ? "{...}" : v.kind == K_LIST ? "[...]" : "(...)");
        return true;
    }
    *is_shown = true;
    bool is_done = add_container_repr(vm, buffer, v);
    *is_shown = false;
    return is_done;
}

static bool add_repr(struct vm *vm, struct buffer *buffer, struct value v)
{
    if (!vm_step(vm) || !vm_enter(vm))
        return false;
    bool is_done = true;
    if (is_container(v.kind))
        is_done = add_container_once(vm, buffer, v);
    else if (v.kind == K_OBJECT)
        is_done = add_object_repr(vm, buffer, v);
    else if ((v.kind >= K_FUNCTION && v.kind <= K_PARTIAL) || v.kind == K_TYPE || v.kind == K_FIELD)
        is_done = add_callable_repr(vm, buffer, v);
    else
        is_done = add_simple_repr(vm, buffer, v);
    vm_leave(vm);
    return is_done;
}

bool value_repr_inherited(struct vm *vm, struct value v, struct string **ret)
{
    struct buffer buffer = buffer_new(vm);
    return add_inherited(vm, &buffer, v) && buffer_finish(vm, &buffer, ret);
}

bool value_repr(struct vm *vm, struct value v, struct string **ret)
{
    struct buffer buffer = buffer_new(vm);
    return add_repr(vm, &buffer, v) && buffer_finish(vm, &buffer, ret);
}

/* What str() of an exception gives: its only argument, or the tuple of them. */
static bool exception_str(struct vm *vm, const struct instance *instance, struct string **ret)
{
    const struct list *items = instance->payload.list;
    if (items->count == 0) {
        *ret = string_from(vm->arena, "");
        return true;
    }
    if (items->count > 1) {
        if (class_is_subclass(instance->class, &class_OSError) && items->count >= 2) {
            struct string *message;
            if (!value_str(vm, items->items[1], &message))
                return false;
            struct buffer buffer = buffer_new(vm);
            buffer_text(&buffer, "[Errno ");
            if (!add_repr(vm, &buffer, items->items[0]))
                return false;
            buffer_text(&buffer, "] ");
            buffer_string(&buffer, message);
            if (items->count > 2) {
                buffer_text(&buffer, ": ");
                if (!add_repr(vm, &buffer, items->items[2]))
                    return false;
            }
            return buffer_finish(vm, &buffer, ret);
        }
        return value_repr(vm, instance->payload, ret);
    }
    if (class_is_subclass(instance->class, &class_KeyError))
        return value_repr(vm, items->items[0], ret);
    return value_str(vm, items->items[0], ret);
}

static bool instance_str(struct vm *vm, struct value v, struct string **ret)
{
    struct value result;
    bool found;
    if (!value_call_special(vm, v, "__str__", NULL, 0, &result, &found))
        return false;
    if (found) {
        if (result.kind != K_STR)
            return raise_error(vm, &class_TypeError, "__str__ returned non-string (type %s)",
                               value_type_name(result));
        *ret = result.s;
        return true;
    }
    if (!value_call_special(vm, v, "__repr__", NULL, 0, &result, &found))
        return false;
    if (found && result.kind == K_STR) {
        *ret = result.s;
        return true;
    }
    if (class_is_subclass(v.instance->class, &class_BaseException))
        return exception_str(vm, v.instance, ret);
    if (value_is_moment(v))
        return moment_text(vm, v, ret);
    if (v.instance->payload.kind == K_STR) {
        *ret = v.instance->payload.s;
        return true;
    }
    return value_repr(vm, v, ret);
}

bool value_str(struct vm *vm, struct value v, struct string **ret)
{
    if (v.kind == K_STR) {
        *ret = v.s;
        return true;
    }
    if (v.kind == K_OBJECT)
        return object_text(vm, v.object, ret);
    if (v.kind == K_INSTANCE) {
        if (!vm_enter(vm))
            return false;
        bool is_done = instance_str(vm, v, ret);
        vm_leave(vm);
        return is_done;
    }
    if (v.kind == K_REF) {
        struct slice address = reference_address(string_slice(v.s));
        *ret = string_printf(vm->arena, "{{%.*s}}", SLICE_ARG(address));
        return true;
    }
    return value_repr(vm, v, ret);
}
