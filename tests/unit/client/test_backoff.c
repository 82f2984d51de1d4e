#include "client/dev/backoff.h"

#include "unit/test.h"

static const struct backoff_case {
    const char *name;
    int count;
    uint64_t uptimes_ms[8];
    uint32_t expected_ms[8];
} cases[] = {
    { "doubles up to its limit", 8, { 0 }, { 100, 200, 400, 800, 1600, 3200, 5000, 5000 } },
    { "starts anew after a long life", 4, { 0, 0, 10000, 0 }, { 100, 200, 100, 200 } },
    { "a life just too short counts", 3, { 0, 9999, 9999 }, { 100, 200, 400 } },
};

static void waits(void **state)
{
    const struct backoff_case *c = *state;
    struct backoff backoff = { 0 };
    for (int i = 0; i < c->count; i++)
        assert_int_equal(backoff_next(&backoff, c->uptimes_ms[i]), c->expected_ms[i]);
}

int main(void)
{
    return RUN_CASES(cases, waits);
}
