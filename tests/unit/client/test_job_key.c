#include "client/job_key.h"

#include "unit/test.h"

enum grammar { KEY, INSTANCES, TASK, PATTERN, SELECTOR };

static const struct key_case {
    const char *name;
    enum grammar grammar;
    const char *text;
    const char *expected; /* "cluster|role|env|name[ instances]" or a part of the error */
    bool is_error;
} cases[] = {
    { "a key", KEY, "west/www-data/prod/hello", "west|www-data|prod|hello", false },
    { "a cluster may be any text", KEY, "we st/r/e/n", "we st|r|e|n", false },
    { "dots, dashes and underscores", KEY, "c/a.b/c-d/e_f", "c|a.b|c-d|e_f", false },
    { "too short", KEY, "west/www-data/prod", "expected CLUSTER/ROLE/ENV/NAME", true },
    { "too long", KEY, "a/b/c/d/e", "expected CLUSTER/ROLE/ENV/NAME", true },
    { "much too long", KEY, "a/b/c/d/e/f/g/h/i/j", "expected CLUSTER/ROLE/ENV/NAME", true },
    { "empty", KEY, "", "expected CLUSTER/ROLE/ENV/NAME", true },
    { "an empty cluster", KEY, "/b/c/d", "cluster of a job key is empty", true },
    { "an empty role", KEY, "a//c/d", "the role", true },
    { "an empty name", KEY, "a/b/c/", "the name", true },
    { "a space in the environment", KEY, "a/b/c c/d", "the environment", true },
    { "a wildcard is no identifier", KEY, "a/b/c/*", "the name", true },

    { "all instances", INSTANCES, "a/b/c/d", "a|b|c|d []", false },
    { "an empty fifth part is all", INSTANCES, "a/b/c/d/", "a|b|c|d []", false },
    { "one instance", INSTANCES, "a/b/c/d/7", "a|b|c|d [7]", false },
    { "a range", INSTANCES, "a/b/c/d/2-5", "a|b|c|d [2-5]", false },
    { "a mixture", INSTANCES, "a/b/c/d/9,0, 2 - 4,3", "a|b|c|d [0, 2-4, 9]", false },
    { "neighbours become a range", INSTANCES, "a/b/c/d/2,1,0", "a|b|c|d [0-2]", false },
    { "a range the wrong way round", INSTANCES, "a/b/c/d/5-2", "Invalid instance range", true },
    { "not a number", INSTANCES, "a/b/c/d/x", "numbers and ranges", true },
    { "an item is missing", INSTANCES, "a/b/c/d/1,,2", "numbers and ranges", true },
    { "negative", INSTANCES, "a/b/c/d/-1", "numbers and ranges", true },
    { "a thousand", INSTANCES, "a/b/c/d/0-999", "a|b|c|d [0-999]", false },
    { "more than a thousand", INSTANCES, "a/b/c/d/0-1000", "at most 1000", true },
    { "more than a thousand in parts", INSTANCES, "a/b/c/d/0-600,0-600", "at most 1000", true },
    { "a huge number", INSTANCES, "a/b/c/d/99999999999999999999", "numbers and ranges", true },
    { "six parts", INSTANCES, "a/b/c/d/1/2", "[/INSTANCES]", true },

    { "a task", TASK, "a/b/c/d/3", "a|b|c|d [3]", false },
    { "a task without instance", TASK, "a/b/c/d", "/INSTANCE", true },
    { "a task with a range", TASK, "a/b/c/d/3-4", "/INSTANCE", true },

    { "a cluster alone", PATTERN, "west", "west|*|*|*", false },
    { "parts from the left", PATTERN, "west/r/e*", "west|r|e*|*", false },
    { "empty parts are wild", PATTERN, "west//prod/", "west|*|prod|*", false },
    { "every cluster", PATTERN, "*/*", "*|*|*|*", false },
    { "five parts", PATTERN, "a/b/c/d/e", "more than four", true },
    { "no cluster", PATTERN, "/b", "cluster is empty", true },

    { "a selector", SELECTOR, "west//prod/x", "west||prod|x", false },
    { "an empty selector", SELECTOR, "///", "|||", false },
    { "a short selector", SELECTOR, "x", "parts that may be empty", true },
};

static bool parse(const struct key_case *c, struct arena *arena, struct job_key *key,
                  struct instance_list *instances, struct error *err)
{
    int32_t instance;
    switch (c->grammar) {
    case KEY:
        return job_key_parse(c->text, arena, key, err);
    case INSTANCES:
        return instance_spec_parse(c->text, arena, key, instances, err);
    case TASK:
        if (!task_instance_parse(c->text, arena, key, &instance, err))
            return false;
        *instances = (struct instance_list){ arena_alloc(arena, sizeof instance), 1 };
        instances->ids[0] = instance;
        return true;
    case PATTERN:
        return job_pattern_parse(c->text, arena, key, err);
    case SELECTOR:
        return job_selector_parse(c->text, arena, key, err);
    }
    return false;
}

static void parses_or_explains(void **state)
{
    const struct key_case *c = *state;
    static const struct job_key untouched = { "u", "u", "u", "u" };
    struct arena *arena = arena_new();
    struct job_key key = untouched;
    struct instance_list instances = { 0 };
    struct error err = { 0 };
    bool has_instances = c->grammar == INSTANCES || c->grammar == TASK;

    bool is_good = parse(c, arena, &key, &instances, &err);
    assert_int_equal(is_good, !c->is_error);
    if (c->is_error) {
        assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
        assert_non_null(strstr(err.message, c->expected));
        assert_memory_equal(&key, &untouched, sizeof key);
    } else {
        const char *got = arena_printf(arena, "%s|%s|%s|%s%s%s", key.cluster, key.role,
                                       key.environment, key.name, has_instances ? " " : "",
                                       has_instances ? instances_text(&instances, arena) : "");
        assert_string_equal(got, c->expected);
    }
    arena_free(arena);
}

static const struct match_case {
    const char *name;
    struct job_key pattern;
    bool matches; /* www-data/prod/hello */
} match_cases[] = {
    { "everything", { "c", "*", "*", "*" }, true },
    { "the same", { "c", "www-data", "prod", "hello" }, true },
    { "another role", { "c", "root", "*", "*" }, false },
    { "a prefix", { "c", "www*", "*", "h?llo" }, true },
    { "a set", { "c", "*", "[a-p]rod", "*" }, true },
    { "case counts", { "c", "*", "PROD", "*" }, false },
    { "the whole part must match", { "c", "*", "*", "hell" }, false },
};

static void matches(void **state)
{
    const struct match_case *c = *state;
    assert_int_equal(job_pattern_matches(&c->pattern, "www-data", "prod", "hello"), c->matches);
}

int main(void)
{
    return RUN_CASES(cases, parses_or_explains) + RUN_CASES(match_cases, matches);
}
