#include "base/map.h"

#include "base/random.h"
#include "unit/test.h"

#include <stdio.h>

static int one = 1, two = 2, three = 3;

/* -- stories -------------------------------------------------------------------------------------- */

/* Each letter of the script is a step: a lower-case letter puts that key, an upper-case one removes it.
 * What is left is told in order. */
static const struct story {
    const char *name, *script, *left;
} stories[] = {
    { "nothing", "", "" },
    { "in the order of insertion", "cab", "cab" },
    { "put again keeps its place", "abcab", "abc" },
    { "removed", "abcB", "ac" },
    { "removed and put again goes last", "abcBb", "acb" },
    { "the first is removed", "abcA", "bc" },
    { "the last is removed", "abcC", "ab" },
    { "what is not there is removed", "abX", "ab" },
    { "removed twice", "abAA", "b" },
    { "all are removed", "abcABC", "" },
    { "many times the same", "aAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAab", "ab" },
    { "a queue", "abcAdBeCfDgEhFiGjHkIlJmKnLoMpNqOrPsQtRuSvTwUxVyWzX", "yz" },
};

static void tell(const struct map *map, char *left)
{
    size_t cursor = 0;
    struct slice key;
    void *value;
    while (map_next(map, &cursor, &key, &value)) {
        assert_int_equal(key.len, 1);
        *left++ = key.ptr[0];
    }
    *left = '\0';
}

static void leaves(void **state)
{
    const struct story *story = *state;
    struct map *map = map_new();
    char left[32];
    bool is_there[26] = { false };
    size_t count = 0;
    for (const char *step = story->script; *step; step++) {
        bool is_put = *step >= 'a';
        char key = is_put ? *step : (char)(*step + 'a' - 'A');
        bool *is_known = &is_there[key - 'a'];
        void *before = is_put ? map_put(map, (struct slice){ &key, 1 }, &one)
                              : map_remove(map, (struct slice){ &key, 1 });
        assert_ptr_equal(before, *is_known ? &one : NULL);
        count = count + (is_put && !*is_known) - (!is_put && *is_known);
        *is_known = is_put;
        assert_int_equal(map_count(map), count);
        assert_ptr_equal(map_get(map, (struct slice){ &key, 1 }), is_put ? &one : NULL);
    }
    tell(map, left);
    assert_string_equal(left, story->left);
    map_free(map);
}

/* -- keys ----------------------------------------------------------------------------------------- */

static void keys_are_bytes(void **state)
{
    struct map *map = map_new();
    (void)state;
    map_put(map, SLICE(""), &one);
    map_put(map, SLICE("\0"), &two);
    map_put(map, SLICE("\0\0"), &three);
    assert_ptr_equal(map_get(map, (struct slice){ NULL, 0 }), &one);
    assert_ptr_equal(map_get(map, SLICE("\0")), &two);
    assert_ptr_equal(map_get(map, SLICE("\0\0")), &three);
    assert_null(map_get(map, SLICE("\0\0\0")));
    map_free(map);
}

static void keys_are_copied(void **state)
{
    struct map *map = map_new();
    char key[] = "key";
    (void)state;
    map_put(map, slice_of(key), &one);
    key[0] = 'x';
    assert_ptr_equal(map_get(map, SLICE("key")), &one);
    assert_null(map_get(map, slice_of(key)));
    map_free(map);
}

static void values_are_replaced(void **state)
{
    struct map *map = map_new();
    (void)state;
    assert_null(map_put(map, SLICE("a"), &one));
    assert_ptr_equal(map_put(map, SLICE("a"), &two), &one);
    assert_ptr_equal(map_get(map, SLICE("a")), &two);
    assert_int_equal(map_count(map), 1);
    map_free(map);
}

static void an_empty_one_answers(void **state)
{
    struct map *map = map_new();
    size_t cursor = 0;
    struct slice key;
    void *value;
    (void)state;
    assert_null(map_get(map, SLICE("a")));
    assert_null(map_remove(map, SLICE("a")));
    assert_false(map_next(map, &cursor, &key, &value));
    map_free(map);
    map_free(NULL);
}

/* -- many ----------------------------------------------------------------------------------------- */

#define KEYS 2000

/* Against an array that says which keys are there. */
static void many_come_and_go(void **state)
{
    struct map *map = map_new();
    struct random random = { { 1, 2, 3, 4 } };
    static char values[KEYS];
    static bool is_there[KEYS];
    size_t count = 0;
    (void)state;
    for (unsigned step = 0; step < 100000; step++) {
        size_t i = (size_t)random_below(&random, KEYS);
        bool puts = random_below(&random, 100) < (step < 50000 ? 60 : 40);
        void *before = is_there[i] ? &values[i] : NULL;
        struct slice key = { (const char *)&i, sizeof i };
        assert_ptr_equal(map_get(map, key), before);
        assert_ptr_equal(puts ? map_put(map, key, &values[i]) : map_remove(map, key), before);
        count = count + (puts && !before) - (!puts && before);
        is_there[i] = puts;
        assert_int_equal(map_count(map), count);
    }
    size_t cursor = 0, visited = 0;
    struct slice key;
    void *value;
    while (map_next(map, &cursor, &key, &value)) {
        size_t i;
        memcpy(&i, key.ptr, sizeof i);
        assert_true(is_there[i]);
        assert_ptr_equal(value, &values[i]);
        visited++;
    }
    assert_int_equal(visited, count);
    map_free(map);
}

static void may_be_emptied_during_a_visit(void **state)
{
    struct map *map = map_new();
    size_t cursor = 0, visited = 0;
    struct slice key;
    void *value;
    (void)state;
    for (size_t i = 0; i < 100; i++)
        map_put(map, (struct slice){ (const char *)&i, sizeof i }, &one);
    while (map_next(map, &cursor, &key, &value)) {
        visited++;
        assert_ptr_equal(map_remove(map, key), &one);
    }
    assert_int_equal(visited, 100);
    assert_int_equal(map_count(map), 0);
    map_free(map);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(keys_are_bytes),      cmocka_unit_test(keys_are_copied),
        cmocka_unit_test(values_are_replaced), cmocka_unit_test(an_empty_one_answers),
        cmocka_unit_test(many_come_and_go),    cmocka_unit_test(may_be_emptied_during_a_visit),
    };
    return RUN_CASES(stories, leaves) + cmocka_run_group_tests(others, NULL, NULL);
}
