#include "config/integer.h"
#include "config/schema.h"

/* Thermos's helpers: order(), SequentialTask(), combine_tasks() and the like. */

static bool get_field(struct vm *vm, const struct object *object, const char *name,
                      struct value *ret)
{
    const struct object *field;
    *ret = V_EMPTY;
    if (!object_field(vm, object, name, &field))
        return false;
    return !field || object_get(vm, field, ret);
}

static bool expect(struct vm *vm, struct value v, const struct type *type, const char *where,
                   const struct object **ret)
{
    bool is_instance;
    if (!type_is_instance(vm, type, v, &is_instance))
        return false;
    if (!is_instance)
        return raise_error(vm, &class_AttributeError, "%s expects a %s, got %s", where, type->name,
                           value_type_name(v));
    *ret = v.object;
    return true;
}

/* --- order() --- */

static bool add_order(struct vm *vm, struct value names, struct list *constraints)
{
    const struct object *constraint;
    if (!schema_struct(vm, &type_Constraint, "order", names, &constraint))
        return false;
    list_push(vm->arena, constraints, object_value(constraint));
    return true;
}

static bool process_name(struct vm *vm, struct value v, struct value *ret)
{
    bool is_process;
    const struct object *name;
    struct string *text;
    if (!type_is_instance(vm, &type_Process, v, &is_process))
        return false;
    if (is_process) {
        if (!object_field(vm, v.object, "name", &name))
            return false;
        *ret = object_value(name);
        return true;
    }
    *ret = v;
    if (v.kind == K_STR)
        return true;
    return value_repr(vm, v, &text) &&
           raise_library(vm, &class_ValueError, ERROR_VALUE, "Unknown value for process order: %s",
                         text->data);
}

static bool make_order(struct vm *vm, const struct value *items, size_t count,
                       struct list *constraints)
{
    struct value names = list_new(vm->arena, K_LIST, count), name;
    for (size_t i = 0; i < count; i++) {
        if (!process_name(vm, items[i], &name))
            return false;
        list_push(vm->arena, names.list, name);
    }
    return add_order(vm, names, constraints);
}

static bool help_order(struct vm *vm, struct value self, const struct args *args, struct value *ret)
{
    (void)self;
    if (!NO_KEYWORDS(args, "order()"))
        return false;
    *ret = list_new(vm->arena, K_LIST, 1);
    return make_order(vm, args->items, args->count, ret->list);
}

/* --- tasks --- */

static bool make_resources(struct vm *vm, struct value cpu, struct value ram, struct value disk,
                           const struct object **ret)
{
    const struct keyword keywords[] = {
        { string_from(vm->arena, "cpu"), cpu },
        { string_from(vm->arena, "ram"), ram },
        { string_from(vm->arena, "disk"), disk },
    };
    const struct args args = { .keywords = keywords, .keyword_count = 3 };
    return type_construct(vm, &type_Resources, &args, ret);
}

#define SIMPLE_BYTES 1073741824

static bool help_simple_task(struct vm *vm, struct value self, const struct args *args,
                             struct value *ret)
{
    (void)self;
    const struct object *process, *resources, *task;
    const struct keyword process_fields[] = {
        { string_from(vm->arena, "name"), args->items[0] },
        { string_from(vm->arena, "cmdline"), args->items[1] },
    };
    const struct args process_args = { .keywords = process_fields, .keyword_count = 2 };
    if (!type_construct(vm, &type_Process, &process_args, &process) ||
        !make_resources(vm, V_FLOAT(1), V_INT(SIMPLE_BYTES), V_INT(SIMPLE_BYTES), &resources))
        return false;
    struct value processes = list_new(vm->arena, K_LIST, 1);
    list_push(vm->arena, processes.list, object_value(process));
    const struct keyword fields[] = {
        { string_from(vm->arena, "name"), args->items[0] },
        { string_from(vm->arena, "processes"), processes },
        { string_from(vm->arena, "resources"), object_value(resources) },
    };
    const struct args task_args = { .keywords = fields, .keyword_count = 3 };
    if (!type_construct(vm, &type_Task, &task_args, &task))
        return false;
    *ret = object_value(task);
    return true;
}

