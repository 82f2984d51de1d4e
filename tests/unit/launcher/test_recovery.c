#include "launcher/recovery.h"

#include "unit/test.h"

static const struct recovery_case {
    const char *name;
    struct recovery_facts facts;
    enum recovery recovery;
} cases[] = {
    { "nothing was started", { 0 }, RECOVER_LAUNCH },
    { "it was started and has gone", { .was_started = true }, RECOVER_LOST },
    { "it had begun and has gone", { .has_begun = true }, RECOVER_LOST },
    { "it is alive",
      { .is_alive = true, .was_started = true, .has_begun = true },
      RECOVER_CONNECT },
    { "it is alive, and not yet noted", { .is_alive = true }, RECOVER_CONNECT },
    { "it has ended and waits to be told",
      { .is_alive = true, .has_exit = true, .has_begun = true },
      RECOVER_CONNECT },
    { "it has ended and gone",
      { .has_exit = true, .has_begun = true, .was_started = true },
      RECOVER_READ_EXIT },
    { "the end is recorded, it waits",
      { .has_ended = true, .is_alive = true, .has_exit = true },
      RECOVER_LEAVE },
    { "the end is recorded, it has gone", { .has_ended = true, .has_exit = true }, RECOVER_CLEAN },
    { "it failed before it was started", { .has_ended = true }, RECOVER_CLEAN },
    { "all is done", { .is_clean = true, .has_ended = true, .has_exit = true }, RECOVER_DEAD },
};

static void decides(void **state)
{
    const struct recovery_case *c = *state;
    assert_int_equal(recovery_decide(&c->facts), c->recovery);
}

/* What may have run is never started a second time, and what is alive is never taken for lost. */
static void is_never_unsafe(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 64; bits++) {
        struct recovery_facts facts = {
            .is_clean = bits & 1,
            .has_ended = bits & 2,
            .is_alive = bits & 4,
            .has_exit = bits & 8,
            .has_begun = bits & 16,
            .was_started = bits & 32,
        };
        enum recovery recovery = recovery_decide(&facts);
        if (recovery == RECOVER_LAUNCH)
            assert_false(facts.is_alive || facts.has_begun || facts.was_started || facts.has_ended);
        if (recovery == RECOVER_LOST || recovery == RECOVER_CLEAN)
            assert_false(facts.is_alive);
        if (facts.has_ended)
            assert_true(recovery <= RECOVER_LEAVE);
    }
}

int main(void)
{
    const struct CMUnitTest others[] = { cmocka_unit_test(is_never_unsafe) };
    return RUN_CASES(cases, decides) + cmocka_run_group_tests(others, NULL, NULL);
}
