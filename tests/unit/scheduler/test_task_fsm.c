#include "scheduler/task_fsm.h"

#include "unit/test.h"

#include <jansson.h>
#include <unistd.h>

/* -- every cell against the reference's table ------------------------------------------------------ */

static enum task_status status_named(const char *name)
{
    for (enum task_status s = 0; s < TASK_STATUS_COUNT; s++)
        if (strcmp(task_status_name(s), name) == 0)
            return s;
    fail_msg("unknown status %s", name);
    return TASK_STATUS_COUNT;
}

static unsigned action_named(const char *name)
{
    static const struct {
        const char *name;
        unsigned action;
    } actions[] = {
        { "INCREMENT_FAILURES", DO_INCREMENT_FAILURES },
        { "SAVE_STATE", DO_SAVE },
        { "RESCHEDULE", DO_RESCHEDULE },
        { "TRANSITION_TO_LOST", DO_TRANSITION_TO_LOST },
        { "KILL", DO_KILL },
        { "DELETE", DO_DELETE },
    };
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (strcmp(actions[i].name, name) == 0)
            return actions[i].action;
    fail_msg("unknown action %s", name);
    return 0;
}

/* Every combination of what the conditions look at. */
static const struct task_facts all_facts[] = {
    { .is_service = false, .max_task_failures = 1 },
    { .is_service = true, .max_task_failures = 1 },
    { .is_service = false, .max_task_failures = -1, .failure_count = 1000 },
    { .is_service = false, .max_task_failures = 3, .failure_count = 1 },
    { .is_service = false, .max_task_failures = 3, .failure_count = 2 },
    { .is_service = false, .max_task_failures = 0 },
    { .is_service = true, .max_task_failures = 1, .was_killing = true },
    { .is_service = false, .max_task_failures = 1, .was_killing = true },
    { .is_service = false, .max_task_failures = INT32_MIN },
};

static bool condition_holds(const char *condition, const struct task_facts *facts)
{
    if (strcmp(condition, "isService") == 0)
        return facts->is_service;
    if (strcmp(condition, "no KILLING event in the task history") == 0)
        return !facts->was_killing;
    assert_string_equal(condition, "isService or maxTaskFailures == -1 or failureCount (before "
                                   "increment) < maxTaskFailures - 1");
    return facts->is_service || facts->max_task_failures == -1 ||
           facts->failure_count < (int64_t)facts->max_task_failures - 1;
}

static unsigned expected_actions(const json_t *row, const struct task_facts *facts)
{
    unsigned actions = 0;
    size_t i;
    const char *name;
    json_t *value;

    json_array_foreach(json_object_get(row, "actions"), i, value) actions |=
        action_named(json_string_value(value));
    json_object_foreach(json_object_get(row, "conditional_actions"), name,
                        value) if (condition_holds(json_string_value(value), facts)) actions |=
        action_named(name);
    return actions;
}

static enum task_step_result expected_result(const json_t *row)
{
    const char *result = json_string_value(json_object_get(row, "result"));
    if (strcmp(result, "NOOP") == 0)
        return STEP_NOOP;
    return strcmp(result, "SUCCESS") == 0 ? STEP_SUCCESS : STEP_ILLEGAL;
}

static void every_cell_is_the_references(void **state)
{
    (void)state;
    if (access(TRANSITIONS_FILE, R_OK) != 0) {
        print_message("%s is absent: skipped\n", TRANSITIONS_FILE);
        skip();
    }
    json_t *root = json_load_file(TRANSITIONS_FILE, 0, NULL);
    json_t *rows = json_object_get(root, "transitions"), *row;
    size_t i;

    assert_int_equal(json_array_size(rows), 256);
    json_array_foreach(rows, i, row)
    {
        enum task_status from = status_named(json_string_value(json_object_get(row, "from")));
        enum task_status to = status_named(json_string_value(json_object_get(row, "to")));
        for (size_t f = 0; f < sizeof all_facts / sizeof all_facts[0]; f++) {
            struct task_step step = task_step(from, to, &all_facts[f]);
            if (step.result != expected_result(row) ||
                step.actions != expected_actions(row, &all_facts[f]))
                fail_msg("%s to %s, facts %zu: result %d, actions %#x", task_status_name(from),
                         task_status_name(to), f, step.result, step.actions);
        }
    }
    json_decref(root);
}

/* -- stories -------------------------------------------------------------------------------------- */

