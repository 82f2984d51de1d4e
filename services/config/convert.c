#include "config/integer.h"
#include "config/job.h"
#include "config/number_text.h"
#include "config/schema.h"

#include <ctype.h>

/* A filled-in job to Aurora's JobConfiguration. */

#define INVALID  "The configuration was invalid: "
#define MEGABYTE 1048576

/* --- building structs --- */

static struct value struct_new(struct vm *vm)
{
    return dict_value(vm->arena, K_DICT);
}

static void put(struct vm *vm, struct value into, const char *name, struct value v)
{
    dict_set_text(vm->arena, into.dict, string_from(vm->arena, name), v);
}

/* A struct or union with one field. */
static struct value wrap(struct vm *vm, const char *name, struct value v)
{
    struct value made = struct_new(vm);
    put(vm, made, name, v);
    return made;
}

/* The content of a field that must be well typed; K_UNBOUND when it is not set and may be so. */
static bool full_object(struct vm *vm, const struct object *field, struct value *ret)
{
    struct typecheck check;
    const struct object *filled;
    if (!object_check(vm, field, &check))
        return false;
    if (!check.is_ok)
        return raise_library(vm, &class_ValueError, check.error_class, INVALID "%s", check.message);
    return object_interpolate(vm, field, NULL, &filled) && object_get(vm, filled, ret);
}

static bool full_field(struct vm *vm, const struct object *object, const char *name,
                       struct value *ret)
{
    const struct object *field;
    if (!object_field(vm, object, name, &field))
        return false;
    if (!field)
        return raise_library(vm, &class_AttributeError, ERROR_MISSING,
                             "type object 'Empty' has no attribute 'check'");
    return full_object(vm, field, ret);
}

static bool optional_field(struct vm *vm, const struct object *object, const char *name,
                           struct value *ret)
{
    const struct object *field;
    *ret = V_UNBOUND;
    return object_field(vm, object, name, &field) && (!field || full_object(vm, field, ret));
}

/* Fields that are copied under another name. */
struct copied {
    const char *from, *to;
    bool is_optional;
};

static bool copy_fields(struct vm *vm, const struct object *object, const struct copied *rows,
                        size_t count, struct value into)
{
    for (size_t i = 0; i < count; i++) {
        struct value v;
        if (!(rows[i].is_optional ? optional_field : full_field)(vm, object, rows[i].from, &v))
            return false;
        if (v.kind != K_UNBOUND)
            put(vm, into, rows[i].to, v);
    }
    return true;
}

#define COUNT(table) (sizeof table / sizeof *table)

/* --- the key --- */

static bool is_identifier(const struct string *s)
{
    size_t len = s->len;
    if (len && s->data[len - 1] == '\n')
        len--;
    for (size_t i = 0; i < len; i++) {
        char c = s->data[i];
        if (!isalnum((unsigned char)c) && c != '_' && c != '-' && c != '.' &&
            (unsigned char)c < 0x80)
            return false;
    }
    return len > 0;
}

static bool convert_key(struct vm *vm, const struct object *job, struct value *ret)
{
    static const char *const fields[] = { "role", "environment", "name" };
    *ret = struct_new(vm);
    for (size_t i = 0; i < COUNT(fields); i++) {
        struct value v;
        if (!full_field(vm, job, fields[i], &v))
            return false;
        if (!is_identifier(v.s))
            return raise_library(vm, &class_ValueError, ERROR_VALUE, INVALID "Invalid %s '%s'",
                                 fields[i], v.s->data);
        put(vm, *ret, fields[i], v);
    }
    return true;
}

/* --- policies and metadata --- */

static bool convert_partition_policy(struct vm *vm, const struct object *job, struct value task)
{
    static const struct copied rows[] = { { "reschedule", "reschedule", false },
                                          { "delay_secs", "delaySecs", false } };
    const struct object *policy;
    if (!object_field(vm, job, "partition_policy", &policy))
        return false;
    if (!policy)
        return true;
    struct value made = struct_new(vm);
    put(vm, task, "partitionPolicy", made);
    return copy_fields(vm, policy, rows, COUNT(rows), made);
}

