#include "config/class.h"
#include "config/compile.h"
#include "config/evaluate.h"
#include "config/modules.h"
#include "config/schema.h"

/* Builtin functions, and the table of all names that need no import. */

#define BUILTIN(name)                                                                              \
    static bool name(struct vm *vm, struct value self, const struct args *args, struct value *ret)

/* --- output --- */

bool print_values(struct vm *vm, const struct value *items, size_t count, const char *separator,
                  const char *end)
{
    struct string *text;
    for (size_t i = 0; i < count; i++) {
        if (!value_str(vm, items[i], &text))
            return false;
        if (i)
            buffer_text(vm->printed, separator);
        buffer_string(vm->printed, text);
    }
    buffer_text(vm->printed, end);
    if (vm->printed->len > LIMIT_PRINTED_BYTES)
        return raise_limit(vm, "print() wrote more than %d bytes", LIMIT_PRINTED_BYTES);
    return true;
}

static bool print_option(struct vm *vm, struct value v, const char *fallback, const char **ret)
{
    *ret = fallback;
    if (v.kind == K_NONE)
        return true;
    if (v.kind != K_STR)
        return raise_error(vm, &class_TypeError, "sep and end must be None or a string, not %s",
                           value_type_name(v));
    *ret = v.s->data;
    return true;
}

BUILTIN(builtin_print)
{
    (void)self;
    const char *separator = " ", *end = "\n";
    bool is_elsewhere = false;
    *ret = V_NONE;
    for (size_t i = 0; i < args->keyword_count; i++) {
        const struct keyword *keyword = &args->keywords[i];
        if (string_is(keyword->name, "sep")) {
            if (!print_option(vm, keyword->value, " ", &separator))
                return false;
        } else if (string_is(keyword->name, "end")) {
            if (!print_option(vm, keyword->value, "\n", &end))
                return false;
        } else if (string_is(keyword->name, "file")) {
            is_elsewhere =
                keyword->value.kind != K_NONE &&
                !(keyword->value.kind == K_STR && string_is(keyword->value.s, "<stdout>"));
        } else if (!string_is(keyword->name, "flush")) {
            return raise_error(vm, &class_TypeError,
                               "'%s' is an invalid keyword argument for print()",
                               keyword->name->data);
        }
    }
    return is_elsewhere || print_values(vm, args->items, args->count, separator, end);
}

static void publish_names(struct vm *vm);

BUILTIN(builtin_globals)
{
    (void)self;
    (void)args;
    publish_names(vm);
    *ret = (struct value){ .kind = K_DICT, .dict = vm->globals };
    return true;
}

/* The evaluator answers these, as they need the frame of their caller. */
BUILTIN(builtin_locals)
{
    return builtin_globals(vm, self, args, ret);
}

BUILTIN(builtin_include)
{
    (void)self;
    *ret = V_NONE;
    if (args->items[0].kind != K_STR)
        return raise_error(vm, &class_TypeError, "include() expects the path of a file, got %s",
                           value_type_name(args->items[0]));
    return compile_include(vm, args->items[0].s);
}

BUILTIN(builtin_open)
{
    (void)self;
    if (args->items[1].kind == K_STR && strpbrk(args->items[1].s->data, "wax+"))
        return raise_error(vm, &class_PermissionError,
                           "files cannot be written by a configuration");
    return file_open(vm, args->items[0], ret);
}

BUILTIN(builtin_forbidden)
{
    (void)self;
    (void)args;
    (void)ret;
    return raise_error(vm, &class_RuntimeError,
                       "eval(), exec(), compile() and input() are not part of the "
                       "configuration language");
}

BUILTIN(builtin_missing)
{
    (void)self;
    (void)args;
    (void)ret;
    return raise_error(vm, &class_NotImplementedError,
                       "complex, bytearray and memoryview are not part of the configuration "
                       "language");
}

static const struct native FUNCTIONS[] = {
    { "bytearray", builtin_missing, NULL },
    { "compile", builtin_forbidden, NULL },
    { "complex", builtin_missing, NULL },
    { "eval", builtin_forbidden, NULL },
    { "exec", builtin_forbidden, NULL },
    { "globals", builtin_globals, "" },
    { "include", builtin_include, "path" },
    { "input", builtin_forbidden, NULL },
    { "locals", builtin_locals, "" },
    { "memoryview", builtin_missing, NULL },
    { "open", builtin_open, "file | mode buffering encoding errors newline" },
    { "print", builtin_print, NULL },
    { NULL, NULL, NULL },
};

static const struct native *const TABLES[] = { FUNCTIONS,      number_natives, sequence_natives,
                                               object_natives, helper_natives, template_natives };

static const struct class *const BUILTIN_CLASSES[] = {
    &class_bool,        &class_bytes,         &class_classmethod, &class_dict,
    &class_float,       &class_frozenset,     &class_int,         &class_list,
    &class_object,      &class_property,      &class_range,       &class_set,
    &class_slice,       &class_staticmethod,  &class_str,         &class_super,
    &class_tuple,       &class_type,          &class_Environment, &class_MustacheParser,
    &class_Namable,     &class_Ref,           &class_Type,        &class_TypeCheck,
    &class_TypeFactory, &class_BaseException,
#define EXCEPTION(name, base) &class_##name,
#include "config/exceptions.def"
};

static const struct {
    const char *name;
    const struct native *natives;
} HELPER_CLASSES[] = {
    { "Options", options_natives },
    { "Processes", processes_natives },
    { "Tasks", tasks_natives },
    { "Units", units_natives },
};

#define COUNT(table) (sizeof table / sizeof *table)

