#include "launcher/image_pins.h"

#include "unit/test.h"

#include <pthread.h>
#include <stdatomic.h>

static void count(void *user)
{
    ++*(int *)user;
}

static void a_pinned_name_is_not_removed(void **state)
{
    struct image_pins *pins = image_pins_new();
    uint64_t a = image_pins_new_owner(pins), b = image_pins_new_owner(pins);
    int removed = 0;
    (void)state;
    assert_true(a != b);
    image_pins_add(pins, a, 1, "x");
    image_pins_add(pins, a, 1, "x"); /* again, to no effect */
    image_pins_add(pins, b, 1, "x");
    assert_false(image_pins_remove(pins, 1, "x", count, &removed));
    image_pins_drop(pins, a);
    assert_true(image_pins_has(pins, 1, "x"));
    assert_false(image_pins_remove(pins, 1, "x", count, &removed));
    image_pins_drop(pins, b);
    assert_false(image_pins_has(pins, 1, "x"));
    assert_int_equal(removed, 0);
    assert_true(image_pins_remove(pins, 1, "x", count, &removed));
    assert_int_equal(removed, 1);
    image_pins_free(pins);
}

static void folders_are_told_apart(void **state)
{
    struct image_pins *pins = image_pins_new();
    uint64_t a = image_pins_new_owner(pins);
    int removed = 0;
    (void)state;
    image_pins_add(pins, a, 1, "x");
    assert_true(image_pins_remove(pins, 2, "x", count, &removed));
    assert_true(image_pins_remove(pins, 1, "xx", count, &removed));
    assert_int_equal(removed, 2);
    image_pins_drop(pins, a);
    image_pins_drop(pins, a); /* and once more, to no effect */
    image_pins_free(pins);
}

#define ROUNDS 2000

struct race {
    struct image_pins *pins;
    atomic_bool is_there;
};

static void take_away(void *user)
{
    struct race *race = user;
    atomic_store(&race->is_there, false);
}

static void *remove_often(void *user)
{
    struct race *race = user;
    for (int i = 0; i < ROUNDS; i++)
        image_pins_remove(race->pins, 1, "x", take_away, race);
    return NULL;
}

/* What is found after it was pinned stays until the pin goes. */
static void what_is_pinned_and_seen_stays(void **state)
{
    struct race race = { .pins = image_pins_new() };
    pthread_t thread;
    int lost = 0;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, remove_often, &race), 0);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t owner = image_pins_new_owner(race.pins);
        image_pins_add(race.pins, owner, 1, "x");
        atomic_store(&race.is_there, true);
        lost += !atomic_load(&race.is_there);
        image_pins_drop(race.pins, owner);
    }
    pthread_join(thread, NULL);
    assert_int_equal(lost, 0);
    image_pins_free(race.pins);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pinned_name_is_not_removed),
        cmocka_unit_test(folders_are_told_apart),
        cmocka_unit_test(what_is_pinned_and_seen_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