static bool convert_sla_policy(struct vm *vm, const struct object *job, struct value task)
{
    static const struct {
        const struct type *type;
        const char *name;
        struct copied fields[2];
    } rows[] = {
        { &type_CoordinatorSlaPolicy,
          "coordinatorSlaPolicy",
          { { "coordinator_url", "coordinatorUrl", false },
            { "status_key", "statusKey", false } } },
        { &type_CountSlaPolicy,
          "countSlaPolicy",
          { { "count", "count", false }, { "duration_secs", "durationSecs", false } } },
        { &type_PercentageSlaPolicy,
          "percentageSlaPolicy",
          { { "percentage", "percentage", false }, { "duration_secs", "durationSecs", false } } },
    };
    const struct object *policy;
    if (!object_field(vm, job, "sla_policy", &policy))
        return false;
    if (!policy)
        return true;
    if (!object_unwrap(vm, policy, &policy))
        return false;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct value made = struct_new(vm);
        if (policy->type != rows[i].type)
            continue;
        put(vm, task, "slaPolicy", wrap(vm, rows[i].name, made));
        return copy_fields(vm, policy, rows[i].fields, 2, made);
    }
    return true;
}

static bool convert_metadata(struct vm *vm, const struct object *job, struct value task)
{
    static const struct copied rows[] = { { "key", "key", false }, { "value", "value", false } };
    const struct object *metadata;
    struct value items, list = list_new(vm->arena, K_LIST, 0);
    struct dict *seen = dict_new(vm->arena);
    put(vm, task, "metadata", list);
    if (!object_field(vm, job, "metadata", &metadata))
        return false;
    if (!metadata)
        return true;
    if (!object_iterate(vm, metadata, &items))
        return false;
    for (size_t i = 0; i < items.list->count; i++) {
        struct value made = struct_new(vm), pair[2], old;
        if (!copy_fields(vm, items.list->items[i].object, rows, 2, made))
            return false;
        pair[0] = dict_get_text(made.dict, string_from(vm->arena, "key"));
        pair[1] = dict_get_text(made.dict, string_from(vm->arena, "value"));
        struct value both = tuple_of(vm->arena, pair, 2);
        if (!dict_get(vm, seen, both, &old) || !dict_set(vm, seen, both, V_NONE))
            return false;
        if (old.kind == K_UNBOUND)
            list_push(vm->arena, list.list, made);
    }
    return true;
}

/* --- resources --- */

static bool is_zero(struct value v)
{
    return value_is_integer(v) && integer_sign(v) == 0;
}

static bool is_positive(struct value v)
{
    return v.kind == K_FLOAT ? v.f > 0 : integer_sign(v) > 0;
}

static bool bad_resources(struct vm *vm, struct value cpu, struct value ram, struct value disk)
{
    struct string *texts[3];
    return value_repr(vm, cpu, &texts[0]) && value_repr(vm, ram, &texts[1]) &&
           value_repr(vm, disk, &texts[2]) &&
           raise_library(vm, &class_ValueError, ERROR_VALUE,
                         INVALID "Task has invalid resources.  cpu/ramMb/diskMb must all be "
                                 "positive: cpu:%s ramMb:%s "
                                 "diskMb:%s",
                         texts[0]->data, texts[1]->data, texts[2]->data);
}

static bool read_resources(struct vm *vm, const struct object *resources, struct value *ret_ram,
                           struct value *ret_disk)
{
    struct string *ram, *disk;
    if (!full_field(vm, resources, "ram", ret_ram) || !full_field(vm, resources, "disk", ret_disk))
        return false;
    if (!is_zero(*ret_ram) && !is_zero(*ret_disk))
        return true;
    return value_repr(vm, *ret_ram, &ram) && value_repr(vm, *ret_disk, &disk) &&
           raise_library(vm, &class_ValueError, ERROR_VALUE,
                         INVALID "Must specify ram and disk resources, got ram:%s disk:%s",
                         ram->data, disk->data);
}

