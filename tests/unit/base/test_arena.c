#include "base/arena.h"

#include "unit/test.h"

#include <stdalign.h>
#include <stdbool.h>
#include <string.h>

static const struct size_case {
    const char *name;
    size_t size;
} sizes[] = {
    { "nothing", 0 },
    { "one byte", 1 },
    { "one less than a unit", 15 },
    { "a unit", 16 },
    { "one more than a unit", 17 },
    { "one less than the first block", 4095 },
    { "the first block", 4096 },
    { "more than the first block", 4097 },
    { "the largest block", 1u << 20 },
    { "more than the largest block", (1u << 20) + 1 },
    { "much more than that", 5u << 20 },
};

static bool is_zero(const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

/* Three in a row, written to the last byte: none may touch its neighbours. */
static void is_zeroed_aligned_and_alone(void **state)
{
    const struct size_case *c = *state;
    struct arena *arena = arena_new();
    unsigned char *given[3];
    for (unsigned i = 0; i < 3; i++) {
        given[i] = arena_alloc(arena, c->size);
        assert_int_equal((uintptr_t)given[i] % alignof(max_align_t), 0);
        assert_true(is_zero(given[i], c->size));
        memset(given[i], 'a' + (int)i, c->size);
    }
    assert_ptr_not_equal(given[0], given[1]);
    assert_ptr_not_equal(given[1], given[2]);
    for (unsigned i = 0; i < 3; i++)
        for (size_t at = 0; at < c->size; at++)
            assert_int_equal(given[i][at], 'a' + i);
    assert_true(arena_used(arena) >= 3 * c->size);
    arena_free(arena);
}

/* What was used before is zero again, whichever block is kept. */
static void is_zeroed_again_after_a_reset(void **state)
{
    const struct size_case *c = *state;
    struct arena *arena = arena_new();
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned i = 0; i < 8; i++) {
            unsigned char *bytes = arena_alloc(arena, c->size);
            assert_true(is_zero(bytes, c->size));
            memset(bytes, 0xff, c->size);
        }
        arena_reset(arena);
        assert_int_equal(arena_used(arena), 0);
    }
    arena_free(arena);
}

static const struct grow_case {
    const char *name;
    size_t old_size, new_size;
    bool is_last, stays;
} grows[] = {
    { "from nothing", 0, 100, true, true },
    { "within its unit", 10, 16, true, true },
    { "by some units", 10, 1000, true, true },
    { "not at all", 10, 10, true, true },
    { "beyond the block", 4000, 5000, true, false },
    { "while another one is behind it", 10, 1000, false, false },
    { "within its unit, another one behind it", 10, 16, false, false },
};

static void keeps_what_it_has(void **state)
{
    const struct grow_case *c = *state;
    struct arena *arena = arena_new();
    unsigned char *before = arena_alloc(arena, c->old_size);
    memset(before, 'a', c->old_size);
    unsigned char *behind = c->is_last ? NULL : arena_alloc(arena, 16);
    unsigned char *after = arena_grow(arena, before, c->old_size, c->new_size);

    assert_int_equal(after == before, c->stays);
    for (size_t i = 0; i < c->old_size; i++)
        assert_int_equal(after[i], 'a');
    assert_true(is_zero(after + c->old_size, c->new_size - c->old_size));
    memset(after, 'b', c->new_size);
    assert_true(!behind || is_zero(behind, 16));
    assert_true(is_zero(arena_alloc(arena, 16), 16));
    arena_free(arena);
}

static void grows_from_no_memory(void **state)
{
    struct arena *arena = arena_new();
    (void)state;
    assert_true(is_zero(arena_grow(arena, NULL, 0, 50), 50));
    arena_free(arena);
}

static void copies_of_strings(void **state)
{
    struct arena *arena = arena_new();
    (void)state;
    assert_string_equal(arena_strdup(arena, "abc"), "abc");
    assert_memory_equal(arena_memdup0(arena, "a\0b", 3), "a\0b", 4);
    assert_string_equal(arena_memdup0(arena, NULL, 0), "");
    assert_string_equal(arena_printf(arena, "%s-%d", "a", 7), "a-7");
    assert_int_equal(strlen(arena_printf(arena, "%10000s", "")), 10000);
    arena_free(arena);
}

static void arrays(void **state)
{
    struct arena *arena = arena_new();
    (void)state;
    assert_true(is_zero(arena_array(arena, 1000, 24), 24000));
    assert_non_null(arena_array(arena, 0, 24));
    arena_free(arena);
}

/* A large piece does not cost the rest of the block before it. */
static void large_pieces_stand_aside(void **state)
{
    struct arena *arena = arena_new();
    (void)state;
    char *first = arena_alloc(arena, 16);
    arena_alloc(arena, 3u << 20);
    char *next = arena_alloc(arena, 16);
    assert_true(next > first && next <= first + 32); /* with the gap of the sanitizer build */
    arena_free(arena);
}

static void no_arena_is_freed(void **state)
{
    (void)state;
    arena_free(NULL);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(grows_from_no_memory),
        cmocka_unit_test(copies_of_strings),
        cmocka_unit_test(arrays),
        cmocka_unit_test(large_pieces_stand_aside),
        cmocka_unit_test(no_arena_is_freed),
    };
    return RUN_CASES(sizes, is_zeroed_aligned_and_alone) +
           RUN_CASES(sizes, is_zeroed_again_after_a_reset) + RUN_CASES(grows, keeps_what_it_has) +
           cmocka_run_group_tests(others, NULL, NULL);
}
