#include "executor/runner.h"

#include "base/text.h"

#include "fixture.h"
#include "unit/test.h"

#define MAX_STEPS 12

/* An event and what is decided after it, in words. */
struct step {
    const char *event;     /* "", "exit a 3", "refuse a why", "wait 5000", "kill why" */
    const char *decisions; /* "start a, terminate b, orphans, end" */
};

static const struct story {
    const char *name, *plan;
    struct step steps[MAX_STEPS];
    const char *state, *message;
} stories[] = {
    { "succeeds",
      "a",
      { { "", "start a" }, { "exit a 0", "orphans, end" } },
      "FINISHED",
      "all processes have finished" },
    { "fails",
      "a",
      { { "", "start a" }, { "exit a 3", "orphans, end" } },
      "FAILED",
      "process \"a\" exited with status 3" },
    { "fails the second time",
      "a max=2",
      { { "", "start a" }, { "exit a 3", "start a" }, { "exit a 4", "orphans, end" } },
      "FAILED",
      "process \"a\" exited with status 4 in run 1" },
    { "succeeds the second time",
      "a max=2",
      { { "", "start a" }, { "exit a 3", "start a" }, { "exit a 0", "orphans, end" } },
      "FINISHED",
      "all processes have finished" },
    { "waits before the second time",
      "a max=2 min=5",
      { { "", "start a" },
        { "exit a 3", "" },
        { "wait 4999", "" },
        { "wait 1", "start a" },
        { "exit a 0", "orphans, end" } },
      "FINISHED",
      "" },
    { "is killed from outside and repeated",
      "a",
      { { "", "start a" }, { "exit a -9", "start a" }, { "exit a 0", "orphans, end" } },
      "FINISHED",
      "" },
    { "cannot be executed",
      "a",
      { { "", "start a" }, { "refuse a no shell", "orphans, end" } },
      "FAILED",
      "process \"a\" could not be started: no shell" },
    { "one fails, the other is ended",
      "a; b",
      { { "", "start a, start b" },
        { "exit a 1", "terminate b, orphans" },
        { "exit b -15", "end" } },
      "FAILED",
      "process \"a\" exited with status 1" },
    { "one fails, the other does not end",
      "a; b; wait=5",
      { { "", "start a, start b" },
        { "exit a 1", "terminate b, orphans" },
        { "wait 4999", "" },
        { "wait 1", "end" } },
      "FAILED",
      "process \"a\" exited with status 1" },
    { "two may fail",
      "a; b; failures=0",
      { { "", "start a, start b" }, { "exit a 1", "" }, { "exit b 1", "orphans, end" } },
      "FINISHED",
      "all processes have finished" },
    { "what waits for a failed one never runs",
      "a; b; order a b; failures=2",
      { { "", "start a" }, { "exit a 1", "orphans, end" } },
      "FAILED",
      "process \"a\" exited with status 1" },
    { "an ephemeral one is ended with the rest",
      "a; b ephemeral",
      { { "", "start a, start b" },
        { "exit a 0", "terminate b, orphans" },
        { "exit b -15", "end" } },
      "FINISHED",
      "" },
    { "a final one runs at the end",
      "a; z final",
      { { "", "start a" }, { "exit a 0", "orphans, start z" }, { "exit z 0", "end" } },
      "FINISHED",
      "" },
    { "a final one may fail",
      "a; z final",
      { { "", "start a" }, { "exit a 0", "orphans, start z" }, { "exit z 1", "end" } },
      "FINISHED",
      "all processes have finished" },
    { "a final one runs after a failure",
      "a; z final",
      { { "", "start a" }, { "exit a 1", "orphans, start z" }, { "exit z 0", "end" } },
      "FAILED",
      "process \"a\" exited with status 1" },
    { "a final one takes too long",
      "a; z final; wait=7",
      { { "", "start a" }, { "exit a 0", "orphans, start z" }, { "wait 7000", "end" } },
      "FINISHED",
      "" },
    { "cleaning and final ones share the time",
      "a; b ephemeral; z final; wait=7",
      { { "", "start a, start b" },
        { "exit a 0", "terminate b, orphans" },
        { "wait 5000", "" },
        { "exit b -15", "start z" },
        { "wait 1999", "" },
        { "wait 1", "end" } },
      "FINISHED",
      "" },
    { "no time for final ones",
      "a; z final; wait=0",
      { { "", "start a" }, { "exit a 0", "orphans, end" } },
      "FINISHED",
      "" },
    { "final ones in order",
      "a; y final; z final; order z y",
      { { "", "start a" },
        { "exit a 0", "orphans, start z" },
        { "exit z 0", "start y" },
        { "exit y 0", "end" } },
      "FINISHED",
      "" },
    { "final ones deadlock",
      "a; y final; z final; order z y",
      { { "", "start a" }, { "exit a 0", "orphans, start z" }, { "exit z 2", "end" } },
      "FINISHED",
      "" },
    { "killed",
      "a",
      { { "", "start a" }, { "kill by hand", "terminate a, orphans" }, { "exit a -15", "end" } },
      "KILLED",
      "by hand" },
    { "killed, ends well",
      "a",
      { { "", "start a" }, { "kill by hand", "terminate a, orphans" }, { "exit a 0", "end" } },
      "KILLED",
      "by hand" },
    { "killed, does not end",
      "a; grace=300",
      { { "", "start a" },
        { "kill by hand", "terminate a, orphans" },
        { "wait 299", "" },
        { "wait 1", "end" } },
      "KILLED",
      "by hand" },
    { "killed at once",
      "a; grace=0",
      { { "", "start a" }, { "kill by hand", "terminate a, orphans, end" } },
      "KILLED",
      "by hand" },
    { "killed twice: the first one stands",
      "a; grace=300",
      { { "", "start a" },
        { "kill by hand", "terminate a, orphans" },
        { "wait 200", "" },
        { "kill again", "" },
        { "wait 100", "end" } },
      "KILLED",
      "by hand" },
    { "killed without a word",
      "a",
      { { "", "start a" }, { "kill ", "terminate a, orphans" }, { "exit a -15", "end" } },
      "KILLED",
      "the task was killed" },
    { "killed before it began", "a", { { "kill by hand", "orphans, end" } }, "KILLED", "by hand" },
    { "killed, and a final one runs",
      "a; z final",
      { { "", "start a" },
        { "kill by hand", "terminate a, orphans" },
        { "exit a -15", "start z" },
        { "exit z 0", "end" } },
      "KILLED",
      "by hand" },
    { "killed while cleaning",
      "a; b; wait=60; grace=300",
      { { "", "start a, start b" },
        { "exit a 1", "terminate b, orphans" },
        { "kill by hand", "" },
        { "wait 300", "end" } },
      "KILLED",
      "by hand" },
    { "killed while a final one runs",
      "a; z final; wait=60; grace=300",
      { { "", "start a" },
        { "exit a 0", "orphans, start z" },
        { "kill by hand", "" },
        { "wait 300", "end" } },
      "KILLED",
      "by hand" },
    { "a daemon alone goes on until it is killed",
      "a daemon",
      { { "", "start a" },
        { "exit a 0", "start a" },
        { "kill by hand", "terminate a, orphans" },
        { "exit a 0", "end" } },
      "KILLED",
      "by hand" },
};

