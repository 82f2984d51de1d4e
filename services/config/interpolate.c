#include "config/template.h"

/* Filling references into texts. */

struct known {
    struct string *reference;
    struct string *text; /* NULL: it is open */
};

struct resolution {
    struct vm *vm;
    const struct scopes *scopes;
    struct known *known; /* one interpolation asks for each reference once */
    size_t known_count, known_capacity;
    struct dict *index; /* of references to places in `known`; NULL while there are few */
};

/* "{{", an optional "&", characters other than braces, an optional "&" if there was a first one,
 * "}}". */
struct tag {
    size_t start, end; /* in the text, with the braces */
    bool is_escape;
    struct slice content;
};

static bool match_tag(struct slice text, size_t at, struct tag *ret)
{
    if (at + 1 >= text.len || text.ptr[at] != '{' || text.ptr[at + 1] != '{')
        return false;
    size_t start = at + 2, end = start;
    while (end < text.len && text.ptr[end] != '{' && text.ptr[end] != '}')
        end++;
    if (end + 1 >= text.len || text.ptr[end] != '}' || text.ptr[end + 1] != '}' || end == start)
        return false;
    *ret = (struct tag){ .start = at, .end = end + 2 };
    ret->is_escape = text.ptr[start] == '&' && end > start + 1;
    start += ret->is_escape;
    if (ret->is_escape && text.ptr[end - 1] == '&' && end - 1 > start)
        end--;
    ret->content = (struct slice){ text.ptr + start, end - start };
    return true;
}

static bool next_tag(struct slice text, size_t from, struct tag *ret)
{
    while (from < text.len) {
        const char *brace = memchr(text.ptr + from, '{', text.len - from);
        if (!brace)
            return false;
        from = (size_t)(brace - text.ptr);
        if (match_tag(text, from, ret))
            return true;
        from++;
    }
    return false;
}

bool template_next_reference(struct slice text, size_t *at, struct slice *ret_content)
{
    struct tag tag;
    while (next_tag(text, *at, &tag)) {
        *at = tag.end;
        *ret_content = tag.content;
        if (!tag.is_escape)
            return true;
    }
    return false;
}

#define FEW_KNOWN 8 /* are looked at one by one */

static void index_known(struct resolution *resolution)
{
    struct arena *arena = resolution->vm->arena;
    size_t first = resolution->known_count - 1;
    if (!resolution->index) {
        resolution->index = dict_new(arena);
        first = 0;
    }
    for (size_t i = first; i < resolution->known_count; i++)
        dict_set_text(arena, resolution->index, resolution->known[i].reference, V_INT((int64_t)i));
}

static struct known *remember(struct resolution *resolution, struct string *reference,
                              struct string *text)
{
    if (resolution->known_count == resolution->known_capacity) {
        size_t capacity = resolution->known_capacity ? resolution->known_capacity * 2 : 8;
        resolution->known = arena_grow(resolution->vm->arena, resolution->known,
                                       resolution->known_capacity * sizeof *resolution->known,
                                       capacity * sizeof *resolution->known);
        resolution->known_capacity = capacity;
    }
    struct known *known = &resolution->known[resolution->known_count++];
    *known = (struct known){ reference, text };
    if (resolution->known_count > FEW_KNOWN)
        index_known(resolution);
    return known;
}

static struct known *find_known(struct resolution *resolution, struct string *reference)
{
    if (resolution->index) {
        struct value at = dict_get_text(resolution->index, reference);
        return at.kind == K_INT ? &resolution->known[at.i] : NULL;
    }
    for (size_t i = 0; i < resolution->known_count; i++)
        if (string_equal(resolution->known[i].reference, reference))
            return &resolution->known[i];
    return NULL;
}

/* The text that a reference stands for, or NULL. */
static bool look_up(struct resolution *resolution, struct slice address, struct known **ret)
{
    struct vm *vm = resolution->vm;
    struct string *reference, *text = NULL;
    struct value v;
    if (!vm_step(vm) || !reference_parse(vm, address, &reference))
        return false;
    *ret = find_known(resolution, reference);
    if (*ret)
        return true;
    if (!scopes_find(vm, resolution->scopes, string_slice(reference), &v))
        return false;
    if (v.kind != K_UNBOUND) {
        if (!vm_enter(vm))
            return false;
        bool is_done = value_str(vm, v, &text);
        vm_leave(vm);
        if (!is_done)
            return false;
    }
    *ret = remember(resolution, reference, text);
    return true;
}

static void add_open(struct buffer *buffer, struct string *reference)
{
    struct slice address = reference_address(string_slice(reference));
    buffer_text(buffer, "{{");
    buffer_add(buffer, address.ptr, address.len);
    buffer_text(buffer, "}}");
}

