#include "config/explain.h"

#include "config/origin.h"
#include "config/result.h"
#include "config/schema.h"

#include <stdarg.h>

/* Follows a path into a job and then, backwards, what gave the value at its end: the keyword of a call,
 * the text behind it, the struct that it was copied from, a default; and the same for every reference in
 * it. */

#define MAX_STEPS 200
#define MAX_DEPTH 8  /* of references in what a reference stands for */
#define MAX_PATH  64 /* structs inside each other */
#define MAX_SAID  40 /* variables and calls that one field takes its value from */

typedef Eos__Config__V1__ExplanationStep step_message;

struct explainer {
    struct vm *vm;
    Eos__Config__V1__JobResult *result;
    const struct object *structs[MAX_PATH]; /* from the job inwards */
    size_t indices[MAX_PATH];               /* the field of each that the path goes on with */
    size_t struct_count;
    int depth;
    const struct definition *said[MAX_SAID]; /* of one field */
    size_t said_count;
};

static step_message *say(struct explainer *e, struct span at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static step_message *say(struct explainer *e, struct span at, const char *fmt, ...)
{
    struct arena *arena = e->vm->arena;
    step_message *step = arena_alloc(arena, sizeof *step);
    size_t count = e->result->n_explanation;
    va_list ap;
    eos__config__v1__explanation_step__init(step);
    va_start(ap, fmt);
    step->text = arena_vprintf(arena, fmt, ap);
    va_end(ap);
    step->depth = e->depth;
    if (at.source)
        step->at = result_position(arena, at);
    if (count == MAX_STEPS)
        return step;
    e->result->explanation =
        arena_grow(arena, e->result->explanation, count * sizeof step, (count + 1) * sizeof step);
    e->result->explanation[e->result->n_explanation++] = step;
    return step;
}

static const struct span NOWHERE = { 0 };

/* The text of a value, or why it has none. */
static const char *text_of(struct explainer *e, struct value v)
{
    struct string *text;
    if (value_str(e->vm, v, &text))
        return text->data;
    struct diagnostic error = result_exception(e->vm);
    return arena_printf(e->vm->arena, "(%s)", error.message);
}

/* -- one field ------------------------------------------------------------------------------------ */

static bool is_default(struct explainer *e, const struct type *type, size_t index,
                       const struct object *field)
{
    const struct object *fallback = NULL;
    if (!schema_fallback(e->vm, type, index, &fallback))
        exception_take(e->vm);
    return fallback == field;
}

static bool same_place(struct span a, struct span b)
{
    return a.source == b.source && a.start == b.start && a.end == b.end;
}

/* The text may have been written elsewhere than where it was given. */
static void explain_literal(struct explainer *e, const struct object *field, struct span given)
{
    const struct origin *origin = NULL;
    if (field && field->type->kind <= TYPE_CHOICE && type_is_simple(field->type) &&
        field->raw.kind == K_STR)
        origin = origins_of_text(e->vm, field->raw.s);
    if (origin && origin->at.source && !same_place(origin->at, given))
        say(e, origin->at, "the text is made here");
}

/* -- expressions ---------------------------------------------------------------------------------- */

static void explain_expression(struct explainer *e, struct expression of);

static bool was_said(struct explainer *e, const struct definition *definition)
{
    for (size_t i = 0; i < e->said_count; i++)
        if (e->said[i] == definition)
            return true;
    if (e->said_count == MAX_SAID)
        return true;
    e->said[e->said_count++] = definition;
    return false;
}

static struct span span_of(struct expression of)
{
    return (struct span){ of.frame->code->source, of.node->start, of.node->end };
}

/* What it was set to, and before that when it was added to. */
static void explain_name(struct explainer *e, struct expression of, const struct string *name)
{
    const struct definition *definition = origins_definition(e->vm, of);
    if (!definition || was_said(e, definition))
        return;
    const struct node *value = definition->value.node;
    struct span at = span_of(definition->value);
    if (!at.source->globals) /* a text of the language itself says nothing */
        say(e, at, "%s %s", name->data, definition->how);
    e->depth++;
    if (value->kind != N_CONSTANT)
        explain_expression(e, definition->value);
    e->depth--;
    if (definition->is_added) {
        of.time = definition->value.time - 1;
        explain_name(e, of, name);
    }
}

static bool is_environment(const struct node *node)
{
    return node->kind == N_ATTRIBUTE &&
           (string_is(node->value.s, "environ") || string_is(node->value.s, "getenv"));
}

static void explain_call(struct explainer *e, struct expression of)
{
    const struct definition *returned = origins_definition(e->vm, of);
    if (!returned || was_said(e, returned))
        return;
    say(e, span_of(returned->value), "it is returned here");
    explain_expression(e, returned->value);
}

static void explain_parts(struct explainer *e, struct expression of)
{
    const struct node *node = of.node;
    const struct node *const parts[] = { node->a, node->b, node->c };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i])
            explain_expression(e, (struct expression){ parts[i], of.frame, of.time });
    for (uint32_t i = 0; i < node->count; i++)
        if (node->items[i])
            explain_expression(e, (struct expression){ node->items[i], of.frame, of.time });
}

