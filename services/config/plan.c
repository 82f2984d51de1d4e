#include "config/job.h"
#include "config/schema.h"

/* What a task must fulfil to be run: names, types, an order without cycles, no open references. */

#define INVALID "The configuration was invalid: Task is invalid: "

struct follower {
    size_t index;
    struct follower *next;
};

struct planned {
    struct string *name;
    bool is_daemon, is_ephemeral;
    struct follower *followers;
    size_t waits_for; /* so many */
};

/* Processes of the same kind, and who comes after whom. */
struct plan {
    struct vm *vm;
    struct planned *items;
    size_t count;
    struct dict *names; /* to indexes */
};

static bool invalid_plan(struct vm *vm, const char *what)
{
    return raise_library(vm, &class_ValueError, ERROR_VALUE, INVALID "Task has invalid plan: %s",
                         what);
}

static bool processes_of(struct vm *vm, const struct object *task, struct value *ret)
{
    const struct object *processes;
    return job_part(vm, task, "processes", &processes) && object_iterate(vm, processes, ret);
}

static bool check_name(struct vm *vm, const struct object *process)
{
    struct value name;
    if (!job_field(vm, process, "name", &name))
        return false;
    const struct string *s = name.s;
    if (s->len && s->data[0] != '.' && !memchr(s->data, '/', s->len))
        return true;
    return raise_library(vm, &class_ValueError, ERROR_VALUE,
                         INVALID "Task has invalid process: Invalid process name: %s", s->data);
}

static bool is_true(struct vm *vm, const struct object *process, const char *field, bool *ret)
{
    struct value v;
    return job_field(vm, process, field, &v) && value_truth(vm, v, ret);
}

static size_t find_process(const struct plan *plan, struct string *name)
{
    struct value at = dict_get_text(plan->names, name);
    return at.kind == K_INT ? (size_t)at.i : SIZE_MAX;
}

static bool add_process(struct plan *plan, const struct object *process)
{
    struct vm *vm = plan->vm;
    struct value name, ignored;
    if (!job_field(vm, process, "name", &name))
        return false;
    size_t index = find_process(plan, name.s);
    if (index == SIZE_MAX) {
        index = plan->count++;
        dict_set_text(vm->arena, plan->names, name.s, V_INT((int64_t)index));
    }
    struct planned *planned = &plan->items[index];
    planned->name = name.s;
    return is_true(vm, process, "daemon", &planned->is_daemon) &&
           is_true(vm, process, "ephemeral", &planned->is_ephemeral) &&
           job_field(vm, process, "max_failures", &ignored) &&
           job_field(vm, process, "min_duration", &ignored);
}

static bool add_dependency(struct plan *plan, size_t later, size_t earlier)
{
    struct vm *vm = plan->vm;
    const struct planned *next = &plan->items[later];
    struct planned *before = &plan->items[earlier];
    if (before->is_daemon)
        return invalid_plan(vm, arena_printf(vm->arena,
                                             "Process %s may not depend upon daemon process %s",
                                             next->name->data, before->name->data));
    if (!next->is_ephemeral && before->is_ephemeral)
        return invalid_plan(
            vm, arena_printf(vm->arena,
                             "Non-ephemeral process %s may not depend upon ephemeral process %s",
                             next->name->data, before->name->data));
    struct follower *follower = arena_alloc(vm->arena, sizeof *follower);
    *follower = (struct follower){ later, before->followers };
    before->followers = follower;
    plan->items[later].waits_for++;
    return true;
}

/* Which of the names does not go with the others. */
static bool hint_stranger(struct vm *vm, const struct list *names, const size_t *at)
{
    size_t stranger = 0, known = 0;
    if (names->count == 0)
        return hint(vm, "an order names no process");
    while (at[stranger] != SIZE_MAX)
        stranger++;
    while (at[known] == SIZE_MAX)
        known++;
    return hint(vm, "'%s' is no process of this task that can be ordered with '%s'",
                names->items[stranger].s->data, names->items[known].s->data);
}

/* Either all names of an order belong to the plan, or none. */
static bool add_order(struct plan *plan, const struct list *names)
{
    struct vm *vm = plan->vm;
    size_t known = 0;
    size_t *at = arena_array(vm->arena, names->count, sizeof *at);
    for (size_t i = 0; i < names->count; i++) {
        at[i] = find_process(plan, names->items[i].s);
        known += at[i] != SIZE_MAX;
    }
    if (names->count == 0 || (known > 0 && known < names->count))
        return invalid_plan(vm, "Invalid process dependencies!") || hint_stranger(vm, names, at);
    for (size_t i = 1; known > 0 && i < names->count; i++)
        if (!vm_step(vm) || !add_dependency(plan, at[i], at[i - 1]))
            return false;
    return true;
}

/* Takes away those that wait for nobody until none is left, or only those that wait for each other. */
static bool check_cycles(struct plan *plan)
{
    struct vm *vm = plan->vm;
    size_t *ready = arena_array(vm->arena, plan->count, sizeof *ready);
    size_t count = 0;
    for (size_t i = 0; i < plan->count; i++)
        if (plan->items[i].waits_for == 0)
            ready[count++] = i;
    for (size_t i = 0; i < count; i++) {
        const struct follower *follower = plan->items[ready[i]].followers;
        for (; follower; follower = follower->next) {
            if (!vm_step(vm))
                return false;
            if (--plan->items[follower->index].waits_for == 0)
                ready[count++] = follower->index;
        }
    }
    return count == plan->count || invalid_plan(vm, "Cycles detected in the task schedule!");
}

