#include "launcher/host_facts.h"

#include "unit/test.h"

#define GB (INT64_C(1) << 30)

static const struct host_size machine = {
    .hostname = "h1", .cpus = 4, .ram_bytes = 8 * GB, .disk_bytes = 100 * GB
};

static void the_machine_is_offered_but_for_a_reserve(void **state)
{
    struct host_wishes wishes = { 0 };
    struct arena *arena = arena_new();
    struct host_facts facts;
    struct error err;
    (void)state;
    assert_true(host_facts_make(&wishes, &machine, arena, &facts, &err));
    assert_string_equal(facts.hostname, "h1");
    assert_true(facts.total->num_cpus == 4);
    assert_int_equal(facts.total->ram_mb, 7 * 1024);
    assert_int_equal(facts.total->disk_mb, 95 * 1024);
    assert_int_equal(facts.total->ports[0]->first, 31000);
    assert_int_equal(facts.total->ports[0]->last, 32000);
    assert_int_equal(facts.attribute_count, 1);
    assert_string_equal(facts.attributes[0]->name, "host");
    assert_string_equal(facts.attributes[0]->values[0], "h1");
    arena_free(arena);
}

static void wishes_win(void **state)
{
    static const char *attributes[] = { "rack=a", "zone=b=c", "rack=d" };
    struct host_wishes wishes = {
        .hostname = "other",
        .cpus = "0.5",
        .ports = "1-2,4-4",
        .ram_bytes = GB,
        .disk_bytes = GB,
        .attributes = { .items = attributes, .count = 3 },
    };
    struct arena *arena = arena_new();
    struct host_facts facts;
    struct error err;
    (void)state;
    assert_true(host_facts_make(&wishes, &machine, arena, &facts, &err));
    assert_string_equal(facts.attributes[0]->values[0], "other");
    assert_true(facts.total->num_cpus == 0.5);
    assert_int_equal(facts.total->ram_mb, 1024);
    assert_int_equal(facts.total->n_ports, 2);
    assert_int_equal(facts.total->ports[1]->first, 4);
    assert_int_equal(facts.attribute_count, 3);
    assert_string_equal(facts.attributes[1]->name, "rack");
    assert_int_equal(facts.attributes[1]->n_values, 2);
    assert_string_equal(facts.attributes[1]->values[1], "d");
    assert_string_equal(facts.attributes[2]->values[0], "b=c");
    arena_free(arena);
}

static const struct endpoint_case {
    const char *name, *url, *endpoint;
} endpoints[] = {
    { "a socket of the host", "ipc:///run/eos/launcher.sock", "ipc:///run/eos/launcher.sock" },
    { "one address", "tcp://10.0.0.1:7000", "tcp://10.0.0.1:7000" },
    { "all addresses", "tcp://0.0.0.0:7000", "tcp://h1:7000" },
    { "all addresses of version 6", "tcp://[::]:7000", "tcp://h1:7000" },
};

static void others_can_reach_it(void **state)
{
    const struct endpoint_case *c = *state;
    struct arena *arena = arena_new();
    assert_string_equal(host_endpoint(c->url, "h1", arena), c->endpoint);
    arena_free(arena);
}

static const struct wrong_case {
    const char *name, *cpus, *ports, *attribute, *message;
} wrong[] = {
    { "cpus are no number", "many", NULL, NULL, "flag --cpus" },
    { "no cpus", "0", NULL, NULL, "flag --cpus" },
    { "cpus are not finite", "inf", NULL, NULL, "flag --cpus" },
    { "one port without a range", NULL, "31000", NULL, "flag --ports" },
    { "a falling range", NULL, "5-4", NULL, "flag --ports" },
    { "ranges that overlap", NULL, "1-5,5-6", NULL, "flag --ports" },
    { "port zero", NULL, "0-5", NULL, "flag --ports" },
    { "too high a port", NULL, "1-65536", NULL, "flag --ports" },
    { "no ports", NULL, "", NULL, "flag --ports" },
    { "an attribute without a value", NULL, NULL, "rack=", "flag --attribute" },
    { "an attribute without a name", NULL, NULL, "=a", "flag --attribute" },
    { "the name of the host", NULL, NULL, "host=a", "--hostname" },
};

static void names_the_flag(void **state)
{
    const struct wrong_case *c = *state;
    const char *attributes[] = { c->attribute };
    struct host_wishes wishes = { .cpus = c->cpus,
                                  .ports = c->ports,
                                  .attributes = { .items = attributes,
                                                  .count = c->attribute ? 1 : 0 } };
    struct arena *arena = arena_new();
    struct host_facts facts;
    struct error err = { 0 };
    assert_false(host_facts_make(&wishes, &machine, arena, &facts, &err));
    assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, c->message));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(the_machine_is_offered_but_for_a_reserve),
        cmocka_unit_test(wishes_win),
    };
    return RUN_CASES(endpoints, others_can_reach_it) + RUN_CASES(wrong, names_the_flag) +
           cmocka_run_group_tests(others, NULL, NULL);
}