static const struct story {
    const char *name;
    struct task_facts facts;
    enum task_status steps[8]; /* INIT ends the list */
    enum task_status end;
    unsigned actions; /* of all steps together, without SAVE */
} stories[] = {
    { "completes",
      { .max_task_failures = 1 },
      { TASK_PENDING, TASK_ASSIGNED, TASK_STARTING, TASK_RUNNING, TASK_FINISHED },
      TASK_FINISHED,
      0 },
    { "a service comes back",
      { .is_service = true },
      { TASK_PENDING, TASK_ASSIGNED, TASK_RUNNING, TASK_FINISHED },
      TASK_FINISHED,
      DO_RESCHEDULE },
    { "fails for good",
      { .max_task_failures = 1 },
      { TASK_PENDING, TASK_ASSIGNED, TASK_STARTING, TASK_FAILED },
      TASK_FAILED,
      DO_INCREMENT_FAILURES },
    { "fails and is tried again",
      { .max_task_failures = 2 },
      { TASK_PENDING, TASK_ASSIGNED, TASK_STARTING, TASK_RUNNING, TASK_FAILED },
      TASK_FAILED,
      DO_INCREMENT_FAILURES | DO_RESCHEDULE },
    { "waits out its penalty",
      { .is_service = true },
      { TASK_THROTTLED, TASK_PENDING, TASK_ASSIGNED },
      TASK_ASSIGNED,
      0 },
    { "is killed before it is placed",
      { 0 },
      { TASK_PENDING, TASK_KILLING },
      TASK_PENDING,
      DO_DELETE },
    { "is killed while it runs",
      { .is_service = true },
      { TASK_PENDING, TASK_ASSIGNED, TASK_STARTING, TASK_RUNNING, TASK_KILLING, TASK_KILLED },
      TASK_KILLED,
      DO_KILL },
    { "runs though it is being killed",
      { 0 },
      { TASK_PENDING, TASK_ASSIGNED, TASK_KILLING, TASK_RUNNING },
      TASK_KILLING,
      DO_KILL },
    { "rises from the dead",
      { 0 },
      { TASK_PENDING, TASK_ASSIGNED, TASK_LOST, TASK_RUNNING },
      TASK_LOST,
      DO_RESCHEDULE | DO_KILL },
    { "its host comes back in time",
      { 0 },
      { TASK_PENDING, TASK_ASSIGNED, TASK_RUNNING, TASK_PARTITIONED, TASK_RUNNING },
      TASK_RUNNING,
      0 },
    { "its host stays away",
      { 0 },
      { TASK_PENDING, TASK_ASSIGNED, TASK_RUNNING, TASK_PARTITIONED, TASK_LOST },
      TASK_LOST,
      DO_RESCHEDULE | DO_KILL },
    { "is killed while its host is away",
      { 0 },
      { TASK_PENDING, TASK_ASSIGNED, TASK_RUNNING, TASK_PARTITIONED, TASK_KILLING, TASK_LOST },
      TASK_LOST,
      DO_TRANSITION_TO_LOST },
    { "is restarted",
      { 0 },
      { TASK_PENDING, TASK_ASSIGNED, TASK_RUNNING, TASK_RESTARTING, TASK_KILLED },
      TASK_KILLED,
      DO_KILL | DO_RESCHEDULE },
    { "is forgotten",
      { 0 },
      { TASK_PENDING, TASK_ASSIGNED, TASK_RUNNING, TASK_FINISHED, TASK_DELETED },
      TASK_FINISHED,
      DO_DELETE },
};

static void ends_as_told(void **state)
{
    const struct story *story = *state;
    enum task_status now = TASK_INIT;
    unsigned actions = 0;

    for (size_t i = 0; i < 8 && story->steps[i] != TASK_INIT; i++) {
        struct task_step step = task_step(now, story->steps[i], &story->facts);
        if (step.actions & DO_SAVE)
            now = story->steps[i];
        actions |= step.actions & ~(unsigned)DO_SAVE;
    }
    assert_int_equal(now, story->end);
    assert_int_equal(actions, story->actions);
}

/* -- numbers and sets ----------------------------------------------------------------------------- */

static void numbers_come_back(void **state)
{
    enum task_status back = TASK_DELETED;
    (void)state;
    for (enum task_status s = 0; s < TASK_DELETED; s++) {
        assert_true(task_status_from_number(task_status_number(s), &back));
        assert_int_equal(back, s);
    }
    back = TASK_DELETED;
    assert_false(task_status_from_number(8, &back));
    assert_false(task_status_from_number(-1, &back));
    assert_int_equal(back, TASK_DELETED);
}

static void sets_exclude_each_other(void **state)
{
    (void)state;
    for (enum task_status s = 0; s < TASK_STATUS_COUNT; s++) {
        assert_false(task_status_is(s, TASK_IS_ACTIVE) && task_status_is(s, TASK_IS_TERMINAL));
        assert_true(!task_status_is(s, TASK_IS_ON_HOST) || task_status_is(s, TASK_IS_ACTIVE));
        assert_true(!task_status_is(s, TASK_IS_STOPPING) || task_status_is(s, TASK_IS_TRANSIENT));
    }
    assert_false(task_status_is(TASK_STARTING, TASK_IS_TRANSIENT));
    assert_false(task_status_is(TASK_PARTITIONED, TASK_IS_TRANSIENT));
    assert_true(task_status_is(TASK_PARTITIONED, TASK_IS_ON_HOST));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_is_the_references),
        cmocka_unit_test(numbers_come_back),
        cmocka_unit_test(sets_exclude_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) + RUN_CASES(stories, ends_as_told);
}