static bool check_plan(struct vm *vm, const struct object *task, const struct list *processes,
                       bool wants_final)
{
    struct plan plan = { .vm = vm,
                         .items = arena_array(vm->arena, processes->count, sizeof *plan.items),
                         .names = dict_new(vm->arena) };
    const struct object *constraints;
    struct value list, names;
    for (size_t i = 0; i < processes->count; i++) {
        bool is_final;
        if (!is_true(vm, processes->items[i].object, "final", &is_final))
            return false;
        if (is_final == wants_final && !add_process(&plan, processes->items[i].object))
            return false;
    }
    if (!object_field(vm, task, "constraints", &constraints))
        return false;
    if (!constraints)
        return check_cycles(&plan);
    if (!object_iterate(vm, constraints, &list))
        return false;
    for (size_t i = 0; i < list.list->count; i++)
        if (!job_field(vm, list.list->items[i].object, "order", &names) ||
            !add_order(&plan, names.list))
            return false;
    return check_cycles(&plan);
}

/* --- open references --- */

static bool bind_context(struct vm *vm, const struct object *task, const char *name,
                         struct value context, const struct object **ret)
{
    const struct keyword keyword = { string_from(vm->arena, name), context };
    const struct args args = { .keywords = &keyword, .keyword_count = 1 };
    return object_bind(vm, task, &args, ret);
}

/* thermos.task_id, thermos.user, and a number for every port that is referred to. */
static bool made_up_thermos(struct vm *vm, const struct references *references, struct value *ret)
{
    const struct object *context;
    struct value ports = dict_value(vm->arena, K_DICT);
    for (size_t i = 0; i < references->count; i++) {
        bool is_index;
        struct slice rest, behind;
        if (!reference_behind(string_slice(references->items[i]), SLICE(".thermos.ports"), &rest))
            continue;
        struct slice name = reference_first(rest, &is_index, &behind);
        if (is_index)
            dict_set_text(vm->arena, ports.dict, string_new(vm->arena, name.ptr, name.len),
                          V_INT(31337));
    }
    const struct keyword keywords[] = {
        { string_from(vm->arena, "ports"), ports },
        { string_from(vm->arena, "task_id"), value_text(vm->arena, "dummy") },
        { string_from(vm->arena, "user"), value_text(vm->arena, "dummy") },
    };
    const struct args args = { .keywords = keywords, .keyword_count = 3 };
    if (!type_construct(vm, &type_ThermosContext, &args, &context))
        return false;
    *ret = object_value(context);
    return true;
}

static bool unexpected(struct vm *vm, struct references *references)
{
    struct slice name, tag;
    struct buffer text = buffer_new(vm);
    references_sort(references);
    for (size_t i = 0; i < references->count; i++) {
        struct slice reference = string_slice(references->items[i]);
        if (reference_is_image(reference, &name, &tag))
            continue;
        struct slice address = reference_address(reference);
        buffer_text(&text, text.len ? " {{" : "{{");
        buffer_add(&text, address.ptr, address.len);
        buffer_text(&text, "}}");
    }
    if (text.len == 0)
        return true;
    struct string *all;
    return buffer_finish(vm, &text, &all) &&
           raise_library(
               vm, &class_ValueError, ERROR_UNBOUND,
               INVALID
               "Unexpected unbound refs: %s. Make sure you are not nesting template variables.",
               all->data);
}

static bool check_references(struct vm *vm, const struct object *task)
{
    struct value mesos = dict_value(vm->arena, K_DICT), thermos;
    struct references open = { 0 }, left = { 0 };
    const struct object *bound, *filled;
    dict_set_text(vm->arena, mesos.dict, string_from(vm->arena, "instance"), V_INT(31337));
    dict_set_text(vm->arena, mesos.dict, string_from(vm->arena, "hostname"),
                  value_text(vm->arena, ""));
    return bind_context(vm, task, "mesos", mesos, &bound) &&
           object_interpolate(vm, bound, &open, &filled) && made_up_thermos(vm, &open, &thermos) &&
           bind_context(vm, bound, "thermos", thermos, &bound) &&
           object_interpolate(vm, bound, &left, &filled) && unexpected(vm, &left);
}

bool task_validate(struct vm *vm, const struct object *task)
{
    struct value processes;
    struct typecheck check;
    if (!processes_of(vm, task, &processes))
        return false;
    for (size_t i = 0; i < processes.list->count; i++)
        if (!check_name(vm, processes.list->items[i].object))
            return false;
    if (!object_check(vm, task, &check))
        return false;
    if (!check.is_ok)
        return raise_library(vm, &class_ValueError, check.error_class,
                             INVALID "Failed to fully evaluate task: %s", check.message);
    return check_plan(vm, task, processes.list, false) &&
           check_plan(vm, task, processes.list, true) && check_references(vm, task);
}
