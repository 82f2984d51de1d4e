#include "scheduler/task_config.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>

typedef Eos__Job__V1__Resource resource_message;

void resources_add(struct resources *sum, const struct resources *more)
{
    sum->cpu_micros += more->cpu_micros;
    sum->ram_mb += more->ram_mb;
    sum->disk_mb += more->disk_mb;
    sum->gpus += more->gpus;
    sum->ports += more->ports;
}

void resources_subtract(struct resources *sum, const struct resources *less)
{
    sum->cpu_micros -= less->cpu_micros;
    sum->ram_mb -= less->ram_mb;
    sum->disk_mb -= less->disk_mb;
    sum->gpus -= less->gpus;
    sum->ports -= less->ports;
}

int64_t cpu_micros_of(double cpus)
{
    return (int64_t)(cpus * 1e6 + 0.5);
}

static void demand_add(struct resources *demand, const resource_message *resource)
{
    switch (resource->resource_case) {
    case EOS__JOB__V1__RESOURCE__RESOURCE_NUM_CPUS:
        demand->cpu_micros += cpu_micros_of(resource->num_cpus);
        return;
    case EOS__JOB__V1__RESOURCE__RESOURCE_RAM_MB:
        demand->ram_mb += resource->ram_mb;
        return;
    case EOS__JOB__V1__RESOURCE__RESOURCE_DISK_MB:
        demand->disk_mb += resource->disk_mb;
        return;
    case EOS__JOB__V1__RESOURCE__RESOURCE_NAMED_PORT:
        demand->ports++;
        return;
    case EOS__JOB__V1__RESOURCE__RESOURCE_NUM_GPUS:
        demand->gpus += resource->num_gpus;
        return;
    default:
        return;
    }
}

struct resources task_config_demand(const Eos__Job__V1__TaskConfig *message)
{
    struct resources demand = { 0 };
    for (size_t i = 0; i < message->n_resources; i++)
        demand_add(&demand, message->resources[i]);
    return demand;
}

struct task_config *task_config_new(uint64_t id, Eos__Job__V1__TaskConfig *message)
{
    struct task_config *config = xcalloc(1, sizeof *config);
    size_t ports = 0;

    config->entity.kind = ENTITY_CONFIG;
    config->id = id;
    config->message = message;
    config->demand = task_config_demand(message);
    config->port_names = xcalloc((size_t)config->demand.ports + 1, sizeof *config->port_names);
    for (size_t i = 0; i < message->n_resources; i++)
        if (message->resources[i]->resource_case == EOS__JOB__V1__RESOURCE__RESOURCE_NAMED_PORT)
            config->port_names[ports++] = message->resources[i]->named_port;
    return config;
}

void task_config_free(struct task_config *config)
{
    if (!config)
        return;
    free(config->port_names);
    message_free(config->message);
    free(config);
}

struct set_member {
    struct slice bytes;
    ProtobufCMessage *message;
};

static int by_bytes(const void *a, const void *b)
{
    return slice_compare(((const struct set_member *)a)->bytes,
                         ((const struct set_member *)b)->bytes);
}

/* Sorts `members` by their encoding.  What occurs twice is freed. */
static void set_normalize(size_t *count, ProtobufCMessage **members, struct arena *arena)
{
    struct set_member *sorted = arena_array(arena, *count, sizeof *sorted);
    size_t kept = 0;

    for (size_t i = 0; i < *count; i++)
        sorted[i] = (struct set_member){ message_pack(members[i], arena), members[i] };
    qsort(sorted, *count, sizeof *sorted, by_bytes);
    for (size_t i = 0; i < *count; i++) {
        if (i > 0 && slice_equal(sorted[i].bytes, sorted[i - 1].bytes))
            message_free(sorted[i].message);
        else
            members[kept++] = sorted[i].message;
    }
    *count = kept;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void values_normalize(Eos__Job__V1__Constraint *constraint)
{
    if (constraint->constraint_case != EOS__JOB__V1__CONSTRAINT__CONSTRAINT_VALUE)
        return;
    Eos__Job__V1__ValueConstraint *value = constraint->value;
    size_t kept = 0;
    if (value->n_values == 0)
        return;
    qsort(value->values, value->n_values, sizeof *value->values, by_text);
    for (size_t i = 0; i < value->n_values; i++) {
        if (kept > 0 && strcmp(value->values[i], value->values[kept - 1]) == 0)
            free(value->values[i]);
        else
            value->values[kept++] = value->values[i];
    }
    value->n_values = kept;
}

void task_config_normalize(Eos__Job__V1__TaskConfig *message, struct arena *arena)
{
    for (size_t i = 0; i < message->n_constraints; i++)
        values_normalize(message->constraints[i]);
    set_normalize(&message->n_resources, (ProtobufCMessage **)message->resources, arena);
    set_normalize(&message->n_constraints, (ProtobufCMessage **)message->constraints, arena);
    set_normalize(&message->n_metadata, (ProtobufCMessage **)message->metadata, arena);
    set_normalize(&message->n_task_links, (ProtobufCMessage **)message->task_links, arena);
    set_normalize(&message->n_mesos_fetcher_uris, (ProtobufCMessage **)message->mesos_fetcher_uris,
                  arena);
}