static bool make_sequential(struct vm *vm, const struct object *task, struct value *ret)
{
    const struct object *constraints, *processes;
    struct value items, orders = list_new(vm->arena, K_LIST, 1);
    if (!object_field(vm, task, "constraints", &constraints) ||
        !object_field(vm, task, "processes", &processes))
        return false;
    if (constraints && constraints->count)
        return raise_library(vm, &class_ValueError, ERROR_VALUE,
                             "Cannot turn a Task with existing constraints into a SequentialTask!");
    *ret = object_value(task);
    if (!processes)
        return true;
    if (!object_iterate(vm, processes, &items) ||
        !make_order(vm, items.list->items, items.list->count, orders.list) ||
        !object_set_field(vm, task, "constraints", orders, &task))
        return false;
    *ret = object_value(task);
    return true;
}

static bool help_sequential_task(struct vm *vm, struct value self, const struct args *args,
                                 struct value *ret)
{
    (void)self;
    const struct object *task;
    return type_construct(vm, &type_Task, args, &task) && make_sequential(vm, task, ret);
}

static bool tasks_sequential(struct vm *vm, struct value self, const struct args *args,
                             struct value *ret)
{
    (void)self;
    const struct object *task;
    return expect(vm, args->items[0], &type_Task, "Tasks.sequential()", &task) &&
           make_sequential(vm, task, ret);
}

/* --- merging --- */

/* Adds the members of a list field of `task` that are not there yet. */
static bool merge_field(struct vm *vm, const struct object *task, const char *name,
                        struct dict *seen)
{
    const struct object *field;
    struct value items;
    if (!object_field(vm, task, name, &field))
        return false;
    if (!field)
        return raise_error(vm, &class_TypeError, "'type' object is not iterable");
    if (!object_iterate(vm, field, &items))
        return false;
    for (size_t i = 0; i < items.list->count; i++)
        if (!dict_set(vm, seen, items.list->items[i], V_NONE))
            return false;
    return true;
}

static bool merge_fields(struct vm *vm, const struct value *tasks, size_t count, const char *name,
                         struct value *ret)
{
    struct dict *seen = dict_new(vm->arena);
    size_t cursor = 0;
    for (size_t i = 0; i < count; i++) {
        const struct object *task;
        if (!expect(vm, tasks[i], &type_Task, name, &task) || !merge_field(vm, task, name, seen))
            return false;
    }
    *ret = list_new(vm->arena, K_LIST, seen->count);
    for (struct dict_entry *entry; (entry = dict_next(seen, &cursor));)
        list_push(vm->arena, ret->list, entry->key);
    return true;
}

typedef bool combine_fn(struct vm *vm, struct value a, struct value b, struct value *ret);

static bool combine_sum(struct vm *vm, struct value a, struct value b, struct value *ret)
{
    return value_binary(vm, OP_ADD, a, b, ret);
}

static bool combine_max(struct vm *vm, struct value a, struct value b, struct value *ret)
{
    bool is_less;
    if (!value_less(vm, a, b, &is_less))
        return false;
    *ret = is_less ? b : a;
    return true;
}

static bool combine_dimension(struct vm *vm, const struct value *resources, size_t count,
                              const char *name, combine_fn *combine, struct value *ret)
{
    *ret = V_INT(0);
    for (size_t i = 0; i < count; i++) {
        struct value v;
        const struct object *object;
        if (resources[i].kind == K_EMPTY)
            continue;
        if (!expect(vm, resources[i], &type_Resources, "Units", &object) ||
            !get_field(vm, object, name, &v))
            return false;
        if (v.kind != K_EMPTY && !combine(vm, *ret, v, ret))
            return false;
        if (v.kind == K_EMPTY && !combine(vm, *ret, V_INT(0), ret))
            return false;
    }
    return true;
}

