#include "executor/graph.h"

#include "fixture.h"
#include "unit/test.h"

/* ---- what may be ordered -------------------------------------------------------------------- */

static const struct build_case {
    const char *name, *plan, *message; /* "" when the plan is good */
} build_cases[] = {
    { "one process", "a", "" },
    { "a chain", "a; b; c; order a b c", "" },
    { "the same order twice", "a; b; order a b; order a b", "" },
    { "a diamond", "a; b; c; d; order a b d; order a c d", "" },
    { "a constraint of one name", "a; order a", "" },
    { "an ephemeral one waits for a lasting one", "a; b ephemeral; order a b", "" },
    { "a daemon waits", "a; b daemon; order a b", "" },
    { "final ones among themselves", "a; b final; c final; order b c", "" },
    { "two of one name", "a; a", "there are two processes \"a\"" },
    { "an empty constraint", "a; order", "has no names" },
    { "an unknown name", "a; order a x", "does not have" },
    { "only an unknown name", "a; order x", "does not have" },
    { "regular and final", "a; b final; order a b", "only one of them is final" },
    { "waiting for a daemon", "a daemon; b; order a b", "\"b\" cannot wait for process \"a\"" },
    { "waiting for an ephemeral one", "a ephemeral; b; order a b", "which is ephemeral" },
    { "itself", "a; order a a", "make process \"a\" wait for itself" },
    { "a cycle of three", "a; b; c; order a b c; order c a", "wait for itself" },
    { "a cycle behind a chain", "x; a; b; order x a b; order b a", "process \"a\" wait" },
};

static void builds_or_explains(void **state)
{
    const struct build_case *c = *state;
    struct arena *arena = arena_new();
    struct error err = { 0 };
    struct graph graph = { .count = 77 };

    bool ok = graph_init(&graph, fixture_plan(arena, c->plan), &err);

    assert_int_equal(ok, !c->message[0]);
    if (ok) {
        graph_done(&graph);
    } else {
        assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
        assert_non_null(strstr(err.message, c->message));
        assert_int_equal(graph.count, 77);
    }
    arena_free(arena);
}

/* ---- what runs when ------------------------------------------------------------------------- */

/* Letters are steps on process "a", "b", …: `a` is started (and must be what comes next), `a+`
 * succeeds, `a-` fails, `a!` is killed, `.` checks that nothing may start, a digit waits so many
 * seconds. */
static const struct run_case {
    const char *name, *plan, *steps;
    bool is_complete, is_deadlocked;
    size_t failed;
    int64_t wait_ms;
} run_cases[] = {
    { "all at once", "a; b", "ab.", false, false, 0, -1 },
    { "complete", "a; b", "ab a+ b+.", true, false, 0, -1 },
    { "in order", "a; b; c; order a b c", "a. a+ b. b+ c. c+.", true, false, 0, -1 },
    { "a diamond", "a; b; c; d; order a b d; order a c d", "a. a+ bc. b+. c+ d d+.", true, false, 0,
      -1 },
    { "no more than two", "a; b; c; concurrency=2", "ab. a+ c.", false, false, 0, -1 },
    { "one after the other", "a; b; concurrency=1", "a. a+ b. b+", true, false, 0, -1 },
    { "failed for good", "a", "a a-.", true, false, 1, -1 },
    { "a second try", "a max=2", "a a- a a+.", true, false, 0, -1 },
    { "a last try", "a max=2", "a a- a a-.", true, false, 1, -1 },
    { "no limit of failures", "a max=0", "a a- a a- a a- a a- a", false, false, 0, -1 },
    { "killed does not count", "a", "a a! a a! a a+.", true, false, 0, -1 },
    { "a daemon comes back", "a daemon", "a a+ a a+ a", false, false, 0, -1 },
    { "a daemon fails", "a daemon max=2", "a a- a a+ a a-.", true, false, 1, -1 },
    { "an ephemeral one does not hold up", "a; b ephemeral", "ab a+", true, false, 0, -1 },
    { "only ephemeral ones", "a ephemeral", "", true, false, 0, -1 },
    { "an ephemeral one fails and is done", "a; b ephemeral", "ab b-. a+", true, false, 0, -1 },
    { "an ephemeral failure lets others on", "a ephemeral; b ephemeral; order a b", "a a- b.", true,
      false, 0, -1 },
    { "waiting for one that failed", "a; b; order a b", "a a-.", false, true, 1, -1 },
    { "the others go on", "a; b; c; order a b", "ac a-.", false, false, 1, -1 },
    { "min_duration counts from the end", "a max=0 min=5", "a 9 a- .", false, false, 0, 5000 },
    { "min_duration is nearly over", "a max=0 min=5", "a a- 4 .", false, false, 0, 1000 },
    { "min_duration is over", "a max=0 min=5", "a a- 5 a.", false, false, 0, -1 },
    { "the shorter of two waits", "a max=0 min=5; b max=0 min=3", "ab a- b- .", false, false, 0,
      3000 },
    { "final ones are another plan", "a; b final", "a. a+.", true, false, 0, -1 },
};

