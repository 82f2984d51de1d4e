#include "scheduler/pending.h"

#include "scheduler/placement.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>

static const struct {
    const char *veto_name; /* Aurora's, in vetoes */
    const char *name;      /* in sentences */
} resource_names[RESOURCE_KIND_COUNT] = {
    [RESOURCE_CPU] = { "CPU", "CPUs" },      [RESOURCE_RAM] = { "RAM", "ram" },
    [RESOURCE_DISK] = { "disk", "disk" },    [RESOURCE_GPU] = { "GPU", "GPUs" },
    [RESOURCE_PORTS] = { "ports", "ports" },
};

struct reason_count {
    const char *reason;
    int32_t host_count;
};

/* What a look at all hosts found. */
struct survey {
    struct arena *arena;
    size_t hosts, open; /* all of them, and those that may take tasks */
    struct reason_count *reasons;
    size_t reason_count;
    int64_t
        most_total[RESOURCE_KIND_COUNT]; /* over the hosts that only lack resources, or nothing */
    int64_t most_free[RESOURCE_KIND_COUNT];
    size_t candidates; /* hosts without any other objection than resources or limits */
};

static void survey_count(struct survey *survey, const char *reason)
{
    for (size_t i = 0; i < survey->reason_count; i++) {
        if (strcmp(survey->reasons[i].reason, reason) == 0) {
            survey->reasons[i].host_count++;
            return;
        }
    }
    size_t size = survey->reason_count * sizeof *survey->reasons;
    survey->reasons =
        arena_grow(survey->arena, survey->reasons, size, size + sizeof *survey->reasons);
    survey->reasons[survey->reason_count++] = (struct reason_count){ reason, 1 };
}

static void survey_veto(struct survey *survey, const struct veto *veto)
{
    switch (veto->kind) {
    case VETO_NONE:
        return;
    case VETO_DEDICATED:
        survey_count(survey, "Host is dedicated");
        return;
    case VETO_DRAINING:
        survey_count(survey, "Host draining for maintenance");
        return;
    case VETO_CONSTRAINT:
        survey_count(survey,
                     arena_printf(survey->arena, "Constraint not satisfied: %s", veto->name));
        return;
    case VETO_LIMIT:
        survey_count(survey, arena_printf(survey->arena, "Limit not satisfied: %s", veto->name));
        return;
    case VETO_RESOURCES:
        for (enum resource_kind kind = 0; kind < RESOURCE_KIND_COUNT; kind++)
            if (veto->lacks & 1u << kind)
                survey_count(survey, arena_printf(survey->arena, "Insufficient: %s",
                                                  resource_names[kind].veto_name));
        return;
    }
}

static void survey_capacity(struct survey *survey, const struct host *host)
{
    struct resources left = host_free_resources(host);
    survey->candidates++;
    for (enum resource_kind kind = 0; kind < RESOURCE_KIND_COUNT; kind++) {
        int64_t total = resources_get(&host->total, kind), free_now = resources_get(&left, kind);
        if (total > survey->most_total[kind])
            survey->most_total[kind] = total;
        if (free_now > survey->most_free[kind])
            survey->most_free[kind] = free_now;
    }
}

static int by_count(const void *a, const void *b)
{
    const struct reason_count *x = a, *y = b;
    if (x->host_count != y->host_count)
        return x->host_count < y->host_count ? 1 : -1;
    return strcmp(x->reason, y->reason);
}

static struct survey survey_make(const struct state *state, const struct task_config *config,
                                 struct arena *arena)
{
    struct survey survey = { .arena = arena, .reasons = arena_alloc(arena, 0) };
    struct spread *spread = spread_new(config, config->pending_first->job);
    size_t cursor = 0;
    struct slice key;
    void *value;

    while (map_next(state->hosts, &cursor, &key, &value)) {
        const struct host *host = value;
        struct veto veto, veto_empty;
        survey.hosts++;
        if (!host->is_connected || !host->has_picture)
            continue;
        survey.open++;
        placement_check(config, host, spread, &veto);
        survey_veto(&survey, &veto);
        if (placement_check_empty(config, host, &veto_empty) || veto_empty.kind == VETO_RESOURCES)
            survey_capacity(&survey, host);
    }
    spread_free(spread);
    qsort(survey.reasons, survey.reason_count, sizeof *survey.reasons, by_count);
    return survey;
}

/* -- words ---------------------------------------------------------------------------------------- */

