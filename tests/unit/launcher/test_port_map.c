#include "launcher/port_map.h"

#include "unit/test.h"

static const struct port_case {
    const char *name, *aliases; /* JSON */
    const char *wanted;
    int number; /* 0: none of that name */
    const char *message;
} cases[] = {
    { "assigned", "{}", "http", 31001, "" },
    { "no aliases", NULL, "http", 31001, "" },
    { "none of that name", "{}", "admin", 0, "" },
    { "an alias of an assigned one", "{\"aurora\": \"http\"}", "aurora", 31001, "" },
    { "an alias of an alias", "{\"a\": \"b\", \"b\": \"http\"}", "a", 31001, "" },
    { "a number", "{\"static\": 8080}", "static", 8080, "" },
    { "a number as text", "{\"static\": \"8080\"}", "static", 8080, "" },
    { "assigned beats alias", "{\"http\": 80}", "http", 31001, "" },
    { "leads nowhere", "{\"a\": \"nothing\"}", "a", 0, "" },
    { "too high a number", "{\"a\": 65536}", "a", 0, "" },
    { "zero", "{\"a\": \"0\"}", "a", 0, "" },
    { "something else", "{\"a\": [1]}", "a", 0, "" },
    { "a circle", "{\"a\": \"b\", \"b\": \"a\"}", NULL, 0, "Found cycle in portmap!" },
    { "itself", "{\"a\": \"a\"}", NULL, 0, "Found cycle in portmap!" },
};

static void finds(void **state)
{
    const struct port_case *c = *state;
    struct arena *arena = arena_new();
    struct port_map map = { 0 };
    struct error err = { 0 };
    Eos__Job__V1__AssignedPort http = EOS__JOB__V1__ASSIGNED_PORT__INIT;
    Eos__Job__V1__AssignedPort *assigned[] = { &http };
    json_t *aliases = c->aliases ? json_loads(c->aliases, 0, NULL) : NULL;
    http.name = "http";
    http.port = 31001;

    bool ok = port_map_make(assigned, 1, aliases, arena, &map, &err);

    assert_int_equal(ok, c->wanted != NULL);
    assert_non_null(strstr(err.message, c->message));
    if (ok) {
        const struct port *port = port_map_find(&map, slice_of(c->wanted));
        assert_int_equal(port ? port->number : 0, c->number);
    }
    json_decref(aliases);
    arena_free(arena);
}

static void an_assigned_port_is_checked(void **state)
{
    struct arena *arena = arena_new();
    struct port_map map;
    struct error err = { 0 };
    Eos__Job__V1__AssignedPort http = EOS__JOB__V1__ASSIGNED_PORT__INIT;
    Eos__Job__V1__AssignedPort *assigned[] = { &http };
    (void)state;
    http.name = "http";
    http.port = 70000;
    assert_false(port_map_make(assigned, 1, NULL, arena, &map, &err));
    assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest others[] = { cmocka_unit_test(an_assigned_port_is_checked) };
    return RUN_CASES(cases, finds) + cmocka_run_group_tests(others, NULL, NULL);
}