/* The variables and functions that an expression took its value from. */
static void explain_expression(struct explainer *e, struct expression of)
{
    if (!of.node || !of.frame || e->depth >= MAX_DEPTH)
        return;
    if (of.node->kind == N_NAME) {
        explain_name(e, of, of.node->value.s);
        return;
    }
    if (of.node->kind == N_LAMBDA || of.node->kind == N_CONSTANT)
        return;
    if (is_environment(of.node)) {
        say(e, span_of(of), "the environment is asked here");
        return;
    }
    if (of.node->kind == N_CALL)
        explain_call(e, of);
    explain_parts(e, of);
}

/* Values inside of a dict or a list have no place of their own: what holds them has. */
static void explain_holder(struct explainer *e, const struct object *owner, const char *name)
{
    for (size_t i = e->struct_count; i-- > 0;) {
        const struct origin *origin =
            e->structs[i] == owner ? NULL
                                   : origins_of_field(e->vm, e->structs[i]->fields, e->indices[i]);
        if (!origin)
            continue;
        say(e, origin->at, "%s is part of what is given here for %s of %s", name,
            e->structs[i]->type->fields[e->indices[i]].name, e->structs[i]->type->name);
        return;
    }
    say(e, NOWHERE, "%s was computed", name);
}

/* The same field of the struct that this one is a changed copy of. */
static void explain_replaced(struct explainer *e, const void *fields, size_t index)
{
    const struct origin *made = origins_of_struct(e->vm, fields);
    for (int hops = 0; made && made->base && hops < MAX_DEPTH; hops++) {
        const struct origin *given = origins_of_field(e->vm, made->base, index);
        if (given) {
            say(e, given->at, "it takes the place of what was given here");
            return;
        }
        made = origins_of_struct(e->vm, made->base);
    }
}

static void explain_field(struct explainer *e, const struct object *owner, size_t index)
{
    const struct type *type = owner->type;
    const char *name = type->fields[index].name;
    const struct object *const *fields = owner->fields, *field = fields[index];
    const struct origin *given = NULL, *made = NULL;
    for (int hops = 0; hops < MAX_STEPS; hops++) {
        given = origins_of_field(e->vm, fields, index);
        made = origins_of_struct(e->vm, fields);
        const struct object *const *base = made ? made->base : NULL;
        if (given || !base || base[index] != field)
            break;
        fields = base;
    }
    if (given)
        say(e, given->at, "%s of %s is given here", name, type->name);
    else if (field && is_default(e, type, index, field))
        say(e, NOWHERE, "%s is the default of %s", name, type->name);
    else if (!field)
        say(e, made ? made->at : NOWHERE, "%s of %s is not set", name, type->name);
    else if (made && made->at.source)
        say(e, made->at, "%s of %s comes from here", name, type->name);
    else if (made && made->base)
        say(e, NOWHERE, "%s is completed by the compiler, as Aurora's client does", name);
    else
        explain_holder(e, owner, name);
    if (given) {
        explain_replaced(e, fields, index);
        e->said_count = 0;
        explain_expression(e, given->from);
    }
    explain_literal(e, field, given ? given->at : NOWHERE);
}

/* Where a struct was made, and from which other one. */
static void explain_struct(struct explainer *e, const struct object *object)
{
    const char *verb = "made";
    const void *fields = object->type->kind == TYPE_STRUCT ? object->fields : NULL;
    for (int hops = 0; fields && hops < MAX_DEPTH; hops++) {
        const struct origin *origin = origins_of_struct(e->vm, fields);
        if (origin && origin->at.source)
            say(e, origin->at, "this %s is %s here", object->type->name,
                origin->base ? "a changed copy, made" : verb);
        fields = origin ? origin->base : NULL;
        verb = "copied from the one made";
    }
}