/* One pass over `text`.  In the last one escapes lose their sign, and open references are reported. */
static bool run_pass(struct resolution *resolution, struct string **text, bool is_last,
                     struct references *references, bool *ret_replaced, bool *ret_open)
{
    struct vm *vm = resolution->vm;
    struct buffer buffer = buffer_new(vm);
    struct slice in = string_slice(*text);
    struct tag tag;
    size_t at = 0;
    *ret_replaced = *ret_open = false;
    while (next_tag(in, at, &tag)) {
        struct known *known;
        buffer_add(&buffer, in.ptr + at, tag.start - at);
        at = tag.end;
        if (tag.is_escape) {
            buffer_text(&buffer, is_last ? "{{" : "{{&");
            buffer_add(&buffer, tag.content.ptr, tag.content.len);
            buffer_text(&buffer, "}}");
            continue;
        }
        if (!look_up(resolution, tag.content, &known))
            return false;
        if (known->text) {
            buffer_string(&buffer, known->text);
            *ret_replaced = true;
            continue;
        }
        add_open(&buffer, known->reference);
        *ret_open = true;
        if (is_last)
            references_add(vm, references, known->reference);
    }
    buffer_add(&buffer, in.ptr + at, in.len - at);
    return buffer_finish(vm, &buffer, text);
}

static bool endless(struct vm *vm, const struct string *text)
{
    struct slice rest = string_slice(text);
    raise_library(vm, &class_Uninterpolatable, ERROR_LOOP,
                  "Unable to interpolate %s!  Maximum replacements reached.", text->data);
    const char *start = memmem(rest.ptr, rest.len, "{{", 2);
    const char *end = start ? strstr(start, "}}") : NULL;
    if (!end)
        return false;
    struct slice name = { start + 2, (size_t)(end - start - 2) };
    return hint(vm,
                "{{%.*s}} leads back to itself; in a field of that name {{super.%.*s}} means the "
                "one around it",
                SLICE_ARG(name), SLICE_ARG(name));
}

bool template_resolve(struct vm *vm, struct string *text, const struct scopes *scopes,
                      struct references *references, struct string **ret, bool *ret_open)
{
    struct resolution resolution = { .vm = vm, .scopes = scopes };
    bool replaced = true;
    *ret = text;
    *ret_open = false;
    if (!memmem(text->data, text->len, "{{", 2))
        return true;
    for (int pass = 0; replaced; pass++) {
        if (pass == LIMIT_TEMPLATE_PASSES)
            return endless(vm, text);
        if (!run_pass(&resolution, &text, false, NULL, &replaced, ret_open))
            return false;
    }
    if (!run_pass(&resolution, &text, true, references, &replaced, ret_open))
        return false;
    *ret = text;
    return true;
}

/* --- values --- */

static struct object *object_alloc(struct vm *vm, const struct object *like)
{
    struct object *object = arena_alloc(vm->arena, sizeof *object);
    *object = *like;
    object->scopes = NULL;
    return object;
}

static bool interpolate_simple(struct vm *vm, const struct object *object,
                               struct references *references, const struct object **ret)
{
    struct object *copy = object_alloc(vm, object);
    struct string *text;
    bool is_open;
    if (object->raw.kind != K_STR) {
        if (!object_coerce(vm, object->type, object->raw, &copy->raw))
            return false;
    } else {
        if (!template_resolve(vm, object->raw.s, object->scopes, references, &text, &is_open))
            return false;
        copy->raw = V_STR(text);
        if (!is_open) {
            copy->scopes = object->scopes;
            if (!object_coerce(vm, object->type, copy->raw, &copy->raw))
                return false;
        }
    }
    object_note_final(copy);
    *ret = copy;
    return true;
}

static bool interpolate_struct(struct vm *vm, const struct object *object,
                               struct references *references, const struct object **ret)
{
    struct object *copy = object_alloc(vm, object);
    size_t count = object->type->field_count;
    const struct object **fields = arena_array(vm->arena, count, sizeof *fields);
    const struct scopes *scopes = scopes_of_object(vm, object);
    for (size_t i = 0; i < count; i++) {
        const struct object *filled;
        if (!object->fields[i])
            continue;
        if (!object_interpolate(vm, object_in_scope(vm, object->fields[i], scopes), references,
                                &filled) ||
            !type_convert(vm, object->type->fields[i].type, object_value(filled), &fields[i]))
            return false;
    }
    copy->fields = fields;
    object_note_final(copy);
    *ret = copy;
    return true;
}

