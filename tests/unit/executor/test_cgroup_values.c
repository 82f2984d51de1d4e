#include "executor/cgroup_values.h"

#include "base/text.h"

#include "unit/test.h"

#define V1  EOS__EXECUTOR__V1__CGROUP_PLAN__VERSION__V1
#define V2  EOS__EXECUTOR__V1__CGROUP_PLAN__VERSION__V2
#define MIB (1ll << 20)

static const struct values_case {
    const char *name;
    Eos__Executor__V1__CgroupPlan__Version version;
    double cpus;
    int64_t memory_bytes, pids;
    bool hard;
    const char *made;
} cases[] = {
    { "v1 without limits", V1, 0, 0, 0, false, "" },
    { "v1 memory", V1, 0, 64 * MIB, 0, false, "memory.limit_in_bytes=67108864" },
    { "v1 cpu share", V1, 1.5, 0, 0, false, "cpu.shares=1536" },
    { "v1 least cpu share", V1, 0.0001, 0, 0, false, "cpu.shares=2" },
    { "v1 cpu limit", V1, 0.25, 0, 0, true,
      "cpu.shares=256 cpu.cfs_period_us=100000 cpu.cfs_quota_us=25000" },
    { "v1 least cpu limit", V1, 0.001, 0, 0, true,
      "cpu.shares=2 cpu.cfs_period_us=100000 cpu.cfs_quota_us=1000" },
    { "v1 processes", V1, 0, 0, 100, false, "pids.max=100" },
    { "v2 without limits", V2, 0, 0, 0, true, "" },
    { "v2 memory", V2, 0, 64 * MIB, 0, false,
      "memory.max=67108864 memory.swap.max=0? memory.oom.group=1?" },
    { "v2 cpu share", V2, 1.5, 0, 0, false, "cpu.weight=150" },
    { "v2 greatest cpu share", V2, 500, 0, 0, false, "cpu.weight=10000" },
    { "v2 cpu limit", V2, 0.5, 0, 0, true, "cpu.weight=50 cpu.max=50000 100000" },
    { "v2 processes", V2, 0, 0, 100, false, "pids.max=100" },
    { "no cgroup", 0, 1, MIB, 1, true, "" },
};

static void are_made(void **state)
{
    const struct values_case *c = *state;
    Eos__Executor__V1__CgroupPlan plan = EOS__EXECUTOR__V1__CGROUP_PLAN__INIT;
    struct cgroup_value values[CGROUP_MAX_VALUES];
    struct text line = TEXT_INIT;
    plan.version = c->version;
    plan.cpus = c->cpus;
    plan.memory_bytes = c->memory_bytes;
    plan.pids = c->pids;
    plan.cpu_hard_limit = c->hard;

    size_t count = cgroup_values(&plan, values);

    for (size_t i = 0; i < count; i++) {
        text_printf(&line, "%s%s=%s%s", i ? " " : "", values[i].file, values[i].text,
                    values[i].is_optional ? "?" : "");
        assert_int_equal(strncmp(values[i].file, values[i].controller,
                                 strlen(values[i].controller)),
                         0);
    }
    assert_string_equal(text_string(&line), c->made);
    text_done(&line);
}

int main(void)
{
    return RUN_CASES(cases, are_made);
}