static bool convert_resources(struct vm *vm, const struct object *task_object,
                              const struct value *ports, struct value task)
{
    const struct object *resources;
    struct value cpu, ram, disk, gpu, list = list_new(vm->arena, K_LIST, 4);
    if (!object_has(task_object, "resources"))
        return raise_library(vm, &class_ValueError, ERROR_MISSING,
                             INVALID "Task must specify resources!");
    if (!object_field(vm, task_object, "resources", &resources) ||
        !read_resources(vm, resources, &ram, &disk) || !full_field(vm, resources, "cpu", &cpu))
        return false;
    integer_divide(vm->arena, ram, V_INT(MEGABYTE), &ram, NULL);
    integer_divide(vm->arena, disk, V_INT(MEGABYTE), &disk, NULL);
    if (!is_positive(cpu) || !is_positive(ram) || !is_positive(disk))
        return bad_resources(vm, cpu, ram, disk);
    if (!full_field(vm, resources, "gpu", &gpu))
        return false;
    list_push(vm->arena, list.list, wrap(vm, "numCpus", cpu));
    list_push(vm->arena, list.list, wrap(vm, "ramMb", ram));
    list_push(vm->arena, list.list, wrap(vm, "diskMb", disk));
    for (size_t i = 0; i < ports->list->count; i++)
        list_push(vm->arena, list.list, wrap(vm, "namedPort", ports->list->items[i]));
    if (!is_zero(gpu))
        list_push(vm->arena, list.list, wrap(vm, "numGpus", gpu));
    put(vm, task, "resources", list);
    return true;
}

/* --- constraints --- */

static bool convert_limit(struct vm *vm, struct slice text, struct value *ret)
{
    struct value limit;
    struct string *shown;
    struct value whole = V_STR(string_new(vm->arena, text.ptr, text.len));
    if (!integer_parse_text(vm->arena, text, 10, &limit))
        return value_repr(vm, whole, &shown) &&
               (raise_library(vm, &class_ValueError, ERROR_VALUE,
                              "invalid literal for int() with base 10: %s", shown->data) ||
                hint(vm, "what follows 'limit:' in a constraint is a whole number"));
    *ret = wrap(vm, "limit", wrap(vm, "limit", limit));
    return true;
}

static struct value convert_values(struct vm *vm, struct slice text)
{
    struct value made = struct_new(vm), list = list_new(vm->arena, K_LIST, 2);
    struct dict *seen = dict_new(vm->arena);
    bool is_negated = text.len && text.ptr[0] == '!';
    if (is_negated)
        text = (struct slice){ text.ptr + 1, text.len - 1 };
    for (struct slice rest = text; rest.ptr;) {
        struct slice part = slice_split(&rest, ',');
        struct string *s = string_new(vm->arena, part.ptr, part.len);
        if (dict_get_text(seen, s).kind == K_UNBOUND)
            list_push(vm->arena, list.list, V_STR(s));
        dict_set_text(vm->arena, seen, s, V_NONE);
    }
    put(vm, made, "negated", V_BOOL(is_negated));
    put(vm, made, "values", list);
    return wrap(vm, "value", made);
}

static bool convert_constraints(struct vm *vm, const struct object *job, struct value task)
{
    struct value constraints, list = list_new(vm->arena, K_LIST, 4);
    size_t cursor = 0;
    put(vm, task, "constraints", list);
    if (!optional_field(vm, job, "constraints", &constraints))
        return false;
    if (constraints.kind == K_UNBOUND)
        return true;
    for (struct dict_entry *entry; (entry = dict_next(constraints.dict, &cursor));) {
        struct value made = struct_new(vm), constraint;
        struct slice text = string_slice(entry->value.s);
        if (slice_starts_with(text, SLICE("limit:"))) {
            if (!convert_limit(vm, (struct slice){ text.ptr + 6, text.len - 6 }, &constraint))
                return false;
        } else {
            constraint = convert_values(vm, text);
        }
        put(vm, made, "name", entry->key);
        put(vm, made, "constraint", constraint);
        list_push(vm->arena, list.list, made);
    }
    return true;
}

/* --- containers --- */

static bool convert_docker(struct vm *vm, const struct object *docker, struct value *ret)
{
    static const struct copied rows[] = { { "name", "name", false }, { "value", "value", false } };
    const struct object *parameters;
    struct value items, image, list = list_new(vm->arena, K_LIST, 0), made = struct_new(vm);
    if (!object_field(vm, docker, "parameters", &parameters))
        return false;
    if (parameters && !object_iterate(vm, parameters, &items))
        return false;
    for (size_t i = 0; parameters && i < items.list->count; i++) {
        struct value parameter = struct_new(vm);
        if (!copy_fields(vm, items.list->items[i].object, rows, 2, parameter))
            return false;
        list_push(vm->arena, list.list, parameter);
    }
    if (!full_field(vm, docker, "image", &image))
        return false;
    put(vm, made, "image", image);
    put(vm, made, "parameters", list);
    *ret = wrap(vm, "docker", made);
    return true;
}