static bool combine_resources(struct vm *vm, const struct value *resources, size_t count,
                              combine_fn *combine, const struct object **ret)
{
    static const char *const names[] = { "cpu", "ram", "disk", "gpu" };
    struct keyword keywords[4];
    for (size_t i = 0; i < 4; i++) {
        keywords[i].name = string_from(vm->arena, names[i]);
        if (!combine_dimension(vm, resources, count, names[i], combine, &keywords[i].value))
            return false;
    }
    const struct args args = { .keywords = keywords, .keyword_count = 4 };
    return type_construct(vm, &type_Resources, &args, ret);
}

static bool combine_waits(struct vm *vm, const struct value *waits, size_t count,
                          combine_fn *combine, struct value *ret)
{
    *ret = V_INT(0);
    for (size_t i = 0; i < count; i++) {
        struct value v = V_INT(0);
        if (waits[i].kind == K_OBJECT && !object_get(vm, waits[i].object, &v))
            return false;
        if (!combine(vm, *ret, v, ret))
            return false;
    }
    return true;
}

/* A field of each task; K_EMPTY where it is not set. */
static bool collect_field(struct vm *vm, const struct value *tasks, size_t count, const char *name,
                          struct value *ret_items)
{
    for (size_t i = 0; i < count; i++) {
        const struct object *task, *field;
        if (!expect(vm, tasks[i], &type_Task, "combine_tasks()", &task) ||
            !object_field(vm, task, name, &field))
            return false;
        ret_items[i] = object_value(field);
    }
    return true;
}

/* The last task with the processes, resources and waits of all. */
static bool merge_tasks(struct vm *vm, const struct args *args, combine_fn *resources_by,
                        combine_fn *waits_by, const struct object **ret)
{
    struct value *items = arena_array(vm->arena, args->count, sizeof *items);
    struct value processes, wait;
    const struct object *resources, *task = args->items[args->count - 1].object;
    if (!merge_fields(vm, args->items, args->count, "processes", &processes) ||
        !collect_field(vm, args->items, args->count, "resources", items) ||
        !combine_resources(vm, items, args->count, resources_by, &resources) ||
        !collect_field(vm, args->items, args->count, "finalization_wait", items) ||
        !combine_waits(vm, items, args->count, waits_by, &wait))
        return false;
    return object_set_field(vm, task, "processes", processes, &task) &&
           object_set_field(vm, task, "resources", object_value(resources), &task) &&
           object_set_field(vm, task, "finalization_wait", wait, ret);
}

static bool finish_merged(struct vm *vm, const struct object *task, struct value constraints,
                          const struct args *args, struct value *ret)
{
    const struct args fields = { .keywords = args->keywords, .keyword_count = args->keyword_count };
    if (!object_set_field(vm, task, "constraints", constraints, &task) ||
        !object_override(vm, task, &fields, &task))
        return false;
    *ret = object_value(task);
    return true;
}

static bool empty_task(struct vm *vm, struct value *ret)
{
    const struct object *task;
    if (!schema_struct(vm, &type_Task, NULL, V_NONE, &task))
        return false;
    *ret = object_value(task);
    return true;
}

static bool help_combine(struct vm *vm, struct value self, const struct args *args,
                         struct value *ret)
{
    (void)self;
    const struct object *task;
    struct value constraints;
    if (args->count == 0)
        return empty_task(vm, ret);
    return merge_fields(vm, args->items, args->count, "constraints", &constraints) &&
           merge_tasks(vm, args, combine_sum, combine_max, &task) &&
           finish_merged(vm, task, constraints, args, ret);
}

