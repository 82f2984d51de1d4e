#include "config/result.h"

#include "config/evaluate.h"
#include "config/integer.h"
#include "config/modules.h"
#include "config/sort.h"

#include <ctype.h>

/* --- diagnostics --- */

Eos__Config__V1__Position *result_position(struct arena *arena, struct span at)
{
    Eos__Config__V1__Position *position = arena_alloc(arena, sizeof *position);
    eos__config__v1__position__init(position);
    struct place place = source_place(at.source, at.start, at.end);
    position->file = arena_strdup(arena, at.source->name);
    position->line = place.line;
    position->column = place.column;
    position->end_column = place.end_column > place.column ? place.end_column : place.column + 1;
    position->source_line =
        arena_memdup0(arena, place.line_text.ptr ? place.line_text.ptr : "", place.line_text.len);
    return position;
}

static void add_frames(struct arena *arena, const struct trace_frame *trace,
                       Eos__Config__V1__Diagnostic *into)
{
    size_t count = 0;
    for (const struct trace_frame *frame = trace; frame; frame = frame->next)
        count++;
    into->frames = arena_array(arena, count, sizeof *into->frames);
    for (const struct trace_frame *frame = trace; frame; frame = frame->next) {
        Eos__Config__V1__Frame *made = arena_alloc(arena, sizeof *made);
        eos__config__v1__frame__init(made);
        made->description = arena_strdup(arena, frame->description);
        made->at = result_position(arena, frame->at);
        into->frames[into->n_frames++] = made;
    }
}

Eos__Config__V1__Diagnostic *result_diagnostic(struct arena *arena,
                                               const struct diagnostic *diagnostic,
                                               const char *severity)
{
    Eos__Config__V1__Diagnostic *made = arena_alloc(arena, sizeof *made);
    eos__config__v1__diagnostic__init(made);
    made->severity = arena_strdup(arena, severity);
    made->class_ = arena_strdup(arena, diagnostic->class);
    made->exception = arena_strdup(arena, diagnostic->exception ? diagnostic->exception : "");
    made->message = arena_strdup(arena, diagnostic->message);
    made->hint = arena_strdup(arena, diagnostic->hint ? diagnostic->hint : "");
    if (diagnostic->at.source)
        made->at = result_position(arena, diagnostic->at);
    add_frames(arena, diagnostic->frames, made);
    return made;
}

static const char *exception_class(const struct instance *instance)
{
    if (instance->error_class)
        return instance->error_class;
    if (class_is_subclass(instance->class, &class_NameError))
        return ERROR_NAME;
    if (class_is_subclass(instance->class, &class_SyntaxError))
        return ERROR_SYNTAX;
    return ERROR_PYTHON;
}

/* "name 'x' is not defined": the name. */
static struct slice quoted_name(const struct string *text)
{
    const char *start = memchr(text->data, '\'', text->len);
    if (!start)
        return (struct slice){ NULL, 0 };
    size_t left = text->len - (size_t)(start + 1 - text->data);
    const char *end = memchr(start + 1, '\'', left);
    return end ? (struct slice){ start + 1, (size_t)(end - start - 1) } : (struct slice){ NULL, 0 };
}

/* What Python 3 has instead, and objects that only some companies' clients had. */
static const struct former {
    const char *name, *hint;
} FORMER[] = {
    { "xrange", "Python 3 has 'range' instead" },
    { "unicode", "Python 3 has 'str' instead" },
    { "basestring", "Python 3 has 'str' instead" },
    { "long", "Python 3 has 'int' instead" },
    { "unichr", "Python 3 has 'chr' instead" },
    { "reduce", "Python 3 has it in a module: from functools import reduce" },
    { "execfile", "include('file.aurora') runs another file" },
    { "has_key", "Python 3 has 'in' instead" },
    { "iteritems", "Python 3 has 'items' instead" },
    { "iterkeys", "Python 3 has 'keys' instead" },
    { "itervalues", "Python 3 has 'values' instead" },
    { "Packer", "it is not part of Aurora's public schema" },
    { "Workflows", "it is not part of Aurora's public schema" },
    { "JVMProcess", "it is not part of Aurora's public schema" },
    { "Java11", "it is not part of Aurora's public schema" },
    { "Stats", "it is not part of Aurora's public schema" },
};

