#include "scheduler/placement.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <assert.h>
#include <stdlib.h>

typedef Eos__Job__V1__Constraint constraint_message;

#define IS_VALUE(c) ((c)->constraint_case == EOS__JOB__V1__CONSTRAINT__CONSTRAINT_VALUE)
#define IS_LIMIT(c) ((c)->constraint_case == EOS__JOB__V1__CONSTRAINT__CONSTRAINT_LIMIT)

int64_t resources_get(const struct resources *resources, enum resource_kind kind)
{
    switch (kind) {
    case RESOURCE_CPU:
        return resources->cpu_micros;
    case RESOURCE_RAM:
        return resources->ram_mb;
    case RESOURCE_DISK:
        return resources->disk_mb;
    case RESOURCE_GPU:
        return resources->gpus;
    case RESOURCE_PORTS:
        return resources->ports;
    case RESOURCE_KIND_COUNT:
        break;
    }
    assert(false && "a kind of resource");
    return 0;
}

/* -- spread --------------------------------------------------------------------------------------- */

/* Counts by "<attribute>\0<value>", only for the attributes that limit constraints name. */
struct spread {
    struct map *counts; /* to size_t on the heap */
};

static void spread_key(struct text *key, const char *name, const char *value)
{
    text_clear(key);
    text_add_bytes(key, name, strlen(name) + 1);
    text_add(key, value);
}

static void spread_count(struct spread *spread, const char *name, const char *value)
{
    cleanup_text struct text key = TEXT_INIT;
    spread_key(&key, name, value);
    size_t *count = map_get(spread->counts, text_slice(&key));
    if (!count) {
        count = xcalloc(1, sizeof *count);
        map_put(spread->counts, text_slice(&key), count);
    }
    ++*count;
}

static size_t spread_get(const struct spread *spread, const char *name, const char *value)
{
    cleanup_text struct text key = TEXT_INIT;
    spread_key(&key, name, value);
    const size_t *count = map_get(spread->counts, text_slice(&key));
    return count ? *count : 0;
}

static bool has_limit(const struct task_config *config)
{
    for (size_t i = 0; i < config->message->n_constraints; i++)
        if (IS_LIMIT(config->message->constraints[i]))
            return true;
    return false;
}

void spread_add(struct spread *spread, const struct task_config *config, const struct host *host)
{
    for (size_t i = 0; i < config->message->n_constraints; i++) {
        const constraint_message *constraint = config->message->constraints[i];
        size_t count;
        char *const *values;
        if (!IS_LIMIT(constraint) || !host_attribute(host, constraint->name, &count, &values))
            continue;
        for (size_t v = 0; v < count; v++)
            spread_count(spread, constraint->name, values[v]);
    }
}

struct spread *spread_new(const struct task_config *config, const struct job *job)
{
    struct spread *spread = xcalloc(1, sizeof *spread);
    spread->counts = map_new();
    if (!has_limit(config))
        return spread;
    for (size_t i = 0; i < job->task_count; i++)
        if (job->tasks[i]->is_placed)
            spread_add(spread, config, job->tasks[i]->host);
    return spread;
}

void spread_free(struct spread *spread)
{
    size_t cursor = 0;
    struct slice key;
    void *value;

    if (!spread)
        return;
    while (map_next(spread->counts, &cursor, &key, &value))
        free(value);
    map_free(spread->counts);
    free(spread);
}

/* -- checks --------------------------------------------------------------------------------------- */

static bool is_dedicated(const struct task_config *config)
{
    for (size_t i = 0; i < config->message->n_constraints; i++)
        if (strcmp(config->message->constraints[i]->name, "dedicated") == 0)
            return true;
    return false;
}

static bool has_any(char *const *values, size_t count, const Eos__Job__V1__ValueConstraint *wanted)
{
    for (size_t i = 0; i < count; i++)
        for (size_t w = 0; w < wanted->n_values; w++)
            if (strcmp(values[i], wanted->values[w]) == 0)
                return true;
    return false;
}

static bool value_is_satisfied(const constraint_message *constraint, const struct host *host)
{
    size_t count = 0;
    char *const *values = NULL;
    bool has = host_attribute(host, constraint->name, &count, &values) &&
               has_any(values, count, constraint->value);
    return has != (bool)constraint->value->negated;
}

static enum veto_kind limit_veto(const constraint_message *constraint, const struct host *host,
                                 const struct spread *spread)
{
    size_t count;
    char *const *values;

    if (!host_attribute(host, constraint->name, &count, &values))
        return VETO_CONSTRAINT;
    for (size_t i = 0; spread && i < count; i++) {
        int64_t running = (int64_t)spread_get(spread, constraint->name, values[i]);
        if (running >= constraint->limit->limit)
            return VETO_LIMIT;
    }
    return VETO_NONE;
}

/* Value constraints first, then limits, as vetoes of the former are for good. */
static struct veto constraint_veto(const struct task_config *config, const struct host *host,
                                   const struct spread *spread)
{
    const Eos__Job__V1__TaskConfig *message = config->message;

    for (size_t i = 0; i < message->n_constraints; i++)
        if (IS_VALUE(message->constraints[i]) && !value_is_satisfied(message->constraints[i], host))
            return (struct veto){ VETO_CONSTRAINT, message->constraints[i]->name, 0 };
    for (size_t i = 0; i < message->n_constraints; i++) {
        if (!IS_LIMIT(message->constraints[i]))
            continue;
        enum veto_kind kind = limit_veto(message->constraints[i], host, spread);
        if (kind != VETO_NONE)
            return (struct veto){ kind, message->constraints[i]->name, 0 };
    }
    return (struct veto){ VETO_NONE, NULL, 0 };
}

static unsigned lacking(const struct resources *demand, const struct resources *offer)
{
    unsigned lacks = 0;
    for (enum resource_kind kind = 0; kind < RESOURCE_KIND_COUNT; kind++)
        if (resources_get(demand, kind) > 0 &&
            resources_get(demand, kind) > resources_get(offer, kind))
            lacks |= 1u << kind;
    return lacks;
}

static struct veto check(const struct task_config *config, const struct host *host,
                         const struct spread *spread, const struct resources *offer)
{
    size_t count;
    char *const *values;

    if (host_attribute(host, "dedicated", &count, &values) && !is_dedicated(config))
        return (struct veto){ VETO_DEDICATED, NULL, 0 };
    if (host->is_draining)
        return (struct veto){ VETO_DRAINING, NULL, 0 };
    struct veto veto = constraint_veto(config, host, spread);
    if (veto.kind != VETO_NONE)
        return veto;
    unsigned lacks = lacking(&config->demand, offer);
    return (struct veto){ lacks ? VETO_RESOURCES : VETO_NONE, NULL, lacks };
}

bool placement_check(const struct task_config *config, const struct host *host,
                     const struct spread *spread, struct veto *ret_veto)
{
    struct resources offer = host_free_resources(host);
    *ret_veto = check(config, host, spread, &offer);
    return ret_veto->kind == VETO_NONE;
}

bool placement_check_empty(const struct task_config *config, const struct host *host,
                           struct veto *ret_veto)
{
    *ret_veto = check(config, host, NULL, &host->total);
    return ret_veto->kind == VETO_NONE;
}