/* Every process of one task before every one of the next. */
static bool order_neighbours(struct vm *vm, const struct object *first, const struct object *second,
                             struct list *constraints)
{
    const struct object *a, *b;
    struct value before, after;
    if (!object_field(vm, first, "processes", &a) || !object_field(vm, second, "processes", &b) ||
        !a || !b)
        return false;
    if (!object_iterate(vm, a, &before) || !object_iterate(vm, b, &after))
        return false;
    for (size_t i = 0; i < before.list->count; i++)
        for (size_t j = 0; j < after.list->count; j++) {
            struct value pair[] = { before.list->items[i], after.list->items[j] };
            bool is_same;
            if (!value_equal(vm, pair[0], pair[1], &is_same))
                return false;
            if (!is_same && !make_order(vm, pair, 2, constraints))
                return false;
        }
    return true;
}

static bool help_concat(struct vm *vm, struct value self, const struct args *args,
                        struct value *ret)
{
    (void)self;
    const struct object *task;
    struct value constraints;
    if (args->count == 0)
        return empty_task(vm, ret);
    if (!merge_fields(vm, args->items, args->count, "constraints", &constraints) ||
        !merge_tasks(vm, args, combine_max, combine_sum, &task))
        return false;
    for (size_t i = 1; i < args->count; i++)
        if (!order_neighbours(vm, args->items[i - 1].object, args->items[i].object,
                              constraints.list))
            return false;
    return finish_merged(vm, task, constraints, args, ret);
}

/* --- Units --- */

static bool units_sum(struct vm *vm, struct value self, const struct args *args, struct value *ret)
{
    (void)self;
    const struct object *resources;
    if (!combine_resources(vm, args->items, args->count, combine_sum, &resources))
        return false;
    *ret = object_value(resources);
    return true;
}

static bool units_max(struct vm *vm, struct value self, const struct args *args, struct value *ret)
{
    (void)self;
    const struct object *resources;
    struct value items;
    if (!value_to_list(vm, args->items[0], K_LIST, &items) ||
        !combine_resources(vm, items.list->items, items.list->count, combine_max, &resources))
        return false;
    *ret = object_value(resources);
    return true;
}

static bool units_wait(struct vm *vm, const struct args *args, combine_fn *combine,
                       struct value *ret)
{
    struct value items;
    return value_to_list(vm, args->items[0], K_LIST, &items) &&
           combine_waits(vm, items.list->items, items.list->count, combine, ret);
}

static bool units_wait_sum(struct vm *vm, struct value self, const struct args *args,
                           struct value *ret)
{
    (void)self;
    return units_wait(vm, args, combine_sum, ret);
}

static bool units_wait_max(struct vm *vm, struct value self, const struct args *args,
                           struct value *ret)
{
    (void)self;
    return units_wait(vm, args, combine_max, ret);
}

static bool units_safe_get(struct vm *vm, struct value self, const struct args *args,
                           struct value *ret)
{
    (void)self;
    *ret = V_INT(0);
    return args->items[0].kind != K_OBJECT || object_get(vm, args->items[0].object, ret);
}

static bool units_optional(struct vm *vm, struct value self, const struct args *args,
                           struct value *ret)
{
    (void)self;
    const struct object *resources;
    *ret = args->items[0];
    if (ret->kind != K_EMPTY)
        return true;
    if (!schema_struct(vm, &type_Resources, NULL, V_NONE, &resources))
        return false;
    *ret = object_value(resources);
    return true;
}

static bool units_merge(struct vm *vm, const struct args *args, const char *name, struct value *ret)
{
    struct value tasks;
    return value_to_list(vm, args->items[0], K_LIST, &tasks) &&
           merge_fields(vm, tasks.list->items, tasks.list->count, name, ret);
}

static bool units_processes(struct vm *vm, struct value self, const struct args *args,
                            struct value *ret)
{
    (void)self;
    return units_merge(vm, args, "processes", ret);
}