static const char *former_hint(struct slice name)
{
    for (size_t i = 0; i < sizeof FORMER / sizeof *FORMER; i++)
        if (slice_is(name, FORMER[i].name))
            return FORMER[i].hint;
    return NULL;
}

/* "'dict' object has no attribute 'x'": the name. */
static struct slice last_quoted(const struct string *text)
{
    size_t end = text->len ? text->len - 1 : 0, start = end;
    while (start > 0 && text->data[start - 1] != '\'')
        start--;
    return (struct slice){ text->data + start, end - start };
}

/* What to do about it, if anything can be said. */
static const char *make_hint(struct vm *vm, const char *class, const struct string *text,
                             const struct instance *instance)
{
    if (strcmp(class, ERROR_NAME) == 0) {
        struct slice name = quoted_name(text);
        const char *former = name.ptr ? former_hint(name) : NULL;
        if (former)
            return former;
        const char *nearest =
            name.ptr ? builtin_nearest(vm, string_new(vm->arena, name.ptr, name.len)) : NULL;
        if (nearest)
            return arena_printf(vm->arena, "did you mean '%s'?", nearest);
    }
    if (instance->cause.kind == K_STR) /* set by whoever knows more */
        return instance->cause.s->data;
    if (class_is_subclass(instance->class, &class_AttributeError))
        return former_hint(last_quoted(text));
    if (strcmp(class, ERROR_UNBOUND) == 0)
        return "give it with --bind NAME=VALUE or with .bind(NAME = VALUE)";
    return NULL;
}

struct diagnostic result_exception(struct vm *vm)
{
    struct diagnostic diagnostic = { .frames = vm->trace };
    if (vm->has_place)
        diagnostic.at = vm->at;
    struct value exception = exception_take(vm);
    struct string *text = exception_text(vm, exception);
    diagnostic.class = exception_class(exception.instance);
    bool is_python = strcmp(diagnostic.class, ERROR_PYTHON) == 0;
    diagnostic.exception = is_python ? exception.instance->class->name : NULL;
    diagnostic.message = text->len || !is_python ? text->data : exception.instance->class->name;
    diagnostic.hint = make_hint(vm, diagnostic.class, text, exception.instance);
    return diagnostic;
}

/* --- messages --- */

/* camelCase to snake_case. */
static char *proto_name(struct arena *arena, const char *prefix, const char *name)
{
    size_t len = strlen(prefix);
    char *out = arena_alloc(arena, len + strlen(name) * 2 + 1);
    memcpy(out, prefix, len);
    for (; *name; name++) {
        if (isupper((unsigned char)*name))
            out[len++] = '_';
        out[len++] = (char)tolower((unsigned char)*name);
    }
    return out;
}

struct filler {
    struct vm *vm;
    const ProtobufCMessageDescriptor *descriptor;
    void *message;
    const char *prefix; /* of fields that a nested struct's fields become */
};

static bool fill_struct(struct filler *filler, struct value v);

static bool too_large(struct vm *vm, const char *name, struct value v)
{
    struct string *text;
    return value_str(vm, v, &text) &&
           raise_library(vm, &class_OverflowError, ERROR_VALUE, "%s does not fit: %s is too large",
                         name, text->data);
}

static bool fill_number(struct vm *vm, const ProtobufCFieldDescriptor *field, struct value v,
                        void *at)
{
    int64_t number = 0;
    bool fits = v.kind == K_FLOAT || (value_is_integer(v) && integer_to_i64(v, &number));
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
        if (!fits || number < INT32_MIN || number > INT32_MAX)
            return too_large(vm, field->name, v);
        *(int32_t *)at = (int32_t)number;
        return true;
    case PROTOBUF_C_TYPE_INT64:
        if (!fits)
            return too_large(vm, field->name, v);
        *(int64_t *)at = number;
        return true;
    case PROTOBUF_C_TYPE_DOUBLE:
        *(double *)at = v.kind == K_FLOAT ? v.f : integer_to_double(v);
        return true;
    default:
        *(protobuf_c_boolean *)at = v.kind == K_BOOL && v.b;
        return true;
    }
}

