#include "fixture.h"

#include "base/slice.h"

#include <assert.h>
#include <string.h>

#define MAX_ITEMS 32

static int number_of(struct slice word)
{
    uint64_t value;
    slice_split(&word, '=');
    bool ok = slice_to_u64(word, 1000000, &value);
    assert(ok);
    return (int)value;
}

static bool is_setting(struct slice word, const char *name)
{
    struct slice rest = word;
    return slice_is(slice_split(&rest, '='), name) && rest.ptr;
}

static void add_process(struct arena *arena, Eos__Executor__V1__TaskPlan *plan, struct slice item)
{
    Eos__Executor__V1__ProcessPlan *process = arena_alloc(arena, sizeof *process);
    eos__executor__v1__process_plan__init(process);
    struct slice name = slice_split(&item, ' ');
    process->name = arena_memdup0(arena, name.ptr, name.len);
    process->cmdline = "true";
    process->max_failures = 1;
    while (item.ptr) {
        struct slice word = slice_split(&item, ' ');
        if (slice_is(word, "daemon"))
            process->daemon = true;
        else if (slice_is(word, "ephemeral"))
            process->ephemeral = true;
        else if (slice_is(word, "final"))
            process->final = true;
        else if (is_setting(word, "max"))
            process->max_failures = number_of(word);
        else if (is_setting(word, "min"))
            process->min_duration_secs = number_of(word);
        else
            assert(false && "unknown attribute");
    }
    assert(plan->n_processes < MAX_ITEMS);
    plan->processes[plan->n_processes++] = process;
}

static void add_order(struct arena *arena, Eos__Executor__V1__TaskPlan *plan, struct slice names)
{
    Eos__Executor__V1__OrderPlan *order = arena_alloc(arena, sizeof *order);
    eos__executor__v1__order_plan__init(order);
    order->names = arena_array(arena, MAX_ITEMS, sizeof *order->names);
    while (names.ptr) {
        struct slice name = slice_split(&names, ' ');
        order->names[order->n_names++] = arena_memdup0(arena, name.ptr, name.len);
    }
    assert(plan->n_constraints < MAX_ITEMS);
    plan->constraints[plan->n_constraints++] = order;
}

static bool set_task(Eos__Executor__V1__TaskPlan *plan, struct slice item)
{
    if (is_setting(item, "failures"))
        plan->max_failures = number_of(item);
    else if (is_setting(item, "concurrency"))
        plan->max_concurrency = number_of(item);
    else if (is_setting(item, "wait"))
        plan->finalization_wait_secs = number_of(item);
    else if (is_setting(item, "grace"))
        plan->kill_grace_ms = number_of(item);
    else
        return false;
    return true;
}

static void add_item(struct arena *arena, Eos__Executor__V1__TaskPlan *plan, struct slice item)
{
    struct slice rest = item;
    if (set_task(plan, item))
        return;
    if (slice_is(item, "order"))
        add_order(arena, plan, (struct slice){ NULL, 0 });
    else if (slice_is(slice_split(&rest, ' '), "order"))
        add_order(arena, plan, rest);
    else
        add_process(arena, plan, item);
}

Eos__Executor__V1__TaskPlan *fixture_plan(struct arena *arena, const char *text)
{
    Eos__Executor__V1__TaskPlan *plan = arena_alloc(arena, sizeof *plan);
    eos__executor__v1__task_plan__init(plan);
    plan->task_id = "task";
    plan->run_directory = "/run/task";
    plan->sandbox = "/sandbox";
    plan->log_directory = "/sandbox/.logs";
    plan->max_failures = 1;
    plan->finalization_wait_secs = 30;
    plan->kill_grace_ms = 1000;
    plan->processes = arena_array(arena, MAX_ITEMS, sizeof *plan->processes);
    plan->constraints = arena_array(arena, MAX_ITEMS, sizeof *plan->constraints);
    for (struct slice rest = slice_of(text); rest.ptr;)
        add_item(arena, plan, slice_trim(slice_split(&rest, ';')));
    return plan;
}
