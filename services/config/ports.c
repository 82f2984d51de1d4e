#include "config/job.h"
#include "config/number_text.h"
#include "config/schema.h"

/* Which ports a job needs: those that its processes refer to, led through the announcer's portmap,
 * and those that the portmap leads to. */

static bool add_port(struct vm *vm, struct dict *ports, struct value port)
{
    return dict_set(vm, ports, port, V_NONE);
}

static bool invalid_process(struct vm *vm, const struct object *process, struct slice name)
{
    struct string *text;
    return object_text(vm, process, &text) &&
           (raise_library(vm, &class_ValueError, ERROR_VALUE, "Task has invalid process: %s",
                          text->data) ||
            (name.len ? hint(vm, "write {{thermos.ports[%.*s]}}", SLICE_ARG(name)) : false));
}

static bool add_process_ports(struct vm *vm, const struct object *process, struct dict *ports)
{
    struct references references = { 0 };
    const struct object *filled;
    if (!object_interpolate(vm, process, &references, &filled))
        return false;
    for (size_t i = 0; i < references.count; i++) {
        bool is_index;
        struct slice rest, behind;
        if (!reference_behind(string_slice(references.items[i]), SLICE(".thermos.ports"), &rest))
            continue;
        struct slice name = reference_first(rest, &is_index, &behind);
        if (!is_index)
            return invalid_process(vm, process, name);
        if (!add_port(vm, ports, V_STR(string_new(vm->arena, name.ptr, name.len))))
            return false;
    }
    return true;
}

static bool referenced_ports(struct vm *vm, const struct object *job, struct dict *ports)
{
    const struct object *task, *filled, *processes;
    struct typecheck ignored;
    struct value list;
    if (!job_part(vm, job, "task", &task) || !object_check(vm, task, &ignored) ||
        !object_interpolate(vm, task, NULL, &filled) ||
        !object_field(vm, filled, "processes", &processes))
        return false;
    if (!processes)
        return true;
    if (!object_iterate(vm, processes, &list))
        return false;
    for (size_t i = 0; i < list.list->count; i++)
        if (!add_process_ports(vm, list.list->items[i].object, ports))
            return false;
    return true;
}

/* Whole numbers are static ports. */
static bool numbered_portmap(struct vm *vm, const struct dict *portmap, struct dict *ret)
{
    size_t cursor = 0;
    for (struct dict_entry *entry; (entry = dict_next(portmap, &cursor));) {
        struct value port = entry->value;
        if (port.kind == K_STR)
            integer_parse_text(vm->arena, string_slice(port.s), 10, &port);
        if (!dict_set(vm, ret, entry->key, port))
            return false;
    }
    return true;
}

static bool resolve_port(struct vm *vm, const struct dict *portmap, struct value name,
                         struct value *ret)
{
    struct value root, next, seen;
    struct dict *visited = dict_new(vm->arena);
    if (!dict_get(vm, portmap, name, &root))
        return false;
    for (;;) {
        if (!vm_step(vm) || !dict_get(vm, portmap, root, &next))
            return false;
        if (next.kind == K_UNBOUND)
            break;
        if (!dict_set(vm, visited, root, V_NONE) || !dict_get(vm, visited, next, &seen))
            return false;
        if (seen.kind != K_UNBOUND)
            return raise_library(vm, &class_ValueError, ERROR_VALUE, "Found cycle in portmap!");
        root = next;
    }
    *ret = root;
    return true;
}

static bool resolve_portmap(struct vm *vm, const struct object *job, struct dict *ret)
{
    const struct object *announcer;
    struct value portmap;
    struct dict *numbered = dict_new(vm->arena);
    size_t cursor = 0;
    if (!object_field(vm, job, "announce", &announcer))
        return false;
    if (!announcer)
        return true;
    if (!job_field(vm, announcer, "portmap", &portmap) ||
        !numbered_portmap(vm, portmap.dict, numbered))
        return false;
    for (struct dict_entry *entry; (entry = dict_next(numbered, &cursor));) {
        struct value port;
        if (!resolve_port(vm, numbered, entry->key, &port) || !dict_set(vm, ret, entry->key, port))
            return false;
    }
    return true;
}

bool job_ports(struct vm *vm, const struct object *job, struct value *ret)
{
    struct dict *referenced = dict_new(vm->arena), *portmap = dict_new(vm->arena),
                *ports = dict_new(vm->arena);
    size_t cursor = 0;
    if (!referenced_ports(vm, job, referenced) || !resolve_portmap(vm, job, portmap))
        return false;
    for (struct dict_entry *entry; (entry = dict_next(portmap, &cursor));)
        if (!value_is_integer(entry->value) && !add_port(vm, ports, entry->value))
            return false;
    cursor = 0;
    for (struct dict_entry *entry; (entry = dict_next(referenced, &cursor));) {
        struct value port;
        if (!dict_get(vm, portmap, entry->key, &port))
            return false;
        if (port.kind == K_UNBOUND)
            port = entry->key;
        if (!value_is_integer(port) && !add_port(vm, ports, port))
            return false;
    }
    *ret = list_new(vm->arena, K_LIST, ports->count);
    cursor = 0;
    for (struct dict_entry *entry; (entry = dict_next(ports, &cursor));)
        list_push(vm->arena, ret->list, entry->key);
    return true;
}