struct walk {
    struct graph graph;
    int64_t now_ms;
};

static void step(struct walk *walk, char letter, char outcome)
{
    size_t index = (size_t)(letter - 'a'), next = 77;
    if (outcome == '+')
        graph_ended(&walk->graph, index, RUN_SUCCESS, 0, walk->now_ms);
    else if (outcome == '-')
        graph_ended(&walk->graph, index, RUN_FAILED, 1, walk->now_ms);
    else if (outcome == '!')
        graph_ended(&walk->graph, index, RUN_KILLED, -9, walk->now_ms);
    else {
        assert_true(graph_next(&walk->graph, PART_REGULAR, walk->now_ms, &next));
        assert_int_equal(next, index);
        graph_forked(&walk->graph, index, 100, walk->now_ms);
        graph_running(&walk->graph, index);
    }
}

static void go(struct walk *walk, const char *steps)
{
    for (const char *at = steps; *at; at++) {
        size_t next;
        if (*at >= '0' && *at <= '9')
            walk->now_ms += (*at - '0') * 1000;
        else if (*at == '.')
            assert_false(graph_next(&walk->graph, PART_REGULAR, walk->now_ms, &next));
        else if (*at != ' ') {
            bool has_outcome = at[1] && strchr("+-!", at[1]);
            step(walk, *at, has_outcome ? at[1] : ' ');
            at += has_outcome;
        }
    }
}

static void runs_as_told(void **state)
{
    const struct run_case *c = *state;
    struct arena *arena = arena_new();
    struct error err;
    struct walk walk = { .now_ms = 1000000 };
    assert_true(graph_init(&walk.graph, fixture_plan(arena, c->plan), &err));

    go(&walk, c->steps);

    assert_int_equal(graph_is_complete(&walk.graph, PART_REGULAR), c->is_complete);
    assert_int_equal(graph_is_deadlocked(&walk.graph, PART_REGULAR, walk.now_ms), c->is_deadlocked);
    assert_int_equal(graph_count_failed(&walk.graph, PART_REGULAR), c->failed);
    assert_int_equal(graph_wait_ms(&walk.graph, PART_REGULAR, walk.now_ms), c->wait_ms);
    graph_done(&walk.graph);
    arena_free(arena);
}

/* ---- the limit of runs ---------------------------------------------------------------------- */

static const struct limit_case {
    const char *name, *plan;
    enum run_state outcome;
} limit_cases[] = {
    { "a daemon that succeeds", "a daemon", RUN_SUCCESS },
    { "one that may always fail", "a max=0", RUN_FAILED },
    { "one that is always killed", "a", RUN_KILLED },
    { "one that is always lost", "a", RUN_LOST },
};

static void ends_at_the_limit(void **state)
{
    const struct limit_case *c = *state;
    struct arena *arena = arena_new();
    struct error err;
    struct graph graph;
    size_t next;
    int runs = 0;
    assert_true(graph_init(&graph, fixture_plan(arena, c->plan), &err));

    for (; graph_next(&graph, PART_REGULAR, runs, &next); runs++) {
        graph_forked(&graph, next, 1, runs);
        graph_ended(&graph, next, c->outcome, 0, runs);
    }

    assert_int_equal(runs, GRAPH_MAX_RUNS);
    assert_int_equal(graph_count_failed(&graph, PART_REGULAR), 1);
    assert_int_equal(graph.processes[0].run, GRAPH_MAX_RUNS - 1);
    graph_done(&graph);
    arena_free(arena);
}

int main(void)
{
    return RUN_CASES(build_cases, builds_or_explains) + RUN_CASES(run_cases, runs_as_told) +
           RUN_CASES(limit_cases, ends_at_the_limit);
}
