#include "config/integer.h"
#include "config/job.h"
#include "config/schema.h"

#include <stdlib.h>

/* JobUpdateSettings. */

#define MIN_PULSE_SECS 60

static void put(struct vm *vm, struct value into, const char *name, struct value v)
{
    dict_set_text(vm->arena, into.dict, string_from(vm->arena, name), v);
}

static bool invalid(struct vm *vm, const char *message)
{
    return raise_library(vm, &class_ValueError, ERROR_VALUE, "%s", message);
}

static bool less_than(struct value v, int64_t limit)
{
    return value_is_integer(v) && integer_compare(v, V_INT(limit)) < 0;
}

struct update {
    struct value batch_size, watch_secs, pulse_secs; /* K_UNBOUND: no pulse */
    bool waits;
    const struct object *strategy; /* NULL: not given */
};

static bool read_update(struct vm *vm, const struct object *config, struct update *update)
{
    const struct object *pulse;
    struct value waits;
    update->pulse_secs = V_UNBOUND;
    return job_field(vm, config, "batch_size", &update->batch_size) &&
           job_field(vm, config, "watch_secs", &update->watch_secs) &&
           object_field(vm, config, "pulse_interval_secs", &pulse) &&
           (!pulse || object_get(vm, pulse, &update->pulse_secs)) &&
           job_field(vm, config, "wait_for_batch_completion", &waits) &&
           value_truth(vm, waits, &update->waits) &&
           object_field(vm, config, "update_strategy", &update->strategy) &&
           (!update->strategy || object_unwrap(vm, update->strategy, &update->strategy));
}

static bool check_update(struct vm *vm, const struct update *update)
{
    if (less_than(update->batch_size, 1))
        return invalid(vm, "Batch size should be greater than 0");
    if (less_than(update->watch_secs, 0))
        return invalid(vm, "Watch seconds should be greater than or equal to 0");
    if (update->pulse_secs.kind != K_UNBOUND && less_than(update->pulse_secs, MIN_PULSE_SECS))
        return invalid(vm, "Pulse interval seconds must be at least 60 seconds.");
    if (update->strategy && update->waits)
        return invalid(
            vm,
            "Ambiguous update configuration. Cannot combine wait_batch_completion with an explicit "
            "update strategy.");
    if (update->strategy && !less_than(update->batch_size, 2))
        return invalid(vm, "Ambiguous update configuration. Cannot combine update strategy with "
                           "batch size. Please set "
                           "batchsize inside of update strategy instead.");
    return true;
}

static struct value wrap(struct vm *vm, const char *name, struct value v)
{
    struct value made = dict_value(vm->arena, K_DICT);
    put(vm, made, name, v);
    return made;
}

/* The strategy that is meant when none is given. */
static struct value default_strategy(struct vm *vm, const struct update *update)
{
    struct value made = dict_value(vm->arena, K_DICT);
    put(vm, made, "groupSize", update->batch_size);
    if (!update->waits)
        return wrap(vm, "queueStrategy", made);
    put(vm, made, "autopauseAfterBatch", V_BOOL(false));
    return wrap(vm, "batchStrategy", made);
}

static bool convert_strategy(struct vm *vm, struct update *update, struct value *ret)
{
    const struct object *strategy = update->strategy;
    struct value made = dict_value(vm->arena, K_DICT), size, pause;
    if (!strategy) {
        *ret = default_strategy(vm, update);
        return true;
    }
    bool is_variable = strategy->type == &type_VariableBatchUpdateStrategy;
    bool is_queue = strategy->type == &type_QueueUpdateStrategy;
    if (!job_field(vm, strategy, is_variable ? "batch_sizes" : "batch_size", &size))
        return false;
    put(vm, made, is_variable ? "groupSizes" : "groupSize", size);
    if (!is_queue) {
        if (!job_field(vm, strategy, "autopause_after_batch", &pause))
            return false;
        put(vm, made, "autopauseAfterBatch", pause);
    }
    if (!is_variable)
        update->batch_size = size;
    update->waits = !is_variable && !is_queue;
    *ret = wrap(vm,
                is_variable ? "varBatchStrategy"
                : is_queue  ? "queueStrategy"
                            : "batchStrategy",
                made);
    return true;
}

static int compare_instances(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* Closed ranges of consecutive numbers. */
static struct value instance_ranges(struct vm *vm, const int32_t *instances, size_t count)
{
    struct value list = list_new(vm->arena, K_LIST, 4);
    int32_t *sorted = arena_array(vm->arena, count, sizeof *sorted);
    memcpy(sorted, instances, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_instances);
    for (size_t i = 0; i < count;) {
        size_t end = i;
        while (end + 1 < count && (int64_t)sorted[end + 1] - sorted[end] <= 1)
            end++;
        struct value range = dict_value(vm->arena, K_DICT);
        put(vm, range, "first", V_INT(sorted[i]));
        put(vm, range, "last", V_INT(sorted[end]));
        list_push(vm->arena, list.list, range);
        i = end + 1;
    }
    return list;
}

static bool put_milliseconds(struct vm *vm, struct value into, const char *name, struct value secs)
{
    struct value ms;
    if (!value_binary(vm, OP_MULTIPLY, secs, V_INT(1000), &ms))
        return false;
    put(vm, into, name, ms);
    return true;
}

static bool put_copied(struct vm *vm, const struct object *config, struct value into)
{
    static const struct {
        const char *from, *to;
    } rows[] = {
        { "max_per_shard_failures", "maxPerInstanceFailures" },
        { "max_total_failures", "maxFailedInstances" },
        { "rollback_on_failure", "rollbackOnFailure" },
        { "sla_aware", "slaAware" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct value v;
        if (!job_field(vm, config, rows[i].from, &v))
            return false;
        put(vm, into, rows[i].to, v);
    }
    return true;
}

bool convert_update(struct vm *vm, const struct object *job, const int32_t *instances,
                    size_t instance_count, struct value *ret)
{
    const struct object *config;
    struct update update;
    struct value made = dict_value(vm->arena, K_DICT), strategy;
    if (object_has(job, "cron_schedule"))
        return raise_library(vm, &class_ValueError, ERROR_CRON,
                             "Cron jobs may only be updated with \"aurora cron schedule\" command");
    if (!job_part(vm, job, "update_config", &config) || !read_update(vm, config, &update) ||
        !check_update(vm, &update) || !convert_strategy(vm, &update, &strategy) ||
        !put_copied(vm, config, made) ||
        !put_milliseconds(vm, made, "minWaitInInstanceRunningMs", update.watch_secs))
        return false;
    if (update.pulse_secs.kind != K_UNBOUND &&
        !put_milliseconds(vm, made, "blockIfNoPulsesAfterMs", update.pulse_secs))
        return false;
    put(vm, made, "updateGroupSize", update.batch_size);
    put(vm, made, "waitForBatchCompletion", V_BOOL(update.waits));
    put(vm, made, "updateStrategy", strategy);
    if (instance_count)
        put(vm, made, "updateOnlyTheseInstances", instance_ranges(vm, instances, instance_count));
    *ret = made;
    return true;
}