static bool fill_text(struct vm *vm, struct value v, char **at)
{
    struct string *text = v.s;
    if (v.kind != K_STR && !json_write(vm, v, &JSON_STYLE_DEFAULT, &text))
        return false;
    *at = text->data;
    return true;
}

static void fill_enum(const ProtobufCFieldDescriptor *field, struct value v, int *at)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value_by_name(field->descriptor, v.s->data);
    if (value)
        *at = value->value;
}

static bool fill_one(struct vm *vm, const ProtobufCFieldDescriptor *field, struct value v, void *at)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return fill_text(vm, v, at);
    case PROTOBUF_C_TYPE_MESSAGE:
        return result_message(vm, v, field->descriptor, at);
    case PROTOBUF_C_TYPE_ENUM:
        fill_enum(field, v, at);
        return true;
    default:
        return fill_number(vm, field, v, at);
    }
}

static size_t field_size(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    default:
        return 4;
    }
}

static bool fill_repeated(struct filler *filler, const ProtobufCFieldDescriptor *field,
                          struct value v)
{
    size_t size = field_size(field),
           count = v.kind == K_LIST || v.kind == K_TUPLE ? v.list->count : 0;
    char *items = arena_array(filler->vm->arena, count, size);
    for (size_t i = 0; i < count; i++)
        if (!fill_one(filler->vm, field, v.list->items[i], items + i * size))
            return false;
    *(size_t *)((char *)filler->message + field->quantifier_offset) = count;
    *(void **)((char *)filler->message + field->offset) = items;
    return true;
}

/* A struct that the message has no field for: its fields are the message's own. */
static bool fill_inner(struct filler *filler, const char *name, struct value v)
{
    struct filler inner = *filler;
    if (strcmp(name, "executorConfig") == 0)
        inner.prefix = "executor_";
    return v.kind != K_DICT || fill_struct(&inner, v);
}

static bool fill_field(struct filler *filler, const char *name, struct value v)
{
    const char *proto = proto_name(filler->vm->arena, filler->prefix, name);
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(filler->descriptor, proto);
    if (!field)
        return fill_inner(filler, name, v);
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return fill_repeated(filler, field, v);
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        *(uint32_t *)((char *)filler->message + field->quantifier_offset) = field->id;
    return fill_one(filler->vm, field, v, (char *)filler->message + field->offset);
}

static bool fill_struct(struct filler *filler, struct value v)
{
    size_t cursor = 0;
    for (struct dict_entry *entry; (entry = dict_next(v.dict, &cursor));)
        if (!fill_field(filler, entry->key.s->data, entry->value))
            return false;
    return true;
}

bool result_message(struct vm *vm, struct value v, const ProtobufCMessageDescriptor *descriptor,
                    void **ret)
{
    struct filler filler = { .vm = vm, .descriptor = descriptor, .prefix = "" };
    filler.message = arena_alloc(vm->arena, descriptor->sizeof_message);
    protobuf_c_message_init(descriptor, filler.message);
    *ret = filler.message;
    return fill_struct(&filler, v);
}

/* --- canonical JSON --- */

static const struct json_style CANONICAL = {
    .indent = -1, .item_separator = ", ", .key_separator = ": ", .sorts_keys = true
};