static bool convert_image(struct vm *vm, const struct object *mesos, struct value into)
{
    static const struct copied appc[] = { { "name", "name", false },
                                          { "image_id", "imageId", false } };
    static const struct copied docker[] = { { "name", "name", false }, { "tag", "tag", false } };
    const struct object *image;
    if (!object_field(vm, mesos, "image", &image))
        return false;
    if (!image)
        return true;
    if (!object_unwrap(vm, image, &image))
        return false;
    bool is_appc = image->type == &type_AppcImage;
    struct value made = struct_new(vm);
    put(vm, into, "image", wrap(vm, is_appc ? "appc" : "docker", made));
    return copy_fields(vm, image, is_appc ? appc : docker, 2, made);
}

static bool convert_volumes(struct vm *vm, const struct object *mesos, struct value into)
{
    static const struct copied rows[] = { { "container_path", "containerPath", false },
                                          { "host_path", "hostPath", false },
                                          { "mode", "mode", false } };
    const struct object *volumes;
    struct value items, list = list_new(vm->arena, K_LIST, 0);
    if (!object_field(vm, mesos, "volumes", &volumes))
        return false;
    if (!volumes)
        return raise_library(vm, &class_TypeError, ERROR_MISSING, "'type' object is not iterable");
    if (!object_iterate(vm, volumes, &items))
        return false;
    for (size_t i = 0; i < items.list->count; i++) {
        struct value made = struct_new(vm);
        if (!copy_fields(vm, items.list->items[i].object, rows, COUNT(rows), made))
            return false;
        list_push(vm->arena, list.list, made);
    }
    put(vm, into, "volumes", list);
    return true;
}

static bool convert_container(struct vm *vm, const struct object *job, struct value task)
{
    const struct object *container;
    struct value made = struct_new(vm);
    if (!object_field(vm, job, "container", &container))
        return false;
    if (!container) {
        put(vm, task, "container", wrap(vm, "mesos", made));
        return true;
    }
    if (!object_unwrap(vm, container, &container))
        return false;
    if (container->type == &type_Container && !job_part(vm, container, "docker", &container))
        return false;
    if (container->type == &type_Docker) {
        if (!convert_docker(vm, container, &made))
            return false;
    } else {
        if (!convert_image(vm, container, made) || !convert_volumes(vm, container, made))
            return false;
        made = wrap(vm, "mesos", made);
    }
    put(vm, task, "container", made);
    return true;
}

/* --- open references of the whole job --- */

bool reference_is_image(struct slice reference, struct slice *ret_name, struct slice *ret_tag)
{
    struct slice rest;
    bool is_index;
    if (!reference_behind(reference, SLICE(".docker.image"), &rest))
        return false;
    *ret_name = reference_first(rest, &is_index, &rest);
    if (!is_index || !rest.len)
        return false;
    *ret_tag = reference_first(rest, &is_index, &rest);
    return is_index && rest.len == 0;
}

bool reference_may_stay_open(struct slice reference)
{
    struct slice rest, tag;
    return slice_is(reference, ".thermos.task_id") || slice_is(reference, ".mesos.instance") ||
           slice_is(reference, ".mesos.hostname") ||
           reference_behind(reference, SLICE(".thermos.ports"), &rest) ||
           reference_is_image(reference, &rest, &tag);
}

static bool check_unbound(struct vm *vm, struct references *references)
{
    struct buffer text = buffer_new(vm);
    struct string *all;
    references_sort(references);
    for (size_t i = 0; i < references->count; i++) {
        struct slice reference = string_slice(references->items[i]);
        if (reference_may_stay_open(reference))
            continue;
        struct slice address = reference_address(reference);
        buffer_text(&text, text.len ? " {{" : "{{");
        buffer_add(&text, address.ptr, address.len);
        buffer_text(&text, "}}");
    }
    if (text.len == 0)
        return true;
    return buffer_finish(vm, &text, &all) &&
           raise_library(vm, &class_ValueError, ERROR_UNBOUND,
                         INVALID "Config contains unbound variables: %s", all->data);
}

static bool bind_instance(struct vm *vm, const struct object *job, const struct object **ret)
{
    struct value mesos = dict_value(vm->arena, K_DICT);
    put(vm, mesos, "instance", V_INT(31337));
    put(vm, mesos, "hostname", value_text(vm->arena, ""));
    const struct keyword keyword = { string_from(vm->arena, "mesos"), mesos };
    const struct args args = { .keywords = &keyword, .keyword_count = 1 };
    return object_bind(vm, job, &args, ret);
}

