#include "scheduler/task.h"

#include "unit/test.h"

#include <ctype.h>
#include <stdlib.h>

static struct task *make_task(void)
{
    return task_new(strdup("t"), 1, NULL, NULL, 0);
}

static void ids_are_made_of_the_key(void **state)
{
    struct random random = { { 1, 2, 3, 4 } };
    Eos__Job__V1__JobKey key = EOS__JOB__V1__JOB_KEY__INIT;
    (void)state;

    key.role = "www.data";
    key.environment = "prod";
    key.name = "a_b-c";
    char *one = task_id_make(&key, 12, &random), *two = task_id_make(&key, 12, &random);
    assert_int_equal(strncmp(one, "www-data-prod-a_b-c-12-", 23), 0);
    assert_int_equal(strlen(one), 23 + 36);
    assert_int_equal(one[23 + 14], '4'); /* the version of the UUID */
    assert_non_null(strchr("89ab", one[23 + 19]));
    assert_string_not_equal(one, two);
    free(one);
    free(two);
}

static void long_messages_are_cut_between_characters(void **state)
{
    char text[TASK_MESSAGE_MAX_BYTES + 3];
    struct task *task = make_task();
    (void)state;

    memset(text, 'x', sizeof text);
    memcpy(text + TASK_MESSAGE_MAX_BYTES - 1, "\xc3\xa9", 2);
    text[sizeof text - 1] = 0;
    task_add_event(task, TASK_FAILED, text, 1);
    assert_int_equal(strlen(task_last_event(task)->message), TASK_MESSAGE_MAX_BYTES - 1);
    task_add_event(task, TASK_FAILED, "", 2);
    assert_null(task_last_event(task)->message);
    task_free(task);
}

static void history_is_bounded(void **state)
{
    struct task *task = make_task();
    (void)state;
    for (int i = 0; i < TASK_EVENTS_MAX + 50; i++)
        task_add_event(task, i % 2 ? TASK_RUNNING : TASK_PENDING, "m", i);
    assert_int_equal(task->event_count, TASK_EVENTS_MAX);
    assert_int_equal(task->events[0].at_ms, 0);
    assert_int_equal(task_last_event(task)->at_ms, TASK_EVENTS_MAX + 49);
    task_free(task);
}

static const struct fold_case {
    const char *name;
    enum task_status events[4]; /* INIT ends the list */
    int left;
} fold_cases[] = {
    { "a partition that came and went", { TASK_RUNNING, TASK_PARTITIONED, TASK_RUNNING }, 1 },
    { "with events before it", { TASK_STARTING, TASK_RUNNING, TASK_PARTITIONED, TASK_RUNNING }, 2 },
    { "another state afterwards", { TASK_STARTING, TASK_PARTITIONED, TASK_RUNNING }, 3 },
    { "no partition", { TASK_RUNNING, TASK_STARTING, TASK_RUNNING }, 3 },
    { "too short", { TASK_PARTITIONED, TASK_RUNNING }, 2 },
};

static void partitions_fold(void **state)
{
    const struct fold_case *c = *state;
    struct task *task = make_task();
    for (int i = 0; i < 4 && c->events[i] != TASK_INIT; i++)
        task_add_event(task, c->events[i], NULL, i);
    task_fold_partitions(task);
    assert_int_equal(task->event_count, c->left);
    task_free(task);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_made_of_the_key),
        cmocka_unit_test(long_messages_are_cut_between_characters),
        cmocka_unit_test(history_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) + RUN_CASES(fold_cases, partitions_fold);
}