struct play {
    struct runner runner;
    const Eos__Executor__V1__TaskPlan *plan;
    int64_t now_ms;
};

static size_t index_of(const struct play *play, struct slice name)
{
    for (size_t i = 0; i < play->plan->n_processes; i++)
        if (slice_is(name, play->plan->processes[i]->name))
            return i;
    fail_msg("no such process");
    return 0;
}

static void happen(struct play *play, const char *event)
{
    struct slice rest = slice_of(event);
    struct slice verb = slice_split(&rest, ' ');
    int64_t number = 0;
    if (slice_is(verb, "exit")) {
        size_t index = index_of(play, slice_split(&rest, ' '));
        assert_true(slice_to_i64(rest, &number));
        runner_exited(&play->runner, index, (int)number, play->now_ms);
    } else if (slice_is(verb, "refuse")) {
        size_t index = index_of(play, slice_split(&rest, ' '));
        runner_not_executed(&play->runner, index, rest.ptr, play->now_ms);
    } else if (slice_is(verb, "wait")) {
        assert_true(slice_to_i64(rest, &number));
        play->now_ms += number;
    } else if (slice_is(verb, "kill")) {
        runner_kill(&play->runner, rest.ptr, play->now_ms);
    }
}

static void note(struct play *play, const struct decision *decision, struct text *out)
{
    static const char *const words[] = {
        [DECIDE_START] = "start",
        [DECIDE_TERMINATE] = "terminate",
        [DECIDE_TERMINATE_ORPHANS] = "orphans",
        [DECIDE_END] = "end",
    };
    text_printf(out, "%s%s", out->len ? ", " : "", words[decision->kind]);
    if (decision->kind == DECIDE_START || decision->kind == DECIDE_TERMINATE)
        text_printf(out, " %s", play->plan->processes[decision->process]->name);
    if (decision->kind != DECIDE_START)
        return;
    runner_forked(&play->runner, decision->process, 100, play->now_ms);
    runner_running(&play->runner, decision->process);
}