static bool check_whole(struct vm *vm, const struct object *job)
{
    const struct object *bound, *task;
    struct typecheck check;
    if (!bind_instance(vm, job, &bound) || !job_part(vm, bound, "task", &task) ||
        !task_validate(vm, task) || !object_check(vm, bound, &check))
        return false;
    if (check.is_ok)
        return true;
    return raise_library(vm, &class_ValueError, check.error_class,
                         INVALID "Job not fully specified: %s", check.message);
}

/* --- executor --- */

static bool convert_executor(struct vm *vm, const struct object *filled, struct value task)
{
    const struct object *executor, *bare, *again;
    struct value made = struct_new(vm), name, data;
    if (!job_part(vm, filled, "executor_config", &executor) ||
        !full_field(vm, executor, "name", &name))
        return false;
    put(vm, made, "name", name);
    if (string_is(name.s, "AuroraExecutor")) {
        if (!object_set_field(vm, filled, "update_config", V_EMPTY, &bare) ||
            !object_set_field(vm, bare, "instances", V_EMPTY, &bare) ||
            !object_interpolate(vm, bare, NULL, &again) || !object_get(vm, again, &data))
            return false;
    } else if (!full_field(vm, executor, "data", &data)) {
        return false;
    }
    put(vm, made, "data", data);
    put(vm, task, "executorConfig", made);
    return true;
}

/* --- the job --- */

static bool convert_cron(struct vm *vm, const struct object *job, struct value into)
{
    static const char *const policies[] = { "KILL_EXISTING", "CANCEL_NEW", "RUN_OVERLAP" };
    struct value schedule, policy;
    if (!optional_field(vm, job, "cron_schedule", &schedule) ||
        !job_field(vm, job, "cron_collision_policy", &policy))
        return false;
    if (schedule.kind != K_UNBOUND)
        put(vm, into, "cronSchedule", schedule);
    struct string *upper = string_new(vm->arena, policy.s->data, policy.s->len);
    for (size_t i = 0; i < upper->len; i++)
        upper->data[i] = (char)toupper((unsigned char)upper->data[i]);
    for (size_t i = 0; i < COUNT(policies); i++)
        if (string_is(upper, policies[i])) {
            put(vm, into, "cronCollisionPolicy", V_STR(upper));
            return true;
        }
    return raise_library(
        vm, &class_ValueError, ERROR_VALUE,
        INVALID "cron_collision_policy must be KILL_EXISTING, CANCEL_NEW or RUN_OVERLAP, not '%s'",
        policy.s->data);
}

static bool convert_task(struct vm *vm, const struct object *job, const struct value *ports,
                         struct value task)
{
    static const struct copied rows[] = {
        { "production", "production", false },
        { "service", "isService", false },
        { "max_task_failures", "maxTaskFailures", false },
        { "priority", "priority", false },
        { "contact", "contactEmail", true },
        { "tier", "tier", true },
    };
    const struct object *task_object;
    if (!job_part(vm, job, "task", &task_object) ||
        !copy_fields(vm, job, rows, COUNT(rows), task) ||
        !convert_partition_policy(vm, job, task) || !convert_sla_policy(vm, job, task) ||
        !convert_metadata(vm, job, task) || !convert_resources(vm, task_object, ports, task) ||
        !convert_constraints(vm, job, task) || !convert_container(vm, job, task))
        return false;
    put(vm, task, "taskLinks", struct_new(vm));
    return true;
}

bool convert_job(struct vm *vm, const struct object *job, const struct value *ports,
                 struct value *ret)
{
    struct value key, task = struct_new(vm), made = struct_new(vm), instances;
    struct value owner = wrap(vm, "user", value_text(vm->arena, vm->input->user));
    struct references references = { 0 };
    const struct object *filled;
    if (!convert_key(vm, job, &key))
        return false;
    put(vm, task, "job", key);
    put(vm, task, "owner", owner);
    if (!convert_task(vm, job, ports, task) || !object_interpolate(vm, job, &references, &filled) ||
        !check_whole(vm, filled) || !check_unbound(vm, &references) ||
        !convert_executor(vm, filled, task))
        return false;
    put(vm, made, "key", key);
    put(vm, made, "owner", owner);
    put(vm, made, "taskConfig", task);
    if (!convert_cron(vm, job, made) || !full_field(vm, job, "instances", &instances))
        return false;
    put(vm, made, "instanceCount", instances);
    *ret = made;
    return true;
}
