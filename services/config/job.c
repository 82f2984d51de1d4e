#include "config/job.h"

#include "config/schema.h"

#include <ctype.h>

bool job_field(struct vm *vm, const struct object *object, const char *name, struct value *ret)
{
    const struct object *field;
    if (!object_field(vm, object, name, &field))
        return false;
    if (!field)
        return raise_library(vm, &class_AttributeError, ERROR_MISSING,
                             "type object 'Empty' has no attribute 'get'");
    return object_get(vm, field, ret);
}

bool job_part(struct vm *vm, const struct object *object, const char *name,
              const struct object **ret)
{
    if (!object_field(vm, object, name, ret))
        return false;
    return *ret || raise_library(vm, &class_AttributeError, ERROR_MISSING,
                                 "type object 'Empty' has no attribute '%s'", name);
}

bool job_is_dedicated(struct vm *vm, const struct object *job, bool *ret)
{
    const struct object *constraints;
    *ret = false;
    return object_field(vm, job, "constraints", &constraints) &&
           (!constraints ||
            object_contains(vm, constraints, value_text(vm->arena, "dedicated"), ret));
}

/* --- what must be there --- */

static bool missing(struct vm *vm, const struct object *job, const char *what, const char *format)
{
    const struct object *name;
    struct string *text = string_from(vm->arena, "<class 'pystachio.composite.Empty'>");
    if (!object_field(vm, job, "name", &name) || (name && !object_text(vm, name, &text)))
        return false;
    return raise_library(vm, &class_ValueError, ERROR_MISSING,
                         "The configuration was invalid: %s%s \"%s\"", what, format, text->data);
}

static bool require_fields(struct vm *vm, const struct object *job)
{
    static const struct {
        const char *field, *name;
    } rows[] = { { "cluster", "Cluster" }, { "task", "Task" }, { "role", "Role" } };
    const struct object *task;
    for (size_t i = 0; i < 3; i++)
        if (!object_has(job, rows[i].field))
            return missing(vm, job, rows[i].name, " required for job");
    if (!object_field(vm, job, "task", &task))
        return false;
    return object_has(task, "processes") ||
           missing(vm, job, "Processes", " required for task on job");
}

/* --- bindings --- */

static bool bind_text(struct vm *vm, const struct object *job, const char *address,
                      const char *text, const struct object **ret)
{
    struct environment *environment = environment_new(vm);
    struct string *reference;
    if (!reference_parse(vm, slice_of(address), &reference))
        return false;
    environment_put(vm, environment, reference, value_text(vm->arena, text));
    return object_bind_environment(vm, job, environment, ret);
}

static bool bind_standard(struct vm *vm, const struct object *job, const struct object **ret)
{
    return bind_text(vm, job, "mesos.role", "{{role}}", &job) &&
           bind_text(vm, job, "mesos.cluster", "{{cluster}}", &job) &&
           bind_text(vm, job, "thermos.user", "{{role}}", ret);
}

static bool bind_all(struct job *job, const struct value *bindings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct args args = { .items = &bindings[i], .count = 1 };
        if (!object_bind(job->vm, job->object, &args, &job->object))
            return false;
    }
    return true;
}

/* --- tiers --- */

static const struct {
    const char *name;
    bool is_preemptible;
} TIERS[] = { { "preferred", false }, { "preemptible", true }, { "revocable", true } };

static struct value entry(const struct value *configuration, struct arena *arena, const char *name)
{
    return dict_get_text(configuration->dict, string_from(arena, name));
}

static bool set_tier(struct job *job, bool is_production)
{
    return object_set_field(job->vm, job->object, "tier",
                            value_text(job->vm->arena, is_production ? "preferred" : "preemptible"),
                            &job->object);
}

/* Completes the tier from `production`, or the other way round, as the conversion has shown them. */
static bool complete_tier(struct job *job, bool *ret_changed)
{
    struct vm *vm = job->vm;
    struct value task = entry(&job->configuration, vm->arena, "taskConfig");
    struct value tier = entry(&task, vm->arena, "tier"),
                 production = entry(&task, vm->arena, "production");
    *ret_changed = true;
    if (tier.kind == K_UNBOUND)
        return set_tier(job, production.b);
    for (size_t i = 0; i < sizeof TIERS / sizeof *TIERS; i++)
        if (string_is(tier.s, TIERS[i].name)) {
            *ret_changed = production.b == TIERS[i].is_preemptible;
            return object_set_field(vm, job->object, "production", V_BOOL(!TIERS[i].is_preemptible),
                                    &job->object);
        }
    *ret_changed = false;
    return true;
}

/* Without a tier, and when no text can mention the tier that is to come, the first of the two
 * conversions would only repeat what the second one does. */
static bool complete_tier_early(struct job *job, const struct references *open)
{
    struct value production;
    if (object_has(job->object, "tier"))
        return true;
    for (size_t i = 0; i < open->count; i++)
        if (!reference_may_stay_open(string_slice(open->items[i])))
            return true;
    return job_field(job->vm, job->object, "production", &production) &&
           (production.kind != K_BOOL || set_tier(job, production.b));
}

/* --- the steps --- */

static bool check_types(struct vm *vm, const struct object *job)
{
    struct typecheck check;
    if (!object_check(vm, job, &check))
        return false;
    return check.is_ok || raise_library(vm, &class_ValueError, check.error_class,
                                        "TypeCheck(FAILED): %s", check.message);
}

static bool convert_once(struct job *job)
{
    struct vm *vm = job->vm;
    const struct object *context, *bound, *filled;
    struct value ports;
    if (!schema_struct(vm, &type_MesosContext, NULL, V_NONE, &context))
        return false;
    const struct keyword keyword = { string_from(vm->arena, "mesos"), object_value(context) };
    const struct args args = { .keywords = &keyword, .keyword_count = 1 };
    return object_bind(vm, job->object, &args, &bound) &&
           object_interpolate(vm, bound, NULL, &filled) && job_ports(vm, job->object, &ports) &&
           convert_job(vm, filled, &ports, &job->configuration);
}

bool job_convert(struct job *job, const struct value *bindings, size_t binding_count)
{
    struct vm *vm = job->vm;
    const struct object *filled;
    struct references open = { 0 };
    bool changed = false, completes = !vm->input->request->skip_tier_backfill;
    if (!bind_all(job, bindings, binding_count) || !require_fields(vm, job->object) ||
        !bind_standard(vm, job->object, &job->object) ||
        !object_interpolate(vm, job->object, &open, &filled) || !job_check_settings(job) ||
        !check_types(vm, job->object) || (completes && !complete_tier_early(job, &open)) ||
        !convert_once(job) || (completes && !complete_tier(job, &changed)))
        return false;
    return !changed || convert_once(job);
}