static const char *state_name(const struct runner *runner)
{
    return protobuf_c_enum_descriptor_get_value(&eos__executor__v1__task_state__descriptor,
                                                (int)runner->state)
        ->name;
}

static void goes_as_told(void **state)
{
    const struct story *story = *state;
    struct arena *arena = arena_new();
    struct error err;
    struct play play = { .plan = fixture_plan(arena, story->plan), .now_ms = 5000000 };
    assert_true(runner_init(&play.runner, play.plan, &err));

    for (size_t i = 0; i < MAX_STEPS && story->steps[i].event; i++) {
        struct text made = { 0 };
        struct decision decision;
        happen(&play, story->steps[i].event);
        while (runner_decide(&play.runner, play.now_ms, &decision))
            note(&play, &decision, &made);
        assert_string_equal(text_string(&made), story->steps[i].decisions);
        text_done(&made);
    }

    assert_string_equal(state_name(&play.runner), story->state);
    assert_non_null(strstr(play.runner.message, story->message));
    for (size_t i = 0; i < play.runner.graph.count; i++)
        assert_false(process_is_live(&play.runner.graph.processes[i]));
    assert_int_equal(runner_wait_ms(&play.runner, play.now_ms), -1);
    runner_kill(&play.runner, "too late", play.now_ms);
    assert_string_equal(state_name(&play.runner), story->state);
    runner_done(&play.runner);
    arena_free(arena);
}

/* ---- waiting -------------------------------------------------------------------------------- */

static const struct wait_case {
    const char *name, *plan;
    struct step steps[MAX_STEPS];
    int64_t wait_ms;
} wait_cases[] = {
    { "for an event", "a", { { "", "" } }, -1 },
    { "for min_duration",
      "a max=2 min=5",
      { { "", "" }, { "exit a 1", "" }, { "wait 2000", "" } },
      3000 },
    { "for the grace", "a; grace=900", { { "", "" }, { "kill x", "" }, { "wait 100", "" } }, 800 },
    { "for a final process", "a; z final; wait=20", { { "", "" }, { "exit a 0", "" } }, 20000 },
    { "for a final process's next run",
      "a; z final max=2 min=5; wait=20",
      { { "", "" }, { "exit a 0", "" }, { "exit z 1", "" } },
      5000 },
};

static void waits_as_told(void **state)
{
    const struct wait_case *c = *state;
    struct arena *arena = arena_new();
    struct error err;
    struct play play = { .plan = fixture_plan(arena, c->plan), .now_ms = 5000000 };
    assert_true(runner_init(&play.runner, play.plan, &err));
    for (size_t i = 0; i < MAX_STEPS && c->steps[i].event; i++) {
        struct text made = { 0 };
        struct decision decision;
        happen(&play, c->steps[i].event);
        while (runner_decide(&play.runner, play.now_ms, &decision))
            note(&play, &decision, &made);
        text_done(&made);
    }
    assert_int_equal(runner_wait_ms(&play.runner, play.now_ms), c->wait_ms);
    runner_done(&play.runner);
    arena_free(arena);
}

int main(void)
{
    return RUN_CASES(stories, goes_as_told) + RUN_CASES(wait_cases, waits_as_told);
}