static bool interpolate_list(struct vm *vm, const struct object *object,
                             struct references *references, const struct object **ret)
{
    struct object *copy = object_alloc(vm, object);
    const struct object **items = arena_array(vm->arena, object->count, sizeof *items);
    for (size_t i = 0; i < object->count; i++) {
        const struct object *filled;
        if (!object_interpolate(vm, object_in_scope(vm, object->items[i], object->scopes),
                                references, &filled) ||
            !type_convert(vm, object->type->item, object_value(filled), &items[i]))
            return false;
    }
    copy->items = items;
    object_note_final(copy);
    *ret = copy;
    return true;
}

static bool interpolate_map(struct vm *vm, const struct object *object,
                            struct references *references, const struct object **ret)
{
    struct object *copy = object_alloc(vm, object);
    struct pair *pairs = arena_array(vm->arena, object->count, sizeof *pairs);
    for (size_t i = 0; i < object->count; i++) {
        const struct object *key, *item;
        if (!object_interpolate(vm, object_in_scope(vm, object->pairs[i].key, object->scopes),
                                references, &key) ||
            !object_interpolate(vm, object_in_scope(vm, object->pairs[i].value, object->scopes),
                                references, &item) ||
            !type_convert(vm, object->type->key, object_value(key), &pairs[i].key) ||
            !type_convert(vm, object->type->item, object_value(item), &pairs[i].value))
            return false;
    }
    copy->pairs = pairs;
    object_index_pairs(vm, copy);
    object_note_final(copy);
    *ret = copy;
    return true;
}

/* A ValueError of one alternative means that the next one is tried. */
/* A dict whose names are those of another alternative than the one that it is taken for. */
static bool hint_alternative(struct vm *vm, const struct type *choice, const struct type *taken,
                             struct value raw)
{
    if (!exception_is(vm, &class_AttributeError) || raw.kind != K_DICT)
        return false;
    for (size_t i = 0; i < choice->choice_count; i++) {
        const struct type *type = choice->choices[i];
        size_t cursor = 0, known = 0, ignored;
        for (struct dict_entry *entry; (entry = dict_next(raw.dict, &cursor));)
            known += entry->key.kind == K_STR && type->kind == TYPE_STRUCT &&
                     type_field(type, string_slice(entry->key.s), &ignored);
        if (type == taken || known != raw.dict->count)
            continue;
        vm->exception.instance->cause = V_NONE;
        return hint(vm, "a dict becomes a %s here; write %s(field = value, …)", taken->name,
                    type->name);
    }
    return false;
}

static bool try_alternative(struct vm *vm, const struct object *choice, const struct type *type,
                            struct references *references, const struct object **ret,
                            bool *ret_fits)
{
    const struct object *made;
    size_t before = references ? references->count : 0;
    *ret_fits = type_construct1(vm, type, choice->raw, &made) &&
                object_interpolate(vm, object_in_scope(vm, made, choice->scopes), references, ret);
    if (*ret_fits)
        return true;
    if (!exception_is(vm, &class_ValueError))
        return hint_alternative(vm, choice->type, type, choice->raw);
    exception_take(vm);
    if (references)
        references->count = before;
    return true;
}

static bool interpolate_choice(struct vm *vm, const struct object *object,
                               struct references *references, const struct object **ret)
{
    const struct type *type = object->type;
    struct string *text;
    for (size_t i = 0; i < type->choice_count; i++) {
        bool fits;
        if (!type_is_instance(vm, type->choices[i], object->raw, &fits))
            return false;
        if (fits)
            return object_interpolate(vm, object_in_scope(vm, object->raw.object, object->scopes),
                                      references, ret);
        if (!try_alternative(vm, object, type->choices[i], references, ret, &fits))
            return false;
        if (fits)
            return true;
    }
    if (!value_str(vm, object->raw, &text))
        return false;
    return raise_library(vm, &class_CoercionError, ERROR_TYPE, "Cannot coerce '%s' to %s",
                         text->data, type->name);
}

bool object_interpolate(struct vm *vm, const struct object *object, struct references *references,
                        const struct object **ret)
{
    if (!vm_step(vm))
        return false;
    if (object->is_final) {
        *ret = object_with_scopes(vm, object, type_is_simple(object->type) ? object->scopes : NULL);
        return true;
    }
    if (type_is_simple(object->type))
        return interpolate_simple(vm, object, references, ret);
    if (!vm_enter(vm))
        return false;
    bool is_done;
    switch (object->type->kind) {
    case TYPE_STRUCT:
        is_done = interpolate_struct(vm, object, references, ret);
        break;
    case TYPE_LIST:
        is_done = interpolate_list(vm, object, references, ret);
        break;
    case TYPE_MAP:
        is_done = interpolate_map(vm, object, references, ret);
        break;
    default:
        is_done = interpolate_choice(vm, object, references, ret);
    }
    vm_leave(vm);
    return is_done;
}
