#include "launcher/updates.h"

#include "unit/test.h"

#define STARTING EOS__JOB__V1__SCHEDULE_STATUS__STARTING
#define RUNNING  EOS__JOB__V1__SCHEDULE_STATUS__RUNNING
#define FINISHED EOS__JOB__V1__SCHEDULE_STATUS__FINISHED

typedef Eos__Scheduler__V1__TaskUpdate task_update;

static void all_is_sent_until_it_is_acknowledged(void **state)
{
    struct updates *updates = updates_new("s");
    struct arena *arena = arena_new();
    task_update **list;
    (void)state;

    updates_add(updates, "a", STARTING, "", 1);
    updates_add(updates, "b", STARTING, "", 2);
    assert_true(updates_has_news(updates));
    assert_int_equal(updates_to_send(updates, arena, &list), 2);
    assert_string_equal(list[0]->update_id, "s-1");
    assert_string_equal(list[0]->task_id, "a");
    assert_int_equal(list[1]->timestamp_ms, 2);
    assert_false(updates_has_news(updates));
    assert_int_equal(updates_to_send(updates, arena, &list), 2);
    assert_string_equal(updates_acknowledge(updates, "s-1", arena), "a");
    assert_null(updates_acknowledge(updates, "s-1", arena));
    assert_int_equal(updates_to_send(updates, arena, &list), 1);
    assert_string_equal(list[0]->task_id, "b");
    arena_free(arena);
    updates_free(updates);
}

static void progress_does_not_pile_up(void **state)
{
    struct updates *updates = updates_new("s");
    struct arena *arena = arena_new();
    task_update **list;
    (void)state;

    updates_add(updates, "a", STARTING, "one", 1);
    updates_add(updates, "a", STARTING, "two", 2);
    assert_int_equal(updates_count(updates), 1);
    assert_int_equal(updates_to_send(updates, arena, &list), 1);
    assert_string_equal(list[0]->message, "two");
    updates_add(updates, "a", STARTING, "three", 3); /* the one that was sent stays as it is */
    assert_int_equal(updates_count(updates), 2);
    arena_free(arena);
    updates_free(updates);
}

static void a_later_session_keeps_old_ids(void **state)
{
    struct updates *updates = updates_new("new");
    struct arena *arena = arena_new();
    task_update **list, old = EOS__SCHEDULER__V1__TASK_UPDATE__INIT;
    (void)state;

    old.update_id = "old-4";
    old.task_id = "a";
    old.status = FINISHED;
    updates_restore(updates, &old);
    updates_restore(updates, &old);
    updates_add(updates, "b", RUNNING, "", 5);
    assert_int_equal(updates_of_task(updates, "a", arena, &list), 1);
    assert_string_equal(list[0]->update_id, "old-4");
    assert_int_equal(list[0]->status, FINISHED);
    assert_int_equal(updates_to_send(updates, arena, &list), 2);
    assert_string_equal(list[1]->update_id, "new-1");
    assert_false(updates_has_news(updates));
    arena_free(arena);
    updates_free(updates);
}

static void a_poll_holds_a_thousand(void **state)
{
    struct updates *updates = updates_new("s");
    struct arena *arena = arena_new();
    task_update **list;
    (void)state;

    for (size_t i = 0; i < UPDATES_MAX_SENT + 1; i++)
        updates_add(updates, arena_printf(arena, "t%zu", i), RUNNING, "", 0);
    assert_int_equal(updates_to_send(updates, arena, &list), UPDATES_MAX_SENT);
    assert_true(updates_has_news(updates));
    assert_string_equal(list[0]->task_id, "t0");
    assert_non_null(updates_acknowledge(updates, "s-1", arena));
    assert_int_equal(updates_to_send(updates, arena, &list), UPDATES_MAX_SENT);
    assert_false(updates_has_news(updates));
    arena_free(arena);
    updates_free(updates);
}

static void one_that_was_never_sent_can_be_acknowledged(void **state)
{
    struct updates *updates = updates_new("s");
    struct arena *arena = arena_new();
    (void)state;

    updates_add(updates, "a", RUNNING, "", 0);
    assert_string_equal(updates_acknowledge(updates, "s-1", arena), "a");
    assert_false(updates_has_news(updates));
    assert_int_equal(updates_count(updates), 0);
    arena_free(arena);
    updates_free(updates);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_sent_until_it_is_acknowledged),
        cmocka_unit_test(progress_does_not_pile_up),
        cmocka_unit_test(a_later_session_keeps_old_ids),
        cmocka_unit_test(a_poll_holds_a_thousand),
        cmocka_unit_test(one_that_was_never_sent_can_be_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