/* `Tasks` and its like: a class with static functions. */
static struct value helper_class(struct vm *vm, size_t index)
{
    struct class *class = arena_alloc(vm->arena, sizeof *class);
    *class = (struct class){ .name = HELPER_CLASSES[index].name,
                             .base = &class_object,
                             .layout = K_INSTANCE,
                             .statics = HELPER_CLASSES[index].natives,
                             .attributes = dict_new(vm->arena) };
    if (strcmp(class->name, "Tasks") == 0) {
        dict_set_text(vm->arena, class->attributes, string_from(vm->arena, "SIMPLE_CPU"),
                      V_FLOAT(1));
        dict_set_text(vm->arena, class->attributes, string_from(vm->arena, "SIMPLE_RAM"),
                      V_INT(1073741824));
        dict_set_text(vm->arena, class->attributes, string_from(vm->arena, "SIMPLE_DISK"),
                      V_INT(1073741824));
    }
    return (struct value){ .kind = K_CLASS, .class = class };
}

static struct value find_class(struct vm *vm, struct string *name)
{
    for (size_t i = 0; i < COUNT(BUILTIN_CLASSES); i++)
        if (string_is(name, BUILTIN_CLASSES[i]->name))
            return (struct value){ .kind = K_CLASS, .class = BUILTIN_CLASSES[i] };
    for (size_t i = 0; i < COUNT(HELPER_CLASSES); i++)
        if (string_is(name, HELPER_CLASSES[i].name))
            return helper_class(vm, i);
    return V_UNBOUND;
}

/* Python 2 had these names. */
static struct value find_old_name(struct string *name)
{
    if (string_is(name, "unicode") || string_is(name, "basestring"))
        return (struct value){ .kind = K_CLASS, .class = &class_str };
    if (string_is(name, "long"))
        return (struct value){ .kind = K_CLASS, .class = &class_int };
    if (string_is(name, "IOError") || string_is(name, "EnvironmentError"))
        return (struct value){ .kind = K_CLASS, .class = &class_OSError };
    if (string_is(name, "Ellipsis"))
        return (struct value){ .kind = K_ELLIPSIS };
    if (string_is(name, "NotImplemented"))
        return (struct value){ .kind = K_NOT_IMPLEMENTED };
    return V_UNBOUND;
}

static bool find_function(struct string *name, struct value *ret)
{
    for (size_t i = 0; i < COUNT(TABLES); i++)
        if (native_find(TABLES[i], name, ret))
            return true;
    return false;
}

struct value builtin_find(struct vm *vm, struct string *name)
{
    struct value v = dict_get_text(vm->builtins, name);
    if (v.kind != K_UNBOUND)
        return v;
    if (!find_function(name, &v)) {
        if (!schema_name(vm, name, &v))
            return V_UNBOUND;
        if (v.kind == K_UNBOUND)
            v = find_class(vm, name);
        if (v.kind == K_UNBOUND)
            v = find_old_name(name);
    }
    if (v.kind != K_UNBOUND)
        dict_set_text(vm->arena, vm->builtins, name, v);
    return v;
}

static void publish(struct vm *vm, const char *text)
{
    struct string *name = string_from(vm->arena, text);
    if (dict_get_text(vm->globals, name).kind == K_UNBOUND)
        dict_set_text(vm->arena, vm->globals, name, builtin_find(vm, name));
}

/* The names of the library are found without being in the module's table; whoever asks for the table
 * sees them there. */
static void publish_names(struct vm *vm)
{
    static const char *const others[] = { "AURORA_EXECUTOR_NAME",
                                          "Empty",
                                          "Environment",
                                          "MustacheParser",
                                          "Namable",
                                          "Options",
                                          "Processes",
                                          "Ref",
                                          "Tasks",
                                          "Type",
                                          "TypeCheck",
                                          "TypeFactory",
                                          "Units",
                                          "include" };
    vm->names_are_public = true;
    const char *name;
    for (size_t i = 0; (name = schema_name_at(i)); i++)
        publish(vm, name);
    for (size_t i = 0; i < COUNT(others); i++)
        publish(vm, others[i]);
    for (size_t i = 0; helper_natives[i].name; i++)
        publish(vm, helper_natives[i].name);
    for (size_t i = 0; template_natives[i].name; i++)
        publish(vm, template_natives[i].name);
}

/* --- suggestions --- */

#define MAX_SUGGESTED 40 /* bytes of a name that is compared */

static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t row[MAX_SUGGESTED + 1];
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[b_len];
}

void suggest(struct slice wanted, const char *candidate, size_t *best, const char **ret)
{
    size_t len = strlen(candidate);
    if (wanted.len > MAX_SUGGESTED || len > MAX_SUGGESTED)
        return;
    size_t apart = distance(wanted.ptr, wanted.len, candidate, len);
    if (apart < *best && apart * 3 <= wanted.len + 1) {
        *best = apart;
        *ret = candidate;
    }
}

static const char *const CONSTANTS[] = { "True", "False", "None" };

const char *builtin_nearest(struct vm *vm, const struct string *name)
{
    const char *nearest = NULL, *candidate;
    struct slice wanted = string_slice(name);
    size_t best = SIZE_MAX, cursor = 0;
    for (struct dict_entry *entry; (entry = dict_next(vm->globals, &cursor));)
        if (entry->key.kind == K_STR)
            suggest(wanted, entry->key.s->data, &best, &nearest);
    for (size_t i = 0; i < COUNT(CONSTANTS); i++)
        suggest(wanted, CONSTANTS[i], &best, &nearest);
    for (size_t i = 0; i < COUNT(TABLES); i++)
        for (const struct native *native = TABLES[i]; native->name; native++)
            suggest(wanted, native->name, &best, &nearest);
    for (size_t i = 0; (candidate = schema_name_at(i)); i++)
        suggest(wanted, candidate, &best, &nearest);
    return nearest;
}
