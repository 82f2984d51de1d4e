#include "config/integer.h"
#include "config/job.h"
#include "config/number_text.h"
#include "config/schema.h"

#include <math.h>

/* Checks of update settings, health checks and the announcer. */

/* Text counts as greater than any number: an open template is reported by the type check later. */
static int compare_settings(struct value a, struct value b)
{
    if (a.kind == K_STR || b.kind == K_STR) {
        if (a.kind == K_STR && b.kind == K_STR)
            return slice_compare(string_slice(a.s), string_slice(b.s));
        return a.kind == K_STR ? 1 : -1;
    }
    if (value_is_integer(a) && value_is_integer(b))
        return integer_compare(a, b);
    double x = a.kind == K_FLOAT ? a.f : integer_to_double(a),
           y = b.kind == K_FLOAT ? b.f : integer_to_double(b);
    return (x > y) - (x < y);
}

static bool check_failures(struct vm *vm, const struct object *job, struct value most,
                           struct value size)
{
    struct string *text, *limit_text;
    struct value limit;
    bool is_dedicated;
    if (compare_settings(most, size) >= 0) {
        if (!value_binary(vm, OP_SUBTRACT, size, V_INT(1), &limit) || !value_str(vm, size, &text) ||
            !value_str(vm, limit, &limit_text))
            return false;
        return raise_library(
            vm, &class_ValueError, ERROR_VALUE,
            "\nmax_total_failures in update_config must be lesser than the job size.\n"
            "Based on your job size (%s) you should use max_total_failures <= %s.\n",
            text->data, limit_text->data);
    }
    if (!job_is_dedicated(vm, job, &is_dedicated))
        return false;
    if (!is_dedicated || !value_is_integer(size))
        return true;
    limit = integer_from_double(vm->arena, floor(integer_to_double(size) * 0.02));
    if (compare_settings(most, limit) >= 0)
        return true;
    if (!value_str(vm, size, &text) || !value_str(vm, limit, &limit_text))
        return false;
    return raise_library(
        vm, &class_ValueError, ERROR_VALUE,
        "\nSince this is a dedicated job, you must set your max_total_failures in\n"
        "your update configuration to no less than 2%% of your job size.\n"
        "Based on your job size (%s) you should use max_total_failures >= %s.\n",
        text->data, limit_text->data);
}

static bool check_not_negative(struct vm *vm, struct value v, const char *name)
{
    struct string *text;
    if (compare_settings(v, V_INT(0)) >= 0)
        return true;
    return value_str(vm, v, &text) &&
           raise_library(vm, &class_ValueError, ERROR_VALUE,
                         "\nInvalid value (%s) specified for %s. Value cannot be less than 0.\n",
                         text->data, name);
}

static bool check_update(struct vm *vm, const struct object *job)
{
    static const struct {
        const char *name;
        bool is_update;
    } rows[] = {
        { "watch_secs", true },
        { "max_consecutive_failures", false },
        { "min_consecutive_successes", false },
        { "initial_interval_secs", false },
        { "interval_secs", false },
    };
    /* The order in which the reference reads the settings decides what it stumbles over first. */
    static const char *const read_first[] = { "initial_interval_secs", "max_consecutive_failures",
                                              "min_consecutive_successes", "interval_secs" };
    const struct object *update, *health;
    struct value size, most, v;
    if (!job_field(vm, job, "instances", &size) || !job_part(vm, job, "update_config", &update) ||
        !job_part(vm, job, "health_check_config", &health) ||
        !job_field(vm, update, "max_total_failures", &most) ||
        !job_field(vm, update, "watch_secs", &v))
        return false;
    for (size_t i = 0; i < 4; i++)
        if (!job_field(vm, health, read_first[i], &v))
            return false;
    if (!check_failures(vm, job, most, size))
        return false;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!job_field(vm, rows[i].is_update ? update : health, rows[i].name, &v) ||
            !check_not_negative(vm, v, rows[i].name))
            return false;
    return true;
}

static bool list_has(const struct list *list, const struct string *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].kind == K_STR && string_equal(list->items[i].s, text))
            return true;
    return false;
}

static bool check_static_ports(struct vm *vm, const struct object *job, const struct dict *portmap)
{
    bool is_dedicated;
    size_t cursor = 0;
    struct value number;
    if (!job_is_dedicated(vm, job, &is_dedicated))
        return false;
    for (struct dict_entry *entry; !is_dedicated && (entry = dict_next(portmap, &cursor));)
        if (entry->value.kind == K_STR &&
            integer_parse_text(vm->arena, string_slice(entry->value.s), 10, &number))
            return raise_library(vm, &class_ValueError, ERROR_VALUE,
                                 "Job must be dedicated in order to specify static ports!");
    return true;
}

static bool check_announcer(struct job *job)
{
    struct vm *vm = job->vm;
    const struct object *announcer;
    struct value primary, portmap, ports;
    if (!object_has(job->object, "announce"))
        return true;
    if (!object_field(vm, job->object, "announce", &announcer) ||
        !job_field(vm, announcer, "primary_port", &primary) ||
        !job_field(vm, announcer, "portmap", &portmap) || !job_ports(vm, job->object, &ports))
        return false;
    if (primary.kind == K_STR)
        job->announcer_port_unused = !list_has(ports.list, primary.s) &&
                                     dict_get_text(portmap.dict, primary.s).kind == K_UNBOUND;
    return check_static_ports(vm, job->object, portmap.dict);
}

static bool check_production(struct job *job)
{
    struct value production;
    return job_field(job->vm, job->object, "production", &production) &&
           value_truth(job->vm, production, &job->production_deprecated) &&
           (job->production_deprecated &= !object_has(job->object, "tier"), true);
}

bool job_check_settings(struct job *job)
{
    return check_update(job->vm, job->object) && check_announcer(job) && check_production(job);
}