/* "2.5" for 2,500,000 millionths, "400 GB of ram", "1,500 MB of disk", "3 ports". */
static void add_amount(struct text *out, enum resource_kind kind, int64_t amount)
{
    if (kind == RESOURCE_CPU) {
        text_printf(out, "%g", (double)amount / 1e6);
    } else if (kind == RESOURCE_RAM || kind == RESOURCE_DISK) {
        if (amount >= 1024)
            text_printf(out, "%g GB", (double)(amount * 10 / 1024) / 10);
        else
            text_printf(out, "%" PRId64 " MB", amount);
    } else {
        text_printf(out, "%" PRId64, amount);
    }
}

static const char *unit_word(enum resource_kind kind)
{
    return kind == RESOURCE_RAM ? " of ram" : kind == RESOURCE_DISK ? " of disk" : "";
}

static void add_demand(struct text *out, enum resource_kind kind, int64_t amount)
{
    static const char *const words[RESOURCE_KIND_COUNT][2] = {
        [RESOURCE_CPU] = { " CPUs", " CPU" },
        [RESOURCE_GPU] = { " GPUs", " GPU" },
        [RESOURCE_PORTS] = { " ports", " port" },
    };
    bool is_one = amount == (kind == RESOURCE_CPU ? 1000000 : 1);

    add_amount(out, kind, amount);
    text_add(out, words[kind][0] ? words[kind][is_one] : unit_word(kind));
}

/* More than any host has, or more than any has free. */
static bool explain_size(struct text *out, const struct survey *survey,
                         const struct task_config *config)
{
    for (enum resource_kind kind = 0; kind < RESOURCE_KIND_COUNT; kind++) {
        int64_t demand = resources_get(&config->demand, kind);
        if (demand <= survey->most_total[kind])
            continue;
        text_add(out, "no host has ");
        add_demand(out, kind, demand);
        text_add(out, survey->candidates < survey->open
                          ? " among those that satisfy the constraints; the largest has "
                          : "; the largest has ");
        add_amount(out, kind, survey->most_total[kind]);
        return true;
    }
    return false;
}

static bool explain_load(struct text *out, const struct survey *survey,
                         const struct task_config *config)
{
    for (enum resource_kind kind = 0; kind < RESOURCE_KIND_COUNT; kind++) {
        int64_t demand = resources_get(&config->demand, kind);
        if (demand <= survey->most_free[kind])
            continue;
        text_add(out, "no host has ");
        add_demand(out, kind, demand);
        text_add(out, " free now; the most that is free is ");
        add_amount(out, kind, survey->most_free[kind]);
        return true;
    }
    return false;
}

static void explain_vetoes(struct text *out, const struct survey *survey)
{
    text_add(out, "no host fits: ");
    for (size_t i = 0; i < survey->reason_count; i++)
        text_printf(out, "%s%s (%d of %zu hosts)", i ? ", " : "", survey->reasons[i].reason,
                    survey->reasons[i].host_count, survey->open);
}

static void explain(struct text *out, const struct survey *survey, const struct task_config *config)
{
    if (survey->hosts == 0)
        text_add(out, "no host has joined the cluster yet");
    else if (survey->open == 0)
        text_printf(out, "none of the %zu hosts of the cluster is connected", survey->hosts);
    else if (survey->reason_count == 0)
        text_add(out, "it is about to be placed");
    else if (survey->candidates == 0 ||
             !(explain_size(out, survey, config) || explain_load(out, survey, config)))
        explain_vetoes(out, survey);
}

void pending_explain(const struct state *state, const struct task_config *config,
                     struct arena *arena, Eos__Scheduler__V1__PendingReason *ret_reason)
{
    struct survey survey = survey_make(state, config, arena);
    cleanup_text struct text sentence = TEXT_INIT;

    explain(&sentence, &survey, config);
    ret_reason->reason = arena_strdup(arena, text_string(&sentence));
    ret_reason->n_vetoes = survey.reason_count;
    ret_reason->vetoes = arena_array(arena, survey.reason_count, sizeof *ret_reason->vetoes);
    for (size_t i = 0; i < survey.reason_count; i++) {
        Eos__Scheduler__V1__Veto *veto = arena_alloc(arena, sizeof *veto);
        eos__scheduler__v1__veto__init(veto);
        veto->reason = arena_strdup(arena, survey.reasons[i].reason);
        veto->host_count = survey.reasons[i].host_count;
        ret_reason->vetoes[i] = veto;
    }
}

char *pending_explain_throttled(const struct task *task, int64_t now_ms, struct arena *arena)
{
    int64_t left_ms = task->deadline.due_ms - now_ms;
    return arena_printf(arena,
                        "it waits %" PRId64 " s more because the runs before it ended too soon",
                        left_ms > 0 ? (left_ms + 999) / 1000 : 0);
}
