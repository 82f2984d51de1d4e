#include "launcher/poll_pace.h"

#include "unit/test.h"

static void the_first_poll_is_due_at_once(void **state)
{
    struct poll_pace pace = { 0 };
    (void)state;
    assert_true(poll_pace_due_ms(&pace, false) <= 5);
}

static void a_held_poll_is_left_alone(void **state)
{
    struct poll_pace pace = { 0 };
    (void)state;
    poll_pace_sent(&pace, false, 1000);
    assert_true(poll_pace_due_ms(&pace, false) == POLL_NEVER);
}

static void news_do_not_wait_for_a_held_poll(void **state)
{
    struct poll_pace pace = { 0 };
    (void)state;
    poll_pace_sent(&pace, false, 1000);
    assert_true(poll_pace_due_ms(&pace, true) <= 1000);
}

static void news_wait_for_the_answer_to_news(void **state)
{
    struct poll_pace pace = { 0 };
    (void)state;
    poll_pace_sent(&pace, true, 1000);
    assert_int_equal(poll_pace_due_ms(&pace, true), 1000 + POLL_NEWS_GAP_MS);
    poll_pace_answered(&pace);
    assert_true(poll_pace_due_ms(&pace, true) <= 1000);
}

static void news_without_an_answer_are_told_again(void **state)
{
    struct poll_pace pace = { 0 };
    (void)state;
    poll_pace_sent(&pace, true, 1000);
    assert_int_equal(poll_pace_due_ms(&pace, false), 1000 + POLL_LOST_MS);
}

static void quick_answers_are_slowed_down(void **state)
{
    struct poll_pace pace = { 0 };
    int64_t now = 1000;
    (void)state;
    for (int i = 0; i < 1000; i++) {
        int64_t due = poll_pace_due_ms(&pace, false);
        now = due > now ? due : now;
        assert_true(i > 40 || now == 1000); /* a few may follow each other freely */
        poll_pace_sent(&pace, false, now);
        poll_pace_answered(&pace);
    }
    assert_true(now >= 1000 + 900 * POLL_COST_MS);
    poll_pace_sent(&pace, false, now);
    assert_true(poll_pace_due_ms(&pace, true) > now); /* news keep to it, too */
    now += 1000;
    assert_true(poll_pace_due_ms(&pace, true) <= now);
}

static void failures_are_tried_again_ever_more_slowly(void **state)
{
    struct poll_pace pace = { 0 };
    int64_t last = 0;
    (void)state;
    for (int i = 0; i < 20; i++) {
        poll_pace_sent(&pace, false, 1000);
        poll_pace_failed(&pace, 0, 1000);
        int64_t pause = poll_pace_due_ms(&pace, true) - 1000;
        assert_true(pause >= last && pause <= POLL_RETRY_MAX_MS);
        last = pause;
    }
    assert_int_equal(last, POLL_RETRY_MAX_MS);
    poll_pace_sent(&pace, false, 9000);
    poll_pace_answered(&pace);
    poll_pace_failed(&pace, 999, 9000);
    int64_t pause = poll_pace_due_ms(&pace, false) - 9000;
    assert_true(pause >= POLL_RETRY_MIN_MS && pause < 2 * POLL_RETRY_MIN_MS);
}

static void a_broken_connection_is_asked_anew(void **state)
{
    struct poll_pace pace = { 0 };
    (void)state;
    poll_pace_sent(&pace, false, 1000);
    pace.is_stale = true;
    assert_true(poll_pace_due_ms(&pace, false) <= 1000);
    poll_pace_sent(&pace, false, 2000);
    assert_true(poll_pace_due_ms(&pace, false) == POLL_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_poll_is_due_at_once),
        cmocka_unit_test(a_held_poll_is_left_alone),
        cmocka_unit_test(news_do_not_wait_for_a_held_poll),
        cmocka_unit_test(news_wait_for_the_answer_to_news),
        cmocka_unit_test(news_without_an_answer_are_told_again),
        cmocka_unit_test(quick_answers_are_slowed_down),
        cmocka_unit_test(failures_are_tried_again_ever_more_slowly),
        cmocka_unit_test(a_broken_connection_is_asked_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
