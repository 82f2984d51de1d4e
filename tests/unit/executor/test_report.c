#include "executor/report.h"

#include "executor/frame.h"

#include "fixture.h"
#include "unit/test.h"

static Eos__Executor__V1__FromExecutor *decode(const struct text *frame)
{
    struct frame_reader reader = { .max = 1u << 20 };
    struct slice message;
    frame_feed(&reader, frame->ptr, frame->len);
    assert_int_equal(frame_take(&reader, &message), FRAME_READY);
    Eos__Executor__V1__FromExecutor *from =
        eos__executor__v1__from_executor__unpack(NULL, message.len, (const uint8_t *)message.ptr);
    assert_non_null(from);
    assert_int_equal(from->message_case, EOS__EXECUTOR__V1__FROM_EXECUTOR__MESSAGE_STATE);
    frame_reader_done(&reader);
    return from;
}

/* Only processes that have run are told, with times of the wall clock. */
static void tells_of_runs(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct runner runner;
    struct error err;
    struct text frame = TEXT_INIT;
    assert_true(runner_init(&runner, fixture_plan(arena, "a; b; c; order a c"), &err));
    runner_forked(&runner, 0, 42, 1000);
    runner_running(&runner, 0);
    runner_exited(&runner, 0, -15, 3000);
    runner_forked(&runner, 1, 43, 1500);

    report_add(&frame, &runner, 1000000);

    Eos__Executor__V1__FromExecutor *from = decode(&frame);
    const Eos__Executor__V1__State *told = from->state;
    assert_int_equal(told->state, EOS__EXECUTOR__V1__TASK_STATE__RUNNING);
    assert_int_equal(told->n_runs, 2);
    assert_string_equal(told->runs[0]->name, "a");
    assert_string_equal(told->runs[0]->state, "KILLED");
    assert_int_equal(told->runs[0]->exit_code, -15);
    assert_int_equal(told->runs[0]->pid, 42);
    assert_int_equal(told->runs[0]->start_ms, 1001000);
    assert_int_equal(told->runs[0]->stop_ms, 1003000);
    assert_string_equal(told->runs[1]->state, "FORKED");
    assert_int_equal(told->runs[1]->stop_ms, 0);
    eos__executor__v1__from_executor__free_unpacked(from, NULL);
    text_done(&frame);
    runner_done(&runner);
    arena_free(arena);
}

static void tells_of_a_failure(void **state)
{
    (void)state;
    struct text frame = TEXT_INIT;
    report_add_failure(&frame, "could not mount");
    Eos__Executor__V1__FromExecutor *from = decode(&frame);
    assert_int_equal(from->state->state, EOS__EXECUTOR__V1__TASK_STATE__FAILED);
    assert_string_equal(from->state->message, "could not mount");
    eos__executor__v1__from_executor__free_unpacked(from, NULL);
    text_done(&frame);
}

static const struct trim_case {
    const char *name, *text, *trimmed;
} trim_cases[] = {
    { "ASCII", "abc", "abc" }, { "whole", "ab\303\244", "ab\303\244" },
    { "cut", "ab\303", "ab" }, { "cut after two of three", "ab\342\202", "ab" },
    { "empty", "", "" },       { "nothing valid", "\377\377", "" },
};

static void is_trimmed(void **state)
{
    const struct trim_case *c = *state;
    char text[32];
    snprintf(text, sizeof text, "%s", c->text);
    report_trim(text);
    assert_string_equal(text, c->trimmed);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(tells_of_runs),
                                        cmocka_unit_test(tells_of_a_failure) };
    return cmocka_run_group_tests(tests, NULL, NULL) + RUN_CASES(trim_cases, is_trimmed);
}