/* -- references ----------------------------------------------------------------------------------- */

static void explain_text(struct explainer *e, struct string *text, const struct scopes *scopes);

static bool is_same(const struct object *found, const struct object *field)
{
    return found == field ||
           (type_is_simple(found->type) && found->type == field->type && found->raw.kind == K_STR &&
            field->raw.kind == K_STR && found->raw.s == field->raw.s);
}

/* A field of one of the structs around: which one says more than where its text is. */
static bool explain_as_field(struct explainer *e, struct slice reference,
                             const struct object *found)
{
    bool is_index;
    struct slice rest, first = reference_first(reference, &is_index, &rest);
    if (slice_is(first, "self") || slice_is(first, "super"))
        first = reference_first(rest, &is_index, &rest);
    for (size_t i = e->struct_count; !is_index && rest.len == 0 && i-- > 0;) {
        const struct object *owner = e->structs[i];
        size_t index;
        if (!type_field(owner->type, first, &index) || !owner->fields[index] ||
            !is_same(found, owner->fields[index]))
            continue;
        explain_field(e, owner, index);
        return true;
    }
    return false;
}

static void explain_bound(struct explainer *e, const struct string *text, const char *written)
{
    const struct origin *origin = origins_of_text(e->vm, text);
    if (!origin)
        say(e, NOWHERE, "it was computed");
    else if (origin->at.source)
        say(e, origin->at, "%s", written);
    else
        say(e, NOWHERE, "it is bound by %s", origin->what ? origin->what : "the compiler");
}

static void explain_found(struct explainer *e, struct slice reference, struct value found)
{
    if (found.kind == K_STR) {
        explain_bound(e, found.s, "it is bound to what is written here");
        return;
    }
    const struct object *object = found.object;
    bool has_text = type_is_simple(object->type) && object->raw.kind == K_STR;
    if (!explain_as_field(e, reference, object)) {
        if (has_text)
            explain_bound(e, object->raw.s, "its text is made here");
        else
            explain_struct(e, object);
    }
    if (has_text && e->depth < MAX_DEPTH)
        explain_text(e, object->raw.s, object->scopes);
}

/* Who fills in what is left open. */
static const char *filler_of(struct slice address)
{
    struct slice name, tag;
    static const char *const later[] = { ".thermos.ports[", ".thermos.task_id", ".mesos.instance",
                                         ".mesos.hostname" };
    if (reference_is_image(address, &name, &tag))
        return "is resolved by the cluster when the job is created";
    for (size_t i = 0; i < sizeof later / sizeof *later; i++)
        if (slice_starts_with(address, slice_of(later[i])))
            return "is filled in where the task runs";
    return "is not bound by anything";
}

static void explain_reference(struct explainer *e, struct slice content,
                              const struct scopes *scopes)
{
    struct string *reference;
    struct value found = V_UNBOUND;
    if (!reference_parse(e->vm, content, &reference) ||
        !scopes_find(e->vm, scopes, string_slice(reference), &found)) {
        struct diagnostic error = result_exception(e->vm);
        say(e, NOWHERE, "{{%.*s}}: %s", SLICE_ARG(content), error.message);
        return;
    }
    if (found.kind == K_UNBOUND) {
        say(e, NOWHERE, "{{%.*s}} %s", SLICE_ARG(content), filler_of(string_slice(reference)));
        return;
    }
    step_message *step = say(e, NOWHERE, "{{%.*s}}", SLICE_ARG(content));
    step->value = (char *)text_of(e, found);
    e->depth++;
    explain_found(e, string_slice(reference), found);
    e->depth--;
}

static void explain_text(struct explainer *e, struct string *text, const struct scopes *scopes)
{
    struct slice content;
    size_t at = 0;
    while (e->result->n_explanation < MAX_STEPS && !e->vm->is_stopped &&
           template_next_reference(string_slice(text), &at, &content))
        explain_reference(e, content, scopes);
}

/* -- the path ------------------------------------------------------------------------------------- */

