#include "executor/clean.h"

#include "executor/cgroup.h"
#include "executor/loop.h"
#include "executor/plan.h"
#include "executor/plan_file.h"
#include "executor/run_directory.h"

#define EMPTY_RETRY_MS 5
#define EMPTY_LIMIT_MS 10000

/* ---- after a crash -------------------------------------------------------------------------- */

static bool empty_cgroup(const struct cgroup *cgroup, struct error *err)
{
    int64_t deadline_ms = clock_monotonic_ms() + EMPTY_LIMIT_MS;
    struct loop loop;
    if (!loop_open(&loop, err))
        return false;
    bool is_gone;
    while (!(is_gone = cgroup_remove(cgroup)) && clock_monotonic_ms() < deadline_ms) {
        cgroup_kill(cgroup);
        loop_turn(&loop, EMPTY_RETRY_MS);
    }
    loop_close(&loop);
    return is_gone || error_set(err, ERROR_DEADLINE_EXCEEDED,
                                "could not remove the cgroup: a process in it does not die");
}

static bool clean(const Eos__Executor__V1__TaskPlan *plan, struct run_directory *directory,
                  struct error *err)
{
    struct cgroup cgroup = { 0 };
    const Eos__Executor__V1__CgroupPlan *limits = plan->container ? plan->container->cgroup : NULL;
    if (!plan_check(plan, err) || !run_directory_open(directory, plan->run_directory, err) ||
        !cgroup_find(&cgroup, limits, err))
        return false;
    bool done = empty_cgroup(&cgroup, err);
    cgroup_done(&cgroup);
    if (done)
        run_directory_remove_socket(directory);
    return done;
}

bool clean_plan(const char *plan_file, struct error *err)
{
    Eos__Executor__V1__TaskPlan *plan = NULL;
    struct run_directory directory = { -1 };
    if (!plan_read(plan_file, &plan, err))
        return false;
    bool done = clean(plan, &directory, err);
    run_directory_close(&directory);
    plan_free(plan);
    return done;
}
