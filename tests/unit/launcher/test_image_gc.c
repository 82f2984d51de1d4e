#include "launcher/image_gc.h"

#include "unit/test.h"

#include <string.h>

#define DAY (24ll * 3600 * 1000)
#define NOW (1000 * DAY)

/* A world of four images on five layers of 10 bytes each: a has 0 and 1, b has 0 and 2, c has 3, and
 * nobody has 4.  They were used 40, 30, 20 and … days ago; the orphan is two days old. */
static const struct gc_case {
    const char *name;
    const char *held, *broken; /* letters */
    struct gc_rule rules[2];
    size_t rule_count;
    int64_t orphan_age_ms;
    const char *images, *layers; /* those that go */
    int64_t total_bytes;
} cases[] = {
    { "without a rule nothing goes", "", "", { { 0, 0 } }, 0, 9 * DAY, "", "", 50 },
    { "all", "", "", { { 0, 0 } }, 1, 9 * DAY, "abc", "0123", 10 },
    { "all and the orphan", "", "", { { 0, 0 } }, 1, DAY, "abc", "01234", 0 },
    { "the orphan alone", "", "", { { 0, 0 } }, 0, 2 * DAY, "", "4", 40 },
    { "by age", "", "", { { 30 * DAY, 0 } }, 1, 9 * DAY, "ab", "012", 20 },
    { "too young", "", "", { { 41 * DAY, 0 } }, 1, 9 * DAY, "", "", 50 },
    { "exactly as old", "", "", { { 40 * DAY, 0 } }, 1, 9 * DAY, "a", "1", 40 },
    { "by size, the longest unused first", "", "", { { 0, 40 } }, 1, 9 * DAY, "a", "1", 40 },
    { "by size, a shared layer goes with its last image",
      "",
      "",
      { { 0, 39 } },
      1,
      9 * DAY,
      "ab",
      "012",
      20 },
    { "size is enough", "", "", { { 0, 50 } }, 1, 9 * DAY, "", "", 50 },
    { "the orphan counts, and its going may be enough",
      "",
      "",
      { { 0, 40 } },
      1,
      DAY,
      "",
      "4",
      40 },
    { "held stays", "a", "", { { 0, 0 } }, 1, 9 * DAY, "bc", "23", 30 },
    { "all held", "abc", "", { { 0, 0 } }, 1, 9 * DAY, "", "", 50 },
    { "held ones do not stop the rest", "a", "", { { 0, 40 } }, 1, 9 * DAY, "b", "2", 40 },
    { "both at once: old and too large", "", "", { { 20 * DAY, 40 } }, 1, 9 * DAY, "a", "1", 40 },
    { "one rule after the other",
      "",
      "",
      { { 40 * DAY, 0 }, { 0, 20 } },
      2,
      9 * DAY,
      "ab",
      "012",
      20 },
    { "broken goes without a rule", "", "b", { { 0, 0 } }, 0, 9 * DAY, "b", "2", 40 },
    { "broken and held stays", "b", "b", { { 0, 0 } }, 0, 9 * DAY, "", "", 50 },
};

static const size_t layers_of_a[] = { 0, 1 }, layers_of_b[] = { 0, 2 }, layers_of_c[] = { 3 };

struct world {
    struct gc_layer layers[5];
    struct gc_image images[3];
    struct gc gc;
};

static void make(struct world *world, const struct gc_case *c)
{
    static const struct gc_image images[] = {
        { .layers = layers_of_a, .layer_count = 2, .used_ms = NOW - 40 * DAY },
        { .layers = layers_of_b, .layer_count = 2, .used_ms = NOW - 30 * DAY },
        { .layers = layers_of_c, .layer_count = 1, .used_ms = NOW - 20 * DAY },
    };
    for (size_t i = 0; i < 5; i++)
        world->layers[i] = (struct gc_layer){ .bytes = 10, .changed_ms = NOW - 2 * DAY };
    for (size_t i = 0; i < 3; i++) {
        world->images[i] = images[i];
        world->images[i].is_held = strchr(c->held, (int)('a' + i));
        world->images[i].is_broken = strchr(c->broken, (int)('a' + i));
    }
    world->gc = (struct gc){ .layers = world->layers,
                             .layer_count = 5,
                             .images = world->images,
                             .image_count = 3,
                             .now_ms = NOW,
                             .orphan_age_ms = c->orphan_age_ms };
}

static void marks_what_goes(void **state)
{
    const struct gc_case *c = *state;
    struct arena *arena = arena_new();
    struct world world;
    make(&world, c);

    gc_begin(&world.gc, arena);
    for (size_t i = 0; i < c->rule_count; i++)
        gc_apply(&world.gc, &c->rules[i], arena);

    for (size_t i = 0; i < 3; i++)
        assert_int_equal(world.images[i].goes, strchr(c->images, (int)('a' + i)) != NULL);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(world.layers[i].goes, strchr(c->layers, (int)('0' + i)) != NULL);
    assert_int_equal(world.gc.total_bytes, c->total_bytes);
    arena_free(arena);
}

/* Somebody begins to use an image that was to go. */
static void an_image_that_stays_after_all_keeps_its_layers(void **state)
{
    const struct gc_case all = { "", "", "", { { 0, 0 } }, 1, 9 * DAY, "", "", 0 };
    struct arena *arena = arena_new();
    struct world world;
    (void)state;
    make(&world, &all);
    gc_begin(&world.gc, arena);
    gc_apply(&world.gc, &all.rules[0], arena);
    world.images[1].goes = false;

    gc_settle(&world.gc, arena);

    assert_false(world.layers[0].goes);
    assert_true(world.layers[1].goes);
    assert_false(world.layers[2].goes);
    assert_int_equal(world.gc.total_bytes, 30);
    arena_free(arena);
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(an_image_that_stays_after_all_keeps_its_layers),
    };
    int failed = RUN_CASES(cases, marks_what_goes);
    return failed + cmocka_run_group_tests_name("settling", others, NULL, NULL);
}
