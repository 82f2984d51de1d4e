#include "launcher/task_fsm.h"

#include "unit/test.h"

/* -- stories -------------------------------------------------------------------------------------- */

#define LIFE EVENT_RECORDED, EVENT_FETCHED, EVENT_PREPARED, EVENT_STARTED, EVENT_CONNECTED
#define END  EVENT_RECORDED, EVENT_GONE, EVENT_CLEANED

#define BEGUN                                                                                      \
    (DO_REPORT_STARTING | DO_FETCH | DO_PREPARE | DO_START | DO_RECORD | DO_WATCH | DO_CONNECT |   \
     DO_HELLO)
#define ENDED (DO_END_FINAL | DO_ACKNOWLEDGE | DO_CLEAN | DO_RECORD)

#define STORY(text, last, all, ...)                                                                \
    {                                                                                              \
        .name = text, .end = STAGE_##last, .actions = (all), .events = { __VA_ARGS__ },            \
        .count = sizeof((int[]){ __VA_ARGS__ }) / sizeof(int)                                      \
    }

static const struct story {
    const char *name;
    enum task_stage end;
    unsigned actions;
    enum task_event events[16];
    size_t count;
} stories[] = {
    STORY("runs to its end", DEAD, BEGUN | ENDED, LIFE, EVENT_FINAL, END),
    STORY("is killed while it runs", DEAD, BEGUN | ENDED | DO_TELL_KILL, LIFE, EVENT_KILL,
          EVENT_KILL, EVENT_FINAL, END),
    STORY("is killed before it is recorded", DEAD, DO_END_KILLED | DO_CLEAN | DO_RECORD, EVENT_KILL,
          EVENT_ABANDON, EVENT_RECORDED, EVENT_CLEANED),
    STORY("is killed while its image comes", DEAD,
          DO_REPORT_STARTING | DO_FETCH | DO_CANCEL_FETCH | DO_END_KILLED | DO_CLEAN | DO_RECORD,
          EVENT_RECORDED, EVENT_KILL, EVENT_RECORDED, EVENT_CLEANED),
    STORY("is killed while it is prepared", DEAD,
          DO_REPORT_STARTING | DO_FETCH | DO_PREPARE | DO_END_KILLED | DO_CLEAN | DO_RECORD,
          EVENT_RECORDED, EVENT_FETCHED, EVENT_KILL, EVENT_ABANDON, EVENT_RECORDED, EVENT_CLEANED),
    STORY("is killed while it starts", RUNNING, BEGUN, EVENT_RECORDED, EVENT_FETCHED,
          EVENT_PREPARED, EVENT_KILL, EVENT_STARTED, EVENT_KILL, EVENT_CONNECTED),
    STORY("has no image", DEAD,
          DO_REPORT_STARTING | DO_FETCH | DO_END_FAILED | DO_CLEAN | DO_RECORD, EVENT_RECORDED,
          EVENT_STEP_FAILED, EVENT_RECORDED, EVENT_CLEANED),
    STORY("has no user", DEAD,
          DO_REPORT_STARTING | DO_FETCH | DO_PREPARE | DO_END_FAILED | DO_CLEAN | DO_RECORD,
          EVENT_RECORDED, EVENT_FETCHED, EVENT_STEP_FAILED, EVENT_RECORDED, EVENT_CLEANED),
    STORY("cannot be started", DEAD,
          DO_REPORT_STARTING | DO_FETCH | DO_PREPARE | DO_START | DO_END_FAILED | DO_CLEAN |
              DO_RECORD,
          EVENT_RECORDED, EVENT_FETCHED, EVENT_PREPARED, EVENT_STEP_FAILED, EVENT_RECORDED,
          EVENT_CLEANED),
    STORY("its executor does not listen", DEAD,
          (BEGUN & ~(unsigned)DO_HELLO) | DO_END_FAILED | DO_FORCE | DO_CLEAN, EVENT_RECORDED,
          EVENT_FETCHED, EVENT_PREPARED, EVENT_STARTED, EVENT_STEP_FAILED, EVENT_GONE,
          EVENT_RECORDED, EVENT_CLEANED),
    STORY("its executor dies at once", DEAD,
          (BEGUN & ~(unsigned)DO_HELLO) | DO_READ_EXIT | DO_CLEAN, EVENT_RECORDED, EVENT_FETCHED,
          EVENT_PREPARED, EVENT_STARTED, EVENT_GONE, EVENT_RECORDED, EVENT_CLEANED),
    STORY("its executor dies", DEAD, BEGUN | DO_READ_EXIT | DO_CLEAN, LIFE, EVENT_DISCONNECTED,
          EVENT_GONE, EVENT_RECORDED, EVENT_CLEANED),
    STORY("its executor dies, seen first", DEAD, BEGUN | DO_READ_EXIT | DO_CLEAN, LIFE, EVENT_GONE,
          EVENT_RECORDED, EVENT_CLEANED),
    STORY("the connection breaks", RUNNING, BEGUN, LIFE, EVENT_DISCONNECTED, EVENT_CONNECTED),
    STORY("the executor leaves before the record", DEAD, BEGUN | DO_END_FINAL | DO_CLEAN, LIFE,
          EVENT_FINAL, EVENT_DISCONNECTED, EVENT_GONE, EVENT_KILL, EVENT_RECORDED, EVENT_KILL,
          EVENT_CLEANED, EVENT_KILL),
    STORY("the executor does not leave", DEAD, BEGUN | ENDED | DO_FORCE, LIFE, EVENT_FINAL,
          EVENT_FINAL, EVENT_KILL, EVENT_RECORDED, EVENT_STEP_FAILED, EVENT_KILL, EVENT_GONE,
          EVENT_CLEANED),
    STORY("the executor is told again", DEAD, BEGUN | ENDED, LIFE, EVENT_FINAL, EVENT_RECORDED,
          EVENT_DISCONNECTED, EVENT_CONNECTED, EVENT_FINAL, EVENT_GONE, EVENT_CLEANED),
};

