#include "client/image_use.h"

#include "base/cleanup.h"
#include "decode.h"
#include "unit/test.h"

#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"

#define BINDING(tag, digest)                                                                       \
    "{\"reference\": \"r\", \"registry\": \"https://h.x\", \"repository\": \"a/b\", \"tag\": "     \
    "\"" tag "\", \"digest\": \"" digest "\"}"
#define ENGINE(image)                                                                              \
    "{\"assignedTask\":{\"task\":{\"container\":{\"docker\":{\"image\":\"" image "\"}}}}}"
#define NATIVE(name, tag)                                                                          \
    "{\"assignedTask\":{\"task\":{\"container\":{\"mesos\":{\"image\":{\"docker\":{\"name\":"      \
    "\"" name "\",\"tag\":\"" tag "\"}}}}}}}"
#define COMMAND(text) "{\"assignedTask\":{\"task\":{\"executorData\":\"" text "\"}}}"

static const struct use_case {
    const char *name, *binding; /* NULL: none */
    const char *tasks[2];
    size_t count; /* of uses */
    enum image_state state;
    size_t instances; /* of the first */
    const char *reference;
} cases[] = {
    { "by the engine",
      BINDING("1", D1),
      { ENGINE("h.x/a/b@" D1), ENGINE("h.x/a/b@" D1) },
      1,
      IMAGE_CURRENT,
      2,
      "r" },
    { "in a Mesos container",
      BINDING("1", D1),
      { NATIVE("h.x/a/b", D1) },
      1,
      IMAGE_CURRENT,
      1,
      "r" },
    { "in a command line",
      BINDING("1", D1),
      { COMMAND("pull h.x/a/b@" D1 " now") },
      1,
      IMAGE_CURRENT,
      1,
      "r" },
    { "by a digest", BINDING("", D1), { ENGINE("h.x/a/b@" D1) }, 1, IMAGE_FIXED, 1, "r" },
    { "not any more", BINDING("1", D1), { ENGINE("h.x/a/b@" D2) }, 0, IMAGE_CURRENT, 0, "" },
    { "nowhere", BINDING("1", D1), { NULL }, 0, IMAGE_CURRENT, 0, "" },
    { "a record without a digest",
      BINDING("1", ""),
      { ENGINE("h.x/a/b@" D1) },
      0,
      IMAGE_CURRENT,
      0,
      "" },
    { "a tag", NULL, { ENGINE("a/b:1"), ENGINE("a/b:1") }, 1, IMAGE_UNPINNED, 2, "a/b:1" },
    { "two tags", NULL, { ENGINE("a/b:1"), NATIVE("a/b", "2") }, 2, IMAGE_UNPINNED, 1, "a/b:1" },
    { "a name without a tag", NULL, { NATIVE("a/b", "") }, 1, IMAGE_UNPINNED, 1, "a/b" },
    { "the host's files", NULL, { COMMAND("ls"), "{}" }, 0, IMAGE_CURRENT, 0, "" },
};

static void uses_are_found(void **state)
{
    const struct use_case *c = *state;
    struct arena *arena = arena_new();
    Eos__Job__V1__ImageBinding *binding = NULL;
    Eos__Job__V1__ScheduledTask *tasks[2];
    size_t task_count = 0, count;
    if (c->binding)
        binding =
            (Eos__Job__V1__ImageBinding *)decode(c->binding,
                                                 &eos__job__v1__image_binding__descriptor, arena);
    for (; task_count < 2 && c->tasks[task_count]; task_count++)
        tasks[task_count] =
            (Eos__Job__V1__ScheduledTask *)decode(c->tasks[task_count],
                                                  &eos__job__v1__scheduled_task__descriptor, arena);
    struct image_use *uses =
        image_uses(&binding, binding != NULL, tasks, task_count, arena, &count);
    assert_int_equal(count, c->count);
    if (count > 0) {
        assert_int_equal(uses[0].state, c->state);
        assert_int_equal(uses[0].instances, c->instances);
        assert_string_equal(uses[0].reference, c->reference);
    }
    arena_free(arena);
}

static const struct reference_case {
    const char *name; /* the registry */
    const char *expected;
} references[] = {
    { "https://h.x", "h.x/a/b:1" },
    { "http://127.0.0.1:5000", "127.0.0.1:5000/a/b:1" },
    { "https://registry-1.docker.io", "registry-1.docker.io/a/b:1" },
    { "https://registry", "registry:443/a/b:1" },
    { "http://registry", "registry:80/a/b:1" },
    { "http://[::1]:5000", "[::1]:5000/a/b:1" },
};

static void tag_is_asked_where_it_was(void **state)
{
    const struct reference_case *c = *state;
    struct arena *arena = arena_new();
    Eos__Job__V1__ImageBinding binding = EOS__JOB__V1__IMAGE_BINDING__INIT;
    binding.registry = (char *)c->name;
    binding.repository = (char *)"a/b";
    binding.tag = (char *)"1";
    assert_string_equal(image_tag_reference(&binding, arena), c->expected);
    arena_free(arena);
}

static void only_what_is_outdated_is_told(void **state)
{
    struct arena *arena = arena_new();
    struct text out = TEXT_INIT, json = TEXT_INIT;
    json_t *list;
    struct error err = { 0 };
    const Eos__Job__V1__ImageBinding *binding =
        (Eos__Job__V1__ImageBinding *)decode(BINDING("1", D1),
                                             &eos__job__v1__image_binding__descriptor, arena);
    const struct image_use uses[] = {
        { binding, "a", 1, IMAGE_CURRENT, D1 },   { binding, "b", 1, IMAGE_MOVED, D2 },
        { binding, "c", 2, IMAGE_GONE, "" },      { binding, "d", 1, IMAGE_FIXED, D1 },
        { NULL, "e\033", 1, IMAGE_UNPINNED, "" },
    };
    (void)state;
    image_uses_add(&out, uses, 5);
    assert_string_equal(text_string(&out),
                        "b (1 instance)\n  runs: " D1 "\n  now:  " D2 "\n"
                        "c (2 instances)\n  runs: " D1 "\n  now:  there is no such tag any more\n");
    text_add_char(&json, '[');
    image_uses_add_json(&json, uses, 5);
    text_add_char(&json, ']');
    assert_true(json_parse(text_slice(&json), &list, &err));
    assert_int_equal(json_array_size(list), 5);
    const json_t *moved = json_array_get(list, 1);
    assert_string_equal(json_string_value(json_object_get(moved, "state")), "moved");
    assert_string_equal(json_string_value(json_object_get(moved, "digest")), D1);
    assert_string_equal(json_string_value(json_object_get(moved, "now")), D2);
    json_decref(list);
    text_done(&json);
    text_done(&out);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(only_what_is_outdated_is_told) };
    return RUN_CASES(cases, uses_are_found) + RUN_CASES(references, tag_is_asked_where_it_was) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
