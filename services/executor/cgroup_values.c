#include "executor/cgroup_values.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#define PERIOD_US 100000

struct list {
    struct cgroup_value *values;
    size_t count;
};

__attribute__((format(printf, 5, 6))) static void add(struct list *list, const char *controller,
                                                      const char *file, const char *what,
                                                      const char *fmt, ...)
{
    assert(list->count < CGROUP_MAX_VALUES);
    struct cgroup_value *value = &list->values[list->count++];
    *value = (struct cgroup_value){ .controller = controller, .file = file, .what = what };
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(value->text, sizeof value->text, fmt, ap);
    va_end(ap);
}

static long long clamp(double value, long long least, long long most)
{
    return value < (double)least ? least : value > (double)most ? most : (long long)value;
}

/* The kernel's smallest quota is 1 ms. */
static long long quota_us(double cpus)
{
    return clamp(cpus * PERIOD_US, 1000, 1ll << 40);
}

static void add_v1(struct list *list, const Eos__Executor__V1__CgroupPlan *plan)
{
    if (plan->memory_bytes)
        add(list, "memory", "memory.limit_in_bytes", "the memory limit", "%lld",
            (long long)plan->memory_bytes);
    if (plan->cpus > 0)
        add(list, "cpu", "cpu.shares", "the share of cpu", "%lld",
            clamp(plan->cpus * 1024, 2, 262144));
    if (plan->cpus > 0 && plan->cpu_hard_limit) {
        add(list, "cpu", "cpu.cfs_period_us", "the cpu period", "%d", PERIOD_US);
        add(list, "cpu", "cpu.cfs_quota_us", "the cpu limit", "%lld", quota_us(plan->cpus));
    }
    if (plan->pids)
        add(list, "pids", "pids.max", "the limit of processes", "%lld", (long long)plan->pids);
}

static void add_v2(struct list *list, const Eos__Executor__V1__CgroupPlan *plan)
{
    if (plan->memory_bytes) {
        add(list, "memory", "memory.max", "the memory limit", "%lld",
            (long long)plan->memory_bytes);
        /* Version 2 counts swap apart: without this, a limit would only mean to swap. */
        add(list, "memory", "memory.swap.max", "the swap limit", "0");
        list->values[list->count - 1].is_optional = true;
        add(list, "memory", "memory.oom.group", "the killing of the whole group", "1");
        list->values[list->count - 1].is_optional = true;
    }
    if (plan->cpus > 0)
        add(list, "cpu", "cpu.weight", "the share of cpu", "%lld",
            clamp(plan->cpus * 100, 1, 10000));
    if (plan->cpus > 0 && plan->cpu_hard_limit)
        add(list, "cpu", "cpu.max", "the cpu limit", "%lld %d", quota_us(plan->cpus), PERIOD_US);
    if (plan->pids)
        add(list, "pids", "pids.max", "the limit of processes", "%lld", (long long)plan->pids);
}

size_t cgroup_values(const Eos__Executor__V1__CgroupPlan *plan,
                     struct cgroup_value ret_values[CGROUP_MAX_VALUES])
{
    struct list list = { ret_values, 0 };
    if (plan->version == EOS__EXECUTOR__V1__CGROUP_PLAN__VERSION__V1)
        add_v1(&list, plan);
    else if (plan->version == EOS__EXECUTOR__V1__CGROUP_PLAN__VERSION__V2)
        add_v2(&list, plan);
    return list.count;
}