static void ends_as_told(void **state)
{
    const struct story *story = *state;
    enum task_stage now = STAGE_ACCEPTED;
    unsigned actions = 0;

    for (size_t i = 0; i < story->count; i++) {
        struct task_step step;
        struct error err = { 0 };
        bool ok = task_step(now, story->events[i], &step, &err);
        assert_string_equal(err.message, "");
        assert_true(ok);
        now = step.next;
        actions |= step.actions;
    }
    assert_int_equal(now, story->end);
    assert_int_equal(actions, story->actions);
}

/* -- what holds for all --------------------------------------------------------------------------- */

static void a_kill_may_come_at_any_time(void **state)
{
    (void)state;
    for (enum task_stage stage = 0; stage < STAGE_COUNT; stage++) {
        struct task_step step;
        struct error err;
        assert_true(task_step(stage, EVENT_KILL, &step, &err));
    }
}

static void nothing_leads_back_from_the_end(void **state)
{
    (void)state;
    for (enum task_stage stage = STAGE_ENDING; stage < STAGE_COUNT; stage++)
        for (enum task_event event = 0; event < EVENT_COUNT; event++) {
            struct task_step step;
            struct error err;
            if (task_step(stage, event, &step, &err))
                assert_true(step.next >= STAGE_ENDING);
        }
}

static void an_end_is_noted_once(void **state)
{
    const unsigned ends = DO_END_FAILED | DO_END_KILLED | DO_END_FINAL | DO_READ_EXIT;
    (void)state;
    for (enum task_stage stage = 0; stage < STAGE_COUNT; stage++)
        for (enum task_event event = 0; event < EVENT_COUNT; event++) {
            struct task_step step;
            struct error err;
            if (!task_step(stage, event, &step, &err))
                continue;
            bool is_end = (step.actions & ends) != 0;
            assert_int_equal(is_end, stage < STAGE_ENDING && step.next >= STAGE_ENDING);
        }
}

static void what_cannot_happen_is_named(void **state)
{
    struct task_step step;
    struct error err = { 0 };
    (void)state;
    assert_false(task_step(STAGE_DEAD, EVENT_CONNECTED, &step, &err));
    assert_int_equal(err.code, ERROR_FAILED_PRECONDITION);
    assert_non_null(strstr(err.message, "connected"));
    assert_non_null(strstr(err.message, "dead"));
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(a_kill_may_come_at_any_time),
        cmocka_unit_test(nothing_leads_back_from_the_end),
        cmocka_unit_test(an_end_is_noted_once),
        cmocka_unit_test(what_cannot_happen_is_named),
    };
    return RUN_CASES(stories, ends_as_told) + cmocka_run_group_tests(others, NULL, NULL);
}
