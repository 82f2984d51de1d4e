#include "scheduler/flapping.h"

#include "unit/test.h"

#include <stdlib.h>

#define THRESHOLD 1000

static const struct flapping_case {
    const char *name;
    struct {
        enum task_status status; /* INIT ends the list */
        int64_t at_ms;
    } events[5];
    bool flapped;
} cases[] = {
    { "no events", { { TASK_INIT, 0 } }, false },
    { "ended at once", { { TASK_PENDING, 0 }, { TASK_RUNNING, 100 }, { TASK_FAILED, 200 } }, true },
    { "just too soon", { { TASK_RUNNING, 0 }, { TASK_FAILED, 999 } }, true },
    { "long enough", { { TASK_RUNNING, 0 }, { TASK_FAILED, 1000 } }, false },
    { "the last active state counts",
      { { TASK_PENDING, 0 }, { TASK_RUNNING, 5000 }, { TASK_FINISHED, 5100 } },
      true },
    { "lost counts too", { { TASK_ASSIGNED, 0 }, { TASK_LOST, 1 } }, true },
    { "killed on purpose",
      { { TASK_RUNNING, 0 }, { TASK_KILLING, 1 }, { TASK_KILLED, 2 } },
      false },
    { "restarted on purpose",
      { { TASK_RUNNING, 0 }, { TASK_RESTARTING, 1 }, { TASK_KILLED, 2 } },
      false },
    { "drained", { { TASK_RUNNING, 0 }, { TASK_DRAINING, 1 }, { TASK_KILLED, 2 } }, false },
    { "preempted is no excuse",
      { { TASK_RUNNING, 0 }, { TASK_PREEMPTING, 1 }, { TASK_KILLED, 2 } },
      true },
    { "still active", { { TASK_PENDING, 0 }, { TASK_RUNNING, 1 } }, false },
};

static void is_told_from_the_history(void **state)
{
    const struct flapping_case *c = *state;
    struct task *task = task_new(strdup("t"), 1, NULL, NULL, 0);
    for (int i = 0; i < 5 && c->events[i].status != TASK_INIT; i++)
        task_add_event(task, c->events[i].status, NULL, c->events[i].at_ms);
    assert_int_equal(flapping_test(task, THRESHOLD), c->flapped);
    task_free(task);
}

static void pauses_grow_within_bounds(void **state)
{
    struct random random = { { 4, 3, 2, 1 } };
    (void)state;
    for (int run = 0; run < 100; run++) {
        int64_t pause = 0;
        for (int i = 0; i < 12; i++) {
            int64_t next = flapping_backoff(pause, 30000, 300000, &random);
            int64_t base = pause ? pause : 30000;
            assert_true(next >= base || next == 300000);
            assert_true(next < 2 * base || next == 300000);
            pause = next;
        }
        assert_int_equal(pause, 300000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_grow_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) + RUN_CASES(cases, is_told_from_the_history);
}