static bool is_set_name(const struct string *name)
{
    static const char *const names[] = { "resources", "constraints", "values", "metadata",
                                         "updateOnlyTheseInstances" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (string_is(name, names[i]))
            return true;
    return false;
}

/* Sets are sorted by the JSON text of their elements. */
static bool sort_set(struct vm *vm, struct value set)
{
    struct list texts = { 0 };
    for (size_t i = 0; i < set.list->count; i++) {
        struct string *text;
        if (!json_write(vm, set.list->items[i], &CANONICAL, &text))
            return false;
        list_push(vm->arena, &texts, V_STR(text));
    }
    return sort_by(vm, set.list, &texts, false);
}

static bool sort_sets(struct vm *vm, struct value v)
{
    size_t cursor = 0;
    if (v.kind == K_LIST)
        for (size_t i = 0; i < v.list->count; i++)
            if (!sort_sets(vm, v.list->items[i]))
                return false;
    if (v.kind != K_DICT)
        return true;
    for (struct dict_entry *entry; (entry = dict_next(v.dict, &cursor));) {
        if (!sort_sets(vm, entry->value))
            return false;
        if (entry->value.kind == K_LIST && is_set_name(entry->key.s) && !sort_set(vm, entry->value))
            return false;
    }
    return true;
}

static void put(struct vm *vm, struct value into, const char *name, struct value v)
{
    dict_set_text(vm->arena, into.dict, string_from(vm->arena, name), v);
}

static struct value error_value(struct vm *vm, const struct diagnostic *error)
{
    struct value made = dict_value(vm->arena, K_DICT), outer = dict_value(vm->arena, K_DICT);
    put(vm, made, "class", value_text(vm->arena, error->class));
    put(vm, made, "message", value_text(vm->arena, error->message));
    if (error->exception)
        put(vm, made, "exception", value_text(vm->arena, error->exception));
    put(vm, outer, "error", made);
    return outer;
}

bool result_canonical(struct vm *vm, const struct job *job, struct value key, struct value cluster,
                      const struct diagnostic *update_error, struct string **ret)
{
    struct value made = dict_value(vm->arena, K_DICT), warnings = list_new(vm->arena, K_LIST, 2);
    if (job->announcer_port_unused)
        list_push(vm->arena, warnings.list, value_text(vm->arena, WARNING_ANNOUNCER));
    if (job->production_deprecated)
        list_push(vm->arena, warnings.list, value_text(vm->arena, WARNING_PRODUCTION));
    if (!sort_sets(vm, job->configuration) || (!update_error && !sort_sets(vm, job->update)))
        return false;
    put(vm, made, "cluster", cluster);
    put(vm, made, "key", key);
    put(vm, made, "job", job->configuration);
    put(vm, made, "update", update_error ? error_value(vm, update_error) : job->update);
    if (warnings.list->count)
        put(vm, made, "warnings", warnings);
    return json_write(vm, made, &CANONICAL, ret);
}

/* --- open images --- */

static void add_image(struct vm *vm, Eos__Config__V1__JobResult *result, struct slice whole,
                      struct slice name, struct slice tag)
{
    for (size_t i = 0; i < result->n_open_images; i++)
        if (slice_is(whole, result->open_images[i]->reference))
            return;
    Eos__Config__V1__OpenImage *image = arena_alloc(vm->arena, sizeof *image);
    eos__config__v1__open_image__init(image);
    image->reference = arena_memdup0(vm->arena, whole.ptr, whole.len);
    image->name = arena_memdup0(vm->arena, name.ptr, name.len);
    image->tag = arena_memdup0(vm->arena, tag.ptr, tag.len);
    size_t count = result->n_open_images;
    result->open_images = arena_grow(vm->arena, result->open_images, count * sizeof image,
                                     (count + 1) * sizeof image);
    result->open_images[result->n_open_images++] = image;
}

static void images_in_text(struct vm *vm, const struct string *s,
                           Eos__Config__V1__JobResult *result)
{
    static const char open[] = "{{docker.image[";
    size_t at = 0;
    for (const char *found; (found = memmem(s->data + at, s->len - at, open, sizeof open - 1));) {
        size_t start = (size_t)(found - s->data);
        const char *close = memmem(found, s->len - start, "}}", 2);
        if (!close)
            return;
        struct slice whole = { found, (size_t)(close - found) + 2 }, name, tag;
        struct string *reference =
            string_printf(vm->arena, ".%.*s", (int)whole.len - 4, whole.ptr + 2);
        if (reference_is_image(string_slice(reference), &name, &tag))
            add_image(vm, result, whole, name, tag);
        at = start + sizeof open - 1;
    }
}

void result_open_images(struct vm *vm, struct value v, Eos__Config__V1__JobResult *result)
{
    size_t cursor = 0;
    if (v.kind == K_STR)
        images_in_text(vm, v.s, result);
    if (v.kind == K_LIST || v.kind == K_TUPLE)
        for (size_t i = 0; i < v.list->count; i++)
            result_open_images(vm, v.list->items[i], result);
    if (v.kind != K_DICT && v.kind != K_FROZENDICT)
        return;
    for (struct dict_entry *entry; (entry = dict_next(v.dict, &cursor));)
        result_open_images(vm, entry->value, result);
}