static bool step_into_struct(struct explainer *e, const struct object *object, struct slice name,
                             bool is_index, const struct object **ret)
{
    size_t index, best = SIZE_MAX;
    const char *nearest = NULL;
    if (is_index || !type_field(object->type, name, &index)) {
        for (size_t i = 0; i < object->type->field_count; i++)
            suggest(name, object->type->fields[i].name, &best, &nearest);
        say(e, NOWHERE, "a %s has no field '%.*s'%s%s%s", object->type->name, SLICE_ARG(name),
            nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
        return false;
    }
    if (e->struct_count == MAX_PATH)
        return false;
    e->structs[e->struct_count] = object;
    e->indices[e->struct_count++] = index;
    *ret = object->fields[index];
    if (*ret)
        *ret = object_in_scope(e->vm, *ret, scopes_of_object(e->vm, object));
    return true;
}

/* Lists and maps: the part as it was given. */
static bool step_into_container(struct explainer *e, const struct object *object, struct slice name,
                                const struct object **ret)
{
    uint64_t index;
    const struct object *part = NULL;
    if (object->type->kind == TYPE_LIST && slice_to_u64(name, UINT32_MAX, &index) &&
        index < object->count)
        part = object->items[index];
    for (size_t i = 0; object->type->kind == TYPE_MAP && i < object->count; i++)
        if (slice_is(name, text_of(e, object_value(object->pairs[i].key))))
            part = object->pairs[i].value;
    if (!part) {
        say(e, NOWHERE, "there is no [%.*s] in it; it has %zu items", SLICE_ARG(name),
            type_is_simple(object->type) ? (size_t)0 : object->count);
        return false;
    }
    *ret = object_in_scope(e->vm, part, object->scopes);
    return true;
}

static const struct object *chosen(struct explainer *e, const struct object *object)
{
    if (object->type->kind != TYPE_CHOICE || object->raw.kind != K_OBJECT)
        return object;
    return object_in_scope(e->vm, object->raw.object, object->scopes);
}

/* True when the path ends at a value; `*ret` is NULL when that is not set. */
static bool follow(struct explainer *e, const struct object *job, struct slice path,
                   const struct object **ret)
{
    *ret = job;
    while (path.len) {
        bool is_index;
        struct slice rest, name = reference_first(path, &is_index, &rest);
        if (!*ret) {
            say(e, NOWHERE, "what is before '%.*s' is not set", SLICE_ARG(path));
            return false;
        }
        const struct object *at = chosen(e, *ret);
        bool is_struct = at->type->kind == TYPE_STRUCT;
        if (!(is_struct ? step_into_struct(e, at, name, is_index, ret)
                        : step_into_container(e, at, name, ret)))
            return false;
        path = rest;
    }
    return true;
}

static void explain_end(struct explainer *e, const struct object *end, bool is_part)
{
    if (end->type->kind == TYPE_STRUCT)
        explain_struct(e, end);
    if (!type_is_simple(end->type) || end->raw.kind != K_STR)
        return;
    if (is_part) /* of a list or map: the field is said already, not the item */
        explain_literal(e, end, NOWHERE);
    explain_text(e, end->raw.s, end->scopes);
}

static void explain_value(struct explainer *e, const struct object *job, const char *path)
{
    struct string *reference;
    const struct object *end;
    if (!reference_parse(e->vm, slice_of(path), &reference)) {
        e->result->explanation_failed = true;
        say(e, NOWHERE, "'%s' is not a path: %s", path, result_exception(e->vm).message);
        return;
    }
    e->result->explanation_failed = !follow(e, job, string_slice(reference), &end);
    if (e->result->explanation_failed)
        return;
    step_message *step = say(e, NOWHERE, "%s", reference->data + (reference->data[0] == '.'));
    if (end)
        step->value = (char *)text_of(e, object_value(end));
    e->depth++;
    if (e->struct_count)
        explain_field(e, e->structs[e->struct_count - 1], e->indices[e->struct_count - 1]);
    if (end)
        explain_end(e, chosen(e, end), reference->data[reference->len - 1] == ']');
    e->depth--;
}

/* The path, when the explanation is wanted for this job. */
static const char *path_in(const char *wanted, const char *key)
{
    size_t len = strlen(key);
    if (!strchr(wanted, '/') || memchr(wanted, '[', strcspn(wanted, "/")))
        return wanted;
    if (len == 0 || strncmp(wanted, key, len) != 0 || (wanted[len] != '.' && wanted[len] != '['))
        return NULL;
    return wanted + len;
}

void explain_job(struct vm *vm, const struct object *job, Eos__Config__V1__JobResult *result)
{
    const char *path = path_in(vm->input->request->explain, result->key);
    struct explainer e = { .vm = vm, .result = result };
    if (path && job && !vm->is_stopped)
        explain_value(&e, job, path);
    exception_take(vm);
}