static bool units_constraints(struct vm *vm, struct value self, const struct args *args,
                              struct value *ret)
{
    (void)self;
    return units_merge(vm, args, "constraints", ret);
}

/* --- options --- */

static bool add_option(struct vm *vm, struct buffer *buffer, const char *long_prefix,
                       struct value option, struct value v)
{
    struct string *name, *text;
    bool has_value;
    if (!value_str(vm, option, &name) || !value_truth(vm, v, &has_value))
        return false;
    if (buffer->len)
        buffer_char(buffer, ' ');
    buffer_text(buffer, name->chars == 1 ? "-" : long_prefix);
    buffer_string(buffer, name);
    if (!has_value)
        return true;
    if (!value_str(vm, v, &text))
        return false;
    buffer_char(buffer, ' ');
    buffer_string(buffer, text);
    return true;
}

static bool add_positional_option(struct vm *vm, struct buffer *buffer, const char *long_prefix,
                                  struct value option)
{
    struct string *text;
    size_t cursor = 0;
    struct value dict = value_as(option, K_DICT);
    if (option.kind == K_STR)
        return add_option(vm, buffer, long_prefix, option, V_NONE);
    if (dict.kind != K_DICT)
        return value_repr(vm, option, &text) &&
               raise_library(vm, &class_ValueError, ERROR_VALUE,
                             "Got an unexpected argument to render_options: %s", text->data);
    for (struct dict_entry *entry; (entry = dict_next(dict.dict, &cursor));)
        if (!add_option(vm, buffer, long_prefix, entry->key, entry->value))
            return false;
    return true;
}

static bool render_options(struct vm *vm, const struct args *args, const char *long_prefix,
                           struct value *ret)
{
    struct buffer buffer = buffer_new(vm);
    for (size_t i = 0; i < args->count; i++)
        if (!add_positional_option(vm, &buffer, long_prefix, args->items[i]))
            return false;
    for (size_t i = 0; i < args->keyword_count; i++)
        if (!add_option(vm, &buffer, long_prefix, V_STR(args->keywords[i].name),
                        args->keywords[i].value))
            return false;
    return buffer_value(vm, &buffer, ret);
}

static bool help_java_options(struct vm *vm, struct value self, const struct args *args,
                              struct value *ret)
{
    (void)self;
    return render_options(vm, args, "-", ret);
}

static bool help_python_options(struct vm *vm, struct value self, const struct args *args,
                                struct value *ret)
{
    (void)self;
    return render_options(vm, args, "--", ret);
}

const struct native helper_natives[] = {
    { "order", help_order, NULL },
    { "SimpleTask", help_simple_task, "name command" },
    { "SequentialTask", help_sequential_task, NULL },
    { "combine_tasks", help_combine, NULL },
    { "concat_tasks", help_concat, NULL },
    { "java_options", help_java_options, NULL },
    { "python_options", help_python_options, NULL },
    { NULL, NULL, NULL },
};

const struct native processes_natives[] = {
    { "order", help_order, NULL },
    { NULL, NULL, NULL },
};

const struct native tasks_natives[] = {
    { "combine", help_combine, NULL },
    { "concat", help_concat, NULL },
    { "simple", help_simple_task, "name command" },
    { "sequential", tasks_sequential, "task" },
    { NULL, NULL, NULL },
};

const struct native options_natives[] = {
    { "java", help_java_options, NULL },
    { "python", help_python_options, NULL },
    { NULL, NULL, NULL },
};

const struct native units_natives[] = {
    { "resources_sum", units_sum, NULL },
    { "resources_max", units_max, "resources" },
    { "finalization_wait_sum", units_wait_sum, "waits" },
    { "finalization_wait_max", units_wait_max, "waits" },
    { "safe_get", units_safe_get, "unit" },
    { "optional_resources", units_optional, "resources" },
    { "processes_merge", units_processes, "tasks" },
    { "constraints_merge", units_constraints, "tasks" },
    { NULL, NULL, NULL },
};
